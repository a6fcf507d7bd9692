// SPDX-License-Identifier: MIT
//
// What a benchmark is: work to time, an answer to assert, and the numbers that come out.

/// One benchmark: a name, and how its work is made ready.
struct Benchmark: Sendable {
  /// The name; a filter picks benchmarks by a part of it.
  let name: String

  /// The number of timed runs.
  let runs: Int

  /// Makes the work ready, which is not timed.
  let prepare: @Sendable () throws -> Work

  /// Creates a benchmark.
  init(_ name: String, runs: Int = 50, prepare: @escaping @Sendable () throws -> Work) {
    self.name = name
    self.runs = runs
    self.prepare = prepare
  }
}

/// Work that is ready to be timed.
struct Work {
  /// What a check of the answer says about it, in words.
  let asserted: String

  /// Into how many units the time of one call is divided: pixels, for instance.
  var units = 1

  /// Does the work once.
  let body: () throws -> Void

  /// Checks the answer after the timed runs; throws where it is wrong.
  let check: () throws -> Void

  /// The peak memory of the process that did the work, in bytes; nil where the work was done in this one.
  var peakMemory: () -> Int? = { nil }
}

/// A wrong answer, or a reason why there is none.
struct BenchmarkError: Error, CustomStringConvertible {
  /// What was expected and what was found.
  let description: String

  /// Creates an error.
  init(_ description: String) { self.description = description }
}

/// Throws with a message unless a condition holds.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  guard condition else { throw BenchmarkError(message()) }
}

/// What was measured.
struct Measurement {
  /// The name of the benchmark.
  let name: String

  /// The median time of one unit of the work, in nanoseconds.
  let median: Double

  /// The median absolute deviation from the median, in nanoseconds.
  let deviation: Double

  /// The number of timed runs.
  let runs: Int

  /// What was asserted of the answer.
  let asserted: String

  /// The peak memory of another process, in bytes.
  let peakMemory: Int?
}
