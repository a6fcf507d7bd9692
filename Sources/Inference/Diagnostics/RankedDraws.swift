// SPDX-License-Identifier: MIT
//
// R-hat and effective sample sizes of many scalars: the draws of each are sorted once, and normal scores are shared.
//
// Source: as ConvergenceDiagnostics.swift; the numbers are the same.

import Numerics
import Tensors

/// The normal scores of the ranks among a number of draws.
struct RankScores: Sendable {
  /// The number of draws.
  private let count: Int

  /// The scores of the whole ranks, from 1 up.
  private let whole: [Double]

  /// Tabulates the scores of ranks among so many draws.
  init(_ count: Int) {
    self.count = count
    whole = (0..<count).map { Self.score(Double($0) + 1, count) }
  }

  /// Returns the score of a rank among a number of draws, with Blom's offset 3/8.
  private static func score(_ rank: Double, _ count: Int) -> Double {
    normalQuantile((rank - 0.375) / (Double(count) + 0.25))
  }

  /// Returns the score of the mean rank of draws that are alike: those at places `first` to `last` in ascending order.
  subscript(first: Int, last: Int) -> Double {
    (first + last) % 2 == 0
      ? whole[(first + last) / 2] : Self.score(Double(first + last) / 2 + 1, count)
  }
}

/// Finite draws with their order, from which all that depends on ranks is read off.
struct RankedDraws {
  /// A draw and its place among the draws.
  private struct Place {
    let value: Double
    let index: Int32
  }

  /// All draws in ascending order.
  private let sorted: [Double]

  /// The draws of the split chains in ascending order, with their places among these, chain after chain.
  private let places: [Place]

  /// The split chains.
  private let chains: [[Double]]

  /// Sorts draws; nil where one is not finite.
  init?(_ x: [Double], chains count: Int) {
    guard x.allSatisfy(\.isFinite), x.count < Int(Int32.max) else { return nil }
    chains = ChainStatistics.split(x, chains: count)
    var all = x.indices.map { Place(value: x[$0], index: Int32($0)) }
    all.sort { $0.value < $1.value }
    sorted = all.map(\.value)
    let length = x.count / max(1, count)
    guard length % 2 == 1 else {
      places = all
      return
    }
    // The middle draw of each chain is left out.
    places = all.compactMap { place in
      let (chain, draw) = (Int(place.index) / length, Int(place.index) % length)
      if draw == length / 2 { return nil }
      return Place(
        value: place.value,
        index: Int32(chain * (length - 1) + (draw < length / 2 ? draw : draw - 1)))
    }
  }

  /// The number of draws of a split chain.
  private var length: Int { chains.first?.count ?? 0 }

  /// Returns the normal scores of places in ascending order, as split chains.
  private func scores(_ places: [Place], _ table: RankScores) -> [[Double]] {
    var scores = [Double](repeating: 0, count: places.count)
    var first = 0
    while first < places.count {
      var last = first
      while last + 1 < places.count && places[last + 1].value == places[first].value { last += 1 }
      let score = table[first, last]
      for k in first...last { scores[Int(places[k].index)] = score }
      first = last + 1
    }
    return chains.indices.map { Array(scores[($0 * length)..<(($0 + 1) * length)]) }
  }

  /// The distances from the median in ascending order, merged from those below it and those above.
  private var folded: [Place] {
    let median = ChainStatistics.quantile(places.map(\.value), 0.5)
    var right = places.firstIndex { $0.value >= median } ?? places.count
    var left = right - 1
    var result: [Place] = []
    result.reserveCapacity(places.count)
    while left >= 0 || right < places.count {
      let below = left >= 0 ? abs(places[left].value - median) : .infinity
      let above = right < places.count ? abs(places[right].value - median) : .infinity
      let isBelow = right == places.count || left >= 0 && below < above
      result.append(
        Place(value: isBelow ? below : above, index: places[isBelow ? left : right].index))
      if isBelow { left -= 1 } else { right += 1 }
    }
    return result
  }

  /// Returns the rank-normalised R-hat of the split chains and the effective sample size of their centre.
  func centre(_ table: RankScores) -> (rHat: Double, bulkESS: Double) {
    guard length >= 2 else { return (.nan, .nan) }
    let scores = scores(places, table)
    let spread = self.scores(folded, table)
    return (
      ChainStatistics.larger(ChainStatistics.rHat(scores), ChainStatistics.rHat(spread)),
      ChainStatistics.ess(scores)
    )
  }

  /// Returns the effective sample size of a quantile.
  func quantileESS(_ probability: Double) -> Double {
    let bound = ChainStatistics.quantile(sorted, probability)
    return ChainStatistics.ess(chains.map { $0.map { $0 <= bound ? 1 : 0 } })
  }
}

/// Whether chains agree on a quantity, and how well they know its centre and its tails.
struct Convergence: Sendable {
  /// As ``ScalarDraws/rHat``.
  let rHat: Double
  /// As ``ScalarDraws/bulkESS``.
  let bulkESS: Double
  /// As ``ScalarDraws/tailESS``.
  let tailESS: Double

  /// Judges draws, which are sorted once; the scores are those of the number of draws in split chains.
  init(_ draws: ScalarDraws, _ scores: RankScores) {
    let forms = draws.linearForms
    let ranked = forms.compactMap { RankedDraws($0, chains: draws.chains) }
    guard ranked.count == forms.count, let first = ranked.first,
      let tails = forms.count == 1 ? first : RankedDraws(draws.unwrapped, chains: draws.chains)
    else {
      // What there is to say where draws are not finite is said there.
      (rHat, bulkESS, tailESS) = (draws.rHat, draws.bulkESS, draws.tailESS)
      return
    }
    let centres = ranked.map { $0.centre(scores) }
    rHat = centres.reduce(.nan) { ChainStatistics.larger($0, $1.rHat) }
    bulkESS = centres.reduce(.infinity) {
      $0.isNaN || $1.bulkESS.isNaN ? .nan : min($0, $1.bulkESS)
    }
    let (low, high) = (tails.quantileESS(0.05), tails.quantileESS(0.95))
    tailESS = low.isNaN || high.isNaN ? .nan : min(low, high)
  }
}

extension Draws {
  /// The normal scores for the draws of the split chains.
  var rankScores: RankScores { RankScores(2 * (draws / 2) * chains) }

  /// Returns what a function makes of each scalar of some sites, in their order, on all processors.
  func concurrentMap<Result: Sendable>(
    _ sites: [Site], _ body: @Sendable (Site, ScalarDraws) -> Result
  ) -> [Result] {
    let places = sites.indices.flatMap { site in
      (0..<sites[site].shape.elementCount).map { (site: site, element: $0) }
    }
    return Inference.concurrentMap(places.count) { k in
      let site = sites[places[k].site]
      return body(site, scalar(site, places[k].element))
    }
  }
}
