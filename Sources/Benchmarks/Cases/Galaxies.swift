// SPDX-License-Identifier: MIT
//
// Value and gradient of the log posterior of one Sérsic galaxy, as a sampler sees it.

import SwiftSersic

/// Returns value and gradient at a typical place: the guesses from the image, off the maximum.
private func posterior(_ image: ObservedImage, _ loss: ImageLoss) throws -> Work {
  let prior = autoprior(image, .sersic, sky: .none)
  let fit = try FitSingle(image, prior: prior, loss: loss)
  var values: [String: any TensorConvertible] = [:]
  for site in prior.freeSites { values[site] = prior.guesses[site] ?? 0 }
  return DensityCase(fit.density, at: try fit.density.unconstrain(values)).work
}

/// The benchmarks of a galaxy's log posterior.
let galaxyBenchmarks =
  [
    Benchmark("sersic 121 x 121, gaussian: value and gradient", runs: 100) {
      try posterior(Simulation.galaxy(121, 121), .gaussian)
    },
    Benchmark("sersic 121 x 121, student-t: value and gradient", runs: 100) {
      try posterior(Simulation.galaxy(121, 121), .studentT(dof: 5))
    },
    Benchmark("sersic 200 x 200, gaussian: value and gradient", runs: 100) {
      try posterior(Simulation.galaxy(200, 200), .gaussian)
    },
  ]
  + (Simulation.sharedFolder.map { folder in
    [
      Benchmark("gal1, gaussian: value and gradient", runs: 100) {
        try posterior(Simulation.sharedGalaxy(folder), .gaussian)
      }
    ]
  } ?? [])
