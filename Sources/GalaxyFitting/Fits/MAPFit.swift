// SPDX-License-Identifier: MIT
//
// The result of a search for the maximum: parameters, model image, goodness of fit, verdict.

import Numerics
import Distributions
public import GalaxyModels
public import Inference
import Rendering
import Tensors

/// The maximum of the posterior of a fit, with what it says about the data.
public struct MAPFit: Sendable {
  /// The fit.
  public let fit: any GalaxyFit

  /// The best point and why the search stopped there.
  public let optimum: Optimum

  /// The parameters in the order of the model, fixed ones included; theta in [0, π).
  public let parameters: [(name: String, value: Double)]

  /// The log posterior density at the maximum, up to the evidence: log prior + log likelihood.
  public let logPosterior: Double

  /// The model image of each exposure: one, or one of each band; row-major, in image units.
  public let modelImages: [[Double]]

  /// Σ ((data − model) / rms)² over the good pixels, of all bands together.
  public let chiSquared: Double

  /// The number of good pixels, of all bands together.
  public let pixelCount: Int

  /// The number of evaluations of the density, all starts together.
  public let evaluations: Int

  /// The time of the search, in seconds.
  public let seconds: Double

  /// The distinct maxima that the searches found, highest first; empty where none converged.
  public let modes: [Mode]

  /// What makes the result doubtful.
  public let findings: [InputFinding]

  /// Takes the result from the searches.
  init(
    _ fit: any GalaxyFit, _ best: Optimum, modes found: [SearchResult.Mode], evaluations: Int,
    seconds: Double
  ) {
    self.fit = fit
    modes = MAPFit.modes(fit, found)
    optimum = best
    self.evaluations = evaluations
    self.seconds = seconds
    let exposures = fit.exposures
    let (fixed, ties) = (fit.prior.fixed, fit.ties)
    let values = fit.density.constrain(
      best.position, sites: fit.prior.freeSites + exposures.map { $0.site(GalaxySite.model) })
    var known = values.compactMapValues { $0.shape.isEmpty ? $0.item() : nil }
    for site in fit.sites {
      let isAngle = fit.prior.parameter(site) == GalaxySite.theta
      if let value = fixed[site] {
        known[site] = isAngle ? value - Double.pi * (value / Double.pi).rounded(.down) : value
      }
      // What follows from others comes after them.
      guard let tie = ties[site], let reference = known[tie.reference] else { continue }
      known[site] = tie.value(of: reference, period: isAngle ? Double.pi : nil)
    }
    parameters = fit.sites.map { ($0, known[$0] ?? .nan) }
    let images = exposures.map { values[$0.site(GalaxySite.model)]?.elements ?? [] }
    modelImages = images
    logPosterior = best.value
    chiSquared = zip(exposures, images).reduce(0) { $0 + $1.0.chiSquared(of: $1.1) }
    pixelCount = exposures.reduce(0) { $0 + $1.image.goodCount }
    let named = Dictionary(parameters.map { ($0.name, $0.value) }) { $1 }
    // What the frame lacks is judged for one image; of several bands each by itself is.
    let light = zip(images[0], MAPFit.skyImage(fit.image, named)).map { $0 - $1 }
    findings =
      MAPFit.findings(fit, best, modes, parameters)
      + zip(exposures, images).flatMap { exposure, image in
        NoiseVerdict(fit, exposure, named, model: image).findings
      } + (exposures.count == 1 ? FrameVerdict(fit, named, light: light).findings : [])
  }

  /// The model image, row-major, in image units; of several bands that of the first.
  public var modelImage: [Double] { modelImages.first ?? [] }

  /// The parameters by name.
  public var values: [String: Double] { Dictionary(parameters.map { ($0.name, $0.value) }) { $1 } }

  /// The value of a parameter.
  ///
  /// - Precondition: The model has it.
  public subscript(name: String) -> Double {
    guard let value = values[name] else {
      stop("fit: expected one of \(parameters.map(\.name)), got \"\(name)\"")
    }
    return value
  }

  /// Whether the search converged.
  public var isConverged: Bool { optimum.isConverged }

  /// χ² per degree of freedom: good pixels less free parameters.
  public var reducedChiSquared: Double {
    chiSquared / Double(max(1, pixelCount - fit.prior.freeSites.count))
  }

  /// The residual image: data − model, in image units.
  public var residualImage: [Double] { zip(fit.image.science, modelImage).map { $0 - $1 } }

  /// The image of the sky alone, in image units.
  public var skyImage: [Double] { MAPFit.skyImage(fit.image, values) }

  /// Returns the image of the sky with given parameters, row-major, in image units.
  static func skyImage(_ image: ObservedImage, _ values: [String: Double]) -> [Double] {
    let back = values[GalaxySite.skyBack] ?? 0
    let (sx, sy) = (values[GalaxySite.skyXSl] ?? 0, values[GalaxySite.skyYSl] ?? 0)
    let (width, center) = (image.width, image.center)
    return (0..<(width * image.height)).map { k in
      back + sx * (Double(k % width) - center.x) + sy * (Double(k / width) - center.y)
    }
  }

