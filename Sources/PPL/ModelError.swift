// SPDX-License-Identifier: MIT
//
// What a model can do wrong, with the site, what was expected, what was found and what to do.

public import Tensors

/// A mistake in a model, or in the values given to it.
public struct ModelError: Error, Sendable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Kind: Sendable, Equatable {
    /// Two sites have one name.
    case duplicateSite
    /// A value does not fit the shape of its site.
    case shapeMismatch(expected: Shape, found: Shape)
    /// A distribution does not fit the plates around it.
    case plateMismatch(batchShape: Shape)
    /// A plate was opened with an axis that another plate holds, or with impossible sizes.
    case invalidPlate
    /// Values were given for sites that the model does not have.
    case unknownSites([String])
    /// A latent site cannot be sampled by gradients.
    case discreteLatent
    /// The density changes from one evaluation to the next.
    case noFixedDensity
    /// There is no latent site.
    case noLatentSites
    /// The log density or its gradient is not finite.
    case notFinite
    /// A value lies outside its support.
    case outsideSupport
    /// A statement makes no sense where it stands.
    case misuse
  }

  /// What went wrong.
  public let kind: Kind

  /// The site, or nil when the model as a whole is meant.
  public let site: String?

  /// The plates around the site, outermost first.
  public let plates: [String]

  /// What was expected, what was found and what to do.
  public let explanation: String

  /// The error of another library that the statement met; nil where it is a mistake in the model itself.
  public let underlying: (any Error)?

  /// Creates an error.
  public init(
    _ kind: Kind, site: String? = nil, plates: [String] = [], _ explanation: String,
    underlying: (any Error)? = nil
  ) {
    self.kind = kind
    self.site = site
    self.plates = plates
    self.explanation = explanation
    self.underlying = underlying
  }

  public var description: String {
    var place = site.map { "site \"\($0)\"" } ?? "model"
    if !plates.isEmpty { place += " in plate \(plates.joined(separator: " › "))" }
    return "\(place): \(explanation)"
  }
}
