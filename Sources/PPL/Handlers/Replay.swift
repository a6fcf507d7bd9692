// SPDX-License-Identifier: MIT
//
// Replay: latent sites take their values from an earlier trace.

/// Gives latent sites and the indices of plates the values they have in a trace.
public struct Replay: Handler {
  /// The trace.
  public let trace: Trace

  /// Creates the handler.
  public init(trace: Trace) { self.trace = trace }

  public mutating func process(_ site: inout Site) {
    if provides(site) { site.value = trace.site(site.name)?.value }
    if site.kind == .plate, let old = trace.plates[site.name] { site.value = old }
  }

  public func provides(_ site: Site) -> Bool {
    guard site.kind == .sample, !site.isObserved, let old = trace.site(site.name) else {
      return false
    }
    return old.kind == .sample && !old.isObserved
  }
}
