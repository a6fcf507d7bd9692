// SPDX-License-Identifier: MIT
//
// The command `Benchmarks`: runs the cases that DESIGN lists, prints what came out; fails if an answer is wrong.
//
// `Benchmarks conformance FOLDER` compares NUTS with published draws, `Benchmarks coverage FOLDER` intervals with the truth,
// `Benchmarks galaxy FOLDER` all methods on one galaxy.

import ArgumentParser
import Foundation

/// The command, with its parts.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures speed and memory, and compares posteriors with published draws.",
    subcommands: [Measure.self, Conformance.self, Coverage.self, Galaxy.self],
    defaultSubcommand: Measure.self)
}

/// Measures speed and memory.
struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measures speed and memory; each case asserts its answer.",
    discussion: """
      Prints name, median time, median absolute deviation and what was asserted. \
      Timings mean something on a quiet machine only.
      """)

  @Flag(help: "Print a list of {name, median_ns, mad_ns, runs} instead.")
  var json = false

  @Flag(help: "Print the names only.")
  var list = false

  @Argument(help: "Runs only the cases whose name contains this.")
  var filter: String?

  /// All cases; processes come first, since their memory is read before this process has grown.
  private static let all =
    processBenchmarks + eightSchoolsBenchmarks + galaxyBenchmarks + renderingBenchmarks
    + rendererBenchmarks + fittingBenchmarks + sceneBenchmarks + referenceBenchmarks
    + samplingBenchmarks + bandsBenchmarks + peerBenchmarks

  /// Runs the cases; those that cannot run or are wrong are named on standard error.
  func run() throws {
    let chosen = Measure.all.filter { filter.map($0.name.contains) ?? true }
    guard !chosen.isEmpty else {
      throw ValidationError("no benchmark's name contains \"\(filter ?? "")\"; --list names them")
    }
    guard !list else {
      for benchmark in chosen { print(benchmark.name) }
      return
    }
    var measurements: [Measurement] = []
    var hasFailed = false
    for benchmark in chosen {
      do {
        let measurement = try Runner().measure(benchmark)
        measurements.append(measurement)
        if !json { print(measurement.line) }
      } catch {
        hasFailed = true
        FileHandle.standardError.write(Data("\(benchmark.name): FAILED: \(error)\n".utf8))
      }
    }
    if json { print(try Measurement.json(measurements)) }
    if hasFailed { throw ExitCode.failure }
  }
}
