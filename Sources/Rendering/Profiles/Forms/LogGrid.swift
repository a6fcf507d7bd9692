// SPDX-License-Identifier: MIT
//
// Functions of a radius on points equidistant in its logarithm: interpolation, enclosed light, and Hankel transforms.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A grid of 2048 radii from 2^−32 to 2^32, 32 to an octave, and polynomials of degree 7 through eight neighbours.
enum LogGrid {
  /// The number of radii.
  static let count = 2048

  /// The distance of two radii in the logarithm.
  static let step = M_LN2 / 32

  /// The logarithm of the first radius; the grid ends one step before the negative of it.
  static let start = -32 * M_LN2

  /// The radii.
  static let radii = (0..<count).map { exp(start + Double($0) * step) }

  /// The number of points of a polynomial.
  private static let points = 8

  /// The matrix from values at −3.5 … 3.5 to coefficients of powers, row by row of the power.
  private static let powers: [Double] = {
    let nodes = (0..<points).map { Double($0) - 3.5 }
    var matrix = [Double](repeating: 0, count: points * points)
    for j in 0..<points {
      // Lagrange's polynomial of node j by multiplying its factors.
      var polynomial = [1.0]
      for i in 0..<points where i != j {
        var next = [Double](repeating: 0, count: polynomial.count + 1)
        for (k, c) in polynomial.enumerated() {
          next[k] -= c * nodes[i] / (nodes[j] - nodes[i])
          next[k + 1] += c / (nodes[j] - nodes[i])
        }
        polynomial = next
      }
      for (k, c) in polynomial.enumerated() { matrix[k * points + j] = c }
    }
    return matrix
  }()

  /// The weights of eight neighbours in the integral over the middle interval, whose length is 1.
  private static let weights: [Double] = (0..<points).map { j in
    var sum = 0.0
    for k in stride(from: 0, to: points, by: 2) {
      // The integral of t^k over −1/2 … 1/2.
      let integral = 2 * pow(0.5, Double(k + 1)) / Double(k + 1)
      sum += powers[k * points + j] * integral
    }
    return sum
  }

  /// A value with its derivatives by the logarithm of the radius.
  struct Values {
    /// The function.
    var value: Double
    /// The first derivative.
    var slope: Double
    /// The second derivative.
    var curvature: Double
  }

  /// Returns the function at the radius e^a; beyond the grid it is the outermost polynomial's end.
  static func interpolate(_ f: UnsafePointer<Double>, at a: Double) -> Values {
    let place = min(max((a - start) / step, 0), Double(count - 1))
    let first = min(max(Int(place) - 3, 0), count - points)
    let t = place - Double(first) - 3.5
    var result = Values(value: 0, slope: 0, curvature: 0)
    powers.withUnsafeBufferPointer { powers in
      for k in (0..<points).reversed() {
        var c = 0.0
        for j in 0..<points { c += powers[k * points + j] * f[first + j] }
        result.curvature = result.curvature * t + 2 * result.slope
        result.slope = result.slope * t + result.value
        result.value = result.value * t + c
      }
    }
    result.slope /= step
    result.curvature /= step * step
    return result
  }

  /// Sets the integrals of 2π f x² d ln x from each radius outwards; f vanishes at both ends.
  static func integrateOutside(
    _ f: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>
  ) {
    /// Returns the integrand at a point of the grid, 0 beyond it.
    func integrand(_ i: Int) -> Double {
      (0..<count).contains(i) ? f[i] * radii[i] * radii[i] : 0
    }
    var sum = 0.0
    out[count - 1] = 0
    for i in (0..<count - 1).reversed() {
      var cell = 0.0
      for j in 0..<points { cell += weights[j] * integrand(i - 3 + j) }
      sum += 2 * .pi * step * cell
      out[i] = sum
    }
  }
}

/// The transform T(y) = ∫ f(x) J0(xy) x dx between functions on the grid, by Fourier transforms in ln x.
///
/// With f x^(2−c) as a sum of powers x^(iω), each is carried over by ∫ J0(w) w^(s−1) dw = 2^(s−1) Γ(s/2) / Γ(1 − s/2), s = c + iω.
/// It is right to rounding where f x^(2−c) vanishes at both ends of the grid, and its powers before ω = π/step = 145.
///
/// ### Source
///
/// Talman 1978, J. Comput. Phys. 29, 35; Hamilton 2000, MNRAS 312, 257 (appendix B).
final class HankelTransform {
  /// The exponents c that are tried: T x^c and f x^(2 − c) have to vanish at both ends.
  static let exponents = [0.5, 0.25, 0.75, 1, 1.25]

