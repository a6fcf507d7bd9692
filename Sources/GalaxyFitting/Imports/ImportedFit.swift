// SPDX-License-Identifier: MIT
//
// The fit of an imported scene: its program as a stock fit, with all that those can do.

import Distributions
public import GalaxyModels
public import Inference
public import PPL
public import Rendering
import Tensors

/// A fit of the scene that another program's configuration describes.
///
/// ```swift
/// let feedme = try GalfitConfiguration(text, name: "galfit.feedme")
/// let fit = try ImportedFit(ImportedScene(feedme, frame), image)
/// let result = FitResult(try fit.estimatePosterior(.laplace))
/// print(result.table, feedme.updated(result.best.values, frame).text)
/// ```
/// Sites carry the number of their component, from 1: `xc_1`, `flux_2`.
public struct ImportedFit: GalaxyFit {
  /// The scene.
  public let scene: ImportedScene

  public let image: ObservedImage
  public let prior: ImportedPrior
  public let loss: ImageLoss
  public let method: RenderingMethod
  public let model: Model<LightProfile>
  public let density: CompiledDensity

  /// Creates a fit, and compiles its model.
  ///
  /// - Parameters:
  ///   - scene: The scene.
  ///   - image: The image.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the scene is rendered.
  /// - Throws: ``OptionError`` where nothing is free, or there is no PSF for a point source; `GalaxyModelError` where a parameter is held at an impossible value;
  ///   `ModelError` where the scene cannot be drawn.
  public init(
    _ scene: ImportedScene, _ image: ObservedImage, loss: ImageLoss = .gaussian,
    method: RenderingMethod = .fourier
  ) throws {
    guard !scene.freeSites.isEmpty else {
      throw OptionError(
        "scene", "expected a free parameter, found all held; set a flag in the configuration to 1")
    }
    let star = scene.components.firstIndex { $0.kind == .pointSource }
    if let star, image.psf == nil {
      throw OptionError(
        "component \(star + 1), \(scene.components[star].kind.name)",
        "expected a PSF for a point source, found none; name one in line D) or by --psf")
    }
    var prior = ImportedPrior(scene, image)
    prior.include(loss)
    try prior.validate()
    self.scene = scene
    self.image = image
    self.prior = prior
    self.loss = loss
    self.method = method
    model = scene.model(image, loss: loss, method: method)
    density = try model.fitDensity()
  }

  public var sources: [FitReport.Source] {
    scene.components.enumerated().compactMap { k, component in
      SourceProfile(component.kind).map { FitReport.Source(number: k + 1, profile: $0) }
    }
  }

  public var sites: [String] { scene.firstValues.map { $0.site } + loss.sites }

  public var ties: [String: ImportedScene.Tie] { scene.ties }

  public var listsComponents: Bool { true }

  // MARK: - Maximum

  /// Finds the maximum of the joint density of the parameters, from the first values, and from others of free indices.
  public func findMAP(
    start: [String: Double] = [:], optimizer: MAPOptimizer = .levenbergMarquardt,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> MAPFit {
    let clock = ContinuousClock()
    let begin = clock.now
    try checkStarts(start)
    let points = try points(start)
    let result = searchTogether(from: points, optimizer, isCancelled)
    return MAPFit(
      self, result.best, modes: result.modes, evaluations: result.evaluations,
      seconds: (clock.now - begin).seconds)
  }

  /// Returns the points from which searches start: the first values, then free indices of 1 and of 4; no variant changes the
  /// values given.
  private func points(_ given: [String: Double]) throws -> [[Double]] {
    var base: [String: Double] = [:]
    for site in prior.freeSites {
      let first = given[site] ?? prior.guesses[site] ?? prior[site]?.median?.item()
      base[site] = Self.inside(first ?? 0, prior[site])
    }
    var points = [base]
    let indices = prior.freeSites.filter {
      prior.parameter($0) == GalaxySite.n && given[$0] == nil
    }
    for n in [1.0, 4] where !indices.isEmpty {
      var point = base
      for site in indices { point[site] = Self.inside(n, prior[site]) }
      points.append(point)
    }
    return try points.map { try density.unconstrain($0) }
  }

  /// Returns a value pulled inside the support of a prior with bounds.
  private static func inside(_ value: Double, _ prior: (any Distribution)?) -> Double {
    /// Returns the margin at the only end of an open range: a share of the distance, or of the end's own size.
    func margin(_ end: Double) -> Double {
      let size = max(abs(end), abs(value - end))
      return 0.02 * (size > 0 ? size : 1)
    }
    switch prior?.support {
    case .interval(let low, let high):
      let (a, b) = (low.item(), high.item())
      let margin = 0.02 * (b - a)
      return min(max(value, a + margin), b - margin)
    case .greaterThan(let bound):
      let low = bound.item()
      return max(value, low + margin(low))
    case .lessThan(let bound):
      let high = bound.item()
      return min(value, high - margin(high))
    default: return value
    }
  }
}
