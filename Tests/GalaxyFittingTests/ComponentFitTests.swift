// SPDX-License-Identifier: MIT
//
// Stock profiles of several components, and Spergel's: recovered where they were simulated, ordered, and taken apart.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import PPL
import Rendering
import Tensors
import Testing

@Suite("Fits of several components")
struct ComponentFitTests {
  /// A source that is simulated and fitted.
  struct Source: Sendable, CustomTestStringConvertible {
    let profile: GalaxyProfile
    let parameters: [String: Double]
    /// The profile and what sets the source apart.
    var testDescription: String {
      let own = parameters.filter { !["xc", "yc", "theta", "flux"].contains($0.key) }
      return "\(profile.rawValue) "
        + own.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
  }

  /// Returns a source in the middle of the frame.
  static func source(_ profile: GalaxyProfile, _ shape: [String: Double]) -> Source {
    let place = ["xc": 45.4, "yc": 40.3, "flux": 1000, "theta": 0.9]
    return Source(profile: profile, parameters: place.merging(shape) { $1 })
  }

  /// The sources: shares, sizes and indices over the range in which both components can be seen.
  static let sources: [Source] = [
    source(
      .doublesersic,
      [
        "f_1": 0.35, "r_eff_1": 2.5, "n_1": 3, "ellip_1": 0.15, "r_eff_2": 9, "n_2": 1,
        "ellip_2": 0.5,
      ]),
    source(
      .doublesersic,
      [
        "f_1": 0.6, "r_eff_1": 3.5, "n_1": 1, "ellip_1": 0.6, "r_eff_2": 12, "n_2": 2,
        "ellip_2": 0.1,
      ]),
    source(
      .doublesersic,
      [
        "f_1": 0.2, "r_eff_1": 1.5, "n_1": 1.5, "ellip_1": 0.3, "r_eff_2": 7, "n_2": 0.7,
        "ellip_2": 0.4,
      ]),
    source(
      .sersicExp,
      ["f_1": 0.4, "r_eff_1": 2.2, "n": 2.8, "ellip_1": 0.1, "r_eff_2": 8, "ellip_2": 0.6]),
    source(
      .sersicExp,
      ["f_1": 0.7, "r_eff_1": 4, "n": 1.7, "ellip_1": 0.3, "r_eff_2": 11, "ellip_2": 0.2]),
    source(.sersicPointsource, ["f_ps": 0.15, "r_eff": 6, "n": 1.4, "ellip": 0.4]),
    source(.sersicPointsource, ["f_ps": 0.5, "r_eff": 4, "n": 2.5, "ellip": 0.2]),
    source(.spergel, ["r_eff": 5, "nu": 0.5, "ellip": 0.4]),
    source(.spergel, ["r_eff": 4, "nu": -0.5, "ellip": 0.2]),
    source(.spergel, ["r_eff": 7, "nu": 2.2, "ellip": 0.6]),
  ]

  /// Returns the noisy image of a source.
  static func image(_ source: Source, sigma: Double, seed: UInt64) throws -> ObservedImage {
    let (width, height) = (91, 83)
    let simulation = try ImageSimulation(
      source.profile, parameters: source.parameters, sky: SkyLevel("flat:0.02"), width: width,
      height: height, psf: .moffat(fwhm: 3, beta: 3))
    let key = RandomKey(seed).folding(in: source.testDescription)
    let noisy = try simulation.model().enumerated().map {
      $0.element + sigma * key.normal(UInt64($0.offset))
    }
    return try ObservedImage(
      width: width, height: height, science: noisy,
      rms: [Double](repeating: sigma, count: width * height), psf: .moffat(fwhm: 3, beta: 3))
  }

  @Test(
    "every component is recovered within its errors, over a spread of sources", arguments: sources)
  func recovery(source: Source) throws {
    let image = try Self.image(source, sigma: 0.02, seed: 5)
    let fit = try FitSingle(image, prior: autoprior(image, source.profile, sky: .flat))
    let best = try fit.findMAP()
    #expect(best.isConverged, "\(best.optimum.explanation)")
    // Nothing the search can have missed is higher than the truth.
    let evaluator = fit.density.makeJointEvaluator()
    let truth = try fit.density.unconstrain(
      source.parameters.merging(["sky_back": 0.02]) { $1 }.mapValues { $0 as any TensorConvertible }
    )
    #expect(best.logPosterior >= evaluator.value(at: truth))
    let posterior = try fit.estimatePosterior(.laplace, from: best)
    for scalar in posterior.draws.scalars {
      let expected = scalar.name == "sky_back" ? 0.02 : source.parameters[scalar.name]
      let value = try #require(expected)
      let distance =
        scalar.name == "theta"
        ? FitSingleTests.distance(scalar.mean, value) : abs(scalar.mean - value)
      // 4.5 standard deviations: by chance 7e-6 for each of a hundred comparisons of fixed noise.
      #expect(
        distance < 4.5 * scalar.standardDeviation,
        "\(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation), \(value)")
    }
  }

