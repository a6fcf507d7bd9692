// SPDX-License-Identifier: MIT
//
// Times work: warm-up, a fixed number of runs, batches for short work, median and median absolute deviation.

/// Times benchmarks.
struct Runner {
  /// The time of a batch of calls that a clock's granularity (tens of nanoseconds) does not blur, in nanoseconds.
  private static let shortestBatch = 200_000.0

  /// The time for which work is repeated before it is timed, in nanoseconds.
  private static let warmUp = 100_000_000.0

  /// Measures one benchmark, and asserts its answer.
  func measure(_ benchmark: Benchmark) throws -> Measurement {
    let work = try benchmark.prepare()
    let batch = try warmUp(work, runs: benchmark.runs)
    var times: [Double] = []
    times.reserveCapacity(benchmark.runs)
    for _ in 0..<benchmark.runs {
      times.append(try nanoseconds(of: work, calls: batch) / Double(batch * work.units))
    }
    try work.check()
    let median = Runner.median(times)
    return Measurement(
      name: benchmark.name, median: median,
      deviation: Runner.median(times.map { abs($0 - median) }), runs: benchmark.runs,
      asserted: work.asserted, peakMemory: work.peakMemory())
  }

  /// Repeats work until it is warm; returns how many calls make a batch.
  private func warmUp(_ work: Work, runs: Int) throws -> Int {
    var (calls, spent) = (1, 0.0)
    var single = try nanoseconds(of: work, calls: 1)
    spent += single
    // Work of seconds is warm after one call: it is mostly its own start that counts.
    while spent < Runner.warmUp {
      let time = try nanoseconds(of: work, calls: calls)
      spent += time
      single = time / Double(calls)
      if time < Runner.shortestBatch { calls *= 2 }
    }
    return max(1, Int((Runner.shortestBatch / max(single, 1)).rounded(.up)))
  }

  /// Returns the time of some calls in a row.
  private func nanoseconds(of work: Work, calls: Int) throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    for _ in 0..<calls { try work.body() }
    let (seconds, attoseconds) = (clock.now - start).components
    return Double(seconds) * 1e9 + Double(attoseconds) * 1e-9
  }

  /// Returns the median of some numbers.
  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.indices.last else { return .nan }
    return 0.5 * (sorted[last / 2] + sorted[(last + 1) / 2])
  }
}
