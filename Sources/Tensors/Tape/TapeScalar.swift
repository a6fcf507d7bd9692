// SPDX-License-Identifier: MIT
//
// The number that flows through a tape: a Double, or a Double with a tangent.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A number on which every rule of the tape is written once.
///
/// With `Double` a forward and a reverse pass give value and gradient; with `Dual` the same two passes give, besides,
/// the derivative along a direction and the product of the Hessian with it.
protocol TapeScalar: Sendable {
  /// Creates a number with no tangent.
  init(_ value: Double)

  /// The value without its tangent.
  var primal: Double { get }

  static prefix func - (x: Self) -> Self
  static func + (x: Self, y: Self) -> Self
  static func - (x: Self, y: Self) -> Self
  static func * (x: Self, y: Self) -> Self
  static func / (x: Self, y: Self) -> Self

  static func exp(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func sqrt(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func atan2(_ y: Self, _ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func logGamma(_ x: Self) -> Self
  static func digamma(_ x: Self) -> Self
  static func trigamma(_ x: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func erfc(_ x: Self) -> Self
  static func logNormalCDF(_ x: Self) -> Self
  /// φ(x) / Φ(x), the derivative of `logNormalCDF`.
  static func logNormalCDFSlope(_ x: Self) -> Self
  static func inverseNormalCDF(_ x: Self) -> Self
  static func logBesselI0(_ x: Self) -> Self
  static func besselRatio(_ x: Self) -> Self

  /// Returns `x` to a constant power.
  static func power(_ x: Self, _ exponent: Double) -> Self

  /// Applies an elementwise operation to an array; the hook for vector kernels.
  static func map(
    _ operation: Operation, _ x: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ n: Int)

  /// Adds op(x)[m, k] · op(y)[k, n] to `out`, row-major; the hook for BLAS.
  static func addProduct(
    _ x: UnsafePointer<Self>, _ transposeX: Bool, _ y: UnsafePointer<Self>, _ transposeY: Bool,
    _ out: UnsafeMutablePointer<Self>, _ m: Int, _ k: Int, _ n: Int)

  /// Solves a lower-triangular system, or its transpose, in place; the hook for BLAS.
  static func solveLower(
    _ l: UnsafePointer<Self>, _ transposed: Bool, _ x: UnsafeMutablePointer<Self>, _ m: Int,
    _ columns: Int)

  /// Replaces a lower triangle by its Cholesky factor; false where it is not positive definite; the hook for LAPACK.
  static func factor(_ l: UnsafeMutablePointer<Self>, _ n: Int) -> Bool

  /// Adds the adjoint of a matrix to `ga`, given that of its Cholesky factor in the lower triangle of `w`, which is destroyed.
  static func pullFactor(
    _ l: UnsafePointer<Self>, _ w: UnsafeMutablePointer<Self>, _ ga: UnsafeMutablePointer<Self>,
    _ n: Int)

  /// Computes a fused density by vector kernels; false where there are none for it, or they do not apply.
  static func vectorDensity(
    _ kind: DensityKind, _ i: Instruction, _ v: UnsafeMutablePointer<Self>
  ) -> Bool

  /// The number of elements from which on ``vectorForward(_:_:)`` and ``vectorReverse(_:_:)`` are asked.
  static var vectorLength: Int32 { get }

  /// Computes the result of an instruction of many elements by vector kernels; false where there is none for it.
  static func vectorForward(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<Self>)
    -> Bool

  /// Adds an instruction's contributions to the adjoints by vector kernels; false where there is none for it.
  static func vectorReverse(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<Self>)
    -> Bool

  /// Sets the product of a matrix, given by its columns, with a vector.
  static func columnsTimesVector(
    _ columns: UnsafePointer<Self>, rows: Int, count: Int, _ x: UnsafePointer<Self>,
    _ out: UnsafeMutablePointer<Self>)

  /// Adds the scalar products of the columns of a matrix with a vector.
  static func columnsDotVector(
    _ columns: UnsafePointer<Self>, rows: Int, count: Int, _ y: UnsafePointer<Self>,
    _ out: UnsafeMutablePointer<Self>)

  /// Runs the forward rule of a primitive.
  static func forward(_ slot: PrimitiveSlot, _ memory: Memory<Self>)

  /// Runs the reverse rule of a primitive, with a choice of what it contributes to second derivatives.
  static func pullback(_ slot: PrimitiveSlot, _ memory: Memory<Self>, _ curvature: Curvature)
}

extension TapeScalar {
  static func solveLower(
    _ l: UnsafePointer<Self>, _ transposed: Bool, _ x: UnsafeMutablePointer<Self>, _ m: Int,
    _ columns: Int
  ) {
    MatrixRules<Self>.solve(l, transposed: transposed, x, m, columns)
  }

  static func factor(_ l: UnsafeMutablePointer<Self>, _ n: Int) -> Bool {
    MatrixRules<Self>.factor(l, n)
  }

  static func pullFactor(
    _ l: UnsafePointer<Self>, _ w: UnsafeMutablePointer<Self>, _ ga: UnsafeMutablePointer<Self>,
    _ n: Int
  ) {
    MatrixRules<Self>.pullFactor(l, w, ga, n)
  }

  /// Adds to a number in place.
  @inline(__always)
  static func += (x: inout Self, y: Self) { x = x + y }

  /// Returns the logistic function, without overflow.
  @inline(__always)
  static func sigmoid(_ x: Self) -> Self {
    if x.primal >= 0 { return Self(1) / (Self(1) + exp(-x)) }
    let e = exp(x)
    return e / (Self(1) + e)
  }

  /// Returns log(1 + eˣ), without overflow.
  @inline(__always)
  static func softplus(_ x: Self) -> Self {
    x.primal > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
  }

  /// Returns `x` to the power `y`, with the limits of the derivative at x = 0 left to the reverse rule.
  @inline(__always)
  static func power(_ x: Self, _ y: Self) -> Self { exp(y * log(x)) }
}

// MARK: - Double

extension Double: TapeScalar {
  @inline(__always) var primal: Double { self }
  @inline(__always) static func exp(_ x: Double) -> Double { Tensors.libmExp(x) }
  @inline(__always) static func log(_ x: Double) -> Double { Tensors.libmLog(x) }
  @inline(__always) static func log1p(_ x: Double) -> Double { Tensors.libmLog1p(x) }
  @inline(__always) static func expm1(_ x: Double) -> Double { Tensors.libmExpm1(x) }
  @inline(__always) static func sqrt(_ x: Double) -> Double { x.squareRoot() }
  @inline(__always) static func sin(_ x: Double) -> Double { Tensors.libmSin(x) }
  @inline(__always) static func cos(_ x: Double) -> Double { Tensors.libmCos(x) }
  @inline(__always) static func atan(_ x: Double) -> Double { Tensors.libmAtan(x) }
  @inline(__always) static func atan2(_ y: Double, _ x: Double) -> Double {
    Tensors.libmAtan2(y, x)
  }
  @inline(__always) static func tanh(_ x: Double) -> Double { Tensors.libmTanh(x) }
  static func logGamma(_ x: Double) -> Double { Numerics.logGamma(x) }
  static func digamma(_ x: Double) -> Double { Numerics.digamma(x) }
  static func trigamma(_ x: Double) -> Double { Numerics.trigamma(x) }
  static func erf(_ x: Double) -> Double { Tensors.libmErf(x) }
  static func erfc(_ x: Double) -> Double { Tensors.libmErfc(x) }
  static func logNormalCDF(_ x: Double) -> Double { Numerics.normalLogCDF(x) }
  static func logNormalCDFSlope(_ x: Double) -> Double { Numerics.normalLogCDFDerivative(x) }
  static func inverseNormalCDF(_ x: Double) -> Double { Numerics.normalQuantile(x) }
  static func logBesselI0(_ x: Double) -> Double { Numerics.logBesselI0(x) }
  static func besselRatio(_ x: Double) -> Double { Numerics.besselRatio(x) }
  @inline(__always) static func power(_ x: Double, _ exponent: Double) -> Double {
    Tensors.libmPow(x, exponent)
  }
}

// The C library's functions, under names that the methods above do not hide.
@inline(__always) func libmExp(_ x: Double) -> Double { exp(x) }
@inline(__always) func libmLog(_ x: Double) -> Double { log(x) }
@inline(__always) func libmLog1p(_ x: Double) -> Double { log1p(x) }
@inline(__always) func libmExpm1(_ x: Double) -> Double { expm1(x) }
@inline(__always) func libmSin(_ x: Double) -> Double { sin(x) }
@inline(__always) func libmCos(_ x: Double) -> Double { cos(x) }
@inline(__always) func libmAtan(_ x: Double) -> Double { atan(x) }
@inline(__always) func libmAtan2(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
@inline(__always) func libmTanh(_ x: Double) -> Double { tanh(x) }
@inline(__always) func libmErf(_ x: Double) -> Double { erf(x) }
@inline(__always) func libmErfc(_ x: Double) -> Double { erfc(x) }
@inline(__always) func libmPow(_ x: Double, _ y: Double) -> Double { pow(x, y) }

// MARK: - Dual

/// A number with its derivative along one direction.
struct Dual: TapeScalar {
  /// The value.
  var value: Double

  /// The derivative of the value along the direction.
  var tangent: Double

  /// Creates a number with a tangent.
  @inline(__always)
  init(_ value: Double, _ tangent: Double) {
    self.value = value
    self.tangent = tangent
  }

  @inline(__always)
  init(_ value: Double) { self.init(value, 0) }

  @inline(__always) var primal: Double { value }

  @inline(__always) static prefix func - (x: Dual) -> Dual { Dual(-x.value, -x.tangent) }
  @inline(__always) static func + (x: Dual, y: Dual) -> Dual {
    Dual(x.value + y.value, x.tangent + y.tangent)
  }
  @inline(__always) static func - (x: Dual, y: Dual) -> Dual {
    Dual(x.value - y.value, x.tangent - y.tangent)
  }
  @inline(__always) static func * (x: Dual, y: Dual) -> Dual {
    Dual(x.value * y.value, x.tangent * y.value + x.value * y.tangent)
  }
  @inline(__always) static func / (x: Dual, y: Dual) -> Dual {
    let q = x.value / y.value
    return Dual(q, (x.tangent - q * y.tangent) / y.value)
  }

  /// Returns a function's value with the chain rule applied; a zero tangent stays zero at a pole.
  @inline(__always)
  private static func chain(_ x: Dual, _ value: Double, _ derivative: @autoclosure () -> Double)
    -> Dual
  {
    Dual(value, x.tangent == 0 ? 0 : derivative() * x.tangent)
  }

  static func exp(_ x: Dual) -> Dual {
    let e = Double.exp(x.value)
    return chain(x, e, e)
  }
  static func log(_ x: Dual) -> Dual { chain(x, Double.log(x.value), 1 / x.value) }
  static func log1p(_ x: Dual) -> Dual { chain(x, Double.log1p(x.value), 1 / (1 + x.value)) }
  static func expm1(_ x: Dual) -> Dual { chain(x, Double.expm1(x.value), Double.exp(x.value)) }
  static func sqrt(_ x: Dual) -> Dual {
    let s = x.value.squareRoot()
    return chain(x, s, 0.5 / s)
  }
  static func sin(_ x: Dual) -> Dual { chain(x, Double.sin(x.value), Double.cos(x.value)) }
  static func cos(_ x: Dual) -> Dual { chain(x, Double.cos(x.value), -Double.sin(x.value)) }
  static func atan(_ x: Dual) -> Dual {
    chain(x, Double.atan(x.value), 1 / (1 + x.value * x.value))
  }
  static func atan2(_ y: Dual, _ x: Dual) -> Dual {
    let r2 = x.value * x.value + y.value * y.value
    return Dual(
      Double.atan2(y.value, x.value), (x.value * y.tangent - y.value * x.tangent) / r2)
  }
  static func tanh(_ x: Dual) -> Dual {
    let t = Double.tanh(x.value)
    return chain(x, t, 1 - t * t)
  }
  static func logGamma(_ x: Dual) -> Dual {
    chain(x, Double.logGamma(x.value), Double.digamma(x.value))
  }
  static func digamma(_ x: Dual) -> Dual {
    chain(x, Double.digamma(x.value), Double.trigamma(x.value))
  }
  static func trigamma(_ x: Dual) -> Dual {
    chain(x, Double.trigamma(x.value), Numerics.tetragamma(x.value))
  }
  static func erf(_ x: Dual) -> Dual {
    chain(x, Double.erf(x.value), twoOverRootPi * Double.exp(-x.value * x.value))
  }
  static func erfc(_ x: Dual) -> Dual {
    chain(x, Double.erfc(x.value), -twoOverRootPi * Double.exp(-x.value * x.value))
  }
  static func logNormalCDF(_ x: Dual) -> Dual {
    chain(x, Double.logNormalCDF(x.value), Double.logNormalCDFSlope(x.value))
  }
  static func logNormalCDFSlope(_ x: Dual) -> Dual {
    let slope = Double.logNormalCDFSlope(x.value)
    // x + φ/Φ cancels far in the lower tail, where it is −1/x + 2/x³.
    let rest = x.value < -1e3 ? (2 / (x.value * x.value) - 1) / x.value : x.value + slope
    return chain(x, slope, -slope * rest)
  }
  static func inverseNormalCDF(_ x: Dual) -> Dual {
    let z = Double.inverseNormalCDF(x.value)
    return chain(x, z, Double.exp(0.5 * z * z + halfLogTwoPi))
  }
  static func logBesselI0(_ x: Dual) -> Dual {
    chain(x, Double.logBesselI0(x.value), Double.besselRatio(x.value))
  }
  static func besselRatio(_ x: Dual) -> Dual {
    let a = Double.besselRatio(x.value)
    // A' = 1 − A/x − A², ½ at zero.
    return chain(x, a, x.value == 0 ? 0.5 : 1 - a / x.value - a * a)
  }
  static func power(_ x: Dual, _ exponent: Double) -> Dual {
    chain(x, Double.power(x.value, exponent), exponent * Double.power(x.value, exponent - 1))
  }
}

/// 2 / √π, the slope of erf at zero.
let twoOverRootPi = 1.1283791670955126

/// ½ log 2π, the constant of the normal density.
let halfLogTwoPi = 0.9189385332046727
