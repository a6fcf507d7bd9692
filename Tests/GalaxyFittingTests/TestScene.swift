// SPDX-License-Identifier: MIT
//
// Analytic scenes for the tests: the formula of Golden/source_properties.py, and Gaussians whose moments are known.

import Foundation
import GalaxyModels
import Rendering

/// A scene as the golden script writes it.
struct TestScene: Codable, Sendable, CustomStringConvertible {
  /// A source: Sérsic-like, sampled at pixel centres, softened by half a pixel.
  struct Source: Codable, Sendable {
    /// Centre, peak, half-light radius, index, axis ratio, angle from +y towards −x.
    var x, y, peak, re, n, q, theta: Double
  }
  /// A masked disk.
  struct Hole: Codable, Sendable {
    /// Centre and radius.
    var x, y, r: Double
  }
  /// What photutils finds.
  struct Expected: Codable, Sendable {
    var segment_flux, r_eff, xc, yc, kron_radius, kron_flux, orientation_degrees, sky,
      sky_scale: Double
    var sky_count: Int
  }

  var name: String
  var width, height: Int
  var sources: [Source]
  var sky, sigma: Double
  var seed: UInt64
  var holes: [Hole]
  var expected: Expected?

  var description: String { name }

  /// The pixels, row-major.
  var science: [Double] {
    (0..<width * height).map { i in
      var value = sky + (sigma == 0 ? 0 : sigma * unitNoise(seed: seed, index: i))
      for s in sources {
        let dx = Double(i % width) - s.x
        let dy = Double(i / width) - s.y
        let u = -sin(s.theta) * dx + cos(s.theta) * dy
        let v = (cos(s.theta) * dx + sin(s.theta) * dy) / s.q
        let r = (u * u + v * v + 0.25).squareRoot() / s.re
        value += s.peak * exp(-(2 * s.n - 1.0 / 3) * pow(r, 1 / s.n))
      }
      return value
    }
  }

  /// True where a pixel is masked.
  var mask: [Bool] {
    (0..<width * height).map { i in
      holes.contains { h in
        let dx = Double(i % width) - h.x
        let dy = Double(i / width) - h.y
        return dx * dx + dy * dy <= h.r * h.r
      }
    }
  }

  /// The image, with a constant rms.
  func image() throws -> ObservedImage {
    try ObservedImage(
      width: width, height: height, science: science,
      rms: [Double](repeating: max(sigma, 1e-3), count: width * height), mask: mask)
  }
}

/// The file of golden numbers.
struct GoldenScenes: Codable {
  var tolerance: Double
  var cases: [TestScene]

  /// Reads the golden scenes that lie beside the tests.
  static func load() throws -> GoldenScenes {
    let url = Bundle.module.url(
      forResource: "source_properties", withExtension: "json", subdirectory: "Golden")
    return try JSONDecoder().decode(
      GoldenScenes.self, from: Data(contentsOf: url ?? URL(fileURLWithPath: "missing")))
  }
}

/// Returns a number of mean 0 and variance 1: twelve uniforms of splitmix64 less six.
func unitNoise(seed: UInt64, index: Int) -> Double {
  var sum = -6.0
  for k in 0..<12 {
    var z = ((seed << 40) &+ UInt64(12 * index + k + 1)) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    sum += Double(z >> 11) * 0x1p-53
  }
  return sum
}

/// An elliptical Gaussian galaxy seen through a round Gaussian PSF: everything about it is known in closed form.
struct GaussianGalaxy {
  var x = 40.3
  var y = 39.6
  var flux = 500.0
  /// The standard deviation on the major axis before the PSF.
  var sigma = 4.0
  var ellip = 0.4
  var theta = 0.7
  /// The standard deviation of the PSF.
  var psfSigma = 1.5

  /// The half-light radius on the major axis.
  var rEff: Double { 1.17741 * sigma }

  /// Returns the light at a pixel.
  func light(_ px: Double, _ py: Double) -> Double {
    let a = sigma * sigma + psfSigma * psfSigma
    let minor = sigma * (1 - ellip)
    let b = minor * minor + psfSigma * psfSigma
    let dx = px - x
    let dy = py - y
    let u = -sin(theta) * dx + cos(theta) * dy
    let v = cos(theta) * dx + sin(theta) * dy
    return flux / (2 * .pi * (a * b).squareRoot()) * exp(-0.5 * (u * u / a + v * v / b))
  }

  /// Returns the round PSF, 25 × 25 pixels.
  func psf() -> PointSpreadFunction {
    let values = (0..<625).map { i -> Double in
      let dx = Double(i % 25 - 12)
      let dy = Double(i / 25 - 12)
      return exp(-0.5 * (dx * dx + dy * dy) / (psfSigma * psfSigma))
    }
    let sum = values.reduce(0, +)
    return PointSpreadFunction(width: 25, height: 25, values: values.map { $0 / sum })
  }
}

/// A frame with Gaussian galaxies, noise and a sky, as arrays that a test may still change.
struct TestFrame {
  var width = 81
  var height = 81
  var science: [Double]
  var rms: [Double]
  var mask: [Bool]
  var psf: PointSpreadFunction?

  /// Draws galaxies with noise of the given rms on a sky.
  init(
    _ galaxies: [GaussianGalaxy], width: Int = 81, height: Int = 81, sky: Double = 0,
    noise: Double = 0.05, seed: UInt64 = 5
  ) {
    self.width = width
    self.height = height
    science = (0..<width * height).map { i in
      galaxies.reduce(sky + noise * unitNoise(seed: seed, index: i)) {
        $0 + $1.light(Double(i % width), Double(i / width))
      }
    }
    rms = [Double](repeating: noise, count: width * height)
    mask = [Bool](repeating: false, count: width * height)
    psf = galaxies.first?.psf()
  }

  /// Masks a disk.
  mutating func maskDisk(x: Double, y: Double, radius: Double) {
    for i in mask.indices {
      let dx = Double(i % width) - x
      let dy = Double(i / width) - y
      if dx * dx + dy * dy <= radius * radius { mask[i] = true }
    }
  }

  /// Returns the frame with every pixel moved to where `move` says, in a frame of the given shape.
  func moved(
    width newWidth: Int, height newHeight: Int, _ move: (Int, Int) -> (Int, Int)
  ) -> TestFrame {
    var result = self
    result.width = newWidth
    result.height = newHeight
    for y in 0..<height {
      for x in 0..<width {
        let (u, v) = move(x, y)
        result.science[v * newWidth + u] = science[y * width + x]
        result.rms[v * newWidth + u] = rms[y * width + x]
        result.mask[v * newWidth + u] = mask[y * width + x]
      }
    }
    return result
  }

  /// Returns the frame in another unit, on another sky.
  func scaled(by factor: Double, plus constant: Double = 0) -> TestFrame {
    var result = self
    result.science = science.map { $0 * factor + constant }
    result.rms = rms.map { $0 * factor }
    return result
  }

  /// Returns the frame as an image.
  func image() throws -> ObservedImage {
    try ObservedImage(
      width: width, height: height, science: science, rms: rms, mask: mask, psf: psf)
  }
}
