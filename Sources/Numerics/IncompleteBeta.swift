// SPDX-License-Identifier: MIT
//
// The regularised incomplete beta function and its inverse (DLMF 8.17), and Student's t distribution made from it.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// x^a y^b / B(a, b) with y = 1 - x, the derivative of I_x(a, b) in logit x, as a factor times an exponential.
///
/// For a, b ≥ 1 by Stirling's formula and deviances from x₀ = a / (a + b) (Loader 2000), else from logarithms.
private struct BetaDensityLogit {
  /// The factor.
  private let factor: Double

  /// The exponent.
  private let exponent: Double

  /// Computes both.
  init(_ a: Double, _ b: Double, _ x: Double, _ y: Double) {
    guard min(a, b) >= 1 else {
      let logX = x < 0.5 ? log(x) : log1p(-y)
      let logY = y < 0.5 ? log(y) : log1p(-x)
      factor = 1
      exponent = a * logX + b * logY - logBeta(a, b)
      return
    }
    let n = a + b
    let corrections = stirlingError(n) - stirlingError(a) - stirlingError(b)
    factor = (a * b / (2 * .pi * n)).squareRoot()
    exponent = corrections - (poissonDeviance(a, n * x) + poissonDeviance(b, n * y))
  }

  /// The number, which may underflow.
  var value: Double { factor * exp(exponent) }

  /// Its logarithm, which does not.
  var logarithm: Double { exponent + log(factor) }
}

/// Returns the continued fraction of I_x(a, b) (DLMF 8.17.22), by Lentz's method, for x below the mean.
private func betaContinuedFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
  let tiny = 1e-300
  var c = 1.0
  var d = 1 - (a + b) * x / (a + 1)
  d = 1 / (abs(d) < tiny ? tiny : d)
  var h = d
  var m = 1.0
  while m < 1e5 {
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 + even * d
    d = 1 / (abs(d) < tiny ? tiny : d)
    c = 1 + even / c
    c = abs(c) < tiny ? tiny : c
    h *= c * d
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 + odd * d
    d = 1 / (abs(d) < tiny ? tiny : d)
    c = 1 + odd / c
    c = abs(c) < tiny ? tiny : c
    let factor = c * d
    h *= factor
    if abs(factor - 1) < 2e-16 { break }
    m += 1
  }
  return h
}

/// The regularised incomplete beta function and its complement.
package struct RegularizedBeta {
  /// I_x(a, b), the share of the integral below x.
  package let lower: Double

  /// 1 - I_x(a, b).
  package let upper: Double

  /// Computes both from x and y = 1 - x, which the caller may know more exactly than a subtraction gives.
  ///
  /// - Parameters:
  ///   - a: The first shape, positive.
  ///   - b: The second shape, positive.
  ///   - x: The upper limit of the integral, in [0, 1].
  ///   - y: 1 - x.
  package init(_ a: Double, _ b: Double, _ x: Double, complement y: Double) {
    guard a > 0, b > 0, x >= 0, y >= 0, a < .infinity, b < .infinity else {
      lower = .nan
      upper = .nan
      return
    }
    if x == 0 || y == 0 {
      lower = x == 0 ? 0 : 1
      upper = 1 - lower
      return
    }
    let density = BetaDensityLogit(a, b, x, y).value
    if x < (a + 1) / (a + b + 2) {
      lower = min(density * betaContinuedFraction(a, b, x) / a, 1)
      upper = 1 - lower
    } else {
      upper = min(density * betaContinuedFraction(b, a, y) / b, 1)
      lower = 1 - upper
    }
  }
}

/// Returns the regularised incomplete beta function I_x(a, b).
package func regularizedBeta(_ a: Double, _ b: Double, _ x: Double) -> Double {
  RegularizedBeta(a, b, x, complement: 1 - x).lower
}

