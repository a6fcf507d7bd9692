// SPDX-License-Identifier: MIT
//
// Links of parameters over wavelengths: recovered, with priors that hold, inside their support, at further wavelengths.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Tensors
import Testing

@Suite("Links over wavelengths")
struct WavelengthLinkTests {
  /// A link with the true radius at a wavelength that it can follow exactly.
  struct Case: CustomTestStringConvertible, Sendable {
    let link: WavelengthLink
    let sites: [String]
    let radius: @Sendable (Double) -> Double
    var testDescription: String { "\(link)" }
  }

  /// Radii over the wavelengths 400, 500, 700, 800; those of links on the logarithm.
  static let cases = [
    Case(link: .constant, sites: ["r_eff"]) { _ in 5 },
    Case(link: .free, sites: ["r_eff_g", "r_eff_r", "r_eff_i", "r_eff_z"]) {
      $0 == 500 ? 6 : 4
    },
    Case(link: .polynomial(degree: 1), sites: ["r_eff_poly_0", "r_eff_poly_1"]) {
      6 * pow(4.0 / 6, ($0 - 400) / 400)
    },
    Case(
      link: .polynomial(degree: 2), sites: ["r_eff_poly_0", "r_eff_poly_1", "r_eff_poly_2"]
    ) {
      let x = ($0 - 600) / 200
      return exp(log(5) - 0.1 * x - 0.15 * x * x)
    },
    Case(
      link: .bSpline(coefficients: 3, degree: 2),
      sites: ["bspl_w_r_eff_0", "bspl_w_r_eff_1", "bspl_w_r_eff_2"]
    ) {
      // Three coefficients of degree 2 are the polynomials of Bernstein.
      let t = ($0 - 400) / 400
      return exp(log(6) * (1 - t) * (1 - t) + 2 * log(3.5) * t * (1 - t) + log(5) * t * t)
    },
    Case(
      link: .bSpline(coefficients: 3, degree: 1),
      sites: ["bspl_w_r_eff_0", "bspl_w_r_eff_1", "bspl_w_r_eff_2"]
    ) {
      // Straight in the logarithm to the middle, and from there.
      exp(log(5) + 0.2 * abs($0 - 600) / 200)
    },
  ]

