// SPDX-License-Identifier: MIT
//
// A flat density over any set, which need not be finite.

public import Numerics
public import Tensors

/// A flat density: log p = 0 on a set, which may be the whole line; "no prior" in a model.
///
/// ```swift
/// let beta = m.sample("beta", ImproperUniform(.real, [4]))
/// let width = m.sample("width", ImproperUniform(.between(0, 1 - alpha)))
/// ```
///
/// It is not a distribution that can be drawn from. Where a starting value is wanted it gives a point that is uniform within ±2
/// in unconstrained coordinates, as Stan's initial values are; prior predictions with it mean nothing.
public struct ImproperUniform: Distribution {
  public let support: Constraint
  public let batchShape: Shape
  public let eventShape: Shape

  /// Creates the density.
  ///
  /// - Parameters:
  ///   - support: Where values are allowed; bounds may depend on other variables.
  ///   - shape: The shape of one variable; by default that of the bounds, or a scalar.
  /// - Precondition: The shape has the axes that the set needs (a simplex needs one, for instance).
  public init(_ support: Constraint, _ shape: Shape? = nil) {
    let shape = shape ?? support.boundShape
    demand(
      shape.count >= support.eventRank,
      "ImproperUniform: expected a shape of at least \(support.eventRank) axes for \(support), got \(shape)"
    )
    demand(
      !support.isDiscrete, "ImproperUniform: expected a set of real numbers, got \(support)")
    self.init(support, [], shape)
  }

  /// Creates the density with a batch shape.
  private init(_ support: Constraint, _ batchShape: Shape, _ eventShape: Shape) {
    self.support = support
    self.batchShape = batchShape
    self.eventShape = eventShape
  }

  public var isImproper: Bool { true }

  public func logProbability(of value: Tensor) -> Tensor {
    let leading = Array(value.shape.dropLast(eventShape.count))
    let shape = broadcastShape([leading, batchShape]) ?? batchShape
    switch support {
    case .real, .circular: return .zeros(shape)
    default:
      let inside = support.containsEvents(value, rank: eventShape.count)
      return select(inside, Tensor(0), Tensor(-.infinity)).broadcast(to: shape)
    }
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape + eventShape
    guard let map = bijector(to: support) else { return support.feasibleValue(shape: shape) }
    let coordinates = map.unconstrainedShape(shape)
    return map.forward(4 * standardUniform(key, coordinates) - 2).broadcast(to: shape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    ImproperUniform(support, batchShape, eventShape)
  }

  public var description: String { "ImproperUniform(\(support.name), \(eventShape))" }
}
