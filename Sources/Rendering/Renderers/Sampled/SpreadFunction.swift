// SPDX-License-Identifier: MIT
//
// How a point of light is spread over cells half a pixel wide, and how what was spread becomes a band-limited point again.

import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The function exp(β (√(1 − (2d/12)²) − 1)), d in cells of half a pixel, and the interpolation that undoes it.
///
/// A mass spread by it has, in the band |k| ≤ π, the point's own spectrum times the function's transform; what the cells
/// alias into the band is 1e-11 of it, since they are twice as fine as the band needs.
///
/// ### Source
///
/// Barnett, Magland & af Klinteberg 2019, SIAM J. Sci. Comput. 41, C479 (their "exponential of semicircle" kernel).
struct SpreadFunction: Sendable {
  /// The number of cells a point touches.
  static let width = Int(SERSIC_SPREAD_WIDTH)

  /// The exponent β: 2.3 for each cell, for cells twice as fine as needed.
  private static let sharpness = 2.3 * Double(width)

  /// The degree of the polynomials.
  static let degree = 15

  /// The coefficients of the polynomials for `sersic_spread`.
  let polynomials: [Double]

  /// Gauss's rule for the band 0 … π, and there cos weights over the function's transform, over π.
  private let frequencies, weights: [Double]

  /// Creates the tables, for interpolation over a given distance in pixels.
  init(reach: Double) {
    // Chebyshev interpolation of each cell's piece in t ∈ [−1, 1].
    let (nodes, matrix) = RadialFluxTable.interpolation(count: Self.degree + 1)
    var polynomials = [Double](repeating: 0, count: (Self.degree + 1) * Self.width)
    for j in 0..<Self.width {
      let samples = nodes.map { t in
        // The point lies at x; cell j of those it touches at ceil(x − 6) + j.
        Self.value(0.5 * (t + 1) - Double(Self.width) / 2 + Double(j))
      }
      for power in 0...Self.degree {
        var sum = 0.0
        for i in 0...Self.degree { sum += matrix[power * (Self.degree + 1) + i] * samples[i] }
        polynomials[power * Self.width + j] = sum
      }
    }
    self.polynomials = polynomials
    // cos(k x) up to x = reach: one node for each radian of π · reach, and some for the transform.
    let rule = GaussRule(count: Int(1.1 * Double.pi * reach) / 2 + 60)
    let inner = GaussRule(count: 60)
    frequencies = rule.nodes.map { 0.5 * .pi * ($0 + 1) }
    weights = zip(frequencies, rule.weights).map { k, weight in
      // The transform of the function, in cells of half a pixel: even, so cosines.
      var transform = 0.0
      for (v, w) in zip(inner.nodes, inner.weights) {
        let d = 0.25 * Double(Self.width) * (v + 1)
        transform += 0.5 * Double(Self.width) * w * Self.value(d) * cos(0.5 * k * d)
      }
      return 0.5 * weight / transform
    }
  }

  /// Returns the function at a distance in cells.
  private static func value(_ d: Double) -> Double {
    let z = 2 * d / Double(width)
    return abs(z) < 1 ? exp(sharpness * ((1 - z * z).squareRoot() - 1)) : exp(-sharpness)
  }

  /// Returns, at a distance in pixels, what a unit mass in a cell contributes to the band-limited image, and its derivative.
  func interpolation(at x: Double) -> (value: Double, slope: Double) {
    var value = 0.0
    var slope = 0.0
    for (k, weight) in zip(frequencies, weights) {
      value += weight * cos(k * x)
      slope -= weight * k * sin(k * x)
    }
    return (value, slope)
  }
}

/// Gauss's rule on [−1, 1].
struct GaussRule: Sendable {
  /// The nodes, rising.
  let nodes: [Double]
  /// The weights.
  let weights: [Double]

  /// Computes a rule by Newton's method on Legendre's polynomial (DLMF 3.5.v).
  init(count: Int) {
    var nodes = [Double](repeating: 0, count: count)
    var weights = [Double](repeating: 0, count: count)
    for i in 0..<count {
      var x = -cos(.pi * (Double(i) + 0.75) / (Double(count) + 0.5))
      var slope = 1.0
      for _ in 0..<20 {
        var (previous, value) = (1.0, x)
        for k in 1..<max(count, 1) {
          let next = (Double(2 * k + 1) * x * value - Double(k) * previous) / Double(k + 1)
          (previous, value) = (value, next)
        }
        slope = Double(count) * (x * value - previous) / (x * x - 1)
        let step = value / slope
        x -= step
        if abs(step) < 1e-16 { break }
      }
      nodes[i] = x
      weights[i] = 2 / ((1 - x * x) * slope * slope)
    }
    self.nodes = nodes
    self.weights = weights
  }
}
