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
public struct FitSingle: Sendable {
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
    let source = prior.profile.model(prior)
    let sky = skyModel(prior)
    let noise = prior.noise
    let model = Model<LightProfile> { m in
      let light = m.call(source)
      m.observe(
        image, light, sky: m.call(sky), loss: loss, lossPriors: noise, method: method)
      return light
    }
    // A fixed parameter is an intervention: it has no density and is no site of the posterior.
    self.model = model.intervened(on: prior.fixed)
    density = try self.model.logDensity()
  }

  /// Whether the pixels are integrated over, or the PSF brings the pixel response.
  public var pixelResponse: PixelResponse { image.pixelResponse }

  /// Returns the model image at given parameters, row-major.
  ///
  /// - Parameter parameters: A value for each free parameter.
  /// - Returns: The pixels, `width · height` of them, in image units.
  /// - Throws: `ModelError` if a parameter is missing, unknown, or outside its support.
  public func modelImage(_ parameters: [String: Double]) throws -> [Double] {
    let q = try density.unconstrain(parameters)
    return density.constrain(q, sites: [GalaxySite.model])[GalaxySite.model]?.elements ?? []
  }

  // MARK: - Starting points

  /// Returns the points from which a search for the maximum starts, best guess first.
  func starts(_ given: [String: Double]) throws -> [[Double]] {
    let unknown = given.keys.filter { density.layout[$0] == nil }.sorted()
    guard unknown.isEmpty else {
      throw GalaxyModelError(
        .unknownParameters(unknown, known: density.layout.names, model: prior.name))
    }
    var base: [String: Double] = [:]
    for site in prior.freeSites {
      let guess = given[site] ?? prior.guesses[site]
      base[site] = inside(site, guess ?? prior[site]?.median?.item())
    }
    var points = [base]
    /// Adds a variant of the first guess, unless the user has set that parameter.
    func vary(_ site: String, _ value: (Double) -> Double) {
      guard given[site] == nil, let old = base[site] else { return }
      var point = base
      point[site] = inside(site, value(old))
      points.append(point)
    }
    if prior.profile.hasTwoRadii {
      points += componentStarts(base, given)
      // Without order the names of two Sérsic profiles can be exchanged: that is a maximum of its own.
      if prior.profile == .doublesersic, !prior.isOrdered, given.isEmpty {
        points.append(exchanged(points[1]))
      }
    } else {
      vary(GalaxySite.n) { _ in 1 }
      vary(GalaxySite.n) { _ in 4 }
      vary(GalaxySite.nu) { _ in 0.7 }
      vary(GalaxySite.nu) { _ in -0.6 }
      // A nucleus can hide in a cusp, and a cusp in a nucleus.
      vary(GalaxySite.fPs) { _ in 0.4 }
    }
    // A guess of the angle from moments can be off by a quarter turn where a neighbour is bright.
    vary(GalaxySite.theta) { $0 + Double.pi / 2 }
    if prior.profile.hasTwoRadii { points = points.map { ordered($0, given) } }
    return try points.map { try density.unconstrain($0) }
  }

  /// Returns starting points that divide the light between two components in different ways.
  private func componentStarts(
    _ base: [String: Double], _ given: [String: Double]
  ) -> [[String: Double]] {
    // Share, radii over the guess of the whole, index of the first component: a compact cusp, a halo around a disk, an
    // extended cusp, and two disks.
    let divisions: [(f1: Double, r1: Double, r2: Double, n1: Double, n2: Double)] = [
      (0.2, 0.25, 1.2, 3, 1), (0.7, 0.8, 2.5, 1, 1), (0.6, 0.6, 1.6, 4, 1), (0.5, 0.6, 1.5, 1, 2.5),
    ]
    let whole = (prior.guesses[GalaxySite.rEff1] ?? 1) * 1.5
    return divisions.map { division in
      var point = base
      for (site, value) in [
        (GalaxySite.f1, division.f1), (GalaxySite.rEff1, division.r1 * whole),
        (GalaxySite.rEff2, division.r2 * whole), (GalaxySite.n1, division.n1),
        (GalaxySite.n2, division.n2), (GalaxySite.n, division.n1),
      ] where given[site] == nil && base[site] != nil {
        point[site] = inside(site, value)
      }
      return point
    }
  }

  /// Returns a point with the two components of a double profile in each other's place.
  private func exchanged(_ point: [String: Double]) -> [String: Double] {
    var result = point
    for (a, b) in [
      (GalaxySite.rEff1, GalaxySite.rEff2), (GalaxySite.n1, GalaxySite.n2),
      (GalaxySite.ellip1, GalaxySite.ellip2),
    ] {
      if result[a] != nil { result[a] = inside(a, point[b] ?? prior.fixed[b]) }
      if result[b] != nil { result[b] = inside(b, point[a] ?? prior.fixed[a]) }
    }
    if let share = point[GalaxySite.f1] { result[GalaxySite.f1] = inside(GalaxySite.f1, 1 - share) }
    return result
  }

  /// Returns a point whose second radius lies above the first where that is asked for.
  private func ordered(
    _ point: [String: Double], _ given: [String: Double]
  ) -> [String: Double] {
    let first = point[GalaxySite.rEff1] ?? prior.fixed[GalaxySite.rEff1]
    guard prior.isOrdered, let first, let second = point[GalaxySite.rEff2], second < 1.05 * first
    else { return point }
    var result = point
    if given[GalaxySite.rEff2] == nil {
      result[GalaxySite.rEff2] = inside(GalaxySite.rEff2, 1.5 * first)
    } else if given[GalaxySite.rEff1] == nil, prior.fixed[GalaxySite.rEff1] == nil {
      result[GalaxySite.rEff1] = inside(GalaxySite.rEff1, second / 1.5)
    }
    return result
  }

  /// Returns a value pulled well inside the support of a site.
  private func inside(_ site: String, _ guess: Double?) -> Double {
    guard let distribution = prior[site] else { return guess ?? 0 }
    let support = distribution.support
    let feasible = support.feasibleValue(shape: []).item()
    let value = guess ?? feasible
    switch support {
    case .interval(let low, let high):
      let (low, high) = (low.item(), high.item())
      let margin = 0.02 * (high - low)
      return min(max(value, low + margin), high - margin)
    case .unitInterval: return min(max(value, 0.02), 0.98)
    case .positive: return max(value, 1e-6)
    case .greaterThan(let low):
      return max(value, low.item() + 1e-3 * max(1, abs(low.item())))
    case .lessThan(let high):
      return min(value, high.item() - 1e-3 * max(1, abs(high.item())))
    default: return value
    }
  }
}
