// SPDX-License-Identifier: MIT
//
// The summary table of draws, as ArviZ prints it: a row to each scalar.

import Tensors

/// The interval of a summary.
public enum SummaryInterval: Sendable, Hashable {
  /// The highest-density interval that holds a share of the draws.
  case highestDensity(Double)
  /// The quantiles of given probabilities.
  case quantiles([Double])
}

/// The summary of draws: a row to each scalar, with what the numbers are worth.
///
/// ```swift
/// let summary = draws.summary()
/// print(summary)
/// summary["mu"]?.mean
/// summary.column("r_hat")
/// ```
public struct PosteriorSummary: Sendable {
  /// The summary of one scalar.
  public struct Row: Sendable {
    /// The name: `tau`, `theta[0]`.
    public let name: String
    /// The mean; that of the directions for an angle.
    public let mean: Double
    /// The standard deviation; for an angle that around the mean direction.
    public let standardDeviation: Double
    /// The ends of the interval, or the quantiles, in the order of ``PosteriorSummary/intervalNames``.
    public let interval: [Double]
    /// The Monte Carlo error of the mean.
    public let meanError: Double
    /// The Monte Carlo error of the standard deviation.
    public let standardDeviationError: Double
    /// The effective sample size of the centre.
    public let bulkESS: Double
    /// The effective sample size of the tails.
    public let tailESS: Double
    /// The rank-normalised split R-hat.
    public let rHat: Double

    /// Summarises the draws of a scalar, whose ranks have the given scores.
    init(_ draws: ScalarDraws, _ interval: SummaryInterval, _ scores: RankScores) {
      name = draws.name
      mean = draws.mean
      standardDeviation = draws.standardDeviation
      switch interval {
      case .highestDensity(let probability):
        let ends = draws.highestDensityInterval(probability)
        self.interval = [ends.low, ends.high]
      case .quantiles(let probabilities): self.interval = draws.quantiles(probabilities)
      }
      meanError = draws.meanError
      standardDeviationError = draws.standardDeviationError
      let convergence = Convergence(draws, scores)
      bulkESS = convergence.bulkESS
      tailESS = convergence.tailESS
      rHat = convergence.rHat
    }
  }

  /// The rows, in the order of the sites.
  public let rows: [Row]

  /// The names of the columns of the interval: `hdi_3%` and `hdi_97%`, or `q5`, `q50`, ….
  public let intervalNames: [String]

  /// The sites that have too many elements for a table, with their number.
  public let omitted: [(name: String, elements: Int)]

  /// The largest number of elements of a site that is summarised without being asked for.
  private static let largest = 1000

  /// Summarises draws.
  init(_ draws: Draws, _ names: [String]?, _ interval: SummaryInterval) {
    let chosen = names.map { draws.selecting($0) } ?? draws
    let isLong = { (site: Draws.Site) in
      names == nil && site.shape.elementCount > Self.largest
    }
    let scores = chosen.rankScores
    rows = chosen.concurrentMap(chosen.sites.filter { !isLong($0) }) { _, draws in
      Row(draws, interval, scores)
    }
    omitted = chosen.sites.filter(isLong).map { ($0.name, $0.shape.elementCount) }
    switch interval {
    case .highestDensity(let p):
      intervalNames = [(1 - p) / 2, (1 + p) / 2].map { "hdi_" + Self.percent($0) + "%" }
    case .quantiles(let list): intervalNames = list.map { "q" + Self.percent($0) }
    }
  }

  /// Returns a probability in percent, without needless decimals.
  private static func percent(_ p: Double) -> String {
    var text = decimalText(100 * p, decimals: 2)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }

  /// Returns the row of a scalar, or nil.
  public subscript(name: String) -> Row? { rows.first { $0.name == name } }

  /// The names of the columns, as ArviZ has them.
  public var columns: [String] {
    ["mean", "sd"] + intervalNames + ["mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat"]
  }

  /// Returns a column, a number to each row, or nil where there is none of the name.
  public func column(_ name: String) -> [Double]? {
    guard let place = columns.firstIndex(of: name) else { return nil }
    return rows.map { Self.numbers($0)[place] }
  }

  /// Returns the numbers of a row, in the order of the columns.
  private static func numbers(_ row: Row) -> [Double] {
    [row.mean, row.standardDeviation] + row.interval + [
      row.meanError, row.standardDeviationError, row.bulkESS, row.tailESS, row.rHat,
    ]
  }
}

extension PosteriorSummary: CustomStringConvertible {
  /// The table: means, deviations and intervals to two digits of the deviation, errors to two digits of their own.
  public var description: String {
    var table = TextTable(header: [""] + columns)
    for row in rows {
      let sd = row.standardDeviation
      var texts = [row.name] + ([row.mean, sd] + row.interval).map { roundedText($0, to: sd) }
      texts += [row.meanError, row.standardDeviationError].map { roundedText($0, to: $0) }
      texts += [row.bulkESS, row.tailESS].map { decimalText($0, decimals: 0) }
      texts.append(decimalText(row.rHat, decimals: 3))
      table.rows.append(texts)
    }
    let notes = omitted.map {
      "\($0.name): \($0.elements) elements, not shown; name it in summary(sites:) to see them"
    }
    return ([table.text] + notes).joined(separator: "\n")
  }
}

extension Draws {
  /// Returns the summary table of the draws.
  ///
  /// - Parameters:
  ///   - sites: The sites; by default all, but for arrays of more than 1000 elements.
  ///   - interval: The interval; by default the highest-density one of 94 %, as in ArviZ.
  /// - Returns: A row to each scalar.
  public func summary(
    sites: [String]? = nil, interval: SummaryInterval = .highestDensity(0.94)
  ) -> PosteriorSummary {
    PosteriorSummary(self, sites, interval)
  }
}
