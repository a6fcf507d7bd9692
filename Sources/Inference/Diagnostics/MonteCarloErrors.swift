// SPDX-License-Identifier: MIT
//
// Monte Carlo standard errors: how far the summaries of finitely many, correlated draws lie from those of the posterior.
//
// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, Bayesian Analysis 16, 667, section 4.5, as in ArviZ.

import Numerics

extension ScalarDraws {
  /// The Monte Carlo standard error of the mean: standard deviation / √``meanESS``.
  ///
  /// For an angle the error of the mean direction by propagation through the mean of the direction vectors, which is the same
  /// for a sharp one, and at most that of a direction of which nothing is known.
  public var meanError: Double {
    guard let period else { return standardDeviation / meanESS.squareRoot() }
    let sines = directionSines
    let spread = (ChainStatistics.squares(sines) / Double(max(1, sines.count - 1))).squareRoot()
    let error =
      period / (2 * Double.pi) * spread / ((concentration ?? .nan) * meanESS.squareRoot())
    // The standard deviation of a uniform distribution over one period.
    return error.isNaN ? error : min(error, period / 12.0.squareRoot())
  }

  /// The Monte Carlo standard error of the standard deviation, from the effective sample size of (x − mean)².
  ///
  /// Var(s²) = (E d⁴ − (E d²)²) / ESS with d = x − mean, and Var(s) = Var(s²) / (4 E d²).
  public var standardDeviationError: Double {
    let squares = squaredDistances
    guard unwrapped.count / max(1, chains) >= 4 else { return .nan }
    let second = ChainStatistics.mean(squares)
    let fourth = ChainStatistics.mean(squares.map { $0 * $0 })
    let variance = (fourth - second * second) / ChainStatistics.ess(split(squares))
    return (variance / second / 4).squareRoot()
  }

  /// The Monte Carlo standard error of the median.
  public var medianError: Double { quantileError(0.5) }

  /// Returns the Monte Carlo standard error of a quantile.
  ///
  /// Half the distance of the order statistics at the ends of the central 68 % of Beta(E p + 1, E (1 − p) + 1), the posterior
  /// of the probability below the quantile after E effective draws.
  public func quantileError(_ probability: Double) -> Double {
    let effective = quantileESS(probability)
    guard effective.isFinite else { return .nan }
    let sorted = unwrapped.sorted()
    let last = Double(sorted.count - 1)
    let (a, b) = (effective * probability + 1, effective * (1 - probability) + 1)
    // The probabilities of a normal variable below −1 and below 1 standard deviation.
    let low = inverseRegularizedBeta(a, b, 0.1586553) * Double(sorted.count) - 1
    let high = inverseRegularizedBeta(a, b, 0.8413447) * Double(sorted.count) - 1
    let first = sorted[Int(max(low, 0).rounded(.down))]
    let second = sorted[Int(min(high, last).rounded(.up))]
    return (second - first) / 2
  }
}
