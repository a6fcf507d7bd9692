// SPDX-License-Identifier: MIT
//
// Rank-normalised split R-hat, bulk and tail effective sample size, Monte Carlo errors.
//
// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, Bayesian Analysis 16, 667; Geyer 1992, Stat. Sci. 7, 473.

import Numerics

extension ScalarDraws {
  /// The chains, each halved, so that the halves are compared too; an angle is taken on one branch.
  private var splitChains: [[Double]] {
    let x = unwrapped
    let length = x.count / max(1, chains)
    let half = length / 2
    return (0..<chains).flatMap { chain -> [[Double]] in
      let start = chain * length
      return [
        Array(x[start..<(start + half)]), Array(x[(start + length - half)..<(start + length)]),
      ]
    }
  }

  /// The rank-normalised split R-hat: the larger of that of the draws and that of their distances from the median.
  ///
  /// NaN for fewer than 4 draws of a chain or draws that are all alike.
  public var rHat: Double {
    let split = splitChains
    let folded = Self.folded(split)
    return max(Self.rHat(Self.rankNormalized(split)), Self.rHat(Self.rankNormalized(folded)))
  }

  /// The effective sample size of the rank-normalised draws: how well the centre of the distribution is known.
  public var bulkESS: Double { Self.ess(Self.rankNormalized(splitChains)) }

  /// The smaller effective sample size of the 5 % and 95 % quantiles' indicators.
  public var tailESS: Double {
    let split = splitChains
    let sorted = split.flatMap { $0 }.sorted()
    return [0.05, 0.95].map { p -> Double in
      let bound = Self.quantile(sorted, p)
      return Self.ess(split.map { $0.map { $0 <= bound ? 1 : 0 } })
    }.min() ?? .nan
  }

  /// The effective sample size of the draws themselves, for the error of their mean.
  public var meanESS: Double { Self.ess(splitChains) }

  /// The Monte Carlo standard error of the mean.
  public var meanError: Double { standardDeviation / meanESS.squareRoot() }

  // MARK: - Pieces

  /// Returns distances from the median of all draws.
  private static func folded(_ chains: [[Double]]) -> [[Double]] {
    let median = quantile(chains.flatMap { $0 }.sorted(), 0.5)
    return chains.map { $0.map { abs($0 - median) } }
  }

  /// Returns a quantile of sorted numbers, linear between order statistics.
  private static func quantile(_ sorted: [Double], _ p: Double) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = p * Double(last)
    let low = min(Int(place), last)
    let high = min(low + 1, last)
    return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
  }

  /// Returns normal scores of the ranks of all draws together; ties share their mean rank.
  private static func rankNormalized(_ chains: [[Double]]) -> [[Double]] {
    let all = chains.flatMap { $0 }
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

  /// Returns the plain R-hat of chains.
  private static func rHat(_ chains: [[Double]]) -> Double {
    guard let n = chains.first?.count, n >= 2, chains.count >= 2 else { return .nan }
    let means = chains.map { $0.reduce(0, +) / Double(n) }
    let grand = means.reduce(0, +) / Double(means.count)
    let between =
      Double(n) * means.reduce(0) { $0 + ($1 - grand) * ($1 - grand) } / Double(means.count - 1)
    let within =
      zip(chains, means).reduce(0) { total, part in
        total + part.0.reduce(0) { $0 + ($1 - part.1) * ($1 - part.1) } / Double(n - 1)
      } / Double(chains.count)
    return ((between / within + Double(n) - 1) / Double(n)).squareRoot()
  }

  /// Returns the effective sample size of chains by Geyer's initial monotone sequence.
  private static func ess(_ chains: [[Double]]) -> Double {
    guard let n = chains.first?.count, n >= 4 else { return .nan }
    let m = Double(chains.count)
    let total = m * Double(n)
    let centered = chains.map { chain -> [Double] in
      let mean = chain.reduce(0, +) / Double(n)
      return chain.map { $0 - mean }
    }
    /// Returns the autocovariance at a lag, divisor n, averaged over chains.
    func covariance(_ lag: Int) -> Double {
      centered.reduce(0) { sum, x in
        var part = 0.0
        for k in 0..<(n - lag) { part += x[k] * x[k + lag] }
        return sum + part / Double(n)
      } / m
    }
    let within = covariance(0) * Double(n) / Double(n - 1)
    var pooled = within * Double(n - 1) / Double(n)
    if chains.count > 1 {
      let means = chains.map { $0.reduce(0, +) / Double(n) }
      let grand = means.reduce(0, +) / m
      pooled += means.reduce(0) { $0 + ($1 - grand) * ($1 - grand) } / (m - 1)
    }
    guard pooled > 0 else { return total }
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
    if even > 0 && last + 1 >= 0 { correlations[last + 1] = even }
    t = 1
    while t <= last - 2 {
      let before = correlations[t - 1] + correlations[t]
      if correlations[t + 1] + correlations[t + 2] > before {
        correlations[t + 1] = before / 2
        correlations[t + 2] = before / 2
      }
      t += 2
    }
    var tau = -1.0
    if last >= 0 { tau += 2 * correlations[0...last].reduce(0, +) }
    if last + 1 >= 0 { tau += correlations[last + 1] }
    tau = max(tau, 1 / (logarithm(total) / logarithm(10)))
    return total / tau
  }
}
