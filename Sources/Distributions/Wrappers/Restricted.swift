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
///
/// Draws of rising vectors (`.ordered`) are exact and cost nothing where the order of its elements does not matter to the
/// distribution; all others are those of the distribution that fall inside.
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
  package static let attempts = 1000

  /// Draws by rejection, after sorting where that is exact; where all attempts miss the set, a feasible value stands in.
  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape + eventShape
    let wide = [Int](repeating: 1, count: eventShape.count)
    let isSorted = isExchangeable
    func draw(_ key: RandomKey) -> Tensor {
      let values = base.sample(key: key, sampleShape: sampleShape)
      return isSorted ? Self.sorted(values) : values
    }
    var result = draw(key)
    for attempt in 1...Self.attempts {
      let inside = support.containsEvents(result, rank: eventShape.count)
      if inside.isTrue { return result }
      let other = draw(key.folding(in: attempt))
      result = select(inside.reshaped(inside.shape + wide), result, other)
    }
    let inside = support.containsEvents(result, rank: eventShape.count)
    return select(
      inside.reshaped(inside.shape + wide), result, support.feasibleValue(shape: shape))
  }

  // MARK: - Rising vectors

  /// The number of draws at which the density is compared with that of the same elements in another order.
  ///
  /// One would not do: a density that is flat in parts may be the same there by chance.
  private static let trials = 100

  /// Whether the set is one of rising vectors, and the order of the elements does not matter to the base.
  ///
  /// Sorting a draw is then the same as rejecting all other orders of it. A swap of the first two elements and a rotation by one
  /// generate all permutations; each row of the last axis is permuted by itself.
  private var isExchangeable: Bool {
    switch support {
    case .ordered, .positiveOrdered: break
    default: return false
    }
    guard let n = eventShape.last, n > 0 else { return false }
    if n == 1 { return true }
    // The key is always the same, so that all draws are made in one way.
    let draws = base.sample(key: RandomKey(0).folding(in: "order"), sampleShape: [Self.trials])
    let density = base.logProbability(of: draws).elements
    let rows = eventShape.elementCount / n
    let orders: [[Int]] = [[1, 0] + Array(2..<n), Array(1..<n) + [0]]
    for row in 0..<rows {
      for order in orders {
        let places = (0..<draws.count).map { place in
          (place / n) % rows == row ? place - place % n + order[place % n] : place
        }
        let moved = draws.flattened().take(places).reshaped(draws.shape)
        let other = base.logProbability(of: moved).elements
        // Sums of the same terms in another order.
        let isSame = zip(density, other).allSatisfy { pair in
          Swift.abs(pair.0 - pair.1) <= 1e-9 * Swift.max(1, Swift.abs(pair.0))
        }
        if !isSame { return false }
      }
    }
    return true
  }

  /// Returns an array with each row of its last axis sorted.
  private static func sorted(_ x: Tensor) -> Tensor {
    let values = x.elements
    let n = x.shape[x.rank - 1]
    let places = (0..<(values.count / n)).flatMap { row in
      ((row * n)..<((row + 1) * n)).sorted { values[$0] < values[$1] }
    }
    return x.flattened().take(places).reshaped(x.shape)
  }

  /// Whether the probability of the set is the same for all parameters: 1 / n! of rising vectors, where order does not matter.
  package var hasFixedMass: Bool {
    if case .ordered = support { isExchangeable } else { false }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Restricted(base.expanded(to: batchShape), to: support)
  }

  public var description: String { "\(base).restricted(to: \(support.name))" }
}

extension Distribution {
  /// The restriction in a joint event, under a mask or a map; nil for other distributions.
  package var restriction: Restricted? {
    switch self {
    case let own as Restricted: own
    case let joint as Independent: joint.base.restriction
    case let masked as Masked: masked.base.restriction
    case let moved as TransformedDistribution: moved.base.restriction
    default: nil
    }
  }

  /// What stands in where a restriction finds no draw, and the number of axes of one draw; nil for other distributions.
  private var standIn: (value: Tensor, rank: Int)? {
    switch self {
    case let own as Restricted: (value: own.feasibleValue, rank: own.eventShape.count)
    case let joint as Independent: joint.base.standIn
    case let masked as Masked: masked.base.standIn
    case let moved as TransformedDistribution:
      moved.base.standIn.map { found in
        (
          value: moved.transform.forward(found.value),
          rank: Swift.max(found.rank, moved.transform.eventRank)
        )
      }
    default: nil
    }
  }

  /// Returns whether a drawn value is, in some event, what stands in where a restriction finds no draw.
  package func holdsStandIn(_ value: Tensor) -> Bool {
    guard let found = standIn else { return false }
    let same = (0..<found.rank).reduce(value.isEqual(to: found.value)) { same, _ in
      same.min(axis: -1)
    }
    return same.elements.contains { $0 != 0 }
  }
}
