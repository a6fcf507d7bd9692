// SPDX-License-Identifier: MIT
//
// Logistic, error-function and gamma-function families for one number.
//
// Goals, in order: 1 no overflow and no cancellation over the whole domain; 2 relative error of a few ulp; 3 speed.

internal import CKernels

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

// MARK: - Logarithms of sums

/// Returns log(1 - e^-x) for x > 0, accurate at both ends.
///
/// ### Source
///
/// Mächler 2012, "Accurately computing log(1 - exp(-|a|))": expm1 below log 2, log1p above.
package func log1mexp(_ x: Double) -> Double {
  x <= 0.693_147_180_559_945_3 ? log(-expm1(-x)) : log1p(-exp(-x))
}

/// Returns log(e^a + e^b) without overflow.
package func logAddExp(_ a: Double, _ b: Double) -> Double {
  let high = max(a, b)
  let low = min(a, b)
  if high == -.infinity || high == .infinity { return high + (low.isNaN ? low : 0) }
  return high + log1p(exp(low - high))
}

/// Returns the logarithm of a sum of exponentials; -∞ for none.
package func logSumExp(_ values: UnsafeBufferPointer<Double>) -> Double {
  var high = -Double.infinity
  for value in values where !(value <= high) { high = value }
  guard high.isFinite else { return high }
  var sum = 0.0
  for value in values { sum += exp(value - high) }
  return high + log(sum)
}

/// Returns the logarithm of a sum of exponentials; -∞ for none.
package func logSumExp(_ values: [Double]) -> Double {
  values.withUnsafeBufferPointer { logSumExp($0) }
}

// MARK: - Logistic functions

/// Returns 1 / (1 + e^-x), relatively accurate in both tails.
package func sigmoid(_ x: Double) -> Double {
  let e = exp(-abs(x))
  return (x < 0 ? e : 1) / (1 + e)
}

/// Returns log(1 + e^x) without overflow.
package func softplus(_ x: Double) -> Double {
  max(x, 0) + log1p(exp(-abs(x)))
}

/// Returns log(p / (1 - p)), the inverse of `sigmoid`.
package func logit(_ p: Double) -> Double {
  log(p) - log1p(-p)
}

// MARK: - Error function and normal distribution

/// Returns e^(x²) erfc(x), the scaled complementary error function.
package func erfcx(_ x: Double) -> Double { ss_erfcx_value(x) }

/// Returns the standard normal distribution function Φ(x).
package func normalCDF(_ x: Double) -> Double { ss_normal_cdf_value(x) }

/// Returns log Φ(x), accurate far in the lower tail too.
package func normalLogCDF(_ x: Double) -> Double { ss_normal_log_cdf_value(x) }

/// Returns φ(x) / Φ(x), the derivative of `normalLogCDF`.
package func normalLogCDFDerivative(_ x: Double) -> Double {
  ss_normal_log_cdf_derivative_value(x)
}

/// Returns the standard normal quantile of a probability (Wichura 1988, AS 241); NaN outside [0, 1].
package func normalQuantile(_ p: Double) -> Double { ss_normal_quantile_value(p) }

/// Returns the x with log Φ(x) = logP, also where Φ(x) underflows.
///
/// Newton's method on log Φ, which is concave, so that every step after the first is from the left.
package func normalQuantile(logProbability logP: Double) -> Double {
  if logP > -0.5 { return -normalQuantile(-expm1(logP)) }
  if logP > -600 { return normalQuantile(exp(logP)) }
  guard logP > -.infinity else { return logP }
  // log Φ(x) ≈ -x²/2 - log(-x √(2π)).
  let y = -2 * logP
  var x = -(y - log(2 * .pi * y)).squareRoot()
  for _ in 0..<10 {
    let step = (normalLogCDF(x) - logP) / normalLogCDFDerivative(x)
    x -= step
    if abs(step) <= 4 * x.ulp { break }
  }
  return x
}

// MARK: - Gamma function and relatives

/// Returns log |Γ(x)|.
package func logGamma(_ x: Double) -> Double { ss_lgamma_value(x) }

/// Returns ψ(x), the derivative of log Γ.
package func digamma(_ x: Double) -> Double { ss_digamma_value(x) }

