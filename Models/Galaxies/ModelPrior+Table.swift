// SPDX-License-Identifier: MIT
//
// Priors as a table: what `print(prior)` shows.

import Distributions
import Tensors

extension ModelPrior {
  /// A table with one line for each parameter: its prior, the median and the central 68 % of it, where a fit starts, its unit.
  ///
  /// A parameter that is held has its value; one without a prior says so; priors of parameters that the model does not
  /// have come last.
  public var description: String {
    let head = ["parameter", "prior", "median", "68 %", "start", "unit"]
    var rows = sites.map { row($0) }
    rows += extraSites.map { [$0, "(no parameter of \(name))", "", "", "", ""] }
    return Self.aligned([head] + rows).joined(separator: "\n")
  }

  /// Returns the cells of a parameter.
  private func row(_ site: String) -> [String] {
    let unit = unit(of: site)
    if let value = fixed[site] { return [site, "held at \(shortened(value))", "", "", "", unit] }
    guard let prior = self[site], let text = texts[site] else {
      return [site, "(no prior)", "", "", "", unit]
    }
    /// Returns a quantile as text; empty where it is not known.
    func quantile(_ probability: Double) -> String {
      guard prior.batchShape.isEmpty, prior.eventShape.isEmpty,
        let value = prior.quantile(Tensor(probability))?.item(), value.isFinite
      else { return "" }
      return shortened(value)
    }
    let (low, high) = (quantile(0.1587), quantile(0.8413))
    let start = guesses[site].map { shortened($0) } ?? quantile(0.5)
    return [
      site, Self.rounded(text), quantile(0.5), low.isEmpty ? "" : "\(low) … \(high)", start, unit,
    ]
  }

  /// Returns a text with its decimal numbers rounded to four digits.
  private static func rounded(_ text: String) -> String {
    text.replacing(/-?\d+\.\d+(?:e[-+]?\d+)?/) { match in
      Double(match.output).map { shortened($0) } ?? String(match.output)
    }
  }

  /// Returns rows in columns, two blanks apart, without blanks at the ends of lines.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      var line = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
