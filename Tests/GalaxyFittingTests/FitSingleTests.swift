// SPDX-License-Identifier: MIT
//
// The stock fit recovers what was simulated, at every angle, in every unit, for every profile.

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

@Suite("Stock fit of one source")
struct FitSingleTests {
  /// Returns the PSF of all tests here.
  static func psf() throws -> PointSpreadFunction { try .moffat(fwhm: 3, beta: 3) }

  /// Returns the noise-free image of a light.
  static func clean(_ light: LightProfile, sky: Sky = .none, width: Int, height: Int) throws
    -> [Double]
  {
    let blank = try ObservedImage(
      width: width, height: height, science: [Double](repeating: 0, count: width * height),
      rms: [Double](repeating: 1, count: width * height), psf: psf())
    return try Model { m in m.observe(blank, light, sky: sky) }(key: 0).elements
  }

  /// Returns an image of given pixels, scaled.
  static func image(
    _ pixels: [Double], sigma: Double, width: Int, height: Int, unit: Double = 1,
    constant: Double = 0
  ) throws -> ObservedImage {
    try ObservedImage(
      width: width, height: height, science: pixels.map { ($0 + constant) * unit },
      rms: [Double](repeating: sigma * unit, count: width * height), psf: psf())
  }

  /// Returns the distance of two angles of period π.
  static func distance(_ a: Double, _ b: Double) -> Double {
    let d = abs(a - b).truncatingRemainder(dividingBy: .pi)
    return min(d, .pi - d)
  }

