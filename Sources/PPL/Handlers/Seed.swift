// SPDX-License-Identifier: MIT
//
// Seed: the key of all draws inside.

public import Numerics

/// Gives the draws inside it their key; a draw depends on the key and the site's name alone, not on the order of sites.
public struct Seed: StructuralHandler {
  /// The key.
  public let key: RandomKey

  /// Creates the handler.
  public init(key: RandomKey) { self.key = key }

  public mutating func process(_ site: inout Site) {
    if site.key == nil { site.key = key }
  }
}
