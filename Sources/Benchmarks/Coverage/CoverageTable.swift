// SPDX-License-Identifier: MIT
//
// Coverage of posterior intervals over many galaxies: by bins, with what chance alone would do.

import Foundation
import SwiftSersic

/// The galaxies of one bin, and how often intervals hold their true values.
struct CoverageBin {
  /// The bin in words.
  let name: String

  /// The galaxies.
  let outcomes: [CoverageOutcome]

  /// Whether parameters that a fit warned of are left out.
  let isTrustedOnly: Bool

  /// The probabilities of the intervals.
  static let probabilities = [0.68, 0.95]

  /// The number of binomial standard deviations that a coverage may be off.
  static let bound = 3.0

  /// Returns the galaxies that count for a parameter.
  private func counting(_ parameter: Int) -> [CoverageOutcome] {
    isTrustedOnly ? outcomes.filter { !$0.isDoubtful[parameter] } : outcomes
  }

  /// Returns the share of galaxies whose interval holds the true value.
  func coverage(_ parameter: Int, _ probability: Double) -> Double {
    let counting = counting(parameter)
    return Double(counting.count { $0.covers(parameter, probability) }) / Double(counting.count)
  }

  /// Returns how far a coverage is off, in binomial standard deviations.
  func deviation(_ parameter: Int, _ probability: Double) -> Double {
    let count = Double(max(1, counting(parameter).count))
    let sd = (probability * (1 - probability) / count).squareRoot()
    return (coverage(parameter, probability) - probability) / sd
  }

  /// Whether a coverage is farther off than the bound.
  var hasFailed: Bool {
    CoverageOutcome.sites.indices.contains { parameter in
      Self.probabilities.contains { abs(deviation(parameter, $0)) > Self.bound }
    }
  }

  /// The row of the table: both coverages of each parameter in per cent, starred beyond the bound.
  var cells: [String] {
    [name, "\(outcomes.count)"]
      + CoverageOutcome.sites.indices.map { parameter in
        Self.probabilities.map { probability in
          guard !counting(parameter).isEmpty else { return "–" }
          let star = abs(deviation(parameter, probability)) > Self.bound ? "*" : ""
          return String(format: "%.0f", 100 * coverage(parameter, probability)) + star
        }.joined(separator: " ")
      }
  }

  /// The row of the table of biases: mean and scatter of (mean − truth) / sd of each parameter.
  var pulls: [String] {
    [name, "\(outcomes.count)"]
      + CoverageOutcome.sites.indices.map { parameter in
        let pulls = outcomes.map { $0.pulls[parameter] }
        let mean = pulls.reduce(0, +) / Double(pulls.count)
        let squares = pulls.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return String(format: "%+.2f %.2f", mean, (squares / Double(pulls.count)).squareRoot())
      }
  }

  /// Divides galaxies by signal to noise, by size over the PSF's, by index and by ellipticity; all of them come first.
  ///
  /// Index and ellipticity are those that a fit found, which is what a user can choose by, and the true ones. Only the first are
  /// samples for which intervals of a posterior must hold: galaxies at the ends of a population are drawn towards its middle where
  /// the data say little.
  static func bins(_ outcomes: [CoverageOutcome], isTrustedOnly: Bool) -> [CoverageBin] {
    /// Returns the bins of a quantity between edges.
    func divide(
      _ name: String, _ edges: [Double], _ quantity: (CoverageOutcome) -> Double
    ) -> [CoverageBin] {
      zip(edges, edges.dropFirst()).map { low, high in
        CoverageBin(
          name: "\(name) \(text(low))–\(text(high))",
          outcomes: outcomes.filter { (low..<high).contains(quantity($0)) },
          isTrustedOnly: isTrustedOnly)
      }
    }
    let indices = [0.3, 1.5, 3, 4.5, 6, 10]
    let shapes = [0, 0.1, 0.3, 0.6, 0.95]
    /// Returns a number without needless digits.
    func text(_ value: Double) -> String { String(format: "%g", value) }
    return
      ([CoverageBin(name: "all", outcomes: outcomes, isTrustedOnly: isTrustedOnly)]
      + divide("S/N", [10, 30, 100, 300, 1000]) { $0.galaxy.snr }
      + divide("r_eff/FWHM", [0.2, 0.5, 1, 2, 5]) { $0.galaxy.r_eff / $0.galaxy.fwhm }
      + divide("found n", indices) { $0.found.n }
      + divide("found ellip", shapes) { $0.found.ellip }
      + divide("true n", indices) { $0.galaxy.n }
      + divide("true ellip", shapes) { $0.galaxy.ellip }).filter { !$0.outcomes.isEmpty }
  }
}

