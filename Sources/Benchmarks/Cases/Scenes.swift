// SPDX-License-Identifier: MIT
//
// Scenes of several sources: value and gradient, and the maximum.

import SwiftSersic

/// A simulated scene with as many sources as are wanted, and the stock fit of them.
private struct SceneCase {
  /// The fit.
  let fit: FitMulti

  /// The true fluxes, in the order of the sources.
  let fluxes: [Double]

  /// Simulates sources that are spread evenly over a frame, with sizes, indices and shapes that differ.
  init(sources count: Int, side: Int) throws {
    let rms = [Double](repeating: 0.05, count: side * side)
    let psf = try Simulation.pointSpread()
    let columns = Int(Double(count).squareRoot().rounded(.up))
    let spacing = Double(side) / Double(columns)
    let key = RandomKey(11)
    var sources: [(catalog: CatalogSource, light: LightProfile)] = []
    for k in 0..<count {
      /// Returns a number between 0 and 1 that belongs to the source.
      func random(_ what: UInt64) -> Double { key.uniform(UInt64(k) * 16 + what) }
      let p = [
        "xc": (Double(k % columns) + 0.3 + 0.4 * random(0)) * spacing,
        "yc": (Double(k / columns) + 0.3 + 0.4 * random(1)) * spacing,
        "flux": 60 + 400 * random(2), "r_eff": 2 + 3 * random(3), "n": 0.8 + 2.4 * random(4),
        "ellip": 0.1 + 0.6 * random(5), "theta": 3 * random(6),
      ]
      sources.append(
        (
          CatalogSource(
            x: (p["xc"] ?? 0) + 0.3, y: (p["yc"] ?? 0) - 0.3, flux: 1.1 * (p["flux"] ?? 0),
            radius: 1.2 * (p["r_eff"] ?? 0), ellip: 0.3, theta: p["theta"]),
          try GalaxyProfile.sersic.light(p)
        ))
    }
    let blank = try ObservedImage(
      width: side, height: side, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let light = LightProfile(sources.flatMap(\.light.components))
    let noise = RandomKey(12)
    let science = try blank.rendered(light).enumerated().map {
      $0.element + 0.05 * noise.normal(UInt64($0.offset))
    }
    let image = try ObservedImage(width: side, height: side, science: science, rms: rms, psf: psf)
    fit = try FitMulti(image, prior: SourceCatalog(sources.map(\.catalog)).prior(in: image))
    fluxes = light.components.map { $0.parameters[2].item() }
  }

  /// Asserts that the fluxes of a maximum are the true ones.
  func check(_ best: MAPFit?) throws {
    guard let best else { throw BenchmarkError("expected a fit, found none") }
    try require(best.isConverged, "expected a converged fit; it \(best.optimum.explanation)")
    for (k, flux) in fluxes.enumerated() {
      // Signal to noise is some 50 and more: a tenth is far outside.
      try require(
        abs(best["flux_\(k)"] / flux - 1) < 0.1,
        "source \(k): expected a flux of \(flux), found \(best["flux_\(k)"])")
    }
  }

  /// The work of one value and gradient at the guesses.
  func gradientWork() throws -> Work {
    let evaluator = fit.density.makeEvaluator()
    let point = try fit.density.unconstrain(fit.prior.guesses)
    var gradient = point
    var value = 0.0
    return Work(
      asserted: "finite", body: { value = evaluator.valueAndGradient(at: point, into: &gradient) },
      check: {
        try require(
          value.isFinite && gradient.allSatisfy(\.isFinite), "expected numbers, found \(value)")
      })
  }

  /// The work of one search for the maximum.
  func searchWork() -> Work {
    var best: MAPFit?
    return Work(
      asserted: "true fluxes to 10 %", body: { best = try fit.findMAP() },
      check: { try check(best) })
  }
}

/// The benchmarks of scenes.
let sceneBenchmarks = [
  Benchmark("value and gradient, 5 sources in 121 x 121", runs: 50) {
    try SceneCase(sources: 5, side: 121).gradientWork()
  },
  Benchmark("value and gradient, 50 sources in 400 x 400", runs: 10) {
    try SceneCase(sources: 50, side: 400).gradientWork()
  },
  Benchmark("map, 5 sources in 121 x 121", runs: 5) {
    try SceneCase(sources: 5, side: 121).searchWork()
  },
  Benchmark("map, 50 sources in 400 x 400", runs: 1) {
    try SceneCase(sources: 50, side: 400).searchWork()
  },
]
