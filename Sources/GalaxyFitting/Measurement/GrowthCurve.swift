// SPDX-License-Identifier: MIT
//
// The light of a source in growing ellipses: total flux with its error, half-light radius, and the fall at the border.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The mean light in elliptical rings about a source; masked pixels are given the mean of their ring.
struct GrowthCurve {
  /// One elliptical ring.
  struct Ring {
    /// The inner semi-major axis, pixels.
    var inner: Double
    /// The outer semi-major axis, pixels.
    var outer: Double
    /// The light of the source's own pixels in the ring.
    var sum = 0.0
    /// The area of these pixels.
    var area = 0.0
    /// The sum of their variances, each times its share of a pixel.
    var variance = 0.0
    /// The area of the whole ring, inside the frame or not.
    var fullArea: Double
    /// The mean light per pixel; of the neighbouring rings where the ring has no pixel of its own.
    var mean = 0.0
    /// The standard error of the mean.
    var error = 0.0
  }

  /// The rings, from the centre outwards; the last is the last with enough pixels.
  private(set) var rings: [Ring] = []

  /// The flux, to where the light ends.
  private(set) var flux = 0.0

  /// The error of the flux: noise and sky.
  private(set) var fluxError = 0.0

  /// The semi-major axis of the ellipse with half the flux; nil when the curve never gets there.
  private(set) var halfLightRadius: Double?

  /// The flux inside the ellipse with half of it, over its error; of all of it when there is no such ellipse.
  private(set) var signalToNoise = 0.0

  /// The semi-major axis where the light ends.
  private(set) var outerRadius = 0.0

  /// A ring of which less than this share is seen ends the curve.
  private static let leastCoverage = 0.15

  /// Measures the light in ellipses of the given shape.
  ///
  /// The curve ends after two rings whose mean is below its error, not before `leastRadius`, and then takes in half as
  /// much again for the wings; or it ends at the frame.
  ///
  /// - Parameters:
  ///   - map: The sky-subtracted light.
  ///   - image: The image, for its rms.
  ///   - center: The centre of the ellipses.
  ///   - shape: The shape of the ellipses; its size does not matter.
  ///   - leastRadius: The semi-major axis that the curve must reach, pixels.
  ///   - skyError: The error of the sky per pixel, the same for all.
  ///   - noiseFactor: What the rms is to be multiplied with, 1 where it is right.
  init(
    _ map: LightMap, image: ObservedImage, center: ImagePoint, shape: SecondMoments,
    leastRadius: Double, skyError: Double, noiseFactor: Double
  ) {
    let unit = shape.scaled(by: 1 / shape.majorVariance)
    let axisRatio = (shape.minorVariance / shape.majorVariance).squareRoot()
    fillRings(map, image: image, center: center, unit: unit, axisRatio: axisRatio)
    completeRings(skyError: skyError, noiseFactor: noiseFactor)
    let last = end(leastRadius: leastRadius)
    guard last >= 0 else { return }
    outerRadius = rings[last].outer
    (flux, fluxError) = total(upTo: last, skyError: skyError, noiseFactor: noiseFactor)
    halfLightRadius = radius(enclosing: 0.5, upTo: last)
    let half = halfLightRadius.flatMap { h in rings.firstIndex { $0.outer >= h } } ?? last
    let core = total(upTo: half, skyError: skyError, noiseFactor: noiseFactor)
    signalToNoise = core.error > 0 ? core.flux / core.error : 0
  }

  /// Returns the flux of the rings up to one, with its error from noise and sky.
  private func total(
    upTo last: Int, skyError: Double, noiseFactor: Double
  ) -> (flux: Double, error: Double) {
    var flux = 0.0
    var area = 0.0
    var variance = 0.0
    for ring in rings[...last] {
      flux += ring.mean * ring.fullArea
      area += ring.fullArea
      // The unseen part of a ring is known no better than the seen part.
      let growth = ring.area > 0 ? ring.fullArea / ring.area : 0
      variance += ring.variance * growth * growth
    }
    return (flux, hypot(noiseFactor * variance.squareRoot(), area * skyError))
  }

