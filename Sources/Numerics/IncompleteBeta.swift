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

/// Returns I_x(a, b) B(a, b) / (x^a y^b) with y = 1 - x, for x not above (a + 1) / (a + b + 2).
///
/// The even part of the continued fraction DLMF 8.17.22 as Didonato and Morris write it (1992, ACM TOMS 18, 360, equation 9), where the
/// distance from the mean comes from the smaller of x and y: nothing cancels, however different the shapes are. Near the mean it takes
/// some √(a + b) terms; NaN where 10⁵ are not enough, of shapes of some 10¹³ and more.
private func betaFraction(_ a: Double, _ b: Double, _ x: Double, _ y: Double) -> Double {
  let distance = a > b ? (a + b) * y - b : a - (a + b) * x
  let c = 1 + distance
  let c1 = 1 + 1 / a
  // The last two numerators and denominators, scaled so that the last denominator is 1.
  var (above, below) = (0.0, 1.0)
  var (lastAbove, lastBelow) = (1.0, c / c1)
  var value = c1 / c
  var n = 0.0
  while n < 1e5 {
    n += 1
    let p = 1 + (n - 1) / a
    let t = n / a
    let w = n * (b - n) * x
    let s = a + 2 * n - 1
    let e = a / s
    let alpha = p * (p + b / a) * e * e * (w * x)
    let beta = n + w / s + (t + 1) / (c1 + 2 * t) * (c + n * (1 + y))
    let nextAbove = alpha * above + beta * lastAbove
    let nextBelow = alpha * below + beta * lastBelow
    let next = nextAbove / nextBelow
    let change = abs(next - value)
    value = next
    if change <= 2e-16 * abs(value) { return value }
    (above, below) = (lastAbove / nextBelow, lastBelow / nextBelow)
    (lastAbove, lastBelow) = (value, 1)
  }
  return .nan
}

/// Returns the smaller of a number and 1; NaN stays.
private func atMostOne(_ x: Double) -> Double { x > 1 ? 1 : x }

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
      lower = atMostOne(density * betaFraction(a, b, x, y))
      upper = 1 - lower
    } else {
      upper = atMostOne(density * betaFraction(b, a, y, x))
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
        : (-target, useLower ? 0 : -0.0)
    }
    let density = BetaDensityLogit(a, b, x, y)
    // A tail beyond the mean by its logarithm: with large shapes it underflows not far from there.
    if useLower == (x < (a + 1) / (a + b + 2)) {
      let ratio = useLower ? betaFraction(a, b, x, y) : betaFraction(b, a, y, x)
      return (density.logarithm + log(ratio) - target, useLower ? 1 / ratio : -1 / ratio)
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

/// Returns the probability that Student's t lies between −t and t, for t ≥ 0, with its relative accuracy near 0.
package func halfStudentTCDF(_ t: Double, dof nu: Double) -> Double {
  guard t >= 0, nu > 0 else { return .nan }
  if nu == .infinity { return erf(t * 0.5.squareRoot()) }
  let square = t * t
  guard square < .infinity else { return 1 }
  let x = square / (nu + square)
  return RegularizedBeta(0.5, 0.5 * nu, x, complement: nu / (nu + square)).lower
}

/// Returns the t ≥ 0 that Student's t exceeds neither above nor below with a probability.
package func halfStudentTQuantile(_ p: Double, dof nu: Double) -> Double {
  guard p >= 0, p <= 1, nu > 0 else { return .nan }
  if nu == .infinity { return -normalQuantile(0.5 * (1 - p)) }
  let solution = inverseRegularizedBeta(0.5 * nu, 0.5, 1 - p, complement: p)
  return (nu * (solution.complement / solution.x)).squareRoot()
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
