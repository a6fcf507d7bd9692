// SPDX-License-Identifier: MIT
//
// Our side of the comparison with other systems: gradients and NUTS on small models, as Scripts/peers runs them elsewhere.

import SwiftSersic

/// The keys of the runs: the mean over four runs steadies numbers of leapfrogs and effective draws.
private let keys: [UInt64] = [0, 1, 2, 3]

/// Runs NUTS with one chain of 1000 + 1000 iterations and default settings.
private func run(_ density: CompiledDensity, _ key: UInt64) throws -> Draws {
  try NUTS().run(density, chains: 1, warmUp: 1000, draws: 1000, key: RandomKey(key), threads: 1)
}

/// Returns the number of leapfrogs of a run, warm-up included.
private func leapfrogs(_ draws: Draws) -> Int {
  guard let statistics = draws.statistics else { return 0 }
  return statistics.warmUpGradients + statistics.gradients.reduce(0, +)
}

/// Returns the smallest bulk effective sample size of a run.
private func effectiveDraws(_ draws: Draws) -> Double {
  draws.scalars.map(\.bulkESS).min() ?? .nan
}

/// The benchmarks of one model.
private func benchmarks(_ peer: PeerModel) -> [Benchmark] {
  /// Returns the work of all runs, its time divided by what they made.
  @Sendable func work(_ units: @escaping ([Draws]) -> Int) throws -> Work {
    let density = try peer.density()
    var last = try keys.map { try run(density, $0) }
    return Work(
      asserted: "the other system's model, \(units(last)) in \(keys.count) runs",
      units: max(1, units(last)),
      body: { last = try keys.map { try run(density, $0) } },
      check: {
        for draws in last {
          let size = effectiveDraws(draws)
          try require(size > 100, "expected a hundred effective draws of 1000, found \(size)")
        }
      })
  }
  return [
    Benchmark("peers, \(peer.name): value and gradient", runs: 50) {
      let density = try peer.density()
      return DensityCase(density, at: PeerModel.probe(density.dimension)).work
    },
    Benchmark("peers, \(peer.name): nuts, leapfrog", runs: 5) {
      try work { $0.reduce(0) { $0 + leapfrogs($1) } }
    },
    Benchmark("peers, \(peer.name): nuts, effective draw", runs: 5) {
      try work { Int($0.reduce(0) { $0 + effectiveDraws($1) }.rounded()) }
    },
    Benchmark("peers, \(peer.name): nuts, first run", runs: 5) {
      // From the program to the draws: recording and compilation included.
      var draws: Draws?
      return Work(
        asserted: "1000 draws",
        body: { draws = try run(try peer.model.logDensity(), 0) },
        check: { try require(draws?.draws == 1000, "expected 1000 draws, found none") })
    },
  ]
}

/// The benchmarks that Scripts/peers compares with other systems.
let peerBenchmarks = PeerModel.all.flatMap(benchmarks)
