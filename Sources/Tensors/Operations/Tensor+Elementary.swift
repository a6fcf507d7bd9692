// SPDX-License-Identifier: MIT
//
// Elementary and special functions of tensors, element by element.

/// Returns eˣ.
public func exp(_ x: Tensor) -> Tensor { .unary(.exp, x) }
/// Returns the natural logarithm; −∞ at 0, NaN below.
public func log(_ x: Tensor) -> Tensor { .unary(.log, x) }
/// Returns log(1 + x), exact for small x.
public func log1p(_ x: Tensor) -> Tensor { .unary(.log1p, x) }
/// Returns eˣ − 1, exact for small x.
public func expm1(_ x: Tensor) -> Tensor { .unary(.expm1, x) }
/// Returns the square root.
public func sqrt(_ x: Tensor) -> Tensor { .unary(.sqrt, x) }
/// Returns x².
public func square(_ x: Tensor) -> Tensor { .unary(.square, x) }
/// Returns 1/x.
public func reciprocal(_ x: Tensor) -> Tensor { .unary(.reciprocal, x) }
/// Returns |x|; the derivative at 0 is taken as 0.
public func abs(_ x: Tensor) -> Tensor { .unary(.absolute, x) }
/// Returns −1, 0 or 1; no derivative.
public func sign(_ x: Tensor) -> Tensor { .unary(.sign, x) }
/// Returns the largest whole number not above x; no derivative.
public func floor(_ x: Tensor) -> Tensor { .unary(.floor, x) }
/// Returns the sine.
public func sin(_ x: Tensor) -> Tensor { .unary(.sin, x) }
/// Returns the cosine.
public func cos(_ x: Tensor) -> Tensor { .unary(.cos, x) }
/// Returns the tangent.
public func tan(_ x: Tensor) -> Tensor { .unary(.tan, x) }
/// Returns the arc tangent, in (−π/2, π/2).
public func atan(_ x: Tensor) -> Tensor { .unary(.atan, x) }
/// Returns the angle of the point (x, y), in (−π, π].
public func atan2(_ y: Tensor, _ x: Tensor) -> Tensor { .binary(.atan2, y, x) }
/// Returns the hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor { .unary(.tanh, x) }
/// Returns 1 / (1 + e⁻ˣ).
public func sigmoid(_ x: Tensor) -> Tensor { .unary(.sigmoid, x) }
/// Returns log(1 + eˣ).
public func softplus(_ x: Tensor) -> Tensor { .unary(.softplus, x) }
/// Returns log(1 / (1 + e⁻ˣ)), exact for large |x|.
public func logSigmoid(_ x: Tensor) -> Tensor { -softplus(-x) }
/// Returns log(x / (1 − x)), the inverse of ``sigmoid(_:)``.
public func logit(_ x: Tensor) -> Tensor { log(x) - log1p(-x) }
/// Returns log(1 − e⁻ˣ) for x > 0.
public func log1mexp(_ x: Tensor) -> Tensor { log(-expm1(-x)) }
/// Returns log |Γ(x)|.
public func logGamma(_ x: Tensor) -> Tensor { .unary(.logGamma, x) }
/// Returns the derivative of log Γ.
public func digamma(_ x: Tensor) -> Tensor { .unary(.digamma, x) }
/// Returns the error function.
public func erf(_ x: Tensor) -> Tensor { .unary(.erf, x) }
/// Returns 1 − erf(x), exact for large x.
public func erfc(_ x: Tensor) -> Tensor { .unary(.erfc, x) }
/// Returns the cumulative distribution of the standard normal.
public func normalCDF(_ x: Tensor) -> Tensor { .unary(.normalCDF, x) }
/// Returns the logarithm of the standard normal's cumulative distribution, exact far into the tail.
public func logNormalCDF(_ x: Tensor) -> Tensor { .unary(.logNormalCDF, x) }
/// Returns the quantile of the standard normal at probability x.
public func inverseNormalCDF(_ x: Tensor) -> Tensor { .unary(.inverseNormalCDF, x) }

/// Returns xᵖ for a constant power; negative x is allowed for whole p.
public func pow(_ x: Tensor, _ exponent: Double) -> Tensor {
  exponent == 2 ? square(x) : .unary(.powerConstant, x, immediate: exponent)
}
/// Returns xʸ; negative x is allowed where y is a whole number.
public func pow(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.power, x, y) }
/// Returns the larger of two elements; at a tie both share the derivative.
public func maximum(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.maximum, x, y) }
/// Returns the larger of an element and a number.
public func maximum(_ x: Tensor, _ y: Double) -> Tensor { maximum(x, Tensor(y)) }
/// Returns the smaller of two elements; at a tie both share the derivative.
public func minimum(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.minimum, x, y) }
/// Returns the smaller of an element and a number.
public func minimum(_ x: Tensor, _ y: Double) -> Tensor { minimum(x, Tensor(y)) }
/// Returns log(eˣ + eʸ).
public func logAddExp(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.logAddExp, x, y) }

extension Tensor {
  /// Returns the elements confined to an interval; no derivative outside it.
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    minimum(maximum(self, range.lowerBound), range.upperBound)
  }
}
