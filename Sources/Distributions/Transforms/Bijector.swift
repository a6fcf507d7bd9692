// SPDX-License-Identifier: MIT
//
// Maps between unconstrained coordinates and constrained values.

public import Tensors

/// A smooth map from unconstrained coordinates onto a constrained set, with its inverse and its Jacobian.
public protocol Bijector: Sendable {
  /// The number of trailing axes of the value that one map occupies.
  var eventRank: Int { get }

  /// Returns the shape of the coordinates of a value of given shape.
  func unconstrainedShape(_ shape: Shape) -> Shape

  /// Returns the value at given coordinates.
  func forward(_ u: Tensor) -> Tensor

  /// Returns the coordinates of a value.
  func inverse(_ x: Tensor) -> Tensor

  /// Returns log |det dx/du|, one element for each event; for redundant coordinates with their auxiliary density.
  ///
  /// - Parameters:
  ///   - u: The coordinates.
  ///   - x: The value at them.
  /// - Returns: What is added to the value's log density to give that of the coordinates.
  func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor
}

extension Bijector {
  public var eventRank: Int { 0 }
  public func unconstrainedShape(_ shape: Shape) -> Shape { shape }
}

/// Returns the map onto a constrained set, onto a circle from a wide ring for an angle that may lie anywhere.
package func bijector(to constraint: Constraint, isBroad: Bool) -> (any Bijector)? {
  guard isBroad, case .circular(let low, let period) = constraint else {
    return bijector(to: constraint)
  }
  return CircularBijector(
    low: low, period: period, radialScale: CircularBijector.broadRadialScale)
}

/// Returns the map onto a constrained set.
///
/// - Parameter constraint: The set; whole numbers have no such map.
/// - Returns: The map, or nil for whole numbers.
public func bijector(to constraint: Constraint) -> (any Bijector)? {
  switch constraint {
  case .real: IdentityBijector()
  case .positive: ExpBijector()
  case .unitInterval: IntervalBijector(low: Tensor(0), high: Tensor(1))
  case .greaterThan(let low): ComposedBijector(ExpBijector(), AffineBijector(low, Tensor(1)))
  case .lessThan(let high): ComposedBijector(ExpBijector(), AffineBijector(high, Tensor(-1)))
  case .interval(let low, let high): IntervalBijector(low: low, high: high)
  case .circular(let low, let period): CircularBijector(low: low, period: period)
  case .simplex: SimplexBijector()
  case .ordered: OrderedBijector()
  case .positiveOrdered: ComposedBijector(OrderedBijector(), ExpBijector())
  case .lowerCholesky: LowerCholeskyBijector()
  case .correlationCholesky: CorrelationCholeskyBijector()
  case .boolean, .nonNegativeInteger, .integerInterval: nil
  }
}

/// x = u.
public struct IdentityBijector: Bijector {
  /// Creates the map.
  public init() {}
  public func forward(_ u: Tensor) -> Tensor { u }
  public func inverse(_ x: Tensor) -> Tensor { x }
  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor { .zeros(u.shape) }
}

/// x = eᵘ.
public struct ExpBijector: Bijector {
  /// Creates the map.
  public init() {}
  public func forward(_ u: Tensor) -> Tensor { exp(u) }
  public func inverse(_ x: Tensor) -> Tensor { log(x) }
  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor { u }
}

/// x = loc + scale · u, scale of either sign.
public struct AffineBijector: Bijector {
  /// The value at zero.
  public let loc: Tensor
  /// The slope.
  public let scale: Tensor

  /// Creates the map.
  public init(_ loc: Tensor, _ scale: Tensor) {
    self.loc = loc
    self.scale = scale
  }

  public func forward(_ u: Tensor) -> Tensor { loc + scale * u }
  public func inverse(_ x: Tensor) -> Tensor { (x - loc) / scale }
  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    log(abs(scale)).broadcast(to: x.shape)
  }
}

/// x = low + (high − low) / (1 + e⁻ᵘ).
public struct IntervalBijector: Bijector {
  /// The lower end.
  public let low: Tensor
  /// The upper end.
  public let high: Tensor

  /// Creates the map.
  public init(low: Tensor, high: Tensor) {
    self.low = low
    self.high = high
  }

  public func forward(_ u: Tensor) -> Tensor {
    // Rounding may put the sum one step outside the interval.
    minimum(maximum(low + (high - low) * sigmoid(u), low), high)
  }

  public func inverse(_ x: Tensor) -> Tensor { log((x - low) / (high - x)) }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    log(high - low) - softplus(u) - softplus(-u)
  }
}

/// One map after another: `second` is applied to the result of `first`.
public struct ComposedBijector: Bijector {
  /// The map nearest the coordinates.
  public let first: any Bijector
  /// The map nearest the value.
  public let second: any Bijector

  /// Creates the composition.
  public init(_ first: any Bijector, _ second: any Bijector) {
    self.first = first
    self.second = second
  }

  public var eventRank: Int { max(first.eventRank, second.eventRank) }
  public func unconstrainedShape(_ shape: Shape) -> Shape {
    first.unconstrainedShape(second.unconstrainedShape(shape))
  }
  public func forward(_ u: Tensor) -> Tensor { second.forward(first.forward(u)) }
  public func inverse(_ x: Tensor) -> Tensor { first.inverse(second.inverse(x)) }
  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    let middle = first.forward(u)
    return summed(first.logAbsDetJacobian(u, middle), first.eventRank)
      + summed(second.logAbsDetJacobian(middle, x), second.eventRank)
  }

  /// Sums the axes of a log determinant that belong to one event of the composition.
  private func summed(_ x: Tensor, _ rank: Int) -> Tensor {
    (rank..<max(rank, eventRank)).reduce(x) { total, _ in total.sum(axis: -1) }
  }
}
