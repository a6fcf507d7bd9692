// SPDX-License-Identifier: MIT
//
// The usual starts: around modes by their probability, with the covariance as a first metric, and elsewhere where modes tell little.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

/// Two normal modes of one coordinate, at ±10 with standard deviations 0.1 and 1, of which the right, narrow one holds `share`.
private final class TwoModes: LogDensity {
  let dimension = 1
  let share: Double

  init(share: Double) { self.share = share }

  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    let isRight = q[0] > 0
    let (center, sigma, weight) = isRight ? (10, 0.1, share) : (-10.0, 1, 1 - share)
    let z = (q[0] - center) / sigma
    gradient[0] = -z / sigma
    return -0.5 * z * z + Tensors.log(Tensor(weight / sigma)).item()
  }
}

@Suite("Usual starts")
struct StartModesTests {
  /// A regression on raw predictors of very different scales.
  private var regression: Model<Void> {
    let x = (0..<60).map { Double($0) }
    let y = x.map { 3000 + 20 * $0 + 100 * ($0.truncatingRemainder(dividingBy: 7) - 3) }
    return Model { m in
      let a = m.sample("a", ImproperUniform(.real))
      let b = m.sample("b", ImproperUniform(.real))
      let sigma = m.sample("sigma", HalfCauchy(100))
      m.observe("y", Normal(a + b * Tensor(x), sigma), y)
    }
  }

  @Test("chains of a regression start around its mode, with its covariance as a suggestion")
  func regressionStarts() throws {
    let density = try regression.logDensity()
    let starts = try density.starts(.usual, chains: 4, key: 1) { false }
    let evaluator = density.makeEvaluator()
    let top = StandardOptimizer().maximize(evaluator, from: starts[0].position).value
    for start in starts {
      #expect(start.metric != nil && start.isMetricSuggested && start.warnings.isEmpty)
      // Deviations of two standard deviations in three coordinates: half of χ²₃ / 2 times 4, below 40 but for one in 10⁴.
      #expect(top - evaluator.value(at: start.position) < 40)
    }
    #expect(Set(starts.map(\.position)).count == 4)
  }

  @Test("the warm-up of a regression takes a fraction of the gradients of one from random points")
  func cheapWarmUp() throws {
    let density = try regression.logDensity()
    /// Returns the gradients of warm-ups.
    func gradients(_ initial: InitialStrategy) throws -> Int {
      try NUTS().run(density, chains: 2, warmUp: 500, draws: 10, key: 2, initial: initial)
        .statistics?.warmUpGradients ?? 0
    }
    #expect(try 3 * gradients(.usual) < gradients(.best(of: 10, .uniform(radius: 2))))
  }

  @Test("kernels that have a metric, and warm-ups that learn none, keep theirs")
  func ownMetrics() throws {
    let density = try regression.logDensity()
    /// Returns the metric of the first chain after a warm-up too short to learn one.
    func metric(_ kernel: NUTS, _ adaptation: WindowedAdaptation<NUTS>) throws -> Metric? {
      try kernel.run(
        density, chains: 1, warmUp: 10, draws: 5, key: 3, adaptation: adaptation
      ).statistics?.metrics.first
    }
    let own = NUTS(metric: .diagonal([100, 1, 0.01]))
    #expect(try metric(own, .automatic)?.variances == [100, 1, 0.01])
    #expect(try metric(own, .stepSizeOnly)?.variances == [100, 1, 0.01])
    #expect(try metric(NUTS(), .stepSizeOnly)?.variances == [1, 1, 1])
    let starts = try density.starts(.usual, chains: 1, key: RandomKey(3).folding(in: "start"))
    let suggested = try #require(starts[0].metric)
    #expect(try metric(NUTS(), .automatic)?.variances == suggested.variances)
    #expect(suggested.variances[0] > 100)
  }

