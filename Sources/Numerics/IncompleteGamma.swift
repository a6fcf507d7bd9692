// SPDX-License-Identifier: MIT
//
// The regularised incomplete gamma functions P and Q, their derivative in x, and their inverses (DLMF chapter 8).
//
// Goals, in order: 1 relative error of the smaller of P and Q near 1e-15 for a up to 100, 1e-14 to 1e4; 2 inverses that
// always converge; 3 speed.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Returns m - a + a log(a / m), the deviance of a Poisson mean, without cancellation where m is near a.
///
/// With v = (a - m) / (a + m): a log(a / m) = 2a (v + v³/3 + v⁵/5 + …) and m - a = -v (a + m), hence the sum below
/// (Loader 2000, "Fast and accurate computation of binomial probabilities").
func poissonDeviance(_ a: Double, _ m: Double) -> Double {
  let difference = a - m
  guard abs(difference) < 0.1 * (a + m) else { return a * log(a / m) - difference }
  let v = difference / (a + m)
  let z = v * v
  var power = 2 * a * v
  var sum = difference * v
  var k = 3.0
  while true {
    power *= z
    let next = sum + power / k
    if next == sum { return sum }
    sum = next
    k += 2
  }
}

/// Returns x^a e^-x / Γ(a + 1) for positive arguments.
///
/// Up to a = 100 as a product, whose factors are each good to 1 ulp; beyond, by Stirling's formula and the deviance.
private func gammaPrefactor(_ a: Double, _ x: Double) -> Double {
  if a <= 100, x <= 700 {
    let product = pow(x, a) * (exp(-x) / tgamma(a + 1))
    if product > 1e-290 { return product }
  }
  return exp(-poissonDeviance(a, x) - stirlingError(a)) / (2 * .pi * a).squareRoot()
}

/// Returns the logarithm of x^a e^-x / Γ(a + 1) for positive arguments.
private func logGammaPrefactor(_ a: Double, _ x: Double) -> Double {
  let product = gammaPrefactor(a, x)
  if product > 1e-290 { return log(product) }
  return -poissonDeviance(a, x) - stirlingError(a) - 0.5 * log(2 * .pi * a)
}

/// Returns x^a e^-x / Γ(a), the derivative of P(a, x) in log x, for positive arguments.
package func gammaDensityLog(_ a: Double, _ x: Double) -> Double { a * gammaPrefactor(a, x) }

/// Returns ∂P(a, x)/∂x = x^(a - 1) e^-x / Γ(a), the gamma density.
package func regularizedGammaPDerivative(_ a: Double, _ x: Double) -> Double {
  guard x > 0 else { return x == 0 ? (a < 1 ? .infinity : (a == 1 ? 1 : 0)) : 0 }
  return x < .infinity ? gammaDensityLog(a, x) / x : 0
}

/// The shape from which the expansion for large shapes is used: its next term is 1e-16 of the result there.
private let largeGammaShape = 1e7

/// Returns P(a, x) and Q(a, x) for large a by Temme's uniform expansion (DLMF 8.12.3 and 8.12.4, to first order in 1/a).
private func gammaTailsOfLargeShape(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
  let deviance = poissonDeviance(a, x)
  let mu = (x - a) / a
  let eta = (mu < 0 ? -1.0 : 1) * (2 * deviance / a).squareRoot()
  // Where the series' next term would matter the tail has underflowed.
  let c0 =
    abs(eta) < 0.05
    ? -1.0 / 3 + eta * (1.0 / 12 - eta * (2.0 / 135 - eta / 864)) : 1 / mu - 1 / eta
  let c1 = -1.0 / 540 - eta / 288
  let rest = exp(-deviance) / (2 * .pi * a).squareRoot() * (c0 + c1 / a)
  let z = eta * (a / 2).squareRoot()
  return (0.5 * erfc(-z) - rest, 0.5 * erfc(z) + rest)
}

/// Returns P(a, x) Γ(a + 1) eˣ / x^a, the series DLMF 8.7.1, for x < a + 1.
private func gammaSeries(_ a: Double, _ x: Double) -> Double {
  var term = 1.0
  var sum = 1.0
  var n = a
  while true {
    n += 1
    term *= x / n
    sum += term
    // The rest is below term · x / (n - x), and x / n falls from below 1.
    if term < 1e-17 * sum { return sum }
  }
}

/// Returns Q(a, x) Γ(a) eˣ / x^a, the continued fraction DLMF 8.9.2 by Lentz's method, for x ≥ a + 1.
private func gammaFraction(_ a: Double, _ x: Double) -> Double {
  var b = x + 1 - a
  var c = 1e300
  var d = 1 / b
  var h = d
  var i = 0.0
  while i < 1e6 {
    i += 1
    let numerator = -i * (i - a)
    b += 2
    d = 1 / (numerator * d + b)
    c = b + numerator / c
    let factor = c * d
    h *= factor
    if abs(factor - 1) < 2e-16 { break }
  }
  return h
}

