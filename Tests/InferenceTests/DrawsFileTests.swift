// SPDX-License-Identifier: MIT
//
// Draws in JSON and ASDF: they read back the same, Python reads them too, other documents are refused with the place.

import ASDF
import Foundation
import Inference
import JSON
import Numerics
import Tensors
import Testing

@Suite("Draws in files")
struct DrawsFileTests {
  /// A run with statistics, an array, an angle and numbers that are hard to write.
  private func run() throws -> Draws {
    let run = try NUTS().run(noncentred.logDensity(), chains: 2, warmUp: 50, draws: 30, key: 3)
    var hard = RandomKey(1).normals(60)
    hard.replaceSubrange(
      0..<5, with: [.nan, .infinity, -.infinity, Double.leastNonzeroMagnitude, -0.0])
    let sites = [
      Draws.Site(name: "g/hard", shape: [], values: hard),
      Draws.Site(
        name: "angle", shape: [1], period: Double.pi, values: RandomKey(2).uniforms(60)),
    ]
    return sites.reduce(run) { draws, site in
      draws.deriving(site.name, period: site.period) { draw in
        site.shape.isEmpty
          ? site.values[draw.chain * 30 + draw.index].tensor
          : [site.values[draw.chain * 30 + draw.index]].tensor
      }
    }
  }

  /// Fails unless two sets of draws are the same to the last bit.
  private func compare(_ a: Draws, _ b: Draws) throws {
    #expect(a.names == b.names && a.chains == b.chains && a.draws == b.draws)
    for (x, y) in zip(a.sites, b.sites) {
      #expect(x.shape == y.shape && x.period == y.period)
      let same = zip(x.values, y.values).allSatisfy {
        $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN)
      }
      #expect(same, "\(x.name)")
    }
    let (s, t) = (try #require(a.statistics), try #require(b.statistics))
    #expect(s.acceptance == t.acceptance && s.diverged == t.diverged && s.energy == t.energy)
    #expect(s.logDensity == t.logDensity && s.maximumTreeDepth == 10 && t.maximumTreeDepth == 10)
    #expect(s.warmUpGradients == t.warmUpGradients && s.seconds == t.seconds && t.warmUp == 50)
    #expect(s.warnings == t.warnings && s.cancellation == t.cancellation)
    #expect(s.gradients == t.gradients && s.treeDepth == t.treeDepth && s.stepSizes == t.stepSizes)
    #expect(s.energyFractions == t.energyFractions && s.energyFractions.count == 2)
  }

  @Test("draws read back the same from both kinds of files", arguments: ["asdf", "json"])
  func roundTrip(kind: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "draws-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "posterior." + kind).path
    let draws = try run()
    try draws.save(to: path)
    // ArviZ wants every array of statistics as chains by draws.
    for member in draws.asdf["sample_stats"]?.members ?? [] {
      #expect(member.value.array?.shape == [2, 30], "\(member.name)")
    }
    #expect(draws.asdf["sample_stats"]?["step_size"] != nil)
    try compare(draws, Draws(contentsOf: path))
    #expect(throws: (any Error).self) { try draws.save(to: folder.path + "/none/p." + kind) }
    #expect(throws: (any Error).self) { try Draws(contentsOf: folder.path + "/none." + kind) }
  }

  @Test("independent draws have no statistics, in a file neither")
  func independent() throws {
    let draws = Draws(
      chains: 1, draws: 2, sites: [Draws.Site(name: "a", shape: [2], values: [1, 2, 3, 4])])
    #expect(
      draws.json.text == """
        {
          "posterior": {
            "a": [
              [
                [1.0, 2.0],
                [3.0, 4.0]
              ]
            ]
          }
        }
        """)
    #expect(try Draws(json: draws.json).statistics == nil)
    #expect(try Draws(asdf: draws.asdf)["a"].elements == [1, 2, 3, 4])
  }

  @Test(
    "documents that hold no draws are refused with the place",
    arguments: [
      ("{}", "posterior"), ("{\"posterior\": 1}", "posterior"),
      ("{\"posterior\": {\"a\": 1}}", "posterior/a"),
      ("{\"posterior\": {\"a\": [1, 2]}}", "posterior/a"),
      ("{\"posterior\": {\"a\": [[1, 2], [3]]}}", "posterior/a/1"),
      ("{\"posterior\": {\"a\": [[1, \"x\"]]}}", "posterior/a/0/1"),
      ("{\"posterior\": {\"a\": [[1, 2]], \"b\": [[1]]}}", "posterior/b"),
      (
        "{\"posterior\": {\"a\": [[1]]}, \"sample_stats\": {\"energy\": [1]}}",
        "sample_stats/energy"
      ),
    ])
  func refused(text: String, location: String) throws {
    let document = try JSONValue(reading: text)
    do throws(DrawsError) {
      _ = try Draws(json: document)
      Issue.record("read \(text)")
    } catch {
      #expect(error.location == location, "\(error)")
    }
  }

  @Test("Python's asdf reads the same numbers, and ArviZ's groups")
  func python() throws {
    let probe = try Python.run(["-c", "import asdf, numpy"])
    guard probe.status == 0 else {
      print("Python's asdf is not installed: the file is not read by it")
      return
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "draws-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "posterior.asdf").path
    let draws = try run()
    try draws.save(to: path)
    let script = Bundle.module.bundleURL.appendingPathComponent("Golden/read_asdf.py").path
    let output = try Python.run([script, path])
    #expect(output.status == 0, "\(output.text)")
    let lines = output.text.split(separator: "\n").map { $0.split(separator: " ") }
    for site in draws.sites {
      let line = try #require(lines.first { $0.first.map(String.init) == site.name })
      let shape = ([2, 30] + site.shape).map { "\($0)" }.joined(separator: ",")
      // The sum of the bit patterns as whole numbers modulo 2⁶⁴: every bit counts.
      let sum = site.values.reduce(UInt64(0)) { $0 &+ $1.bitPattern }
      #expect(line.dropFirst().map(String.init) == ["float64", shape, "\(sum)"], "\(line)")
    }
    #expect(lines.contains { $0.joined(separator: " ") == "diverging bool 2,30" })
    #expect(lines.contains { $0.joined(separator: " ") == "tree_depth int64 2,30" })
  }
}

/// The Python interpreter of the machine, or the one that the environment names.
enum Python {
  /// Runs Python and returns its exit status and what it printed; status 127 where there is none.
  static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    let name = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
