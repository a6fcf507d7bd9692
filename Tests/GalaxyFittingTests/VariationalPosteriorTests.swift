// SPDX-License-Identifier: MIT
//
// Variational posteriors of the stock fit: they agree with Markov chains, wherever the angle lies, or say that they are wrong.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics
import Rendering
import Synchronization
import Testing

@Suite("Variational posteriors of the stock fit")
struct VariationalPosteriorTests {
  /// The differences of two sets of draws, worst parameter: of means in deviations of the second, of deviations as ratios.
  static func difference(_ draws: Draws, _ reference: Draws) -> (mean: Double, ratio: Double) {
    var worst = (mean: 0.0, ratio: 0.0)
    for scalar in draws.scalars {
      let other = reference.scalar(scalar.name)
      var shift = scalar.mean - other.mean
      if let period = scalar.period { shift -= period * (shift / period).rounded() }
      let ratio = scalar.standardDeviation / other.standardDeviation
      worst.mean = max(worst.mean, abs(shift) / other.standardDeviation)
      worst.ratio = max(worst.ratio, abs(ratio - 1))
    }
    return worst
  }

  /// Returns the fit of a small galaxy, with its priors changed.
  static func fit(
    theta: Double, ellip: Double = 0.4, sigma: Double = 0.02,
    _ change: (inout GalaxyPrior) -> Void = { _ in }
  ) throws -> FitSingle {
    let image = try SamplingTests.galaxy(theta: theta, ellip: ellip, sigma: sigma)
    var prior = autoprior(image, .sersic, sky: .flat)
    change(&prior)
    return try FitSingle(image, prior: prior)
  }

  @Test(
    "the closest normal distribution and a flow agree with Markov chains, at every angle",
    arguments: [0, 0.7, 3.1405])
  func agreement(theta: Double) throws {
    let fit = try Self.fit(theta: theta)
    let best = try fit.findMAP()
    let chains = try fit.sample(chains: 2, warmUp: 300, draws: 2000, from: best, key: 3)
    for method in [PosteriorMethod.sviMVN, .sviFlow] {
      let posterior = try fit.estimatePosterior(method, from: best, key: 5)
      #expect(posterior.method == method.rawValue && posterior.draws.draws == 10_000)
      #expect(posterior.draws.names == fit.prior.freeSites)
      let (mean, ratio) = Self.difference(posterior.draws, chains.draws)
      // The goal, 0.1 deviations and 10 %; the chains' own errors are 0.02 deviations and 1.5 %.
      #expect(mean < 0.1 && ratio < 0.1, "\(method): \(mean), \(ratio)")
      let guide = try #require(posterior.variational)
      #expect(guide.reason == (method == .sviMVN ? .converged : .steps))
      #expect(guide.diagnostics.efficiency > 0.95, "\(guide.diagnostics)")
      #expect(posterior.findings == chains.findings, "\(posterior.findings)")
    }
  }

  @Test("a round galaxy's angle is said to be undetermined, its guide doubtful or right")
  func round() throws {
    let image = try SamplingTests.galaxy(theta: 0, ellip: 0, sigma: 0.05, isNoisy: false)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let posterior = try fit.estimatePosterior(.sviMVN, key: 1)
    #expect(posterior.findings.contains { $0.code == "angle-undetermined" })
    // The posterior of ellip ends at zero, which no normal distribution in its logit follows.
    #expect(posterior.findings.contains { $0.code == "not-converged" || $0.code == "pareto-k" })
  }

  @Test("an angle at the wall of a prior is warned about in words", arguments: [0.0, 3.1])
  func walled(theta: Double) throws {
    let fit = try Self.fit(theta: theta) { $0[GalaxySite.theta] = Uniform(0, 3) }
    let best = try fit.findMAP()
    for method in PosteriorMethod.allCases {
      let posterior = try fit.estimatePosterior(method, from: best, key: 2)
      let edge = try #require(
        posterior.findings.first { $0.code == "prior-edge" && $0.subject == GalaxySite.theta },
        "\(method): \(posterior.findings)")
      #expect(edge.message.contains("an angle has no walls"))
    }
    // The posterior ends at the wall with a finite density: a normal distribution in the logit is 30 % too wide.
    let normal = try fit.estimatePosterior(.sviMVN, from: best, key: 2)
    #expect(normal.findings.contains { $0.code == "not-converged" || $0.code == "pareto-k" })
  }

  @Test("a fit that is stopped keeps its best guide, and says so; progress is told")
  func stopped() throws {
    let fit = try Self.fit(theta: 1)
    let best = try fit.findMAP()
    let questions = Atomic(0)
    let posterior = try fit.estimatePosterior(
      .sviFlow, from: best, draws: 1000, key: 1,
      isCancelled: { questions.wrappingAdd(1, ordering: .relaxed).newValue > 200 })
    #expect(posterior.findings.contains { $0.code == "cancelled" }, "\(posterior.findings)")
    let laplace = try fit.estimatePosterior(.laplace, from: best, draws: 10_000, key: 1)
    let (mean, ratio) = Self.difference(posterior.draws, laplace.draws)
    // Laplace itself is 0.07 deviations off here; 1000 draws have errors of 0.03 and 2 %, of which sixteen are compared.
    #expect(mean < 0.25 && ratio < 0.15, "\(mean), \(ratio)")
    let text = FitResult(posterior).json.text
    #expect(text.contains("\"was_cancelled\": true") && text.contains("\"elbo\""))
  }

  @Test("table and JSON show what the guide is worth")
  func files() throws {
    let fit = try Self.fit(theta: 1)
    let posterior = try fit.estimatePosterior(.sviMVN, draws: 2000, key: 1)
    let result = FitResult(posterior)
    #expect(result.method == "svi-mvn")
    #expect(result.table.contains("evidence bound") && result.table.contains("Pareto k"))
    let text = result.json.text
    for word in ["\"reason\": \"converged\"", "\"pareto_k\"", "\"efficiency\"", "\"gradients\""] {
      #expect(text.contains(word), "\(word)")
    }
    #expect(!text.contains("r_hat") && !text.contains("ess_bulk"))
  }

  /// The folder of a real galaxy, beside the package.
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "shared/data/gal1").path

  @Test(
    "of a real galaxy Laplace, the closest normal distribution and a flow agree",
    .enabled(
      if: FileManager.default.fileExists(atPath: folder + "/image.fits"),
      "needs shared/data/gal1 beside the package"))
  func realGalaxy() throws {
    let folder = Self.folder
    let image = try ObservedImage(
      science: "\(folder)/image.fits", rms: "\(folder)/rms.fits", psf: "\(folder)/psf.fits",
      mask: "\(folder)/mask.fits")
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let best = try fit.findMAP()
    let laplace = try fit.estimatePosterior(.laplace, from: best, key: 1)
    for method in [PosteriorMethod.sviMVN, .sviFlow] {
      let posterior = try fit.estimatePosterior(method, from: best, key: 2)
      let (mean, ratio) = Self.difference(posterior.draws, laplace.draws)
      // Ten thousand draws of each: errors of 0.014 deviations and 1 %.
      #expect(mean < 0.1 && ratio < 0.1, "\(method): \(mean), \(ratio)")
      let worth = try #require(posterior.variational?.diagnostics)
      #expect(worth.efficiency > 0.99 && posterior.findings == laplace.findings)
    }
  }
}
