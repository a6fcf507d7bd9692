// SPDX-License-Identifier: MIT
//
// What differs between the two numbers of the tape: vector kernels, BLAS, and how primitives are called.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What primitives contribute to second derivatives.
public enum Curvature: Sendable {
  /// Their own second-order rule, or central differences of their pullback.
  case full
  /// The second-order rule of those that have a positive stand-in (likelihoods), nothing from the others (rendering).
  case lossOnly
  /// The positive stand-in of those that have one, nothing from the others: semi-definite, for Gauss–Newton steps.
  case gaussNewton
}

extension Double {
  static func map(
    _ operation: Operation, _ x: UnsafePointer<Double>, _ out: UnsafeMutablePointer<Double>,
    _ n: Int
  ) {
    switch operation {
    case .exp: VectorMath.exp(x, into: out, count: n)
    case .log: VectorMath.log(x, into: out, count: n)
    case .log1p: VectorMath.log1p(x, into: out, count: n)
    case .expm1: VectorMath.expm1(x, into: out, count: n)
    case .sqrt: VectorMath.sqrt(x, into: out, count: n)
    case .sin: VectorMath.sin(x, into: out, count: n)
    case .cos: VectorMath.cos(x, into: out, count: n)
    case .tanh: VectorMath.tanh(x, into: out, count: n)
    case .sigmoid: VectorMath.sigmoid(x, into: out, count: n)
    case .softplus: VectorMath.softplus(x, into: out, count: n)
    default: for k in 0..<n { out[k] = Interpreter<Double>.elementary(operation, x[k]) }
    }
  }

  static func addProduct(
    _ x: UnsafePointer<Double>, _ transposeX: Bool, _ y: UnsafePointer<Double>,
    _ transposeY: Bool, _ out: UnsafeMutablePointer<Double>, _ m: Int, _ k: Int, _ n: Int
  ) {
    // Below some 500 multiplications a call of BLAS costs more than the loops.
    if m * n * k < 512 {
      MatrixRules<Double>.addProduct(x, transposeX, y, transposeY, out, m, k, n)
    } else if n == 1 {
      LinearAlgebra.gemv(
        transpose: transposeX, rows: transposeX ? k : m, columns: transposeX ? m : k, x, y,
        beta: 1, into: out)
    } else if m == 1 {
      LinearAlgebra.gemv(
        transpose: !transposeY, rows: transposeY ? n : k, columns: transposeY ? k : n, y, x,
        beta: 1, into: out)
    } else {
      LinearAlgebra.gemm(
        transposeA: transposeX, transposeB: transposeY, m: m, n: n, k: k, x, y, beta: 1, into: out)
    }
  }

  /// The side of a matrix from which on BLAS and LAPACK are faster than plain loops.
  private static let largeMatrix = 24

  static func solveLower(
    _ l: UnsafePointer<Double>, _ transposed: Bool, _ x: UnsafeMutablePointer<Double>, _ m: Int,
    _ columns: Int
  ) {
    if m < largeMatrix {
      MatrixRules<Double>.solve(l, transposed: transposed, x, m, columns)
    } else {
      LinearAlgebra.solveTriangular(transpose: transposed, rows: m, columns: columns, l, into: x)
    }
  }

  static func factor(_ l: UnsafeMutablePointer<Double>, _ n: Int) -> Bool {
    guard n >= largeMatrix else { return MatrixRules<Double>.factor(l, n) }
    // LAPACK lets NaN pass.
    return LinearAlgebra.cholesky(l, n: n) && (0..<n).allSatisfy { l[$0 * (n + 1)] > 0 }
  }

  static func pullFactor(
    _ l: UnsafePointer<Double>, _ w: UnsafeMutablePointer<Double>,
    _ ga: UnsafeMutablePointer<Double>, _ n: Int
  ) {
    guard n >= largeMatrix else { return MatrixRules<Double>.pullFactor(l, w, ga, n) }
    // S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹ with Φ the lower triangle, its diagonal halved (Murray 2016, eq. 8); the lower triangle alone
    // was read, so an element off the diagonal receives both of S's.
    LinearAlgebra.multiplyTriangular(transpose: true, rows: n, columns: n, l, into: w)
    for r in 0..<n {
      w[r * n + r] *= 0.5
      for c in (r + 1)..<Swift.max(n, r + 1) { w[r * n + c] = 0 }
    }
    LinearAlgebra.solveTriangular(transpose: true, rows: n, columns: n, l, into: w)
    LinearAlgebra.solveTriangular(fromRight: true, rows: n, columns: n, l, into: w)
    for r in 0..<n {
      for c in 0..<r { ga[r * n + c] += w[r * n + c] + w[c * n + r] }
      ga[r * n + r] += w[r * n + r]
    }
  }