  @Test(
    "MAP recovers round, nearly round and flat galaxies at every angle",
    arguments: [0, 0.02, 0.1, 0.3, 0.6, 0.85], [0.001, 0.4, 0.8, 1.2, 1.5707, 2.0, 2.5, 3.14])
  func everyAngle(ellip: Double, theta: Double) throws {
    let (width, height) = (51, 47)
    let truth = [
      "xc": 25.4, "yc": 22.7, "flux": 100, "r_eff": 4.5, "n": 1.8, "ellip": ellip, "theta": theta,
    ]
    let light = Sersic(
      xc: 25.4, yc: 22.7, flux: 100, rEff: 4.5, n: 1.8, ellip: ellip, theta: theta
    ).lightProfile
    // Noise-free pixels with a small rms: what is left of the priors' pull is far below one part in a thousand.
    let sigma = 1e-3
    let image = try Self.image(
      Self.clean(light, width: width, height: height), sigma: sigma, width: width, height: height)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .none))
    let best = try fit.findMAP()
    #expect(best.isConverged, "\(best.optimum.explanation)")
    for (name, value) in truth where name != "theta" {
      // The density of a uniform prior has no pull; the flux and size priors move the maximum by 1e-5 of the value.
      #expect(abs(best[name] - value) < 1e-3 * max(1, abs(value)), "\(name): \(best[name])")
    }
    if ellip > 0.01 {
      #expect(Self.distance(best["theta"], theta) < 2e-3 / ellip, "theta: \(best["theta"])")
    }
    #expect(best["theta"] >= 0 && best["theta"] < .pi)
    #expect(best.chiSquared < 1)
  }

  @Test("the unit of the image does not matter", arguments: [1e-20, 1e6])
  func units(unit: Double) throws {
    let light = Sersic(xc: 20.2, yc: 21.1, flux: 60, rEff: 3.5, n: 2.5, ellip: 0.4, theta: 1)
    let clean = try Self.clean(light.lightProfile, sky: .flat(0.01), width: 43, height: 41)
    let key = RandomKey(5)
    let noisy = clean.enumerated().map { $0.element + 0.05 * key.normal(UInt64($0.offset)) }
    let plain = try Self.image(noisy, sigma: 0.05, width: 43, height: 41)
    let scaled = try Self.image(noisy, sigma: 0.05, width: 43, height: 41, unit: unit)
    let fits = try [plain, scaled].map { image in
      try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    }
    let best = try fits.map { try $0.findMAP() }
    #expect(best[0].isConverged && best[1].isConverged)
    let posterior = try zip(fits, best).map {
      try $0.estimatePosterior(.laplace, from: $1, draws: 2000)
    }
    for (a, b) in zip(posterior[0].draws.scalars, posterior[1].draws.scalars) {
      let factor = ["flux", "sky_back"].contains(a.name) ? unit : 1
      let sd = a.standardDeviation
      // The same draws from the same curvature: differences are those of where the search stopped.
      #expect(abs(best[0][a.name] - best[1][a.name] / factor) < 1e-3 * sd, "\(a.name)")
      #expect(abs(a.mean - b.mean / factor) < 1e-2 * sd, "\(a.name)")
      #expect(abs(b.standardDeviation / factor / sd - 1) < 1e-2, "\(a.name)")
    }
  }

  @Test("a constant under the image goes into the sky")
  func constant() throws {
    let light = Sersic(xc: 20.2, yc: 21.1, flux: 60, rEff: 3.5, n: 2.5, ellip: 0.4, theta: 1)
    let clean = try Self.clean(light.lightProfile, sky: .flat(0.01), width: 43, height: 41)
    let key = RandomKey(5)
    let noisy = clean.enumerated().map { $0.element + 0.05 * key.normal(UInt64($0.offset)) }
    let best = try [0, 0.3].map { constant in
      let image = try Self.image(
        noisy, sigma: 0.05, width: 43, height: 41, constant: constant)
      return try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat)).findMAP()
    }
    for site in best[0].fit.prior.sites {
      let shift = site == "sky_back" ? 0.3 : 0
      #expect(
        abs(best[1][site] - shift - best[0][site]) < 1e-4 * max(1, abs(best[0][site])), "\(site)")
    }
  }

  @Test(
    "every profile of one component and every sky is recovered within its errors",
    arguments: GalaxyProfile.allCases.filter { $0.componentNames.count == 1 })
  func profiles(_ profile: GalaxyProfile) throws {
    let values = [
      "xc": 22.3, "yc": 19.6, "flux": 80, "r_eff": 3.2, "n": 3, "nu": -0.3, "ellip": 0.3,
      "theta": 2.2, "sky_back": 0.05, "sky_x_sl": 5e-4, "sky_y_sl": -1e-3,
    ]
    for sky in SkyKind.allCases {
      var empty = GalaxyPrior(profile, sky: sky)
      for site in empty.sites { empty.fix(site, at: values[site] ?? 0) }
      let truth = empty
      let background: Sky =
        switch sky {
        case .none: .none
        case .flat: .flat(0.05)
        case .tiltedPlane: .tiltedPlane(0.05, x: 5e-4, y: -1e-3)
        }
      let light = try profile.model(truth).intervened(on: truth.fixed)(key: 0)
      let (width, height) = (45, 41)
      let clean = try Self.clean(light, sky: background, width: width, height: height)
      let key = RandomKey(11).folding(in: profile.rawValue).folding(in: sky.rawValue)
      let noisy = clean.enumerated().map { $0.element + 0.02 * key.normal(UInt64($0.offset)) }
      let image = try Self.image(noisy, sigma: 0.02, width: width, height: height)
      let fit = try FitSingle(image, prior: autoprior(image, profile, sky: sky))
      let posterior = try fit.estimatePosterior(.laplace)
      #expect(posterior.best.isConverged)
      for scalar in posterior.draws.scalars {
        let expected = try #require(values[scalar.name])
        // 4.5 standard deviations: by chance 7e-6 for each of some 80 comparisons of fixed noise.
        #expect(
          abs(scalar.mean - expected) < 4.5 * scalar.standardDeviation,
          "\(profile) \(sky) \(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation), \(expected)"
        )
      }
    }
  }

  @Test("a fixed parameter keeps its value and is no site of the posterior")
  func fixed() throws {
    let light = Sersic(xc: 20, yc: 20, flux: 60, rEff: 3.5, n: 4, ellip: 0.4, theta: 1)
    let pixels = try Self.clean(light.lightProfile, width: 41, height: 41)
    let image = try Self.image(pixels, sigma: 0.01, width: 41, height: 41)
    var prior = autoprior(image, .sersic, sky: .none)
    prior.fix("n", at: 4)
    let fit = try FitSingle(image, prior: prior)
    let best = try fit.findMAP()
    #expect(best["n"] == 4)
    #expect(fit.density.layout["n"] == nil)
    #expect(abs(best["r_eff"] - 3.5) < 0.01)
  }

  @Test("missing, extra and impossible priors are named before a fit starts")
  func validation() throws {
    let image = try Self.image(
      [Double](repeating: 0, count: 441), sigma: 1, width: 21, height: 21)
    var prior = GalaxyPrior(.pointsource)
    #expect(throws: GalaxyModelError.self) { try FitSingle(image, prior: prior) }
    prior["xc"] = Normal(10, 1)
    prior["yc"] = Normal(10, 1)
    prior["flux"] = Normal(10, 1)
    prior["r_eff"] = Normal(10, 1)
    do {
      try prior.validate()
      Issue.record("an extra prior passed")
    } catch {
      guard case .unknownParameters(let names, _, _) = error.kind else {
        Issue.record("expected unknown parameters, found \(error)")
        return
      }
      #expect(names == ["r_eff"])
    }
    prior["r_eff"] = nil
    try prior.validate()
    for site in prior.sites { prior.fix(site, at: 1) }
    #expect(throws: GalaxyModelError.self) { try prior.validate() }
  }

  @Test("a value at its bound and a pile of draws at a prior's edge are said")
  func bounds() throws {
    let light = Sersic(xc: 20, yc: 20, flux: 60, rEff: 4, n: 4, ellip: 0.2, theta: 1)
    let pixels = try Self.clean(light.lightProfile, width: 41, height: 41)
    let image = try Self.image(pixels, sigma: 0.01, width: 41, height: 41)
    var prior = autoprior(image, .sersic, sky: .none)
    prior["n"] = Uniform(0.5, 2)
    let posterior = try FitSingle(image, prior: prior).estimatePosterior(.laplace)
    #expect(posterior.best.findings.contains { $0.code == "at-bound" && $0.subject == "n" })
    #expect(posterior.findings.contains { $0.code == "prior-edge" && $0.subject == "n" })
    // Near the end of a wide prior, but by many standard deviations: nothing is cut away.
    let flat = Sersic(xc: 20, yc: 20, flux: 60, rEff: 4, n: 0.42, ellip: 0.2, theta: 1)
    let disk = try Self.image(
      try Self.clean(flat.lightProfile, width: 41, height: 41), sigma: 0.01, width: 41, height: 41)
    let far = try FitSingle(disk, prior: autoprior(disk, .sersic, sky: .none))
      .estimatePosterior(.laplace)
    #expect(abs(far.best["n"] - 0.42) < 0.02)
    #expect(!far.findings.contains { $0.code == "prior-edge" }, "\(far.findings)")
    #expect(!far.findings.contains { $0.code == "prior-conflict" }, "\(far.findings)")
    var narrow = autoprior(disk, .sersic, sky: .none)
    narrow["flux"] = Normal(30, 0.2)
    let torn = try FitSingle(disk, prior: narrow).estimatePosterior(.laplace)
    #expect(torn.findings.contains { $0.code == "prior-conflict" && $0.subject == "flux" })
  }

  @Test("a result takes the posterior and the pictures of an earlier one out of its folder")
  func staleFiles() throws {
    let light = Exponential(xc: 20, yc: 20, flux: 60, rEff: 4, ellip: 0.2, theta: 1)
    let image = try Self.image(
      try Self.clean(light.lightProfile, width: 41, height: 41), sigma: 0.01, width: 41, height: 41)
    let fit = try FitSingle(image, prior: autoprior(image, .exp, sky: .none))
    let path = NSTemporaryDirectory() + "sersic-stale-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = try OutputFolder(path)
    /// Returns the names of the files.
    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
    let best = try fit.findMAP()
    _ = FitResult(try fit.estimatePosterior(.laplace, from: best)).write(to: folder)
    #expect(
      try names() == ["corner.png", "model.fits", "posterior.asdf", "residual.png", "result.json"])
    _ = FitResult(best).write(to: folder, plots: false)
    #expect(try names() == ["model.fits", "result.json"])
  }

  @Test("a fit starts inside priors on the unit interval, and says where one holds it at its end")
  func unitInterval() throws {
    let light = Sersic(xc: 20, yc: 20, flux: 60, rEff: 4, n: 4, ellip: 0.2, theta: 1)
    let pixels = try Self.clean(light.lightProfile, width: 41, height: 41)
    let image = try Self.image(pixels, sigma: 0.01, width: 41, height: 41)
    var prior = autoprior(image, .sersic, sky: .none)
    // An index of 4 is far outside; the starts at n = 1 and n = 4 once lay outside the support.
    prior["n"] = Beta(1, 1)
    let best = try FitSingle(image, prior: prior).findMAP()
    #expect(best.findings.contains { $0.code == "at-bound" && $0.subject == "n" }, "\(best["n"])")
  }

  @Test("a maximum with a round galaxy says that it has no angle, unless the angle is fixed")
  func roundMaximum() throws {
    let light = Sersic(xc: 20, yc: 20, flux: 60, rEff: 4, n: 2, ellip: 0.2, theta: 1)
    let pixels = try Self.clean(light.lightProfile, width: 41, height: 41)
    let image = try Self.image(pixels, sigma: 0.01, width: 41, height: 41)
    var prior = autoprior(image, .sersic, sky: .none)
    let flat = try FitSingle(image, prior: prior).findMAP()
    #expect(!flat.findings.contains { $0.code == "angle-undetermined" })
    prior.fix("ellip", at: 0)
    let round = try FitSingle(image, prior: prior).findMAP()
    #expect(round.findings.contains { $0.code == "angle-undetermined" })
    prior.fix("theta", at: 0)
    let fixed = try FitSingle(image, prior: prior).findMAP()
    #expect(!fixed.findings.contains { $0.code == "angle-undetermined" })
  }

  @Test("fewer pixels than parameters are warned of")
  func fewPixels() throws {
    let image = try Self.image([1, 2, 1, 3], sigma: 0.1, width: 2, height: 2)
    let best = try FitSingle(image, prior: autoprior(image, .sersic, sky: .none)).findMAP()
    #expect(best.findings.contains { $0.code == "few-pixels" })
  }

  @Test("an angle that the data do not determine is said to be undetermined")
  func roundGalaxy() throws {
    let light = Sersic(xc: 20, yc: 20, flux: 20, rEff: 3, n: 1, ellip: 0, theta: 0)
    // No noise in the pixels, so that the best galaxy is round, but errors as if there were.
    let pixels = try Self.clean(light.lightProfile, width: 41, height: 41)
    let image = try Self.image(pixels, sigma: 0.05, width: 41, height: 41)
    let posterior = try FitSingle(image, prior: autoprior(image, .sersic, sky: .none))
      .estimatePosterior(.laplace)
    let angle = posterior.draws.scalars.first { $0.name == "theta" }
    #expect(
      posterior.findings.contains { $0.code == "angle-undetermined" },
      "concentration \(angle?.concentration ?? .nan), ellip \(posterior.best["ellip"])")
  }
}