/// The lower and upper regularised incomplete gamma functions.
package struct RegularizedGamma {
  /// P(a, x), the share of the integral below x.
  package let lower: Double

  /// Q(a, x) = 1 - P(a, x).
  package let upper: Double

  /// Computes both; NaN unless a > 0 and x ≥ 0.
  ///
  /// ### Source
  ///
  /// The series DLMF 8.7.1 for x < a + 1, the continued fraction 8.9.2 otherwise; for a ≥ 1e7 the uniform expansion 8.12.
  ///
  /// - Parameters:
  ///   - a: The shape, positive.
  ///   - x: The upper limit of the integral, not negative.
  package init(_ a: Double, _ x: Double) {
    guard a > 0, x >= 0, a < .infinity else {
      lower = .nan
      upper = .nan
      return
    }
    guard x > 0 else {
      lower = 0
      upper = 1
      return
    }
    guard x < .infinity else {
      lower = 1
      upper = 0
      return
    }
    guard a < largeGammaShape else {
      let tails = gammaTailsOfLargeShape(a, x)
      lower = min(max(tails.lower, 0), 1)
      upper = min(max(tails.upper, 0), 1)
      return
    }
    if x < a + 1 {
      lower = min(gammaPrefactor(a, x) * gammaSeries(a, x), 1)
      upper = 1 - lower
    } else {
      upper = min(gammaDensityLog(a, x) * gammaFraction(a, x), 1)
      lower = 1 - upper
    }
  }
}

/// Returns the regularised lower incomplete gamma function P(a, x).
package func regularizedGammaP(_ a: Double, _ x: Double) -> Double { RegularizedGamma(a, x).lower }

/// Returns the regularised upper incomplete gamma function Q(a, x).
package func regularizedGammaQ(_ a: Double, _ x: Double) -> Double { RegularizedGamma(a, x).upper }

/// Returns the x with P(a, x) = p.
///
/// ### Source
///
/// Newton's method on the logarithm of the smaller tail in log x, where both tails are log-concave, from Wilson and
/// Hilferty's start.
///
/// - Parameters:
///   - a: The shape, positive.
///   - p: The probability, in [0, 1]; NaN outside.
/// - Returns: The quantile of the gamma distribution of unit rate.
package func inverseRegularizedGammaP(_ a: Double, _ p: Double) -> Double {
  inverseRegularizedGamma(a, lower: p, upper: 1 - p)
}

/// Returns the x with Q(a, x) = q.
package func inverseRegularizedGammaQ(_ a: Double, _ q: Double) -> Double {
  inverseRegularizedGamma(a, lower: 1 - q, upper: q)
}

/// Returns the gamma quantile of a probability given by both tails, of which the smaller is used.
private func inverseRegularizedGamma(_ a: Double, lower p: Double, upper q: Double) -> Double {
  guard a > 0, a < .infinity, p >= 0, q >= 0 else { return .nan }
  if p == 0 { return 0 }
  if q == 0 { return .infinity }
  let z = p < q ? normalQuantile(p) : -normalQuantile(q)
  let cube = 1 - 1 / (9 * a) + z / (3 * a.squareRoot())
  // For small a or p: P ≈ x^a / Γ(a + 1).
  let power = (log(p) + logGamma(a + 1)) / a
  let start = cube > 0.2 ? log(a) + 3 * log(cube) : min(power, log(a))
  let useLower = p <= q
  let target = log(useLower ? p : q)
  let u = solveMonotone(from: start) { u in
    let x = exp(u)
    if x == 0 { return useLower ? (a * u - logGamma(a + 1) - target, a) : (-target, -0.0) }
    // A tail beyond the mean by its logarithm: with large shapes it underflows not far from there.
    if a < largeGammaShape && useLower == (x < a + 1) {
      let inverse = useLower ? a / gammaSeries(a, x) : 1 / gammaFraction(a, x)
      let logDensity = log(a) + logGammaPrefactor(a, x)
      return (logDensity - log(inverse) - target, useLower ? inverse : -inverse)
    }
    let both = RegularizedGamma(a, x)
    let density = gammaDensityLog(a, x)
    return useLower
      ? (log(both.lower) - target, density / both.lower)
      : (log(both.upper) - target, -density / both.upper)
  }
  return exp(u)
}

/// Returns the zero of a monotone concave function by Newton's method with steps of bounded length.
///
/// A tangent of a concave function lies above it, so every step after the first approaches from one side; the bound on the
/// step only matters far out in a flat tail. Stops when the steps reach rounding error; NaN where the function is no number.
func solveMonotone(
  from start: Double, _ function: (Double) -> (value: Double, slope: Double)
) -> Double {
  let longest = 30.0
  var u = start
  var last = Double.infinity
  for _ in 0..<200 {
    let (value, slope) = function(u)
    if value == 0 { break }
    // The point reached would pass for the zero.
    guard !(value / slope).isNaN else { return .nan }
    let step = max(-longest, min(longest, value / slope))
    u -= step
    let size = abs(step)
    if size <= 1e-16 * max(1, abs(u)) || (size < 1e-12 && size >= last) { break }
    last = size
  }
  return u
}
