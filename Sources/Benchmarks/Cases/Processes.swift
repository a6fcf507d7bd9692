// SPDX-License-Identifier: MIT
//
// The command as users meet it: its start, and a whole fit from files to files; time and peak memory.

import Foundation

/// The command `sersic` beside this program, and a scratch folder with a simulated galaxy.
private final class CommandCase {
  private let program: String
  private let folder: String
  private var output: String { folder + "/output.txt" }
  private var last: ChildProcess?

  /// Finds the command and makes the folder.
  init() throws {
    let own = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    program = own.deletingLastPathComponent().appending(path: "sersic").path
    try require(
      FileManager.default.isExecutableFile(atPath: program),
      "expected the command at \(program); build it: swift build -c release --product sersic")
    folder = NSTemporaryDirectory() + "/sersic-benchmarks-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Runs the command; throws, with what it printed, unless it ends well.
  func run(_ arguments: [String]) throws {
    try? FileManager.default.removeItem(atPath: output)
    let child = try ChildProcess(program, arguments, output: output)
    last = child
    guard child.status == 0 else {
      let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
      throw BenchmarkError(
        "sersic \(arguments.joined(separator: " ")): expected exit status 0, found \(child.status.map { "\($0)" } ?? "a signal")\n\(text)"
      )
    }
  }

  /// Simulates the galaxy that is fitted.
  func simulate() throws {
    let parameters = Simulation.truth(121, 121).flatMap { ["--param", "\($0.name)=\($0.value)"] }
    try run(
      ["simulate", "--profile", "sersic"] + parameters + [
        "--size", "121x121", "--psf", "moffat:fwhm=3.5,beta=3", "--noise",
        "gaussian:\(Simulation.noise)", "--output", folder,
      ])
  }

  /// Fits the galaxy from its files; results and pictures as asked for.
  func fit(_ options: [String]) throws {
    try run(
      [
        "fit", folder + "/image.fits", "--rms", folder + "/rms.fits", "--psf",
        folder + "/psf.fits", "--sky", "none", "--output", folder + "/fit",
      ] + options)
  }

  /// Asserts that the fit found the simulated truth.
  func checkFit() throws {
    let data = try Data(contentsOf: URL(filePath: folder + "/fit/result.json"))
    let result = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let parameters = result?["parameters"] as? [String: [String: Any]]
    for parameter in Simulation.truth(121, 121) {
      guard let found = parameters?[parameter.name]?["map"] as? Double else {
        throw BenchmarkError("result.json: expected parameters.\(parameter.name).map, found none")
      }
      try parameter.check(found)
    }
  }

  /// Asserts that the command printed a word.
  func checkOutput(contains word: String) throws {
    let text = try String(contentsOfFile: output, encoding: .utf8)
    try require(text.contains(word), "expected \"\(word)\" in the output, found \(text)")
  }

  /// The peak memory of the last process.
  var peakMemory: Int? { last?.peakMemory }
}

/// Returns a benchmark of whole fits with some options.
private func fitBenchmark(_ name: String, _ options: [String]) -> Benchmark {
  Benchmark(name, runs: 10) {
    let command = try CommandCase()
    try command.simulate()
    return Work(
      asserted: "the truth within 5 sd", body: { try command.fit(options) },
      check: { try command.checkFit() }, peakMemory: { command.peakMemory })
  }
}

/// The benchmarks of processes.
let processBenchmarks = [
  Benchmark("process: sersic --help", runs: 20) {
    let command = try CommandCase()
    return Work(
      asserted: "prints the subcommands", body: { try command.run(["--help"]) },
      check: { try command.checkOutput(contains: "simulate") },
      peakMemory: { command.peakMemory })
  },
  fitBenchmark("process: map, 121 x 121, without plots", ["--method", "map", "--no-plots"]),
  fitBenchmark("process: map, 121 x 121, with plots", ["--method", "map"]),
  fitBenchmark(
    "process: laplace, 121 x 121, without plots", ["--method", "laplace", "--no-plots"]),
]
