// SPDX-License-Identifier: MIT
//
// The optimisers on functions with known maxima, hard ones among them, and their reasons to stop.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Optimisers")
struct OptimizationTests {
  /// −log of Rosenbrock's valley: maximum 0 at (1, 1).
  @Sendable static func rosenbrock(_ x: Tensor) -> Tensor {
    -(square(1 - x[0]) + 100 * square(x[1] - square(x[0])))
  }

  @Test(
    "both find the end of Rosenbrock's valley from every side",
    arguments: [[-1.2, 1], [3, -4], [0, 0], [-5, 20], [1, 1]])
  func valley(_ start: [Double]) throws {
    let gradientOnly = LBFGS().maximize(Formula(2, Self.rosenbrock), from: start)
    let curved = LevenbergMarquardt().maximize(
      try model(2, Self.rosenbrock).logDensity().makeEvaluator(), from: start)
    for best in [gradientOnly, curved] {
      #expect(best.isConverged, "\(best.explanation)")
      // The valley's curvature along its floor is about 0.4: a gain below 1e-10 is a distance below 3e-5.
      for x in best.position { #expect(abs(x - 1) < 3e-5) }
      #expect(best.value > -1e-9)
    }
    // Damped steps follow the bends of the valley: 75 from the farthest start.
    #expect(curved.iterations < 100)
    #expect(gradientOnly.evaluations < 150)
  }

  @Test("both find the maximum of a quadratic with curvatures from 1 to 10¹⁰")
  func scales() throws {
    let weights = Tensor([1, 1e2, 1e5, 1e8, 1e10])
    let center = Tensor([1, -2, 3, -4, 5])
    let f = { @Sendable (x: Tensor) in -0.5 * (weights * square(x - center)).sum() }
    let start = [Double](repeating: 0, count: 5)
    let curved = LevenbergMarquardt().maximize(
      try model(5, f).logDensity().makeEvaluator(), from: start)
    let gradientOnly = LBFGS().maximize(Formula(5, f), from: start)
    for best in [curved, gradientOnly] {
      #expect(best.isConverged, "\(best.explanation) \(best.value)")
      // In standard deviations along each axis: the gain still to be had is below 1e-9 or the rounding of the value.
      let z = zip(zip(best.position, center.elements), weights.elements).map {
        ($0.0 - $0.1) * $1.squareRoot()
      }
      #expect(z.allSatisfy { abs($0) < 1e-3 }, "\(z) \(best.explanation)")
    }
    #expect(curved.iterations < 15)
  }

  @Test("both fit a line with Student-t errors through outliers")
  func robustLine() throws {
    let x = (0..<40).map { Double($0) / 10 }
    let key = RandomKey(12)
    let data = x.enumerated().map { k, x in
      2 * x - 1 + 0.1 * key.normal(UInt64(k)) + (k % 8 == 3 ? 10 : 0)
    }
    let robust = Model { m in
      let slope = m.sample("slope", Normal(0, 10))
      let height = m.sample("height", Normal(0, 10))
      let scale = m.sample("scale", HalfNormal(1))
      m.observe("y", StudentT(4, slope * Tensor(x) + height, scale), data)
    }
    let density = try robust.logDensity()
    let start = try density.unconstrain(["slope": 0, "height": 0, "scale": 1])
    let curved = LevenbergMarquardt().maximize(density.makeJointEvaluator(), from: start)
    let gradientOnly = LBFGS().maximize(density.makeJointEvaluator(), from: start)
    #expect(curved.isConverged && gradientOnly.isConverged)
    #expect(near(curved.value, gradientOnly.value, 1e-9))
    let values = density.constrain(curved.position)
    // A dozen per cent of outliers at 10; five standard deviations of the fit are 0.1.
    #expect(abs((values["slope"]?.item() ?? .nan) - 2) < 0.1)
    #expect(abs((values["height"]?.item() ?? .nan) + 1) < 0.2)
    for (a, b) in zip(curved.position, gradientOnly.position) { #expect(near(a, b, 1e-4)) }
  }

  @Test("MAP in constrained space has no Jacobian, the unconstrained mode has it")
  func jacobian() throws {
    // Gamma(3, 2): mode (3 − 1)/2 = 1; in log x the mode is 3/2.
    let density = try Model { m in m.sample("x", Gamma(3, 2)) }.logDensity()
    let map = LBFGS().maximize(density.makeJointEvaluator(), from: [0.3])
    let mode = LBFGS().maximize(density.makeEvaluator(), from: [0.3])
    // The tolerance 1e-10 in log density is 1.4e-5 of a standard deviation, near 0.6 here.
    #expect(abs((density.constrain(map.position)["x"]?.item() ?? .nan) - 1) < 2e-5)
    #expect(abs((density.constrain(mode.position)["x"]?.item() ?? .nan) - 1.5) < 2e-5)
  }

  @Test("the MAP is the same before and after a reparameterisation")
  func sameMap() throws {
    let plain = Model { m in
      let x = m.sample("x", Normal(3, 2))
      let z = m.sample("z", LogNormal(x, 0.5))
      m.observe("y", Normal(z * x, 1), 4)
    }
    let strategies: [String: any Reparameterization] = [
      "x": LocScale(), "z": TransformReparameterization(),
    ]
    let results = try [plain, plain.reparameterized(strategies)].map { model in
      let density = try model.logDensity()
      let start = try density.unconstrain(["x": 1, "z": 2])
      let best = LBFGS().maximize(density.makeJointEvaluator(), from: start)
      #expect(best.isConverged)
      return (best.value, density.constrain(best.position))
    }
    #expect(near(results[0].0, results[1].0, 1e-9))
    for name in ["x", "z"] {
      // 1e-10 in log density, see above; the deviations are near 1.
      #expect(
        near(results[0].1[name]?.item() ?? .nan, results[1].1[name]?.item() ?? .infinity, 1e-4))
    }
  }

  @Test("a start without a finite density stops at once and says so")
  func badStart() throws {
    let half = { @Sendable (x: Tensor) in log(x[0]) - x[0] }
    for start in [0.0, -1, .nan, .infinity] {
      #expect(LBFGS().maximize(Formula(1, half), from: [start]).reason == .notFinite)
      let density = try model(1, half).logDensity()
      #expect(
        LevenbergMarquardt().maximize(density.makeEvaluator(), from: [start]).reason == .notFinite)
    }
  }

