// SPDX-License-Identifier: MIT
//
// A gradient that is not a number ends a trajectory, and leaves nothing behind for those that follow on the same memory.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Trajectories that leave the support")
struct NotFiniteTrajectoryTests {
  /// Three coordinates, one fewer than loops take at a time, with values and gradients that are NaN beyond a radius of 3.
  private static let model = Model<Void> { m in
    let x = m.sample("x", MultivariateNormal(Tensor([0, 0, 0]), covariance: covariance))
    m.factor("wall", 1e-3 * sqrt(9 - square(x).sum()))
  }

  /// A covariance that is not diagonal.
  private static let covariance = Tensor([1, 0.4, 0.2, 0.4, 1, 0.3, 0.2, 0.3, 1], shape: [3, 3])

  /// Metrics of every form.
  private static let metrics: [Metric] = [
    .identity(3),
    (try? .dense(covariance.elements, dimension: 3)) ?? .identity(3),
    .lowRank(variances: [1, 1, 1], directions: [[0, 0.6, 0.8]], eigenvalues: [2]),
  ]

  @Test("one does not spoil the next", arguments: 0..<3)
  func recovers(form: Int) throws {
    let metric = Self.metrics[form]
    let density = try Self.model.logDensity()
    let leapfrog = Leapfrog(metric: metric)
    /// Returns where a calm trajectory ends on an evaluator.
    func calm(_ target: some LogDensity) -> PhasePoint {
      let state = NUTS(metric: metric).start(at: [0.3, -0.2, 0.1], target, key: 1)
      var point = PhasePoint(state, momentum: [0.5, 0.2, -0.4])
      leapfrog.step(&point, target, stepSize: 0.05, steps: 7)
      return point
    }
    let fresh = calm(density.makeEvaluator())
    #expect(fresh.energy.isFinite)
    for steps in 1...7 {
      let target = density.makeEvaluator()
      var wild = PhasePoint(calm(target).state, momentum: [30, -20, 40])
      leapfrog.step(&wild, target, stepSize: 0.5, steps: steps)
      #expect(!wild.energy.isFinite)
      let kernel = NUTS(stepSize: 2, metric: metric)
      var state = kernel.start(at: [2.5, 1.5, 0.2], target, key: 1)
      for k in 0..<20 { _ = kernel.step(&state, target, key: RandomKey(7).folding(in: k)) }
      #expect(state.logDensity.isFinite)
      let again = calm(target)
      #expect(again.position == fresh.position && again.momentum == fresh.momentum)
      #expect(again.energy == fresh.energy)
    }
  }
}
