// SPDX-License-Identifier: MIT
//
// Substitute: sites take given values and stay what they are.

public import Tensors

/// Sets latent sites and params to given values; unlike ``Condition`` it leaves them latent.
public struct Substitute: Handler {
  /// The values, by site name.
  public let values: [String: Tensor]

  /// Creates the handler.
  public init(values: [String: Tensor]) { self.values = values }

  public mutating func process(_ site: inout Site) {
    guard !site.isObserved, let value = values[site.name] else { return }
    switch site.kind {
    case .sample, .param, .plate: site.value = value
    default: break
    }
  }

  public func provides(_ site: Site) -> Bool {
    site.kind == .sample && !site.isObserved && values[site.name] != nil
  }
}
