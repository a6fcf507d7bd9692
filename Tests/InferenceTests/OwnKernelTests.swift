// SPDX-License-Identifier: MIT
//
// What runs of a kernel, an adaptation and a density of one's own give.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("A kernel of one's own")
struct OwnKernelTests {
  @Test("it keeps the law of kernels")
  func law() throws { try checkKernel("Langevin", Langevin(stepSize: 0.12)) }

  /// Checks draws against the posterior of a straight line, which is known in closed form.
  private func checkLine(_ draws: Draws) {
    // Precision and mean of (slope, height): prior N(1, 2), N(−1, 3); errors 0.7.
    let weight = 1 / (0.7 * 0.7)
    let a = 0.25 + weight * abscissae.reduce(0) { $0 + $1 * $1 }
    let b = weight * abscissae.reduce(0, +)
    let c = 1.0 / 9 + weight * Double(abscissae.count)
    let u = 0.25 * 1 + weight * zip(abscissae, ordinates).reduce(0) { $0 + $1.0 * $1.1 }
    let v = -1.0 / 9 + weight * ordinates.reduce(0, +)
    let determinant = a * c - b * b
    let means = [(c * u - b * v) / determinant, (a * v - b * u) / determinant]
    let deviations = [(c / determinant).squareRoot(), (a / determinant).squareRoot()]
    #expect(draws.names == ["slope", "height"])
    for (k, scalar) in draws.scalars.enumerated() {
      #expect(scalar.rHat < 1.01, "\(scalar.name): R-hat \(scalar.rHat)")
      // Conformance: z-scores of the mean, the standard deviation and three quantiles of a normal posterior. Five Monte Carlo
      // errors: ten scores, a false failure in two hundred thousand.
      let quantiles = scalar.quantiles([0.05, 0.5, 0.95])
      let scores = [
        (scalar.mean - means[k]) / scalar.meanError,
        (scalar.standardDeviation - deviations[k]) / scalar.standardDeviationError,
        (quantiles[0] - (means[k] - 1.6448536 * deviations[k])) / scalar.quantileError(0.05),
        (quantiles[1] - means[k]) / scalar.medianError,
        (quantiles[2] - (means[k] + 1.6448536 * deviations[k])) / scalar.quantileError(0.95),
      ]
      #expect(scores.allSatisfy { abs($0) < 5 }, "\(scalar.name): \(scores)")
    }
  }

  @Test("it finds the posterior of a straight line")
  func line() throws {
    let density = try InferenceTests.line.logDensity()
    let draws = try Langevin(stepSize: 0.25).run(
      density, chains: 4, warmUp: 500, draws: 5000, key: 1)
    checkLine(draws)
    let statistics = try #require(draws.statistics)
    #expect(statistics.divergences == 0 && statistics.stepSizes.allSatisfy { $0.isNaN })
    #expect(statistics.gradients == [Int](repeating: 1, count: 20_000))
  }

  @Test("an adaptation of one's own tunes it")
  func adaptation() throws {
    let density = try InferenceTests.line.logDensity()
    let draws = try Langevin(stepSize: 5).run(
      density, chains: 2, warmUp: 2000, draws: 4000, key: 1, adaptedBy: SignTuning(target: 0.6))
    let acceptance = try #require(draws.statistics).acceptance
    // 8000 correlated draws know the acceptance to 0.01, and the tuning stops within a few percent of its aim.
    #expect(abs(acceptance.reduce(0, +) / Double(acceptance.count) - 0.6) < 0.05)
  }

  @Test("a kernel of the library's pieces keeps the law of kernels, whatever the metric")
  func pieces() throws {
    try checkKernel("persistent", PersistentHMC(stepSize: 0.12))
    let dense = try Metric.dense(CorrelatedNormal.covariance, dimension: 3)
    var kernel = PersistentHMC(stepSize: 0.8)
    kernel.metric = dense
    try checkKernel("persistent, dense", kernel)
  }

