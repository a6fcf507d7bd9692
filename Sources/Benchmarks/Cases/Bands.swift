// SPDX-License-Identifier: MIT
//
// Three bands of one galaxy with a common structure: the maximum, and the posterior by Markov chains.

import SwiftSersic

/// Three simulated bands of 121 × 121 pixels, and the stock fit of them.
private struct BandsCase {
  /// The fit.
  let fit: FitMultiBand

  /// The true fluxes.
  private static let fluxes = [900.0, 1700, 2400]

  /// Simulates the bands: their PSFs differ.
  init() throws {
    let side = 121
    let rms = [Double](repeating: Simulation.noise, count: side * side)
    let p = Dictionary(
      Simulation.truth(side, side).map { ($0.name, $0.value) }
    ) { $1 }
    let bands = try BandsCase.fluxes.enumerated().map { k, flux in
      let psf = try PointSpreadFunction.moffat(fwhm: 3 + 0.4 * Double(k), beta: 3, size: 43)
      let blank = try ObservedImage(
        width: side, height: side, science: rms.map { _ in 0 }, rms: rms, psf: psf)
      var own = p
      own["flux"] = flux
      let key = RandomKey(21).folding(in: k)
      let science = try blank.rendered(GalaxyProfile.sersic.light(own)).enumerated().map {
        $0.element + Simulation.noise * key.normal(UInt64($0.offset))
      }
      let image = try ObservedImage(
        width: side, height: side, science: science, rms: rms, psf: psf)
      return Band(["g", "r", "i"][k], image, wavelength: [480, 620, 760][k])
    }
    fit = try FitMultiBand(bands, prior: autoprior(bands, .sersic))
  }

  /// Asserts that a value is the true one to some per cent: far beyond its error.
  private func check(_ name: String, _ found: Double, _ truth: Double) throws {
    try require(abs(found / truth - 1) < 0.03, "expected \(name) = \(truth), found \(found)")
  }

  /// The work of one search for the maximum.
  func searchWork() -> Work {
    var best: MAPFit?
    return Work(
      asserted: "true structure and fluxes to 3 %", body: { best = try fit.findMAP() },
      check: {
        guard let best, best.isConverged else {
          throw BenchmarkError("expected a converged fit, found none")
        }
        try check("n", best["n"], 1.9)
        for (band, flux) in zip(["g", "r", "i"], BandsCase.fluxes) {
          try check("flux_\(band)", best["flux_\(band)"], flux)
        }
      })
  }

  /// The work of 2 × (1000 + 1000) iterations of the no-U-turn sampler, the search included.
  func samplingWork() -> Work {
    var posterior: PosteriorFit?
    return Work(
      asserted: "R-hat < 1.01 and 300 effective draws of each parameter",
      body: { posterior = try fit.sample(chains: 2, warmUp: 1000, draws: 1000, key: 5) },
      check: {
        guard let posterior else { throw BenchmarkError("expected draws, found none") }
        for scalar in posterior.draws.scalars {
          try require(
            scalar.rHat < 1.01 && scalar.bulkESS > 300,
            "\(scalar.name): expected R-hat < 1.01 and 300 effective draws, found \(scalar.rHat) and \(scalar.bulkESS)"
          )
        }
        try check("n", posterior.draws.scalar("n").mean, 1.9)
      })
  }
}

/// The benchmarks of joint fits.
let bandsBenchmarks = [
  Benchmark("map, 3 bands of 121 x 121", runs: 5) { try BandsCase().searchWork() },
  Benchmark("nuts 2 x (1000 + 1000), 3 bands of 121 x 121", runs: 1) {
    try BandsCase().samplingWork()
  },
]
