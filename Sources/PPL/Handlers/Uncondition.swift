// SPDX-License-Identifier: MIT
//
// Uncondition: forgets data, so that they are drawn.

/// Forgets the data of observed sites: they are drawn, and left out of the density.
public struct Uncondition: Handler {
  /// The sites; nil for all.
  public let names: Set<String>?

  /// Creates the handler.
  public init(names: Set<String>? = nil) { self.names = names }

  public mutating func process(_ site: inout Site) {
    guard site.kind == .sample, site.isObserved, names?.contains(site.name) ?? true else { return }
    site.value = nil
    site.isObserved = false
    site.isPredicted = true
  }
}
