// SPDX-License-Identifier: MIT
//
// Your own galaxy: a bulge, a disk and a nucleus as a program, fitted by the algorithms that take any model.

import Foundation
import SwiftSersic

/// The true values of the sites, and of what follows from them.
private let truth = [
  "xc": 34.6, "yc": 35.3, "flux_disk": 900, "r_disk": 9, "ellip": 0.5, "theta": 1,
  "flux_bulge": 400,
  "r_ratio": 0.4, "r_bulge": 3.6, "flux_nucleus": 60, "sky_back": 0.1, "total": 1360,
  "b_t": 400.0 / 1360,
]

/// The model: what is drawn, and what has been observed; any Swift may stand in it.
private func galaxy(_ image: ObservedImage) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample("xc", Normal(image.center.x, 2))
    let yc = m.sample("yc", Normal(image.center.y, 2))
    let rDisk = m.sample("r_disk", LogNormal(2, 0.5))
    // A bulge is smaller than its disk: what is drawn is the ratio of the radii.
    let rBulge = m.deterministic("r_bulge", rDisk * m.sample("r_ratio", Beta(2, 4)))
    let disk = Exponential(
      xc: xc, yc: yc, flux: m.sample("flux_disk", LogNormal(6.5, 1)), rEff: rDisk,
      ellip: m.sample("ellip", Uniform(0, 0.9)),
      theta: m.sample("theta", CircularUniform(period: .pi)))
    let bulge = DeVaucouleurs(
      xc: xc, yc: yc, flux: m.sample("flux_bulge", LogNormal(5.5, 1)), rEff: rBulge, ellip: 0,
      theta: 0)
    let nucleus = PointSource(xc: xc, yc: yc, flux: m.sample("flux_nucleus", HalfNormal(200)))
    let light = disk + bulge + nucleus
    m.observe(image, light, sky: m.sample("sky_back", Normal(0, 0.3)), loss: .gaussian)
    return light
  }
}

/// Simulates the image of the galaxy with normal noise.
private func simulatedGalaxy() throws -> ObservedImage {
  let (width, height, noise) = (71, 71, 0.05)
  let rms = [Double](repeating: noise, count: width * height)
  let psf = try PointSpreadFunction.moffat(fwhm: 3, beta: 3)
  let blank = try ObservedImage(
    width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
  let light =
    Exponential(xc: 34.6, yc: 35.3, flux: 900, rEff: 9, ellip: 0.5, theta: 1)
    + DeVaucouleurs(xc: 34.6, yc: 35.3, flux: 400, rEff: 3.6, ellip: 0, theta: 0)
    + PointSource(xc: 34.6, yc: 35.3, flux: 60)
  let key = RandomKey(4)
  let science = try blank.rendered(light).enumerated().map {
    $0.element + 0.1 + noise * key.normal(UInt64($0.offset))
  }
  return try ObservedImage(width: width, height: height, science: science, rms: rms, psf: psf)
}

/// Returns draws with the total flux and the bulge-to-total ratio of each.
private func withRatios(_ draws: Draws) -> Draws {
  draws.deriving("r_bulge") { $0["r_disk"] * $0["r_ratio"] }
    .deriving("total") { $0["flux_disk"] + $0["flux_bulge"] + $0["flux_nucleus"] }
    .deriving("b_t") { $0["flux_bulge"] / $0["total"] }
}

/// The tutorial.
@main
struct YourOwnGalaxy {
  /// Runs it; the argument is a folder for the pictures.
  static func main() throws {
    let folder = try CommandLine.arguments.dropFirst().first.map { try OutputFolder($0) }
    let image = try simulatedGalaxy()

    print("1. The model runs once, and is compiled to a log density with its gradient.\n")
    let model = galaxy(image)
    let density = try model.logDensity()
    print("  It has \(density.dimension) unconstrained coordinates.\n")

    print(
      "2. The maximum of the posterior, searched from the middle of the prior and from draws:\n")
    let best = try density.findMAP(key: 1)
    print("  It \(best.isConverged ? "has" : "has NOT") converged: \(best.optimum.explanation)")
    for warning in best.warnings { print("  \(warning)") }
    let (searches, maxima) = (best.search.searches.count, best.search.modes.count)
    print("  Distinct maxima found by \(searches) searches: \(maxima); the highest counts.")

    print("\n3. The Laplace approximation there, and what follows from its draws:\n")
    let laplace = try LaplaceApproximation(density, from: best.interiorPoint)
    let quick = withRatios(laplace.sample(4000, key: 2))
    for name in ["total", "b_t"] {
      let scalar = quick.scalar(name)
      print(String(format: "  \(name): %.4f ± %.4f", scalar.mean, scalar.standardDeviation))
    }

    // Bulge and nucleus trade light along a narrow ridge: shorter steps, by a higher acceptance, can follow it.
    print("\n4. NUTS, started from that approximation:\n")
    let draws = withRatios(
      try NUTS(targetAcceptance: 0.9).run(
        density, chains: 2, warmUp: 300, draws: 500, key: 3,
        initial: .laplace(from: .unconstrained([best.interiorPoint]))))
    print("\(draws.summary())\n")
    for warning in draws.diagnostics.warnings { print("  \(warning)\n") }

    print("5. How near the truth did we come? (sd: standard deviations of the posterior)\n")
    for parameter in draws.scalars {
      guard let expected = truth[parameter.name] else { continue }
      print(
        comparison(
          parameter.name, true: expected, found: parameter.mean, parameter.standardDeviation))
    }

    guard let folder else {
      print("\nName a folder to get pictures: … Tutorial04YourOwnGalaxy my-folder")
      return
    }
    // The model conditioned on the maximum draws the image of the best fit.
    let atMaximum = try model.conditioned(on: best.values).trace(key: 0)
    if let fitted = atMaximum.values["model"]?.elements {
      let residual = zip(image.science, fitted).map { ($0 - $1) / image.rms[0] }
      let plot = ResidualPlot(
        width: image.width, height: image.height, data: image.science, model: fitted,
        residual: residual)
      try plot.figure().write(to: "\(folder.path)/residual.png", dotsPerInch: 80)
    }
    let names = ["flux_disk", "flux_bulge", "flux_nucleus", "r_bulge", "total", "b_t"]
    var corner = CornerPlot(
      names: names, draws: names.map { draws.scalar($0).values },
      units: ["image units", "image units", "image units", "pixels", "image units", ""],
      references: names.map { truth[$0] })
    corner.referenceName = "truth"
    try corner.figure().write(to: "\(folder.path)/corner.png", dotsPerInch: 80)
    print("\n\(folder.path) has residual.png and corner.png.")
  }
}

/// Returns a line that puts what was found beside the truth.
private func comparison(_ name: String, true truth: Double, found: Double, _ deviation: Double)
  -> String
{
  let label = name.padding(toLength: 13, withPad: " ", startingAt: 0)
  return "  \(label) true "
    + String(
      format: "%9.4f   found %9.4f ± %.4f   (%+.1f sd)", truth, found, deviation,
      (found - truth) / deviation)
}
