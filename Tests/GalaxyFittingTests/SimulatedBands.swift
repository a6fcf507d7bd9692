// SPDX-License-Identifier: MIT
//
// Noisy images of one galaxy in several bands, on pixels of different size, orientation and parity, with known parameters.

import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Numerics
import Rendering

/// One simulated band.
struct SimulatedBand {
  /// The name.
  var name: String

  /// The wavelength.
  var wavelength: Double

  /// The parameters of each source, in the joint frame and under the sites of a single source.
  var sources: [(profile: GalaxyProfile, parameters: [String: Double])]

  /// The columns and rows.
  var width = 61
  var height = 57

  /// The sky, image units.
  var sky = 0.05

  /// The noise, image units.
  var sigma = 0.02

  /// The width of the PSF at half maximum, pixels.
  var fwhm = 2.5

  /// From the joint frame to the pixels.
  var map = PlaneMap()

  /// The header.
  var header = FITSHeader()

  /// The magnitude of one image unit.
  var zeroPoint: Double?

  /// The seed of the noise.
  var seed: UInt64 = 1

  /// The noisy image.
  func image() throws -> ObservedImage {
    let rms = [Double](repeating: sigma, count: width * height)
    let psf = try PointSpreadFunction.moffat(fwhm: fwhm, beta: 3)
    let blank = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let light = LightProfile(
      try sources.flatMap { try map.project($0.profile.light($0.parameters)).components })
    let key = RandomKey(seed).folding(in: name)
    let science = try blank.rendered(light).enumerated().map {
      $0.element + sky + sigma * key.normal(UInt64($0.offset))
    }
    return try ObservedImage(
      width: width, height: height, science: science, noise: .rms(rms), psf: psf, header: header,
      names: InputNames(science: "\(name).fits"), zeroPoint: zeroPoint)
  }

  /// The band, with the map that it was made by where there is no header.
  func band(loss: ImageLoss = .gaussian) throws -> Band {
    Band(
      name, try image(), wavelength: wavelength, loss: loss,
      map: header.cards.isEmpty && map != PlaneMap() ? map : nil)
  }
}

/// Three bands of one galaxy on the same pixels, whose parameters may follow the wavelength.
struct SimulatedBands {
  /// The bands.
  var bands: [SimulatedBand]

  /// Makes bands of one Sérsic galaxy.
  ///
  /// - Parameters:
  ///   - wavelengths: The wavelengths of the bands.
  ///   - seed: The seed of the noise.
  ///   - change: Changes the parameters of the galaxy at a wavelength.
  init(
    _ wavelengths: [Double] = [400, 600, 800], seed: UInt64 = 1,
    _ change: (Double, inout [String: Double]) -> Void = { _, _ in }
  ) {
    bands = wavelengths.enumerated().map { k, wavelength in
      var p = [
        "xc": 29.4, "yc": 28.7, "flux": 100 + 60 * Double(k), "r_eff": 5, "n": 1.8, "ellip": 0.35,
        "theta": 0.7,
      ]
      change(wavelength, &p)
      return SimulatedBand(
        name: ["g", "r", "i", "z", "y"][k], wavelength: wavelength, sources: [(.sersic, p)],
        fwhm: 2.3 + 0.3 * Double(k), seed: seed)
    }
  }

  /// The bands to fit.
  func all(loss: ImageLoss = .gaussian) throws -> [Band] {
    try bands.map { try $0.band(loss: loss) }
  }

  /// The true value of a quantity in a band.
  func truth(_ quantity: String, _ band: Int, source: Int = 0) -> Double {
    quantity == "sky_back"
      ? bands[band].sky : bands[band].sources[source].parameters[quantity] ?? .nan
  }
}

/// Returns the header of an image on the sky, whose first pixel axis points by `angle` from west towards north.
///
/// - Parameters:
///   - scale: The side of a pixel, arcsec.
///   - angle: The angle by which the pixels are turned, degrees.
///   - isMirrored: Whether x points to the east for angle 0.
///   - center: The pixel of the tangent point, first pixel 0.
/// - Returns: The header.
func skyHeader(
  scale: Double, angle: Double, isMirrored: Bool = false, center: (x: Double, y: Double)
) -> FITSHeader {
  let cd = skyMatrix(scale: scale, angle: angle, isMirrored: isMirrored)
  return FITSHeader([
    FITSCard("CTYPE1", "RA---TAN"), FITSCard("CTYPE2", "DEC--TAN"),
    FITSCard("CRVAL1", 150.1), FITSCard("CRVAL2", 2.2), FITSCard("CRPIX1", center.x + 1),
    FITSCard("CRPIX2", center.y + 1), FITSCard("CD1_1", cd.xx), FITSCard("CD1_2", cd.xy),
    FITSCard("CD2_1", cd.yx), FITSCard("CD2_2", cd.yy), FITSCard("RADESYS", "ICRS"),
    FITSCard("CUNIT1", "deg"), FITSCard("CUNIT2", "deg"),
  ])
}

/// Returns the matrix from pixels to the tangent plane, degrees to the east and to the north.
func skyMatrix(scale: Double, angle: Double, isMirrored: Bool = false) -> PlaneMap {
  let (s, c) = (sin(angle * .pi / 180), cos(angle * .pi / 180))
  let step = scale / 3600
  let east = isMirrored ? step : -step
  return PlaneMap(xx: east * c, xy: -east * s, yx: step * s, yy: step * c)
}
