// SPDX-License-Identifier: MIT
//
// pysersic's prior of Spergel's index: 1/(1 + nu) is uniform.

public import Distributions
public import Numerics
public import Tensors

/// The distribution of nu where nu_star = 1/(1 + nu) is uniform: what pysersic draws.
///
/// log p = −2 log(1 + nu) − log(high − low) for nu between 1/high − 1 and 1/low − 1.
public struct SpergelIndexPrior: Distribution {
  /// The least nu_star.
  public let low: Double
  /// The largest nu_star.
  public let high: Double
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; by default pysersic's bounds, −0.9...4 for nu.
  ///
  /// - Precondition: 0 < low < high.
  public init(low: Double = 0.2, high: Double = 10) {
    demand(
      0 < low && low < high, "SpergelIndexPrior: expected 0 < low < high, got \(low), \(high)")
    self.init(low, high, [])
  }

  /// Creates the distribution with a batch shape.
  private init(_ low: Double, _ high: Double, _ batchShape: Shape) {
    self.low = low
    self.high = high
    self.batchShape = batchShape
  }

  public var support: Constraint { .interval(Tensor(1 / high - 1), Tensor(1 / low - 1)) }

  public func logProbability(of value: Tensor) -> Tensor {
    let inside = support.contains(value)
    let safe = select(inside, value, feasibleValue)
    let density = -2 * log1p(safe) - log(Tensor(high - low))
    return select(inside, density, Tensor(-.infinity)).broadcast(
      to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    1 / Uniform(low, high).expanded(to: batchShape).sample(key: key, sampleShape: sampleShape) - 1
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let star = 1 / (1 + minimum(maximum(value, 1 / high - 1), 1 / low - 1))
    return (high - star) / (high - low)
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    1 / (high - (high - low) * probability) - 1
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    SpergelIndexPrior(low, high, batchShape)
  }

  public var description: String { "SpergelIndexPrior(low: \(low), high: \(high))" }
}
