// SPDX-License-Identifier: MIT
//
// Where the values of a distribution or a parameter lie.

public import Tensors

/// A set of allowed values; bounds may depend on other variables of a model.
public enum Constraint: Sendable {
  /// Any number.
  case real
  /// Numbers above zero.
  case positive
  /// Numbers between zero and one.
  case unitInterval
  /// Numbers above a bound.
  case greaterThan(Tensor)
  /// Numbers below a bound.
  case lessThan(Tensor)
  /// Numbers between two bounds.
  case interval(Tensor, Tensor)
  /// Angles in [low, low + period), the ends joined.
  case circular(low: Double, period: Double)
  /// Vectors of positive numbers that add up to one.
  case simplex
  /// Vectors of rising numbers.
  case ordered
  /// Vectors of rising positive numbers.
  case positiveOrdered
  /// Lower triangular matrices with a positive diagonal: Cholesky factors of covariances.
  case lowerCholesky
  /// Those with rows of length one: Cholesky factors of correlations.
  case correlationCholesky
  /// Zero and one.
  case boolean
  /// Whole numbers from zero.
  case nonNegativeInteger
  /// Whole numbers between two bounds, both included.
  case integerInterval(Int, Int)

  /// Whether values are whole numbers.
  public var isDiscrete: Bool {
    switch self {
    case .boolean, .nonNegativeInteger, .integerInterval: true
    default: false
    }
  }

  /// The number of trailing axes that one value occupies.
  public var eventRank: Int {
    switch self {
    case .simplex, .ordered, .positiveOrdered: 1
    case .lowerCholesky, .correlationCholesky: 2
    default: 0
    }
  }

  /// Numbers above a bound, which may be a number, an array, or another variable.
  public static func above(_ low: some TensorConvertible) -> Constraint {
    .greaterThan(low.tensor)
  }

  /// Numbers below a bound, which may be a number, an array, or another variable.
  public static func below(_ high: some TensorConvertible) -> Constraint {
    .lessThan(high.tensor)
  }

  /// Numbers between two bounds, which may be numbers, arrays, or other variables.
  public static func between(
    _ low: some TensorConvertible, _ high: some TensorConvertible
  ) -> Constraint {
    .interval(low.tensor, high.tensor)
  }

  /// The shape of the bounds; a scalar's where there are none.
  var boundShape: Shape {
    switch self {
    case .greaterThan(let bound), .lessThan(let bound): bound.shape
    case .interval(let low, let high): parameterShape("interval", [low, high])
    default: []
    }
  }

  /// The name as it is written, with short bounds.
  package var name: String {
    switch self {
    case .greaterThan(let low): ".above(\(text(low)))"
    case .lessThan(let high): ".below(\(text(high)))"
    case .interval(let low, let high): ".between(\(text(low)), \(text(high)))"
    default: ".\(self)"
    }
  }

  /// Returns 1 where all elements of an event of given rank are allowed, else 0.
  func containsEvents(_ x: Tensor, rank: Int) -> Tensor {
    (eventRank..<max(rank, eventRank)).reduce(contains(x)) { inside, _ in inside.min(axis: -1) }
  }

  /// Returns 1 where values are allowed, else 0; one element for each event.
  public func contains(_ x: Tensor) -> Tensor {
    switch self {
    case .real: return x.isEqual(to: x)
    case .positive: return x.isGreaterOrEqual(to: 0)
    case .unitInterval: return x.isGreaterOrEqual(to: 0) * x.isLessOrEqual(to: 1)
    case .greaterThan(let low): return x.isGreaterOrEqual(to: low)
    case .lessThan(let high): return x.isLessOrEqual(to: high)
    case .interval(let low, let high):
      return x.isGreaterOrEqual(to: low) * x.isLessOrEqual(to: high)
    case .circular: return x.isEqual(to: x)
    case .simplex:
      // A sum of positive numbers is good to some n ε.
      return x.isGreaterOrEqual(to: 0).min(axis: -1)
        * abs(x.sum(axis: -1) - 1).isLess(than: 1e-10)
    case .ordered, .positiveOrdered:
      let n = x.shape[x.rank - 1]
      guard n > 1 else { return x.isEqual(to: x).min(axis: -1) }
      let steps = x.sliced(1..<n, axis: -1) - x.sliced(0..<(n - 1), axis: -1)
      let rising = steps.isGreater(than: 0).min(axis: -1)
      guard case .positiveOrdered = self else { return rising }
      return rising * x.isGreater(than: 0).min(axis: -1)
    case .lowerCholesky, .correlationCholesky:
      let triangular = x.isEqual(to: x.lowerTriangle()).min(axis: -1).min(axis: -1)
      let positive = triangular * x.diagonal().isGreater(than: 0).min(axis: -1)
      guard case .correlationCholesky = self else { return positive }
      // A sum of squares is good to some n ε.
      let lengths = abs(square(x).sum(axis: -1) - 1).isLess(than: 1e-10)
      return positive * lengths.min(axis: -1)
    case .boolean: return maximum(x.isEqual(to: 0), x.isEqual(to: 1))
    case .nonNegativeInteger: return x.isGreaterOrEqual(to: 0) * x.isEqual(to: floor(x))
    case .integerInterval(let low, let high):
      return x.isGreaterOrEqual(to: low) * x.isLessOrEqual(to: high) * x.isEqual(to: floor(x))
    }
  }

  /// Returns a value well inside, of a given shape.
  public func feasibleValue(shape: Shape) -> Tensor {
    switch self {
    case .real: return .zeros(shape)
    case .positive: return .ones(shape)
    case .unitInterval: return Tensor(repeating: 0.5, shape: shape)
    case .greaterThan(let low): return (low + 1).broadcast(to: shape)
    case .lessThan(let high): return (high - 1).broadcast(to: shape)
    case .interval(let low, let high): return ((low + high) / 2).broadcast(to: shape)
    case .circular(let low, let period): return Tensor(repeating: low + period / 2, shape: shape)
    case .simplex: return Tensor(repeating: 1 / Double(shape.last ?? 1), shape: shape)
    case .ordered, .positiveOrdered:
      return (Tensor.arange(shape.last ?? 1) + 1).broadcast(to: shape)
    case .lowerCholesky, .correlationCholesky:
      return Tensor.identity(shape.last ?? 1).broadcast(to: shape)
    case .boolean, .nonNegativeInteger: return .zeros(shape)
    case .integerInterval(let low, _): return Tensor(repeating: Double(low), shape: shape)
    }
  }
}
