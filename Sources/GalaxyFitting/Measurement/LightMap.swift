// SPDX-License-Identifier: MIT
//
// Sky-subtracted light around one source: what is masked or a neighbour's is taken from the other side of the centre.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The sky-subtracted pixels of a frame, of which some do not belong to the source.
struct LightMap {
  /// The number of columns.
  let width: Int

  /// The number of rows.
  let height: Int

  /// The pixels above the sky.
  let light: [Double]

  /// True where a pixel shows the source and nothing else.
  let isOwn: [Bool]

  /// Creates a map of an image above a sky, without the pixels that are masked or belong to a neighbour.
  init(_ image: ObservedImage, sky: Double, excluding isNeighbour: [Bool]) {
    width = image.width
    height = image.height
    light = image.science.map { $0 - sky }
    isOwn = image.mask.indices.map { !image.mask[$0] && !isNeighbour[$0] }
  }

  /// Creates a map of an array all of whose pixels belong to the source, such as a PSF.
  init(width: Int, height: Int, light: [Double]) {
    self.width = width
    self.height = height
    self.light = light
    isOwn = [Bool](repeating: true, count: light.count)
  }

  /// Returns the light at a pixel, or at its mirror image about a centre where it is not the source's own.
  func value(x: Int, y: Int, mirroredAbout center: ImagePoint) -> Double? {
    let i = y * width + x
    if isOwn[i] { return light[i] }
    let u = (2 * center.x - Double(x)).rounded()
    let v = (2 * center.y - Double(y)).rounded()
    guard u >= 0, v >= 0, u < Double(width), v < Double(height) else { return nil }
    let j = Int(v) * width + Int(u)
    return isOwn[j] ? light[j] : nil
  }

  /// Calls `body` with offset and light of each pixel near a centre that is the source's own, or whose mirror image is.
  private func forEachPixel(
    within reach: Double, of center: ImagePoint, _ body: (Double, Double, Double) -> Void
  ) {
    let lowX = Int(max(0, floor(center.x - reach)))
    let lowY = Int(max(0, floor(center.y - reach)))
    let highX = Int(min(Double(width - 1), ceil(center.x + reach)))
    let highY = Int(min(Double(height - 1), ceil(center.y + reach)))
    guard lowX <= highX, lowY <= highY else { return }
    for y in lowY...highY {
      for x in lowX...highX {
        guard let value = value(x: x, y: y, mirroredAbout: center) else { continue }
        body(Double(x) - center.x, Double(y) - center.y, value)
      }
    }
  }

  /// Returns the centre and the shape of the light under an elliptical Gaussian window that takes the light's shape.
  ///
  /// The window keeps its area, that of a Gaussian with half-light radius `radius` on the geometric mean axis; its shape
  /// and centre iterate to those of the light under it. For elliptical isophotes of any profile the fixed
  /// point is their own shape; for a Gaussian source of that radius it is its covariance. As the adaptive moments
  /// of Bernstein & Jarvis 2002 (AJ 123, 583), section 3, with the size fixed: noise cannot drive it.
  ///
  /// - Parameters:
  ///   - start: Where to start.
  ///   - radius: The half-light radius of the window, pixels.
  ///   - movesCenter: Whether the centre iterates too.
  /// - Returns: The centre and the moments, nil where the light has no positive moments there.
  func windowedShape(
    at start: ImagePoint, radius: Double, movesCenter: Bool = true
  ) -> (center: ImagePoint, moments: SecondMoments)? {
    // Below 0.7 pixels the sums over pixels no longer stand for integrals.
    let sigma = max(radius / gaussianHalfLight, 0.7)
    var center = start
    var moments = SecondMoments(xx: sigma * sigma, xy: 0, yy: sigma * sigma)
    for _ in 0..<50 {
      var sum = 0.0
      var absolute = 0.0
      var dx = 0.0
      var dy = 0.0
      var second = SecondMoments(xx: 0, xy: 0, yy: 0)
      forEachPixel(within: 4 * moments.majorVariance.squareRoot(), of: center) { x, y, value in
        let r = moments.radius(x: x, y: y)
        guard r <= 4 else { return }
        let weighted = value * exp(-r * r / 2)
        sum += weighted
        absolute += abs(weighted)
        dx += weighted * x
        dy += weighted * y
        second.add(weighted, x: x, y: y)
      }
      guard sum > 1e-3 * absolute else { return nil }
      dx = movesCenter ? dx / sum : 0
      dy = movesCenter ? dy / sum : 0
      second = second.scaled(by: 1 / sum)
      second.add(-1, x: dx, y: dy)
      guard second.minorVariance > 0, second.determinant > 0 else { return nil }
      var next = second.scaled(by: sigma * sigma / second.determinant.squareRoot())
      next = next.limited(axisRatio: 0.05)
      let change =
        abs(next.xx - moments.xx) + abs(next.yy - moments.yy) + abs(next.xy - moments.xy)
      // Under a window as wide as the light the moments see half of any offset.
      center.x += 2 * dx
      center.y += 2 * dy
      guard hypot(center.x - start.x, center.y - start.y) <= 4 * sigma else { return nil }
      moments = next
      // A thousandth is far below the noise of any guess.
      if change < 1e-3 * sigma * sigma && hypot(dx, dy) < 1e-3 { break }
    }
    return (center, moments)
  }

  /// Returns the radius of the circle with half of the light of a set of pixels, to about half a pixel.
  func halfLightRadius(about center: ImagePoint, of isMember: (Int) -> Bool) -> Double? {
    var pairs: [(r: Double, value: Double)] = []
    for y in 0..<height {
      for x in 0..<width where isMember(y * width + x) {
        guard let value = value(x: x, y: y, mirroredAbout: center) else { continue }
        pairs.append((hypot(Double(x) - center.x, Double(y) - center.y), value))
      }
    }
    pairs.sort { $0.r < $1.r }
    let total = pairs.reduce(0) { $0 + $1.value }
    guard total > 0 else { return nil }
    var sum = 0.0
    for pair in pairs {
      sum += pair.value
      // Half a pixel at the centre already has a radius of 0.4.
      if sum >= total / 2 { return max(pair.r, 0.4) }
    }
    return nil
  }
}

/// The half-light radius of a circular Gaussian in its standard deviations, √(2 ln 2).
let gaussianHalfLight = 1.177_410_022_515_474_7

extension SecondMoments {
  /// Returns moments of the same area and angle whose axis ratio is no smaller than given.
  func limited(axisRatio least: Double) -> SecondMoments {
    let ratio = (max(minorVariance, 0) / majorVariance).squareRoot()
    guard ratio < least else { return self }
    let area = max(determinant, 0).squareRoot()
    return SecondMoments(
      majorVariance: area / least, minorVariance: area * least, majorAngle: majorAngle)
  }

  /// Creates moments from the eigenvalues and the angle of the major axis from +x, counter-clockwise.
  init(majorVariance: Double, minorVariance: Double, majorAngle: Double) {
    let c = cos(majorAngle)
    let s = sin(majorAngle)
    xx = majorVariance * c * c + minorVariance * s * s
    yy = majorVariance * s * s + minorVariance * c * c
    xy = (majorVariance - minorVariance) * s * c
  }
}
