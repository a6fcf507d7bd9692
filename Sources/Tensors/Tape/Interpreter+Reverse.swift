// SPDX-License-Identifier: MIT
//
// The reverse pass: from the last instruction to the first, each adds to the adjoints of its operands.

extension Interpreter {
  /// Propagates the adjoints of all instructions backwards; adjoints must be zero but for the outputs'.
  static func reverse(
    _ instructions: UnsafeBufferPointer<Instruction>, _ memory: Memory<T>,
    _ curvature: Curvature = .full
  ) {
    guard let first = instructions.baseAddress else { return }
    var index = instructions.count - 1
    while index >= 0 {
      if first[index].active != 0 { reverseStep(first + index, memory, curvature) }
      index -= 1
    }
  }

  /// Adds the contributions of one instruction to the adjoints of its active operands.
  @inline(__always)
  private static func reverseStep(
    _ instruction: UnsafePointer<Instruction>, _ memory: Memory<T>, _ curvature: Curvature
  ) {
    var i: Instruction { @inline(__always) get { instruction.pointee } }
    let v = memory.values
    let n = Int(i.n)
    let g = UnsafePointer(memory.adjoints + Int(i.out))
    let y = UnsafePointer(v + Int(i.out))
    let a = UnsafePointer(v + Int(i.a))
    let b = UnsafePointer(v + Int(i.b))
    let ga = memory.adjoints + Int(i.a)
    let gb = memory.adjoints + Int(i.b)
    if i.n >= T.vectorLength && T.vectorReverse(instruction, memory) { return }
    switch i.operation {
    case .add:
      if i.isActive(0) { accumulate(n, i.stride(0), ga) { g[$0] } }
      if i.isActive(1) { accumulate(n, i.stride(1), gb) { g[$0] } }
    case .subtract:
      if i.isActive(0) { accumulate(n, i.stride(0), ga) { g[$0] } }
      if i.isActive(1) { accumulate(n, i.stride(1), gb) { -g[$0] } }
    case .multiply:
      let (sa, sb) = (i.stride(0), i.stride(1))
      if i.isActive(0) { accumulate(n, sa, ga) { g[$0] * b[$0 * sb] } }
      if i.isActive(1) { accumulate(n, sb, gb) { g[$0] * a[$0 * sa] } }
    case .divide:
      let (sa, sb) = (i.stride(0), i.stride(1))
      if i.isActive(0) { accumulate(n, sa, ga) { g[$0] / b[$0 * sb] } }
      if i.isActive(1) { accumulate(n, sb, gb) { -(g[$0] * y[$0] / b[$0 * sb]) } }
    case .power:
      let (sa, sb) = (i.stride(0), i.stride(1))
      if i.isActive(0) {
        accumulate(n, sa, ga) { g[$0] * powerSlope(a[$0 * sa], b[$0 * sb]) }
      }
      if i.isActive(1) {
        // d/dp xᵖ = xᵖ log x → 0 as x → 0 for p > 0; a negative base has no derivative in p.
        accumulate(n, sb, gb) {
          a[$0 * sa].primal == 0 ? T(0) : g[$0] * y[$0] * T.log(a[$0 * sa])
        }
      }
    case .maximum, .minimum:
      let (sa, sb) = (i.stride(0), i.stride(1))
      let sign = i.operation == .maximum ? 1.0 : -1.0
      // At a tie the gradient is shared, as in JAX.
      let share: (Int) -> Double = { k in
        let (x, z) = (a[k * sa].primal * sign, b[k * sb].primal * sign)
        return x > z || x.isNaN ? 1 : x == z ? 0.5 : 0
      }
      if i.isActive(0) { accumulate(n, sa, ga) { g[$0] * T(share($0)) } }
      if i.isActive(1) { accumulate(n, sb, gb) { g[$0] * T(1 - share($0)) } }
    case .atan2:
      let (sa, sb) = (i.stride(0), i.stride(1))
      if i.isActive(0) {
        accumulate(n, sa, ga) {
          let (s, c) = (a[$0 * sa], b[$0 * sb])
          return g[$0] * c / (s * s + c * c)
        }
      }
      if i.isActive(1) {
        accumulate(n, sb, gb) {
          let (s, c) = (a[$0 * sa], b[$0 * sb])
          return -(g[$0] * s / (s * s + c * c))
        }
      }
    case .logAddExp:
      let share = v + Int(i.scratch)
      // Where both are −∞ neither has a share.
      if i.isActive(0) {
        accumulate(n, i.stride(0), ga) { y[$0].primal == -.infinity ? T(0) : g[$0] * share[$0] }
      }
      if i.isActive(1) {
        accumulate(n, i.stride(1), gb) {
          y[$0].primal == -.infinity ? T(0) : g[$0] * (T(1) - share[$0])
        }
      }
    case .less, .lessOrEqual, .equal, .sign, .floor: break
    case .select:
      let sa = i.stride(0)
      let gc = memory.adjoints + Int(i.c)
      if i.isActive(1) {
        accumulate(n, i.stride(1), gb) { a[$0 * sa].primal != 0 ? g[$0] : T(0) }
      }
      if i.isActive(2) {
        accumulate(n, i.stride(2), gc) { a[$0 * sa].primal != 0 ? T(0) : g[$0] }
      }
    case .negate: for k in 0..<n { ga[k] = ga[k] - g[k] }
    case .square: for k in 0..<n { ga[k] += T(2) * g[k] * a[k] }
    case .reciprocal: for k in 0..<n { ga[k] = ga[k] - g[k] * y[k] * y[k] }
    case .absolute: for k in 0..<n { ga[k] += g[k] * T(signValue(a[k].primal)) }
    case .powerConstant:
      for k in 0..<n { ga[k] += g[k] * powerSlope(a[k], T(i.immediate)) }
    case .exp: for k in 0..<n { ga[k] += g[k] * y[k] }
    case .log: for k in 0..<n { ga[k] += g[k] / a[k] }
    case .log1p: for k in 0..<n { ga[k] += g[k] / (T(1) + a[k]) }
    case .expm1: for k in 0..<n { ga[k] += g[k] * (y[k] + T(1)) }
    case .sqrt: for k in 0..<n { ga[k] += T(0.5) * g[k] / y[k] }
    case .sin: for k in 0..<n { ga[k] += g[k] * T.cos(a[k]) }
    case .cos: for k in 0..<n { ga[k] = ga[k] - g[k] * T.sin(a[k]) }
    case .tan: for k in 0..<n { ga[k] += g[k] * (T(1) + y[k] * y[k]) }
    case .atan: for k in 0..<n { ga[k] += g[k] / (T(1) + a[k] * a[k]) }
    case .tanh: for k in 0..<n { ga[k] += g[k] * (T(1) - y[k] * y[k]) }
    case .sigmoid: for k in 0..<n { ga[k] += g[k] * y[k] * (T(1) - y[k]) }
    case .softplus: for k in 0..<n { ga[k] += g[k] * T.sigmoid(a[k]) }
    case .logGamma: for k in 0..<n { ga[k] += g[k] * T.digamma(a[k]) }
    case .digamma: for k in 0..<n { ga[k] += g[k] * T.trigamma(a[k]) }
    case .erf:
      for k in 0..<n { ga[k] += g[k] * T(twoOverRootPi) * T.exp(-(a[k] * a[k])) }
    case .erfc:
      for k in 0..<n { ga[k] = ga[k] - g[k] * T(twoOverRootPi) * T.exp(-(a[k] * a[k])) }
    case .normalCDF:
      for k in 0..<n { ga[k] += g[k] * T.exp(T(-0.5) * a[k] * a[k] - T(halfLogTwoPi)) }
    case .logNormalCDF:
      for k in 0..<n { ga[k] += g[k] * T.logNormalCDFSlope(a[k]) }
    case .inverseNormalCDF:
      for k in 0..<n { ga[k] += g[k] * T.exp(T(0.5) * y[k] * y[k] + T(halfLogTwoPi)) }
    case .sum, .product, .maximumOf, .minimumOf, .cumulativeSum:
      reverseReduction(i, a, y, g, ga)
    case .logSumExp:
      let inner = Int(i.inner)
      var (share, target, source) = (v + Int(i.scratch), ga, g)
      for _ in 0..<Int(i.outer) {
        for _ in 0..<n {
          for j in 0..<inner { target[j] += source[j] * share[j] }
          share += inner
          target += inner
        }
        source += inner
      }
    case .gather:
      let index = Int(i.integers)
      for k in 0..<n { ga[Int(memory.integers[index + k])] += g[k] }
    case .gatherRows:
      guard i.isActive(0) else { break }
      let inner = Int(i.inner)
      for k in 0..<n {
        let row = ga + checkedRow(b[k].primal, Int(i.outer)) * inner
        for j in 0..<inner { row[j] += g[k * inner + j] }
      }
    case .copy: for k in 0..<n { ga[k] += g[k] }
    case .columnsTimesVector:
      T.columnsDotVector(a, rows: Int(i.outer), count: n, g, gb)
    case .matmul: MatrixRules<T>.reverseMultiply(i, memory)
    case .triangularSolve: MatrixRules<T>.reverseTriangularSolve(i, memory)
    case .cholesky: MatrixRules<T>.reverseCholesky(i, memory)
    case .logDensity: reverseDensity(i, memory)
    case .normalFixedScale: reverseNormalFixedScale(i, memory)
    case .multiplyAdd:
      let (sa, sb) = (i.stride(0), i.stride(1))
      let (sign, other) = MultiplyAdd.signs(i.variant)
      if i.isActive(0) { accumulate(n, sa, ga) { T(sign) * (g[$0] * b[$0 * sb]) } }
      if i.isActive(1) { accumulate(n, sb, gb) { T(sign) * (g[$0] * a[$0 * sa]) } }
      if i.isActive(2) {
        accumulate(n, i.stride(2), memory.adjoints + Int(i.c)) { T(other) * g[$0] }
      }
    case .total:
      let places = Int(i.integers)
      for k in 0..<n { memory.adjoints[Int(memory.integers[places + k])] += g[0] }
    case .primitive:
      T.pullback(memory.primitives[Int(i.integers)], memory, curvature)
    }
  }

