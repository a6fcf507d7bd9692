// SPDX-License-Identifier: MIT
//
// One step of a tape: an operation, where its operands and its result lie, and its extents.

/// The operations the tape has built in.
enum Operation: UInt8, Sendable, CaseIterable {
  // One operand, element by element.
  case negate, exp, log, log1p, expm1, sqrt, square, reciprocal, absolute, sign, floor
  case sin, cos, tan, atan, tanh, sigmoid, softplus, logGamma, digamma
  case erf, erfc, normalCDF, logNormalCDF, inverseNormalCDF
  /// `x` to the power `immediate`.
  case powerConstant
  // Two operands, element by element, each with stride 0 or 1.
  case add, subtract, multiply, divide, power, maximum, minimum, atan2, logAddExp
  case less, lessOrEqual, equal
  /// `a ≠ 0 ? b : c`.
  case select
  // Reductions of an array [outer, n, inner] along its middle axis.
  case sum, product, maximumOf, minimumOf, logSumExp, cumulativeSum
  // Movement.
  /// out[i] = a[integers[i]].
  case gather
  /// out[i, j] = a[b[i], j]: rows picked by values of the tape.
  case gatherRows
  /// A part of a concatenation.
  case copy
  // Linear algebra.
  /// A constant matrix times a vector, the matrix given by its columns: n = columns, outer = rows.
  case columnsTimesVector
  case matmul, triangularSolve, cholesky
  // Fused.
  /// A log density and its partial derivatives in one pass.
  case logDensity
  /// Normal log density, summed, with constant scale: `b` = location, `c` = 1/scale, `immediate` = the constant.
  case normalFixedScale
  /// a b + c with signs by the variant (``MultiplyAdd``), each operand with stride 0 or 1; of frozen tapes only.
  case multiplyAdd
  /// The sum of the numbers at n places, integers[0..<n]; of frozen tapes only.
  case total
  /// A `Primitive`.
  case primitive
}

/// One step of a tape; offsets are in elements of the value slab.
struct Instruction: Sendable {
  /// The operation.
  var operation: Operation

  /// Bit k: operand k is active (depends on an input).
  var active: UInt8 = 0

  /// Bit k: operand k has one element for each element of the result; else one element for all.
  var strides: UInt8 = 0

  /// A variant of the operation: kind of density, transposition flags.
  var variant: UInt8 = 0

  /// The number of elements, or the length of the reduced axis.
  var n: Int32 = 0

  /// Where the result begins.
  var out: Int32 = 0

  /// Where the operands begin.
  var a: Int32 = 0
  var b: Int32 = 0
  var c: Int32 = 0
  var d: Int32 = 0

  /// Further extents: outer and inner counts of a reduction, sides of a matrix.
  var outer: Int32 = 1
  var inner: Int32 = 1

  /// Where the instruction's integers begin, or the index of its primitive.
  var integers: Int32 = 0

  /// Where the partial derivatives of a fused density begin.
  var scratch: Int32 = 0

  /// A constant of the operation.
  var immediate: Double = 0

  /// Whether operand k is active.
  @inline(__always)
  func isActive(_ operand: Int) -> Bool { active & (1 << UInt8(operand)) != 0 }

  /// The stride of operand k: 1, or 0 for one element that serves all.
  @inline(__always)
  func stride(_ operand: Int) -> Int { Int((strides >> UInt8(operand)) & 1) }
}
