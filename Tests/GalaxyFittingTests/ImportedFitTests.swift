// SPDX-License-Identifier: MIT
//
// Fits of scenes that other programs describe: truth recovered, ties in every draw, results that read back the same.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Tensors
import Testing

@Suite("Fits of imported scenes")
struct ImportedFitTests {
  /// The frame of the configurations.
  static let frame = GalfitFrame(zeroPoint: 25)

  /// Returns a noisy image of a light over a sky of 0.2, 71 × 63 pixels.
  private func image(_ light: LightProfile, sigma: Double, seed: UInt64 = 4) throws -> ObservedImage
  {
    let (width, height) = (71, 63)
    let rms = [Double](repeating: sigma, count: width * height)
    let psf = try PointSpreadFunction.moffat(fwhm: 3, beta: 3)
    let empty = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let key = RandomKey(seed)
    let pixels = try empty.rendered(light).enumerated().map {
      $1 + 0.2 + sigma * key.normal(UInt64($0))
    }
    return try ObservedImage(
      width: width, height: height, science: pixels, noise: .rms(rms), psf: psf, zeroPoint: 25)
  }

  /// Returns a fit of a configuration with constraints.
  private func fit(
    _ configuration: GalfitConfiguration, _ constraints: String, _ image: ObservedImage,
    loss: ImageLoss = .gaussian
  ) throws -> ImportedFit {
    var c = configuration
    c.constraints = try GalfitConstraint.list(constraints, name: "limits.txt")
    return try ImportedFit(ImportedScene(c, Self.frame), image, loss: loss)
  }

