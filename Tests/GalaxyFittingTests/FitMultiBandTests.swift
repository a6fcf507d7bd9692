// SPDX-License-Identifier: MIT
//
// Joint fits of several bands: geometry from headers, recovered structure, each band by itself, scenes, all methods.

import Distributions
import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics
import PPL
import Rendering
import Tensors
import Testing

@Suite("Fits of several bands")
struct FitMultiBandTests {
  /// Checks that a summary holds the truth; beyond 4.5 standard deviations lies one in 150 000.
  private func check(
    _ summary: ParameterSummary?, _ truth: Double, _ name: String, period: Double? = nil
  ) throws {
    let summary = try #require(summary, "\(name)")
    let (mean, sd) = (try #require(summary.mean), try #require(summary.standardDeviation))
    var offset = mean - truth
    if let period { offset -= period * (offset / period).rounded() }
    #expect(abs(offset) < 4.5 * sd, "\(name): \(mean) ± \(sd), not \(truth)")
    #expect(sd > 0)
  }

  @Test(
    "One source seen at 0.03″, at 0.06″ rotated by 30°, and mirrored in x, fitted jointly, gives one structure"
  )
  func oneStructure() throws {
    let truth = [
      "xc": 44.3, "yc": 38.6, "flux": 200, "r_eff": 7, "n": 1.7, "ellip": 0.45, "theta": 0.6,
    ]
    // Tangent points at different pixels; the same place on the sky.
    let geometries: [(name: String, scale: Double, angle: Double, isMirrored: Bool)] = [
      ("fine", 0.03, 0, false), ("coarse", 0.06, 30, false), ("mirrored", 0.03, 0, true),
    ]
    let centers: [(x: Double, y: Double)] = [(40, 41), (23.5, 20), (37, 44)]
    let sizes = [(89, 81), (47, 51), (83, 87)]
    let reference = skyMatrix(scale: 0.03, angle: 0)
    let bands = geometries.enumerated().map { k, geometry in
      // Pixels to the tangent plane and back: exact, for the tangent point is the same.
      let own = skyMatrix(
        scale: geometry.scale, angle: geometry.angle, isMirrored: geometry.isMirrored
      ).inverse
      var map = PlaneMap(
        xx: own.xx * reference.xx + own.xy * reference.yx,
        xy: own.xx * reference.xy + own.xy * reference.yy,
        yx: own.yx * reference.xx + own.yy * reference.yx,
        yy: own.yx * reference.xy + own.yy * reference.yy)
      map.x0 = centers[k].x - map.xx * centers[0].x - map.xy * centers[0].y
      map.y0 = centers[k].y - map.yx * centers[0].x - map.yy * centers[0].y
      var parameters = truth
      parameters["flux"] = [200, 320, 150][k]
      return SimulatedBand(
        name: geometry.name, wavelength: Double(k), sources: [(.sersic, parameters)],
        width: sizes[k].0, height: sizes[k].1, sigma: [0.01, 0.03, 0.01][k],
        fwhm: [3, 2.2, 3.5][k], map: map,
        header: skyHeader(
          scale: geometry.scale, angle: geometry.angle, isMirrored: geometry.isMirrored,
          center: centers[k]), zeroPoint: [25, 26, 25][k])
    }
    let observed = try bands.map { try $0.band() }
    let fit = try FitMultiBand(observed, prior: autoprior(observed, .sersic))
    // The maps come from the headers, by differences over a pixel: rounding of degrees, 1e-8 of a pixel.
    for k in bands.indices {
      let (map, exact) = (fit.maps[k][0], bands[k].map)
      for (found, wanted) in [
        (map.xx, exact.xx), (map.xy, exact.xy), (map.yx, exact.yx), (map.yy, exact.yy),
      ] {
        #expect(abs(found - wanted) < 1e-6, "\(map), not \(exact)")
      }
      let (place, there) = (
        map(ImagePoint(x: 44, y: 38)), exact(ImagePoint(x: 44, y: 38))
      )
      #expect(abs(place.x - there.x) < 1e-5 && abs(place.y - there.y) < 1e-5)
    }
    let result = try BandsResult(fit.estimatePosterior(.laplace, draws: 4000, key: 1))
    #expect(result.best.isConverged)
    #expect(abs(result.best.reducedChiSquared - 1) < 0.05)
    for site in ["xc", "yc", "r_eff", "n", "ellip", "theta"] {
      try check(
        result[site], truth[site] ?? .nan, site, period: site == "theta" ? Double.pi : nil)
    }
    // The error of the structure is that of all bands together: below that of any band alone.
    let together = try #require(result["n"]?.standardDeviation)
    for (k, band) in observed.enumerated() {
      let single = try FitSingle(band.image, prior: autoprior(band.image, .sersic))
      let alone = try FitResult(single.estimatePosterior(.laplace, draws: 4000, key: 1))
      let sd = try #require(alone.parameters.first { $0.name == "n" }?.standardDeviation)
      #expect(together < sd, "\(band.name): \(together), alone \(sd)")
      // And each band by itself shows the structure turned into its own pixels, which its own fit agrees with.
      let shown = try result.band(band.name)
      for summary in shown.parameters {
        let own = try #require(alone.parameters.first { $0.name == summary.name })
        let (mean, error) = (try #require(summary.mean), try #require(own.standardDeviation))
        var offset = mean - (own.mean ?? .nan)
        if summary.name == "theta" { offset -= Double.pi * (offset / Double.pi).rounded() }
        #expect(
          abs(offset) < 4.5 * error, "\(band.name): \(summary.name) \(mean), \(own.mean ?? 0)")
      }
      try check(
        shown.parameters.first { $0.name == "r_eff" }, 7 * [1, 0.5, 1][k], "r_eff in \(band.name)")
      // The model image of the band by itself is that of the joint fit.
      let peak = shown.best.modelImage.max() ?? 0
      let largest = zip(shown.best.modelImage, result.best.modelImages[k])
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(largest < 1e-9 * peak)
    }
    #expect(result["magnitude_fine"]?.unit == "mag" && result["fine-coarse"] != nil)
    // 25 − 26 − 2.5 log10(200/320).
    try check(result["fine-coarse"], -1 + 0.510_299_956_639_8, "colour")
  }

  @Test("the density is that of the same joint model written by hand")
  func byHand() throws {
    var simulation = SimulatedBands([400, 600, 900])
    simulation.bands[1].map = PlaneMap(xx: 0.5, xy: 0.2, yx: -0.2, yy: 0.5, x0: 10, y0: 20)
    simulation.bands[2].map = PlaneMap(xx: -1.1, xy: 0.1, yx: 0.05, yy: 0.9, x0: 60, y0: 3)
    let bands = try simulation.all(loss: .gaussian(free: .systematic))
    var prior = try autoprior(bands, .sersic)
    try prior.link("n", .polynomial(degree: 1))
    try prior.link("ellip", .free)
    prior["n"] = Uniform(0.5, 4.5)
    prior.allowOffsets(0.5)
    let fit = try FitMultiBand(bands, prior: prior)
    let priors = fit.prior
    let hand = Model<Void> { m in
      /// Draws a site of the stock priors.
      func draw(_ site: String) -> Tensor {
        guard let own = priors[site] else { return Tensor(.nan) }
        return m.sample(site, own)
      }
      let (x, y, r, theta) = (draw("xc"), draw("yc"), draw("r_eff"), draw("theta"))
      let (n0, n1) = (draw("n_poly_0"), draw("n_poly_1"))
      for (k, band) in bands.enumerated() {
        // Linear in the logit between 0.5 and 4.5, over 400 … 900.
        let t = [0, 0.4, 1.0][k]
        let u = (1 - t) * log((n0 - 0.5) / (4.5 - n0)) + t * log((n1 - 0.5) / (4.5 - n1))
        let dx = k == 0 ? Tensor(0) : draw("dx_\(band.name)")
        let dy = k == 0 ? Tensor(0) : draw("dy_\(band.name)")
        let light = Sersic(
          xc: x + dx, yc: y + dy, flux: draw("flux_\(band.name)"), rEff: r,
          n: 0.5 + 4 / (1 + exp(-u)), ellip: draw("ellip_\(band.name)"), theta: theta)
        let sky = draw("sky_back_\(band.name)")
        m.scope(suffix: "_\(band.name)") {
          m.observe(band.image, band.project(light), sky: sky, loss: band.loss)
        }
      }
    }
    let other = try hand.logDensity()
    var values: [String: Double] = [:]
    for site in fit.prior.freeSites {
      values[site] = fit.prior.guesses[site] ?? fit.prior[site]?.median?.item()
    }
    values["n_poly_0"] = 1.2
    values["n_poly_1"] = 3.1
    values["dx_r"] = 0.3
    let own = fit.density.makeEvaluator().value(at: try fit.density.unconstrain(values))
    let written = other.makeEvaluator().value(at: try other.unconstrain(values))
    #expect(own.isFinite)
    // Sums of some ten thousand terms in another order.
    #expect(abs(own - written) < 1e-9 * abs(own))
  }

  @Test(
    "a scene of two sources in two bands is found, one of them with an index of its own in each band"
  )
  func scene() throws {
    let galaxy = [
      "xc": 25.3, "yc": 27.2, "flux": 150, "r_eff": 5, "n": 2, "ellip": 0.4, "theta": 0.7,
    ]
    var redder = galaxy
    redder["n"] = 2.6
    redder["flux"] = 260
    let disk = ["xc": 43.1, "yc": 33.4, "flux": 60, "r_eff": 3, "ellip": 0.2, "theta": 2.1]
    var brighter = disk
    brighter["flux"] = 90
    let map = PlaneMap(xx: 0.6, xy: -0.3, yx: 0.3, yy: 0.6, x0: 14, y0: 1)
    let bands = [
      SimulatedBand(
        name: "g", wavelength: 480, sources: [(.sersic, galaxy), (.exp, disk)], sigma: 0.015),
      SimulatedBand(
        name: "r", wavelength: 620, sources: [(.sersic, redder), (.exp, brighter)], width: 55,
        height: 51, sky: -0.1, sigma: 0.04, fwhm: 2.1, map: map),
    ]
    let observed = try bands.map { try $0.band() }
    let catalog = SourceCatalog([
      CatalogSource(x: 25, y: 27.6, flux: 170, radius: 5, profile: .sersic),
      CatalogSource(x: 43.5, y: 33, flux: 50, radius: 3.5, profile: .exp),
    ])
    var prior = try catalog.prior(in: observed)
    try prior.link("n_0", .free)
    let fit = try FitMultiBand(observed, prior: prior)
    #expect(
      fit.density.layout.names.sorted() == [
        "ellip_0", "ellip_1", "flux_0_g", "flux_0_r", "flux_1_g", "flux_1_r", "n_0_g", "n_0_r",
        "r_eff_0", "r_eff_1", "sky_back_g", "sky_back_r", "theta_0", "theta_1", "xc_0", "xc_1",
        "yc_0", "yc_1",
      ])
    let result = try BandsResult(fit.estimatePosterior(.laplace, draws: 4000, key: 2))
    #expect(result.best.isConverged && abs(result.best.reducedChiSquared - 1) < 0.07)
    for (k, band) in bands.enumerated() {
      for (number, source) in band.sources.enumerated() {
        for (quantity, truth) in source.parameters {
          let name = "\(quantity)_\(number)"
          let summary = result[name] ?? result["\(name)_\(band.name)"]
          try check(
            summary, truth, "\(name) in \(band.name)",
            period: quantity == "theta" ? Double.pi : nil)
        }
      }
      try check(result["sky_back_\(band.name)"], band.sky, "sky of \(band.name)")
      let own = try result.band(band.name).source(1)
      #expect(own.profile == .stock(.exp) && own.components.count == 1)
      try check(own["r_eff"], 3 * [1, 0.45.squareRoot()][k], "r_eff of 1 in \(band.name)")
    }
    let found = try fit.findMAP(start: ["n_0": 3, "flux_1_r": 70])
    #expect(abs(found.logPosterior - result.best.logPosterior) < 1e-5)
  }

