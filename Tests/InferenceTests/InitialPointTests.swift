// SPDX-License-Identifier: MIT
//
// Starting points: every strategy gives a finite density and gradient, or says why not.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Initial points")
struct InitialPointTests {
  @Test("every strategy gives a point with finite density and gradient, the same for the same key")
  func strategies() throws {
    for model in [eightSchools, noncentred] {
      let density = try model.logDensity()
      for strategy in [
        InitialStrategy.uniform(radius: 2), .prior, .median(draws: 15),
        .values(["mu": Tensor(1), "tau": Tensor(2)]), .values(["theta": Tensor.zeros([8])]),
        .best(of: 5, .prior), .alternating([.uniform(radius: 1), .prior]), .usual,
      ] {
        let q = try density.initialPoint(strategy, key: 3)
        let (value, gradient) = derivative(density.makeEvaluator(), q)
        #expect(value.isFinite && gradient.allSatisfy { $0.isFinite })
        #expect(try density.initialPoint(strategy, key: 3) == q)
      }
    }
  }

  @Test("the best of several points is one of them, and better than most single ones")
  func best() throws {
    let density = try noncentred.logDensity()
    let evaluator = density.makeEvaluator()
    /// Returns the log densities at points of a strategy.
    func values(_ strategy: InitialStrategy) throws -> [Double] {
      try (0..<200).map {
        evaluator.value(at: try density.initialPoint(strategy, key: RandomKey(UInt64($0))))
      }
      .sorted()
    }
    let single = try values(.uniform(radius: 2))
    let strategy = InitialStrategy.best(of: 10, .uniform(radius: 2))
    let best = try values(strategy)
    // The best of ten lies in the highest tenth two times in three, and below the median once in a thousand.
    #expect(best[10] > single[100])
    #expect(best.filter { $0 > single[180] }.count > 100)
    #expect(try density.initialPoint(strategy, key: 3).allSatisfy { abs($0) <= 2 })
    let refused = mistake { _ = try density.initialPoint(.best(of: 0, .prior)) }
    #expect(refused?.kind == .misuse)
  }

  @Test("given values are kept, the others need not fit them by themselves")
  func values() throws {
    let density = try Model { m in
      let outer = m.sample("outer", LogNormal(3, 0.3))
      m.sample("inner", Uniform(0, outer))
    }.logDensity()
    // The median of `inner` is near 10, outside (0, 0.5).
    let q = try density.initialPoint(.values(["outer": Tensor(0.5)]))
    let values = density.constrain(q)
    #expect(near(values["outer"]?.item() ?? .nan, 0.5))
    #expect((values["inner"]?.item() ?? .nan) < 0.5)
    let wrong = mistake { _ = try density.initialPoint(.values(["outr": Tensor(1)])) }
    #expect(wrong?.kind == .unknownSites(["outr"]))
    let outside = mistake { _ = try density.initialPoint(.values(["outer": Tensor(-1)])) }
    #expect(outside?.kind == .outsideSupport && outside?.site == "outer")
  }

  @Test("data that are impossible are named, with the first of them")
  func impossibleData() throws {
    /// Returns what the search for a start says of a regression.
    func refusal(
      _ x: [Double], _ y: [Double], _ family: @escaping @Sendable (Tensor) -> any Distribution
    ) throws -> ModelError? {
      let density = try Model { m in
        let a = m.sample("a", Normal(0, 1))
        let b = m.sample("b", Normal(0, 1))
        let distribution = family(a + b * Tensor(x))
        m.observe("y", distribution, y)
      }.logDensity()
      return mistake { _ = try density.initialPoint(attempts: 5) }
    }
    let x = [0.0, 1, 2, 3]
    let cases: [(ModelError?, [String])] = [
      (try refusal(x, [1, 2, .nan, 3]) { Normal($0, 1) }, ["element [2] is nan"]),
      (
        try refusal([0, .nan, 1, 2], [1, 2, 3, 4]) { Normal($0, 1) },
        ["element [1] is 2.0", "predictors"]
      ),
      (try refusal(x, [0, 1, 1, 2]) { Bernoulli(logits: $0) }, ["element [3] is 2.0, outside"]),
      (try refusal(x, [0, -2, 1, 2]) { Poisson(exp($0)) }, ["element [1] is -2.0, outside"]),
      (try refusal(x, [0, 1, 2.5, 2]) { Poisson(exp($0)) }, ["element [2] is 2.5, outside"]),
    ]
    for (error, words) in cases {
      #expect(error?.kind == .notFinite && error?.site == "y", "\(error?.description ?? "none")")
      for word in words {
        #expect(error?.explanation.contains(word) ?? false, "\(word): \(error?.description ?? "")")
      }
    }
  }

  @Test("a point with an infinite gradient is not taken")
  func infiniteGradient() throws {
    // √|x − 1| has an infinite slope at 1, where the given value lies, and −∞ is found below 0.
    let density = try Model { m in
      let x = m.sample("x", Normal(0, 1))
      m.factor("f", sqrt(abs(x - 1)))
    }.logDensity()
    let refused = mistake { _ = try density.initialPoint(.values(["x": Tensor(1)]), attempts: 3) }
    #expect(refused?.kind == .notFinite)
    #expect(try density.initialPoint().count == 1)
  }

  @Test("a model whose density is finite nowhere is refused, and in few places is found")
  func support() throws {
    let never = try Model { m in
      m.factor("f", m.sample("x", Normal(0, 1)) * Double.nan)
    }.logDensity()
    let refused = mistake { _ = try never.initialPoint(attempts: 5) }
    #expect(refused?.kind == .notFinite)
    let rarely = try Model { m in
      let x = m.sample("x", Normal(0, 1))
      m.factor("f", select(x.isGreater(than: 1.5), Tensor(0), Tensor(-.infinity)))
    }.logDensity()
    // One in eight points of (−2, 2): a hundred attempts fail with probability 2 · 10⁻⁶.
    #expect(try rarely.initialPoint()[0] > 1.5)
  }

  @Test("prior draws that round to a bound are passed over")
  func bound() throws {
    // Beta(0.001, 0.001) draws are 0 or 1 to rounding, nearly all of them.
    let density = try Model { m in
      m.plate("p", 2) { m.sample("x", Beta(0.01, 0.01)) }
    }.logDensity()
    let q = try density.initialPoint(.prior, attempts: 1000)
    #expect(q.allSatisfy { $0.isFinite })
  }

  @Test("the median of an angle's coordinates lies on the unit circle")
  func medianOfAngles() throws {
    let density = try Model { m in
      m.plate("p", 4) { m.sample("theta", CircularUniform(period: 1)) }
    }.logDensity()
    let q = try density.initialPoint(.median(draws: 15))
    for k in 0..<4 { #expect(near(q[2 * k] * q[2 * k] + q[2 * k + 1] * q[2 * k + 1], 1)) }
  }
}
