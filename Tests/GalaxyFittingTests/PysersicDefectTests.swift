// SPDX-License-Identifier: MIT
//
// What pysersic gets wrong, each defect a test that this package does not have it; the losses' are in PysersicLossTests.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import PPL
import Rendering
import Synchronization
import Testing

@Suite("What pysersic gets wrong")
struct PysersicDefectTests {
  /// A galaxy in 61 × 47 pixels, with noise.
  private static func galaxy(
    _ truth: [String: Double] = [:], unit: Double = 1, constant: Double = 0, sigma: Double = 0.02,
    mask: [Bool]? = nil, psf: PointSpreadFunction? = nil
  ) throws -> ObservedImage {
    let (width, height) = (61, 47)
    let values = [
      "xc": 30.3, "yc": 22.8, "flux": 100, "r_eff": 4, "n": 1.6, "ellip": 0.3, "theta": 0.9,
    ].merging(truth) { $1 }
    let psf = try psf ?? .moffat(fwhm: 3, beta: 3)
    let rms = [Double](repeating: sigma, count: width * height)
    let blank = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let clean = try blank.rendered(GalaxyProfile.sersic.light(values))
    let key = RandomKey(8)
    return try ObservedImage(
      width: width, height: height,
      science: clean.enumerated().map {
        ($0.element + constant + sigma * key.normal(UInt64($0.offset))) * unit
      }, rms: rms.map { $0 * unit }, mask: mask, psf: psf)
  }

  /// Returns the maximum of the stock fit.
  private static func best(_ image: ObservedImage, sky: SkyKind = .flat) throws -> MAPFit {
    try FitSingle(image, prior: autoprior(image, .sersic, sky: sky)).findMAP()
  }

