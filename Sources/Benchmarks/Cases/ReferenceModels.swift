// SPDX-License-Identifier: MIT
//
// Value and gradient of the reference models on data of the sizes of posteriordb's: what the tape does with each shape of model.

import ReferenceModels
import SwiftSersic

/// Returns numbers that look random: sin(a k²).
private func series(_ count: Int, _ a: Double) -> [Double] {
  sin(a * square(Tensor.arange(count))).elements
}

/// Returns the benchmark of a model at a point near the origin, away from all symmetries.
private func benchmark(
  _ name: String, _ make: @escaping @Sendable () throws -> Model<Void>
) -> Benchmark {
  Benchmark("reference, \(name): value and gradient", runs: 100) {
    let density = try make().logDensity()
    let position = (0.2 * sin(Tensor.arange(density.dimension) + 1)).elements
    return DensityCase(density, at: position).work
  }
}

/// The benchmarks of the reference models.
let referenceBenchmarks = [
  benchmark("autoregression, 200 x 5") {
    autoregression(series: series(200, 1.7), order: 5)
  },
  benchmark("garch, 200 steps") { garch(series: series(200, 2.3), firstScale: 0.5) },
  benchmark("hidden markov, 100 steps") {
    hiddenMarkovChain(series: series(100, 1.1).map { 6 + 4 * $0 })
  },
  benchmark("gaussian process, 11 points") {
    gaussianProcess(x: (0..<11).map { Double($0) - 5 }, y: series(11, 0.7))
  },
  benchmark("gaussian process, 100 points") {
    gaussianProcess(x: (0..<100).map { 0.2 * Double($0) }, y: series(100, 0.7))
  },
  benchmark("normal mixture, 1000 data") {
    normalMixture(y: series(1000, 1.3).enumerated().map { $0 % 3 == 0 ? $1 - 2 : $1 + 2 })
  },
  benchmark("linear regression, 100 x 5") {
    linearRegression(design: Tensor(series(500, 0.9), shape: [100, 5]), y: series(100, 1.9))
  },
  benchmark("interaction, 434 data") {
    kidScoreRegression(
      kidScore: series(434, 0.8).map { 85 + 20 * $0 },
      momSchooling: series(434, 1.4).map { $0 > 0 ? 1 : 0 },
      momScore: series(434, 2.1).map { 100 + 15 * $0 })
  },
]