/// Returns the x with I_x(a, b) = p, together with 1 - x.
///
/// Newton's method on the logarithm of the smaller tail in logit x, where both tails are log-concave.
///
/// - Parameters:
///   - a: The first shape, positive.
///   - b: The second shape, positive.
///   - p: The probability, in [0, 1].
///   - q: 1 - p, which the caller may know more exactly.
/// - Returns: x and 1 - x.
package func inverseRegularizedBeta(
  _ a: Double, _ b: Double, _ p: Double, complement q: Double
) -> (x: Double, complement: Double) {
  guard a > 0, b > 0, p >= 0, q >= 0, a < .infinity, b < .infinity else { return (.nan, .nan) }
  if p == 0 { return (0, 1) }
  if q == 0 { return (1, 0) }
  let useLower = p <= q
  let target = log(useLower ? p : q)
  let logB = logBeta(a, b)
  // Start: the mean, or the power law of the tail in question where that is farther out.
  var start = log(a / b)
  if useLower {
    start = min(start, (target + log(a) + logB) / a)
  } else {
    start = max(start, -(target + log(b) + logB) / b)
  }
  let u = solveMonotone(from: start) { u in
    let x = sigmoid(u)
    let y = sigmoid(-u)
    if x == 0 || y == 0 {
      return useLower == (x == 0)
        ? (useLower ? (a * u - log(a) - logB - target, a) : (-b * u - log(b) - logB - target, -b))
        : (-target, 0)
    }
    let density = BetaDensityLogit(a, b, x, y)
    // A tail beyond the mean by its logarithm: with large shapes it underflows not far from there.
    if useLower == (x < (a + 1) / (a + b + 2)) {
      let (shape, other, part) = useLower ? (a, b, x) : (b, a, y)
      let inverse = shape / betaContinuedFraction(shape, other, part)
      return (density.logarithm - log(inverse) - target, useLower ? inverse : -inverse)
    }
    let both = RegularizedBeta(a, b, x, complement: y)
    return useLower
      ? (log(both.lower) - target, density.value / both.lower)
      : (log(both.upper) - target, -density.value / both.upper)
  }
  return (sigmoid(u), sigmoid(-u))
}

/// Returns the x with I_x(a, b) = p.
package func inverseRegularizedBeta(_ a: Double, _ b: Double, _ p: Double) -> Double {
  inverseRegularizedBeta(a, b, p, complement: 1 - p).x
}

/// Returns the distribution function of Student's t with given degrees of freedom.
///
/// The tail is ½ I_x(ν/2, ½) with x = ν / (ν + t²) (Abramowitz & Stegun 26.7.1); the lower tail keeps its relative accuracy.
package func studentTCDF(_ t: Double, dof nu: Double) -> Double {
  guard t == t, nu > 0 else { return .nan }
  if nu == .infinity { return normalCDF(t) }
  let square = t * t
  guard square < .infinity else { return t < 0 ? 0 : 1 }
  let x = nu / (nu + square)
  let y = square / (nu + square)
  let tail = 0.5 * RegularizedBeta(0.5 * nu, 0.5, x, complement: y).lower
  return t < 0 ? tail : 1 - tail
}

/// Returns the quantile of Student's t with given degrees of freedom; NaN for a probability outside [0, 1].
package func studentTQuantile(_ p: Double, dof nu: Double) -> Double {
  guard p >= 0, p <= 1, nu > 0 else { return .nan }
  if nu == .infinity { return normalQuantile(p) }
  if p == 0 { return -.infinity }
  if p == 1 { return .infinity }
  if p == 0.5 { return 0 }
  // The probability between -|t| and |t|, exact for p near ½, and what is left.
  let outside = 2 * min(p, 1 - p)
  let inside = 2 * abs(p - 0.5)
  let solution = inverseRegularizedBeta(0.5 * nu, 0.5, outside, complement: inside)
  let magnitude = (nu * (solution.complement / solution.x)).squareRoot()
  return p < 0.5 ? -magnitude : magnitude
}
