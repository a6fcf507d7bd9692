// SPDX-License-Identifier: MIT
//
// Steps of the tape over many elements, by the vector kernels: what models with data spend their time in.

import CKernels

extension Dual {
  /// No vector kernel knows dual numbers.
  static var vectorLength: Int32 { .max }

  static func vectorForward(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<Dual>)
    -> Bool
  { false }

  static func vectorReverse(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<Dual>)
    -> Bool
  { false }

  static func columnsTimesVector(
    _ columns: UnsafePointer<Dual>, rows: Int, count: Int, _ x: UnsafePointer<Dual>,
    _ out: UnsafeMutablePointer<Dual>
  ) {
    for r in 0..<rows { out[r] = Dual(0) }
    for c in 0..<count {
      let column = columns + c * rows
      for r in 0..<rows { out[r] += column[r] * x[c] }
    }
  }

  static func columnsDotVector(
    _ columns: UnsafePointer<Dual>, rows: Int, count: Int, _ y: UnsafePointer<Dual>,
    _ out: UnsafeMutablePointer<Dual>
  ) {
    for c in 0..<count {
      let column = columns + c * rows
      var total = Dual(0)
      for r in 0..<rows { total += column[r] * y[r] }
      out[c] += total
    }
  }
}

extension Double {
  /// Below this many elements a call of a kernel costs more than it saves.
  @inline(__always) static var vectorLength: Int32 { 8 }

  static func vectorForward(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<Double>)
    -> Bool
  {
    let i = instruction.pointee
    let v = memory.values
    let (out, n) = (v + Int(i.out), Int(i.n))
    let (a, b, c) = (v + Int(i.a), v + Int(i.b), v + Int(i.c))
    let (sa, sb, sc) = (i.stride(0), i.stride(1), i.stride(2))
    switch i.operation {
    case .add: ss_add(a, sa, b, sb, out, n)
    case .subtract: ss_subtract(a, sa, b, sb, out, n)
    case .multiply: ss_multiply(a, sa, b, sb, out, n)
    case .divide: ss_divide(a, sa, b, sb, out, n)
    case .multiplyAdd:
      let (sign, other) = MultiplyAdd.signs(i.variant)
      ss_multiply_add(a, sa, b, sb, c, sc, sign, other, out, n)
    case .sum:
      guard i.outer == 1, i.inner == 1 else { return false }
      out[0] = ss_sum(a, n)
    case .normalFixedScale:
      out[0] = i.immediate - 0.5 * ss_normal_fixed(a, sa, b, sb, c, sc, n)
    case .logDensity:
      guard i.variant == DensityKind.normal.rawValue << 1 | 1 else { return false }
      return normal(i, v)
    default: return false
    }
    return true
  }

  /// Computes a summed normal density of vectors; false where a scale is not positive, or the operands are of another kind.
  private static func normal(_ i: Instruction, _ v: UnsafeMutablePointer<Double>) -> Bool {
    let n = Int(i.n)
    let (x, loc, scale) = (v + Int(i.a), v + Int(i.b), v + Int(i.c))
    let (sx, sl) = (i.stride(0), i.stride(1))
    let partials = DensityScratch(i, v)
    let (byX, byLoc, byScale) = (partials.start(0), partials.start(1), partials.start(2))
    guard i.stride(2) == 0 else { return normalScales(i, v) }
    let s = scale[0]
    guard s > 0, sx + sl > 0 else { return false }
    let inverse = 1 / s
    // The derivative by the location goes where one number for each element is wanted; that by x is its negative.
    let slopes: UnsafeMutablePointer<Double>? =
      i.isActive(1) && sl == 1 ? byLoc : i.isActive(0) && sx == 1 ? byX : nil
    var sum = 0.0
    let squares = ss_normal_one_scale(x, sx, loc, sl, inverse, slopes, &sum, n)
    if i.isActive(2) { byScale[0] = (squares - Double(n)) * inverse }
    v[Int(i.out)] = -0.5 * squares - Double(n) * (Double.log(s) + halfLogTwoPi)
    if i.isActive(0) && sx == 0 { byX[0] = -sum * inverse }
    if i.isActive(1) && sl == 0 { byLoc[0] = sum * inverse }
    if i.isActive(0) && sx == 1, let slopes {
      if slopes == byX {
        for k in 0..<n { byX[k] = -byX[k] }
      } else {
        for k in 0..<n { byX[k] = -slopes[k] }
      }
    }
    return true
  }

  /// The elements that are worked on at a time where slopes need a buffer: it lies on the stack.
  private static let chunk = 128

  /// Computes a summed normal density with a scale for each element, of data about one location or many.
  private static func normalScales(_ i: Instruction, _ v: UnsafeMutablePointer<Double>) -> Bool {
    let n = Int(i.n)
    let (x, loc, scale) = (v + Int(i.a), v + Int(i.b), v + Int(i.c))
    let (sx, sl) = (i.stride(0), i.stride(1))
    guard i.isActive(2), !i.isActive(0), sx + sl > 0 else { return false }
    for k in 0..<n where !(scale[k] > 0) { return false }
    let partials = DensityScratch(i, v)
    let (byLoc, byScale) = (partials.start(1), partials.start(2))
    var total = -Double(n) * halfLogTwoPi
    if i.isActive(1) && sl == 1 {
      total += ss_normal_scales(x, sx, loc, sl, scale, byLoc, byScale, n)
    } else {
      var slope = 0.0
      withUnsafeTemporaryAllocation(of: Double.self, capacity: chunk) { buffer in
        guard let slopes = buffer.baseAddress else { return }
        for start in stride(from: 0, to: n, by: chunk) {
          let count = Swift.min(chunk, n - start)
          total += ss_normal_scales(
            x + start * sx, sx, loc + start * sl, sl, scale + start, slopes, byScale + start, count)
          slope += ss_sum(slopes, count)
        }
      }
      if i.isActive(1) { byLoc[0] = slope }
    }
    v[Int(i.out)] = total
    return true
  }