/// The tables of a run.
struct CoverageTable {
  /// What is judged: the method and the flaw.
  let title: String

  /// The galaxies that were fitted.
  let outcomes: [CoverageOutcome]

  /// What went wrong with others.
  let failures: [String]

  /// Whether the coverage of what the fits did not warn of is out of bounds, or a fit failed.
  var hasFailed: Bool {
    !failures.isEmpty
      || CoverageBin.bins(outcomes, isTrustedOnly: true).contains(where: \.hasFailed)
  }

  /// The tables as text: coverage by bins, then bias and scatter.
  var text: String {
    let head = ["bin", "galaxies"] + CoverageOutcome.sites
    var lines = ["\(title): central intervals of 68 and 95 %, share that hold the truth, per cent"]
    lines += Self.aligned([head] + CoverageBin.bins(outcomes, isTrustedOnly: false).map(\.cells))
    lines += ["", "the same without the parameters that the fit itself warned of"]
    lines += Self.aligned([head] + CoverageBin.bins(outcomes, isTrustedOnly: true).map(\.cells))
    lines += [
      "share that was warned of, per cent: "
        + CoverageOutcome.sites.indices.map { parameter in
          let share = Double(outcomes.count { $0.isDoubtful[parameter] }) / Double(outcomes.count)
          return "\(CoverageOutcome.sites[parameter]) " + String(format: "%.0f", 100 * share)
        }.joined(separator: ", ")
    ]
    lines += ["", "mean and scatter of (mean − truth) / sd; 0 and 1 if all is well"]
    lines += Self.aligned(
      [["bin", "galaxies"] + CoverageOutcome.sites]
        + CoverageBin.bins(outcomes, isTrustedOnly: false).map(\.pulls))
    lines += ["", "farthest from the truth, (mean − truth) / sd"] + farthest(8)
    let times = outcomes.map(\.seconds).sorted()
    if let longest = outcomes.max(by: { $0.seconds < $1.seconds }) {
      lines += [
        "",
        String(
          format: "seconds for each galaxy: median %.2f, longest %.2f (%@)",
          times[times.count / 2], longest.seconds, longest.galaxy.file),
      ]
    }
    if !failures.isEmpty {
      lines += ["", "\(failures.count) fits failed; the first: \(failures[0])"]
    }
    var counts: [String: Int] = [:]
    for code in outcomes.flatMap(\.warnings) { counts[code, default: 0] += 1 }
    if !counts.isEmpty {
      let words = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      lines += ["", "warnings: " + words.joined(separator: ", ")]
    }
    return lines.joined(separator: "\n")
  }

  /// Returns the parameters that lie farthest from the truth, one line each.
  private func farthest(_ count: Int) -> [String] {
    let all = outcomes.flatMap { outcome in
      outcome.pulls.indices.map { (outcome: outcome, site: $0, pull: outcome.pulls[$0]) }
    }
    return all.sorted { abs($0.pull) > abs($1.pull) }.prefix(count).map { entry in
      let galaxy = entry.outcome.galaxy
      let codes = Set(entry.outcome.warnings).sorted().joined(separator: " ")
      return String(
        format: "%+.1f  %@ of %@: S/N %.0f, r_eff %.1f, n %.1f, ellip %.2f  %@", entry.pull,
        CoverageOutcome.sites[entry.site], galaxy.file, galaxy.snr, galaxy.r_eff, galaxy.n,
        galaxy.ellip, codes)
    }
  }

  /// Returns rows with columns of one width.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      zip(row, widths).map { text, width in
        text + String(repeating: " ", count: width - text.count)
      }.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }
  }
}