  @Test("the head of a joint result tells the sky of each band, in memory as from a file")
  func head() throws {
    let simulation = SimulatedBands([400, 700])
    let bands = try zip(simulation.bands, [SkyKind.flat, .tiltedPlane]).map { band, sky in
      Band(band.name, try band.image(), wavelength: band.wavelength, sky: sky)
    }
    let fit = try FitMultiBand(bands, prior: autoprior(bands, .sersic))
    let result = try BandsResult(fit.findMAP())
    let joint = result.joint
    #expect(joint.record.report.sky == .flat && joint.table == joint.record.table)
    for text in [joint.table, result.table] {
      let head = try #require(text.components(separatedBy: "\nparameter").first)
      #expect(head.contains("sersic in g, r") && !head.contains("none"), "\(head)")
      let lines = head.split(separator: "\n").map { $0.split(separator: " ").map { String($0) } }
      #expect(lines.first { $0.first == "g" }?.contains("flat") == true, "\(head)")
      #expect(lines.first { $0.first == "r" }?.contains("tilted-plane") == true, "\(head)")
    }
    #expect(joint.json["sky"] == JSONValue.string("flat"))
    try RecordScene.inFolder { folder in
      #expect(
        result.write(to: try OutputFolder(folder), plots: false).allSatisfy { $0.failure == nil })
      let read = try FitRecord(contentsOf: folder)
      #expect(read.report.sky == .flat && read.bandNames == ["g", "r"])
      // Magnitudes and values in each band are derived quantities of the file alone; there are none here.
      #expect(read.table == joint.table)
    }
  }

  @Test("displacements of the bands are found, and positions then are those of the first")
  func offsets() throws {
    var simulation = SimulatedBands()
    simulation.bands[1].map = PlaneMap(x0: 0.42, y0: -0.31)
    let observed = try simulation.bands.enumerated().map { k, band in
      Band(band.name, try band.image(), wavelength: band.wavelength)
    }
    var prior = try autoprior(observed, .sersic)
    prior.allowOffsets(0.5)
    let fit = try FitMultiBand(observed, prior: prior)
    let result = try BandsResult(fit.estimatePosterior(.laplace, draws: 4000, key: 1))
    for (name, truth) in [
      ("dx_r", 0.42), ("dy_r", -0.31), ("dx_i", 0), ("dy_i", 0), ("xc", 29.4), ("yc", 28.7),
    ] { try check(result[name], truth, name) }
    try check(try result.band("r").parameters.first, 29.82, "xc in r")
    #expect(fit.prior.unit(of: "dx_r") == "pixels")
  }

  @Test("every method estimates the same posterior")
  func methods() throws {
    let bands = try SimulatedBands([400, 700]).all()
    var prior = try autoprior(bands, .exp)
    try prior.link("r_eff", .polynomial(degree: 1))
    let fit = try FitMultiBand(bands, prior: prior)
    let best = try fit.findMAP()
    let sampled = try fit.sample(chains: 2, warmUp: 500, draws: 1000, from: best, key: 1)
    let result = try BandsResult(sampled)
    for summary in result.parameters {
      #expect((summary.rHat ?? 9) < 1.02 && (summary.bulkESS ?? 0) > 300, "\(summary.name)")
    }
    #expect(try result.band("g").parameters.allSatisfy { $0.rHat != nil })
    for method in [PosteriorMethod.laplace, .sviMVN] {
      let other = try BandsResult(fit.estimatePosterior(method, from: best, draws: 4000, key: 1))
      for summary in result.parameters {
        let own = try #require(other[summary.name])
        let (mean, sd) = (try #require(summary.mean), try #require(summary.standardDeviation))
        // The Monte Carlo error of 1000 effective draws is 0.03 of a standard deviation, that of it 2 %.
        #expect(abs((own.mean ?? .nan) - mean) < 0.2 * sd, "\(method) \(summary.name)")
        #expect(abs((own.standardDeviation ?? .nan) / sd - 1) < 0.15, "\(method) \(summary.name)")
      }
    }
    let flow = try fit.estimatePosterior(.sviFlow, from: best, draws: 2000, key: 1)
    #expect(
      flow.draws.names == fit.prior.freeSites && (flow.variational?.diagnostics.paretoK ?? 9) < 0.7)
  }

  @Test("components stay ordered in each band, and a source of two components is found in both")
  func twoComponents() throws {
    let truth = [
      "xc": 30.2, "yc": 28.9, "f_1": 0.4, "r_eff_1": 2, "n_1": 2, "ellip_1": 0.1, "r_eff_2": 8,
      "n_2": 1, "ellip_2": 0.5, "theta": 0.9,
    ]
    let bands = [300.0, 500].enumerated().map { k, flux in
      var own = truth
      own["flux"] = flux
      own["f_1"] = [0.3, 0.5][k]
      return SimulatedBand(
        name: ["g", "r"][k], wavelength: Double(k), sources: [(.doublesersic, own)], sigma: 0.01)
    }
    let observed = try bands.map { try $0.band() }
    var prior = try autoprior(observed, .doublesersic)
    try prior.link("f_1", .free)
    try prior.link("r_eff_2", .polynomial(degree: 1))
    #expect(prior.texts["r_eff_2_poly_1"]?.hasSuffix("above the first radius") == true)
    prior.fix("n_2", at: 1)
    let fit = try FitMultiBand(observed, prior: prior)
    let result = try BandsResult(fit.estimatePosterior(.laplace, draws: 4000, key: 1))
    #expect(result.best.isConverged)
    try check(result["f_1_g"], 0.3, "f_1 in g")
    try check(result["f_1_r"], 0.5, "f_1 in r")
    try check(result["r_eff_1"], 2, "r_eff_1")
    try check(result["r_eff_2_g"], 8, "r_eff_2 in g")
    try check(result["r_eff_2_r"], 8, "r_eff_2 in r")
    #expect(result["n_2"]?.isFixed == true)
    let own = try result.band("r")
    #expect(own.parameters.first { $0.name == "n_2" }?.isFixed == true)
    try check(own.derived.first { $0.name == "flux_1" }, 250, "flux_1 in r")
  }
}
