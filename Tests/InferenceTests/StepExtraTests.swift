// SPDX-License-Identifier: MIT
//
// Numbers that only a kernel knows are kept of each draw: as they are, through thinning, checkpoints, selections and files.

import AllocationCounter
import Foundation
import Inference
import JSON
import Numerics
import Synchronization
import PPL
import TestSupport
import Testing

/// A kernel that counts its steps, and tells of each its number and one that is hard to keep.
private struct Counter: Kernel {
  struct State: ChainState {
    var position: [Double]
    var logDensity: Double
    var steps = 0.0
  }

  struct Info: StepInfo {
    var number: Double
    var acceptance: Double { 1 }
    var diverged: Bool { false }

    static var extras: [StepExtra<Info>] {
      [StepExtra("number") { $0.number }, StepExtra("hard") { Counter.hard($0.number) }]
    }
  }

  /// Numbers that sums, texts and comparisons may change; as many as no thinning below divides.
  private static let hardNumbers: [Double] = [
    -0.0, .nan, .infinity, -.infinity, 0.1, .leastNonzeroMagnitude, 3.7,
  ]

  /// Returns one of them.
  static func hard(_ number: Double) -> Double { hardNumbers[Int(number) % hardNumbers.count] }

  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    State(position: q, logDensity: target.value(at: q))
  }

  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    state.steps += 1
    return Info(number: state.steps)
  }
}

/// The names of a kernel's extras.
private protocol NameList: Sendable {
  /// The names.
  static var names: [String] { get }
}

/// A kernel that does nothing, with extras of given names.
private struct Named<List: NameList>: Kernel {
  struct State: ChainState {
    var position: [Double]
    var logDensity: Double
  }

  struct Info: StepInfo {
    var acceptance: Double { 1 }
    var diverged: Bool { false }

    static var extras: [StepExtra<Info>] {
      List.names.map { name in StepExtra<Info>(name) { _ in 1 } }
    }
  }

  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    State(position: q, logDensity: target.value(at: q))
  }

  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info { Info() }
}

/// A name that is empty.
private enum Empty: NameList { static var names: [String] { ["a", ""] } }

/// A name that stands twice.
private enum Twice: NameList { static var names: [String] { ["a", "b", "a"] } }

/// A name that all kernels have in files.
private enum Taken: NameList { static var names: [String] { ["tree_depth"] } }

/// What a kernel told before its author thought better of it.
private enum Before {
  enum List: NameList { static var names: [String] { ["a", "b"] } }
}

/// What it told afterwards.
private enum After {
  enum List: NameList { static var names: [String] { ["a"] } }
}

/// Returns the bits of numbers, so that NaN equals NaN and 0 is not −0; nil where there are none.
private func bits(_ numbers: [Double]?) -> [UInt64]? { numbers?.map(\.bitPattern) }

@Suite("A step's extras")
struct StepExtraTests {
  /// A run of two chains, each of 20 iterations and 30 draws.
  private static func run(
    thinning: Int = 1, _ checkpoint: Checkpoint? = nil, until limit: Int = .max
  ) throws -> Draws {
    let calls = Atomic(0)
    let target = LogDensityFactory(dimension: 3, name: "x") { CorrelatedNormal() }
    return try Counter().run(
      target, chains: 2, warmUp: 20, draws: 30, thinning: thinning, key: 4, threads: 1,
      checkpoint: checkpoint
    ) { calls.add(1, ordering: .relaxed).newValue > limit }
  }

  @Test("each draw has the numbers of its step, chain after chain, those of the warm-up left out")
  func values() throws {
    let draws = try Self.run()
    let extras = try #require(draws.statistics).extras
    #expect(extras.keys.sorted() == ["hard", "number"])
    let numbers = (0..<60).map { Double(21 + $0 % 30) }
    #expect(extras["number"] == numbers)
    #expect(bits(extras["hard"]) == bits(numbers.map { Counter.hard($0) }))
    let other = try NUTS().run(
      LogDensityFactory(dimension: 3) { CorrelatedNormal() }, chains: 1, warmUp: 10, draws: 10)
    #expect(other.statistics?.extras == [:])
  }

  @Test("a draw of a thinned run has the means over its steps", arguments: [2, 3])
  func thinned(thinning: Int) throws {
    let draws = try Self.run(thinning: thinning)
    let extras = try #require(draws.statistics).extras
    let first = (0..<60).map { Double(21 + $0 % 30 * thinning) }
    #expect(extras["number"] == first.map { $0 + Double(thinning - 1) / 2 })
    let sums = first.map { start in
      (1..<thinning).reduce(Counter.hard(start)) { $0 + Counter.hard(start + Double($1)) }
    }
    let expected = sums.map { $0 / Double(thinning) }
    let found = try #require(extras["hard"])
    #expect(zip(found, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    #expect(expected.contains { $0.isFinite } && expected.contains { $0.isNaN })
  }

