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

  /// The statistics that are compared.
  static let statistics = ["mean", "sd", "q05", "q50", "q95"]

  /// The comparison of one scalar.
  struct Comparison: Sendable {
    /// The scalar.
    let name: String
    /// For each of the statistics, the difference in units of the combined Monte Carlo error.
    let z: [Double]
    /// Its R-hat.
    let rHat: Double
    /// Its bulk effective sample size.
    let bulk: Double
    /// Its tail effective sample size.
    let tail: Double
  }

  /// The posterior.
  let name: String
  /// The seed of the run.
  let seed: Int
  /// The comparisons of all scalars, in order of their names.
  let comparisons: [Comparison]
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
    comparisons = try file.statistics.sorted(by: { $0.key < $1.key }).map { label, wanted in
      let own = ConformanceResult.fromZero(label)
      guard let scalar = scalars[own] else {
        throw BenchmarkError(
          "\(name): expected draws of \"\(own)\", found \(scalars.keys.sorted())")
      }
      let quantiles = scalar.quantiles([0.05, 0.5, 0.95])
      let found: [(Double, Double, Double, Double)] = [
        (scalar.mean, wanted.mean, scalar.meanError, wanted.mcse_mean),
        (scalar.standardDeviation, wanted.sd, scalar.standardDeviationError, wanted.mcse_sd),
        (quantiles[0], wanted.q05, scalar.quantileError(0.05), wanted.mcse_q05),
        (quantiles[1], wanted.q50, scalar.quantileError(0.5), wanted.mcse_q50),
        (quantiles[2], wanted.q95, scalar.quantileError(0.95), wanted.mcse_q95),
      ]
      return Comparison(
        name: label,
        z: found.map { value, reference, error, referenceError in
          (value - reference) / (error * error + referenceError * referenceError).squareRoot()
        },
        rHat: scalar.rHat, bulk: scalar.bulkESS, tail: scalar.tailESS)
    }
    guard !comparisons.isEmpty else {
      throw BenchmarkError("\(name): the file has no statistics")
    }
    let statistics = draws.statistics
    gradients = statistics?.gradients.reduce(0, +) ?? 0
    let count = Double(max(1, draws.chains * draws.draws))
    divergences = Double(statistics?.divergences ?? 0) / count
    seconds = statistics?.seconds ?? .nan
  }

  /// The largest R-hat of all scalars.
  var rHat: Double { comparisons.map(\.rHat).reduce(-.infinity, ConformanceResult.larger) }

  /// The smallest bulk effective sample size.
  var bulk: Double { -comparisons.map { -$0.bulk }.reduce(-.infinity, ConformanceResult.larger) }

  /// The smallest tail effective sample size.
  var tail: Double { -comparisons.map { -$0.tail }.reduce(-.infinity, ConformanceResult.larger) }

  /// Returns the larger of two numbers; NaN is the worst of all, and must not be passed over by a comparison.
  private static func larger(_ a: Double, _ b: Double) -> Double {
    a.isNaN || b.isNaN ? .nan : max(a, b)
  }

  /// The z of a statistic that is farthest from 0, of all scalars, and the scalar with the statistic.
  private func worst(_ statistic: Int) -> (z: Double, name: String) {
    let all = comparisons.map { scalar in
      (z: scalar.z[statistic], name: "\(scalar.name) \(ConformanceResult.statistics[statistic])")
    }
    return all.reduce(all[0]) { ConformanceResult.isFarther($1.z, $0.z) ? $1 : $0 }
  }

  /// The comparison that is farthest off.
  private var worst: (z: Double, name: String) {
    let all = ConformanceResult.statistics.indices.map { worst($0) }
    return all.reduce(all[0]) { ConformanceResult.isFarther($1.z, $0.z) ? $1 : $0 }
  }

  /// Whether a z is farther from 0 than another; NaN is the farthest.
  private static func isFarther(_ a: Double, _ b: Double) -> Bool {
    !b.isNaN && !(abs(a) <= abs(b))
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
    for scalar in comparisons {
      for (statistic, z) in zip(ConformanceResult.statistics, scalar.z)
      where !(abs(z) <= Bound.deviation) {
        list.append(String(format: "%@ %@ off by %.1f", scalar.name, statistic, z))
      }
    }
    return list
  }

  // MARK: - Output

  /// The titles of the columns.
  static let columns =
    ["posterior", "seed"] + statistics.map { "z " + $0 }
    + ["farthest", "R-hat", "bulk", "tail", "ESS/s", "grad/ESS", "div %", "s", "verdict"]

  /// The cells of the table's row: each z is that of the scalar that is farthest off.
  var cells: [String] {
    let farthest = ConformanceResult.statistics.indices.map {
      String(format: "%+.2f", worst($0).z)
    }
    return [name, "\(seed)"] + farthest + [
      worst.name, String(format: "%.4f", rHat), String(format: "%.0f", bulk),
      String(format: "%.0f", tail),
      String(format: "%.0f", bulk / seconds), String(format: "%.1f", Double(gradients) / bulk),
      String(format: "%.2f", 100 * divergences), String(format: "%.2f", seconds),
      problems.isEmpty
        ? (mustDiverge ? "diverges, as it must" : "conforms") : problems.joined(separator: "; "),
    ]
  }

  /// The cells of a row for each scalar.
  var scalarCells: [[String]] {
    comparisons.map { scalar in
      let left =
        ["  " + scalar.name, "\(seed)"] + scalar.z.map { String(format: "%+.2f", $0) } + [""]
      let right = [
        String(format: "%.4f", scalar.rHat), String(format: "%.0f", scalar.bulk),
        String(format: "%.0f", scalar.tail), String(format: "%.0f", scalar.bulk / seconds),
        String(format: "%.1f", Double(gradients) / scalar.bulk),
      ]
      let blanks = ConformanceResult.columns.count - left.count - right.count
      return left + right + [String](repeating: "", count: blanks)
    }
  }

  /// The result as an object of JSON; what is not finite is null.
  var object: [String: Any] {
    /// Returns a number as JSON has it.
    func number(_ x: Double) -> Any { x.isFinite ? x : NSNull() }
    return [
      "posterior": name, "seed": seed, "worst": worst.name, "worst_z": number(worst.z),
      "r_hat": number(rHat), "ess_bulk": number(bulk),
      "ess_tail": number(tail), "gradients": gradients, "seconds": number(seconds),
      "ess_per_second": number(bulk / seconds),
      "gradients_per_ess": number(Double(gradients) / bulk), "divergences": number(divergences),
      "conforms": problems.isEmpty, "problems": problems,
      "scalars": comparisons.map { scalar -> [String: Any] in
        [
          "name": scalar.name, "r_hat": number(scalar.rHat), "ess_bulk": number(scalar.bulk),
          "ess_tail": number(scalar.tail),
          "z": Dictionary(
            uniqueKeysWithValues: zip(ConformanceResult.statistics, scalar.z.map(number))),
        ]
      },
    ]
  }
}
