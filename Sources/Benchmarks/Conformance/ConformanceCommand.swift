// SPDX-License-Identifier: MIT
//
// The command `Benchmarks conformance`: NUTS on posteriors with reference draws; fails where one is out of bounds.

import ArgumentParser
import Foundation
import Inference
import Numerics
import PPL
import ReferenceModels
import Tensors

/// Samples reference posteriors and compares what comes out with published draws.
struct Conformance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Samples posteriors with reference draws and compares means, sds and quantiles.",
    discussion: """
      For every JSON file of the folder (format pdb-check/1) that has a model in Models/Reference: the log density at the \
      check points, then NUTS at its defaults. Bounds: log density differences to 1e-8, R-hat < 1.01, bulk and tail ESS > 400, \
      each difference within 5 combined Monte Carlo errors (z), divergences at most 0.1 %. A row tells the z of the scalar that is \
      farthest off, for the mean, the sd and each quantile. Exit status 1 where a bound is crossed, and where no file has a model.
      """)

  @Argument(help: "The folder of the files.")
  var folder: String

  @Option(help: "The number of runs of each posterior, with seeds 0, 1, ….")
  var seeds = 1

  @Option(help: "The number of chains.")
  var chains = 4

  @Option(help: "The warm-up iterations of each chain.")
  var warmup = 1000

  @Option(help: "The draws of each chain.")
  var draws = 1000

  @Option(
    help: "The adaptation of the metric: \(MetricAdaptation.allCases.map(\.rawValue)).",
    transform: { text in
      guard let metric = MetricAdaptation(rawValue: text) else {
        throw ValidationError("expected one of \(MetricAdaptation.allCases.map(\.rawValue))")
      }
      return metric
    })
  var metric: MetricAdaptation?

  @Option(help: "Runs only the posteriors whose name contains this.")
  var filter: String?

  @Flag(help: "Add a row for each scalar of a posterior.")
  var scalars = false

  @Flag(help: "Print JSON, which has all scalars, instead of a table.")
  var json = false

  /// Checks the numbers.
  func validate() throws {
    guard seeds > 0, chains > 1, warmup >= 0, draws > 3 else {
      throw ValidationError("expected seeds > 0, chains > 1, warmup ≥ 0, draws > 3")
    }
  }

  /// A row of the table, and whether it is out of bounds.
  private struct Row {
    let cells: [String]
    /// The cells of the rows of its scalars.
    var scalars: [[String]] = []
    let object: [String: Any]
    let hasFailed: Bool
    /// Whether it says something in words instead of a comparison.
    var isNote = false
  }

  /// The posteriors whose centred form must diverge, by the name of the file with their data.
  private static let mustDiverge = [
    "eight_schools-eight_schools_noncentered": "eight_schools-eight_schools_centered"
  ]

  /// Runs all posteriors.
  func run() throws {
    var rows: [Row] = []
    for url in try files() {
      for row in results(url) {
        rows.append(row)
        // What takes long tells how far it is.
        let line = row.cells.filter { !$0.isEmpty }.joined(separator: "  ")
        FileHandle.standardError.write(Data((line + "\n").utf8))
      }
    }
    if json {
      let data = try JSONSerialization.data(
        withJSONObject: rows.map(\.object), options: [.prettyPrinted, .sortedKeys])
      print(String(decoding: data, as: UTF8.self))
    } else {
      print(table(rows))
    }
    if rows.contains(where: \.hasFailed) { throw ExitCode.failure }
    // A comparison that compares nothing must not pass.
    if rows.allSatisfy(\.isNote) {
      FileHandle.standardError.write(
        Data(
          "\(folder): expected a posterior with a model in Models/Reference, found none; the names are those of posteriordb\n"
            .utf8))
      throw ExitCode.failure
    }
  }

  /// Returns the files of the folder, in order of their names.
  private func files() throws -> [URL] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw ValidationError("\(folder): expected a folder of JSON files: \(error)")
    }
    let chosen = names.filter { name in
      name.hasSuffix(".json") && (filter.map { name.contains($0) } ?? true)
    }.sorted()
    guard !chosen.isEmpty else {
      throw ValidationError(
        "\(folder): no JSON file\(filter.map { " whose name contains \"\($0)\"" } ?? "")")
    }
    return chosen.map { URL(filePath: folder).appending(path: $0) }
  }

  /// Returns the rows of one file.
  private func results(_ url: URL) -> [Row] {
    let name = String(url.lastPathComponent.dropLast(5))
    do {
      let file = try ReferenceFile(url)
      guard let posterior = ReferencePosterior.named(file.name) else {
        return [note(file.name, "no model", hasFailed: false)]
      }
      let model = try posterior.model(file.data)
      try checkLogDensity(file, model)
      let density = try model.logDensity()
      var rows = try (0..<seeds).map { seed in
        try row(file, file.name, seed, density, mustDiverge: false)
      }
      if let other = Conformance.mustDiverge[file.name],
        let centred = ReferencePosterior.named(other)
      {
        let density = try centred.model(file.data).logDensity()
        rows += try (0..<seeds).map { seed in
          try row(file, other, seed, density, mustDiverge: true)
        }
      }
      return rows
    } catch {
      return [note(name, "FAILED: \(error)", hasFailed: true)]
    }
  }

  /// Returns a row that says something in words.
  private func note(_ name: String, _ text: String, hasFailed: Bool) -> Row {
    let blanks = [String](repeating: "", count: ConformanceResult.columns.count - 2)
    return Row(
      cells: [name] + blanks + [text], object: ["posterior": name, "note": text],
      hasFailed: hasFailed, isNote: true)
  }

  /// Samples once and compares.
  private func row(
    _ file: ReferenceFile, _ name: String, _ seed: Int, _ density: CompiledDensity,
    mustDiverge: Bool
  ) throws -> Row {
    let sample = try NUTS().run(
      density, chains: chains, warmUp: warmup, draws: draws, key: RandomKey(UInt64(seed)),
      adaptation: metric.map { WindowedAdaptation(metric: $0) })
    let result = try ConformanceResult(
      file, name: name, seed: seed, sample, mustDiverge: mustDiverge)
    return Row(
      cells: result.cells, scalars: scalars ? result.scalarCells : [], object: result.object,
      hasFailed: !result.problems.isEmpty)
  }

  /// Throws where the model's log density differs from that of the file at one of its points.
  private func checkLogDensity(_ file: ReferenceFile, _ model: Model<Void>) throws {
    let values = try file.checkPoints.map { point in
      try model.substituting(point.values).trace().logJoint.item()
    }
    for (index, point) in file.checkPoints.enumerated() {
      let found = values[index] - values[0]
      let error = abs(found - point.difference) / max(1, abs(point.difference))
      try require(
        error <= ConformanceResult.Bound.logDensity,
        "log density difference at point \(index): expected \(point.difference), found \(found)")
    }
  }

  /// Returns the rows as a table with columns of one width.
  private func table(_ rows: [Row]) -> String {
    let lines = [ConformanceResult.columns] + rows.flatMap { [$0.cells] + $0.scalars }
    let widths = ConformanceResult.columns.indices.map { column in
      lines.map { $0[column].count }.max() ?? 0
    }
    return lines.map { line in
      zip(line, widths).map { text, width in
        text + String(repeating: " ", count: width - text.count)
      }.joined(separator: "  ").replacing(/\ +$/, with: "")
    }.joined(separator: "\n")
  }
}
