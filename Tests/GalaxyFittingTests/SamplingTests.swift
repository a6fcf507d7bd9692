// SPDX-License-Identifier: MIT
//
// Markov chains on the stock fit: they agree with each other, with the curvature and with the truth, wherever the angle lies.

import Distributions
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics
import PPL
import Rendering
import Tensors
import Testing

@Suite("Sampling the stock fit")
struct SamplingTests {
  /// A galaxy of 33 × 31 pixels at a given angle, with noise.
  static func galaxy(
    theta: Double, ellip: Double = 0.4, sigma: Double = 0.02, isNoisy: Bool = true
  ) throws -> ObservedImage {
    let light = Sersic(xc: 15.2, yc: 16.1, flux: 60, rEff: 3.5, n: 1.5, ellip: ellip, theta: theta)
    let clean = try FitSingleTests.clean(
      light.lightProfile, sky: .flat(Tensor(0.01)), width: 33, height: 31)
    let key = RandomKey(11)
    let noisy = clean.enumerated().map {
      $0.element + (isNoisy ? sigma * key.normal(UInt64($0.offset)) : 0)
    }
    return try FitSingleTests.image(noisy, sigma: sigma, width: 33, height: 31)
  }

  @Test(
    "chains converge, hold the truth, and agree with the Laplace approximation",
    arguments: [0, 0.001, 0.7, 1.5707, 3.1405])
  func everyAngle(theta: Double) throws {
    let image = try Self.galaxy(theta: theta)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let best = try fit.findMAP()
    let laplace = try fit.estimatePosterior(.laplace, from: best)
    let sampled = try fit.sample(chains: 2, warmUp: 300, draws: 1000, from: best, key: 3)
    #expect(sampled.draws.chains == 2 && sampled.draws.draws == 1000)
    #expect(sampled.draws.names == fit.prior.freeSites)
    let truth = [
      "xc": 15.2, "yc": 16.1, "flux": 60, "r_eff": 3.5, "n": 1.5, "ellip": 0.4, "theta": theta,
      "sky_back": 0.01,
    ]
    for (scalar, normal) in zip(sampled.draws.scalars, laplace.draws.scalars) {
      #expect(scalar.rHat < 1.01, "\(scalar.name): R-hat \(scalar.rHat)")
      #expect(scalar.bulkESS > 400, "\(scalar.name): ESS \(scalar.bulkESS)")
      let sd = scalar.standardDeviation
      var offset = scalar.mean - (truth[scalar.name] ?? .nan)
      if let period = scalar.period { offset -= period * (offset / period).rounded() }
      // Five standard deviations: chance does this to one of 40 numbers once in 40 000 keys; the key is fixed.
      #expect(abs(offset) < 5 * sd, "\(scalar.name): \(scalar.mean) ± \(sd)")
      // The posterior of a galaxy at this signal-to-noise is nearly normal; skewness moves a mean by some tenths of sd.
      var shift = scalar.mean - normal.mean
      if let period = scalar.period { shift -= period * (shift / period).rounded() }
      #expect(abs(shift) < 0.4 * sd, "\(scalar.name): shift \(shift / sd) sd")
      #expect(abs(sd / normal.standardDeviation - 1) < 0.2, "\(scalar.name): sd ratio")
    }
    #expect(sampled.sampler?.divergences == 0)
    #expect(sampled.findings == laplace.findings, "\(sampled.findings)")
  }

  @Test("chains that start at opposite angles meet", arguments: [0, 0.02, 0.3])
  func oppositeStarts(ellip: Double) throws {
    let image = try Self.galaxy(theta: 0.0, ellip: ellip, sigma: 0.05)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let starts = [0.05, 0.8, 1.57, 3.1].map { angle in
      [
        "theta": angle, "ellip": 0.3, "n": 1.5, "r_eff": 3.5, "xc": 15.2, "yc": 16.1,
        "flux": 60.0, "sky_back": 0.01,
      ] as [String: any TensorConvertible]
    }
    let draws = try NUTS().run(
      fit.density, chains: 4, warmUp: 500, draws: 800, key: 5, initial: .valuesByChain(starts),
      adaptation: .dense)
    for scalar in draws.scalars {
      #expect(scalar.rHat < 1.01, "\(scalar.name): R-hat \(scalar.rHat)")
    }
    let theta = try #require(draws.scalars.first { $0.name == GalaxySite.theta })
    if ellip == 0 { #expect((theta.concentration ?? 1) < 0.9) }
    if ellip == 0.3 {
      #expect(FitSingleTests.distance(theta.mean, 0) < 5 * theta.standardDeviation)
    }
  }

  @Test("a round galaxy's angle is said to be undetermined")
  func undetermined() throws {
    // Noise would give a round galaxy a direction of its own, and a short chain a chance to find it.
    let image = try Self.galaxy(theta: 0, ellip: 0, sigma: 0.05, isNoisy: false)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let sampled = try fit.sample(chains: 2, warmUp: 500, draws: 800, key: 1)
    #expect(sampled.findings.contains { $0.code == "angle-undetermined" }, "\(sampled.findings)")
    #expect(!sampled.findings.contains { $0.code == "r-hat" }, "\(sampled.findings)")
  }

  @Test("chains in the coordinates of a flow sample the same posterior")
  func neutra() throws {
    let image = try Self.galaxy(theta: 1)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let best = try fit.findMAP()
    let plain = try fit.sample(chains: 2, warmUp: 300, draws: 1000, from: best, key: 6)
    let moved = try fit.sample(.neutra, chains: 2, warmUp: 300, draws: 1000, from: best, key: 6)
    #expect(moved.method == "neutra" && moved.draws.names == plain.draws.names)
    #expect(moved.sampler?.divergences == 0)
    for (a, b) in zip(plain.draws.scalars, moved.draws.scalars) {
      #expect(b.rHat < 1.01 && b.bulkESS > 400, "\(b.name): R-hat \(b.rHat), ESS \(b.bulkESS)")
      var shift = a.mean - b.mean
      if let period = a.period { shift -= period * (shift / period).rounded() }
      let sd = a.standardDeviation
      // Means of 400 effective draws or more each are known to 0.07 sd together, deviations to 5 %: four of these.
      #expect(abs(shift) < 0.28 * sd, "\(a.name): shift \(shift / sd) sd")
      #expect(abs(b.standardDeviation / sd - 1) < 0.2, "\(a.name): sd ratio")
    }
  }

  @Test("a run that is stopped keeps its complete draws, and says so")
  func stopped() throws {
    let image = try Self.galaxy(theta: 1)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    let best = try fit.findMAP()
    let clock = ContinuousClock()
    let begin = clock.now
    let sampled = try fit.sample(
      chains: 2, warmUp: 50, draws: 10_000_000, from: best,
      isCancelled: { clock.now - begin > .seconds(1) })
    #expect(sampled.draws.draws > 10 && sampled.draws.draws < 10_000_000)
    #expect(sampled.findings.contains { $0.code == "cancelled" }, "\(sampled.findings)")
    let result = FitResult(sampled)
    #expect(result.json.text.contains("\"was_cancelled\": true"))
  }
}
