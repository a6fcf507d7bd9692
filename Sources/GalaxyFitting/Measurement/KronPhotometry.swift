// SPDX-License-Identifier: MIT
//
// Moments, Kron flux, half-light radius and windowed centroid of a whole frame: Bertin & Arnouts 1996 (A&AS 117, 393)
// and the SExtractor manual, with the choices that photutils 3 makes in `data_properties`.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The catalogue properties of the light in a frame, all of whose good pixels are one segment.
///
/// As in photutils, moments and the segment's flux leave masked pixels out, and apertures do not: there they hold
/// whatever the image has. No sky is subtracted. Quantities that cannot be measured are NaN.
struct KronPhotometry {
  /// The Kron aperture's multiple of the Kron radius.
  private static let kronFactor = 2.5

  /// The least Kron radius, in semi-axes of the moments' ellipse.
  private static let leastKronRadius = 1.4

  /// The first-moment aperture, in the same unit; a Kron radius beyond it has no meaning.
  private static let momentAperture = 6.0

  /// The pixels, row-major, x fastest, 0 where there is no number.
  private let pixels: [Double]

  /// The number of columns.
  private let width: Int

  /// The number of rows.
  private let height: Int

  /// The sum of the unmasked pixels.
  private(set) var segmentFlux = 0.0

  /// The centre of the positive unmasked light.
  private(set) var centroid = ImagePoint(x: .nan, y: .nan)

  /// The second central moments of the positive unmasked light.
  private(set) var covariance = SecondMoments(xx: .nan, xy: .nan, yy: .nan)

  /// The Kron radius, in semi-axes of the moments' ellipse.
  private(set) var kronRadius = Double.nan

  /// The flux in the Kron aperture, masked pixels included.
  private(set) var kronFlux = Double.nan

  /// The radius of the circle about the centroid with half the Kron flux.
  private(set) var halfLightRadius = Double.nan

  /// The centroid under a Gaussian window of the half-light radius.
  private(set) var windowedCentroid = ImagePoint(x: .nan, y: .nan)

  /// Measures an image.
  init(_ image: ObservedImage) {
    pixels = image.science
    width = image.width
    height = image.height
    measureMoments(mask: image.mask)
    guard centroid.x.isFinite, covariance.majorVariance.isFinite else { return }
    measureKron()
    measureHalfLight()
    measureWindowedCentroid()
  }

  /// Sets flux, centroid and second moments of the unmasked pixels.
  private mutating func measureMoments(mask: [Bool]) {
    var sum = 0.0
    var sumX = 0.0
    var sumY = 0.0
    for y in 0..<height {
      for x in 0..<width where !mask[y * width + x] {
        let value = pixels[y * width + x]
        segmentFlux += value
        guard value > 0 else { continue }
        sum += value
        sumX += value * Double(x)
        sumY += value * Double(y)
      }
    }
    guard sum > 0 else { return }
    centroid = ImagePoint(x: sumX / sum, y: sumY / sum)
    var moments = SecondMoments(xx: 0, xy: 0, yy: 0)
    for y in 0..<height {
      for x in 0..<width where !mask[y * width + x] && pixels[y * width + x] > 0 {
        moments.add(
          pixels[y * width + x] / sum, x: Double(x) - centroid.x, y: Double(y) - centroid.y)
      }
    }
    // A segment thinner than a pixel gets the pixel's own variance, 1/12, until its ellipse has an area.
    let pixelVariance = 1.0 / 12
    guard moments.determinant >= 0 else { return }
    while moments.determinant < pixelVariance * pixelVariance {
      moments.xx += pixelVariance
      moments.yy += pixelVariance
    }
    covariance = moments
  }

  /// Sets the Kron radius and the flux inside its aperture.
  private mutating func measureKron() {
    var first = 0.0
    var zeroth = 0.0
    for y in 0..<height {
      for x in 0..<width {
        let r = covariance.radius(x: Double(x) - centroid.x, y: Double(y) - centroid.y)
        guard r <= Self.momentAperture else { continue }
        first += pixels[y * width + x] * r
        zeroth += pixels[y * width + x]
      }
    }
    let measured = first > 0 && zeroth > 0 ? first / zeroth : Self.leastKronRadius
    guard measured <= Self.momentAperture else { return }
    kronRadius = max(measured, Self.leastKronRadius)
    let factor = Self.kronFactor * kronRadius
    kronFlux = flux(
      inside: EllipticalAperture(
        a: factor * covariance.majorVariance.squareRoot(),
        b: factor * covariance.minorVariance.squareRoot(), angle: covariance.majorAngle),
      reach: factor * covariance.majorVariance.squareRoot())
  }

  /// Sets the radius with half the Kron flux, by bisection of ever smaller brackets as long as the signs agree.
  private mutating func measureHalfLight() {
    guard kronFlux.isFinite, kronFlux != 0 else { return }
    let widest = Self.kronFactor * kronRadius * covariance.majorVariance.squareRoot()
    let least = 0.1  // pixel; no half-light radius is sought below it
    var high = widest
    while high > least {
      let root = brentRoot(from: least, to: high) { radius in
        1 - 2
          * flux(
            inside: EllipticalAperture(a: radius, b: radius, angle: 0), reach: radius) / kronFlux
      }
      if let root {
        halfLightRadius = root
        return
      }
      high -= 0.1 * widest
    }
  }

  /// Sets the centroid under a Gaussian window, or the plain one where the window wanders off.
  private mutating func measureWindowedCentroid() {
    guard halfLightRadius.isFinite else { return }
    // The window has the full width at half maximum of a Gaussian with this half-light diameter.
    let sigma = 2 * max(halfLightRadius, 0.5) / (2 * (2 * log(2.0)).squareRoot())
    let reach = 4 * sigma
    var center = centroid
    for _ in 0..<16 {
      var sum = 0.0
      var dx = 0.0
      var dy = 0.0
      forEachPixel(within: reach, of: center) { x, y, value in
        let squared = x * x + y * y
        guard squared <= reach * reach else { return }
        let weighted = value * exp(-squared / (2 * sigma * sigma))
        sum += weighted
        dx += weighted * x
        dy += weighted * y
      }
      dx /= sum
      dy /= sum
      center.x += 2 * dx
      center.y += 2 * dy
      guard hypot(dx, dy) > 1e-4 else { break }
    }
    let moved = covariance.radius(x: center.x - centroid.x, y: center.y - centroid.y)
    windowedCentroid = moved <= 1 ? center : centroid
  }

  /// Returns the flux inside an aperture about the centroid that reaches no farther than `reach`.
  private func flux(inside aperture: EllipticalAperture, reach: Double) -> Double {
    var sum = 0.0
    forEachPixel(within: reach, of: centroid) { x, y, value in
      sum += value * aperture.share(x: x, y: y)
    }
    return sum
  }

  /// Calls `body` with the offset and the value of each pixel that a circle may touch.
  private func forEachPixel(
    within reach: Double, of center: ImagePoint, _ body: (Double, Double, Double) -> Void
  ) {
    guard center.x.isFinite, center.y.isFinite else { return }
    let lowX = max(0, floor(center.x - reach - 0.5))
    let lowY = max(0, floor(center.y - reach - 0.5))
    let highX = min(Double(width - 1), ceil(center.x + reach + 0.5))
    let highY = min(Double(height - 1), ceil(center.y + reach + 0.5))
    guard lowX <= highX, lowY <= highY else { return }
    for y in Int(lowY)...Int(highY) {
      for x in Int(lowX)...Int(highX) {
        body(Double(x) - center.x, Double(y) - center.y, pixels[y * width + x])
      }
    }
  }
}
