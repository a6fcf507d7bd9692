// SPDX-License-Identifier: MIT
//
// Replay: latent sites take their values from an earlier trace.

/// Gives latent sites the values they have in a trace.
public struct Replay: Handler {
  /// The trace.
  public let trace: Trace

  /// Creates the handler.
  public init(trace: Trace) { self.trace = trace }

  public mutating func process(_ site: inout Site) {
    guard site.kind == .sample, !site.isObserved, let old = trace.site(site.name), !old.isObserved
    else { return }
    site.value = old.value
  }

  public func provides(_ site: Site) -> Bool {
    site.kind == .sample && trace.site(site.name).map { $0.kind == .sample } ?? false
  }
}
