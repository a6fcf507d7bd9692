// SPDX-License-Identifier: MIT
//
// The surface brightness of a profile of one shape, tabulated for fast look-up in the squared elliptical radius.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A density g and its derivative with respect to one parameter as functions of u, on a range that excludes u = 0.
///
/// For Sérsic profiles g = exp(−b u^(1/2n)), for others it is the form's own. Cubic Hermite interpolation on sixteenths of
/// octaves: the error is some 4e-8 u⁴ g⁗, 2e-9 (b u^p / n)^4 g for Sérsic profiles.
package final class SpaceSlice {
  /// The largest number of octaves.
  private static let octaves = 48

  /// The number of intervals in an octave.
  private static let steps = Int(SERSIC_SLICE_STEPS)

  /// ln(1 + j/16).
  private static let logarithms = (0..<steps).map { log1p(Double($0) / Double(steps)) }

  /// The intervals.
  private let coefficients = FFTBuffer(count: 8 * octaves * steps)

  /// The arguments and values of exponentials at the knots.
  private let powers = FFTBuffer(count: octaves * steps + 1)

  /// The same, of the profile.
  private let profile = FFTBuffer(count: octaves * steps + 1)

  /// The look-up table for the kernels.
  private(set) var slice = sersic_slice()

  /// Returns the leading bits of the first and the last interval that hold u in a range.
  private static func intervals(_ range: ClosedRange<Double>) -> (first: Int, last: Int) {
    let smallest = max(range.lowerBound, 1e-300)
    let first = Int(smallest.bitPattern >> 48)
    let last = min(
      Int(min(max(range.upperBound, smallest), 1e300).bitPattern >> 48),
      first + octaves * steps - 1)
    return (first, last)
  }

  /// Fills the intervals that hold u in a range with a form's density and its derivative by the k-th parameter.
  func fill(
    _ form: some RadialForm, shape k: Int, range: ClosedRange<Double>, scratch: RadialScratch
  ) {
    let (first, last) = Self.intervals(range)
    let knots = last - first + 2
    for i in 0..<knots { scratch.places[i] = Double(bitPattern: UInt64(first + i) << 48) }
    form.density(at: scratch.places, count: knots, shape: k, into: scratch.knots)
    for i in 0..<knots - 1 {
      RadialScratch.cubic(
        scratch.knots + 4 * i, scratch.places[i + 1] - scratch.places[i],
        coefficients.pointer + 8 * i)
    }
    setSlice(first, last)
  }

  /// Points the kernels' table at the intervals.
  private func setSlice(_ first: Int, _ last: Int) {
    slice.coefficients = UnsafePointer(coefficients.pointer)
    slice.first = first
    slice.largest = Double(bitPattern: UInt64(last + 1) << 48).nextDown
  }

  /// Fills the intervals that hold u in a range with a Sérsic profile.
  func fill(_ constant: HalfLightConstant, range: ClosedRange<Double>) {
    let (first, last) = Self.intervals(range)
    let knots = last - first + 2
    let p = 0.5 / constant.n
    let pSlope = -p / constant.n
    let logs = powers.pointer
    let g = profile.pointer
    for i in 0..<knots {
      let bits = first + i
      let exponent = Double((bits >> 4) - 1023)
      g[i] = p * (exponent * M_LN2 + Self.logarithms[bits & 15])
    }
    VectorMath.exp(g, into: logs, count: knots)
    for i in 0..<knots { g[i] = -constant.b * logs[i] }
    let x = logs
    for i in 0..<knots { x[i] = -g[i] }
    VectorMath.exp(profile.pointer, into: profile.pointer, count: knots)
    var previous = (0.0, 0.0, 0.0, 0.0)
    for i in 0..<knots {
      let bits = first + i
      let u = Double(bitPattern: UInt64(bits) << 48)
      let logU = Double((bits >> 4) - 1023) * M_LN2 + Self.logarithms[bits & 15]
      let byN = constant.slope / constant.b + pSlope * logU
      let gx = g[i] * x[i]
      let knot = (
        g[i], -gx * p / u, -gx * byN, -gx / u * (p * byN * (1 - x[i]) + pSlope)
      )
      if i > 0 {
        let c = coefficients.pointer + 8 * (i - 1)
        let width = u - Double(bitPattern: UInt64(bits - 1) << 48)
        Self.cubic(previous.0, previous.1 * width, knot.0, knot.1 * width, c)
        Self.cubic(previous.2, previous.3 * width, knot.2, knot.3 * width, c + 4)
      }
      previous = knot
    }
    setSlice(first, last)
  }

  /// Sets the coefficients of a cubic on [0, 1] from values and slopes at the ends.
  @inline(__always)
  private static func cubic(
    _ f0: Double, _ m0: Double, _ f1: Double, _ m1: Double, _ c: UnsafeMutablePointer<Double>
  ) {
    c[0] = f0
    c[1] = m0
    c[2] = 3 * (f1 - f0) - 2 * m0 - m1
    c[3] = m0 + m1 - 2 * (f1 - f0)
  }
}
