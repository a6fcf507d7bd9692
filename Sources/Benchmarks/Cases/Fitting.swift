// SPDX-License-Identifier: MIT
//
// Whole fits inside a process: compilation, the maximum, the Laplace approximation.

import SwiftSersic

/// The galaxy that is fitted, planned as for a single fit, and its stock fit.
private func stockFit() throws -> FitSingle {
  let image = try Simulation.galaxy(121, 121).planned(.estimate)
  return try FitSingle(image, prior: autoprior(image, .sersic, sky: .none))
}

/// Asserts that a fit found the simulated truth.
private func checkTruth(_ best: MAPFit?) throws {
  guard let best else { throw BenchmarkError("expected a fit, found none") }
  try require(best.isConverged, "expected a converged fit; it \(best.optimum.explanation)")
  for parameter in Simulation.truth(121, 121) { try parameter.check(best[parameter.name]) }
}

/// The benchmarks of fits.
let fittingBenchmarks = [
  Benchmark("compile a fit, 121 x 121", runs: 20) {
    let image = try Simulation.galaxy(121, 121).planned(.estimate)
    let prior = autoprior(image, .sersic, sky: .none)
    var dimension = 0
    return Work(
      asserted: "eight coordinates",
      body: { dimension = try FitSingle(image, prior: prior).density.dimension },
      // The angle has two coordinates.
      check: { try require(dimension == 8, "expected 8 coordinates, found \(dimension)") })
  },
  Benchmark("map, 121 x 121", runs: 10) {
    let fit = try stockFit()
    var best: MAPFit?
    return Work(
      asserted: "the truth within 5 sd", body: { best = try fit.findMAP() },
      check: { try checkTruth(best) })
  },
  Benchmark("laplace, 121 x 121, 10 000 draws", runs: 10) {
    let fit = try stockFit()
    let best = try fit.findMAP()
    var posterior: PosteriorFit?
    return Work(
      asserted: "mean of each parameter near the maximum",
      body: { posterior = try fit.estimatePosterior(.laplace, from: best) },
      check: {
        guard let posterior else { throw BenchmarkError("expected a posterior, found none") }
        for parameter in posterior.draws.scalars {
          let offset = abs(parameter.mean - best[parameter.name])
          // Mode and mean differ by the skewness, a small part of the standard deviation at this signal to noise.
          try require(
            offset < 0.3 * parameter.standardDeviation,
            "\(parameter.name): mean \(offset) from the maximum, sd \(parameter.standardDeviation)")
        }
      })
  },
]
