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

  /// Returns a warning that names these chains; nil where there is none.
  ///
  /// - Parameter frozen: The chains that do not move, whose log density tells nothing.
  /// - Returns: The warning.
  func warning(besides frozen: [Int]) -> DiagnosticWarning? {
    guard let logs = draws.statistics?.logDensity, logs.count == draws.count,
      draws.draws >= DrawsExaminer.fewestDraws, logs.allSatisfy(\.isFinite)
    else { return nil }
    let moving = (0..<draws.chains).filter { !frozen.contains($0) }
    let chains = moving.map { Array(logs[($0 * draws.draws)..<(($0 + 1) * draws.draws)]) }
    // The log density of the posterior is that at the end of most chains: one in a narrow corner may have a higher one.
    let ends = chains.map { chain in
      let end = chain.suffix(draws.draws / 2).sorted()
      return (
        median: ChainStatistics.quantile(end, 0.5),
        spread: 0.5 * (ChainStatistics.quantile(end, 0.84) - ChainStatistics.quantile(end, 0.16))
      )
    }.sorted { $0.median < $1.median }
    guard !ends.isEmpty else { return nil }
    let typical = ends[ends.count / 2]
    let limit = typical.median - max(Self.depth, Self.deviations * typical.spread)
    let starts = chains.map {
      ChainStatistics.quantile($0.prefix(max(10, draws.draws / Self.share)).sorted(), 0.5)
    }
    let late = moving.indices.filter { starts[$0] < limit }
    guard !late.isEmpty else { return nil }
    let names = late.map { moving[$0] }
    let lowest = late.map { starts[$0] }.min() ?? limit
    let arrivals = late.map { place in
      chains[place].firstIndex { $0 > typical.median - 3 * typical.spread }
    }
    let last = arrivals.contains { $0 == nil } ? nil : arrivals.compactMap { $0 }.max()
    let others = (0..<draws.chains).filter { !names.contains($0) }
    let remedy =
      others.isEmpty
      ? last.map { "leave the way out, draws.selecting(draws: \($0)..<\(draws.draws))" }
        ?? "warm up longer"
      : "leave \(names.count == 1 ? "it" : "them") out, draws.selecting(chains: \(others))"
    return DiagnosticWarning(
      .lateChain, "chain \(names[0])",
      "\(names.count == 1 ? "chain" : "chains") \(DrawsExaminer.list(names.map { "\($0)" })), counted from 0, began to draw \(decimalText(typical.median - lowest, decimals: 0)) below the posterior in log density and came up \(last.map { "after \($0) draws" } ?? "not at all"): what was drawn and tuned there is not of the posterior. Start nearer, at what the data tell (initial:), or warm up longer; or \(remedy)"
    )
  }
}
