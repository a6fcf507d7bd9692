// SPDX-License-Identifier: MIT
//
// Fits of several sources: names, densities, recovered truth, results of each source.

import Distributions
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import PPL
import Rendering
import Tensors
import Testing

@Suite("Fits of several sources")
struct FitMultiTests {
  @Test("a name ends in the number of its source, whatever else it ends in")
  func names() throws {
    let scene = SimulatedScene(sources: [(.doublesersic, [:]), (.sersic, [:])])
    var prior = scene.catalog.prior(in: try SimulatedScene.five.image())
    #expect(prior.parameter("r_eff_1_0") == "r_eff_1")
    #expect(prior.parameter("r_eff_1") == "r_eff")
    #expect(prior.parameter("f_1_0") == "f_1")
    #expect(prior.parameter("f_1") == "f_1")
    #expect(prior.parameter("n_2_0") == "n_2")
    #expect(prior.parameter("n_2") == "n_2")
    #expect(prior.parameter("sky_back") == "sky_back")
    #expect(Set(prior.sites).count == prior.sites.count)
    #expect(prior.unit(of: "r_eff_1") == "pixels")
    #expect(prior.texts["r_eff_2_0"]?.hasSuffix("above r_eff_1_0") == true)
    prior["f_1"] = Uniform(0, 1)
    #expect(throws: GalaxyModelError.self) { try prior.validate() }
  }

