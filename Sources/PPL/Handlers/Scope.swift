// SPDX-License-Identifier: MIT
//
// Scope: a prefix for names.

/// Prefixes the names of all sites and plates inside it with `prefix` and a slash.
public struct Scope: StructuralHandler {
  /// The prefix.
  public let prefix: String

  /// Creates the handler.
  public init(prefix: String) { self.prefix = prefix }

  public func process(_ site: inout Site) {
    site.name = prefix + "/" + site.name
    if let origin = site.origin?.name { site.origin?.name = prefix + "/" + origin }
  }
}