  @inline(__always)
  static func forward(_ slot: PrimitiveSlot, _ memory: Memory<Double>) {
    slot.isLoaded = false
    slot.instance.forward(
      slot.inputs(in: memory.values),
      into: UnsafeMutableBufferPointer(
        start: memory.values + slot.call.out, count: slot.call.count))
  }

  @inline(__always)
  static func pullback(_ slot: PrimitiveSlot, _ memory: Memory<Double>, _ curvature: Curvature) {
    let (out, count) = (slot.call.out, slot.call.count)
    slot.instance.pullback(
      slot.inputs(in: memory.values),
      output: UnsafeBufferPointer(start: memory.values + out, count: count),
      adjoint: UnsafeBufferPointer(start: memory.adjoints + out, count: count),
      into: slot.adjoints(in: memory.adjoints))
  }
}

extension Dual {
  static func map(
    _ operation: Operation, _ x: UnsafePointer<Dual>, _ out: UnsafeMutablePointer<Dual>, _ n: Int
  ) {
    for k in 0..<n { out[k] = Interpreter<Dual>.elementary(operation, x[k]) }
  }

  static func addProduct(
    _ x: UnsafePointer<Dual>, _ transposeX: Bool, _ y: UnsafePointer<Dual>, _ transposeY: Bool,
    _ out: UnsafeMutablePointer<Dual>, _ m: Int, _ k: Int, _ n: Int
  ) {
    MatrixRules<Dual>.addProduct(x, transposeX, y, transposeY, out, m, k, n)
  }

  /// Runs a primitive on values and tangents: its Jacobian or tangent rule, or else central differences of `forward`.
  static func forward(_ slot: PrimitiveSlot, _ memory: Memory<Dual>) {
    if let pair = slot.pair, pair.forward(slot, memory) { return }
    let (call, duals) = (slot.call, slot.duals)
    let moved = slot.load(memory.values)
    if moved {
      slot.instance.forward(slot.inputs(at: duals.inputs), into: duals.output)
      duals.prepareJacobian(slot)
    }
    if !slot.hasTangent {
      duals.outputTangent.update(repeating: 0)
    } else if let jacobian = duals.jacobian {
      jacobian.apply(duals.tangents[0], into: duals.outputTangent)
    } else {
      let inputs = slot.inputs(at: duals.inputs)
      let tangents = slot.tangents(at: duals.tangents)
      if !slot.instance.tangent(
        inputs, tangents: tangents, output: UnsafeBufferPointer(duals.output),
        into: duals.outputTangent)
      {
        slot.differenceTangent()
      }
    }
    let out = memory.values + call.out
    for k in 0..<call.count { out[k] = Dual(duals.output[k], duals.outputTangent[k]) }
  }

  /// Pulls an adjoint and its tangent back: exact in the adjoint's tangent; in the inputs' tangents by the rule that
  /// `curvature` asks for.
  static func pullback(_ slot: PrimitiveSlot, _ memory: Memory<Dual>, _ curvature: Curvature) {
    if let pair = slot.pair {
      pair.pullback(slot, memory)
      return
    }
    let (call, duals) = (slot.call, slot.duals)
    let adjoint = memory.adjoints + call.out
    var adjointMoves = false
    for k in 0..<call.count {
      duals.adjoint[k] = adjoint[k].value
      duals.adjointTangent[k] = adjoint[k].tangent
      adjointMoves = adjointMoves || adjoint[k].tangent != 0
    }
    slot.pull(duals.adjoint)
    slot.add(duals.gradients, to: memory.adjoints) { Dual($0, 0) }
    if adjointMoves {
      slot.pull(duals.adjointTangent)
      slot.add(duals.gradients, to: memory.adjoints) { Dual(0, $0) }
    }
    guard slot.hasTangent else { return }

    slot.clear(duals.gradients)
    let inputs = slot.inputs(at: duals.inputs)
    let tangents = slot.tangents(at: duals.tangents)
    let output = UnsafeBufferPointer(duals.output)
    let fixed = UnsafeBufferPointer(duals.adjoint)
    let sink = slot.adjoints(at: duals.gradients)
    let isThere =
      switch curvature {
      case .gaussNewton:
        slot.instance.gaussNewtonTangent(
          inputs, tangents: tangents, output: output, adjoint: fixed, into: sink)
      case .lossOnly, .full:
        slot.instance.pullbackTangent(
          inputs, tangents: tangents, output: output, adjoint: fixed, into: sink)
      }
    if !isThere {
      guard case .full = curvature else { return }
      slot.differencePullback()
    }
    slot.add(duals.gradients, to: memory.adjoints) { Dual(0, $0) }
  }
}

