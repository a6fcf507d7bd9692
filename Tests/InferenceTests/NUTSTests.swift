// SPDX-License-Identifier: MIT
//
// The no-U-turn sampler leaves its target invariant, whatever the metric, and its run does not depend on threads.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("NUTS")
struct NUTSTests {
  /// A correlated normal with given scales: x = scales · (L z).
  static func correlatedNormal() -> Model<Void> {
    let lower = Tensor([1, 0, 0, 0.8, 0.6, 0, -0.3, 0.4, 0.8660254037844386], shape: [3, 3])
    return Model<Void> { m in
      let x = m.sample("x", Normal(Tensor.zeros([3]), 100).toEvent(1))
      let z = lower.triangularSolve(x / Tensor([1, 3, 0.2]))
      // The flat-ish prior is divided out again: the target is exactly the correlated normal.
      let prior = Tensor.logDensity(.normal, x, [Tensor(0), Tensor(100)], summed: true)
      m.factor("target", -0.5 * square(z).sum() - prior)
    }
  }

  @Test(
    "means, variances and correlations of a correlated normal are right", arguments: [true, false])
  func correlated(dense: Bool) throws {
    let density = try Self.correlatedNormal().logDensity()
    let draws = try NUTS().run(
      density, chains: 4, warmUp: 500, draws: 1500, key: 3,
      adaptation: dense ? .dense : .diagonal)
    let expected = [1.0, 3.0, 0.2]
    for (k, scalar) in draws.scalars.enumerated() {
      #expect(scalar.rHat < 1.01, "\(scalar.name): R-hat \(scalar.rHat)")
      #expect(scalar.bulkESS > 800 && scalar.tailESS > 800)
      // Five Monte Carlo errors: a false failure in two million.
      #expect(abs(scalar.mean) < 5 * scalar.meanError)
      #expect(
        abs(scalar.standardDeviation / expected[k] - 1) < 5 / (2 * scalar.bulkESS).squareRoot())
    }
    let (x, y) = (draws.scalars[0].values, draws.scalars[1].values)
    let correlation = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / Double(x.count) / 3
    #expect(abs(correlation - 0.8) < 0.08)
    let statistics = try #require(draws.statistics)
    #expect(statistics.divergences == 0)
    let acceptance = statistics.acceptance.reduce(0, +) / Double(statistics.acceptance.count)
    // The averaged step size overshoots the target acceptance a little, as in Stan.
    #expect(acceptance > 0.7 && acceptance < 0.97)
  }

  @Test("the same key gives the same draws, another key others")
  func keyed() throws {
    let density = try Self.correlatedNormal().logDensity()
    let runs = try [RandomKey(1), 1, 2].map {
      try NUTS().run(density, chains: 2, warmUp: 50, draws: 50, key: $0).sites[0].values
    }
    #expect(runs[0] == runs[1])
    #expect(runs[0] != runs[2])
  }

  @Test("centred eight schools diverge, non-centred do not; the known posterior comes out")
  func eightSchools() throws {
    let y = [28.0, 8, -3, 7, -1, 1, 18, 12]
    let sigma = [15.0, 10, 16, 11, 9, 11, 10, 18]
    let centred = Model<Void> { m in
      let mu = m.sample("mu", Normal(0, 5))
      let tau = m.sample("tau", HalfCauchy(5))
      m.plate("schools", 8) {
        let theta = m.sample("theta", Normal(mu, tau))
        m.observe("y", Normal(theta, sigma), y)
      }
    }
    let noncentred = centred.reparameterized(["theta": LocScale()])
    let good = try NUTS().run(noncentred.logDensity(), chains: 4, key: 7)
    let statistics = try #require(good.statistics)
    // One in a thousand at most, as Stan has it at these settings.
    #expect(statistics.divergences <= 4)
    let mu = try #require(good.scalars.first { $0.name == "mu" })
    let tau = try #require(good.scalars.first { $0.name == "tau" })
    #expect(mu.rHat < 1.01 && tau.rHat < 1.01)
    // posteriordb's reference draws: mu 4.42 ± 3.30, tau 3.60 ± 3.13 (mean ± sd), known to 0.03.
    #expect(abs(mu.mean - 4.42) < 5 * mu.meanError + 0.1)
    #expect(abs(mu.standardDeviation - 3.30) < 0.3)
    #expect(abs(tau.mean - 3.60) < 5 * tau.meanError + 0.1)
    let bad = try NUTS().run(centred.logDensity(), chains: 4, key: 7)
    #expect((bad.statistics?.divergences ?? 0) > 10)
  }

  @Test("a cancelled run keeps its complete draws")
  func cancelled() throws {
    let density = try Self.correlatedNormal().logDensity()
    let draws = try NUTS().run(density, chains: 2, warmUp: 10, draws: 100) { true }
    #expect(draws.draws == 0)
  }

  @Test("the warm-up's windows are Stan's")
  func windows() {
    #expect(
      WarmUpSchedule(iterations: 1000).windows == [
        75..<100, 100..<150, 150..<250, 250..<450, 450..<950,
      ])
    #expect(WarmUpSchedule(iterations: 100).windows == [15..<90])
    #expect(WarmUpSchedule(iterations: 10).windows.isEmpty)
  }
}
