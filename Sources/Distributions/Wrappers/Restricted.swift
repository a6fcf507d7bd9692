// SPDX-License-Identifier: MIT
//
// A density confined to a set, without a new normalisation.

public import Numerics
public import Tensors

/// A distribution confined to a set, its density left as it is.
///
/// This is what Stan means by a constrained declaration with a prior: `ordered[2] mu; mu ~ normal(0, 2)`.
///
/// ```swift
/// m.sample("mu", Normal([0, 0], 2).restricted(to: .ordered))
/// m.sample("sigma", Normal(0, 10).restricted(to: .positive))
/// ```
///
/// The density integrates to the probability of the set, not to one. That makes no difference while the parameters of the
/// distribution and the bounds are constants; where they depend on other variables use ``TruncatedDistribution`` if the
/// normalised density is meant.
public struct Restricted: Distribution {
  /// The distribution.
  public let base: any Distribution
  public let support: Constraint

  /// Creates the restriction; batch axes that the set takes together become event axes.
  public init(_ base: any Distribution, to support: Constraint) {
    let missing = support.eventRank - base.eventShape.count
    demand(
      missing <= base.batchShape.count,
      "restricted: expected a distribution of at least \(support.eventRank) axes for \(support.name), got \(base)"
    )
    demand(
      !base.isDiscrete && !support.isDiscrete,
      "restricted: expected a continuous distribution and a set of real numbers, got \(base), \(support.name)"
    )
    self.base = missing > 0 ? Independent(base, missing) : base
    self.support = support
  }

  public var batchShape: Shape { base.batchShape }
  public var eventShape: Shape { base.eventShape }
  public var isImproper: Bool { base.isImproper }

  public func logProbability(of value: Tensor) -> Tensor {
    let inside = support.containsEvents(value, rank: eventShape.count)
    let density = base.logProbability(of: value)
    return select(inside, density, Tensor(-.infinity))
  }

  /// The number of draws from the base of which the first one inside is taken.
  private static let attempts = 1000

  /// Draws by rejection; where a thousand draws of the base all miss the set, a feasible value stands in for a draw.
  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape + eventShape
    let wide = [Int](repeating: 1, count: eventShape.count)
    var result = base.sample(key: key, sampleShape: sampleShape)
    for attempt in 1...Self.attempts {
      let inside = support.containsEvents(result, rank: eventShape.count)
      if inside.isTrue { return result }
      let other = base.sample(key: key.folding(in: attempt), sampleShape: sampleShape)
      result = select(inside.reshaped(inside.shape + wide), result, other)
    }
    let inside = support.containsEvents(result, rank: eventShape.count)
    return select(
      inside.reshaped(inside.shape + wide), result, support.feasibleValue(shape: shape))
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Restricted(base.expanded(to: batchShape), to: support)
  }

  public var description: String { "\(base).restricted(to: \(support.name))" }
}