  /// The share of the flux of all sources that falls inside the frame.
  public var fluxFractionInside: Double {
    let values = values
    let total = fit.sources.reduce(0) { $0 + (values[$1.site(GalaxySite.flux)] ?? .nan) }
    return zip(modelImage, skyImage).reduce(0) { $0 + $1.0 - $1.1 } / total
  }

  // MARK: - Verdict

  /// Returns what makes the result doubtful.
  private static func findings(
    _ fit: any GalaxyFit, _ best: Optimum, _ modes: [Mode],
    _ parameters: [(name: String, value: Double)]
  ) -> [InputFinding] {
    var list: [InputFinding] = []
    if !best.isConverged {
      list.append(InputFinding(.warning, "not-converged", subject: "fit", best.explanation))
    }
    let pixels = fit.exposures.reduce(0) { $0 + $1.image.goodCount }
    if pixels <= fit.prior.freeSites.count {
      list.append(
        InputFinding(
          .warning, "few-pixels", subject: fit.image.names.science,
          "expected more unmasked pixels than free parameters, found \(pixels) for \(fit.prior.freeSites.count): the priors decide; use a larger image, or fix parameters"
        ))
    }
    for (name, value) in parameters where fit.prior.fixed[name] == nil {
      guard let bound = bound(fit, name, value) else { continue }
      if GalaxySite.quantity(of: fit.prior.parameter(name)) == GalaxySite.ellip && bound == 0 {
        list.append(
          InputFinding(
            .note, "round", subject: name,
            "\(name) = 0: the best galaxy, or this component of it, is round, and its angle has no meaning"
          ))
        continue
      }
      // A share of outliers of zero is an end of what there is, not of the prior; `NoiseVerdict` says so.
      if fit.prior.parameter(name) == GalaxySite.outlierFracBase && bound == 0 { continue }
      list.append(
        InputFinding(
          .warning, "at-bound", subject: name,
          "\(name) = \(shortened(value)) lies at the bound \(shortened(bound)) of its prior; widen the prior, or use a model that fits better"
        ))
    }
    let values = Dictionary(parameters.map { ($0.name, $0.value) }) { $1 }
    for source in fit.sources { list += roundness(fit, source, values) }
    for source in fit.prior.sources { list += coincidence(fit, source, values) }
    return list + rivalry(fit, modes)
  }

  /// Returns a warning where a source is so round that its angle has no meaning.
  private static func roundness(
    _ fit: any GalaxyFit, _ source: FitReport.Source, _ values: [String: Double]
  ) -> [InputFinding] {
    let theta = source.site(GalaxySite.theta)
    let ellips = source.profile.sites.filter { GalaxySite.quantity(of: $0) == GalaxySite.ellip }
      .compactMap { site in values[source.site(site)].map { (name: source.site(site), value: $0) } }
    guard fit.prior.freeSites.contains(theta), !ellips.isEmpty,
      ellips.allSatisfy({ $0.value < roundEllip })
    else { return [] }
    return [
      InputFinding(
        .warning, "angle-undetermined", subject: theta,
        "the galaxy is round (\(ellips.map { "\($0.name) = \(shortened($0.value))" }.joined(separator: ", "))): \(theta) is not determined; do not quote it"
      )
    ]
  }

  /// Returns a warning where two components that are ordered have become one.
  private static func coincidence(
    _ fit: any GalaxyFit, _ source: SourcePrior, _ values: [String: Double]
  ) -> [InputFinding] {
    let sites = (source.site(GalaxySite.rEff1), source.site(GalaxySite.rEff2))
    guard source.prior.isOrdered, fit.prior.freeSites.contains(sites.1),
      let first = values[sites.0], let second = values[sites.1], second < 1.001 * first
    else { return [] }
    return [
      InputFinding(
        .warning, "components-coincide", subject: sites.1,
        "both components have the radius \(rounded(first)): the order \(sites.0) < \(sites.1) holds them; use one component, or set isOrdered to false"
      )
    ]
  }

  /// The ellipticity below which a maximum has no angle: the image changes by less than 1e-3 of itself as it turns.
  private static let roundEllip = 1e-3

  /// Returns a number with two decimals as text.
  private static func rounded(_ x: Double) -> String { "\((x * 100).rounded() / 100)" }

  /// Returns the bound of its prior that a value lies at; nil where it lies inside.
  private static func bound(_ fit: any GalaxyFit, _ name: String, _ value: Double) -> Double? {
    guard let support = fit.prior[name]?.support else { return nil }
    switch support {
    case .greaterThan(let bound), .lessThan(let bound):
      return support.bound(at: value, scale: max(1, abs(bound.item())))
    default: return support.bound(at: value)
    }
  }
}
