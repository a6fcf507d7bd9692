// SPDX-License-Identifier: MIT
//
// The arithmetic of convergence diagnostics on chains of numbers: ranks, R-hat, effective sample size.
//
// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, Bayesian Analysis 16, 667; Geyer 1992, Stat. Sci. 7, 473.

import Numerics

/// Functions of chains of equal length; all give NaN for draws of which one is NaN.
enum ChainStatistics {
  /// Returns each chain's first and last half as chains of their own; the middle draw of an odd number is left out.
  static func split(_ x: [Double], chains: Int) -> [[Double]] {
    let length = x.count / max(1, chains)
    let half = length / 2
    return (0..<chains).flatMap { chain -> [[Double]] in
      let start = chain * length
      return [
        Array(x[start..<(start + half)]), Array(x[(start + length - half)..<(start + length)]),
      ]
    }
  }

  /// Returns the mean of numbers, exactly where all are the same: as the mean of distances from the first.
  static func mean(_ x: [Double]) -> Double {
    guard let first = x.first, first.isFinite else { return x.reduce(0, +) / Double(x.count) }
    return first + x.reduce(0) { $0 + ($1 - first) } / Double(x.count)
  }

  /// Returns the sum of squared distances from the mean.
  static func squares(_ x: [Double]) -> Double {
    let center = mean(x)
    return x.reduce(0) { $0 + ($1 - center) * ($1 - center) }
  }

  /// Returns a quantile of sorted numbers, linear between order statistics (type 7 of Hyndman and Fan 1996).
  static func quantile(_ sorted: [Double], _ p: Double) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = min(max(p * Double(last), 0), Double(last))
    let nearest = place.rounded()
    // A place that is whole but for the rounding of p is an order statistic: which draws lie at or below it is then exact.
    if abs(place - nearest) <= 1e-12 * Double(last) { return sorted[Int(nearest)] }
    let low = Int(place)
    return sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
  }

  /// Returns distances from the median of all draws.
  static func folded(_ chains: [[Double]]) -> [[Double]] {
    let median = quantile(chains.flatMap { $0 }.sorted(), 0.5)
    return chains.map { $0.map { abs($0 - median) } }
  }

  /// Returns normal scores of the ranks of all draws together; ties share their mean rank.
  static func rankNormalized(_ chains: [[Double]]) -> [[Double]] {
    let all = chains.flatMap { $0 }
    guard isComplete(chains) else { return chains.map { $0.map { _ in .nan } } }
    let order = all.indices.sorted { all[$0] < all[$1] }
    var scores = all
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count && all[order[last + 1]] == all[order[first]] { last += 1 }
      let rank = Double(first + last) / 2 + 1
      // Blom's offset 3/8.
      let score = normalQuantile((rank - 0.375) / (Double(all.count) + 0.25))
      for k in first...last { scores[order[k]] = score }
      first = last + 1
    }
    var start = 0
    return chains.map { chain in
      defer { start += chain.count }
      return Array(scores[start..<(start + chain.count)])
    }
  }

  /// Returns the plain R-hat of chains; infinite for constant chains that differ, NaN for draws that are all alike.
  static func rHat(_ chains: [[Double]]) -> Double {
    guard let n = chains.first?.count, n >= 2, chains.count >= 2 else { return .nan }
    let between = Double(n) * squares(chains.map(mean)) / Double(chains.count - 1)
    let within = chains.reduce(0) { $0 + squares($1) / Double(n - 1) } / Double(chains.count)
    return ((between / within + Double(n) - 1) / Double(n)).squareRoot()
  }

  /// Returns the rank-normalised R-hat of split chains: the larger of that of the draws and that of their distances from
  /// the median; NaN for fewer than 4 draws of a chain.
  static func rankRHat(_ split: [[Double]]) -> Double {
    guard let n = split.first?.count, n >= 2, isComplete(split) else { return .nan }
    return larger(rHat(rankNormalized(split)), rHat(rankNormalized(folded(split))))
  }

  /// Returns the larger of two numbers; NaN only if both are.
  static func larger(_ a: Double, _ b: Double) -> Double { Double.maximum(a, b) }

  /// Whether no draw is NaN.
  static func isComplete(_ chains: [[Double]]) -> Bool {
    chains.allSatisfy { $0.allSatisfy { !$0.isNaN } }
  }

  /// Returns the autocovariances (divisor n) of a chain whose mean has been taken off, at one lag.
  static func autocovariance(_ centered: [Double], lag: Int) -> Double {
    centered.withUnsafeBufferPointer { x in
      guard let base = x.baseAddress, lag < x.count else { return 0 }
      return LinearAlgebra.dot(base, base + lag, count: x.count - lag) / Double(x.count)
    }
  }

  /// Returns the effective sample size of chains by Geyer's initial monotone sequence.
  ///
  /// NaN for fewer than 4 draws of a chain; the number of draws where all are alike.
  ///
  /// - Complexity: O(draws · L), where L is the lag at which the autocorrelation vanishes.
  static func ess(_ chains: [[Double]]) -> Double {
    guard let n = chains.first?.count, n >= 2, isComplete(chains) else { return .nan }
    let m = Double(chains.count)
    let total = m * Double(n)
    let first = chains[0][0]
    if chains.allSatisfy({ $0.allSatisfy { $0 == first } }) { return total }
    let means = chains.map(mean)
    let centered = zip(chains, means).map { chain, mean in chain.map { $0 - mean } }
    /// Returns the autocovariance at a lag, averaged over chains.
    func covariance(_ lag: Int) -> Double {
      centered.reduce(0) { $0 + autocovariance($1, lag: lag) } / m
    }
    let within = covariance(0) * Double(n) / Double(n - 1)
    var pooled = within * Double(n - 1) / Double(n)
    if chains.count > 1 { pooled += squares(means) / (m - 1) }
    /// Returns the autocorrelation at a lag.
    func rho(_ lag: Int) -> Double { 1 - (within - covariance(lag)) / pooled }
    var correlations = [Double](repeating: 0, count: n)
    var (even, odd) = (1.0, rho(1))
    correlations[0] = even
    correlations[1] = odd
    var t = 1
    while t < n - 3 && even + odd > 0 {
      (even, odd) = (rho(t + 1), rho(t + 2))
      if even + odd >= 0 {
        correlations[t + 1] = even
        correlations[t + 2] = odd
      }
      t += 2
    }
    let last = t - 2
    if even > 0 { correlations[last + 1] = even }
    t = 1
    while t <= last - 2 {
      let before = correlations[t - 1] + correlations[t]
      if correlations[t + 1] + correlations[t + 2] > before {
        correlations[t + 1] = before / 2
        correlations[t + 2] = before / 2
      }
      t += 2
    }
    var tau = -1 + correlations[last + 1]
    if last >= 0 { tau += 2 * correlations[0...last].reduce(0, +) }
    // Chains that swing from side to side know a mean better than independent draws do, but not without bound.
    tau = max(tau, 1 / (logarithm(total) / logarithm(10)))
    return total / tau
  }
}
