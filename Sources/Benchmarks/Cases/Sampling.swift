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

  /// Evaluates as many gradients, each a hair's breadth up the last one: as any algorithm that follows gradients, this has to wait
  /// for one before it can ask for the next.
  private func successiveGradients() {
    var (position, gradient) = (state.position, state.gradient)
    for _ in 0..<leapfrogs {
      let value = evaluator.valueAndGradient(at: position, into: &gradient)
      for k in position.indices { position[k] += 1e-30 * gradient[k] }
      position[0] += 1e-30 * value
    }
  }

  /// Evaluates as many gradients where the chain is, none of which waits for another: a processor with room for hundreds of
  /// instructions begins one before the last has ended, a fifth faster on small models.
  private func independentGradients() {
    var gradient = state.gradient
    for _ in 0..<leapfrogs {
      _ = evaluator.valueAndGradient(at: state.position, into: &gradient)
    }
  }

  /// Returns time(NUTS) / (leapfrogs × time(gradient)), of successive gradients and of independent ones: medians of rounds that
  /// time one after the other.
  private func overhead(rounds: Int = 31) -> (successive: Double, independent: Double) {
    let clock = ContinuousClock()
    /// Returns the seconds that work takes.
    func seconds(_ body: () -> Void) -> Double {
      let (whole, rest) = clock.measure(body).components
      return Double(whole) + Double(rest) * 1e-18
    }
    let ratios = (0..<rounds).map { _ in
      let sampling = seconds(run)
      return (sampling / seconds(successiveGradients), sampling / seconds(independentGradients))
    }
    return (Runner.median(ratios.map(\.0)), Runner.median(ratios.map(\.1)))
  }

  /// The work of this case; its answer is that the sampler adds less than a share to the time of the gradients.
  func work(bound: Double) -> Work {
    run()
    let ratios = overhead()
    let shown = (ratios.successive * 1000).rounded() / 1000
    let other = (ratios.independent * 1000).rounded() / 1000
    return Work(
      asserted:
        "time / (leapfrogs x gradient) = \(shown) < \(bound); of independent gradients \(other)",
      units: leapfrogs,
      body: { self.run() },
      check: {
        try require(
          ratios.successive < bound,
          "expected an overhead below \(bound), found \(shown) (of independent gradients \(other))")
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
