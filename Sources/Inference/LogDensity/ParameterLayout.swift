// SPDX-License-Identifier: MIT
//
// Where the latent sites of a model lie in one unconstrained vector.

public import Distributions
public import Tensors

/// The place of one latent site in the unconstrained vector.
public struct LayoutEntry: Sendable {
  /// The name of the site.
  public let name: String

  /// The elements of the unconstrained vector.
  public let range: Range<Int>

  /// The shape of the unconstrained coordinates.
  public let unconstrainedShape: Shape

  /// The shape of the value.
  public let shape: Shape

  /// Where the values lie; its bounds are those at one draw from the prior where they depend on other sites.
  public let constraint: Constraint

  /// The site in whose place a reparameterisation made this one; nil for a site that its author wrote.
  public let origin: String?

  /// Whether the site was made by a reparameterisation.
  public var isAuxiliary: Bool { origin != nil }
}

/// The latent sites of a model, in order, and their places in one unconstrained vector.
public struct ParameterLayout: Sendable {
  /// The sites, in the order of the model.
  public let entries: [LayoutEntry]

  /// The length of the vector.
  public let dimension: Int

  /// Creates the layout from entries in order.
  init(_ entries: [LayoutEntry]) {
    self.entries = entries
    dimension = entries.last?.range.upperBound ?? 0
  }

  /// The entry of a site, or nil.
  public subscript(name: String) -> LayoutEntry? { entries.first { $0.name == name } }

  /// The names of the sites, in order.
  public var names: [String] { entries.map(\.name) }
}
