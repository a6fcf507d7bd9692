// SPDX-License-Identifier: MIT
//
// Whether numbers between 0 and 1 are uniform: Pearson's χ² of a histogram, and an exact simultaneous test of the distribution.
//
// Source of the band: Säilynoja, Bürkner and Vehtari 2022, Stat. Comput. 32, 32, section 2.2: the counts below increasing bounds are a
// Markov chain, so the probability that all stay inside a band is a sum over its paths.

import Numerics

/// Tests of uniformity.
enum UniformityTests {
  /// Returns the counts of numbers in bins of equal width.
  static func histogram(_ uniforms: [Double], bins: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: bins)
    for u in uniforms { counts[min(bins - 1, max(0, Int(u * Double(bins))))] += 1 }
    return counts
  }

  /// Returns Pearson's χ² of counts of which all are equally probable, and the probability of a larger one.
  static func chiSquared(_ counts: [Int]) -> (value: Double, pValue: Double) {
    let total = counts.reduce(0, +)
    guard total > 0, counts.count > 1 else { return (0, 1) }
    let expected = Double(total) / Double(counts.count)
    let value = counts.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    return (value, regularizedGammaQ(Double(counts.count - 1) / 2, value / 2))
  }

  /// Returns the numbers of uniforms at or below bounds that divide 0…1 in equal parts, both ends left out.
  static func cumulativeCounts(_ uniforms: [Double], parts: Int) -> [Int] {
    (1..<parts).map { i in uniforms.count { $0 <= Double(i) / Double(parts) } }
  }

  /// Returns the probability that the distribution of uniform numbers deviates somewhere as improbably as this one.
  ///
  /// The deviation is the smallest tail probability of a cumulative count; the probability is exact.
  static func cumulativePValue(_ uniforms: [Double], parts: Int) -> Double {
    let n = uniforms.count
    guard n > 0 else { return 1 }
    let counts = cumulativeCounts(uniforms, parts: parts)
    let tables = (1..<parts).map { BinomialTails(n, Double($0) / Double(parts)) }
    let smallest = zip(tables, counts).map { $0.smaller($1) }.min() ?? 1
    // Tails that are equal but for rounding are equal.
    return 1 - coverage(n, tables.map { $0.interval(above: smallest * (1 + 1e-9)) })
  }

  /// Returns, for each bound, the counts between which uniform numbers stay everywhere at once with a probability.
  static func cumulativeBand(_ n: Int, parts: Int, probability: Double) -> [ClosedRange<Int>] {
    let tables = (1..<parts).map { BinomialTails(n, Double($0) / Double(parts)) }
    // Half as likely a tail widens the band; the coverage is monotone in it.
    var (low, high) = (0.0, 0.5)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if coverage(n, tables.map { $0.interval(above: middle) }) >= probability {
        low = middle
      } else {
        high = middle
      }
    }
    return tables.map { $0.interval(above: low) ?? 0...n }
  }

  /// Returns the probability that the counts of n uniform numbers stay inside their intervals at all bounds.
  private static func coverage(_ n: Int, _ intervals: [ClosedRange<Int>?]) -> Double {
    let parts = intervals.count + 1
    let factorials = (0...n).map { logGamma(Double($0) + 1) }
    // The probabilities of counts from `start` on, of paths inside so far.
    var (start, probabilities) = (0, [1.0])
    for (index, interval) in intervals.enumerated() {
      guard let interval else { return 0 }
      // Of the numbers above the last bound, the share that lies below the next one.
      let share = 1 / Double(parts - index)
      let (logShare, logRest) = (logarithm(share), logarithmOfOnePlus(-share))
      var next = [Double](repeating: 0, count: interval.count)
      for (place, probability) in probabilities.enumerated() where probability > 0 {
        let count = start + place
        let left = n - count
        guard count <= interval.upperBound else { continue }
        for total in max(count, interval.lowerBound)...interval.upperBound {
          let new = total - count
          let log =
            factorials[left] - factorials[new] - factorials[left - new] + Double(new) * logShare
            + Double(left - new) * logRest
          next[total - interval.lowerBound] += probability * exponential(log)
        }
      }
      (start, probabilities) = (interval.lowerBound, next)
    }
    return min(1, probabilities.reduce(0, +))
  }
}

/// The tail probabilities of a binomial count.
private struct BinomialTails {
  /// The smaller of P(X ≤ k) and P(X ≥ k), for each k.
  private let tails: [Double]

  /// Computes the tails of n trials of a probability.
  init(_ n: Int, _ probability: Double) {
    /// Returns P(X ≤ k).
    func below(_ k: Int) -> Double {
      k < 0 ? 0 : k >= n ? 1 : regularizedBeta(Double(n - k), Double(k + 1), 1 - probability)
    }
    tails = (0...n).map { k in
      // P(X ≥ k) = I_p(k, n − k + 1), without the cancellation of 1 − P(X < k).
      let above = k == 0 ? 1 : regularizedBeta(Double(k), Double(n - k + 1), probability)
      return min(below(k), above)
    }
  }

  /// Returns the smaller tail of a count.
  func smaller(_ count: Int) -> Double { tails[count] }

  /// Returns the counts whose smaller tail is above a level, or nil if there is none.
  func interval(above level: Double) -> ClosedRange<Int>? {
    guard let first = tails.firstIndex(where: { $0 > level }),
      let last = tails.lastIndex(where: { $0 > level })
    else { return nil }
    return first...last
  }
}