  @Test("a run tells how its chains were started, also from a file")
  func origins() throws {
    /// Returns the draws of a short run.
    func draws(_ model: Model<Void>, _ initial: InitialStrategy = .usual) throws -> Draws {
      try NUTS().run(
        model.logDensity(), chains: 2, warmUp: 20, draws: 5, key: 8, initial: initial)
    }
    let around = "around the mode that 8 searches found"
    let run = try draws(regression)
    #expect(run.statistics?.starts == [around, around])
    #expect(try Draws(json: run.json).statistics?.starts == [around, around])
    #expect(run.selecting(chains: [1]).statistics?.starts == [around])
    let other = try draws(eightSchools)
    let best = "the best of 10: uniform in ±2.0"
    #expect(other.statistics?.starts == [best, best])
    #expect(
      try draws(eightSchools, .prior).statistics?.starts.first == "a draw from the prior")
    let names = run.sites.map(\.name)
    let merged = Draws.merging([run.selecting(names), run]).statistics?.starts
    #expect(merged?.count == 4 && merged?.last == around)
  }

  @Test("modes get chains by their probability")
  func probabilities() throws {
    let target = LogDensityFactory(dimension: 1) { TwoModes(share: 0.8) }
    let starts = try target.starts(
      .modes(searches: 8, from: .uniform(radius: 20), otherwise: .uniform(radius: 2)),
      chains: 500, key: 4
    ) { false }
    let right = starts.filter { $0.position[0] > 0 }.count
    // Four standard deviations of a binomial count of 500 at 0.8.
    #expect(abs(Double(right) - 400) < 36, "\(right)")
  }

  @Test("a hierarchy whose density has no maximum starts at random points, without a metric")
  func hierarchy() throws {
    let density = try eightSchools.logDensity()
    let starts = try density.starts(.usual, chains: 4, key: 5) { false }
    for start in starts {
      #expect(start.metric == nil)
      #expect(start.position.allSatisfy { abs($0) <= 2 })
    }
  }

  @Test("a mode far from normal is not relied on")
  func funnel() throws {
    // A proper mode in the neck of a funnel, about which hardly any probability lies.
    let density = try Model { m in
      let v = m.sample("v", Normal(0, 3))
      m.plate("p", 9) { m.sample("x", Normal(0, exp(v / 2))) }
    }.logDensity()
    let starts = try density.starts(.usual, chains: 4, key: 6) { false }
    #expect(starts.allSatisfy { $0.metric == nil })
  }

  @Test("a normal mode beside a lower one that is wider and not normal is not relied on")
  func outweighed() throws {
    /// A spike at 0, 3 high and 0.01 wide, and at 20 a hill whose curvature says nothing of its width.
    final class Spike: LogDensity {
      let dimension = 1
      func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
        if q[0] < 5 {
          gradient[0] = -q[0] / 1e-4
          return 3 - 0.5 * q[0] * q[0] / 1e-4
        }
        let x = q[0] - 20
        gradient[0] = -x * x * x - 0.01 * x
        return -0.25 * x * x * x * x - 0.005 * x * x
      }
    }
    let target = LogDensityFactory(dimension: 1) { Spike() }
    let starts = try target.starts(
      .modes(searches: 8, from: .uniform(radius: 30), otherwise: .uniform(radius: 30)), chains: 4,
      key: 8)
    #expect(starts.allSatisfy { $0.metric == nil })
  }

  @Test("a density without a model is searched from points that need none")
  func withoutModel() throws {
    let target = LogDensityFactory(dimension: 1) { TwoModes(share: 0.5) }
    let starts = try target.starts(.usual, chains: 2, key: 7) { false }
    #expect(starts.allSatisfy { $0.metric != nil })
    let refused = mistake { _ = try target.starts(.prior, chains: 2, key: 7) { false } }
    #expect(refused?.kind == .misuse)
  }

  @Test("strategies that cannot be are refused")
  func refusals() throws {
    let density = try regression.logDensity()
    for strategy in [
      InitialStrategy.alternating([]),
      .modes(searches: 0, from: .prior, otherwise: .prior),
      .modes(from: .best(of: 0, .prior), otherwise: .prior),
      .modes(from: .map(), otherwise: .prior), .modes(from: .prior, otherwise: .laplace()),
      .best(of: 3, .usual), .alternating([.prior, .laplace()]),
    ] {
      let refused = mistake { _ = try density.starts(strategy, chains: 2, key: 1) { false } }
      #expect(refused?.kind == .misuse, "\(strategy)")
    }
    let unknown = mistake {
      let from = InitialStrategy.values(["slope": 1])
      _ = try density.starts(.modes(from: from, otherwise: .prior), chains: 2, key: 1)
    }
    #expect(unknown?.kind == .unknownSites(["slope"]))
  }
}
