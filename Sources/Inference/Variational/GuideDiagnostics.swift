// SPDX-License-Identifier: MIT
//
// What a guide is worth: its evidence bound, and the tail of the weights that would turn its draws into the posterior's.
//
// Source: Yao, Vehtari, Simpson & Gelman 2018, "Yes, but did it work? Evaluating variational inference"; the largest k that
// so many draws can bear is that of Vehtari, Simpson, Gelman, Yao & Gabry 2024, "Pareto smoothed importance sampling".

public import Numerics

/// What importance weights say of a guide.
public struct GuideDiagnostics: Sendable {
  /// The evidence lower bound.
  public let elbo: Double

  /// The Monte Carlo standard error of the bound.
  public let elboError: Double

  /// The shape of the tail of the weights p / q: below 0.5 the guide is good, above 0.7 it misses part of the posterior.
  ///
  /// NaN for a point estimate, which has no density.
  public let paretoK: Double

  /// The k up to which this number of draws is enough: 1 − 1 / log₁₀ of it, at most 0.7.
  public let largestGoodK: Double

  /// The log evidence by importance weights; to be trusted where ``paretoK`` is below ``largestGoodK``.
  public let logEvidence: Double

  /// The share of the draws that the smoothed weights leave: their effective number divided by their number.
  public let efficiency: Double

  /// What makes the guide doubtful, in words, with what to do.
  public var warnings: [DiagnosticWarning] {
    guard elbo.isFinite else {
      return [
        DiagnosticWarning(
          .notFinite, "guide",
          "the guide has draws outside the support of the posterior, or its parameters are not finite: its evidence bound is \(elbo); start the fit elsewhere, or lower its step size"
        )
      ]
    }
    let hasHeavyTail = paretoK > largestGoodK && efficiency < Self.harmlessEfficiency
    guard hasHeavyTail || efficiency < Self.leastEfficiency else { return [] }
    let k = paretoK.isFinite ? decimalText(paretoK, decimals: 2) : "more than can be measured"
    let bound = decimalText(largestGoodK, decimals: 2)
    let share = decimalText(100 * efficiency, decimals: efficiency < 0.1 ? 1 : 0)
    return [
      DiagnosticWarning(
        .paretoK, "guide",
        "the importance weights of the guide have a Pareto k of \(k) (good: below 0.5, bad: above \(bound)) and leave \(share) % of its draws: it misses part of the posterior, and its means and deviations may be wrong; use a flow or more steps, or NUTS"
      )
    ]
  }

  /// The efficiency above which a heavy tail does not matter: of a few draws that carry next to nothing.
  ///
  /// The χ² divergence is then below 0.11, and a mean is off by less than √0.11 of a deviation in the worst direction.
  private static let harmlessEfficiency = 0.9

  /// The efficiency below which a guide is doubtful whatever its tail: a χ² divergence of more than two.
  private static let leastEfficiency = 0.3

  /// Returns the k up to which a number of draws is enough: 1 − 1 / log₁₀ of it, at most 0.7.
  static func largestGoodK(_ count: Int) -> Double {
    min(0.7, 1 - logarithm(10) / logarithm(max(2, Double(count))))
  }

  /// Creates diagnostics from log weights; without a density, where they are those of a point.
  init(_ logWeights: [Double], isPoint: Bool) {
    let count = Double(logWeights.count)
    let mean = logWeights.reduce(0, +) / count
    let squares = logWeights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    elbo = mean
    largestGoodK = Self.largestGoodK(logWeights.count)
    elboError = (squares / max(1, count - 1) / count).squareRoot()
    guard !isPoint else {
      (paretoK, logEvidence, efficiency) = (.nan, .nan, .nan)
      return
    }
    // Weights that are equal to rounding have no tail: the guide is the posterior.
    if squares / count < 1e-16 {
      (paretoK, logEvidence, efficiency) = (-.infinity, mean, 1)
      return
    }
    let smoothed = ParetoSmoothedWeights(logWeights)
    paretoK = smoothed.paretoK
    logEvidence = logSumExp(logWeights) - logarithm(count)
    let square = smoothed.logWeights.reduce(0) { $0 + exponential(2 * $1) }
    efficiency = 1 / (square * count)
  }
}

extension VariationalPosterior {
  /// Returns what importance weights say of the guide.
  ///
  /// - Parameters:
  ///   - draws: The number of draws.
  ///   - key: Their key.
  /// - Returns: The evidence bound, the tail of the weights, and warnings.
  public func diagnostics(draws: Int = 1000, key: RandomKey = 0) -> GuideDiagnostics {
    demand(draws > 1, "diagnostics: expected at least two draws, got \(draws)")
    return GuideDiagnostics(
      logWeights(draws, key: key), isPoint: objective.isPointEstimate)
  }
}
