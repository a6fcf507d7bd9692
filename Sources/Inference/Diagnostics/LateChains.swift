// SPDX-License-Identifier: MIT
//
// Chains whose first draws, or all of them, lie far below the others in log density.

/// The chains that began to draw on a plateau or in a mode of no weight, and came to the posterior late or not at all.
struct LateChains {
  /// The draws.
  let draws: Draws

  /// The share of a chain that must lie below.
  private static let share = 10

  /// How far below is far, in standard deviations of the log density.
  private static let deviations = 5.0

  /// How far below is far, at least: a place e⁻¹⁰ times as dense.
  private static let depth = 10.0

  /// Returns a warning for each of these chains, but for those that stay apart and are told of already.
  func warnings(besides told: [[Int]]) -> [DiagnosticWarning] {
    guard let logs = draws.statistics?.logDensity, logs.count == draws.count,
      draws.draws >= DrawsExaminer.fewestDraws, logs.allSatisfy(\.isFinite)
    else { return [] }
    let chains = (0..<draws.chains).map {
      Array(logs[($0 * draws.draws)..<(($0 + 1) * draws.draws)])
    }
    // The log density of the posterior is that of the chain that has come highest.
    let ends = chains.map { chain in
      let end = chain.suffix(draws.draws / 2).sorted()
      return (
        median: ChainStatistics.quantile(end, 0.5),
        spread: 0.5 * (ChainStatistics.quantile(end, 0.84) - ChainStatistics.quantile(end, 0.16))
      )
    }
    guard let best = ends.max(by: { $0.median < $1.median }) else { return [] }
    let limit = best.median - max(Self.depth, Self.deviations * best.spread)
    return chains.indices.compactMap { index in
      guard !told.contains(where: { $0.contains(index) }) else { return nil }
      let first = chains[index].prefix(max(10, draws.draws / Self.share)).sorted()
      let start = ChainStatistics.quantile(first, 0.5)
      guard start < limit else { return nil }
      let below = decimalText(best.median - start, decimals: 0)
      let arrival = chains[index].firstIndex { $0 > best.median - 3 * best.spread }
      let course =
        arrival.map { "only after \($0) draws" } ?? "not at all"
      return DiagnosticWarning(
        .lateChain, "chain \(index)",
        "chain \(index), counted from 0, began to draw \(below) below the rest of the posterior in log density and came up \(course): its draws there, and a step size and a metric tuned there, are not those of the posterior. Start nearer, at what the data tell (initial: .values([…])) or at the best of many points (initial: .best(of: 100, .prior)), or warm up longer; without the chain: draws.selecting(chains: \((0..<draws.chains).filter { $0 != index }))"
      )
    }
  }
}
