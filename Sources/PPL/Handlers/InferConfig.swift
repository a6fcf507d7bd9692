// SPDX-License-Identifier: MIT
//
// InferConfig: hints for inference algorithms.

/// Attaches hints to named sites, for inference algorithms that look for them.
public struct InferConfig: Handler {
  /// The hints, by site name.
  public let hints: [String: [String: String]]

  /// Creates the handler.
  public init(hints: [String: [String: String]]) { self.hints = hints }

  public mutating func process(_ site: inout Site) {
    if let hint = hints[site.name] { site.hints.merge(hint) { inner, _ in inner } }
  }
}
