// SPDX-License-Identifier: MIT
//
// What can be wrong in the use of the stock models, and the ranges in which their parameters have a meaning.

/// The range in which a parameter of the stock models has a meaning; nil where any number will do.
///
/// The index goes from 0.25 to 12 where renderers are tested well beyond the promised 0.3 to 10; an ellipticity of 1 is
/// a line.
public func meaningfulRange(of site: String) -> ClosedRange<Double>? {
  switch GalaxySite.quantity(of: site) {
  case GalaxySite.rEff: 1e-3...1e5
  case GalaxySite.n: 0.25...12
  case GalaxySite.nu: -0.9...10
  case GalaxySite.f1, GalaxySite.fPs: 0...1
  case GalaxySite.ellip: 0...0.99
  // A noise of a hundredth of the rms and less is no noise.
  case GalaxySite.fracScatterIncrease, GalaxySite.sigFrac: -0.99...1e5
  case GalaxySite.sysScatterBase: 0...1e5
  // In units of 1/20: from no pixel to all.
  case GalaxySite.outlierFracBase: 0...20
  default: nil
  }
}

/// A mistake in the use of the stock models.
public struct GalaxyModelError: Error, Sendable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Kind: Sendable, Equatable {
    /// Parameters that the model does not have.
    case unknownParameters([String], known: [String], model: String)
    /// Parameters without a prior or a value.
    case missingPriors([String], model: String)
    /// Parameters of a light without a value.
    case missingValues([String], model: String)
    /// A parameter held at an impossible value.
    case invalidValue(String, Double, expected: String)
    /// All parameters are held at values.
    case nothingFree(model: String)
    /// A prior that cannot be confined to values above another parameter.
    case noOrder(String, String)
    /// Bands, or what was said about them, that make no joint model.
    case invalidBands(String)
    /// An image that does not go with the loss, or with the way of rendering.
    case unusableImage(String)
    /// A way of rendering that an image does not allow.
    case unsupportedRendering(String, found: String)
  }

  /// What went wrong.
  public let kind: Kind

  /// Creates an error.
  public init(_ kind: Kind) { self.kind = kind }

  public var description: String {
    switch kind {
    case .unknownParameters(let names, let known, let model):
      "prior: expected parameters of \(model) (\(known.joined(separator: ", "))), found \(names.joined(separator: ", ")); remove or rename them"
    case .missingPriors(let names, let model):
      "prior: expected a prior or a fixed value for each parameter of \(model), found none for \(names.joined(separator: ", ")); set them, or start from autoprior"
    case .missingValues(let names, let model):
      "\(model): expected a value for each parameter, found none for \(names.joined(separator: ", ")); give them"
    case .invalidValue(let name, let value, let expected):
      "prior: \(name): expected \(expected), found \(value)"
    case .noOrder(let name, let found):
      "prior: \(name): expected a distribution with quantiles, to be cut at the first radius, found \(found); use another one, or set isOrdered to false"
    case .unsupportedRendering(let way, let found):
      "renderer: expected a PSF that includes the pixel response for \(way), found \(found); use another renderer"
    case .unusableImage(let explanation): explanation
    case .invalidBands(let explanation): "bands: \(explanation)"
    case .nothingFree(let model):
      "prior: expected at least one free parameter of \(model), found all fixed; release one, or render the model instead"
    }
  }
}