  static func vectorReverse(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<Double>)
    -> Bool
  {
    let i = instruction.pointee
    let (v, adjoints) = (memory.values, memory.adjoints)
    let n = Int(i.n)
    let g = UnsafePointer(adjoints + Int(i.out))
    let y = UnsafePointer(v + Int(i.out))
    let (a, b, c) = (v + Int(i.a), v + Int(i.b), v + Int(i.c))
    let (ga, gb) = (adjoints + Int(i.a), adjoints + Int(i.b))
    let (sa, sb, sc) = (i.stride(0), i.stride(1), i.stride(2))
    switch i.operation {
    case .add:
      if i.isActive(0) { accumulate(1, g, to: ga, sa, n) }
      if i.isActive(1) { accumulate(1, g, to: gb, sb, n) }
    case .subtract:
      if i.isActive(0) { accumulate(1, g, to: ga, sa, n) }
      if i.isActive(1) { accumulate(-1, g, to: gb, sb, n) }
    case .multiply:
      if i.isActive(0) { accumulate(1, g, times: b, sb, to: ga, sa, n) }
      if i.isActive(1) { accumulate(1, g, times: a, sa, to: gb, sb, n) }
    case .multiplyAdd:
      let (sign, other) = MultiplyAdd.signs(i.variant)
      if i.isActive(0) { accumulate(sign, g, times: b, sb, to: ga, sa, n) }
      if i.isActive(1) { accumulate(sign, g, times: a, sa, to: gb, sb, n) }
      if i.isActive(2) { accumulate(other, g, to: adjoints + Int(i.c), sc, n) }
    case .sum:
      guard i.outer == 1, i.inner == 1 else { return false }
      ss_shift(g[0], ga, n)
    case .exp: ss_add_product(1, g, y, ga, n)
    case .log: ss_add_quotient(g, a, ga, n)
    case .square: ss_add_product(2, g, a, ga, n)
    case .normalFixedScale:
      if i.isActive(0) { ss_add_normal_fixed(-g[0], a, sa, b, sb, c, sc, ga, sa, n) }
      if i.isActive(1) { ss_add_normal_fixed(g[0], a, sa, b, sb, c, sc, gb, sb, n) }
    case .logDensity:
      let partials = DensityScratch(i, v)
      let summed = i.variant & 1 != 0
      for operand in 0..<4 where i.isActive(operand) {
        let places = (i.a, i.b, i.c, i.d)
        let place =
          operand == 0
          ? places.0 : operand == 1 ? places.1 : operand == 2 ? places.2 : places.3
        let target = adjoints + Int(place)
        let partial = partials.start(operand)
        switch (summed, i.stride(operand)) {
        case (true, 0): target[0] += g[0] * partial[0]
        case (true, _): ss_accumulate(g[0], partial, target, n)
        case (false, 0): target[0] += ss_dot(g, partial, n)
        case (false, _): ss_add_product(1, g, partial, target, n)
        }
      }
    default: return false
    }
    return true
  }

  static func columnsTimesVector(
    _ columns: UnsafePointer<Double>, rows: Int, count: Int, _ x: UnsafePointer<Double>,
    _ out: UnsafeMutablePointer<Double>
  ) { ss_columns_times_vector(columns, rows, count, x, out) }

  static func columnsDotVector(
    _ columns: UnsafePointer<Double>, rows: Int, count: Int, _ y: UnsafePointer<Double>,
    _ out: UnsafeMutablePointer<Double>
  ) { ss_columns_dot_vector(columns, rows, count, y, out) }

  /// Adds factor · g to an adjoint of stride 1, or its sum to one of stride 0.
  @inline(__always)
  private static func accumulate(
    _ factor: Double, _ g: UnsafePointer<Double>, to adjoint: UnsafeMutablePointer<Double>,
    _ stride: Int, _ n: Int
  ) {
    if stride == 1 {
      ss_accumulate(factor, g, adjoint, n)
    } else {
      adjoint[0] += factor * ss_sum(g, n)
    }
  }

  /// Adds factor · g x to an adjoint of stride 1, or its sum to one of stride 0.
  @inline(__always)
  private static func accumulate(
    _ factor: Double, _ g: UnsafePointer<Double>, times x: UnsafePointer<Double>, _ strideX: Int,
    to adjoint: UnsafeMutablePointer<Double>, _ stride: Int, _ n: Int
  ) {
    switch (stride, strideX) {
    case (1, 1): ss_add_product(factor, g, x, adjoint, n)
    case (1, _): ss_accumulate(factor * x[0], g, adjoint, n)
    case (_, 1): adjoint[0] += factor * ss_dot(g, x, n)
    default: adjoint[0] += factor * x[0] * ss_sum(g, n)
    }
  }
}
