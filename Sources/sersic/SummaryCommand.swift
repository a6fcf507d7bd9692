// SPDX-License-Identifier: MIT
//
// `sersic summary`: what saved results say, as a table, JSON or LaTeX, with other quantiles and calibrations.

import ArgumentParser
import GalaxyFitting
import JSON
import Numerics

/// The command `sersic summary`.
struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Prints what saved results say.",
    discussion: """
      Reads what `sersic fit`, `multi`, `galfit` or `bands` wrote with --output DIR, or a file that was saved from Swift. A \
      table goes to standard output, with \
      --latex a deluxetable, with --json the JSON document (a list of them for several results). Other quantiles than \
      5, 16, 50, 84 and 95 % need the draws, which are in posterior.asdf. Magnitudes need a zero point, arcseconds a pixel \
      scale, if the fit had none. Of a joint fit --check compares each band, by the files in the folder of its name.
      """)

  @OptionGroup var record: RecordOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The probabilities of the quantiles, with commas between them; with --latex lower end, middle and upper end. (default: 0.05,0.16,0.5,0.84,0.95; with --latex 0.16,0.5,0.84)",
      valueName: "p,…"))
  var quantiles: String?

  @Flag(
    help: "Compare the residuals with those of images drawn from the fit, and say what stands out.")
  var check = false

  @Option(parsing: .unconditional, help: "The seed of the images drawn for --check, from 0.")
  var seed: UInt64 = 0

  @Flag(help: "Write a LaTeX table.")
  var latex = false

  @Flag(help: "Write a JSON document.")
  var json = false

  func run() throws {
    var request = try record.request()
    request.isChecked = check
    request.key = RandomKey(seed)
    request.quantiles = try probabilities()
    guard !(latex && json) else {
      throw OptionError("--latex", "expected one of --latex and --json, found both; give one")
    }
    guard !(latex && check) else {
      throw OptionError(
        "--check", "expected a table or JSON for the check, found --latex; leave one out")
    }
    let records = try record.records(request)
    var bands: [[FitRecord]] = []
    for (path, read) in zip(record.results, records) {
      // Only their residuals need them.
      try bands.append(check ? read.bandRecords(at: path) : [])
    }
    let text: String
    if json {
      let documents = try zip(records, bands).map { try request.json($0, bands: $1) }
      text = (documents.count == 1 ? documents[0] : .array(documents)).text + "\n"
    } else {
      text = try zip(records, bands).map { read, bands in
        try latex ? request.latex(read) : request.text(read, bands: bands)
      }.joined(separator: "\n")
    }
    guard Terminal.write(text) else { throw ExitCode(ExitStatus.failed) }
  }

  /// Returns the probabilities; nil where none were given.
  private func probabilities() throws -> [Double]? {
    guard let quantiles else { return nil }
    let list = try record.names(quantiles, "--quantiles").map { Double($0) ?? .nan }
    guard list.allSatisfy({ $0 >= 0 && $0 <= 1 }), list == list.sorted() else {
      throw OptionError(
        "--quantiles",
        "expected rising numbers from 0 to 1 such as 0.16,0.5,0.84, found \"\(quantiles)\"")
    }
    guard !latex || list.count == 3 else {
      throw OptionError(
        "--quantiles",
        "expected three numbers for a LaTeX table, found \(list.count); give lower end, middle and upper end"
      )
    }
    return list
  }
}
