// SPDX-License-Identifier: MIT
//
// The forward pass: a switch over instructions, each a loop over its elements.

import Numerics

/// The passes over a list of instructions, written once for `Double` and `Dual`.
enum Interpreter<T: TapeScalar> {
  /// Below this many elements a call of a vector kernel costs more than it saves.
  @inline(__always) static var vectorThreshold: Int { 4 }

  /// Computes the results of all instructions in order.
  static func forward(_ instructions: UnsafeBufferPointer<Instruction>, _ memory: Memory<T>) {
    guard let first = instructions.baseAddress else { return }
    for index in 0..<instructions.count { step(first + index, memory) }
  }

  /// Computes the result of one instruction.
  @inline(__always)
  static func step(_ instruction: UnsafePointer<Instruction>, _ memory: Memory<T>) {
    // Read where it is used: a copy of all fields before the switch would go by way of the stack.
    var i: Instruction { @inline(__always) get { instruction.pointee } }
    let v = memory.values
    let out = v + Int(i.out)
    let a = UnsafePointer(v + Int(i.a))
    let n = Int(i.n)
    if i.n >= T.vectorLength && T.vectorForward(instruction, memory) { return }
    switch i.operation {
    case .add: binary(i, v) { $0 + $1 }
    case .subtract: binary(i, v) { $0 - $1 }
    case .multiply: binary(i, v) { $0 * $1 }
    case .divide: binary(i, v) { $0 / $1 }
    case .power: binary(i, v) { powerValue($0, $1) }
    case .maximum: binary(i, v) { $0.primal >= $1.primal || $0.primal.isNaN ? $0 : $1 }
    case .minimum: binary(i, v) { $0.primal <= $1.primal || $0.primal.isNaN ? $0 : $1 }
    case .atan2: binary(i, v) { T.atan2($0, $1) }
    case .logAddExp: logAddExp(i, v)
    case .less: binary(i, v) { T($0.primal < $1.primal ? 1 : 0) }
    case .lessOrEqual: binary(i, v) { T($0.primal <= $1.primal ? 1 : 0) }
    case .equal: binary(i, v) { T($0.primal == $1.primal ? 1 : 0) }
    case .select:
      let (b, c) = (v + Int(i.b), v + Int(i.c))
      let (sa, sb, sc) = (i.stride(0), i.stride(1), i.stride(2))
      for k in 0..<n { out[k] = a[k * sa].primal != 0 ? b[k * sb] : c[k * sc] }
    case .negate: for k in 0..<n { out[k] = -a[k] }
    case .square: for k in 0..<n { out[k] = a[k] * a[k] }
    case .reciprocal: for k in 0..<n { out[k] = T(1) / a[k] }
    case .absolute: for k in 0..<n { out[k] = a[k].primal < 0 ? -a[k] : a[k] }
    case .sign: for k in 0..<n { out[k] = T(signValue(a[k].primal)) }
    case .floor: for k in 0..<n { out[k] = T(a[k].primal.rounded(.down)) }
    case .powerConstant: for k in 0..<n { out[k] = T.power(a[k], i.immediate) }
    case .exp, .log, .log1p, .expm1, .sqrt, .sin, .cos, .tan, .atan, .tanh, .sigmoid, .softplus,
      .logGamma, .digamma, .erf, .erfc, .normalCDF, .logNormalCDF, .inverseNormalCDF:
      if n < vectorThreshold {
        for k in 0..<n { out[k] = elementary(i.operation, a[k]) }
      } else {
        T.map(i.operation, a, out, n)
      }
    case .sum, .product, .maximumOf, .minimumOf, .cumulativeSum:
      reduce(i, a, out)
    case .logSumExp: logSumExp(i, a, out, v + Int(i.scratch))
    case .gather:
      let index = Int(i.integers)
      for k in 0..<n { out[k] = a[Int(memory.integers[index + k])] }
    case .gatherRows:
      let rows = v + Int(i.b)
      let inner = Int(i.inner)
      for k in 0..<n {
        let row = a + checkedRow(rows[k].primal, Int(i.outer)) * inner
        for j in 0..<inner { out[k * inner + j] = row[j] }
      }
    case .copy: for k in 0..<n { out[k] = a[k] }
    case .columnsTimesVector:
      T.columnsTimesVector(a, rows: Int(i.outer), count: n, v + Int(i.b), out)
    case .matmul: MatrixRules<T>.multiply(i, v)
    case .triangularSolve: MatrixRules<T>.triangularSolve(i, v)
    case .cholesky: MatrixRules<T>.cholesky(i, v)
    case .logDensity: density(i, v)
    case .normalFixedScale: normalFixedScale(i, v)
    case .multiplyAdd: multiplyAdd(i, v)
    case .total:
      let places = Int(i.integers)
      var total = v[Int(memory.integers[places])]
      for k in 1..<Swift.max(n, 1) { total += v[Int(memory.integers[places + k])] }
      out[0] = total
    case .primitive: T.forward(memory.primitives[Int(i.integers)], memory)
    }
  }

