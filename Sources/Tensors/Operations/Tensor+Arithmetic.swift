// SPDX-License-Identifier: MIT
//
// The operators: Tensor with Tensor, Tensor with Double, and no more, so that expressions type-check at once.

import Numerics

extension Tensor {
  /// Returns the elementwise sum.
  public static func + (x: Tensor, y: Tensor) -> Tensor { binary(.add, x, y) }
  /// Returns the sum with a number.
  public static func + (x: Tensor, y: Double) -> Tensor { binary(.add, x, Tensor(y)) }
  /// Returns the sum with a number.
  public static func + (x: Double, y: Tensor) -> Tensor { binary(.add, Tensor(x), y) }

  /// Returns the elementwise difference.
  public static func - (x: Tensor, y: Tensor) -> Tensor { binary(.subtract, x, y) }
  /// Returns the difference with a number.
  public static func - (x: Tensor, y: Double) -> Tensor { binary(.subtract, x, Tensor(y)) }
  /// Returns the difference with a number.
  public static func - (x: Double, y: Tensor) -> Tensor { binary(.subtract, Tensor(x), y) }

  /// Returns the elementwise product.
  public static func * (x: Tensor, y: Tensor) -> Tensor { binary(.multiply, x, y) }
  /// Returns the product with a number.
  public static func * (x: Tensor, y: Double) -> Tensor { binary(.multiply, x, Tensor(y)) }
  /// Returns the product with a number.
  public static func * (x: Double, y: Tensor) -> Tensor { binary(.multiply, Tensor(x), y) }

  /// Returns the elementwise quotient.
  public static func / (x: Tensor, y: Tensor) -> Tensor { binary(.divide, x, y) }
  /// Returns the quotient with a number.
  public static func / (x: Tensor, y: Double) -> Tensor { binary(.divide, x, Tensor(y)) }
  /// Returns the quotient with a number.
  public static func / (x: Double, y: Tensor) -> Tensor { binary(.divide, Tensor(x), y) }

  /// Returns the negative.
  public static prefix func - (x: Tensor) -> Tensor { unary(.negate, x) }

  /// Adds in place.
  public static func += (x: inout Tensor, y: Tensor) { x = x + y }
  /// Adds a number in place.
  public static func += (x: inout Tensor, y: Double) { x = x + y }
  /// Subtracts in place.
  public static func -= (x: inout Tensor, y: Tensor) { x = x - y }
  /// Subtracts a number in place.
  public static func -= (x: inout Tensor, y: Double) { x = x - y }
  /// Multiplies in place.
  public static func *= (x: inout Tensor, y: Tensor) { x = x * y }
  /// Multiplies by a number in place.
  public static func *= (x: inout Tensor, y: Double) { x = x * y }
  /// Divides in place.
  public static func /= (x: inout Tensor, y: Tensor) { x = x / y }
  /// Divides by a number in place.
  public static func /= (x: inout Tensor, y: Double) { x = x / y }

  /// Returns 1 where `self < other`, else 0; no derivative.
  public func isLess(than other: some TensorConvertible) -> Tensor {
    Tensor.binary(.less, self, other.tensor)
  }

  /// Returns 1 where `self ≤ other`, else 0; no derivative.
  public func isLessOrEqual(to other: some TensorConvertible) -> Tensor {
    Tensor.binary(.lessOrEqual, self, other.tensor)
  }

  /// Returns 1 where `self > other`, else 0; no derivative.
  public func isGreater(than other: some TensorConvertible) -> Tensor {
    Tensor.binary(.less, other.tensor, self)
  }

  /// Returns 1 where `self ≥ other`, else 0; no derivative.
  public func isGreaterOrEqual(to other: some TensorConvertible) -> Tensor {
    Tensor.binary(.lessOrEqual, other.tensor, self)
  }

  /// Returns 1 where `self = other`, else 0; no derivative.
  public func isEqual(to other: some TensorConvertible) -> Tensor {
    Tensor.binary(.equal, self, other.tensor)
  }
}

/// Returns `x` where `condition` is not zero, `y` elsewhere; the three broadcast.
///
/// Only the chosen branch receives a derivative, but both are computed: make the other one feasible (no log of a
/// negative number), or its NaN spreads through the chain rule.
public func select(_ condition: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
  guard let shape = broadcastShape([condition.shape, x.shape, y.shape]) else {
    stop(
      "select: expected shapes that broadcast, got \(condition.shape), \(x.shape), \(y.shape)")
  }
  let operands = [condition.spread(to: shape), x.spread(to: shape), y.spread(to: shape)]
  var i = Instruction(operation: .select)
  i.n = Int32(shape.elementCount)
  for (k, operand) in operands.enumerated() where operand.count == shape.elementCount {
    i.strides |= 1 << UInt8(k)
  }
  return Application(instruction: i, operands: operands, shape: shape)()
}