  @Test("a kernel and a tuning of the library's pieces find the same line, and tell their errors")
  func piecesRun() throws {
    let density = try InferenceTests.line.logDensity()
    let draws = try PersistentHMC().run(
      density, chains: 4, warmUp: 1000, draws: 5000, key: 1, adaptedBy: WindowTuning())
    checkLine(draws)
    let statistics = try #require(draws.statistics)
    let errors = try #require(statistics.extras["energy_error"])
    let expected = errors.map { error in min(1, plain(-error) { exp($0) }) }
    #expect(errors.count == 20_000 && statistics.acceptance == expected)
    // Fifty steps settle the step size: near 0.9, and above it rather than below, as in Stan.
    let mean = statistics.acceptance.reduce(0, +) / 20_000
    #expect(mean > 0.8 && mean < 0.99, "\(mean)")
    checkLine(
      try NUTS().run(
        density, chains: 4, warmUp: 1000, draws: 2000, key: 2, adaptedBy: WindowTuning()))
    // What tunes NUTS tunes it, too: its state keeps the gradient.
    checkLine(
      try PersistentHMC().run(
        density, chains: 4, warmUp: 1000, draws: 5000, key: 3, adaptation: .lowRank))
  }

  @Test("a density of one's own runs under any kernel, without a model")
  func density() throws {
    let target = LogDensityFactory(dimension: 2, name: "x") { Banana() }
    for initial in [
      InitialStrategy.uniform(radius: 2), .unconstrained([[0, 0]]), .map(jitter: 0.5),
    ] {
      // A banana's bend asks for short steps.
      let draws = try NUTS(targetAcceptance: 0.99).run(
        target, chains: 4, draws: 5000, key: 5, initial: initial)
      #expect(draws["x"].shape == [4, 5000, 2])
      let (first, second) = (draws.scalars[0], draws.scalars[1])
      #expect(first.rHat < 1.01 && second.rHat < 1.01, "\(first.rHat), \(second.rHat)")
      // E x₁ = 0 and E x₂ = E x₁² = 1, which looks at the tails; five Monte Carlo errors.
      #expect(abs(first.mean) < 5 * first.meanError)
      #expect(abs(second.mean - 1) < 5 * second.meanError)
    }
    let withoutPrior = mistake { _ = try NUTS().run(target, initial: .prior) }
    #expect(withoutPrior?.kind == .misuse)
    let unknown = mistake { _ = try NUTS().run(target, sites: ["y"]) }
    #expect(unknown?.kind == .unknownSites(["y"]))
  }

  @Test("second derivatives of a density of one's own follow from its gradient")
  func hessian() {
    let h = Banana().hessian(at: [0.3, -0.2])
    // −∂² of ½ (x₁² + (x₂ − x₁²)² / 0.25); differences of second order are good to some 1e-9.
    let expected = [-1 - (12 * 0.09 + 4 * 0.2) / 0.5, 2 * 0.3 / 0.25, 2 * 0.3 / 0.25, -4]
    for k in 0..<4 { #expect(abs(h[k] - expected[k]) < 1e-7, "\(k): \(h[k]), \(expected[k])") }
  }

  @Test("a chain by hand gives what the documentation says")
  func byHand() throws {
    let density = try InferenceTests.line.logDensity()
    let target = density.makeEvaluator()
    let kernel = NUTS(stepSize: 0.2)
    var state = kernel.start(at: try density.initialPoint(key: 1), target, key: 2)
    var total = 0.0
    for iteration in 0..<2000 {
      let info = kernel.step(&state, target, key: RandomKey(3).folding(in: iteration))
      #expect(info.acceptance > 0)
      total += density.constrain(state.position)["slope"]?.item() ?? .nan
    }
    // The slope is 1.69 ± 0.18, and 2000 nearly independent draws know its mean to 0.005.
    #expect(abs(total / 2000 - 1.69) < 0.05, "\(total / 2000)")
  }
}