  @Test(
    "a run that is interrupted and resumed has the same, to the last bit, also within a draw",
    arguments: [1, 3], [10, 25, 41, 57, 90])
  func resumed(thinning: Int, interruption: Int) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "extras-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let whole = try Self.run(thinning: thinning)
    let part = try Self.run(thinning: thinning, Checkpoint(file), until: interruption)
    #expect(part.statistics?.wasCancelled ?? false)
    let resumed = try Self.run(thinning: thinning, Checkpoint(file))
    #expect(resumed.draws == 30)
    for name in ["number", "hard"] {
      let expected = try #require(bits(whole.statistics?.extras[name]))
      #expect(bits(resumed.statistics?.extras[name]) == expected, "\(name)")
    }
  }

  @Test("a checkpoint with other extras is that of another run")
  func changed() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "extras-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let target = LogDensityFactory(dimension: 3) { CorrelatedNormal() }
    _ = try Named<Before.List>().run(target, warmUp: 0, draws: 5, checkpoint: Checkpoint(file))
    let error = #expect(throws: CheckpointError.self) {
      try Named<After.List>().run(target, warmUp: 0, draws: 5, checkpoint: Checkpoint(file))
    }
    #expect(error?.kind == .mismatch(["extras"]))
    #expect(error?.explanation.contains("extras is a, b in the file, a here") ?? false)
  }

  @Test("names that are empty, stand twice or are those of all kernels are refused before the run")
  func refused() throws {
    let target = LogDensityFactory(dimension: 3) { CorrelatedNormal() }
    let mistakes = [
      mistake { _ = try Named<Empty>().run(target, draws: 5) },
      mistake { _ = try Named<Twice>().run(target, draws: 5) },
      mistake { _ = try Named<Taken>().run(target, draws: 5) },
    ]
    for found in mistakes {
      #expect(found?.kind == .misuse)
      #expect(found?.explanation.contains("acceptance_rate") ?? false)
    }
    #expect(mistake { _ = try Named<After.List>().run(target, draws: 5) } == nil)
  }

  @Test("chosen chains and draws keep theirs, merged runs have what both told")
  func selected() throws {
    let draws = try Self.run()
    let some = draws.selecting(chains: [1]).selecting(draws: 3..<5)
    #expect(some.statistics?.extras["number"] == [24, 25])
    #expect(draws.thinned(by: 10).statistics?.extras["number"]?.count == 6)
    let both = Draws.merging([draws, draws.selecting(chains: [0])])
    let number = try #require(draws.statistics?.extras["number"])
    let expected: [Double] = number + number.prefix(30)
    #expect(both.statistics?.extras["number"] == expected)
    // A kernel that has only one of the names.
    let target = LogDensityFactory(dimension: 3, name: "x") { CorrelatedNormal() }
    let other = try Named<After.List>().run(target, chains: 1, warmUp: 0, draws: 30)
    #expect(other.statistics?.extras["a"] == [Double](repeating: 1, count: 30))
    #expect(Draws.merging([draws, other]).statistics?.extras == [:])
  }

  @Test("they read back the same from both kinds of files", arguments: ["asdf", "json"])
  func files(kind: String) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).\(kind)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let draws = try Self.run()
    try draws.save(to: path)
    let copy = try Draws(contentsOf: path)
    let read = try #require(copy.statistics)
    #expect(read.extras.keys.sorted() == ["hard", "number"])
    #expect(read.extras["number"] == draws.statistics?.extras["number"])
    let expected = try #require(draws.statistics?.extras["hard"])
    let found = try #require(read.extras["hard"])
    let same = zip(found, expected).allSatisfy {
      $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN)
    }
    #expect(same && found.count == 60)
  }

  @Test("of a file of another program, numbers to each draw are taken and others passed over")
  func foreign() throws {
    let text = """
      {"posterior": {"a": [[1, 2, 3]]}, "sample_stats":
        {"lp": [[-1, -2, -3]], "hops": [[4, 5, 6]], "of_run": [7], "of_two": [[1, 2]]}}
      """
    let draws = try Draws(json: JSONValue(reading: text))
    let statistics = try #require(draws.statistics)
    #expect(statistics.extras == ["hops": [4, 5, 6]])
    #expect(statistics.logDensity == [-1, -2, -3])
  }

  @Test("steps with extras allocate nothing but what is stored")
  func allocations() throws {
    try #require(allocation_count() >= 0, "no allocation counter on this system")
    let density = try line.logDensity()
    /// Returns the allocations of a run.
    func count(_ draws: Int) throws -> Int {
      _ = try Counter().run(density, chains: 2, warmUp: 0, draws: 1, threads: 1)
      let before = allocation_count()
      _ = try Counter().run(density, chains: 2, warmUp: 0, draws: draws, threads: 1)
      return allocation_count() - before
    }
    let few = try count(10)
    let many = try count(50_000)
    // A slice of time takes some allocations of its own, and 100 000 steps take a hundred slices.
    #expect(many - few < 1000, "\(few) allocations for 10 draws, \(many) for 50 000")
  }
}
