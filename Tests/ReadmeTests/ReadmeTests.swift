// SPDX-License-Identifier: MIT
//
// The README's Swift stands in ReadmeExamples.swift line by line, and those examples give right answers.

import FITS
import Foundation
import SwiftSersic
import TestSupport
import Testing

@Suite("README")
struct ReadmeTests {
  @Test("the lines of every Swift block occur, in order, in the compiled examples")
  func blocksAreCompiled() throws {
    try checkSwiftBlocks(
      of: "README.md", in: ["Tests/ReadmeTests/ReadmeExamples.swift"], atLeast: 4)
  }

  /// The truth of the simulated galaxy.
  private static let truth: [String: Double] = [
    "xc": 24.3, "yc": 20.8, "flux": 800, "r_eff": 4, "n": 1.5, "ellip": 0.3, "theta": 0.8,
    "sky_back": 0.1,
  ]

  /// Returns a simulated galaxy with Gaussian noise of 0.05 a pixel.
  private static func galaxy() throws -> ObservedImage {
    let (width, height, noise) = (51, 41, 0.05)
    let blank = [Double](repeating: 0, count: width * height)
    let rms = [Double](repeating: noise, count: width * height)
    let psf = try PointSpreadFunction.moffat(fwhm: 3, beta: 3, size: 25)
    let frame = try ObservedImage(
      width: width, height: height, science: blank, rms: rms, psf: psf)
    let model = Model { m in
      let light = Sersic(xc: 24.3, yc: 20.8, flux: 800, rEff: 4, n: 1.5, ellip: 0.3, theta: 0.8)
      m.observe(frame, light, sky: Tensor(0.1))
    }
    let exact = try #require(try model.trace(key: 0).values["model"]).elements
    let key = RandomKey(7)
    let science = exact.enumerated().map { $1 + noise * key.normal(UInt64($0)) }
    return try ObservedImage(width: width, height: height, science: science, rms: rms, psf: psf)
  }

  @Test("the stock fit recovers a simulated galaxy from its files")
  func stockFitRecovers() throws {
    let folder = NSTemporaryDirectory() + "/readme-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let image = try Self.galaxy()
    let psf = try #require(image.psf)
    let files = [
      ("image", image.width, image.height, image.science),
      ("rms", image.width, image.height, image.rms),
      ("psf", psf.width, psf.height, psf.values),
    ]
    for (name, width, height, values) in files {
      try FITSWriter.write(
        [FITSOutputImage(name: "", width: width, height: height, values: values)],
        to: "\(folder)/\(name).fits")
    }
    let (best, posterior) = try stockFit(folder)
    #expect(best.isConverged)
    for parameter in posterior.draws.scalars {
      let truth = try #require(Self.truth[parameter.name])
      let error = abs(best[parameter.name] - truth) / parameter.standardDeviation
      // Fixed noise; dof 5 understates the scatter by 0.89. Eight parameters beyond 4.5 sd: chance below 1e-4.
      #expect(error < 4.5, "\(parameter.name) is \(error) standard deviations off")
    }
  }

  @Test("results are drawn, checked, saved and read back the same")
  func resultsAreKept() throws {
    let folder = NSTemporaryDirectory() + "/readme-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let image = try Self.galaxy()
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let (result, record, check) = try results(fit, fit.findMAP(), folder)
    #expect(record == result.record)
    #expect(check.isSound, "\(check)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files == ["corner.pdf", "fit.asdf", "image.png", "residual.png", "trace.svg"])
  }

