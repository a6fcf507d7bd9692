// SPDX-License-Identifier: MIT
//
// The catalogue's Swift stands line by line in compiled examples, and those that are quick give right answers.

import Foundation
import SwiftSersic
import TestSupport
import Testing

@Suite("Catalogue")
struct CatalogueTests {
  /// The place of the articles from the package's root.
  private static let place = "Sources/SwiftSersic/SwiftSersic.docc"

  /// The names of the articles, the landing page among them.
  static let articles: [String] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let files = try? FileManager.default.contentsOfDirectory(
      atPath: root.appending(path: place).path)
    return (files ?? []).filter { $0.hasSuffix(".md") }.sorted()
  }()

  @Test("the articles are found")
  func found() { #expect(Self.articles.count >= 13) }

  @Test(
    "the lines of every Swift block occur, in order, in the compiled examples",
    arguments: articles)
  func blocksAreCompiled(article: String) throws {
    let folder = "Tests/SwiftSersicTests/Catalogue"
    let examples = ["Galaxy", "Language", "Algorithm"].map { "\(folder)/\($0)Examples.swift" }
    try checkSwiftBlocks(of: "\(Self.place)/\(article)", in: examples, atLeast: 1)
  }

  // MARK: - Galaxies

  /// Runs a body with a new folder, which is removed afterwards.
  private static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "/catalogue-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  @Test("the first fits recover a simulated galaxy from its files")
  func firstFits() throws {
    let truth: [String: Double] = [
      "xc": 24.3, "yc": 20.8, "flux": 800, "r_eff": 4, "n": 1.5, "ellip": 0.3, "theta": 0.8,
    ]
    let simulation = try ImageSimulation(
      .sersic, parameters: truth, sky: SkyLevel("flat:0.1"), width: 51, height: 41,
      psf: PointSpreadFunction.moffat(fwhm: 3, beta: 3, size: 25), noise: .gaussian(sigma: 0.05))
    try Self.withFolder { folder in
      let products = try simulation.run(key: 7).write(to: OutputFolder(folder), history: [])
      #expect(products.allSatisfy { $0.failure == nil })
      let (best, posterior) = try catalogueFirstFit(folder)
      let (_, robust, laplace) = try fitOneGalaxy(folder)
      #expect(best.isConverged && robust.isConverged)
      for scalar in posterior.draws.scalars + laplace.draws.scalars {
        guard let expected = truth[scalar.name] else { continue }
        // One fixed noise; Student's t with dof 5 understates the scatter by 0.89: 14 numbers beyond 5 sd, a chance below 1e-4.
        #expect(
          abs(scalar.mean - expected) < 5 * scalar.standardDeviation,
          "\(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation)")
      }
      let record = try keepOneGalaxy(laplace, folder)
      #expect(record.report.values == FitResult(laplace).record.report.values)
      #expect(FileManager.default.fileExists(atPath: folder + "/corner.pdf"))
    }
  }

  /// A galaxy of profile n = 1.5 and a star.
  private static func scene() throws -> ObservedImage {
    let light =
      Sersic(xc: 24.3, yc: 20.8, flux: 800, rEff: 4, n: 1.5, ellip: 0.3, theta: 0.8)
      + PointSource(xc: 40.4, yc: 30.7, flux: 120)
    return try UserProgramTests.simulate(light, sky: 0.05, width: 61, height: 51)
  }

  @Test("a scene of a galaxy and a star is recovered, with a parameter that is held")
  func sceneIsFitted() throws {
    let result = try fitScene(Self.scene())
    #expect(result.best.isConverged && result.sourceCount == 2)
    #expect(result.best["ellip_0"] == 0.3)
    for (number, flux) in [800.0, 120].enumerated() {
      let found = try #require(try result.source(number)["flux"])
      let (mean, sd) = (try #require(found.mean), try #require(found.standardDeviation))
      // One fixed noise, two fluxes: beyond five standard deviations by a chance of 1e-6.
      #expect(abs(mean - flux) < 5 * sd, "\(mean) ± \(sd), truth \(flux)")
    }
  }

  @Test("a joint fit of three bands and the program beside it have the sites that they should")
  func bandsAreFitted() throws {
    let bands = try [("g", 480.0, 400.0), ("r", 620, 600), ("i", 760, 800)].map {
      name, wavelength, flux in
      let light = Sersic(xc: 29.4, yc: 28.7, flux: flux, rEff: 5, n: 1.8, ellip: 0.35, theta: 0.7)
      let image = try UserProgramTests.simulate(
        light, sky: 0.05, key: RandomKey(3).folding(in: name))
      return Band(name, image, wavelength: wavelength)
    }
    let result = try fitBands(bands)
    #expect(result.best.isConverged)
    let n = try #require(result["n"])
    // One number beyond five standard deviations: a chance below 1e-6.
    #expect(abs((n.mean ?? 0) - 1.8) < 5 * (n.standardDeviation ?? 0))
    #expect(result["ellip_r"] != nil && result["r_eff_poly_1"] != nil)
    let names = try jointGalaxy(bands).logDensity().layout.names
    #expect(names.contains("r/n") && names.contains("i/sky_back") && names.count == 14)
  }

  @Test("programs of galaxies compile to densities, and their maximum draws an image")
  func ownGalaxies() throws {
    let light =
      Exponential(xc: 30.3, yc: 26.6, flux: 900, rEff: 8, ellip: 0.5, theta: 1)
      + DeVaucouleurs(xc: 30.3, yc: 26.6, flux: 300, rEff: 3, ellip: 0, theta: 0)
    let image = try UserProgramTests.simulate(light, sky: 0.1)
    let (best, fitted) = try approximateDiskAndBulge(image)
    #expect(fitted.shape == [image.height, image.width])
    // The total is known to some 1 %, priors and tails outside the frame included; the division of the light is not.
    let total = best["flux_disk"].item() + best["flux_bulge"].item()
    #expect(abs(total - 1200) < 60, "\(total)")
    let prior = autoprior(image, .sersic, sky: .flat)
    let names = try galaxyAndStar(image, prior).logDensity().layout.names
    #expect(names.contains("xc_star") && names.contains("sky_back"))
    #expect(names.contains("sys_scatter_base"))
    #expect(try brokenDisk().shapeNames == ["r_break", "slope"])
  }

  @Test("conventions: a light lies on the pixel that its centre names, columns first")
  func pixels() throws {
    let frame = try UserProgramTests.simulate(PointSource(xc: 5, yc: 5, flux: 1))
    let (column, row) = try brightestPixel(frame)
    #expect(column == 20 && row == 15)
    #expect(try fitWithFreeNoise(Self.scene()).density.layout.names.contains("sys_scatter_base"))
  }

  // MARK: - The language

  /// The estimated effects of the eight schools.
  private static let effects: [Double] = [28, 8, -3, 7, -1, 1, 18, 12]

  /// Their standard errors.
  private static let errors: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]

  @Test("the first model is sampled, and its draws are told, predicted, compared and kept")
  func firstModel() throws {
    let draws = try catalogueFirstModel(y: Self.effects, sigma: Self.errors)
    #expect(draws.names == ["mu", "tau", "theta"] && draws["theta"].shape == [4, 1000, 8])
    #expect(examineDraws(draws).names.last == "largest")
    let model = schools(y: Self.effects, sigma: Self.errors)
    let (replicated, prior) = try predict(model, draws)
    #expect(replicated["y"].shape == [4, 1000, 8] && prior["mu"].shape == [1, 1000])
    let comparison = try compare(model, draws, y: Self.effects, sigma: Self.errors)
    #expect(comparison.rows.count == 2)
    try Self.withFolder { folder in
      let kept = try keepDraws(draws, folder)
      #expect(kept["mu"].elements == draws["mu"].elements)
    }
  }

  @Test("statements, handlers and data do what the article says")
  func statements() throws {
    let (age, height): ([Double], [Double]) = ([0, 1, 2], [51, 57, 63])
    let trace = try checkGrowth(age: age, height: height)
    #expect(trace["mean"].value.elements == [50, 57, 64])
    #expect(trace["start"].site.isLatent)
    let traces = try handledGrowth(age: age, height: height)
    #expect(traces[0]["height"].value.elements == height)
    #expect(traces[1]["scatter"].value.item() == 2 && traces[1]["scatter"].site.isObserved)
    #expect(traces[2]["height"].value.elements != height)
    #expect(Set(traces[3]["mean"].value.elements).count == 1)
    #expect(try countSites(growth(age: age, height: height)) == 3)
    let weaker = try downweighted(growth(age: age, height: height)).trace()
    #expect(weaker["height"].site.scale.item() == 0.5)
    #expect(
      try reparameterizedSchools(y: Self.effects, sigma: Self.errors)
        == ["mu", "tau", "theta_base"])
    #expect(try twoGroups(height, height, age).logDensity().layout.names.contains("boys/rate"))
    let rows = try rowEffects(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])).trace()
    #expect(rows["row"].value.shape == [2, 1])
    try Self.withFolder { folder in
      try "{\"age\": [0, 1, 2], \"height\": [51, 57, 63]}".write(
        toFile: "\(folder)/growth.json", atomically: true, encoding: .utf8)
      let read = try growth(contentsOf: "\(folder)/growth.json").trace()
      #expect(read["height"].value.elements == height)
    }
  }

  @Test("compiled densities and functions have the derivatives that follow by hand")
  func derivatives() throws {
    let (value, gradient, count) = try evaluate(growth(age: [0, 1, 2], height: [51, 57, 63]))
    #expect(value.isFinite && gradient.count == 3 && count == 3)
    let rosenbrock = rosenbrockDerivatives()
    // (1 − x)² + 100 (y − x²)² at (1/2, 1/2): 1/4 + 100/16, exact in binary.
    #expect(rosenbrock.value == 6.5 && rosenbrock.gradient.elements == [-51, 50])
    #expect(rosenbrock.hessian.elements == [802, -400, -400, 200])
    let knees = try compareKnees()
    #expect(knees.0 && !knees.1)
    for (slope, x) in zip(logCoshGradient().elements, [0.3, -2]) {
      // One rounding.
      #expect(abs(slope - tanh(x)) < 1e-15)
    }
  }

  @Test("a regression is sampled and predicted")
  func regressionRuns() throws {
    let (draws, predictions) = try runRegression(x: [0, 1, 2, 3, 4], y: [1.1, 2.9, 5.2, 7.1, 8.8])
    #expect(predictions["y"].shape == [4, 1000, 5])
    let slope = draws.scalar("b")
    #expect(abs(slope.mean - 1.97) < 3 * slope.standardDeviation)
  }

  // MARK: - Algorithms

  @Test("kernels and densities of one's own run like the library's")
  func ownKernels() throws {
    let banana = try sampleBanana()
    #expect(banana.names == ["x"] && banana["x"].shape == [2, 500, 2])
    let density = try Model { m in m.sample("z", Normal(3, 2)) }.logDensity()
    let walk = try sampleByCauchyWalk(density).scalar("z")
    // The Monte Carlo errors say how far off the moments may be: six of them, two numbers, a chance below 1e-7.
    #expect(abs(walk.mean - 3) < 6 * walk.meanError, "\(walk.mean) ± \(walk.meanError)")
    #expect(
      abs(walk.standardDeviation - 2) < 6 * walk.standardDeviationError,
      "\(walk.standardDeviation) ± \(walk.standardDeviationError)")
    #expect(try chainByHand(density).count > 400)
  }

  @Test("guides written by hand and automatic ones come near a known posterior")
  func guides() throws {
    let y = (0..<200).map { RandomKey(17).normal(UInt64($0)) * 1.5 + 0.7 }
    let mean = y.reduce(0, +) / (200 + 1.5 * 1.5 / 4)
    let subsampled = try fitSubsamples(y: y).sample(4000, key: 2).scalar("mu")
    // Batches of 20 move the mean that a step sees by three posterior deviations of 0.106; averaged over a thousand steps it leaves
    // a part of one.
    #expect(abs(subsampled.mean - mean) < 0.15, "\(subsampled.mean), \(mean)")
    let byHand = try fitGuideByHand(y: y)
    let location = try #require(byHand.parameters["location"]).item()
    #expect(abs(location - mean) < 0.15, "\(location), \(mean)")
    let model = schools(y: Self.effects, sigma: Self.errors)
      .reparameterized(["theta": LocScale()])
    #expect(try fitTempered(model).losses.count == 500)
  }
}
