// SPDX-License-Identifier: MIT
//
// Condition: latent sites become observed.

public import Tensors

/// Sets sites to given values and marks them as observed.
public struct Condition: Handler {
  /// The values, by site name.
  public let values: [String: Tensor]

  /// Creates the handler.
  public init(values: [String: Tensor]) { self.values = values }

  public mutating func process(_ site: inout Site) {
    guard site.kind == .sample, let value = values[site.name] else { return }
    site.wasLatent = site.wasLatent || site.isLatent
    site.value = value
    site.isObserved = true
    site.isPredicted = false
  }

  public func provides(_ site: Site) -> Bool { site.kind == .sample && values[site.name] != nil }
}
