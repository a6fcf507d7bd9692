// SPDX-License-Identifier: MIT
//
// Several bands: one galaxy in three images, fitted jointly by the wrapper and by a program of one's own.

import Foundation
import SwiftSersic

/// The true galaxy, in the pixels of the first band; the fluxes are those of the bands.
private let truth = [
  "xc": 29.4, "yc": 28.7, "r_eff": 5, "n": 1.8, "ellip": 0.35, "theta": 0.7, "flux_g": 100,
  "flux_r": 160, "flux_i": 220,
]

/// The priors of both fits, in the same frame; theirs are the sites of the wrapper.
private let priors: [String: any Distribution] = [
  "xc": Normal(30, 2), "yc": Normal(28, 2), "r_eff": LogNormal(1.5, 0.7), "n": Uniform(0.5, 6),
  "ellip": Uniform(0, 0.9), "theta": CircularUniform(period: .pi),
]

/// Simulates a band: its pixels may be larger or smaller than those of the first.
private func simulatedBand(
  _ name: String, wavelength: Double, width: Int, height: Int, fwhm: Double, map: PlaneMap
) throws -> Band {
  let noise = 0.02
  let rms = [Double](repeating: noise, count: width * height)
  let blank = try ObservedImage(
    width: width, height: height, science: rms.map { _ in 0 }, rms: rms,
    psf: try PointSpreadFunction.moffat(fwhm: fwhm, beta: 3))
  let light = Sersic(
    xc: 29.4, yc: 28.7, flux: truth["flux_\(name)"] ?? .nan, rEff: 5, n: 1.8, ellip: 0.35,
    theta: 0.7)
  let key = RandomKey(3).folding(in: name)
  let science = try blank.rendered(map.project(light)).enumerated().map {
    $0.element + 0.05 + noise * key.normal(UInt64($0.offset))
  }
  let image = try ObservedImage(
    width: width, height: height, science: science, rms: rms, psf: blank.psf)
  return Band(name, image, wavelength: wavelength, fluxPrior: Normal(150, 100), map: map)
}

/// The joint model by hand: one structure, and in each band a flux, a sky and the light as it lies on its pixels.
private func jointGalaxy(_ bands: [Band]) -> Model<Void> {
  Model { m in
    let xc = m.sample("xc", Normal(30, 2))
    let yc = m.sample("yc", Normal(28, 2))
    let rEff = m.sample("r_eff", LogNormal(1.5, 0.7))
    let n = m.sample("n", Uniform(0.5, 6))
    let ellip = m.sample("ellip", Uniform(0, 0.9))
    let theta = m.sample("theta", CircularUniform(period: .pi))
    for band in bands {
      m.scope(band.name) {
        let light = Sersic(
          xc: xc, yc: yc, flux: m.sample("flux", Normal(150, 100)), rEff: rEff, n: n,
          ellip: ellip, theta: theta)
        let sky = m.sample("sky_back", Normal(0, 0.2))
        m.observe(band.image, band.project(light), sky: sky)
      }
    }
  }
}

/// The tutorial.
@main
struct SeveralBands {
  /// Runs it; the argument is a folder for the pictures.
  static func main() throws {
    let folder = try CommandLine.arguments.dropFirst().first.map { try OutputFolder($0) }

    print(
      "1. Three bands: g and r on the same pixels, i on pixels twice as large, turned by 0.3.\n")
    let (s, c) = (0.5 * sin(0.3), 0.5 * cos(0.3))
    let bands = [
      try simulatedBand("g", wavelength: 480, width: 61, height: 57, fwhm: 2.4, map: PlaneMap()),
      try simulatedBand("r", wavelength: 620, width: 61, height: 57, fwhm: 2.8, map: PlaneMap()),
      try simulatedBand(
        "i", wavelength: 760, width: 41, height: 41, fwhm: 2.2,
        map: PlaneMap(xx: c, xy: -s, yx: s, yy: c, x0: 12, y0: 4)),
    ]

    print(
      "2. By the wrapper: all but flux and sky is common to the bands unless you say otherwise.\n")
    var prior = try autoprior(bands, .sersic)
    for (site, distribution) in priors { prior[site] = distribution }
    for band in bands {
      prior["flux_\(band.name)"] = Normal(150, 100)
      prior["sky_back_\(band.name)"] = Normal(0, 0.2)
    }
    let fit = try FitMultiBand(bands, prior: prior)
    let best = try fit.findMAP()
    let result = try BandsResult(fit.estimatePosterior(.laplace, from: best))
    print("\(result.table)\n")

    print(
      "3. By hand: the same model as a program of twenty lines. Sites of a band begin with its name.\n"
    )
    let density = try jointGalaxy(bands).logDensity()
    let byHand = try density.findMAP()
    print("  It \(byHand.isConverged ? "has" : "has NOT") converged: \(byHand.optimum.explanation)")
    let draws = try LaplaceApproximation(density, from: byHand.interiorPoint).sample(key: 1)

    print("\n4. The wrapper beside the truth, and the program beside the wrapper:\n")
    var largest = 0.0
    for parameter in result.parameters {
      guard let mean = parameter.mean, let deviation = parameter.standardDeviation else { continue }
      if let expected = truth[parameter.name] {
        print(comparison(parameter.name, true: expected, found: mean, deviation))
      }
      // flux_g of the wrapper is g/flux in the program.
      let words = parameter.name.split(separator: "_")
      let isOfBand = bands.contains { $0.name == words.last.map { String($0) } }
      let site =
        isOfBand
        ? "\(words[words.count - 1])/\(words.dropLast().joined(separator: "_"))" : parameter.name
      largest = max(largest, abs(byHand[site].item() - best[parameter.name]) / deviation)
      largest = max(largest, abs(draws.scalar(site).mean - mean) / deviation)
    }
    print(String(format: "\n  Largest difference of wrapper and program: %.3f sd", largest))

    guard let folder else {
      print("\nName a folder to get pictures: … Tutorial03SeveralBands my-folder")
      return
    }
    for band in bands {
      try result.band(band.name).residualPlot()
        .write(to: "\(folder.path)/residual_\(band.name).png", dotsPerInch: 80)
    }
    print("\n\(folder.path) has residual_g.png, residual_r.png and residual_i.png.")
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