  @Test("the density is that of the same scene written by hand")
  func byHand() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    let prior = scene.catalog.prior(in: image)
    let fit = try FitMulti(image, prior: prior)
    let parts = prior.sources.map { $0.profile.model($0.prior) }
    let sky = try #require(prior["sky_back"])
    let hand = try Model<Void> { m in
      var light = LightProfile([])
      for (k, part) in parts.enumerated() { light = light + m.scope("s\(k)") { m.call(part) } }
      m.observe(image, light, sky: m.sample("sky_back", sky), loss: .gaussian)
    }.logDensity()
    let values = Dictionary(
      uniqueKeysWithValues: fit.prior.freeSites.map { ($0, scene.truth($0) ?? .nan) })
    let renamed = Dictionary(
      uniqueKeysWithValues: values.map { site, value in
        let name = prior.parameter(site)
        return (name == site ? site : "s\(site.suffix(1))/\(name)", value)
      })
    let own = fit.density.makeEvaluator().value(at: try fit.density.unconstrain(values))
    let other = hand.makeEvaluator().value(at: try hand.unconstrain(renamed))
    #expect(abs(own - other) < 1e-9 * abs(own))
  }

  @Test("with the curvatures of the stamps a joint search takes tens of steps, though angles turn")
  func jointSearch() throws {
    let key = RandomKey(5)
    let sources = (0..<16).map { k -> (profile: GalaxyProfile, parameters: [String: Double]) in
      let u = (0..<7).map { key.uniform(UInt64(8 * k + $0)) }
      return (
        .sersic,
        [
          "xc": 30 * Double(k % 4) + 12 + 6 * u[0], "yc": 25 * Double(k / 4) + 9 + 6 * u[1],
          "flux": 60 + 200 * u[2], "r_eff": 2 + 3 * u[3], "n": 0.8 + 2 * u[4],
          "ellip": 0.1 + 0.5 * u[5], "theta": 3 * u[6],
        ]
      )
    }
    let scene = SimulatedScene(sources: sources)
    let image = try scene.image()
    let fit = try FitMulti(image, prior: scene.catalog.prior(in: image))
    let optimum = try fit.findMAP(optimizer: .lbfgs).optimum
    #expect(optimum.isConverged)
    // 30; where the distances from the centres of the angles' circles had no curvature, 500 without converging.
    #expect(optimum.iterations < 60)
    // Sources are searched at the same time; which comes first must not show.
    let again = try fit.findMAP(optimizer: .lbfgs).optimum
    #expect(again.position == optimum.position)
    #expect(again.evaluations == optimum.evaluations)
  }

  @Test("five sources are found where they are, and each has its own result")
  func fiveSources() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    let fit = try FitMulti(image, prior: scene.catalog.prior(in: image))
    let posterior = try fit.estimatePosterior(.laplace, draws: 4000, key: 3)
    #expect(posterior.best.isConverged)
    for scalar in posterior.draws.scalars {
      let truth = try #require(scene.truth(scalar.name))
      var offset = scalar.mean - truth
      if let period = scalar.period { offset -= period * (offset / period).rounded() }
      // Twenty-seven parameters: beyond 4.5 standard deviations one in 5000 would lie by chance.
      #expect(
        abs(offset) < 4.5 * scalar.standardDeviation, "\(scalar.name): \(scalar.mean), not \(truth)"
      )
    }
    let result = FitResult(posterior)
    let third = try result.source(3)
    #expect(third.profile == .stock(.sersic))
    #expect(third.parameters.map(\.name) == GalaxyProfile.sersic.sites)
    #expect(third["n"]?.mean == result.parameters.first { $0.name == "n_3" }?.mean)
    #expect(third.draws.count == 7 && third.table.contains("source 3: sersic"))
    // The components of all sources add up to the model image less the sky.
    let sum = try (0..<5).map { try result.source($0) }.flatMap(\.components).map(\.image)
      .reduce([Double](repeating: 0, count: image.science.count)) { zip($0, $1).map { $0 + $1 } }
    let light = zip(posterior.best.modelImage, posterior.best.skyImage).map { $0 - $1 }
    let peak = light.max() ?? 0
    // Components by themselves lie on other grids than all together.
    #expect(zip(sum, light).allSatisfy { abs($0 - $1) < 2e-5 * peak })
    #expect(result.table.contains("5 sources (2 sersic, 1 pointsource, 1 exp, 1 dev)"))
  }

  @Test(
    "both optimisers, with the curvatures of the stamps or with the whole one, find one maximum")
  func optimisers() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    let fit = try FitMulti(image, prior: scene.catalog.prior(in: image))
    let whole = try fit.findMAP()
    let blocks = try fit.findMAP(optimizer: .lbfgs)
    #expect(whole.isConverged && blocks.isConverged)
    #expect(abs(whole.logPosterior - blocks.logPosterior) < 1e-5)
    // From the truth there is no higher maximum.
    let truth = Dictionary(
      uniqueKeysWithValues: fit.prior.freeSites.map { ($0, scene.truth($0) ?? .nan) })
    let near = LevenbergMarquardt().maximize(
      fit.density.makeJointEvaluator(), from: try fit.density.unconstrain(truth))
    #expect(near.value < whole.logPosterior + 1e-6)
  }

  @Test("parameters can be held and started by the names of the scene")
  func settings() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    var prior = scene.catalog.prior(in: image)
    prior.fix("n_3", at: 1)
    prior["n_0"] = Uniform(1, 4)
    let fit = try FitMulti(image, prior: prior)
    #expect(fit.density.layout["n_3"] == nil)
    let best = try fit.findMAP(start: ["r_eff_0": 5])
    #expect(best["n_3"] == 1 && best.isConverged)
    #expect(throws: GalaxyModelError.self) { try fit.findMAP(start: ["n_7": 2]) }
    #expect(throws: GalaxyModelError.self) { try fit.findMAP(start: ["n_3": 2]) }
  }

  @Test("a source whose parameter runs to its bound stops no scene")
  func bound() throws {
    var scene = SimulatedScene.five
    scene.sigma = 0.005
    let clean = try scene.image()
    // A disk of constant brightness: its index is below what the prior allows.
    let science = clean.science.enumerated().map { k, value in
      let (x, y) = (Double(k % scene.width) - 100, Double(k / scene.width) - 15)
      return value + (x * x + y * y < 36 ? 1.0 : 0)
    }
    let image = try ObservedImage(
      width: scene.width, height: scene.height, science: science, rms: clean.rms, psf: clean.psf)
    let sources = scene.catalog.sources + [CatalogSource(x: 100, y: 15, flux: 113, radius: 4.2)]
    let fit = try FitMulti(image, prior: SourceCatalog(sources).prior(in: image))
    for optimizer in MAPOptimizer.allCases {
      let best = try fit.findMAP(optimizer: optimizer)
      #expect(best["n_5"] < 0.31, "\(best["n_5"])")
      #expect(best.findings.contains { $0.code == "at-bound" && $0.subject == "n_5" })
      #expect(abs(best["flux_0"] / (scene.truth("flux_0") ?? 0) - 1) < 0.05)
    }
  }

  @Test("a source whose guess takes in its neighbours does not stay round")
  func round() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    let right = try FitMulti(image, prior: scene.catalog.prior(in: image)).findMAP()
    for number in 0..<5 {
      var wrong = scene.catalog.sources
      wrong[number].flux *= 4
      wrong[number].radius *= 6
      wrong[number].ellip = 0
      let best = try FitMulti(image, prior: SourceCatalog(wrong).prior(in: image)).findMAP()
      #expect(best.isConverged, "\(number): \(best.optimum.explanation)")
      #expect(abs(best.chiSquared - right.chiSquared) < 2, "\(number): \(best.chiSquared)")
    }
  }

  @Test("sources outside of the frame, at one place, and without light are said")
  func impossiblePlaces() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    func codes(_ sources: [CatalogSource]) throws -> Set<String> {
      let fit = try FitMulti(image, prior: SourceCatalog(sources).prior(in: image))
      return Set(try fit.findMAP().findings.map(\.code))
    }
    let new: Set = ["source-outside", "sources-coincide", "flux-negative"]
    let own = scene.catalog.sources
    #expect(try codes(own).isDisjoint(with: new))
    #expect(
      try codes(own + [CatalogSource(x: 500, y: 60, flux: 10, radius: 3)]).intersection(new)
        == ["source-outside"])
    var twin = own[0]
    twin.x += 0.4
    #expect(try codes(own + [twin]).contains("sources-coincide"))
    // A hole in the sky.
    let hole = image.science.enumerated().map { k, value in
      let (x, y) = (Double(k % scene.width) - 100, Double(k / scene.width) - 15)
      return value - 0.3 * max(0, 1 - (x * x + y * y) / 36)
    }
    let dark = try ObservedImage(
      width: scene.width, height: scene.height, science: hole, rms: image.rms, psf: image.psf)
    var prior = SourceCatalog(own + [CatalogSource(x: 100, y: 15, flux: 10, radius: 4)]).prior(
      in: dark)
    prior["flux_5"] = Normal(0, 30)
    let best = try FitMulti(dark, prior: prior).findMAP()
    #expect(best.findings.contains { $0.code == "flux-negative" }, "\(best["flux_5"])")
  }

  @Test("a search that is stopped at once still has a point")
  func cancellation() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    let fit = try FitMulti(image, prior: scene.catalog.prior(in: image))
    let best = try fit.findMAP(isCancelled: { true })
    #expect(best.logPosterior.isFinite && best.optimum.reason == .cancelled)
  }
}

