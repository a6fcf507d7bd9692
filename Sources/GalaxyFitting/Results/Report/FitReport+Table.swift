// SPDX-License-Identifier: MIT
//
// A report as a table of text: aligned columns, as many digits as the standard deviation justifies.

import GalaxyModels
import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension FitReport {
  /// The report as text: what was fitted, a table of the parameters, goodness of fit and verdict.
  public var table: String { table(quantiles: nil) }

  /// Returns the report as text, with other quantiles than 5, 16, 50, 84 and 95 %.
  func table(quantiles: QuantileTable?) -> String {
    var lines = [
      "\(image.names.science): \(title), sky \(sky.rawValue), loss \(loss), \(method)",
      pixelConvention + ", renderer \(renderer.rawValue)",
      "",
    ]
    let parents = parentParameters.map { $0.shifted(by: 0, name: "\($0.name) (parent)") }
    lines += TextTable.lines(
      Self.rows(
        parameters + derived + parents, hasPosterior: posterior != nil,
        isSampled: sampler != nil, quantiles: quantiles))
    lines.append("")
    lines += verdict
    return lines.joined(separator: "\n") + "\n"
  }

  /// The lines under the table: goodness of fit, what the sampler met, why the search stopped.
  var verdict: [String] {
    var lines = [
      "log posterior \(decimal(search.logPosterior, 3)), chi2 \(decimal(search.chiSquared, 1)) for \(search.pixelCount) pixels and \(search.freeCount) free parameters: \(decimal(search.reducedChiSquared, 3)) per degree of freedom"
    ]
    let inside = search.fluxFractionInside
    if inside.isFinite, sources.contains(where: { $0.profile != .stock(.pointsource) }) {
      lines.append("\(decimal(100 * inside, 1)) % of the flux lies inside the frame")
    }
    if let sampler {
      lines.append(
        "\(sampler.chains) chains of \(sampler.draws) draws after \(sampler.warmUp) of warm-up, \(sampler.leapfrogs) leapfrog steps, \(sampler.divergences) divergences"
      )
    }
    if let effective = posterior?.effectiveDraws {
      let tail = posterior?.paretoK.map { "Pareto k \(decimal($0, 2))" } ?? "no tail"
      lines.append(
        "draws weighted to the posterior, since a parameter comes near a bound: worth \(decimal(effective, 0)) independent ones, weights with \(tail)"
      )
    }
    if let fit = variational {
      // Weights that are all the same have no tail: the guide is the posterior.
      let tail = fit.paretoK.map { "Pareto k \(decimal($0, 2))" } ?? "no tail"
      lines.append(
        "evidence bound \(decimal(fit.elbo ?? .nan, 3)) ± \(decimal(fit.elboError ?? .nan, 3)), importance weights with \(tail) and \(decimal(100 * (fit.efficiency ?? .nan), 0)) % efficient, \(fit.gradients) gradients"
      )
    }
    lines.append(
      "\(search.explanation), \(search.evaluations) evaluations, \(decimal(search.seconds, 2)) s"
    )
    return lines
  }

  /// Returns the rows of a table of summaries, head first.
  static func rows(
    _ summaries: [ParameterSummary], hasPosterior: Bool, isSampled: Bool,
    quantiles: QuantileTable? = nil
  ) -> [[String]] {
    var head = ["parameter", "MAP"]
    if hasPosterior {
      let probabilities =
        quantiles?.probabilities ?? ParameterSummary.probabilities.map(\.value)
      head += ["mean", "± sd"] + probabilities.map { "\(significant(100 * $0, 4)) %" }
    }
    if isSampled { head += ["ESS", "R-hat"] }
    var rows = [head + ["unit"]]
    for summary in summaries {
      let name = summary.name
      let state = summary.isFixed ? " (fixed)" : summary.tie.map { " (tied to \($0))" } ?? ""
      let unit = (summary.unit + state).trimmingBlank
      guard hasPosterior else {
        rows.append([name, significant(summary.map, 7), unit])
        continue
      }
      guard let mean = summary.mean, let sd = summary.standardDeviation else {
        rows.append(
          [name, significant(summary.map, 7)]
            + Array(repeating: "", count: head.count - 2) + [unit])
        continue
      }
      let own = quantiles.map { $0.values[name] ?? [] } ?? summary.quantiles
      let count = quantiles?.probabilities.count ?? ParameterSummary.probabilities.count
      let format = NumberFormat(error: sd, values: [summary.map, mean] + own)
      // A quantity whose draws are not all numbers has no quantiles.
      let cells = own.count == count ? own.map { format($0) } : Array(repeating: "", count: count)
      let worth =
        isSampled
        ? [decimal(summary.bulkESS ?? .nan, 0), decimal(summary.rHat ?? .nan, 3)] : []
      rows.append(
        [name, format(summary.map), format(mean), "± " + format(sd)]
          + cells + worth + [unit])
    }
    return rows
  }
}

extension String {
  /// The text without a blank at its start.
  fileprivate var trimmingBlank: String { hasPrefix(" ") ? String(dropFirst()) : self }
}

/// Quantiles of parameters at given probabilities, by name.
struct QuantileTable {
  /// The probabilities.
  let probabilities: [Double]

  /// The quantiles, by name of the parameter or derived quantity.
  let values: [String: [Double]]
}

/// Text in columns.
enum TextTable {
  /// Returns rows as lines: the first and the last column on the left, the others on the right.
  static func lines(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let blanks = String(repeating: " ", count: widths[column] - cell.count)
        if column > 0 { line += "  " }
        line += column == 0 || column == columns - 1 ? cell + blanks : blanks + cell
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// How numbers with a common error are written: two digits of the error decide.
struct NumberFormat: Sendable {
  /// The number of decimals; nil for exponents.
  private let decimals: Int?

  /// The digits after the point of a number with an exponent.
  private let digits: Int

  /// Creates the format for numbers with an error.
  init(error: Double, values: [Double]) {
    let largest = values.reduce(0) { max($0, abs($1)) }
    guard error > 0, error.isFinite, largest.isFinite else {
      decimals = nil
      digits = 6
      return
    }
    let place = Int(floor(log10(error)))
    let top = largest > 0 ? Int(floor(log10(largest))) : place
    digits = min(max(top - place + 1, 1), 15)
    // More than six zeros after the point, or eight digits before it, are hard to read; of degrees on the sky each counts.
    let least = top >= 0 ? -12 : -7
    decimals = place < least || top > 8 ? nil : max(0, 1 - place)
  }

  /// Returns a number as text.
  func callAsFunction(_ x: Double) -> String {
    guard let decimals else { return formatted("%.*e", digits, x) }
    return decimal(x, decimals)
  }
}

/// Returns a number with a count of decimals as text.
func decimal(_ x: Double, _ decimals: Int) -> String {
  abs(x) < 1e15 ? formatted("%.*f", decimals, x) : formatted("%.*g", 6, x)
}

/// Returns a number with a count of significant digits as text.
func significant(_ x: Double, _ digits: Int) -> String { formatted("%.*g", digits, x) }

/// Returns a number by a format of the C library that takes a count and a number.
private func formatted(_ format: String, _ count: Int, _ x: Double) -> String {
  var buffer = [CChar](repeating: 0, count: 64)
  let length = withVaList([Int32(count), x]) { vsnprintf(&buffer, buffer.count, format, $0) }
  return String(
    decoding: buffer.prefix(Int(max(0, min(length, 63)))).map { UInt8(bitPattern: $0) },
    as: UTF8.self)
}