  @Test("the first of two components is the smaller one, by default and where it is asked for")
  func order() throws {
    // Components the other way round: a small disk in a large, round spheroid.
    let source = Self.sources[1]
    let image = try Self.image(source, sigma: 0.02, seed: 3)
    let fit = try FitSingle(image, prior: autoprior(image, .doublesersic, sky: .flat))
    let posterior = try fit.estimatePosterior(.laplace, draws: 2000)
    #expect(posterior.best["r_eff_1"] < posterior.best["r_eff_2"])
    let first = posterior.draws["r_eff_1"].elements
    let second = posterior.draws["r_eff_2"].elements
    #expect(zip(first, second).allSatisfy { $0 < $1 })
    #expect("\(fit.prior)".contains("above r_eff_1"))
    // A start with the radii in the wrong order is put right, unless both are given.
    let started = try fit.findMAP(start: ["r_eff_1": 20])
    #expect(abs(started.logPosterior - posterior.best.logPosterior) < 1e-6)
    #expect(throws: (any Error).self) { try fit.findMAP(start: ["r_eff_1": 20, "r_eff_2": 5]) }
    // Without order both namings are as good; pysersic's priors have none.
    var free = fit.prior
    free.isOrdered = false
    let swapped = try FitSingle(image, prior: free).density
    let values = Dictionary(posterior.best.parameters.map { ($0.name, $0.value) }) { $1 }
    var exchanged = values
    for name in ["r_eff", "n", "ellip"] {
      exchanged[name + "_1"] = values[name + "_2"]
      exchanged[name + "_2"] = values[name + "_1"]
    }
    exchanged["f_1"] = values["f_1"].map { 1 - $0 }
    _ = try swapped.unconstrain(exchanged.mapValues { $0 as any TensorConvertible })
    #expect(throws: (any Error).self) {
      try fit.density.unconstrain(exchanged.mapValues { $0 as any TensorConvertible })
    }
    #expect(!SourceProperties(image, style: .pysersic).prior(.doublesersic).isOrdered)
  }

  @Test("components that can change places are two modes, and both are told of")
  func modes() throws {
    let image = try Self.image(Self.sources[0], sigma: 0.02, seed: 3)
    var prior = autoprior(image, .doublesersic, sky: .flat)
    let ordered = try FitSingle(image, prior: prior).findMAP()
    #expect(!ordered.findings.contains { $0.code == "several-modes" })
    // Without order, and with one prior for both radii, the names can be exchanged.
    prior.isOrdered = false
    prior["r_eff_1"] = LogNormal(1.5, 1)
    prior["r_eff_2"] = LogNormal(1.5, 1)
    let best = try FitSingle(image, prior: prior).findMAP()
    try #require(best.modes.count > 1, "both namings are among the starts")
    let (a, b) = (best.modes[0], best.modes[1])
    // The same light: only where the searches stopped differs.
    #expect(abs(a.logPosterior - b.logPosterior) < 1e-3)
    for (site, other) in [("r_eff_1", "r_eff_2"), ("n_1", "n_2"), ("ellip_1", "ellip_2")] {
      let (x, y) = (try #require(a.values[site]), try #require(b.values[other]))
      #expect(abs(x / y - 1) < 1e-2, "\(site)")
    }
    let finding = try #require(best.findings.first { $0.code == "several-modes" })
    #expect(finding.message.contains("r_eff_1 = ") && finding.message.contains("in place of"))
  }

  @Test(
    "chains of a double profile agree, whatever the seed",
    .enabled(if: ProcessInfo.processInfo.environment["SERSIC_LONG_TESTS"] != nil),
    arguments: [1, 2, 3, 4, 5] as [UInt64])
  func sampling(seed: UInt64) throws {
    let image = try Self.image(Self.sources[0], sigma: 0.02, seed: 11)
    let fit = try FitSingle(image, prior: autoprior(image, .doublesersic, sky: .flat))
    let posterior = try fit.sample(key: RandomKey(seed))
    for scalar in posterior.draws.scalars {
      // The bound of the specification, for 2 × 1000 draws.
      #expect(scalar.rHat < 1.01, "\(scalar.name): R-hat \(scalar.rHat)")
    }
    let sampler = try #require(posterior.sampler)
    // One in a thousand of the steps, of which there are two for each draw.
    #expect(sampler.divergences * 1000 <= sampler.thinning * 2000)
  }

  @Test("a fixed radius orders nothing, and a prior that cannot be cut is refused")
  func orderOfFixed() throws {
    let image = try Self.image(Self.sources[0], sigma: 0.02, seed: 3)
    var prior = autoprior(image, .doublesersic, sky: .flat)
    prior.fix("r_eff_2", at: 3)
    let fit = try FitSingle(image, prior: prior)
    #expect(try fit.findMAP()["r_eff_2"] == 3)
    prior.release("r_eff_2")
    prior["r_eff_2"] = WrappedNormal(3, 1, period: .pi)
    do {
      try prior.validate()
      Issue.record("a prior without quantiles passed")
    } catch {
      guard case .noOrder("r_eff_2", _) = error.kind else {
        Issue.record("expected .noOrder, found \(error)")
        return
      }
    }
    prior.isOrdered = false
    try prior.validate()
  }

  @Test("components have images and fluxes that add up to the model's")
  func components() throws {
    for index in [0, 3, 5, 7] {
      let source = Self.sources[index]
      let image = try Self.image(source, sigma: 0.05, seed: 2)
      let fit = try FitSingle(image, prior: autoprior(image, source.profile, sky: .flat))
      let posterior = try fit.estimatePosterior(.laplace, draws: 500)
      let best = posterior.best
      let parts = try best.components()
      #expect(parts.map(\.name) == source.profile.componentNames)
      #expect(abs(parts.reduce(0) { $0 + $1.flux } / best["flux"] - 1) < 1e-12)
      let sky = best.skyImage
      let peak = best.modelImage.max() ?? 0
      for (i, value) in best.modelImage.enumerated() {
        let sum = parts.reduce(sky[i]) { $0 + $1.image[i] }
        // Alone a component may be drawn on another grid: 1e-6 of the peak.
        #expect(abs(sum - value) < 5e-6 * peak)
      }
      let result = FitResult(posterior)
      #expect(
        result.derived.map(\.name) == source.profile.fluxNames, "\(source.profile.rawValue)")
      for (summary, part) in zip(result.derived, parts) {
        #expect(abs(summary.map - part.flux) < 1e-9 * best["flux"])
        #expect(summary.standardDeviation.map { $0 > 0 } == true)
      }
    }
  }

  @Test("pysersic's priors of several components are its own")
  func pysersicPriors() throws {
    let image = try Self.image(Self.sources[0], sigma: 0.02, seed: 3)
    let properties = SourceProperties(image, style: .pysersic).setting(rEff: 4.5)
    let double = properties.prior(.doublesersic).texts
    #expect(double["r_eff_1"] == "\(TruncatedNormal(3.0, 3.0.squareRoot(), low: 0.5))")
    #expect(double["r_eff_2"] == "\(TruncatedNormal(6.75, 6.75.squareRoot(), low: 0.5))")
    #expect(double["n_1"] == "\(TruncatedNormal(4, 1, low: 0.65, high: 8))")
    #expect(double["n_2"] == "\(TruncatedNormal(1, 1, low: 0.65, high: 8))")
    #expect(double["f_1"] == "\(Uniform(0, 1))")
    #expect(double["ellip_1"] == "\(Uniform(0, 0.9))")
    #expect(
      properties.prior(.sersicExp).texts["n"] == "\(TruncatedNormal(4, 1, low: 0.65, high: 8))")
    #expect(properties.prior(.sersicPointsource).texts["n"] == "\(Uniform(0.65, 8))")
    #expect(properties.prior(.sersicPointsource).texts["f_ps"] == "\(Uniform(0, 1))")
    #expect(properties.prior(.spergel).texts["nu"] == "\(SpergelIndexPrior())")
  }

  @Test("the prior of Spergel's index is uniform in 1/(1 + nu)")
  func spergelPrior() throws {
    let prior = SpergelIndexPrior()
    let draws = prior.sample(key: 4, sampleShape: [4000]).elements
    #expect(draws.allSatisfy { $0 > -0.9 && $0 < 4 })
    let stars = draws.map { 1 / (1 + $0) }
    // The mean of 4000 uniform numbers in 0.2...10: ± 0.045; five standard deviations.
    #expect(abs(stars.reduce(0, +) / 4000 - 5.1) < 0.23)
    // The density integrates to the cumulative distribution, by Simpson's rule.
    let steps = 2000
    var sum = 0.0
    for i in 0...steps {
      let x = -0.9 + 1.4 * Double(i) / Double(steps)
      let weight = i == 0 || i == steps ? 1.0 : i % 2 == 1 ? 4 : 2
      let place = Tensor(min(max(x, -0.9 + 1e-12), 4))
      sum += weight * exp(prior.logProbability(of: place)).item()
    }
    sum *= 1.4 / Double(steps) / 3
    #expect(abs(sum - (prior.cumulative(Tensor(0.5))?.item() ?? .nan)) < 1e-4)
    let median = try #require(prior.median).item()
    #expect(abs(1 / (1 + median) - 5.1) < 1e-12)
    #expect(prior.logProbability(of: Tensor(-0.95)).item() == -.infinity)
  }

  @Test("a light of a stock profile needs a value for each of its parameters")
  func light() throws {
    for profile in GalaxyProfile.allCases {
      var values = Dictionary(uniqueKeysWithValues: profile.sites.map { ($0, 1.5) })
      values["ellip"] = 0.3
      let light = try profile.light(values)
      #expect(light.components.count == profile.componentNames.count)
      values["flux"] = nil
      #expect(throws: GalaxyModelError.self) { try profile.light(values) }
    }
  }
}
