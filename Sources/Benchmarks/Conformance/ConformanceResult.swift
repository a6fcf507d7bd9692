// SPDX-License-Identifier: MIT
//
// Draws of a model compared with reference summaries of its posterior, and the verdict.

import Foundation
import Inference

/// What one run of one posterior came to.
struct ConformanceResult: Sendable {
  /// The bounds, as published with the reference summaries.
  enum Bound {
    /// R-hat must stay below.
    static let rHat = 1.01
    /// Bulk and tail effective sample sizes must exceed.
    static let effectiveSize = 400.0
    /// Differences in units of their combined Monte Carlo error must not exceed.
    static let deviation = 5.0
    /// The share of divergences must not exceed.
    static let divergences = 1e-3
    /// The error of log density differences must not exceed, relative to the larger of 1 and the difference.
    static let logDensity = 1e-8
  }

  /// The comparison of one statistic of one scalar.
  struct Comparison: Sendable {
    /// The scalar and the statistic.
    let name: String
    /// The difference in units of the combined Monte Carlo error.
    let z: Double
  }

  /// The posterior.
  let name: String
  /// The seed of the run.
  let seed: Int
  /// The comparison that is farthest off.
  let worst: Comparison
  /// All comparisons out of bounds.
  let outside: [Comparison]
  /// The largest R-hat of all scalars.
  let rHat: Double
  /// The smallest bulk effective sample size.
  let bulk: Double
  /// The smallest tail effective sample size.
  let tail: Double
  /// The number of gradients after the warm-up.
  let gradients: Int
  /// The share of draws that diverged.
  let divergences: Double
  /// The time of the run in seconds, warm-up included.
  let seconds: Double
  /// Whether the run is meant to diverge: a model that is stated badly on purpose.
  let mustDiverge: Bool

  /// Compares draws with a reference.
  init(_ file: ReferenceFile, name: String, seed: Int, _ draws: Draws, mustDiverge: Bool) throws {
    self.name = name
    self.seed = seed
    self.mustDiverge = mustDiverge
    let scalars = Dictionary(draws.scalars.map { ($0.name, $0) }) { $1 }
    var comparisons: [Comparison] = []
    var (rHat, bulk, tail) = (1.0, Double.infinity, Double.infinity)
    for (label, wanted) in file.statistics.sorted(by: { $0.key < $1.key }) {
      let own = ConformanceResult.fromZero(label)
      guard let scalar = scalars[own] else {
        throw BenchmarkError(
          "\(name): expected draws of \"\(own)\", found \(scalars.keys.sorted())")
      }
      let quantiles = scalar.quantiles([0.05, 0.5, 0.95])
      let found: [(String, Double, Double, Double, Double)] = [
        ("mean", scalar.mean, wanted.mean, scalar.meanError, wanted.mcse_mean),
        ("sd", scalar.standardDeviation, wanted.sd, scalar.standardDeviationError, wanted.mcse_sd),
        ("q05", quantiles[0], wanted.q05, scalar.quantileError(0.05), wanted.mcse_q05),
        ("q50", quantiles[1], wanted.q50, scalar.quantileError(0.5), wanted.mcse_q50),
        ("q95", quantiles[2], wanted.q95, scalar.quantileError(0.95), wanted.mcse_q95),
      ]
      for (statistic, value, reference, error, referenceError) in found {
        let spread = (error * error + referenceError * referenceError).squareRoot()
        comparisons.append(
          Comparison(name: "\(label) \(statistic)", z: (value - reference) / spread))
      }
      // A NaN is the worst of all: it must not be passed over by a comparison.
      rHat = scalar.rHat.isNaN ? .nan : max(rHat, scalar.rHat)
      bulk = scalar.bulkESS.isNaN ? .nan : min(bulk, scalar.bulkESS)
      tail = scalar.tailESS.isNaN ? .nan : min(tail, scalar.tailESS)
    }
    guard
      let worst = comparisons.max(by: { !($1.z.isNaN ? false : abs($0.z) >= abs($1.z)) })
    else { throw BenchmarkError("\(name): the file has no statistics") }
    self.worst = worst
    outside = comparisons.filter { !(abs($0.z) <= Bound.deviation) }
    (self.rHat, self.bulk, self.tail) = (rHat, bulk, tail)
    let statistics = draws.statistics
    gradients = statistics?.gradients.reduce(0, +) ?? 0
    let count = Double(max(1, draws.chains * draws.draws))
    divergences = Double(statistics?.divergences ?? 0) / count
    seconds = statistics?.seconds ?? .nan
  }

  /// Returns a name with indices from 1 as one with indices from 0.
  private static func fromZero(_ label: String) -> String {
    guard let bracket = label.firstIndex(of: "["), label.hasSuffix("]") else { return label }
    let indices = label[label.index(after: bracket)...].dropLast().split(separator: ",")
    let shifted = indices.map { Int($0.trimmingCharacters(in: .whitespaces)).map { $0 - 1 } ?? 0 }
    return label[..<bracket] + "[" + shifted.map { "\($0)" }.joined(separator: ",") + "]"
  }

  /// What is out of bounds; empty for a run that conforms.
  var problems: [String] {
    if mustDiverge {
      // The failure that the model is there to show.
      return divergences > Bound.divergences ? [] : ["expected divergences, found none to speak of"]
    }
    var list: [String] = []
    if !(rHat < Bound.rHat) { list.append(String(format: "R-hat %.4f", rHat)) }
    if !(bulk > Bound.effectiveSize) { list.append(String(format: "bulk ESS %.0f", bulk)) }
    if !(tail > Bound.effectiveSize) { list.append(String(format: "tail ESS %.0f", tail)) }
    if !(divergences <= Bound.divergences) {
      list.append(String(format: "%.2f %% divergences", 100 * divergences))
    }
    list += outside.map { String(format: "%@ off by %.1f", $0.name, $0.z) }
    return list
  }

  // MARK: - Output

  /// The titles of the columns.
  static let columns = [
    "posterior", "seed", "worst z", "of", "R-hat", "bulk", "tail", "ESS/s", "grad/ESS", "div %",
    "s", "verdict",
  ]

  /// The cells of the table's row.
  var cells: [String] {
    [
      name, "\(seed)", String(format: "%+.2f", worst.z), worst.name,
      String(format: "%.4f", rHat), String(format: "%.0f", bulk), String(format: "%.0f", tail),
      String(format: "%.0f", bulk / seconds), String(format: "%.1f", Double(gradients) / bulk),
      String(format: "%.2f", 100 * divergences), String(format: "%.2f", seconds),
      problems.isEmpty
        ? (mustDiverge ? "diverges, as it must" : "conforms") : problems.joined(separator: "; "),
    ]
  }

  /// The result as an object of JSON.
  var object: [String: Any] {
    [
      "posterior": name, "seed": seed, "worst": worst.name, "worst_z": worst.z, "r_hat": rHat,
      "ess_bulk": bulk, "ess_tail": tail, "gradients": gradients, "seconds": seconds,
      "ess_per_second": bulk / seconds, "gradients_per_ess": Double(gradients) / bulk,
      "divergences": divergences, "conforms": problems.isEmpty, "problems": problems,
    ]
  }
}
