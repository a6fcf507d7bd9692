// SPDX-License-Identifier: MIT
//
// What the stock fits choose for their chains, and that a choice of one's own is kept.

import GalaxyFitting
import GalaxyModels
import Inference
import PPL
import Rendering
import Testing

@Suite("The tuning of chains of stock fits")
struct ChainTuningTests {
  /// Returns the fit of one Sérsic source in noise of a given deviation, and its maximum.
  private static func fit(
    ellip: Double = 0.4, sigma: Double, isNoisy: Bool = true
  ) throws -> (FitSingle, MAPFit) {
    let image = try SamplingTests.galaxy(theta: 0.7, ellip: ellip, sigma: sigma, isNoisy: isNoisy)
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat))
    return (fit, try fit.findMAP())
  }

  @Test("a nearly normal posterior keeps the mode's curvature, and takes long steps")
  func bright() throws {
    let (fit, best) = try Self.fit(sigma: 0.002)
    #expect(try fit.tuning(from: best) == ChainTuning(targetAcceptance: 0.7, metric: .none))
  }

  @Test("a faint source's posterior is skew: the metric is learned, at the usual acceptance")
  func faint() throws {
    let (fit, best) = try Self.fit(sigma: 0.2)
    let tuning = try fit.tuning(from: best)
    #expect(tuning.metric == .lowRank && tuning.targetAcceptance == 0.8)
  }

  @Test("a round source's angle has the wide ring, and no metric from one point of its circle")
  func round() throws {
    let (fit, best) = try Self.fit(ellip: 0, sigma: 0.05, isNoisy: false)
    let tuning = try fit.tuning(from: best)
    #expect(tuning == ChainTuning(metric: .lowRank, broadAngles: [GalaxySite.theta]))
  }

  @Test("two extended components learn their directions in short steps, and keep every fourth draw")
  func twoComponents() throws {
    let source = ComponentFitTests.sources[0]
    let image = try ComponentFitTests.image(source, sigma: 0.02, seed: 1)
    let fit = try FitSingle(image, prior: autoprior(image, source.profile, sky: .flat))
    let tuning = try fit.tuning(from: fit.findMAP())
    #expect(tuning == ChainTuning(targetAcceptance: 0.95, metric: .lowRank, thinning: 4))
  }

  @Test("one source of several with an open angle does not widen the ring of the others")
  func oneOfSeveral() throws {
    let flat = ["xc": 20.3, "yc": 24.8, "flux": 200, "r_eff": 4, "ellip": 0.5, "theta": 0.7]
    let round = ["xc": 58.7, "yc": 22.1, "flux": 30, "r_eff": 3, "ellip": 0, "theta": 0]
    let scene = SimulatedScene(
      sources: [(.exp, flat), (.exp, round)], width: 81, height: 51, sigma: 0.04)
    let image = try scene.image()
    let fit = try FitMulti(image, prior: scene.catalog.prior(in: image, sky: .flat))
    let tuning = try fit.tuning(from: fit.findMAP())
    #expect(tuning.broadAngles == ["theta_1"], "\(tuning)")
  }

  @Test("a posterior that is a little skew keeps the mode's curvature, at the usual acceptance")
  func between() throws {
    let (fit, best) = try Self.fit(sigma: 0.055)
    #expect(try fit.tuning(from: best) == ChainTuning(targetAcceptance: 0.8, metric: .none))
  }

  @Test("a tuning that cannot be is refused before the search")
  func refused() throws {
    let (fit, best) = try Self.fit(sigma: 0.02)
    #expect(throws: ModelError.self) {
      try fit.sample(from: best, tuning: ChainTuning(targetAcceptance: 1))
    }
    // Were the set not used, this would run.
    #expect(throws: ModelError.self) {
      try fit.sample(
        chains: 1, warmUp: 10, draws: 10, from: best, tuning: ChainTuning(broadAngles: ["n"]))
    }
  }

  @Test("an acceptance and a metric of one's own are used")
  func overruled() throws {
    let (fit, best) = try Self.fit(sigma: 0.02)
    func statistics(_ acceptance: Double, _ metric: MetricAdaptation) throws -> SamplerStatistics {
      let sampled = try fit.sample(
        chains: 1, warmUp: 150, draws: 200, from: best,
        tuning: ChainTuning(targetAcceptance: acceptance, metric: metric))
      return try #require(sampled.sampler)
    }
    let long = try statistics(0.6, .none)
    let short = try statistics(0.95, .none)
    // At 0.95 steps are about half as long as at 0.6; 200 iterations tune them to a tenth.
    #expect(long.stepSizes[0] > 1.3 * short.stepSizes[0])
    #expect(long.gradients.reduce(0, +) < short.gradients.reduce(0, +))
    #expect(Self.hasCorrelations(long.metrics[0]))
    #expect(try !Self.hasCorrelations(statistics(0.8, .diagonal).metrics[0]))
  }

  /// Returns whether a metric has entries off the diagonal.
  private static func hasCorrelations(_ metric: Metric) -> Bool {
    let n = metric.dimension
    return metric.covariance.indices.contains { $0 / n != $0 % n && metric.covariance[$0] != 0 }
  }
}
