// SPDX-License-Identifier: MIT
//
// A result as a LaTeX table: a deluxetable of the AASTeX classes, medians with errors to two digits of the error.

import GalaxyModels
import Inference
import Rendering

/// What a LaTeX table of a result shows.
public struct LatexTable: Sendable {
  /// The probabilities of the lower end, the middle and the upper end of each interval.
  public var quantiles = [0.16, 0.5, 0.84]

  /// The parameters and derived quantities; nil for all, fixed ones included.
  public var parameters: [String]?

  /// The caption; by default the image and the model.
  public var caption: String?

  /// The label for references.
  public var label = "tab:sersic"

  /// Creates a table with its defaults.
  public init() {}
}

extension FitOutcome {
  /// Returns the result as a deluxetable: median with the distances to the 16 and 84 % quantiles, or the maximum without a posterior.
  ///
  /// - Parameter table: What it shows.
  /// - Returns: LaTeX, from `\begin{deluxetable}` to its end.
  /// - Throws: ``FitRecordError`` where there is no quantity of a name, or a probability is none.
  public func latexTable(_ table: LatexTable = LatexTable()) throws(FitRecordError) -> String {
    try record.latex(table)
  }
}

extension FitRecord {
  /// Returns the result as a deluxetable.
  fileprivate func latex(_ table: LatexTable) throws(FitRecordError) -> String {
    guard table.quantiles.count == 3, table.quantiles.allSatisfy({ (0...1).contains($0) }),
      table.quantiles == table.quantiles.sorted()
    else {
      throw FitRecordError(
        "quantiles", "expected three probabilities from 0 to 1, rising, found \(table.quantiles)")
    }
    let shown = table.parameters == nil ? report : completeReport
    let known = shown.parameters + shown.derived
    let names = table.parameters ?? known.map(\.name)
    let draws = scalarsByName
    var rows: [String] = []
    for name in names {
      guard let summary = shown[name] else {
        throw report.unknown(name, among: known.map(\.name))
      }
      rows.append(
        "  \(Self.symbol(name)) & \(try value(summary, table.quantiles, draws))\(Self.tied(summary)) & \(Self.unit(summary.unit))"
      )
    }
    let percent = table.quantiles.map { significant(100 * $0, 4) }
    let comment =
      report.posterior == nil
      ? "Maximum of the posterior."
      : "Quantiles at \(percent[1])\\,\\%, with the distances to those at \(percent[0]) and \(percent[2])\\,\\%; \(report.method)."
    // The title of a joint fit names its bands.
    let image =
      joint == nil ? " fit to \(Self.escaped(report.image.names.science.fileName))" : ""
    let caption = table.caption ?? Self.escaped(report.title) + image
    return """
      \\begin{deluxetable}{lcl}
      \\tablecaption{\(caption)\\label{\(table.label)}}
      \\tablehead{\\colhead{Parameter} & \\colhead{Value} & \\colhead{Unit}}
      \\startdata
      \(rows.joined(separator: " \\\\\n"))
      \\enddata
      \\tablecomments{\(comment)}
      \\end{deluxetable}

      """
  }

  /// The draws of each free parameter and derived quantity, by its name; none without draws.
  private var scalarsByName: [String: ScalarDraws] {
    let scalars = (try? drawsWithDerived(nil))?.scalars ?? []
    return Dictionary(scalars.map { ($0.name, $0) }) { $1 }
  }

  /// Returns the value of a quantity: an interval where there are draws, else the number at the maximum.
  private func value(
    _ summary: ParameterSummary, _ probabilities: [Double], _ draws: [String: ScalarDraws]
  ) throws(FitRecordError) -> String {
    guard !summary.isFixed else { return "$\(Self.number(significant(summary.map, 7)))$ (fixed)" }
    let asked = try intervals(of: summary, probabilities, draws)
    guard let ends = asked, let sd = summary.standardDeviation else {
      return "$\(Self.number(significant(summary.map, 7)))$"
    }
    let errors = (down: ends[1] - ends[0], up: ends[2] - ends[1])
    let smaller = [errors.down, errors.up].filter { $0 > 0 }.min() ?? sd
    let format = NumberFormat(error: smaller, values: ends)
    return
      "$\(Self.number(format(ends[1])))^{+\(Self.number(format(errors.up)))}_{-\(Self.number(format(errors.down)))}$"
  }