/// Returns ψ'(x).
package func trigamma(_ x: Double) -> Double { ss_trigamma_value(x) }

/// Returns ψ''(x).
package func tetragamma(_ x: Double) -> Double { ss_tetragamma_value(x) }

/// Half the logarithm of 2π.
package let halfLogTwoPi = 0.918_938_533_204_672_741_780_329_736_405_62

/// Returns log Γ(x + 1) - (x + ½) log x + x - ½ log 2π, the error of Stirling's formula, for x > 0.
///
/// ### Source
///
/// The asymptotic series of DLMF 5.11.1 from 10 on, where its 9th term is below 1e-17; the definition below, where nothing
/// cancels that matters.
package func stirlingError(_ x: Double) -> Double {
  guard x >= 10 else {
    return logGamma(x) - (x - 0.5) * log(x) + x - halfLogTwoPi
  }
  let y = 1 / x
  let z = y * y
  let c0 = 1.0 / 12
  let c1 = 1.0 / 360
  let c2 = 1.0 / 1260
  let c3 = 1.0 / 1680
  let c4 = 1.0 / 1188
  let c5 = 691.0 / 360_360
  let c6 = 1.0 / 156
  let c7 = 3617.0 / 122_400
  let tail = c4 - z * (c5 - z * (c6 - z * c7))
  return y * (c0 - z * (c1 - z * (c2 - z * (c3 - z * tail))))
}

/// Returns log B(a, b) for positive arguments, without the cancellation of three log-gammas where one is large.
package func logBeta(_ a: Double, _ b: Double) -> Double {
  let small = min(a, b)
  let large = max(a, b)
  guard large >= 10 else { return logGamma(small) + logGamma(large) - logGamma(small + large) }
  // log Γ(large) - log Γ(large + small) by Stirling's formula, with the large parts cancelled by hand.
  let correction = stirlingError(large) - stirlingError(large + small)
  let ratio = -(large - 0.5) * log1p(small / large) - small * log(large + small) + small
  return logGamma(small) + ratio + correction
}

/// Returns log I₀(x), the modified Bessel function of order zero, for any x.
///
/// ### Source
///
/// DLMF 10.25.2 (power series) up to 30, 10.40.1 (asymptotic series) beyond, both to full precision.
package func logBesselI0(_ x: Double) -> Double {
  let a = abs(x)
  guard a > 30 else {
    let q = a * a / 4
    var term = 1.0
    var sum = 0.0
    var k = 1.0
    repeat {
      term *= q / (k * k)
      sum += term
      k += 1
    } while term > 1e-17 * sum
    return log1p(sum)
  }
  var term = 1.0
  var sum = 1.0
  for k in 1..<25 {
    let odd = Double(2 * k - 1)
    term *= odd * odd / (8 * a * Double(k))
    sum += term
    if term < 1e-17 { break }
  }
  return a - halfLogTwoPi - 0.5 * log(a) + log(sum)
}

/// Returns I₁(x) / I₀(x), the ratio of modified Bessel functions, for x ≥ 0: the slope of ``logBesselI0(_:)``.
///
/// ### Source
///
/// DLMF 10.25.2 (power series) up to 30, 10.40.1 (asymptotic series) beyond, both to full precision.
package func besselRatio(_ x: Double) -> Double {
  guard x > 30 else {
    let q = x * x / 4
    var (term0, term1) = (1.0, 1.0)
    var (sum0, sum1) = (1.0, 1.0)
    var k = 1.0
    repeat {
      term0 *= q / (k * k)
      term1 *= q / (k * (k + 1))
      sum0 += term0
      sum1 += term1
      k += 1
    } while term0 > 1e-17 * sum0
    return 0.5 * x * sum1 / sum0
  }
  var (term0, term1) = (1.0, 1.0)
  var (sum0, sum1) = (1.0, 1.0)
  for k in 1..<25 {
    let odd = Double((2 * k - 1) * (2 * k - 1))
    term0 *= odd / (8 * x * Double(k))
    term1 *= (odd - 4) / (8 * x * Double(k))
    sum0 += term0
    sum1 += term1
    if abs(term0) < 1e-17 { break }
  }
  return sum1 / sum0
}