extension PrimitiveSlot {
  /// Copies values and tangents of the inputs out of a dual slab; returns whether the values differ from the last ones.
  func load(_ slab: UnsafeMutablePointer<Dual>) -> Bool {
    var moved = !isLoaded
    for (input, offset) in call.offsets.enumerated() {
      let source = slab + offset
      let (values, tangents) = (duals.inputs[input], duals.tangents[input])
      for k in 0..<counts[input] {
        if values[k] != source[k].value {
          moved = true
          values[k] = source[k].value
        }
        tangents[k] = source[k].tangent
      }
    }
    isLoaded = true
    return moved
  }

  /// Sets `gradients` to the product of an output adjoint with the derivative, by the Jacobian where it is at hand.
  func pull(_ adjoint: UnsafeMutableBufferPointer<Double>) {
    clear(duals.gradients)
    if let jacobian = duals.jacobian {
      jacobian.applyTransposed(adjoint, into: duals.gradients[0])
      return
    }
    instance.pullback(
      inputs(at: duals.inputs), output: UnsafeBufferPointer(duals.output),
      adjoint: UnsafeBufferPointer(adjoint), into: adjoints(at: duals.gradients))
  }

  /// Sets the output's tangent by central differences of `forward`.
  func differenceTangent() {
    let step = shift(by: 1)
    instance.forward(inputs(at: duals.shifted), into: duals.outputTangent)
    shift(by: -1)
    instance.forward(inputs(at: duals.shifted), into: duals.other)
    for k in 0..<call.count {
      duals.outputTangent[k] = (duals.outputTangent[k] - duals.other[k]) / (2 * step)
    }
    // Leave the instance at the point itself, as `pullback` expects.
    instance.forward(inputs(at: duals.inputs), into: duals.other)
  }

  /// Sets `gradients` to the change of the pullback of the present adjoint, by central differences.
  func differencePullback() {
    clear(duals.gradients)
    clear(duals.changes)
    let step = shift(by: 1)
    pullbackAtShifted(into: duals.gradients)
    shift(by: -1)
    pullbackAtShifted(into: duals.changes)
    for (input, gradient) in duals.gradients.enumerated() {
      for k in 0..<counts[input] {
        gradient[k] = (gradient[k] - duals.changes[input][k]) / (2 * step)
      }
    }
    instance.forward(inputs(at: duals.inputs), into: duals.other)
  }

  /// Whether any input moves along the direction.
  var hasTangent: Bool {
    for (input, tangent) in duals.tangents.enumerated() {
      for k in 0..<counts[input] where tangent[k] != 0 { return true }
    }
    return false
  }

  /// Sets `shifted` to inputs + sign · step · tangents and returns the step.
  ///
  /// The step is ε^(1/3) of the largest |input| / |tangent| scale of the moving inputs: the error of the central
  /// difference is then of order ε^(2/3) of the function's own scale.
  @discardableResult
  func shift(by sign: Double) -> Double {
    var ratio = Double.infinity
    for (input, tangent) in duals.tangents.enumerated() {
      for k in 0..<counts[input] where tangent[k] != 0 {
        let scale = Swift.max(abs(duals.inputs[input][k]), 1e-3)
        ratio = Swift.min(ratio, scale / abs(tangent[k]))
      }
    }
    let step = 6.055454452393343e-06 * (ratio.isFinite ? ratio : 1)
    for (input, tangent) in duals.tangents.enumerated() {
      for k in 0..<counts[input] {
        duals.shifted[input][k] = duals.inputs[input][k] + sign * step * tangent[k]
      }
    }
    return step
  }

  /// Runs forward and pullback at the shifted inputs.
  func pullbackAtShifted(into gradients: [UnsafeMutablePointer<Double>]) {
    instance.forward(inputs(at: duals.shifted), into: duals.other)
    instance.pullback(
      inputs(at: duals.shifted), output: UnsafeBufferPointer(duals.other),
      adjoint: UnsafeBufferPointer(duals.adjoint), into: adjoints(at: gradients))
  }

  /// Sets arrays with one entry per input to zero.
  func clear(_ arrays: [UnsafeMutablePointer<Double>]) {
    for (input, array) in arrays.enumerated() { array.update(repeating: 0, count: counts[input]) }
  }

  /// Adds plain arrays to the adjoints of the active inputs.
  func add(
    _ arrays: [UnsafeMutablePointer<Double>], to slab: UnsafeMutablePointer<Dual>,
    _ number: (Double) -> Dual
  ) {
    for (input, array) in arrays.enumerated() where call.active[input] {
      let target = slab + call.offsets[input]
      for k in 0..<counts[input] { target[k] += number(array[k]) }
    }
  }
}
