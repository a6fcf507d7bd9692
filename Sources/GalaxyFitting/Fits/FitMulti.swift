// SPDX-License-Identifier: MIT
//
// The stock fit of several sources in one image: one scene, one sky, all parameters together.

public import GalaxyModels
public import Inference
public import PPL
public import Rendering

/// A fit of several sources in one image, all of them together.
///
/// ```swift
/// let catalog = try SourceCatalog(reading: "sources.csv")
/// let fit = try FitMulti(image, prior: catalog.prior(in: image, sky: .flat))
/// let result = FitResult(try fit.estimatePosterior(.laplace))
/// print(result.source(2).table)
/// ```
/// Sites of source 2 end in `_2`: `xc_2`, `flux_2`; those of the sky and the noise have no number.
public struct FitMulti: GalaxyFit {
  public let image: ObservedImage
  public let prior: ScenePrior
  public let loss: ImageLoss
  public let method: RenderingMethod
  public let model: Model<LightProfile>
  public let density: CompiledDensity

  /// Creates a fit, and compiles its model.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - prior: The priors of all parameters; those of the noise have the loss's defaults unless they are set.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the scene is rendered.
  /// - Throws: `GalaxyModelError` where priors are missing or extra, or there is no source; `ModelError` where the model
  ///   cannot be fitted.
  public init(
    _ image: ObservedImage, prior: ScenePrior, loss: ImageLoss = .gaussian,
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
}
