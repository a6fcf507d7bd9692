// SPDX-License-Identifier: MIT
//
// Sérsic profiles as sums of fifteen Gaussians, with pysersic's numbers: Shajib 2019 (MNRAS 488, 1387) and a spline in n.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The amplitudes of fifteen Gaussians that stand for a Sérsic profile, by a spline through 50 indices from 0.65 to 8.
///
/// These are pysersic's numbers, right or wrong, so that fits can be compared: b_n = 1.9992 n − 0.3271, precision 10, widths
/// from 0.01 to 15 r_eff, half weights at both ends. The sum misses 0.03–17 % of the peak; it is no way to fit galaxies.
struct GaussianSeries: Sendable {
  /// The number of Gaussians.
  static let count = 15

  /// The number of Gaussians, the widest ones, that are drawn in pixels.
  static let pixelCount = 3

  /// The indices for which there are amplitudes.
  static let indices = 0.65...8.0

  /// The number of knots.
  private static let knots = 50

  /// The only table.
  static let shared = GaussianSeries()

  /// The widths, in units of r_eff.
  let widths: [Double]

  /// Values and slopes at the knots, [knot, Gaussian].
  private let values, slopes: [Double]

  /// Computes the amplitudes at the knots, and the spline's slopes.
  private init() {
    let ratio = log(1500.0) / Double(Self.count - 1)
    let widths = (0..<Self.count).map { 0.01 * exp(Double($0) * ratio) }
    self.widths = widths
    values = (0..<Self.knots).flatMap { Self.amplitudes(n: Self.index($0), widths, ratio) }
    slopes = Self.splineSlopes(values)
  }

  /// Returns the n of a knot.
  private static func index(_ knot: Int) -> Double {
    indices.lowerBound + spacing * Double(knot)
  }

  /// The distance of two knots.
  private static let spacing =
    (indices.upperBound - indices.lowerBound) / Double(knots - 1)

  /// Returns the fluxes of the Gaussians for unit flux (Shajib 2019, equations 12 and 13, with P = 10).
  private static func amplitudes(n: Double, _ widths: [Double], _ ratio: Double) -> [Double] {
    let precision = 10
    var epsilons = [Double](repeating: 1, count: 2 * precision + 1)
    epsilons[0] = 0.5
    let unit = pow(2, -Double(precision))
    epsilons[2 * precision] = unit
    var binomial = 1.0
    for k in 1..<precision {
      binomial *= Double(precision - k + 1) / Double(k)
      epsilons[2 * precision - k] = epsilons[2 * precision - k + 1] + unit * binomial
    }
    let b = 1.9992 * n - 0.3271
    let central = exp(2 * n * log(b) - logGamma(2 * n)) / (2 * .pi * n)
    let scale = pow(10, Double(precision) / 3) * 2 * (2 * Double.pi).squareRoot()
    return widths.enumerated().map { i, width in
      var sum = 0.0
      for (k, epsilon) in epsilons.enumerated() {
        // The profile at the complex radius σ √(2P ln 10 / 3 + 2πik): exp(−b r^(1/n)), r^(1/n) by its logarithm.
        let square = Complex(2 * Double(precision) * log(10.0) / 3, 2 * .pi * Double(k))
        let half = square.logarithm.scaled(0.5)
        let power = Complex(half.re + log(width), half.im).scaled(1 / n)
        let modulus = exp(power.re)
        let value =
          exp(-b * modulus * cos(power.im)) * cos(b * modulus * sin(power.im))
        sum += (k % 2 == 0 ? 1 : -1) * epsilon * value
      }
      let isEnd = i == 0 || i == count - 1
      let density = scale * central * sum * ratio / (2 * Double.pi).squareRoot()
      return density * (isEnd ? 0.5 : 1) * 2 * .pi * width * width
    }
  }

  /// Returns the slopes of the spline with continuous curvature whose third derivative is continuous next to the ends.
  private static func splineSlopes(_ values: [Double]) -> [Double] {
    let m = knots
    let h = spacing
    // On equidistant knots: s0 + 2 s1 = (5 d0 + d1)/2, s[i−1] + 4 s[i] + s[i+1] = 3 (d[i−1] + d[i]), and the first's mirror.
    var slopes = [Double](repeating: 0, count: values.count)
    for j in 0..<count {
      let d = (0..<m - 1).map { (values[($0 + 1) * count + j] - values[$0 * count + j]) / h }
      var lower = [Double](repeating: 1, count: m)
      var diagonal = [Double](repeating: 4, count: m)
      var upper = lower
      var right = (0..<m).map { i in
        i == 0
          ? (5 * d[0] + d[1]) / 2
          : i == m - 1 ? (5 * d[m - 2] + d[m - 3]) / 2 : 3 * (d[i - 1] + d[i])
      }
      (diagonal[0], upper[0]) = (1, 2)
      (diagonal[m - 1], lower[m - 1]) = (1, 2)
      for i in 1..<m {
        let factor = lower[i] / diagonal[i - 1]
        diagonal[i] -= factor * upper[i - 1]
        right[i] -= factor * right[i - 1]
      }
      for i in (0..<m).reversed() {
        let next = i + 1 < m ? upper[i] * slopes[(i + 1) * count + j] : 0
        slopes[i * count + j] = (right[i] - next) / diagonal[i]
      }
    }
    return slopes
  }

  /// Sets the amplitudes at an n in `indices` and their derivatives by n.
  func evaluate(
    n: Double, _ amplitudes: UnsafeMutablePointer<Double>, _ changes: UnsafeMutablePointer<Double>
  ) {
    let h = Self.spacing
    let place = (n - Self.indices.lowerBound) / h
    let knot = min(max(Int(place), 0), Self.knots - 2)
    let t = place - Double(knot)
    for j in 0..<Self.count {
      let i = knot * Self.count + j
      let (f0, f1) = (values[i], values[i + Self.count])
      let (m0, m1) = (slopes[i] * h, slopes[i + Self.count] * h)
      let c2 = 3 * (f1 - f0) - 2 * m0 - m1
      let c3 = m0 + m1 - 2 * (f1 - f0)
      amplitudes[j] = f0 + t * (m0 + t * (c2 + t * c3))
      changes[j] = (m0 + t * (2 * c2 + t * 3 * c3)) / h
    }
  }
}
