// SPDX-License-Identifier: MIT
//
// Leave-one-out cross-validation from one fit, and the widely applicable information criterion.
//
// Source: Vehtari, Gelman and Gabry 2017, Stat. Comput. 27, 1413; numbers and conventions are those of ArviZ.

import Numerics
public import PPL

/// The expected log predictive density of observations that the model has not seen, estimated from one fit.
///
/// ```swift
/// let loo = try leaveOneOut(model, draws)
/// print(loo)                             // elpd ± se, p_loo, Pareto k
/// ```
public struct LeaveOneOut: Sendable {
  /// The expected log pointwise predictive density: the sum of ``pointwise``.
  public let elpd: Double

  /// Its standard error, √(N Var(pointwise)).
  public let standardError: Double

  /// The effective number of parameters, p_loo: the log density of the data seen, less that of the data unseen.
  public let effectiveParameters: Double

  /// The log predictive density of each observation by the others.
  public let pointwise: [Double]

  /// The Pareto shape k of each observation's weights; empty for the widely applicable criterion.
  public let paretoK: [Double]

  /// What each observation is called: `y[3]`.
  public let names: [String]

  /// The number of draws.
  public let draws: Int

  /// The largest Pareto k that this number of draws can bear: min(1 − 1 / log₁₀ draws, 0.7).
  public var largestGoodK: Double {
    min(1 - logarithm(10) / logarithm(Double(draws)), 0.7)
  }

  /// The observations whose density cannot be trusted: their Pareto k is too large.
  public var influential: [(name: String, paretoK: Double)] {
    zip(names, paretoK).filter { !($0.1 <= largestGoodK) }.map { (name: $0.0, paretoK: $0.1) }
  }

  /// The reasons not to trust the estimate; none when all is well.
  public let warnings: [String]

  /// Estimates the density of each observation from the draws of all, by Pareto-smoothed importance sampling.
  ///
  /// - Parameters:
  ///   - likelihood: The log density of each observation at each draw.
  ///   - relativeEfficiency: The effective draws of a draw; by default that of the posterior's means.
  public init(_ likelihood: LogLikelihood, relativeEfficiency: Double? = nil) {
    let efficiency = relativeEfficiency ?? likelihood.relativeEfficiency
    var (pointwise, shapes, seen) = ([Double](), [Double](), 0.0)
    for observation in likelihood.observations {
      let weights = ParetoSmoothedWeights(
        observation.values.map { -$0 }, relativeEfficiency: efficiency)
      shapes.append(weights.paretoK)
      pointwise.append(logSumExp(zip(weights.logWeights, observation.values).map { $0 + $1 }))
      seen += logSumExp(observation.values) - logarithm(Double(observation.values.count))
    }
    let names = likelihood.observations.map(\.name)
    let draws = likelihood.count
    let bound = min(1 - logarithm(10) / logarithm(Double(draws)), 0.7)
    let bad = zip(names, shapes).filter { !($0.1 <= bound) }.map(\.0)
    self.init(
      pointwise, names, seen: seen, draws: draws, paretoK: shapes,
      warnings: bad.isEmpty
        ? []
        : [
          "the Pareto k of \(bad.count) of \(names.count) observations (\(DrawsExaminer.list(bad))) is above \(decimalText(bound, decimals: 2)): one of them changes the posterior too much to be left out by weights; fit without it to know, or use a likelihood with heavier tails"
        ])
  }

  /// Creates the result from its parts.
  private init(
    _ pointwise: [Double], _ names: [String], seen: Double, draws: Int, paretoK: [Double],
    warnings: [String]
  ) {
    self.pointwise = pointwise
    self.names = names
    self.draws = draws
    self.paretoK = paretoK
    elpd = pointwise.reduce(0, +)
    standardError = ChainStatistics.squares(pointwise).squareRoot()
    effectiveParameters = seen - elpd
    self.warnings =
      pointwise.count < 2
      ? [
        "there is \(pointwise.count == 1 ? "one observation" : "no observation") only: leaving it out says nothing; state the data in a plate, or as an array of independent variables"
      ] : warnings
  }

  /// Estimates the same density by the widely applicable information criterion, which is cheaper and less robust.
  ///
  /// - Parameter likelihood: The log density of each observation at each draw.
  /// - Returns: The estimate, with p_waic for ``effectiveParameters``.
  public static func widelyApplicable(_ likelihood: LogLikelihood) -> LeaveOneOut {
    let list = likelihood.observations
    let variances = list.map { ChainStatistics.squares($0.values) / Double($0.values.count) }
    let seen = list.map { logSumExp($0.values) - logarithm(Double($0.values.count)) }
    // The bound of Vehtari, Gelman and Gabry, section 2.2.
    let bad = zip(list, variances).filter { !($0.1 <= 0.4) }.map(\.0.name)
    return LeaveOneOut(
      zip(seen, variances).map { $0 - $1 }, list.map(\.name), seen: seen.reduce(0, +),
      draws: likelihood.count, paretoK: [],
      warnings: bad.isEmpty
        ? []
        : [
          "the log density of \(bad.count) of \(list.count) observations (\(DrawsExaminer.list(bad))) varies by more than 0.4: the criterion fails there; use leaveOneOut"
        ])
  }
}

extension LeaveOneOut: CustomStringConvertible {
  /// The estimates with their errors, and a count of Pareto k's by verdict.
  public var description: String {
    let error = standardError
    var lines = [
      "elpd \(roundedText(elpd, to: error)) ± \(roundedText(error, to: error)) from \(pointwise.count) observations and \(draws) draws",
      "effective parameters \(roundedText(effectiveParameters, to: effectiveParameters / 10))",
    ]
    if !paretoK.isEmpty {
      let good = paretoK.count { $0 <= largestGoodK }
      let fair = paretoK.count { $0 > largestGoodK && $0 <= 1 }
      lines.append(
        "Pareto k: \(good) good (≤ \(decimalText(largestGoodK, decimals: 2))), \(fair) bad, \(paretoK.count - good - fair) very bad (> 1)"
      )
    }
    return (lines + warnings).joined(separator: "\n")
  }
}

/// Returns the leave-one-out estimate of how well a model predicts its observations.
///
/// - Parameters:
///   - model: The model, with its data.
///   - draws: Draws from its posterior.
/// - Returns: The estimate, with a Pareto k to each observation.
/// - Throws: `ModelError` as ``logLikelihood(_:_:)`` does.
public func leaveOneOut<Output>(_ model: Model<Output>, _ draws: Draws) throws -> LeaveOneOut {
  LeaveOneOut(try logLikelihood(model, draws))
}