  @Test("a radius is recovered in every band, and between them", arguments: cases)
  func recovered(_ example: Case) throws {
    let simulation = SimulatedBands([400, 500, 700, 800]) { $1["r_eff"] = example.radius($0) }
    let bands = try simulation.all()
    var prior = try autoprior(bands, .sersic)
    try prior.link("r_eff", example.link)
    #expect(prior.parameter(named: "r_eff")?.sites == example.sites)
    let fit = try FitMultiBand(bands, prior: prior)
    let result = try BandsResult(fit.estimatePosterior(.laplace, draws: 4000, key: 1))
    #expect(result.best.isConverged && abs(result.best.reducedChiSquared - 1) < 0.05)
    for (k, band) in bands.enumerated() {
      let shown = try #require(
        try result.band(band.name).parameters.first { $0.name == "r_eff" })
      let (mean, sd) = (try #require(shown.mean), try #require(shown.standardDeviation))
      // Four bands, six links: beyond 4.5 standard deviations one in 6000 would lie by chance.
      #expect(abs(mean - simulation.truth("r_eff", k)) < 4.5 * sd, "\(band.name): \(mean) ± \(sd)")
      guard example.link.needsWavelengths else { continue }
      // What the link has at the wavelength of the band is the value in the band.
      let there = try result.parameter("r_eff", at: [simulation.bands[k].wavelength])[0]
      #expect(abs((there.mean ?? .nan) - mean) < 1e-9 * mean)
      #expect(result["r_eff_\(band.name)"]?.mean == there.mean)
    }
    if example.link.isContinuous {
      let between = try result.parameter("r_eff", at: [450, 600, 760])
      for (summary, wavelength) in zip(between, [450.0, 600, 760]) {
        let (mean, sd) = (try #require(summary.mean), try #require(summary.standardDeviation))
        #expect(abs(mean - example.radius(wavelength)) < 4.5 * sd, "\(wavelength): \(mean) ± \(sd)")
        #expect(summary.quantiles.count == 5 && summary.unit == "pixels")
      }
    } else {
      #expect(throws: GalaxyModelError.self) { try result.parameter("r_eff", at: [450]) }
    }
    if case .bSpline = example.link {
      #expect(throws: GalaxyModelError.self) { try result.parameter("r_eff", at: [300]) }
    }
  }

  @Test("weights are those of scipy and add up to one")
  func weights() throws {
    // scipy.interpolate.BSpline.design_matrix([0.35], [0,0,0,0.5,1,1,1], 2): five bands from 0 to 1, four coefficients.
    var prior = try autoprior(
      SimulatedBands([0, 0.2, 0.35, 0.7, 1]).bands.map { try $0.band() }, .exp)
    prior["ellip"] = Uniform(0, 1)
    try prior.link("ellip", .bSpline(coefficients: 4, degree: 2))
    let bands = try SimulatedBands([0, 0.2, 0.35, 0.7, 1]).bands.map { try $0.band() }
    let fit = try FitMultiBand(bands, prior: prior)
    let best = try fit.findMAP()
    let logits = (0..<4).map { k -> Double in
      let p = best["bspl_w_ellip_\(k)"]
      return log(p / (1 - p))
    }
    let expected = zip(logits, [0.09, 0.665, 0.245, 0]).reduce(0) { $0 + $1.0 * $1.1 }
    let there = try BandsResult(best).parameter("ellip", at: [0.35])[0].map
    #expect(abs(log(there / (1 - there)) - expected) < 1e-9)
  }

  @Test("the given prior holds for linked parameters, whatever the data say")
  func priorsHold() throws {
    let bands = try SimulatedBands().all()
    for link in [WavelengthLink.free, .polynomial(degree: 2), .bSpline(coefficients: 3)] {
      var prior = try autoprior(bands, .sersic)
      prior["r_eff"] = LogNormal(log(3.0), 0.001)
      try prior.link("r_eff", link)
      try prior.link("n", link)
      prior["n"] = Uniform(2.5, 4)
      #expect(
        prior.sites.filter { $0.contains("r_eff") }.allSatisfy {
          "\(prior[$0] ?? Normal(0, 1))".contains("LogNormal")
        })
      let fit = try FitMultiBand(bands, prior: prior)
      let result = try BandsResult(fit.findMAP())
      for band in result.bands {
        // The data want 5, and pull by less than some standard deviations of the prior; a spline's middle by more.
        #expect(abs(band.best["r_eff"] - 3) < 0.1, "\(link)")
        // At the wall the coordinates of the band by itself round in the last digits.
        #expect(band.best["n"] > 2.5 - 1e-9 && band.best["n"] < 4 + 1e-9, "\(link)")
      }
      #expect(result.warnings.contains { $0.code == "at-bound" || $0.code == "poor-fit" })
    }
  }

  @Test("a posterior without data is the prior, and radii are positive at every wavelength")
  func positive() throws {
    // A noise in which nothing is seen.
    var simulation = SimulatedBands { $1.merge(["xc": 12, "yc": 12]) { $1 } }
    for k in simulation.bands.indices {
      simulation.bands[k].sigma = 1e4
      simulation.bands[k].width = 25
      simulation.bands[k].height = 25
    }
    let bands = try simulation.all()
    var prior = try autoprior(bands, .sersic, position: ImagePoint(x: 12, y: 12))
    prior["r_eff"] = LogNormal(log(4.0), 1.5)
    prior["n"] = Uniform(1, 3)
    for name in ["flux_g", "flux_r", "flux_i"] { prior[name] = Normal(100, 10) }
    for (name, value) in [("xc", 12.0), ("yc", 12), ("theta", 1), ("ellip", 0.3)] {
      prior.fix(name, at: value)
    }
    for name in ["sky_back_g", "sky_back_r", "sky_back_i"] { prior.fix(name, at: 0) }
    try prior.link("r_eff", .polynomial(degree: 2))
    try prior.link("n", .polynomial(degree: 1))
    let fit = try FitMultiBand(bands, prior: prior)
    let result = try BandsResult(fit.sample(chains: 2, warmUp: 500, draws: 2000, key: 3))
    let wavelengths = [100, 400, 480, 600, 800, 1500.0]
    for summary in try result.parameter("r_eff", at: wavelengths) {
      #expect(summary.quantiles[0] > 0 && summary.map > 0)
    }
    for band in result.bands {
      #expect(try #require(band.draws).scalar("r_eff").values.allSatisfy { $0 > 0 })
      #expect(try #require(band.draws).scalar("n").values.allSatisfy { $0 > 1 && $0 < 3 })
    }
    // At the ends the prior of the parameter itself: log r_eff ~ Normal(log 4, 1.5), n uniform.
    let radius = try #require(result["r_eff_g"])
    #expect(abs(log(radius.quantiles[2] / 4)) < 0.2)
    #expect(abs(log(radius.quantiles[3] / radius.quantiles[1]) / 3 - 1) < 0.12)
    let index = try #require(result["n_i"])
    #expect(abs((index.mean ?? 0) - 2) < 0.1 && abs((index.standardDeviation ?? 0) - 0.577) < 0.05)
  }

