// SPDX-License-Identifier: MIT
//
// The stock fit of one source: a model, its compiled density, and the ways to fit it.

import Distributions
public import GalaxyModels
public import Inference
public import PPL
public import Rendering
import Tensors

/// A fit of one source in one image.
///
/// ```swift
/// let prior = autoprior(image, .sersic, sky: .flat)
/// let fit = try FitSingle(image, prior: prior, loss: .studentT(dof: 5))
/// let best = try fit.findMAP()
/// let posterior = try fit.estimatePosterior(.laplace)
/// ```
public struct FitSingle: GalaxyFit {
  /// The image.
  public let image: ObservedImage

  /// The priors, those of the noise's parameters included.
  public let prior: GalaxyPrior

  /// The density of the pixels around the model image.
  public let loss: ImageLoss

  /// How the scene is rendered.
  public let method: RenderingMethod

  /// The model: an ordinary program, source, sky and observed image.
  public let model: Model<LightProfile>

  /// The compiled log density of the model.
  public let density: CompiledDensity

  /// Creates a fit, and compiles its model.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - prior: The priors of all parameters; those of the noise have the loss's defaults unless they are set.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the scene is rendered.
  /// - Throws: `GalaxyModelError` where priors are missing or extra; `ModelError` where the model cannot be fitted.
  public init(
    _ image: ObservedImage, prior: GalaxyPrior, loss: ImageLoss = .gaussian,
    method: RenderingMethod = .fourier
  ) throws {
    var prior = prior
    prior.include(loss)
    try prior.validate()
    self.image = image
    self.prior = prior
    self.loss = loss
    self.method = method
    model = Self.model(image, prior, loss, method)
    density = try model.fitDensity()
  }

  // MARK: - Starting points

  /// Returns the points from which a search for the maximum starts, best guess first.
  func starts(_ given: [String: Double]) throws -> [[Double]] {
    try checkStarts(given)
    return try StartingPoints(prior, given: given).points.map { try density.unconstrain($0) }
  }
}
