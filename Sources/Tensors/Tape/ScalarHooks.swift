// SPDX-License-Identifier: MIT
//
// What differs between the two numbers of the tape: vector kernels, BLAS, and how primitives are called.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Double {
  static func map(
    _ operation: Operation, _ x: UnsafePointer<Double>, _ out: UnsafeMutablePointer<Double>,
    _ n: Int
  ) {
    guard !vectorized(operation, x, out, n) else { return }
    for k in 0..<n { out[k] = Interpreter<Double>.elementary(operation, x[k]) }
  }

  static func addProduct(
    _ x: UnsafePointer<Double>, _ transposeX: Bool, _ y: UnsafePointer<Double>,
    _ transposeY: Bool, _ out: UnsafeMutablePointer<Double>, _ m: Int, _ k: Int, _ n: Int
  ) {
    // Below some 500 multiplications a call of BLAS costs more than the loops.
    if m * n * k < 512 {
      MatrixRules<Double>.addProduct(x, transposeX, y, transposeY, out, m, k, n)
    } else {
      matrixMultiply(
        x, transposed: transposeX, y, transposed: transposeY, into: out, m, k, n, adding: true)
    }
  }

  @inline(__always)
  static func forward(_ slot: PrimitiveSlot, _ memory: Memory<Double>) {
    slot.instance.forward(
      slot.inputs(in: memory.values),
      into: UnsafeMutableBufferPointer(
        start: memory.values + slot.call.out, count: slot.call.count))
  }

  @inline(__always)
  static func pullback(_ slot: PrimitiveSlot, _ memory: Memory<Double>, gaussNewton: Bool) {
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

  /// Runs a primitive on values and tangents; its tangent rule, or else central differences of `forward`.
  static func forward(_ slot: PrimitiveSlot, _ memory: Memory<Dual>) {
    let (call, duals) = (slot.call, slot.duals)
    slot.load(memory.values)
    let inputs = slot.inputs(at: duals.inputs)
    slot.instance.forward(inputs, into: duals.output)
    if slot.hasTangent {
      let tangents = slot.tangents(at: duals.tangents)
      if !slot.instance.tangent(
        inputs, tangents: tangents, output: UnsafeBufferPointer(duals.output),
        into: duals.outputTangent)
      {
        let step = slot.shift(by: 1)
        slot.instance.forward(slot.inputs(at: duals.shifted), into: duals.outputTangent)
        slot.shift(by: -1)
        slot.instance.forward(slot.inputs(at: duals.shifted), into: duals.other)
        for k in 0..<call.count {
          duals.outputTangent[k] = (duals.outputTangent[k] - duals.other[k]) / (2 * step)
        }
        // Leave the instance at the point itself, as `pullback` expects.
        slot.instance.forward(slot.inputs(at: duals.inputs), into: duals.other)
      }
    } else {
      duals.outputTangent.update(repeating: 0)
    }
    let out = memory.values + call.out
    for k in 0..<call.count { out[k] = Dual(duals.output[k], duals.outputTangent[k]) }
  }

  /// Pulls an adjoint and its tangent back: exact in the adjoint's tangent, and by the primitive's own second-order rule,
  /// or central differences of `pullback`, or (Gauss–Newton) its positive stand-in, in the inputs' tangents.
  static func pullback(_ slot: PrimitiveSlot, _ memory: Memory<Dual>, gaussNewton: Bool) {
    let (call, duals) = (slot.call, slot.duals)
    slot.load(memory.values)
    let adjoint = memory.adjoints + call.out
    var adjointMoves = false
    for k in 0..<call.count {
      duals.adjoint[k] = adjoint[k].value
      duals.adjointTangent[k] = adjoint[k].tangent
      adjointMoves = adjointMoves || adjoint[k].tangent != 0
    }
    let output = UnsafeBufferPointer(duals.output)
    let fixed = UnsafeBufferPointer(duals.adjoint)

    // The instance may stand at another point if it serves several passes: `forward` was called at this one.
    slot.clear(duals.gradients)
    slot.instance.pullback(
      slot.inputs(at: duals.inputs), output: output, adjoint: fixed,
      into: slot.adjoints(at: duals.gradients))
    slot.add(duals.gradients, to: memory.adjoints) { Dual($0, 0) }

    if adjointMoves {
      slot.clear(duals.gradients)
      slot.instance.pullback(
        slot.inputs(at: duals.inputs), output: output,
        adjoint: UnsafeBufferPointer(duals.adjointTangent),
        into: slot.adjoints(at: duals.gradients))
      slot.add(duals.gradients, to: memory.adjoints) { Dual(0, $0) }
    }

    guard slot.hasTangent else { return }
    slot.clear(duals.gradients)
    let inputs = slot.inputs(at: duals.inputs)
    let tangents = slot.tangents(at: duals.tangents)
    let sink = slot.adjoints(at: duals.gradients)
    if gaussNewton {
      if slot.instance.gaussNewtonTangent(
        inputs, tangents: tangents, output: output, adjoint: fixed, into: sink)
      {
        slot.add(duals.gradients, to: memory.adjoints) { Dual(0, $0) }
      }
      return
    }
    if !slot.instance.pullbackTangent(
      inputs, tangents: tangents, output: output, adjoint: fixed, into: sink)
    {
      slot.clear(duals.gradients)
      slot.clear(duals.changes)
      let step = slot.shift(by: 1)
      slot.pullbackAtShifted(into: duals.gradients)
      slot.shift(by: -1)
      slot.pullbackAtShifted(into: duals.changes)
      for (input, gradient) in duals.gradients.enumerated() {
        for k in 0..<slot.counts[input] {
          gradient[k] = (gradient[k] - duals.changes[input][k]) / (2 * step)
        }
      }
      slot.instance.forward(slot.inputs(at: duals.inputs), into: duals.other)
    }
    slot.add(duals.gradients, to: memory.adjoints) { Dual(0, $0) }
  }
}

extension PrimitiveSlot {
  /// Copies values and tangents of the inputs out of a dual slab.
  func load(_ slab: UnsafeMutablePointer<Dual>) {
    for (input, offset) in call.offsets.enumerated() {
      let source = slab + offset
      for k in 0..<counts[input] {
        duals.inputs[input][k] = source[k].value
        duals.tangents[input][k] = source[k].tangent
      }
    }
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
