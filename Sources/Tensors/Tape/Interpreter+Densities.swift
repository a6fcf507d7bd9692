// SPDX-License-Identifier: MIT
//
// The forward pass of fused log densities, and the partial derivatives that they keep for the way back.

import Numerics

extension Interpreter {
  /// Computes a fused log density, summed or element by element, and keeps the partial derivatives it will need.
  @inline(__always)
  static func density(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    guard let kind = DensityKind(rawValue: i.variant >> 1) else { return }
    if Int(i.n) >= vectorThreshold, T.vectorDensity(kind, i, v) { return }
    switch kind {
    case .normal:
      if i.stride(2) == 0 { normalOneScale(i, v) } else { densityLoop(.normal, i, v) }
    case .logNormal: densityLoop(.logNormal, i, v)
    case .halfNormal: densityLoop(.halfNormal, i, v)
    case .studentT: densityLoop(.studentT, i, v)
    case .cauchy: densityLoop(.cauchy, i, v)
    case .halfCauchy: densityLoop(.halfCauchy, i, v)
    case .gamma: densityLoop(.gamma, i, v)
    case .inverseGamma: densityLoop(.inverseGamma, i, v)
    case .beta: densityLoop(.beta, i, v)
    case .exponential: densityLoop(.exponential, i, v)
    case .uniform: densityLoop(.uniform, i, v)
    case .laplace: densityLoop(.laplace, i, v)
    case .logistic: densityLoop(.logistic, i, v)
    case .poisson: densityLoop(.poisson, i, v)
    case .bernoulliLogit: densityLoop(.bernoulliLogit, i, v)
    case .poissonLog: densityLoop(.poissonLog, i, v)
    case .binomialLogit: densityLoop(.binomialLogit, i, v)
    default: otherDensity(kind, i, v)
    }
  }

  /// The loop of `density` for the kinds whose own arithmetic outweighs a choice of the kind at each element.
  private static func otherDensity(
    _ kind: DensityKind, _ i: Instruction, _ v: UnsafeMutablePointer<T>
  ) {
    densityLoop(kind, i, v)
  }

  /// The loop of `density` for one kind; inlined, so that the kind is a constant in it.
  ///
  /// Scratch: one partial per element for an operand with stride 1; for one with stride 0, one sum when the density is
  /// summed, else one per element.
  @inline(__always)
  private static func densityLoop(
    _ kind: DensityKind, _ i: Instruction, _ v: UnsafeMutablePointer<T>
  ) {
    let n = Int(i.n)
    let x = v + Int(i.a)
    let p = v + Int(i.b)
    let q = v + Int(i.c)
    let r = v + Int(i.d)
    let (sx, sp, sq, sr) = (i.stride(0), i.stride(1), i.stride(2), i.stride(3))
    let summed = i.variant & 1 != 0
    let partials = DensityScratch(i, v)
    partials.clear(summed: summed)
    var total = T(0)
    for k in 0..<n {
      let term = kind.term(x[k * sx], p[k * sp], q[k * sq], r[k * sr])
      partials.store(0, k, term.dx)
      partials.store(1, k, term.d1)
      partials.store(2, k, term.d2)
      partials.store(3, k, term.d3)
      if summed { total += term.value } else { v[Int(i.out) + k] = term.value }
    }
    if summed { v[Int(i.out)] = total }
  }

  /// The normal density with one scale for all elements, whose reciprocal and logarithm are taken once.
  @inline(__always)
  private static func normalOneScale(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let n = Int(i.n)
    let (x, loc) = (v + Int(i.a), v + Int(i.b))
    let (sx, sl) = (i.stride(0), i.stride(1))
    let out = v + Int(i.out)
    let scale = v[Int(i.c)]
    guard scale.primal > 0 else { return densityLoop(.normal, i, v) }
    let inverse = T(1) / scale
    let constant = -T.log(scale) - T(halfLogTwoPi)
    let partials = DensityScratch(i, v)
    let summed = i.variant & 1 != 0
    partials.clear(summed: summed)
    var squares = T(0)
    for k in 0..<n {
      let z = (x[k * sx] - loc[k * sl]) * inverse
      let slope = -z * inverse
      partials.store(0, k, slope)
      partials.store(1, k, -slope)
      partials.store(2, k, (z * z - T(1)) * inverse)
      if summed { squares += z * z } else { out[k] = T(-0.5) * z * z + constant }
    }
    if summed { out[0] = T(-0.5) * squares + T(Double(n)) * constant }
  }

  /// Computes −½ Σ ((x − loc) / scale)² + constant with given inverse scales.
  @inline(__always)
  static func normalFixedScale(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let x = v + Int(i.a)
    let loc = v + Int(i.b)
    let inverse = v + Int(i.c)
    let (sx, sl, si) = (i.stride(0), i.stride(1), i.stride(2))
    var total = T(0)
    for k in 0..<Int(i.n) {
      let z = (x[k * sx] - loc[k * sl]) * inverse[k * si]
      total += z * z
    }
    v[Int(i.out)] = T(i.immediate) - T(0.5) * total
  }
}

/// The places of a fused density's partial derivatives in the value slab.
struct DensityScratch<T: TapeScalar> {
  private let base: UnsafeMutablePointer<T>
  private let n: Int
  private let active: UInt8
  /// Bits of the operands whose partials are summed into one number.
  private let accumulates: UInt8
  private let starts: (Int, Int, Int, Int)

  /// Creates the views for an instruction.
  @inline(__always)
  init(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    base = v + Int(i.scratch)
    n = Int(i.n)
    active = i.active
    accumulates = i.variant & 1 != 0 ? i.active & ~i.strides : 0
    let first = DensityScratch.width(i, 1)
    let second = first + DensityScratch.width(i, 2)
    starts = (0, first, second, second + DensityScratch.width(i, 4))
  }

  /// Returns the number of partials kept for the operand of a bit.
  @inline(__always)
  private static func width(_ i: Instruction, _ bit: UInt8) -> Int {
    if i.active & bit == 0 { return 0 }
    return i.variant & 1 != 0 && i.strides & bit == 0 ? 1 : Int(i.n)
  }

  /// Returns the number of partials that an instruction keeps.
  static func count(_ i: Instruction) -> Int {
    (0..<4).reduce(0) { total, k in
      guard i.isActive(k) else { return total }
      return total + (i.variant & 1 != 0 && i.stride(k) == 0 ? 1 : Int(i.n))
    }
  }

  /// Where the partials of operand `k` begin.
  @inline(__always)
  func start(_ k: Int) -> UnsafeMutablePointer<T> {
    base + (k == 0 ? starts.0 : k == 1 ? starts.1 : k == 2 ? starts.2 : starts.3)
  }

  /// Sets the sums to zero.
  @inline(__always)
  func clear(summed: Bool) {
    guard accumulates != 0 else { return }
    for k in 0..<4 where accumulates & (1 << UInt8(k)) != 0 { start(k)[0] = T(0) }
  }

  /// Keeps the partial of operand `k` at one element.
  @inline(__always)
  func store(_ k: Int, _ element: Int, _ value: @autoclosure () -> T) {
    let bit: UInt8 = 1 << UInt8(k)
    guard active & bit != 0 else { return }
    if accumulates & bit != 0 { start(k)[0] += value() } else { start(k)[element] = value() }
  }
}