  /// The exponent c.
  let exponent: Double

  /// The factors of the powers, (re, im) pairs.
  private let factors: [Double]

  /// The transforms of one line.
  private let plan: FFTPlan

  /// The line and its spectrum.
  private let line, spectrum: FFTBuffer

  /// What may keep a transform from being right: both as shares of the largest value.
  struct Quality {
    /// What f x^(2−c) has at the ends of the grid, and T y^c half a grid beyond them, where its period folds it to the middle.
    var ends: Double
    /// What is left of its spectrum at the highest frequencies.
    var roughness: Double
  }

  /// Computes the factors for an exponent.
  init(exponent: Double) {
    self.exponent = exponent
    let count = LogGrid.count
    plan = FFTPlan(rows: 1, columns: count)
    line = FFTBuffer(count: plan.realCount)
    spectrum = FFTBuffer(count: plan.spectrumCount)
    let frequency = 2 * Double.pi / (Double(count) * LogGrid.step)
    factors = (0...count / 2).flatMap { m -> [Double] in
      let half = Complex(exponent / 2, 0.5 * frequency * Double(m))
      let upper = ComplexGamma.logGammaAndDigamma(half).logGamma
      let lower = ComplexGamma.logGammaAndDigamma(Complex(1 - half.re, -half.im)).logGamma
      let modulus = exp((exponent - 1) * M_LN2 + upper.re - lower.re) / Double(count)
      let angle = 2 * half.im * M_LN2 + upper.im - lower.im
      return [modulus * cos(angle), modulus * sin(angle)]
    }
  }

  /// The share of the largest T y^c from which on, outwards, nothing but rounding is left: what follows counts as 0.
  private static let rounding = 1e-12

  /// Sets `out` to the transform of f times a factor.
  func transform(
    _ f: UnsafePointer<Double>, factor: Double, into out: UnsafeMutablePointer<Double>
  ) -> Quality {
    let count = LogGrid.count
    let line = line.pointer
    var largest = 0.0
    for i in 0..<count {
      line[i] = f[i] * exp((2 - exponent) * (LogGrid.start + Double(i) * LogGrid.step))
      largest = max(largest, abs(line[i]))
    }
    let ends = max(abs(line[0]), abs(line[count - 1]))
    plan.forward(line, into: spectrum.pointer)
    let z = spectrum.pointer
    var strongest = 0.0
    var remaining = 0.0
    for m in 0...count / 2 {
      let (re, im) = (z[2 * m], z[2 * m + 1])
      let strength = re * re + im * im
      strongest = max(strongest, strength)
      if m > count * 7 / 16 { remaining = max(remaining, strength) }
      // The conjugate: the sum over frequencies runs with exp(−i).
      z[2 * m] = re * factors[2 * m] - im * factors[2 * m + 1]
      z[2 * m + 1] = -(re * factors[2 * m + 1] + im * factors[2 * m])
    }
    plan.inverse(z, into: line)
    let peak = (0..<count).max { abs(line[$0]) < abs(line[$1]) } ?? 0
    let highest = abs(line[peak])
    // As for powers: from the middle to an end T y^c falls by this, and by as much again from there to its period's fold.
    let fall = max(abs(line[0]), abs(line[count - 1])) / highest
    // Two neighbours: one may be where the transform changes its sign.
    let end =
      (peak..<count - 1).first {
        max(abs(line[$0]), abs(line[$0 + 1])) < Self.rounding * highest
      } ?? count
    for i in 0..<count {
      if i >= end { line[i] = 0 }
      out[i] = factor * line[i] * exp(-exponent * (LogGrid.start + Double(i) * LogGrid.step))
    }
    return Quality(
      ends: largest > 0 ? max(ends / largest, fall * fall) : .infinity,
      roughness: strongest > 0 ? (remaining / strongest).squareRoot() : .infinity)
  }
}
