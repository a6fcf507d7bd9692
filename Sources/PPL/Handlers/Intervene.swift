// SPDX-License-Identifier: MIT
//
// Do: an intervention in the sense of Pearl 2009, "Causality".

public import Tensors

/// Sets what the rest of the model sees of a site, and hides the site: its own distribution no longer matters.
public struct Intervene: Handler {
  /// The values, by site name.
  public let values: [String: Tensor]

  /// Creates the handler.
  public init(values: [String: Tensor]) { self.values = values }

  public mutating func process(_ site: inout Site) {
    guard site.kind == .sample, !site.isObserved, let value = values[site.name] else { return }
    site.value = value
    site.isStopped = true
  }

  public func provides(_ site: Site) -> Bool {
    site.kind == .sample && !site.isObserved && values[site.name] != nil
  }
}