  @Test("an angle is linked around its circle, not across its wall")
  func angles() throws {
    // From 3.04 over 3.14, which is 0, to 0.10.
    let turned = SimulatedBands { $1["theta"] = 3.04 + 0.2 * ($0 - 400) / 400 }
    let bands = try turned.all()
    var prior = try autoprior(bands, .sersic)
    try prior.link("theta", .polynomial(degree: 1))
    let result = try BandsResult(
      FitMultiBand(bands, prior: prior).estimatePosterior(.laplace, draws: 4000, key: 1))
    for (k, band) in bands.enumerated() {
      let summary = try #require(result["theta_\(band.name)"])
      var offset = (summary.mean ?? .nan) - turned.truth("theta", k)
      offset -= Double.pi * (offset / Double.pi).rounded()
      #expect(abs(offset) < 4.5 * (summary.standardDeviation ?? 0))
      #expect((0..<Double.pi).contains(summary.map))
    }
  }

  @Test("links that bands cannot have are refused with what to do")
  func refused() throws {
    let bands = try SimulatedBands().all()
    var prior = try autoprior(bands, .sersic)
    for (name, link) in [
      ("r_eff", WavelengthLink.polynomial(degree: 3)), ("r_eff", .polynomial(degree: 0)),
      ("r_eff", .bSpline(coefficients: 4)), ("r_eff", .bSpline(coefficients: 2, degree: 2)),
      ("flux", .constant), ("radius", .free),
    ] {
      #expect(throws: GalaxyModelError.self, "\(name) \(link)") { try prior.link(name, link) }
    }
    let unknown = bands.map { Band($0.name, $0.image) }
    var free = try autoprior(unknown, .sersic)
    try free.link("n", .free)
    #expect(throws: GalaxyModelError.self) { try free.link("n", .polynomial(degree: 1)) }
    // Extra and missing priors, bands that are not those of the priors, twice the same name.
    var extra = prior
    extra["n_g"] = Uniform(1, 2)
    #expect(throws: GalaxyModelError.self) { try FitMultiBand(bands, prior: extra) }
    var missing = prior
    missing["ellip"] = nil
    #expect(throws: GalaxyModelError.self) { try FitMultiBand(bands, prior: missing) }
    #expect(throws: GalaxyModelError.self) {
      try FitMultiBand(Array(bands.reversed()), prior: prior)
    }
    let twins = [bands[0], bands[0]]
    #expect(throws: GalaxyModelError.self) {
      try FitMultiBand(twins, prior: autoprior(twins, .sersic))
    }
    #expect(throws: GalaxyModelError.self) {
      try FitMultiBand(bands, prior: prior).findMAP(start: ["q": 1])
    }
  }

  @Test("bands whose places are not told are refused, and those outside the frame")
  func places() throws {
    var simulation = SimulatedBands([400, 600])
    simulation.bands[1].width = 50
    let bands = try simulation.all()
    #expect(throws: GalaxyModelError.self) { try autoprior(bands, .sersic) }
    // One header alone says nothing.
    simulation = SimulatedBands([400, 600])
    simulation.bands[0].header = skyHeader(scale: 0.1, angle: 0, center: (30, 30))
    let half = try simulation.all()
    #expect(throws: GalaxyModelError.self) { try autoprior(half, .sersic) }
    // A header that looks elsewhere on the sky.
    simulation.bands[1].header = skyHeader(scale: 0.1, angle: 0, center: (300, 30))
    let away = try simulation.all()
    #expect(throws: (any Error).self) {
      try FitMultiBand(away, prior: autoprior(away, .sersic))
    }
  }
}
