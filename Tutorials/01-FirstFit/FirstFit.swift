// SPDX-License-Identifier: MIT
//
// The first fit: an image is simulated, checked and fitted, by a search, an approximation and sampling.

import Foundation
import SwiftSersic

/// The truth of the simulated galaxy, by the names that parameters have everywhere.
private let truth = [
  "xc": 38.3, "yc": 34.6, "flux": 1200, "r_eff": 5, "n": 1.6, "ellip": 0.4, "theta": 0.8,
  "sky_back": 0.1,
]

/// Simulates the image of a galaxy: 50 electrons are one image unit, and reading a pixel adds a noise of 2 electrons.
private func simulatedGalaxy() throws -> ObservedImage {
  let (width, height) = (81, 71)
  let zeros = [Double](repeating: 0, count: width * height)
  // An image without light lends its frame and its PSF to the light that is drawn on it.
  let blank = try ObservedImage(
    width: width, height: height, science: zeros, rms: zeros.map { _ in 1 },
    psf: try PointSpreadFunction.moffat(fwhm: 3, beta: 3))
  let light = Sersic(xc: 38.3, yc: 34.6, flux: 1200, rEff: 5, n: 1.6, ellip: 0.4, theta: 0.8)
  let model = try blank.rendered(light).map { $0 + 0.1 }
  let noise = ImageNoise.poisson(gain: 50, read: 2)
  // Every random number comes from a key: the same key gives the same noise, on every machine.
  return try ObservedImage(
    width: width, height: height, science: noise.applied(to: model, key: 3),
    rms: noise.rms(of: model), psf: blank.psf)
}

/// The tutorial.
@main
struct FirstFit {
  /// Runs it; the argument is a folder for the pictures.
  static func main() throws {
    let folder = try CommandLine.arguments.dropFirst().first.map { try OutputFolder($0) }

    print("1. The data: an image of 81 × 71 pixels, the noise of each pixel, and the PSF.\n")
    let image = try simulatedGalaxy()
    // With files of your own: try ObservedImage(science: "image.fits", rms: "rms.fits", psf: "psf.fits")

    print("2. The check, which says what is wrong or doubtful about them:\n")
    print("\(InputReport(image))\n")

    print("3. The prior, made from measurements on the image; every line of it can be replaced.\n")
    var prior = autoprior(image, .sersic, sky: .flat)
    prior["n"] = Uniform(0.5, 6)
    print("\(prior)\n")

    print("4. The best fit: the maximum of the posterior.\n")
    let fit = try FitSingle(image, prior: prior)
    let best = try fit.findMAP()
    print("  It \(best.isConverged ? "has" : "has NOT") converged.")
    print(String(format: "  χ² per degree of freedom: %.3f\n", best.reducedChiSquared))

    print("5. The Laplace approximation: a normal distribution at the maximum, for quick errors.\n")
    let laplace = FitResult(try fit.estimatePosterior(.laplace, from: best))
    print("\(laplace.table)\n")

    print("6. NUTS: draws from the posterior itself. R-hat near 1 says that the chains agree.\n")
    let samples = try fit.sample(chains: 2, warmUp: 300, draws: 500, from: best, key: 44)
    print("\(samples.summary())\n")
    let result = FitResult(samples)
    for finding in result.findings { print("  \(finding)") }
    print("Does the model explain the image? Images drawn from the fit say:\n")
    print("\(try samples.predictiveCheck())\n")

    print("7. How near the truth did we come? (sd: standard deviations of the posterior)\n")
    for parameter in samples.draws.scalars {
      guard let expected = truth[parameter.name] else { continue }
      print(
        comparison(
          parameter.name, true: expected, found: parameter.mean, parameter.standardDeviation))
    }

    guard let folder else {
      print("\nName a folder to get pictures and files: … Tutorial01FirstFit my-folder")
      return
    }
    try best.residualPlot().write(to: "\(folder.path)/residual.png", dotsPerInch: 80)
    let shown = ["flux", "r_eff", "n", "ellip", "sky_back"]
    try result.record.cornerPlot(parameters: shown).write(
      to: "\(folder.path)/corner.png", dotsPerInch: 80)
    try result.save(to: "\(folder.path)/fit.asdf")
    print("\n\(folder.path) has residual.png, corner.png and fit.asdf, with all of this in it.")
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