extension FitMultiTests {
  @Test(
    "sources that overlap keep their own light, however far their fluxes are from the prior's median",
    arguments: [0, 7, 15, 22, 25, 38])
  func overlapping(replicate: Int) throws {
    let (group, image, truth) = try group(replicate)
    let fit = try FitMulti(image, prior: group.prior)
    let (found, known) = (try fit.findMAP(), try fit.findMAP(start: truth))
    #expect(found.optimum.isConverged && known.optimum.isConverged)
    // From the prior's median no lower maximum is found than from the truth: searches stop where a step would gain less than 1e-5.
    #expect(found.optimum.value > known.optimum.value - 1e-3)
  }

  @Test("fluxes and a sky that are fixed stay as they are, and the others are found beside them")
  func fixedFluxes() throws {
    let (group, image, truth) = try group(1)
    var prior = group.prior
    for site in ["flux_0", "flux_3", "sky_back"] { prior.fix(site, at: truth[site] ?? .nan) }
    let fit = try FitMulti(image, prior: prior)
    let found = try fit.findMAP()
    #expect(found.optimum.isConverged && !prior.freeSites.contains("flux_0"))
    let known = try fit.findMAP(start: truth.filter { prior.freeSites.contains($0.key) })
    #expect(found.optimum.value > known.optimum.value - 1e-3)
  }

  /// Returns five overlapping sources with an image of them, and the values it was drawn with.
  private func group(
    _ replicate: Int
  ) throws -> (group: CalibrationGroup, image: ObservedImage, truth: [String: Double]) {
    let group = try CalibrationGroup()
    let model = try FitMulti(group.blank, prior: group.prior).model
    let drawn = try model.unconditioned([GalaxySite.loss]).trace(
      key: RandomKey(3).folding(in: replicate).folding(in: "truth"))
    var truth: [String: Double] = [:]
    for site in group.prior.freeSites { truth[site] = drawn[site].value.item() }
    let image = try CalibrationScene.image(group.blank, drawn[GalaxySite.loss].value)
    return (group, image, truth)
  }
}
