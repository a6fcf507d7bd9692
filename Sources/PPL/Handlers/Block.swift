// SPDX-License-Identifier: MIT
//
// Block: hides sites from the handlers outside.

/// Hides chosen sites from the handlers outside it; their draws still come from the run's keys.
public struct Block: Handler {
  /// Whether a site is hidden.
  let hides: @Sendable (Site) -> Bool

  /// Creates a handler that hides the sites for which `hides` is true.
  public init(_ hides: @escaping @Sendable (Site) -> Bool) { self.hides = hides }

  public mutating func process(_ site: inout Site) {
    if hides(site) { site.isStopped = true }
  }
}
