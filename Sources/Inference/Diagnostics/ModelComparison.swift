// SPDX-License-Identifier: MIT
//
// Models ranked by how well they predict what they have not seen.
//
// Source: Vehtari, Gelman and Gabry 2017, Stat. Comput. 27, 1413, section 5.2; stacking: Yao, Vehtari, Simpson and Gelman 2018,
// Bayesian Analysis 13, 917, eq. 4.

import Numerics

/// Models of the same observations, ranked by leave-one-out cross-validation.
///
/// ```swift
/// print(ModelComparison(["normal": loo1, "student": loo2]))
/// ```
public struct ModelComparison: Sendable {
  /// One model's place.
  public struct Row: Sendable {
    /// The name.
    public let name: String
    /// The expected log predictive density.
    public let elpd: Double
    /// Its standard error.
    public let standardError: Double
    /// The effective number of parameters.
    public let effectiveParameters: Double
    /// How much worse than the best model it predicts.
    public let difference: Double
    /// The standard error of the difference, from the same observations.
    public let differenceError: Double
    /// The share of the model in the mixture that predicts best (stacking).
    public let weight: Double
    /// Whether the estimate has warnings.
    public let isDoubtful: Bool
  }

  /// The models, the best first.
  public let rows: [Row]

  /// Ranks models.
  ///
  /// - Parameter models: An estimate to each name.
  /// - Precondition: There is a model, and all are about the same observations.
  public init(_ models: [String: LeaveOneOut]) {
    let order = models.sorted { ($0.value.elpd, $1.key) > ($1.value.elpd, $0.key) }
    guard let best = order.first?.value else {
      stop("ModelComparison: expected a model, got none")
    }
    for (name, other) in order {
      demand(
        other.names == best.names,
        "ModelComparison: expected the same \(best.names.count) observations in all models, got \(other.names.count) others in \"\(name)\""
      )
    }
    let weights = Self.stackingWeights(order.map(\.value.pointwise))
    rows = zip(order, weights).map { item, weight in
      let change = zip(best.pointwise, item.value.pointwise).map { $0 - $1 }
      return Row(
        name: item.key, elpd: item.value.elpd, standardError: item.value.standardError,
        effectiveParameters: item.value.effectiveParameters, difference: change.reduce(0, +),
        differenceError: ChainStatistics.squares(change).squareRoot(), weight: weight,
        isDoubtful: !item.value.warnings.isEmpty)
    }
  }

  /// Returns the weights of the mixture of models with the largest log score.
  ///
  /// Expectation maximisation: the score is concave in the weights and rises at every step; a weight that should vanish does
  /// so like 1 / steps, so the steps end when the score has settled to 1e-10.
  private static func stackingWeights(_ models: [[Double]]) -> [Double] {
    let observations = models[0].indices.map { i -> [Double] in
      let largest = models.map { $0[i] }.max() ?? 0
      return models.map { exponential($0[i] - largest) }
    }
    var weights = [Double](repeating: 1 / Double(models.count), count: models.count)
    guard models.count > 1, !observations.isEmpty else { return weights }
    var score = -Double.infinity
    for _ in 0..<100_000 {
      var next = [Double](repeating: 0, count: models.count)
      var total = 0.0
      for row in observations {
        let sum = zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 }
        total += logarithm(sum)
        for k in next.indices { next[k] += row[k] * weights[k] / sum }
      }
      weights = next.map { $0 / Double(observations.count) }
      if total - score < 1e-12 * Double(observations.count) { break }
      score = total
    }
    return weights
  }
}

extension ModelComparison: CustomStringConvertible {
  /// The table, the best model first.
  public var description: String {
    var table = TextTable(header: ["", "elpd", "se", "p", "difference", "se", "weight", ""])
    for row in rows {
      let error = row.standardError
      table.rows.append([
        row.name, roundedText(row.elpd, to: error), roundedText(error, to: error),
        decimalText(row.effectiveParameters, decimals: 1),
        roundedText(row.difference, to: row.differenceError > 0 ? row.differenceError : 1),
        roundedText(row.differenceError, to: row.differenceError),
        decimalText(row.weight, decimals: 2), row.isDoubtful ? "doubtful" : "",
      ])
    }
    return table.text
  }
}