  // MARK: - Elementwise

  /// Applies a function of two operands with strides 0 or 1.
  @inline(__always)
  static func binary(_ i: Instruction, _ v: UnsafeMutablePointer<T>, _ f: (T, T) -> T) {
    let out = v + Int(i.out)
    let a = v + Int(i.a)
    let b = v + Int(i.b)
    let n = Int(i.n)
    switch i.strides & 3 {
    case 3: for k in 0..<n { out[k] = f(a[k], b[k]) }
    case 1:
      let y = b[0]
      for k in 0..<n { out[k] = f(a[k], y) }
    case 2:
      let x = a[0]
      for k in 0..<n { out[k] = f(x, b[k]) }
    default:
      let value = f(a[0], b[0])
      for k in 0..<n { out[k] = value }
    }
  }

  /// Computes a b + c with the signs of the variant.
  @inline(__always)
  static func multiplyAdd(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let (out, a, b, c) = (v + Int(i.out), v + Int(i.a), v + Int(i.b), v + Int(i.c))
    let (sa, sb, sc) = (i.stride(0), i.stride(1), i.stride(2))
    let n = Int(i.n)
    switch i.variant {
    case MultiplyAdd.sum: for k in 0..<n { out[k] = a[k * sa] * b[k * sb] + c[k * sc] }
    case MultiplyAdd.difference: for k in 0..<n { out[k] = a[k * sa] * b[k * sb] - c[k * sc] }
    default: for k in 0..<n { out[k] = c[k * sc] - a[k * sa] * b[k * sb] }
    }
  }

  /// Returns an elementary function of one number.
  @inline(__always)
  static func elementary(_ operation: Operation, _ x: T) -> T {
    switch operation {
    case .exp: T.exp(x)
    case .log: T.log(x)
    case .log1p: T.log1p(x)
    case .expm1: T.expm1(x)
    case .sqrt: T.sqrt(x)
    case .sin: T.sin(x)
    case .cos: T.cos(x)
    case .tan: T.sin(x) / T.cos(x)
    case .atan: T.atan(x)
    case .tanh: T.tanh(x)
    case .sigmoid: T.sigmoid(x)
    case .softplus: T.softplus(x)
    case .logGamma: T.logGamma(x)
    case .digamma: T.digamma(x)
    case .erf: T.erf(x)
    case .erfc: T.erfc(x)
    case .normalCDF: T(0.5) * T.erfc(T(-0.7071067811865476) * x)
    case .logNormalCDF: T.logNormalCDF(x)
    case .inverseNormalCDF: T.inverseNormalCDF(x)
    default: stop("\(operation) is not an elementary function")
    }
  }

  /// Returns −1, 0 or 1; NaN for NaN.
  @inline(__always)
  static func signValue(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }

  /// Returns `x` to the power `y`; whole powers of negative numbers are real, as in C.
  @inline(__always)
  static func powerValue(_ x: T, _ y: T) -> T {
    if x.primal > 0 { return T.power(x, y) }
    return T.power(x, y.primal)
  }

  /// Computes log(eˣ + eʸ) = max + log(1 + e^−|x − y|), exact where one of them is −∞.
  ///
  /// The scratch area keeps the share of x, eˣ / (eˣ + eʸ), for the reverse pass.
  @inline(__always)
  static func logAddExp(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let (a, b, out) = (v + Int(i.a), v + Int(i.b), v + Int(i.out))
    let (sa, sb) = (i.stride(0), i.stride(1))
    let n = Int(i.n)
    if i.active != 0 {
      let share = v + Int(i.scratch)
      for k in 0..<n { share[k] = a[k * sa] - b[k * sb] }
      apply(.sigmoid, share, n)
    }
    for k in 0..<n {
      let difference = a[k * sa] - b[k * sb]
      // At a tie x is the larger one, here and below.
      out[k] = difference.primal >= 0 ? -difference : difference
    }
    apply(.softplus, out, n)
    for k in 0..<n {
      let (x, y) = (a[k * sa], b[k * sb])
      let high = x.primal >= y.primal || x.primal.isNaN ? x : y
      out[k] = high.primal.isFinite ? high + out[k] : high
    }
  }

