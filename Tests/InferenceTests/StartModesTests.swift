// SPDX-License-Identifier: MIT
//
// The usual starts: around modes by their probability, with the covariance as a first metric, and elsewhere where modes tell little.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

/// Two normal modes of one coordinate, at ±10 with standard deviations 1, of which the right one holds `share`.
private final class TwoModes: LogDensity {
  let dimension = 1
  let share: Double

  init(share: Double) { self.share = share }

  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    let (right, left) = (q[0] - 10, q[0] + 10)
    let isRight = q[0] > 0
    gradient[0] = isRight ? -right : -left
    let log = isRight ? -0.5 * right * right : -0.5 * left * left
    return log + Tensors.log(Tensor(isRight ? share : 1 - share)).item()
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
    let own = NUTS(metric: .diagonal([100, 1, 0.01]))
    let kept = try own.run(
      density, chains: 2, warmUp: 50, draws: 5, key: 3, adaptation: .stepSizeOnly)
    #expect(kept.statistics?.metrics.allSatisfy { $0.variances == [100, 1, 0.01] } ?? false)
    let none = try NUTS().run(
      density, chains: 2, warmUp: 50, draws: 5, key: 3, adaptation: .stepSizeOnly)
    #expect(none.statistics?.metrics.allSatisfy { $0.variances == [1, 1, 1] } ?? false)
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
    ] {
      let refused = mistake { _ = try density.starts(strategy, chains: 2, key: 1) { false } }
      #expect(refused?.kind == .misuse, "\(strategy)")
    }
  }
}
