// SPDX-License-Identifier: MIT
//
// The width and shape of a PSF, to take it off those of a source.

internal import GalaxyModels
internal import Rendering

/// The half-light radius of a PSF and the Gaussian that stands for it, in image pixels.
struct PointSpreadShape {
  /// The variance of a unit pixel along each axis.
  private static let pixelVariance = 1.0 / 12

  /// The moments of a Gaussian with the PSF's half-light radius and shape.
  private(set) var moments: SecondMoments

  /// The circularised half-light radius of that Gaussian, pixels.
  var halfLightRadius: Double {
    gaussianHalfLight * max(moments.determinant, 0).squareRoot().squareRoot()
  }

  /// Measures the PSF of an image, with the pixel where the PSF does not contain it.
  init(_ image: ObservedImage) {
    moments = SecondMoments(xx: 0, xy: 0, yy: 0)
    if let psf = image.psf { moments = Self.measure(psf) }
    if image.pixelResponse == .integrated || image.psf == nil {
      moments.xx += Self.pixelVariance
      moments.yy += Self.pixelVariance
    }
  }

  /// Returns the moments of a PSF; those of one pixel where it has no measurable width.
  private static func measure(_ psf: PointSpreadFunction) -> SecondMoments {
    let map = LightMap(width: psf.width, height: psf.height, light: psf.values)
    let brightest = psf.values.indices.max { psf.values[$0] < psf.values[$1] } ?? 0
    let peak = ImagePoint(x: Double(brightest % psf.width), y: Double(brightest / psf.width))
    let scale = 1 / Double(psf.oversampling * psf.oversampling)
    let onePixel = SecondMoments(xx: pixelVariance, xy: 0, yy: pixelVariance).scaled(by: scale)
    let radius = halfLightRadius(of: psf, about: peak)
    guard let radius, radius > 0.35 else { return onePixel }
    let sigma = radius / gaussianHalfLight
    let round = SecondMoments(xx: sigma * sigma, xy: 0, yy: sigma * sigma)
    let windowed = map.windowedShape(at: peak, radius: radius)?.moments ?? round
    // The window has a least size; the shape counts, the size is that of the half-light radius.
    let area = sigma * sigma / windowed.determinant.squareRoot()
    return windowed.scaled(by: area * scale)
  }

  /// Returns the radius of the circle with half of a PSF's sum, in its own pixels.
  private static func halfLightRadius(
    of psf: PointSpreadFunction, about center: ImagePoint
  ) -> Double? {
    let total = psf.values.reduce(0, +)
    return brentRoot(from: 0.2, to: Double(max(psf.width, psf.height)), tolerance: 1e-4) { radius in
      let circle = EllipticalAperture(a: radius, b: radius, angle: 0)
      var sum = 0.0
      for (i, value) in psf.values.enumerated() {
        sum +=
          value
          * circle.share(
            x: Double(i % psf.width) - center.x, y: Double(i / psf.width) - center.y)
      }
      return 0.5 - sum / total
    }
  }
}
