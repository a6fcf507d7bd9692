// SPDX-License-Identifier: MIT
//
// The fit of an imported scene: maximum and posterior of its program.

import Distributions
public import GalaxyModels
public import Inference
public import Numerics
import PPL
public import Rendering
import Tensors

/// The fit of a scene that another program's configuration describes.
public struct ImportedFit: Sendable {
  /// The scene.
  public let scene: ImportedScene

  /// The image.
  public let image: ObservedImage

  /// The density of the pixels.
  public let loss: ImageLoss

  /// The maximum of the posterior, with its verdict.
  public let maximum: MAPEstimate

  /// The values of all sites at the maximum, those that are held or tied included.
  public let values: [String: Double]

  /// How the posterior was estimated.
  public let method: FitMethod

  /// The draws from the posterior; nil where none were asked for, or the estimate failed.
  public let draws: Draws?

  /// The model image at the maximum, row-major, in image units.
  public let modelImage: [Double]

  /// Σ ((data − model) / rms)² over the good pixels.
  public let chiSquared: Double

  /// What makes the result doubtful.
  public let findings: [InputFinding]

  /// Fits a scene: the maximum from its first values, and from others of free indices; then the posterior from there.
  ///
  /// - Parameters:
  ///   - scene: The scene.
  ///   - image: The image.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the scene is rendered.
  ///   - estimate: How the posterior is estimated.
  ///   - key: The key of the draws.
  ///   - progress: Who is told how far Markov chains and variational fits are.
  ///   - isCancelled: Asked between steps, from several threads.
  /// - Throws: `ModelError` where the scene cannot be drawn; ``OptionError`` where nothing is free.
  public init(
    _ scene: ImportedScene, _ image: ObservedImage, loss: ImageLoss = .gaussian,
    method: RenderingMethod = .fourier, estimate: ImportedEstimate = ImportedEstimate(),
    key: RandomKey = 0, progress: Progress = .none,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    guard !scene.freeSites.isEmpty else {
      throw OptionError(
        "scene", "expected a free parameter, found all held; set a flag in the configuration to 1")
    }
    let model = scene.model(image, loss: loss, method: method)
    let density = try model.logDensity()
    let priors = scene.priors(image)
    let maximum = try density.findMAP(
      starts: [.points(try Self.starts(scene, priors, density))], key: key,
      isCancelled: isCancelled)
    self.scene = scene
    self.image = image
    self.loss = loss
    self.maximum = maximum
    let free = maximum.values.compactMapValues { $0.elements.count == 1 ? $0.item() : nil }
    let values = scene.complete(free)
    self.values = values
    let drawn = density.constrain(maximum.optimum.position, sites: [GalaxySite.model])
    let modelImage = drawn[GalaxySite.model]?.elements ?? []
    self.modelImage = modelImage
    chiSquared = modelImage.indices.reduce(0) { sum, k in
      let r = image.mask[k] ? 0 : (image.science[k] - modelImage[k]) / image.rms[k]
      return sum + r * r
    }
    var findings = scene.findings
    for warning in maximum.warnings {
      findings.append(
        InputFinding(.warning, warning.code.rawValue, subject: "fit", warning.message))
    }
    let freedom = Double(max(1, image.goodCount - scene.freeSites.count))
    if !loss.isRobust,
      let finding = NoiseVerdict.poorFit(
        chiSquared / freedom, freedom: freedom, loss, subject: "fit")
    {
      findings.append(finding)
    }
    self.method = estimate.method
    do {
      let posterior = try estimate.posterior(
        density, from: maximum.interiorPoint, sites: scene.freeSites, key: key,
        progress: progress, isCancelled: isCancelled)
      draws = posterior.draws
      findings += posterior.findings
    } catch {
      draws = nil
      findings.append(
        InputFinding(.warning, "posterior-failed", subject: "fit", "no errors: \(error)"))
    }
    self.findings = findings
  }

  /// Returns the points from which searches start: the first values, then free indices of 1 and of 4.
  private static func starts(
    _ scene: ImportedScene, _ priors: [String: any Distribution], _ density: CompiledDensity
  ) throws -> [[Double]] {
    let first = Dictionary(scene.firstValues.map { ($0.site, $0.value) }) { $1 }
    var base: [String: Double] = [:]
    for site in scene.freeSites { base[site] = inside(first[site] ?? 0, priors[site]) }
    var points = [base]
    let indices = scene.freeSites.filter { $0.hasPrefix("\(GalaxySite.n)_") }
    for n in [1.0, 4] where !indices.isEmpty {
      var point = base
      for site in indices { point[site] = inside(n, priors[site]) }
      points.append(point)
    }
    return try points.map { try density.unconstrain($0) }
  }

  /// Returns a value pulled inside the support of a prior.
  private static func inside(_ value: Double, _ prior: (any Distribution)?) -> Double {
    guard case .interval(let low, let high)? = prior?.support else { return value }
    let (a, b) = (low.item(), high.item())
    let margin = 0.02 * (b - a)
    return min(max(value, a + margin), b - margin)
  }

  /// The number of good pixels less that of free parameters.
  public var degreesOfFreedom: Int { max(1, image.goodCount - scene.freeSites.count) }

  /// The light at the maximum.
  public var light: LightProfile { scene.light { Tensor(values[$0] ?? .nan) } }

  /// Returns the draws of a site; nil where it is held, tied, or where there are none.
  func scalar(_ site: String) -> ScalarDraws? {
    draws?.scalars.first { $0.name == site }
  }
}
