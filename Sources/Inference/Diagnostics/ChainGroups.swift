// SPDX-License-Identifier: MIT
//
// Chains that stay apart: which of them, in which quantities, and how far.

/// The groups into which chains fall where they do not meet.
struct ChainGroups {
  /// The draws.
  let draws: Draws
  /// The diagnostics of each scalar.
  let scalars: [PosteriorDiagnostics.Scalar]

  /// The R-hat above which groups are looked for: far above what slow mixing gives, if it converges at all.
  private static let clear = 1.05

  /// The distance between groups, in standard deviations of a chain, above which chains do not meet.
  private static let gap = 2.0

  /// The chains that do not move at all.
  var frozen: [Int] {
    guard draws.draws > 1 else { return [] }
    let moving = scalars.filter { !$0.isConstant }
    guard let first = moving.first else { return [] }
    return first.stillChains.filter { chain in
      moving.allSatisfy { $0.stillChains.contains(chain) }
    }
  }

  /// Returns the draws of a scalar.
  private func part(_ k: Int) -> ScalarDraws { draws.scalar(scalars[k].name) }

  /// The smaller group of chains that stay apart in each scalar where they do.
  private var apart: [(scalar: Int, chains: [Int])] {
    guard draws.chains > 1 else { return [] }
    return scalars.indices.compactMap { k in
      guard scalars[k].rHat > Self.clear else { return nil }
      for form in part(k).linearForms {
        if let chains = smallerGroup(form) { return (k, chains) }
      }
      return nil
    }
  }

  /// Returns the smaller of two groups of chains that do not meet, or nil where there are none.
  private func smallerGroup(_ x: [Double]) -> [Int]? {
    let chains = (0..<draws.chains).map { Array(x[($0 * draws.draws)..<(($0 + 1) * draws.draws)]) }
    let means = chains.map(ChainStatistics.mean)
    let order = means.indices.sorted { means[$0] < means[$1] }
    let gaps = zip(order, order.dropFirst()).map { means[$1] - means[$0] }
    guard let widest = gaps.indices.max(by: { gaps[$0] < gaps[$1] }) else { return nil }
    let spread = chains.map {
      (ChainStatistics.squares($0) / Double(max(1, $0.count - 1))).squareRoot()
    }.sorted()[chains.count / 2]
    guard gaps[widest] > Self.gap * spread else { return nil }
    let groups = [Array(order[...widest]), Array(order[(widest + 1)...])]
    for group in groups {
      let own = ChainStatistics.split(group.flatMap { chains[$0] }, chains: group.count)
      // Each group must be at rest in itself; a NaN is that of chains that stand still.
      if ChainStatistics.rankRHat(own) > Self.clear { return nil }
    }
    return (groups[0].count <= groups[1].count ? groups[0] : groups[1]).sorted()
  }

  /// Whether there are groups of chains that do not meet.
  var isDivided: Bool { !apart.isEmpty }

  /// The scalars whose disagreement is explained by chains that stay apart.
  var explained: Set<String> { Set(apart.map { scalars[$0.scalar].name }) }

  /// Returns the warnings about chains that do not move or do not meet.
  func warnings() -> [DiagnosticWarning] {
    let still = frozen
    var result = still.map { chain in
      DiagnosticWarning(
        .frozenChain, name([chain]),
        "\(name([chain])) of \(draws.chains), counted from 0, did not move: all its draws are the same. Its step size is too large or it started where the density cannot be followed; run a longer warm-up, or start elsewhere (initial:), and leave the chain out (draws.selecting(chains:))"
      )
    }
    var seen: [[Int]] = []
    let list = apart
    for (_, chains) in list where !seen.contains(chains) && chains != still {
      seen.append(chains)
      let members = list.filter { $0.chains == chains }.map(\.scalar)
      let subjects = DrawsExaminer.list(members.map { scalars[$0].name })
      let example = members.max { scalars[$0].rHat < scalars[$1].rHat } ?? members[0]
      let (here, there) = medians(part(example), chains)
      let sharp = roundedSpread(part(example), chains)
      let places =
        "\(scalars[example].name) is \(roundedText(here, to: sharp)) there and \(roundedText(there, to: sharp)) in the others"
      let isOne = chains.count == 1 && draws.chains > 2
      let opening =
        isOne
        ? "\(name(chains)) of \(draws.chains), counted from 0, stays apart from the others in \(subjects): \(places)"
        : "the chains fall into groups that do not meet in \(subjects): \(name(chains)), counted from 0, against the rest of \(draws.chains); \(places)"
      result.append(
        DiagnosticWarning(
          isOne ? .stuckChain : .separateModes, name(chains), "\(opening). \(advice(chains))"))
    }
    return result
  }

  /// Returns what groups of chains mean and what to do, by their log densities where these are known.
  private func advice(_ chains: [Int]) -> String {
    let remedy = "start all chains near the best fit, or choose a prior that decides"
    guard let logs = draws.statistics?.logDensity, logs.count == draws.count else {
      return
        "Either some chains are stuck or the posterior has several modes: compare the log densities there, then \(remedy)"
    }
    let means = (0..<draws.chains).map {
      ChainStatistics.mean(Array(logs[($0 * draws.draws)..<(($0 + 1) * draws.draws)]))
    }
    let others = (0..<draws.chains).filter { !chains.contains($0) }
    let difference =
      ChainStatistics.mean(chains.map { means[$0] })
      - ChainStatistics.mean(others.map { means[$0] })
    // A mode that is e⁻¹⁰ times as dense has next to no weight, unless it is very much wider.
    guard abs(difference) > 10 else {
      return
        "The log density is about the same in both groups, so the posterior has several modes: do not average them; \(remedy)"
    }
    let (worse, better) = difference < 0 ? (chains, others) : (others, chains)
    return
      "The log density is lower by \(decimalText(abs(difference), decimals: 0)) in \(name(worse)), which \(worse.count == 1 ? "is" : "are") most probably stuck: keep \(name(better)) (draws.selecting(chains: \(better))), or \(remedy)"
  }

  /// Returns what chains are called, counted from 0 as by ``Draws/selecting(chains:)``.
  private func name(_ chains: [Int]) -> String {
    (chains.count == 1 ? "chain " : "chains ") + DrawsExaminer.list(chains.map { "\($0)" })
  }

  /// Returns the medians of some chains and of the others; the mean directions of an angle.
  private func medians(_ part: ScalarDraws, _ chains: [Int]) -> (Double, Double) {
    let inside = part.selecting(chains)
    let outside = part.selecting((0..<draws.chains).filter { !chains.contains($0) })
    if part.period != nil { return (inside.mean, outside.mean) }
    return (inside.quantiles([0.5])[0], outside.quantiles([0.5])[0])
  }

  /// Returns the spread of some chains, to whose digits their places are told.
  private func roundedSpread(_ part: ScalarDraws, _ chains: [Int]) -> Double {
    let others = (0..<draws.chains).filter { !chains.contains($0) }
    return max(
      part.selecting(chains).standardDeviation, part.selecting(others).standardDeviation)
  }
}

extension ScalarDraws {
  /// Returns the draws of some chains.
  func selecting(_ indices: [Int]) -> ScalarDraws {
    let length = values.count / max(1, chains)
    return ScalarDraws(
      name: name, chains: indices.count,
      values: indices.flatMap { values[($0 * length)..<(($0 + 1) * length)] }, period: period)
  }
}