  // MARK: - Pieces

  /// Adds one number per element to an adjoint of stride 1, or their sum to one of stride 0.
  @inline(__always)
  private static func accumulate(
    _ n: Int, _ stride: Int, _ adjoint: UnsafeMutablePointer<T>, _ term: (Int) -> T
  ) {
    if stride == 1 {
      for k in 0..<n { adjoint[k] += term(k) }
    } else {
      var total = T(0)
      for k in 0..<n { total += term(k) }
      adjoint[0] += total
    }
  }

  /// Returns d xᵖ / dx = p xᵖ⁻¹, zero for p = 0 also at x = 0.
  @inline(__always)
  private static func powerSlope(_ x: T, _ exponent: T) -> T {
    if exponent.primal == 0 { return x.primal == 0 ? T(0) : exponent / x }
    return exponent * powerValue(x, exponent - T(1))
  }

  /// Adds the adjoints of a reduction's operand.
  private static func reverseReduction(
    _ i: Instruction, _ a: UnsafePointer<T>, _ y: UnsafePointer<T>, _ g: UnsafePointer<T>,
    _ ga: UnsafeMutablePointer<T>
  ) {
    let (outer, n, inner) = (Int(i.outer), Int(i.n), Int(i.inner))
    for o in 0..<outer {
      for j in 0..<inner {
        let start = o * n * inner + j
        let (x, gx) = (a + start, ga + start)
        let r = o * inner + j
        switch i.operation {
        case .sum: for k in 0..<n { gx[k * inner] += g[r] }
        case .product:
          // Products of all others, from the left and from the right: right where elements are zero.
          for k in 0..<n {
            var others = T(1)
            for l in 0..<n where l != k { others = others * x[l * inner] }
            gx[k * inner] += g[r] * others
          }
        case .maximumOf: gx[extreme(x, n, inner, sign: 1) * inner] += g[r]
        case .minimumOf: gx[extreme(x, n, inner, sign: -1) * inner] += g[r]
        default:
          var total = T(0)
          for k in stride(from: n - 1, through: 0, by: -1) {
            total += g[start + k * inner]
            gx[k * inner] += total
          }
        }
      }
    }
  }

