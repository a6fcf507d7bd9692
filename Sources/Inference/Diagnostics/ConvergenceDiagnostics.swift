// SPDX-License-Identifier: MIT
//
// Whether chains agree and how many independent draws theirs are worth: R-hat and effective sample sizes of one quantity.
//
// Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, Bayesian Analysis 16, 667. The numbers are those of ArviZ;
// what angles need is said at `linearForms`.

extension ScalarDraws {
  /// The mean direction length above which an angle is as good as a number on a line: no draw in a thousand of a normal
  /// one that is so wide lies further than a quarter turn from the mean.
  private static let sharp = 0.9

  /// The draws as numbers on a line whose convergence is that of this quantity: all must have converged.
  ///
  /// A number stands for itself. A sharp angle is taken on the branch around its circular mean, where it is a number. For a
  /// wide angle that branch has a cut in the midst of the draws, and chains at opposite angles may have the same mean on it;
  /// so its two components relative to the mean direction are taken, the sine δ' = sin δ, and sin²(δ/2) = (1 − cos δ)/2. Both
  /// are smooth on the circle, their definition turns with the draws, and chains that differ in direction differ in one.
  var linearForms: [[Double]] {
    guard let period else { return [values] }
    let x = unwrapped
    if (concentration ?? 0) > Self.sharp { return [x] }
    let center = mean
    let scale = 2 * Double.pi / period
    let halves = x.map { sine(0.5 * scale * ($0 - center)) }
    return [x.map { sine(scale * ($0 - center)) }, halves.map { $0 * $0 }]
  }

  /// Returns the split chains of numbers that belong to the draws, one to each.
  func split(_ x: [Double]) -> [[Double]] { ChainStatistics.split(x, chains: chains) }

  /// The rank-normalised split R-hat: the larger of that of the draws and that of their distances from the median.
  ///
  /// NaN for fewer than 4 draws of a chain, for draws that are all alike and where one is NaN; infinite where each chain
  /// stands still at another place. One chain is compared with itself, half with half. For a wide angle it is the larger
  /// one of those of its two components.
  public var rHat: Double {
    linearForms.map { ChainStatistics.rankRHat(split($0)) }
      .reduce(.nan) { ChainStatistics.larger($0, $1) }
  }

  /// The effective sample size of the rank-normalised draws: how well the centre of the distribution is known.
  ///
  /// For a wide angle it is the smaller one of those of its two components.
  public var bulkESS: Double {
    linearForms.map { ChainStatistics.ess(ChainStatistics.rankNormalized(split($0))) }
      .reduce(.infinity) { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }
  }

  /// The smaller effective sample size of the 5 % and 95 % quantiles: how well the tails are known.
  public var tailESS: Double {
    let (low, high) = (quantileESS(0.05), quantileESS(0.95))
    return low.isNaN || high.isNaN ? .nan : min(low, high)
  }

  /// The effective sample size of the draws themselves, for the error of their mean; that of the sine about the mean
  /// direction for an angle.
  public var meanESS: Double {
    ChainStatistics.ess(split(period == nil ? values : directionSines))
  }

  /// The effective sample size of the squared distances from the mean, for the error of the standard deviation.
  public var standardDeviationESS: Double { ChainStatistics.ess(split(squaredDistances)) }

  /// The effective sample size of the median.
  public var medianESS: Double { quantileESS(0.5) }

  /// Returns the effective sample size of a quantile: that of the indicator of draws at or below it.
  public func quantileESS(_ probability: Double) -> Double {
    let x = unwrapped
    guard x.allSatisfy({ !$0.isNaN }) else { return .nan }
    let bound = ChainStatistics.quantile(x.sorted(), probability)
    return ChainStatistics.ess(split(x.map { $0 <= bound ? 1 : 0 }))
  }

  /// Returns the effective sample size of the probability between two quantiles, both ends included.
  public func localESS(from low: Double, to high: Double) -> Double {
    let x = unwrapped
    guard x.allSatisfy({ !$0.isNaN }) else { return .nan }
    let sorted = x.sorted()
    let a = ChainStatistics.quantile(sorted, low)
    let b = ChainStatistics.quantile(sorted, high)
    return ChainStatistics.ess(split(x.map { a <= $0 && $0 <= b ? 1 : 0 }))
  }

  /// Returns the autocorrelation of each chain at lags from 0 up.
  ///
  /// - Parameter maximumLag: The largest lag; by default all that there are.
  /// - Returns: One row to a chain.
  public func autocorrelation(maximumLag: Int? = nil) -> [[Double]] {
    let x = unwrapped
    let length = x.count / max(1, chains)
    let lags = min(maximumLag ?? length - 1, length - 1)
    guard lags >= 0 else { return [] }
    return (0..<chains).map { chain in
      let part = Array(x[(chain * length)..<((chain + 1) * length)])
      let center = ChainStatistics.mean(part)
      let centered = part.map { $0 - center }
      let variance = ChainStatistics.autocovariance(centered, lag: 0)
      return (0...lags).map { ChainStatistics.autocovariance(centered, lag: $0) / variance }
    }
  }

  // MARK: - Pieces

  /// The sines of an angle's distances from its mean direction, in phase.
  var directionSines: [Double] {
    guard let period else { return [] }
    let center = mean
    return values.map { sine(2 * Double.pi / period * ($0 - center)) }
  }

  /// The squared distances from the mean of the branch.
  var squaredDistances: [Double] {
    let x = unwrapped
    let center = ChainStatistics.mean(x)
    return x.map { ($0 - center) * ($0 - center) }
  }
}
