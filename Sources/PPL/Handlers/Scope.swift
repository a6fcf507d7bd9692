// SPDX-License-Identifier: MIT
//
// Scope: a prefix or a suffix for names.

/// Prefixes the names of all sites and plates inside it with `prefix` and a slash, and appends `suffix`.
public struct Scope: StructuralHandler {
  /// The prefix; empty for none.
  public let prefix: String

  /// The suffix; empty for none.
  public let suffix: String

  /// Creates the handler.
  public init(prefix: String = "", suffix: String = "") {
    self.prefix = prefix
    self.suffix = suffix
  }

  public func process(_ site: inout Site) {
    site.name = renamed(site.name)
    if let origin = site.origin?.name { site.origin?.name = renamed(origin) }
  }

  /// Returns a name as it is outside.
  private func renamed(_ name: String) -> String {
    (prefix.isEmpty ? "" : prefix + "/") + name + suffix
  }
}