  /// Checks that a result reads back the same from every format, with its components.
  private func checkFiles(_ result: FitResult) throws {
    try RecordScene.inFolder { folder in
      for format in RecordScene.formats {
        let path = "\(folder)/fit.\(format)"
        try result.save(to: path)
        let record = try FitRecord(contentsOf: path)
        #expect(record == result.record, "\(format)")
        #expect(record.table == result.table)
        let (own, other) = (try record.components(), try result.components())
        #expect(own.map(\.name) == other.map(\.name) && own.map(\.image) == other.map(\.image))
      }
      #expect(
        result.write(to: try OutputFolder(folder), plots: true).allSatisfy { $0.failure == nil })
      #expect(try FitRecord(contentsOf: folder) == result.record)
    }
  }

  @Test("a scene of two components and a star is fitted, ties and all")
  func scene() throws {
    let truth =
      Sersic(xc: 34.2, yc: 30.7, flux: 300, rEff: 3, n: 2, ellip: 0.2, theta: 0.6)
      + Exponential(xc: 34.2, yc: 30.7, flux: 700, rEff: 9, ellip: 0.5, theta: 0.9)
      + PointSource(xc: 15.3, yc: 50.1, flux: 60)
    let image = try image(truth, sigma: 0.05)
    var c = try GalfitConfiguration(truth, sky: [0], Self.frame)
    // Starts a pixel, half a magnitude and a third of a radius away.
    for k in 0..<3 {
      for (parameter, shift) in [
        (GalfitConfiguration.Parameter.x, 0.8), (.y, -0.7), (.magnitude, 0.5), (.radius, 1),
        (.positionAngle, 12),
      ] { c.components[k].values[parameter]?.value += shift }
    }
    let fit = try fit(c, "1_2 x offset\n1_2 y offset", image)
    #expect(fit.prior.title == "3 components (1 sersic, 1 exp, 1 pointsource)")
    // Bulge and disk trade light as those of a double profile do; the star has no extent.
    #expect(fit.prior.hasTwoRadii)
    let posterior = try fit.estimatePosterior(.laplace, draws: 4000)
    let best = posterior.best
    #expect(best.isConverged && abs(best.reducedChiSquared - 1) < 0.1)
    let expected = [
      "xc_1": 34.2, "yc_1": 30.7, "flux_1": 300, "r_eff_1": 3, "n_1": 2, "ellip_1": 0.2,
      "theta_1": 0.6, "flux_2": 700, "r_eff_2": 9, "ellip_2": 0.5, "theta_2": 0.9, "xc_3": 15.3,
      "yc_3": 50.1, "flux_3": 60, "sky_back": 0.2,
    ]
    #expect(Set(posterior.draws.names) == Set(expected.keys))
    for scalar in posterior.draws.scalars {
      let value = try #require(expected[scalar.name])
      // 4.5 standard deviations, of fixed noise.
      #expect(
        abs(scalar.mean - value) < 4.5 * scalar.standardDeviation,
        "\(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation)")
    }
    #expect(best.values["xc_2"] == best.values["xc_1"] && best["xc_2"].isFinite)
    let updated = c.updated(best.values, Self.frame)
    // Magnitude 25 − 2.5 log10 60.
    #expect(abs((updated.components[2].values[.magnitude]?.value ?? .nan) - 20.5546) < 0.02)
    let result = FitResult(posterior, provenance: FitProvenance(command: "sersic galfit"))
    for word in ["(tied to xc_1)", "sky_back", "per degree of freedom", "magnitude_3"] {
      #expect(result.table.contains(word), "\(word)")
    }
    // What follows from another parameter has its errors, and is none of the free ones.
    let (own, tied) = (result.record.report["xc_1"], result.record.report["xc_2"])
    #expect(tied?.tie == "xc_1" && tied?.standardDeviation == own?.standardDeviation)
    #expect(own?.tie == nil && result.record.report.search.freeCount == 15)
    #expect(result.record.report.covariance?.names.contains("xc_2") == false)
    // Components of one galaxy lie at one place: nothing to warn of.
    #expect(!result.findings.contains { $0.code == "sources-coincide" })
    let disk = try result.source(1)
    #expect(disk.profile == .stock(.exp) && disk["xc"]?.map == own?.map)
    #expect(try result.components().map(\.name) == ["sersic_1", "exp_2", "pointsource_3"])
    try checkFiles(result)
    var held = c
    for k in held.components.indices {
      for parameter in held.components[k].values.keys {
        held.components[k].values[parameter]?.isFree = false
      }
    }
    let frozen = try ImportedScene(held, Self.frame)
    #expect(throws: OptionError.self) { try ImportedFit(frozen, image) }
  }

  @Test(
    "profiles that are no stock ones have results too; ties of fluxes and angles hold in every draw"
  )
  func otherProfiles() throws {
    let truth =
      Moffat(xc: 30.4, yc: 28.3, flux: 400, rEff: 5, beta: 3, ellip: 0.3, theta: 2.9)
      + Gaussian(xc: 48.2, yc: 40.1, flux: 200, rEff: 4, ellip: 0.4, theta: 0.5)
    let image = try image(truth, sigma: 0.03)
    let c = try GalfitConfiguration(truth, sky: [0.2], Self.frame)
    let fit = try fit(c, "1_2 mag offset\n1_2 pa offset", image, loss: .gaussian(free: .fraction))
    let posterior = try fit.estimatePosterior(.laplace, draws: 400, key: 3)
    let result = FitResult(posterior)
    let draws = try #require(result.draws)
    let (flux, other) = (draws.scalar("flux_1").values, draws.scalar("flux_2").values)
    for tie in ["(tied to 0.5 * flux_1)", "(tied to theta_1 - 2.4)"] {
      #expect(result.table.contains(tie), "\(tie)")
    }
    let latex = try result.latexTable()
    for tie in ["(tied to $0.5\\,F_{1}$)", "(tied to $\\theta_{1} - 2.4$)"] {
      #expect(latex.contains(tie), "\(tie): \(latex)")
    }
    // Half of the first: a product, with its rounding.
    #expect(zip(flux, other).allSatisfy { abs($1 / $0 - 0.5) < 1e-12 })
    let (angle, turned) = (draws.scalar("theta_1").values, draws.scalar("theta_2").values)
    for (a, b) in zip(angle, turned) {
      #expect(b >= 0 && b < Double.pi)
      // 0.5 − 2.9 more, on a circle of π.
      #expect(abs(sin(b - a + 2.4)) < 1e-9)
    }
    // What follows from a tied flux follows every draw of it.
    let magnitudes = try result.scalar("magnitude_2").values
    #expect(zip(magnitudes, other).allSatisfy { abs($0 - (25 - 2.5 * log10($1))) < 1e-9 })
    let report = result.record.report
    for (name, value) in [
      ("flux_1", 400), ("r_eff_1", 5), ("beta_1", 3), ("r_eff_2", 4), ("ellip_2", 0.4),
      ("frac_scatter_increase", 0),
    ] {
      let summary = try #require(report[name], "\(name)")
      let (mean, sd) = (try #require(summary.mean), try #require(summary.standardDeviation))
      // 4.5 standard deviations, of fixed noise.
      #expect(abs(mean - value) < 4.5 * sd, "\(name): \(mean) ± \(sd)")
    }
    #expect(report.sources.map(\.profile) == [.moffat, .gaussian])
    #expect(report.sources.map { $0.site("xc") } == ["xc_1", "xc_2"])
    // The mean surface brightness within r_eff needs no profile: flux / (2π r² q).
    let mean = try result.scalar("sb_mean_2").values
    let (radius, ellip) = (draws.scalar("r_eff_2").values, draws.scalar("ellip_2").values)
    for k in mean.indices {
      let area = 2 * Double.pi * radius[k] * radius[k] * (1 - ellip[k])
      #expect(abs(mean[k] * area / other[k] - 1) < 1e-12)
    }
    #expect(try result.predictiveCheck(draws: 200).draws == 200)
    try checkFiles(result)
  }

  @Test("bounds that cut the posterior off, and draws near one, are warned of as in other fits")
  func bounds() throws {
    let truth = Sersic(xc: 34.2, yc: 30.7, flux: 500, rEff: 5, n: 2, ellip: 0.01, theta: 0.6)
    let image = try image(truth.lightProfile, sigma: 0.1)
    let c = try GalfitConfiguration(truth.lightProfile, sky: [0.2], Self.frame)
    let narrow = FitResult(try fit(c, "1 n 0.5 to 1.3", image).estimatePosterior(.laplace))
    #expect(narrow.findings(.atBound).map(\.subject) == ["n_1"])
    #expect(narrow.findings(.priorEdge).map(\.subject) == ["n_1"])
    // Flat by two errors or so, and this noise makes it rounder: a normal distribution does not follow it, weighted draws do.
    let flat = Sersic(xc: 34.2, yc: 30.7, flux: 500, rEff: 5, n: 2, ellip: 0.07, theta: 1.8)
    let nearlyRound = try fit(c, "", try self.image(flat.lightProfile, sigma: 0.3))
    let round = FitResult(try nearlyRound.estimatePosterior(.sviMVN))
    #expect(round.findings(.priorEdge).isEmpty)
    #expect(round.findings(.nearBound).contains { $0.subject == "ellip_1" }, "\(round.table)")
    let weighted = try nearlyRound.estimatePosterior(.laplace)
    #expect(weighted.weighting?.isReliable == true)
    #expect(FitResult(weighted).findings(.nearBound).isEmpty)
  }

  @Test("a range may be open, and begin beyond the first value; a star needs a PSF")
  func openRanges() throws {
    let truth = Sersic(xc: 34.2, yc: 30.7, flux: 500, rEff: 5, n: 2, ellip: 0.3, theta: 0.6)
    let image = try image(truth.lightProfile, sigma: 0.05)
    var c = try GalfitConfiguration(truth.lightProfile, sky: [0.2], Self.frame)
    c.components[0].values[.radius]?.value = 4
    for constraint in [
      "1 re 0 to inf", "1 re -inf to 20", "1 re 4.5 to inf", "1 x -inf to inf", "1 mag -inf to inf",
      "1 re -1 to 9",
    ] {
      let best = try fit(c, constraint, image).findMAP()
      // Several errors of some 0.03, of fixed noise.
      #expect(abs((best.values["r_eff_1"] ?? .nan) - 5) < 0.2, "\(constraint)")
    }
    let star = try GalfitConfiguration(
      PointSource(xc: 30, yc: 30, flux: 60).lightProfile, Self.frame)
    let bare = try ObservedImage(
      width: 71, height: 63, science: [Double](repeating: 0, count: 4473),
      rms: [Double](repeating: 1, count: 4473))
    let error = #expect(throws: OptionError.self) {
      try ImportedFit(ImportedScene(star, Self.frame), bare)
    }
    #expect(error?.subject == "component 1, pointsource")
  }

  @Test("a range far from the first value holds, and its prior has mass there")
  func farRanges() throws {
    let truth = Sersic(xc: 34.2, yc: 30.7, flux: 500, rEff: 5, n: 2, ellip: 0.3, theta: 0.6)
    let image = try image(truth.lightProfile, sigma: 0.05)
    let c = try GalfitConfiguration(truth.lightProfile, sky: [0.2], Self.frame)
    // Columns of the file count from 1. The light lies outside each range: the maximum is at the end nearest to it.
    for (constraint, site, range) in [
      ("1 x 61 to 65", "xc_1", 60.0...64.0), ("1 re 100000 to 200000", "r_eff_1", 1e5...2e5),
    ] {
      let fit = try fit(c, constraint, image)
      let prior = try #require(fit.prior[site])
      let draws = prior.sample(key: 1, sampleShape: [200]).elements
      #expect(draws.allSatisfy { range.contains($0) } && Set(draws).count > 100, "\(constraint)")
      let value = try #require(try fit.findMAP().values[site])
      #expect(range.contains(value), "\(constraint): \(value)")
    }
  }

  @Test("a start may be given, and every optimiser finds the same maximum")
  func starts() throws {
    let truth = Sersic(xc: 34.2, yc: 30.7, flux: 500, rEff: 5, n: 2, ellip: 0.3, theta: 0.6)
    let image = try image(truth.lightProfile, sigma: 0.05)
    let c = try GalfitConfiguration(truth.lightProfile, sky: [0.2], Self.frame)
    let fit = try fit(c, "", image)
    let best = try fit.findMAP(start: ["n_1": 3, "r_eff_1": 7])
    for optimizer in MAPOptimizer.allCases {
      // Searches stop where a step would gain less than 1e-5 or so.
      #expect(abs(try fit.findMAP(optimizer: optimizer).logPosterior - best.logPosterior) < 1e-3)
    }
    #expect(throws: GalaxyModelError.self) { try fit.findMAP(start: ["n_2": 3]) }
  }
}
