// SPDX-License-Identifier: MIT
//
// The tools of the measurements: sky, robust statistics, areas, roots.

import Foundation
import GalaxyFitting
import GalaxyModels
import Testing

/// Known answers and identities of small functions.
@Suite("Measuring tools")
struct MeasuringToolsTests {
  @Test("the sky is the border's median and scatter, without what is masked")
  func sky() throws {
    var frame = TestFrame([], width: 60, height: 50, sky: 2, noise: 0.1)
    let clean = estimateSky(try frame.image())
    // 60·50 − 50·40 pixels, of rms 0.1: median to 0.004, scatter to 0.0025.
    #expect(clean.count == 1000 && clean.borderWidth == 5)
    #expect(abs(clean.median - 2) < 0.016 && abs(clean.standardDeviation - 0.1) < 0.01)
    frame.maskDisk(x: 0, y: 25, radius: 20)
    for i in frame.mask.indices where frame.mask[i] { frame.science[i] = 500 }
    let image = try frame.image()
    let masked = estimateSky(image)
    #expect(masked.count < 850 && abs(masked.median - 2) < 0.02)
    #expect(estimateSky(image, includingMasked: true).count == 1000)
  }

  @Test("a masked border is widened until it shows the sky")
  func widened() throws {
    var frame = TestFrame([], width: 40, height: 40, sky: 2, noise: 0.1)
    for i in frame.mask.indices {
      let x = i % 40
      let y = i / 40
      if min(x, y, 39 - x, 39 - y) < 8 { frame.mask[i] = true }
    }
    let found = estimateSky(try frame.image())
    #expect(found.borderWidth == 9 && found.count == 92 && abs(found.median - 2) < 0.05)
  }

  @Test("the biweight scale of few numbers is the one worked out by hand, and scales with them")
  func biweight() {
    // MAD 1, median 3: u = −2/9, −1/9, 0, 1/9 and (outlier) beyond 1; see the formula.
    let values = [1.0, 2, 3, 4, 100]
    func term(_ d: Double) -> (Double, Double) {
      let v = 1 - d * d / 81
      return (d * d * v * v * v * v, v * (1 - 5 * d * d / 81))
    }
    let terms = [2.0, 1, 0, 1].map(term)
    let top = (5 * terms.reduce(0) { $0 + $1.0 }).squareRoot()
    let expected = top / abs(terms.reduce(0) { $0 + $1.1 })
    // A few roundings.
    #expect(abs(biweightScale(values) - expected) < 1e-14)
    #expect(abs(biweightScale(values.map { $0 * 1e-30 }) - expected * 1e-30) < 1e-44)
    #expect(biweightScale([2, 2, 2, 5]) == 0 && biweightScale([]) == 0)
  }

  @Test(
    "shares of pixels in an ellipse add to its area",
    arguments: [(0.3, 0.2), (3.7, 1.1), (9.2, 9.2)])
  func areas(a: Double, b: Double) {
    let ellipse = EllipticalAperture(a: a, b: b, angle: 0.7)
    var sum = 0.0
    for y in -12...12 {
      for x in -12...12 {
        let share = ellipse.share(x: Double(x) + 0.31, y: Double(y) - 0.17)
        #expect(share >= 0 && share <= 1)
        sum += share
      }
    }
    // 625 areas, each of a few roundings of the order of the pixel.
    #expect(abs(sum - .pi * a * b) < 1e-12)
  }

  @Test("a pixel halved by a wide ellipse is half inside")
  func half() {
    // The edge of a circle of radius 1e4 bends by 1.25e-5 over a pixel.
    let circle = EllipticalAperture(a: 1e4, b: 1e4, angle: 0)
    #expect(abs(circle.share(x: 1e4, y: 0) - 0.5) < 1e-5)
  }

  @Test("Brent's method finds roots of smooth, steep and flat functions")
  func roots() {
    #expect(abs((brentRoot(from: 0, to: 2) { $0 * $0 - 2 } ?? 0) - 2.0.squareRoot()) < 1e-12)
    #expect(abs((brentRoot(from: -1, to: 4) { tanh(50 * ($0 - 1)) } ?? 0) - 1) < 1e-12)
    // A triple root: the value is below 1e-36 within the tolerance.
    #expect(abs(brentRoot(from: -1, to: 1.5) { $0 * $0 * $0 } ?? 1) < 1e-11)
    #expect(brentRoot(from: 0, to: 1) { $0 + 1 } == nil)
    #expect(brentRoot(from: 0, to: 1) { _ in .nan } == nil)
  }
}