  /// Applies an elementary function in place.
  @inline(__always)
  static func apply(_ operation: Operation, _ x: UnsafeMutablePointer<T>, _ n: Int) {
    if n < vectorThreshold {
      for k in 0..<n { x[k] = elementary(operation, x[k]) }
    } else {
      T.map(operation, x, x, n)
    }
  }

  /// Returns a row number read from the tape, inside the array.
  @inline(__always)
  static func checkedRow(_ value: Double, _ rows: Int) -> Int {
    demand(
      value >= 0 && value < Double(rows), "take: expected an index in 0..<\(rows), got \(value)")
    return Int(value)
  }

  // MARK: - Reductions

  /// Reduces [outer, n, inner] along its middle axis.
  static func reduce(_ i: Instruction, _ a: UnsafePointer<T>, _ out: UnsafeMutablePointer<T>) {
    let (outer, n, inner) = (Int(i.outer), Int(i.n), Int(i.inner))
    for o in 0..<outer {
      for j in 0..<inner {
        let x = a + o * n * inner + j
        let r = o * inner + j
        switch i.operation {
        case .sum:
          var total = T(0)
          if inner == 1 {
            for k in 0..<n { total += x[k] }
          } else {
            for k in 0..<n { total += x[k * inner] }
          }
          out[r] = total
        case .product:
          var total = T(1)
          for k in 0..<n { total = total * x[k * inner] }
          out[r] = total
        case .maximumOf: out[r] = x[extreme(x, n, inner, sign: 1) * inner]
        case .minimumOf: out[r] = x[extreme(x, n, inner, sign: -1) * inner]
        default:
          var total = T(0)
          let y = out + o * n * inner + j
          for k in 0..<n {
            total += x[k * inner]
            y[k * inner] = total
          }
        }
      }
    }
  }

  /// Computes log Σ eˣ of [outer, n, inner] along its middle axis, −∞ where all are.
  ///
  /// The scratch area, as large as the operand, keeps the shares eˣ / Σ eˣ for the reverse pass.
  static func logSumExp(
    _ i: Instruction, _ a: UnsafePointer<T>, _ out: UnsafeMutablePointer<T>,
    _ share: UnsafeMutablePointer<T>
  ) {
    let (outer, n, inner) = (Int(i.outer), Int(i.n), Int(i.inner))
    for o in 0..<outer {
      for j in 0..<inner {
        let start = o * n * inner + j
        let top = a[start + extreme(a + start, n, inner, sign: 1) * inner].primal
        out[o * inner + j] = T(top)
        // −∞ − (−∞) would be NaN, and no element has a share there.
        let shift = top == -.infinity ? T(0) : T(top)
        for k in 0..<n { share[start + k * inner] = a[start + k * inner] - shift }
      }
    }
    apply(.exp, share, outer * n * inner)
    for o in 0..<outer {
      for j in 0..<inner {
        let start = o * n * inner + j
        let top = out[o * inner + j]
        guard top.primal > -.infinity else { continue }
        var total = T(0)
        for k in 0..<n { total += share[start + k * inner] }
        if top.primal < .infinity { out[o * inner + j] = top + T.log(total) }
        let inverse = T(1) / total
        for k in 0..<n { share[start + k * inner] = share[start + k * inner] * inverse }
      }
    }
  }

  /// Returns the place of the first largest (`sign` 1) or smallest (−1) element; of a NaN where there is one.
  static func extreme(_ x: UnsafePointer<T>, _ n: Int, _ stride: Int, sign: Double) -> Int {
    var best = 0
    for k in 1..<Swift.max(n, 1) {
      let value = x[k * stride].primal
      if value.isNaN { return k }
      if value * sign > x[best * stride].primal * sign { best = k }
    }
    return best
  }
}
