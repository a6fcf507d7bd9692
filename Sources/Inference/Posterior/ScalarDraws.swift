// SPDX-License-Identifier: MIT
//
// The draws of one scalar quantity and their summaries; an angle is summarised on the circle.

/// The draws of one scalar quantity.
public struct ScalarDraws: Sendable {
  /// The name, with an index for an element of an array.
  public let name: String

  /// The number of chains.
  public let chains: Int

  /// The draws, chain after chain.
  public let values: [Double]

  /// The period of an angle; nil for other quantities.
  public let period: Double?

  /// Creates the draws of one quantity.
  public init(name: String, chains: Int = 1, values: [Double], period: Double? = nil) {
    self.name = name
    self.chains = chains
    self.values = values
    self.period = period
  }

  /// The draws on one branch: for an angle, within half a period of the circular mean.
  public var unwrapped: [Double] {
    guard let period else { return values }
    let center = mean
    return values.map { x in
      let d = x - center
      return center + (d - period * ((d / period) + 0.5).rounded(.down))
    }
  }

  /// The mean; for an angle the direction of the mean vector, in [0, period).
  public var mean: Double {
    guard let period else { return ChainStatistics.mean(values) }
    let (c, s) = resultant(period)
    let angle = angleOf(s, c) * period / (2 * .pi)
    let positive = angle < 0 ? angle + period : angle
    // A tiny negative angle rounds to the period itself.
    return positive < period ? positive : 0
  }

  /// The standard deviation (divisor N − 1); for an angle that of the branch around the circular mean.
  public var standardDeviation: Double {
    let x = unwrapped
    return (ChainStatistics.squares(x) / Double(max(1, x.count - 1))).squareRoot()
  }

  /// The length of the mean direction vector of an angle: 1 for a sharp angle, 0 for one that is not determined.
  public var concentration: Double? {
    period.map {
      let (c, s) = resultant($0)
      return (c * c + s * s).squareRoot()
    }
  }

  /// Returns quantiles, linear between order statistics (type 7); an angle's may leave [0, period).
  public func quantiles(_ probabilities: [Double]) -> [Double] {
    let x = unwrapped.sorted()
    return probabilities.map { ChainStatistics.quantile(x, $0) }
  }

  /// Returns the mean of the direction vectors.
  private func resultant(_ period: Double) -> (Double, Double) {
    var (c, s) = (0.0, 0.0)
    for x in values {
      c += cosine(2 * .pi * x / period)
      s += sine(2 * .pi * x / period)
    }
    return (c / Double(values.count), s / Double(values.count))
  }
}
