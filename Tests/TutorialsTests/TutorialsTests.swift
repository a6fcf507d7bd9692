// SPDX-License-Identifier: MIT
//
// Each tutorial runs as a process, says what its README shows, writes its pictures, and finds what it simulated.

import Foundation
import Testing

/// One tutorial and what is expected of it.
struct Tutorial: Sendable, CustomTestStringConvertible {
  /// The name of the program.
  let program: String

  /// The folder of its sources.
  let folder: String

  /// The number of lines that put a value beside the truth.
  let comparisons: Int

  /// Texts that occur, in this order.
  let lines: [String]

  /// The files that it writes.
  let files: [String]

  var testDescription: String { program }

  /// All tutorials.
  static let all = [
    Tutorial(
      program: "Tutorial01FirstFit", folder: "01-FirstFit", comparisons: 8,
      lines: [
        "2. The check", "3. The prior", "r_eff", "4. The best fit", "It has converged",
        "5. The Laplace", "MAP", "6. NUTS", "r_hat", "explain the image?",
        "the residuals look like the noise", "7. How near",
      ], files: ["corner.png", "fit.asdf", "residual.png"]),
    Tutorial(
      program: "Tutorial02ManySources", folder: "02-ManySources", comparisons: 31,
      lines: [
        "1. Which sources", "x,y,flux", "3. The prior", "n_0", "4. The fit", "It has converged",
        "5. The results", "6. Every source", "pointsource",
      ], files: ["residual.png", "scene.asdf", "sources.png"]),
    Tutorial(
      program: "Tutorial03SeveralBands", folder: "03-SeveralBands", comparisons: 9,
      lines: [
        "1. Three bands", "2. By the wrapper", "flux_g", "3. By hand", "It has converged",
        "4. The wrapper beside the truth", "Largest difference",
      ], files: ["residual_g.png", "residual_i.png", "residual_r.png"]),
    Tutorial(
      program: "Tutorial04YourOwnGalaxy", folder: "04-YourOwnGalaxy", comparisons: 13,
      lines: [
        "1. The model", "2. The maximum", "It has converged", "3. The Laplace", "b_t:", "4. NUTS",
        "5. How near",
      ], files: ["corner.png", "residual.png"]),
    Tutorial(
      program: "Tutorial05NewKernel", folder: "05-NewKernel", comparisons: 16,
      lines: [
        "1. A posterior that is known", "2. Barker.swift", "3. NUTS", "4. The exact answer",
        "5. What does a draw cost?", "Barker:", "NUTS:",
      ], files: ["weights.png"]),
  ]

  /// The tutorials that this platform can run: without SEP, which is for Linux here, no source is detected.
  static var runnable: [Tutorial] {
    #if os(Linux)
      all
    #else
      all.filter { $0.program != "Tutorial02ManySources" }
    #endif
  }

  /// The package's root.
  static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The built program, beside the running tests; nil where it was not built.
  var path: String? {
    var folders = [
      URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent(),
      Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
    ]
    folders += ["release", "debug"].map {
      Self.package.appending(path: ".build").appending(path: $0)
    }
    return folders.map { $0.appending(path: program).path }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// Runs the program, and returns its exit status and what it says on standard output and standard error.
  func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    guard let path else { throw CocoaError(.fileNoSuchFile) }
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}

/// One value of a tutorial beside its truth.
private struct Comparison {
  /// The name of the value.
  let name: String

  /// How many of its standard deviations it is off.
  let score: Double

  /// Reads a line such as "  flux  true 1200.0   found 1201.3 ± 4.2   (+0.3 sd)"; nil where it is none.
  init?(_ line: Substring) {
    guard
      let match = line.firstMatch(
        of: /^\s*(\S+)\s+true\s+([-\d.]+)\s+found\s+([-\d.]+) ± ([\d.]+)/),
      let truth = Double(match.2), let found = Double(match.3), let deviation = Double(match.4)
    else { return nil }
    name = String(match.1)
    score = abs(found - truth) / deviation
  }
}

@Suite("Tutorials")
struct TutorialsTests {
  @Test(
    "a tutorial runs, says what it does, finds the truth and writes its pictures",
    .enabled(
      if: Tutorial.all.allSatisfy { $0.path != nil },
      "the tutorials are not built: swift build -c release"),
    arguments: Tutorial.runnable)
  func runs(_ tutorial: Tutorial) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "tutorial-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let (status, output) = try tutorial.run([folder.path])
    #expect(status == 0, "\(output)")
    var rest = output[...]
    for line in tutorial.lines {
      let place = try #require(rest.range(of: line), "no \"\(line)\" in its place in\n\(output)")
      rest = rest[place.upperBound...]
    }
    #expect(!output.contains("NOT") && !output.contains("nan"), "\(output)")
    let comparisons = output.split(separator: "\n").compactMap { Comparison($0) }
    #expect(comparisons.count == tutorial.comparisons)
    for comparison in comparisons {
      // Fixed noise: 77 values beyond 4.5 standard deviations, one chance in two thousand when a seed is chosen.
      #expect(comparison.score < 4.5, "\(comparison.name) is \(comparison.score) sd off")
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(files == tutorial.files)
    for name in files where name.hasSuffix(".png") {
      let bytes = try Data(contentsOf: folder.appending(path: name))
      #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) && bytes.count > 4000, "\(name)")
    }
  }

  @Test(
    "wrapper and program of the joint bands agree",
    .enabled(if: Tutorial.all[2].path != nil, "Tutorial03SeveralBands is not built"))
  func bandsAgree() throws {
    let output = try Tutorial.all[2].run([]).output
    let match = try #require(
      output.firstMatch(of: /Largest difference of wrapper and program: ([\d.]+) sd/))
    // The same model twice: the means of 10 000 independent draws each differ by √(2/10 000) = 0.014 sd; four times that.
    #expect(try #require(Double(match.1)) < 0.057)
  }

  @Test(
    "the README of a tutorial names its program and shows pictures that are there",
    arguments: Tutorial.all)
  func readme(_ tutorial: Tutorial) throws {
    let folder = Tutorial.package.appending(path: "Tutorials").appending(path: tutorial.folder)
    let text = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
    #expect(text.contains("swift run -c release \(tutorial.program)"))
    for line in tutorial.lines { #expect(text.contains(line), "the pasted output lacks \(line)") }
    let pictures = text.matches(of: /\]\((Pictures\/[^)]+\.png)\)/).map { String($0.1) }
    #expect((1...3).contains(pictures.count))
    for picture in pictures {
      let size = try Data(contentsOf: folder.appending(path: picture)).count
      #expect(size > 4000 && size < 150_000, "\(picture): \(size) bytes")
    }
  }
}