  @Test("both turn back from the edge of the support")
  func edge() throws {
    // −∞ below 0 and NaN in between: the first steps from 8 fall there.
    let f = { @Sendable (x: Tensor) in 0.02 * log(x[0]) - 50 * square(x[0] - 0.01) }
    let curved = LevenbergMarquardt().maximize(
      try model(1, f).logDensity().makeEvaluator(), from: [8])
    let gradientOnly = LBFGS().maximize(Formula(1, f), from: [8])
    // 0.02/x = 100 (x − 0.01): x = 0.02.
    for best in [curved, gradientOnly] {
      #expect(best.isConverged, "\(best.explanation)")
      #expect(abs((best.position.first ?? .nan) - 0.02) < 1e-5)
    }
  }

  @Test("reasons to stop: limit, wish, no progress")
  func reasons() throws {
    var few = LBFGS()
    few.maximumIterations = 3
    let limited = few.maximize(Formula(2, Self.rosenbrock), from: [-1.2, 1])
    #expect(limited.reason == .iterationLimit && !limited.isConverged && limited.iterations == 3)
    let density = try model(2, Self.rosenbrock).logDensity()
    var short = LevenbergMarquardt()
    short.maximumIterations = 3
    #expect(short.maximize(density.makeEvaluator(), from: [-1.2, 1]).reason == .iterationLimit)
    #expect(
      LBFGS().maximize(Formula(2, Self.rosenbrock), from: [0, 0], isCancelled: { true }).reason
        == .cancelled)
    #expect(
      LevenbergMarquardt().maximize(
        density.makeEvaluator(), from: [0, 0], isCancelled: { true }
      ).reason == .cancelled)
    // A ridge: uphill on both sides, with a kink on top.
    let kink = { @Sendable (x: Tensor) in -abs(x[0] - 0.3) * 5 }
    let stuck = LBFGS().maximize(Formula(1, kink), from: [2])
    #expect(!stuck.isConverged, "\(stuck.explanation)")
    #expect(abs(stuck.position[0] - 0.3) < 1e-6)
    // Each reason has words of its own.
    let explanations = Optimum.Reason.allCases.map {
      Optimum(
        position: [], value: 0, gradient: [], reason: $0, iterations: 1, gradientEvaluations: 1
      ).explanation
    }
    #expect(Set(explanations).count == Optimum.Reason.allCases.count)
  }

  @Test("the counts of evaluations are true")
  func counts() throws {
    let density = try model(2, Self.rosenbrock).logDensity()
    let evaluator = density.makeEvaluator()
    let best = LBFGS().maximize(evaluator, from: [-1.2, 1])
    #expect(evaluator.evaluations == best.gradientEvaluations && best.hessianProducts == 0)
    let other = density.makeEvaluator()
    let curved = LevenbergMarquardt().maximize(other, from: [-1.2, 1])
    #expect(other.evaluations == curved.evaluations && curved.hessianProducts > 0)
    let third = density.makeEvaluator()
    let exact = NewtonTrustRegion().maximize(third, from: [-1.2, 1])
    #expect(third.evaluations == exact.evaluations && exact.hessianProducts > 0)
  }
}
