// SPDX-License-Identifier: MIT
//
// Scope: a prefix for names.

/// Prefixes the names of all sites and plates inside it with `prefix` and a slash.
public struct Scope: Handler {
  /// The prefix.
  public let prefix: String

  /// Creates the handler.
  public init(prefix: String) { self.prefix = prefix }

  public mutating func process(_ site: inout Site) { rename(&site) }

  /// Prefixes the name of a site.
  func rename(_ site: inout Site) { site.name = prefix + "/" + site.name }
}