  @Test("non-square images and PSFs fail")
  func shapes() throws {
    let round = try PointSpreadFunction.moffat(fwhm: 3, beta: 3, size: 31)
    // The same function on a flat array: ten rows less above and below.
    let rows = 10..<21
    let flat = PointSpreadFunction(
      width: 31, height: 11,
      values: rows.flatMap { row in (0..<31).map { round.values[row * 31 + $0] } })
    let best = try Self.best(Self.galaxy(psf: flat))
    #expect(best.isConverged)
    // Laplace's deviations of this galaxy are 0.88 of the flux, 0.036 of n and 0.011 of xc: bounds are twice to five times that.
    #expect(
      abs(best["flux"] - 100) < 2 && abs(best["n"] - 1.6) < 0.1 && abs(best["xc"] - 30.3) < 0.05)
  }

  @Test("an angle at the wall of its range traps a chain, and its mean is that of the numbers")
  func angle() throws {
    let image = try Self.galaxy(["theta": 0.002])
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .none))
    let draws = try fit.sample(chains: 4, warmUp: 500, draws: 500, key: 3).draws
    let theta = draws.scalar("theta")
    #expect(theta.rHat < 1.02, "\(theta.rHat)")
    // Half of the draws lie just under π: a mean of numbers would be near 1.6 with a deviation as large.
    let distance = min(theta.mean, .pi - theta.mean)
    #expect(distance < 0.05 && theta.standardDeviation < 0.05)
    let limits = theta.quantiles([0.16, 0.84])
    #expect(limits[0] < limits[1] && limits[1] - limits[0] < 0.1, "\(limits)")
  }

  @Test("light that leaves one edge returns on the other")
  func wrap() throws {
    let (width, height) = (100, 100)
    let rms = [Double](repeating: 1, count: width * height)
    let blank = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms,
      psf: .moffat(fwhm: 3, beta: 3))
    let light = Sersic(xc: 49.5, yc: 49.5, flux: 100, rEff: 25, n: 4, ellip: 0, theta: 0)
    let inside = try blank.rendered(light).reduce(0, +)
    let reference = try blank.rendered(light, method: .pixel).reduce(0, +)
    #expect(inside < 80, "\(inside)")
    // Both are right to some 1e-5 of the light.
    #expect(abs(inside - reference) < 0.01, "\(inside), \(reference)")
  }

  @Test("fifteen Gaussians bias a fit")
  func gaussians() throws {
    // Without noise the truth is the maximum, but for the pull of priors that are wide.
    let image = try Self.galaxy(
      ["n": 4, "flux": 1000], sigma: 1e-6, psf: .moffat(fwhm: 3, beta: 3, size: 31))
    let loud = try ObservedImage(
      width: image.width, height: image.height, science: image.science,
      rms: image.rms.map { _ in 0.02 }, psf: image.psf)
    let prior = autoprior(loud, .sersic, sky: .none)
    let ours = try FitSingle(loud, prior: prior).estimatePosterior(.laplace, key: 1)
    let theirs = try FitSingle(loud, prior: prior, method: .hybrid).findMAP()
    let n = ours.draws.scalar("n")
    #expect(abs(ours.best["n"] - 4) < 0.1 * n.standardDeviation)
    #expect(abs(theirs["n"] - 4) > n.standardDeviation, "\(theirs["n"]) ± \(n.standardDeviation)")
  }

  @Test("finer pixels lie at the image's centre, not at the source")
  func oversampling() throws {
    let (width, height) = (41, 37)
    let rms = [Double](repeating: 1, count: width * height)
    let blank = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms,
      psf: .moffat(fwhm: 3, beta: 3))
    /// Returns the brightest pixel of a sharp source at a place.
    func peak(_ x: Double, _ y: Double) throws -> Double {
      let source = Sersic(xc: x, yc: y, flux: 100, rEff: 2, n: 4, ellip: 0.2, theta: 0.5)
      return try blank.rendered(source, method: .pixel).max() ?? 0
    }
    let centre = try peak(20, 18)
    let corner = try peak(9, 28)
    #expect(abs(corner / centre - 1) < 1e-9)
  }

  @Test("an index below 0.65 or above 8 gives NaN", arguments: [0.35, 9.5])
  func indices(n: Double) throws {
    let image = try Self.galaxy(["n": n])
    #expect(!image.science.contains { !$0.isFinite })
    let best = try Self.best(image, sky: .none)
    #expect(best.isConverged && !best.modelImage.contains { !$0.isFinite })
    // The deviation of n = 9.5 is 0.52, that of n = 0.35 is 0.008.
    #expect(abs(best["n"] / n - 1) < 0.15, "\(best["n"])")
  }

  @Test("priors depend on the unit of the image, and a constant changes the index")
  func units() throws {
    let reference = try Self.best(Self.galaxy())
    for (unit, constant) in [(1e-20, 0.0), (1e6, 0.0), (1, 0.3)] {
      let image = try Self.galaxy(unit: unit, constant: constant)
      let best = try Self.best(image)
      // A thirtieth of a standard deviation: what is left of where the searches stopped.
      #expect(abs(best["n"] - reference["n"]) < 1e-3, "\(unit), \(constant): \(best["n"])")
      #expect(abs(best["flux"] / unit / reference["flux"] - 1) < 1e-3)
    }
  }

  @Test("masked pixels count in the guess of the sky")
  func maskedSky() throws {
    let image = try Self.galaxy()
    // A bright star on the border, masked.
    var (science, mask) = (image.science, image.mask)
    for y in 0..<image.height {
      for x in 0..<9 {
        science[y * image.width + x] += 50
        mask[y * image.width + x] = true
      }
    }
    let starred = try ObservedImage(
      width: image.width, height: image.height, science: science, rms: image.rms, mask: mask,
      psf: image.psf)
    // The star has 50; the median of some thousand border pixels with a noise of 0.02, and the galaxy's wings, are far below this.
    #expect(abs(SourceProperties(starred).sky) < 0.01)
  }

  @Test("values of the maximum are rounded to five decimals")
  func rounding() throws {
    let best = try Self.best(Self.galaxy(unit: 1e-8))
    // Five standard deviations of the flux; rounded to five decimals it would be 0.
    #expect(abs(best["flux"] / 1e-6 - 1) < 0.05)
    let xc = best["xc"] * 1e5
    #expect(abs(xc - xc.rounded()) > 1e-6)
  }

  @Test("missing priors are not noticed, set ones not read, extra ones pass")
  func priors() throws {
    let image = try Self.galaxy()
    var prior = autoprior(image, .sersic, sky: .none)
    prior["n"] = nil
    #expect(throws: GalaxyModelError.self) { try FitSingle(image, prior: prior) }
    prior["n"] = Uniform(3, 5)
    let best = try FitSingle(image, prior: prior).findMAP()
    #expect(best["n"] >= 3)
    prior["nu"] = Uniform(0, 1)
    #expect(throws: GalaxyModelError.self) { try FitSingle(image, prior: prior) }
  }

  @Test("the warning of a large mask fires at another share than it says")
  func largeMask() throws {
    let count = 61 * 47
    for share in [0.2, 0.95] {
      let mask = (0..<count).map { k in
        let (x, y) = (k % 61, k / 61)
        return hypot(Double(x) - 30, Double(y) - 23) > 6 && Double(k % 1000) < 1000 * share
      }
      let image = try Self.galaxy(mask: mask)
      let warning = image.findings.first { $0.message.contains("of the pixels are masked") }
      let percent = 100 * Double(mask.count { $0 }) / Double(count)
      #expect((warning != nil) == (percent > 50), "\(percent)")
      if let warning {
        let said = Double(warning.message.prefix { $0.isNumber || $0 == "." }) ?? .nan
        #expect(abs(said - percent) < 1, "\(warning.message)")
      }
    }
  }

  @Test("sizes of PSF and image are compared as tuples")
  func sizes() throws {
    // Taller than the frame and narrower: as a tuple it is the smaller one or the larger one by its first number alone.
    let tall = PointSpreadFunction(
      width: 5, height: 61, values: [Double](repeating: 1.0 / 305, count: 305))
    let wide = PointSpreadFunction(
      width: 75, height: 5, values: [Double](repeating: 1.0 / 375, count: 375))
    for psf in [tall, wide] {
      let image = try Self.galaxy(psf: psf)
      #expect(image.findings.contains { $0.code == "psf-larger-than-image" })
    }
  }

  @Test("a source named _1 breaks f_1, and Spergel's profile a scene")
  func scenes() throws {
    let scene = SimulatedScene(sources: [
      (
        .spergel,
        [
          "xc": 40.2, "yc": 50.1, "flux": 40, "r_eff": 5, "nu": 0.2, "ellip": 0.3, "theta": 0.5,
        ]
      ),
      (
        .sersicPointsource,
        [
          "xc": 85.3, "yc": 48.9, "flux": 60, "f_ps": 0.2, "r_eff": 4, "n": 1.2, "ellip": 0.4,
          "theta": 2,
        ]
      ),
    ])
    let image = try scene.image()
    let fit = try FitMulti(image, prior: scene.catalog.prior(in: image))
    #expect(fit.prior.freeSites.contains("nu_0") && fit.prior.freeSites.contains("f_ps_1"))
    let best = try fit.findMAP()
    #expect(best.isConverged)
    for (site, tolerance) in [("nu_0", 0.2), ("f_ps_1", 0.05), ("flux_0", 2), ("r_eff_1", 0.3)] {
      let truth = try #require(scene.truth(site))
      #expect(abs(best[site] - truth) < tolerance, "\(site): \(best[site]), truth \(truth)")
    }
  }

  @Test("several bands ignore the priors of linked parameters, and radii become negative")
  func bands() throws {
    let image = try Self.galaxy()
    let bands = [("g", 480.0), ("r", 620), ("i", 760)].map {
      Band($0.0, image, wavelength: $0.1)
    }
    var prior = try autoprior(bands, .sersic)
    prior["r_eff"] = Uniform(4.5, 6)
    try prior.link("r_eff", .polynomial(degree: 1))
    let result = try BandsResult(
      FitMultiBand(bands, prior: prior).estimatePosterior(.laplace, draws: 500, key: 1))
    // The data ask for 4; what was given holds in every band, and far outside the wavelengths.
    for wavelength in [300.0, 480, 620, 760, 1500] {
      let radius = try #require(try result.parameter("r_eff", at: [wavelength]).first)
      #expect(radius.map >= 4.5 && radius.map <= 6, "\(radius)")
    }
  }

  @Test("every call compiles the model again")
  func compilation() throws {
    let runs = Mutex(0)
    let image = try Self.galaxy()
    let light = GalaxyProfile.sersic
    let prior = autoprior(image, .sersic, sky: .none)
    let source = light.model(prior)
    let density = try Model<Void> { m in
      runs.withLock { $0 += 1 }
      m.observe(image, m.call(source), loss: .gaussian)
    }.logDensity()
    let evaluator = density.makeEvaluator()
    let compiled = runs.withLock { $0 }
    var gradient = [Double](repeating: 0, count: density.dimension)
    for k in 0..<50 {
      let q = gradient.indices.map { 0.01 * RandomKey(UInt64(k)).normal(UInt64($0)) }
      _ = evaluator.valueAndGradient(at: q, into: &gradient)
    }
    #expect(runs.withLock { $0 } == compiled)
  }
}
