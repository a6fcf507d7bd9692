// SPDX-License-Identifier: MIT
//
// A symmetric 2 × 2 matrix of second moments: its ellipse, in the package's angle convention too.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Second central moments of light, in square pixels.
struct SecondMoments {
  /// The moment of x².
  var xx: Double

  /// The moment of xy.
  var xy: Double

  /// The moment of y².
  var yy: Double

  /// The determinant; the square of the ellipse's area over π.
  var determinant: Double { xx * yy - xy * xy }

  /// Half the difference of the eigenvalues.
  private var halfGap: Double { hypot((xx - yy) / 2, xy) }

  /// The larger eigenvalue.
  var majorVariance: Double { (xx + yy) / 2 + halfGap }

  /// The smaller eigenvalue.
  var minorVariance: Double { (xx + yy) / 2 - halfGap }

  /// The angle from +x to the major axis, counter-clockwise, radians, in (−π/2, π/2].
  var majorAngle: Double { 0.5 * atan2(2 * xy, xx - yy) }

  /// The major axis in our convention: radians from +y, counter-clockwise (towards −x), in [0, π).
  var theta: Double {
    let angle = majorAngle + .pi / 2
    return angle >= .pi ? angle - .pi : angle
  }

  /// Returns a matrix with every element multiplied.
  func scaled(by factor: Double) -> SecondMoments {
    SecondMoments(xx: xx * factor, xy: xy * factor, yy: yy * factor)
  }

  /// Adds the moments of one weight at an offset.
  mutating func add(_ weight: Double, x: Double, y: Double) {
    xx += weight * x * x
    xy += weight * x * y
    yy += weight * y * y
  }

  /// Returns the elliptical radius of an offset, in semi-axes.
  func radius(x: Double, y: Double) -> Double {
    max(0, (yy * x * x - 2 * xy * x * y + xx * y * y) / determinant).squareRoot()
  }
}