  /// Returns the semi-major axis that encloses a share of the flux; nil when the curve never gets there.
  private func radius(enclosing share: Double, upTo last: Int) -> Double? {
    guard flux > 0 else { return nil }
    var sum = 0.0
    for ring in rings[...last] {
      let next = sum + ring.mean * ring.fullArea
      if next >= share * flux {
        // The light is even within a ring, so that it grows as the square of the radius.
        let part = (share * flux - sum) / (next - sum)
        let square =
          ring.inner * ring.inner
          + part * (ring.outer * ring.outer - ring.inner * ring.inner)
        return square.squareRoot()
      }
      sum = next
    }
    return nil
  }

  /// Sorts the source's own pixels into rings; near the centre in nine parts each.
  private mutating func fillRings(
    _ map: LightMap, image: ObservedImage, center: ImagePoint, unit: SecondMoments,
    axisRatio: Double
  ) {
    let farX = max(center.x, Double(map.width - 1) - center.x) + 1
    let farY = max(center.y, Double(map.height - 1) - center.y) + 1
    let farthest = hypot(farX, farY) / axisRatio
    var edge = 0.0
    // Half-pixel rings at the centre, a twelfth of the radius outside.
    while edge < farthest {
      let next = edge + max(0.5, edge / 12)
      rings.append(
        Ring(
          inner: edge, outer: next,
          fullArea: .pi * axisRatio * (next * next - edge * edge)))
      edge = next
    }
    let edges = rings.map(\.outer)
    // Beyond this a pixel is narrow beside its ring.
    let fineRadius = 12.0  // pixels
    for y in 0..<map.height {
      for x in 0..<map.width where map.isOwn[y * map.width + x] {
        let i = y * map.width + x
        let dx = Double(x) - center.x
        let dy = Double(y) - center.y
        let r = unit.radius(x: dx, y: dy)
        if r > fineRadius {
          add(map.light[i], rms: image.rms[i], share: 1, to: index(of: r, in: edges))
          continue
        }
        for v in -1...1 {
          for u in -1...1 {
            let part = unit.radius(x: dx + Double(u) / 3, y: dy + Double(v) / 3)
            add(map.light[i], rms: image.rms[i], share: 1 / 9, to: index(of: part, in: edges))
          }
        }
      }
    }
  }

  /// Adds a part of a pixel to a ring.
  private mutating func add(_ light: Double, rms: Double, share: Double, to ring: Int) {
    rings[ring].sum += light * share
    rings[ring].area += share
    rings[ring].variance += rms * rms * share
  }

  /// Returns the first ring whose outer edge is beyond a radius.
  private func index(of radius: Double, in edges: [Double]) -> Int {
    var low = 0
    var high = edges.count - 1
    while low < high {
      let middle = (low + high) / 2
      if radius < edges[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Drops the rings beyond the frame, and sets the means of all others.
  private mutating func completeRings(skyError: Double, noiseFactor: Double) {
    // A masked centre must not end the curve: the end is the last ring that is seen well enough.
    let last = rings.lastIndex { $0.area >= Self.leastCoverage * $0.fullArea && $0.area > 0.5 }
    rings.removeLast(rings.count - 1 - (last ?? -1))
    for k in rings.indices where rings[k].area > 0 {
      rings[k].mean = rings[k].sum / rings[k].area
      let noise = noiseFactor * rings[k].variance.squareRoot() / rings[k].area
      rings[k].error = hypot(noise, skyError)
    }
    // Rings with no pixel of their own take the mean of the next ring outside that has: light falls outwards.
    for k in rings.indices.reversed() where rings[k].area == 0 && k + 1 < rings.count {
      rings[k].mean = rings[k + 1].mean
      rings[k].error = rings[k + 1].error
    }
  }

  /// Returns the last ring that belongs to the source.
  private func end(leastRadius: Double) -> Int {
    guard let last = rings.indices.last else { return -1 }
    for k in rings.indices.dropLast() where rings[k].outer >= leastRadius {
      let isFaint =
        rings[k].mean < rings[k].error && rings[k + 1].mean < rings[k + 1].error
      guard isFaint else { continue }
      let beyond = rings.firstIndex { $0.outer >= 1.5 * rings[k].inner } ?? last
      return max(k, beyond)
    }
    return last
  }
}
