// SPDX-License-Identifier: MIT
//
// Distributions made of others: joint events, masks, transforms, a point mass.

public import Numerics
public import Tensors

/// A distribution whose last batch axes are taken as part of the event.
public struct Independent: Distribution {
  /// The distribution of the parts.
  public let base: any Distribution
  /// The number of batch axes that became event axes.
  public let axes: Int

  /// Creates the joint distribution.
  ///
  /// - Precondition: The base has that many batch axes.
  public init(_ base: any Distribution, _ axes: Int) {
    demand(
      axes >= 0 && axes <= base.batchShape.count,
      "toEvent: expected at most \(base.batchShape.count) axes, got \(axes)")
    self.base = base
    self.axes = axes
  }

  public var batchShape: Shape { Array(base.batchShape.dropLast(axes)) }
  public var eventShape: Shape { base.batchShape.suffix(axes) + base.eventShape }
  public var support: Constraint { base.support }
  public var isDiscrete: Bool { base.isDiscrete }
  public var isImproper: Bool { base.isImproper }
  public var mean: Tensor? { base.mean }
  public var variance: Tensor? { base.variance }
  public var feasibleValue: Tensor { base.feasibleValue }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    base.locationScale.map { ($0.location, $0.scale, Independent($0.base, axes)) }
  }

  public var transformed: (base: any Distribution, transform: any Bijector)? {
    base.transformed.map { (Independent($0.base, axes), $0.transform) }
  }

  public func logProbability(of value: Tensor) -> Tensor {
    (0..<axes).reduce(base.logProbability(of: value)) { total, _ in total.sum(axis: -1) }
  }

  public func logProbabilitySum(of value: Tensor) -> Tensor { base.logProbabilitySum(of: value) }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    base.sample(key: key, sampleShape: sampleShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Independent(base.expanded(to: batchShape + base.batchShape.suffix(axes)), axes)
  }

  public var description: String { "\(base).toEvent(\(axes))" }
}

/// A distribution whose densities count only in places.
public struct Masked: Distribution {
  /// The distribution.
  public let base: any Distribution
  /// Where densities count (not zero); broadcasts with the batch shape.
  public let mask: Tensor

  /// Creates the masked distribution.
  public init(_ base: any Distribution, mask: some TensorConvertible) {
    self.base = base
    self.mask = mask.tensor
  }

  public var batchShape: Shape { base.batchShape }
  public var eventShape: Shape { base.eventShape }
  public var support: Constraint { base.support }
  public var isDiscrete: Bool { base.isDiscrete }
  public var isImproper: Bool { base.isImproper }
  public var mean: Tensor? { base.mean }
  public var variance: Tensor? { base.variance }
  public var feasibleValue: Tensor { base.feasibleValue }

  public func logProbability(of value: Tensor) -> Tensor {
    let event = mask.reshaped(mask.shape + [Int](repeating: 1, count: eventShape.count))
    let safe = select(event, value, feasibleValue)
    return select(mask, base.logProbability(of: safe), Tensor(0))
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    base.sample(key: key, sampleShape: sampleShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Masked(base.expanded(to: batchShape), mask: mask)
  }

  public var description: String { "\(base).masked" }
}

/// The distribution of a transformed variable: x = transform(base).
public struct TransformedDistribution: Distribution {
  /// The distribution of the coordinates.
  public let base: any Distribution
  /// The map, with as many coordinates as values.
  public let transform: any Bijector
  /// Where the values lie.
  public let support: Constraint

  /// Creates the transformed distribution; batch axes that the map takes together become event axes.
  ///
  /// - Parameters:
  ///   - base: The distribution of the coordinates.
  ///   - transform: The map from coordinates to values.
  ///   - support: Where the values lie.
  /// - Precondition: The map keeps the number of elements.
  public init(_ base: any Distribution, _ transform: any Bijector, support: Constraint = .real) {
    let missing = transform.eventRank - base.eventShape.count
    let base = missing > 0 ? Independent(base, missing) : base
    let shape = base.batchShape + base.eventShape
    demand(
      transform.unconstrainedShape(shape) == shape,
      "TransformedDistribution: expected a map that keeps the shape, got \(transform)")
    self.base = base
    self.transform = transform
    self.support = support
  }

  public var batchShape: Shape { base.batchShape }
  public var eventShape: Shape { base.eventShape }
  public var isImproper: Bool { base.isImproper }
  public var feasibleValue: Tensor { transform.forward(base.feasibleValue) }

  public func logProbability(of value: Tensor) -> Tensor {
    if case .real = support { return density(of: value) }
    // Outside the support the map has no inverse: take a point inside instead, and its density out again.
    var inside = support.contains(value)
    let rank = eventShape.count
    for _ in support.eventRank..<max(rank, support.eventRank) { inside = inside.min(axis: -1) }
    let wide = inside.reshaped(inside.shape + [Int](repeating: 1, count: rank))
    let safe = select(wide, value, feasibleValue)
    return select(inside, density(of: safe), Tensor(-.infinity))
  }

  /// Returns the log density at a value of the support.
  private func density(of value: Tensor) -> Tensor {
    let u = transform.inverse(value)
    let extra = max(0, eventShape.count - transform.eventRank)
    let logDet = (0..<extra).reduce(transform.logAbsDetJacobian(u, value)) { total, _ in
      total.sum(axis: -1)
    }
    return base.logProbability(of: u) - logDet
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    transform.forward(base.sample(key: key, sampleShape: sampleShape))
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    TransformedDistribution(base.expanded(to: batchShape), transform, support: support)
  }

  public var transformed: (base: any Distribution, transform: any Bijector)? {
    (base, transform)
  }

  public var description: String { "TransformedDistribution(\(base), \(transform))" }
}

/// A point mass: log density 0 at a value, −∞ elsewhere.
public struct Delta: Distribution {
  /// The value.
  public let value: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the point mass.
  public init(_ value: some TensorConvertible) {
    self.value = value.tensor
    batchShape = value.tensor.shape
  }

  /// Creates the point mass with a batch shape.
  private init(_ value: Tensor, _ batchShape: Shape) {
    self.value = value
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { value.broadcast(to: batchShape) }
  public var variance: Tensor? { .zeros(batchShape) }
  public var feasibleValue: Tensor { value.broadcast(to: batchShape) }

  public func logProbability(of x: Tensor) -> Tensor {
    select(x.isEqual(to: value), Tensor(0), Tensor(-.infinity))
      .broadcast(to: broadcastShape([x.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    value.broadcast(to: sampleShape + batchShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution { Delta(value, batchShape) }

  public var description: String { "Delta(\(text(value)))" }
}
