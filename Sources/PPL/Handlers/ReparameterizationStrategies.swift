// SPDX-License-Identifier: MIT
//
// The strategies of Reparameterize: location-scale families, and distributions made by a transform.
//
// Source of centrings: Papaspiliopoulos, Roberts and Sköld 2007, Statistical Science 22, 59; Gorinova, Moore and Hoffman 2020.

public import Distributions
import Numerics
public import Tensors

/// Non-centring: a location-scale variable becomes loc + scale · base, the base standard; site `NAME_base`.
///
/// With a centring c the base keeps a part of both, location c · loc and scale scaleᶜ: 0 is non-centred, 1 is as written. Data that
/// say little about a variable ask for 0, data that say much for 1.
public struct LocScale: Reparameterization {
  /// The part of location and scale that the base keeps; nil for none.
  private let centring: Tensor?

  /// Creates the strategy: non-centred.
  public init() { centring = nil }

  /// Creates the strategy with a centring between 0 and 1, one for all elements or one for each.
  public init(centring: some TensorConvertible) {
    let centring = centring.tensor
    demand(
      centring.isTraced || centring.elements.allSatisfy { $0 >= 0 && $0 <= 1 },
      "LocScale: expected a centring between 0 and 1, got \(centring)")
    self.centring = centring
  }

  public func apply(_ site: Site, _ distribution: any Distribution, in context: ModelContext)
    -> Tensor?
  {
    guard let parts = distribution.locationScale else { return nil }
    let (location, scale) = (parts.location, parts.scale)
    if let centring {
      let shape = distribution.batchShape + distribution.eventShape
      guard broadcastShape([centring.shape, shape]) == shape else {
        context.report(
          ModelError(
            .shapeMismatch(expected: shape, found: centring.shape), site: site.name,
            plates: site.plates.map(\.name),
            "expected a centring that broadcasts to the site's shape \(shape), found shape \(centring.shape); give one number, or one for each element"
          ))
        return distribution.feasibleValue
      }
      let start = centring * location
      let rest = pow(scale, 1 - centring)
      let kept = TransformedDistribution(
        parts.base, AffineBijector(start, pow(scale, centring)))
      let base = context.emit(site.name + "_base", kept, derivedFrom: site) {
        start + ($0 - location) / rest
      }
      return location + rest * (base - start)
    }
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
