// SPDX-License-Identifier: MIT
//
// The galaxies that benchmarks fit: simulated ones of the size of a survey's cutouts, and a real one where it is there.

import Foundation
import SwiftSersic

/// Images to fit.
enum Simulation {
  /// A parameter of the simulated galaxy.
  struct Parameter {
    /// The site.
    let name: String
    /// The true value.
    let value: Double
    /// The standard deviation that the Laplace approximation finds at this noise.
    let error: Double

    /// Throws unless a fitted value lies within five standard deviations of the truth: chance below 1e-6.
    func check(_ found: Double) throws {
      try require(
        abs(found - value) < 5 * error, "expected \(name) = \(value) ± \(error), found \(found)")
    }
  }

  /// The parameters of the simulated galaxy, in the middle of a frame: those of a typical cutout.
  static func truth(_ width: Int, _ height: Int) -> [Parameter] {
    [
      Parameter(name: "xc", value: Double(width) / 2 - 0.45, error: 0.0039),
      Parameter(name: "yc", value: Double(height) / 2 - 0.45, error: 0.0041),
      Parameter(name: "flux", value: 1700, error: 4.6),
      Parameter(name: "r_eff", value: 3.25, error: 0.014),
      Parameter(name: "n", value: 1.9, error: 0.019),
      Parameter(name: "ellip", value: 0.26, error: 0.0033),
      Parameter(name: "theta", value: 0.48, error: 0.0075),
    ]
  }

  /// The standard deviation of the noise of a pixel, image units.
  static let noise = 0.13

  /// The PSF: 43 × 43 pixels.
  static func pointSpread() throws -> PointSpreadFunction {
    try .moffat(fwhm: 3.5, beta: 3, size: 43)
  }

  /// Returns a simulated galaxy with Gaussian noise, its transforms planned by measuring.
  static func galaxy(_ width: Int, _ height: Int) throws -> ObservedImage {
    let rms = [Double](repeating: noise, count: width * height)
    let psf = try pointSpread()
    let frame = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let p = truth(width, height).map(\.value)
    let model = Model { m in
      m.observe(
        frame,
        Sersic(xc: p[0], yc: p[1], flux: p[2], rEff: p[3], n: p[4], ellip: p[5], theta: p[6]))
    }
    let exact = try model().elements
    let key = RandomKey(1)
    let science = exact.enumerated().map { $1 + noise * key.normal(UInt64($0)) }
    return try ObservedImage(width: width, height: height, science: science, rms: rms, psf: psf)
      .planned(.measure)
  }

  /// The folder of the real galaxy beside the package, or nil where it is not there.
  static var sharedFolder: String? {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = root.appending(path: "shared/data/gal1").path
    return FileManager.default.fileExists(atPath: folder + "/image.fits") ? folder : nil
  }

  /// Returns the real galaxy, its transforms planned by measuring.
  static func sharedGalaxy(_ folder: String) throws -> ObservedImage {
    try ObservedImage(
      science: folder + "/image.fits", rms: folder + "/rms.fits", psf: folder + "/psf.fits",
      mask: folder + "/mask.fits"
    ).planned(.measure)
  }
}
