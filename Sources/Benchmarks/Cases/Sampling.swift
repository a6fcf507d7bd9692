// SPDX-License-Identifier: MIT
//
// The price of a leapfrog step: what the no-U-turn sampler takes beyond the gradients that it asks for.

import Numerics
import SwiftSersic

/// A tuned sampler whose steps are timed against as many gradients.
private final class SamplerCase {
  private let evaluator: DensityEvaluator
  private let kernel: NUTS
  private let start: NUTS.State
  private let steps: Int
  private var state: NUTS.State

  /// The leapfrog steps of one run, the same in all.
  private(set) var leapfrogs = 0

  /// Tunes the sampler on a density by a short run.
  init(_ density: CompiledDensity, initial: InitialStrategy, steps: Int) throws {
    let draws = try NUTS().run(
      density, chains: 1, warmUp: 500, draws: 1, key: 1, initial: initial, keepsUnconstrained: true)
    guard let position = draws.unconstrained?.elements, let statistics = draws.statistics,
      let metric = statistics.metrics.first, let stepSize = statistics.stepSizes.first
    else { throw BenchmarkError("expected a tuned sampler, found none") }
    evaluator = density.makeEvaluator()
    kernel = NUTS(stepSize: stepSize, metric: metric)
    start = kernel.start(at: position, evaluator, key: 0)
    state = start
    self.steps = steps
    run()
  }

  /// Makes the steps of one run.
  func run() {
    leapfrogs = 0
    state = start
    for step in 0..<steps {
      leapfrogs += kernel.step(&state, evaluator, key: RandomKey(2).folding(in: step)).gradients
    }
  }

  /// Evaluates as many gradients, where the chain is.
  private func gradients() {
    var gradient = state.gradient
    for _ in 0..<leapfrogs {
      _ = evaluator.valueAndGradient(at: state.position, into: &gradient)
    }
  }

  /// Returns time(NUTS) / (leapfrogs × time(gradient)): the median of rounds that time one after the other.
  private func overhead(rounds: Int = 31) -> Double {
    let clock = ContinuousClock()
    /// Returns the seconds that work takes.
    func seconds(_ body: () -> Void) -> Double {
      let (whole, rest) = clock.measure(body).components
      return Double(whole) + Double(rest) * 1e-18
    }
    return Runner.median((0..<rounds).map { _ in seconds(run) / seconds(gradients) })
  }

  /// The work of this case; its answer is that the sampler adds less than a share to the time of the gradients.
  func work(bound: Double) -> Work {
    run()
    let ratio = overhead()
    let shown = (ratio * 1000).rounded() / 1000
    return Work(
      asserted: "time / (leapfrogs x gradient) = \(shown) < \(bound)", units: leapfrogs,
      body: { self.run() },
      check: {
        try require(ratio < bound, "expected an overhead below \(bound), found \(shown)")
      })
  }
}

/// The benchmarks of sampling: the time of one leapfrog step, and the overhead of the sampler.
let samplingBenchmarks =
  [
    Benchmark("nuts, eight schools: leapfrog", runs: 50) {
      try SamplerCase(eightSchoolsDensity(), initial: .uniform(radius: 2), steps: 300)
        .work(bound: 1.3)
    },
    Benchmark("nuts, sersic 121 x 121: leapfrog", runs: 20) {
      let image = try Simulation.galaxy(121, 121)
      let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .none))
      return try SamplerCase(fit.density, initial: .laplace(), steps: 20).work(bound: 1.05)
    },
  ]