  /// Multiplies the kept partial derivatives with the adjoint of a fused density.
  @inline(__always)
  private static func reverseDensity(_ i: Instruction, _ memory: Memory<T>) {
    let n = Int(i.n)
    let summed = i.variant & 1 != 0
    let partials = DensityScratch(i, memory.values)
    let g = memory.adjoints + Int(i.out)
    for operand in 0..<4 where i.isActive(operand) {
      let places = (i.a, i.b, i.c, i.d)
      let place =
        operand == 0
        ? places.0 : operand == 1 ? places.1 : operand == 2 ? places.2 : places.3
      let target = memory.adjoints + Int(place)
      let partial = partials.start(operand)
      switch (summed, i.stride(operand)) {
      case (true, 0): target[0] += g[0] * partial[0]
      case (true, _):
        let scale = g[0]
        for k in 0..<n { target[k] += scale * partial[k] }
      case (false, 0):
        var total = T(0)
        for k in 0..<n { total += g[k] * partial[k] }
        target[0] += total
      case (false, _): for k in 0..<n { target[k] += g[k] * partial[k] }
      }
    }
  }

  /// Adds the adjoints of `normalFixedScale`.
  @inline(__always)
  private static func reverseNormalFixedScale(_ i: Instruction, _ memory: Memory<T>) {
    let v = memory.values
    let (x, loc, inverse) = (v + Int(i.a), v + Int(i.b), v + Int(i.c))
    let (sx, sl, si) = (i.stride(0), i.stride(1), i.stride(2))
    let g = memory.adjoints[Int(i.out)]
    let n = Int(i.n)
    if i.isActive(0) {
      accumulate(n, sx, memory.adjoints + Int(i.a)) { k in
        let w = inverse[k * si]
        return g * (loc[k * sl] - x[k * sx]) * w * w
      }
    }
    if i.isActive(1) {
      accumulate(n, sl, memory.adjoints + Int(i.b)) { k in
        let w = inverse[k * si]
        return g * (x[k * sx] - loc[k * sl]) * w * w
      }
    }
  }
}
