// SPDX-License-Identifier: MIT
//
// Binomial, multinomial and von Mises draws from a sequence of random bits.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

extension KeyedGenerator {
  /// Returns the next binomial draw.
  ///
  /// ### Source
  ///
  /// Few expected successes by the gaps between them (Devroye 1986, section X.4.3); from 10 on by Hörmann's transformed rejection
  /// BTRS (1993), with the density by log-gammas.
  ///
  /// - Parameters:
  ///   - count: The number of trials, a whole number ≥ 0.
  ///   - probability: The probability of a success.
  /// - Returns: A whole number; NaN for impossible parameters.
  public mutating func binomial(count: Double, probability: Double) -> Double {
    let (n, p) = (count, probability)
    guard n >= 0, n < .infinity, p >= 0, p <= 1 else { return .nan }
    if p > 0.5 { return n - binomial(count: n, probability: 1 - p) }
    if n == 0 || p == 0 { return 0 }
    guard n * p >= 10 else {
      let logFailure = log1p(-p)
      var (trials, successes) = (0.0, 0.0)
      while true {
        trials += (log(uniform()) / logFailure).rounded(.down) + 1
        if trials > n { return successes }
        successes += 1
      }
    }
    let spread = (n * p * (1 - p)).squareRoot()
    let b = 1.15 + 2.53 * spread
    let a = -0.0873 + 0.0248 * b + 0.01 * p
    let center = n * p + 0.5
    let vr = 0.92 - 4.2 / b
    let alpha = (2.83 + 5.1 / b) * spread
    let logOdds = log(p) - log1p(-p)
    let mode = ((n + 1) * p).rounded(.down)
    let height = Numerics.logGamma(mode + 1) + Numerics.logGamma(n - mode + 1)
    while true {
      let u = uniform() - 0.5
      let v = uniform()
      let us = 0.5 - abs(u)
      let k = ((2 * a / us + b) * u + center).rounded(.down)
      if us >= 0.07, v <= vr { return k }
      if k < 0 || k > n { continue }
      let left = log(v * alpha / (a / (us * us) + b))
      let right =
        height - Numerics.logGamma(k + 1) - Numerics.logGamma(n - k + 1) + (k - mode) * logOdds
      if left <= right { return k }
    }
  }

  /// Returns how often each category occurs in a number of trials: binomial draws one after the other.
  ///
  /// - Parameters:
  ///   - count: The number of trials, a whole number ≥ 0.
  ///   - probabilities: Those of the categories; their sum is taken as one.
  /// - Returns: One whole number for each category.
  public mutating func multinomial(
    count: Double, probabilities: some BidirectionalCollection<Double>
  ) -> [Double] {
    // What is left from each category on, summed from the far end, so that it does not cancel.
    var left: [Double] = []
    for p in probabilities.reversed() { left.append((left.last ?? 0) + p) }
    var trials = count
    var result: [Double] = []
    for (p, rest) in zip(probabilities, left.reversed()) {
      let isLast = result.count == left.count - 1
      let share = rest > 0 ? min(p / rest, 1) : 0
      let drawn = isLast ? trials : binomial(count: trials, probability: share)
      result.append(drawn)
      trials -= drawn
    }
    return result
  }

  /// Returns the next von Mises draw about zero, in (−π, π].
  ///
  /// ### Source
  ///
  /// Best & Fisher 1979, by rejection from a wrapped Cauchy distribution; for tiny concentrations uniform, for huge ones normal,
  /// where their constants lose all digits.
  ///
  /// - Parameter concentration: The concentration, not negative.
  /// - Returns: An angle; NaN for an impossible concentration.
  public mutating func vonMises(concentration: Double) -> Double {
    let kappa = concentration
    guard kappa >= 0 else { return .nan }
    guard kappa > 1e-8 else { return .pi * (2 * uniform() - 1) }
    // The distribution differs from the normal one by 1/(8 κ) in its fourth moment.
    guard kappa < 1e8 else { return normal() / kappa.squareRoot() }
    let tau = 1 + (1 + 4 * kappa * kappa).squareRoot()
    // The difference loses its digits for small concentrations; it is κ² there, to κ² of itself.
    let rho = kappa < 1e-4 ? 0.5 * kappa : (tau - (2 * tau).squareRoot()) / (2 * kappa)
    let r = (1 + rho * rho) / (2 * rho)
    while true {
      let z = cos(.pi * uniform())
      let f = (1 + r * z) / (r + z)
      let c = kappa * (r - f)
      let u = uniform()
      guard c * (2 - c) > u || log(c / u) + 1 >= c else { continue }
      let angle = acos(max(-1, min(1, f)))
      return uniform() < 0.5 ? -angle : angle
    }
  }
}
