// SPDX-License-Identifier: MIT
//
// The strategies of Reparameterize: location-scale families, and distributions made by a transform.

public import Distributions
public import Tensors

/// Non-centring: a location-scale variable becomes loc + scale · base, the base standard; site `NAME_base`.
public struct LocScale: Reparameterization {
  /// Creates the strategy.
  public init() {}

  public func apply(_ site: Site, _ distribution: any Distribution, in context: ModelContext)
    -> Tensor?
  {
    guard let parts = distribution.locationScale else { return nil }
    let (location, scale) = (parts.location, parts.scale)
    let base = context.emit(site.name + "_base", parts.base, derivedFrom: site) {
      ($0 - location) / scale
    }
    return parts.location + parts.scale * base
  }
}

/// Takes a transformed distribution apart: the base is sampled and the transform applied; site `NAME_base`.
public struct TransformReparameterization: Reparameterization {
  /// Creates the strategy.
  public init() {}

  public func apply(_ site: Site, _ distribution: any Distribution, in context: ModelContext)
    -> Tensor?
  {
    guard let parts = distribution.transformed else { return nil }
    let transform = parts.transform
    let base = context.emit(site.name + "_base", parts.base, derivedFrom: site) {
      transform.inverse($0)
    }
    return parts.transform.forward(base)
  }
}