  /// Returns the quantiles of a quantity; nil where there are neither draws nor a summary with these probabilities.
  private func intervals(
    of summary: ParameterSummary, _ probabilities: [Double], _ draws: [String: ScalarDraws]
  ) throws(FitRecordError) -> [Double]? {
    guard summary.median != nil else { return nil }
    // Of quantities without draws, as derived ones of joint fits in older files, the stored quantiles are there.
    if let own = draws[summary.name] { return own.quantiles(probabilities) }
    let known = ParameterSummary.probabilities.map(\.value)
    var list: [Double] = []
    for probability in probabilities {
      guard let place = known.firstIndex(of: probability) else {
        throw FitRecordError(
          "quantiles",
          "expected some of \(known) without the draws of \(summary.name), found \(probability); read posterior.asdf, or the folder with it"
        )
      }
      list.append(summary.quantiles[place])
    }
    return list
  }

  /// Returns a number as LaTeX has it in mathematics: an exponent as a power of ten.
  private static func number(_ text: String) -> String {
    guard let cut = text.firstIndex(of: "e") else { return text }
    let power = Int(text[text.index(after: cut)...]) ?? 0
    return "\(text[..<cut])\\times10^{\(power)}"
  }

  /// The symbols of quantities, without the number of a component or source.
  package static let symbols: [String: String] = [
    GalaxySite.xc: "x_\\mathrm{c}", GalaxySite.yc: "y_\\mathrm{c}", GalaxySite.flux: "F",
    GalaxySite.rEff: "r_\\mathrm{eff}", GalaxySite.n: "n", GalaxySite.nu: "\\nu",
    GalaxySite.ellip: "\\epsilon", GalaxySite.theta: "\\theta", "f": "f",
    GalaxySite.skyBack: "s_\\mathrm{0}", GalaxySite.skyXSl: "s_\\mathrm{x}",
    GalaxySite.skyYSl: "s_\\mathrm{y}", ImportedScene.beta: "\\beta",
    "magnitude": "m", "b_t": "B/T", "sb_eff": "I_\\mathrm{eff}",
    "sb_mean": "\\langle I\\rangle_\\mathrm{eff}", "mu_eff": "\\mu_\\mathrm{eff}",
    "mu_mean": "\\langle\\mu\\rangle_\\mathrm{eff}", "ra": "\\alpha", "dec": "\\delta",
  ]

  /// Returns the symbol of a quantity: `r_eff_1_0` is r_eff,1,0; of an unknown one its name in typewriter.
  package static func symbol(_ name: String) -> String {
    var base = name
    var numbers: [String] = []
    while symbols[base] == nil, let cut = base.lastIndex(of: "_") {
      numbers.insert(String(base[base.index(after: cut)...]), at: 0)
      base = String(base[..<cut])
    }
    guard let symbol = symbols[base] else { return "\\texttt{\(escaped(name))}" }
    guard !numbers.isEmpty else { return "$\(symbol)$" }
    let index = numbers.map { Int($0) == nil ? "\\mathrm{\($0)}" : $0 }.joined(separator: ",")
    // A symbol with an index of its own takes the number into it.
    if symbol.hasSuffix("}"), symbol.contains("_\\mathrm{") {
      return "$\(symbol.dropLast()),\(index)}$"
    }
    return "$\(symbol)_{\(index)}$"
  }

  /// Returns what a quantity is tied to, as in `0.5 * flux_1`, with symbols; nothing for a free one.
  private static func tied(_ summary: ParameterSummary) -> String {
    guard let tie = summary.tie else { return "" }
    let parts = tie.split(separator: " ").map { part in
      switch part {
      case "*": "\\,"
      case "+", "-": " \(part) "
      default:
        Double(part) == nil ? symbol(String(part)).filter { $0 != "$" } : number(String(part))
      }
    }
    return " (tied to $\(parts.joined())$)"
  }

  /// Returns a unit as LaTeX.
  private static func unit(_ unit: String) -> String {
    switch unit {
    case "pixels": "pixel"
    case "radians": "rad"
    case "image units / pixel": "image units pixel$^{-1}$"
    case "image units / pixel²": "image units pixel$^{-2}$"
    case "mag / arcsec²": "mag arcsec$^{-2}$"
    case "mag / pixel": "mag pixel$^{-1}$"
    case "": "\\nodata"
    default: escaped(unit)
    }
  }

  /// Returns a text with the letters that mean something to LaTeX escaped.
  private static func escaped(_ text: String) -> String {
    text.map { "_%&#$".contains($0) ? "\\\($0)" : "\($0)" }.joined()
  }
}