  @Test("the fit of several sources finds both of a simulated pair")
  func severalSourcesRecovers() throws {
    let folder = NSTemporaryDirectory() + "/readme-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "x,y,flux,r,type\n24,21,700,5,sersic\n40,31,100,3,sersic\n".write(
      toFile: "\(folder)/sources.csv", atomically: true, encoding: .utf8)
    let galaxy = try Self.galaxy()
    let neighbour = try galaxy.rendered(
      Sersic(xc: 40.4, yc: 30.7, flux: 120, rEff: 2.5, n: 1, ellip: 0.2, theta: 1.1))
    let image = try ObservedImage(
      width: galaxy.width, height: galaxy.height,
      science: zip(galaxy.science, neighbour).map { $0 + $1 }, rms: galaxy.rms, psf: galaxy.psf)
    let result = try severalSources(image, folder)
    #expect(result.best.isConverged && result.sourceCount == 2)
    let truths = [Self.truth, ["xc": 40.4, "yc": 30.7, "flux": 120, "r_eff": 2.5, "n": 1]]
    for (number, truth) in truths.enumerated() {
      for parameter in try result.source(number).parameters {
        guard let expected = truth[parameter.name], let sd = parameter.standardDeviation,
          let mean = parameter.mean
        else { continue }
        #expect(abs(mean - expected) < 4.5 * sd, "\(parameter.name)_\(number)")
      }
    }
  }

  @Test("the joint fit of three bands finds one galaxy, and the radius between the bands")
  func severalBandsRecovers() throws {
    let folder = NSTemporaryDirectory() + "/readme-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let blank = try Self.galaxy()
    let psf = try #require(blank.psf)
    for (k, name) in ["g", "r", "i"].enumerated() {
      // Straight in the logarithm: 4.5 at 480, 3.5 at 760.
      let radius = 4.5 * pow(3.5 / 4.5, Double(k) / 2)
      let light = Sersic(
        xc: 24.3, yc: 20.8, flux: 400 + 200 * Double(k), rEff: radius, n: 1.5, ellip: 0.3,
        theta: 0.8)
      let key = RandomKey(7).folding(in: name)
      let science = try blank.rendered(light).enumerated().map {
        $1 + 0.1 + 0.05 * key.normal(UInt64($0))
      }
      for (suffix, width, height, values) in [
        ("", blank.width, blank.height, science), ("_rms", blank.width, blank.height, blank.rms),
        ("_psf", psf.width, psf.height, psf.values),
      ] {
        try FITSWriter.write(
          [FITSOutputImage(name: "", width: width, height: height, values: values)],
          to: "\(folder)/\(name)\(suffix).fits")
      }
    }
    let result = try severalBands(folder)
    #expect(result.best.isConverged)
    for (name, truth) in [("n", 1.5), ("ellip", 0.3), ("flux_r", 600), ("r_eff_g", 4.5)] {
      let summary = try #require(result[name])
      let (mean, sd) = (try #require(summary.mean), try #require(summary.standardDeviation))
      #expect(abs(mean - truth) < 4.5 * sd, "\(name): \(mean) ± \(sd)")
    }
    let between = try result.parameter("r_eff", at: [550])[0]
    let truth = 4.5 * pow(3.5 / 4.5, 0.25)
    #expect(abs((between.mean ?? 0) - truth) < 4.5 * (between.standardDeviation ?? 0))
  }

  @Test("the model of one's own runs, and its draws have the shape of one chain")
  func ownGalaxyRuns() throws {
    let draws = try approximateOwnGalaxy(Self.galaxy())
    #expect(draws["flux"].shape == [1, 1000])
    #expect(draws["b_t"].elements.allSatisfy { $0 >= 0 && $0 <= 1 })
  }

  @Test("the profile of one's own is drawn with the light that it has")
  func ownProfileIsDrawn() throws {
    let image = try Self.galaxy().rendered(ownProfile())
    // At eight half-light radii of the disk little lies outside the frame.
    #expect(abs(image.reduce(0, +) - 100) < 1)
    #expect(image.allSatisfy { $0.isFinite })
  }

  @Test("eight schools have the density and gradient that follow by hand")
  func eightSchools() throws {
    let y: [Double] = [28, 8, -3, 7, -1, 1, 18, 12]
    let sigma: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]
    let folder = NSTemporaryDirectory() + "/readme-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (value, gradient, draws, tempered) = try eightSchoolsAtOrigin(y, sigma, folder)
    #expect(draws.names == ["mu", "tau", "theta"] && draws["theta"].shape == [4, 1000, 8])
    #expect(FileManager.default.fileExists(atPath: folder + "/schools.chains"))
    // At the origin mu = 0, tau = 1 and all theta = 0.
    let halfLogTwoPi = 0.5 * log(2 * Double.pi)
    let scores = zip(y, sigma).map { $0 / ($1 * $1) }
    var expected = -halfLogTwoPi - log(5) + log(2 / (Double.pi * 5 * (1 + 1.0 / 25)))
    expected -= 8 * halfLogTwoPi
    for (y, sigma) in zip(y, sigma) {
      expected -= 0.5 * (y / sigma) * (y / sigma) + log(sigma) + halfLogTwoPi
    }
    // Sums of some forty rounded terms of size 1 to 10.
    #expect(abs(value - expected) < 1e-12)
    let byHand = [scores.reduce(0, +), 1 - 2.0 / 26] + scores
    for (found, wanted) in zip(gradient, byHand) { #expect(abs(found - wanted) < 1e-13) }
    #expect(gradient.count == byHand.count)
    // Tempering halves the data's share only: the prior of mu = 3 stays, as an observed site halved.
    let site = try #require(tempered.site("y"))
    #expect(site.scale.item() == 0.5)
  }
}
