// SPDX-License-Identifier: MIT
//
// Passes along a direction: forward derivatives, and Hessian-vector products as forward over reverse.

import Numerics

extension FunctionEvaluator {
  /// Computes all values and their derivatives along a direction.
  func dualForward(
    _ input: UnsafeBufferPointer<Double>, _ direction: UnsafeBufferPointer<Double>
  ) -> (values: UnsafeMutablePointer<Dual>, adjoints: UnsafeMutablePointer<Dual>) {
    demand(
      direction.count == function.inputCount,
      "expected a direction of \(function.inputCount) elements, got \(direction.count)")
    if let recorder { record(input, recorder) }
    evaluationCount += 1
    let slab: UnsafeMutablePointer<Dual>
    let adjointSlab: UnsafeMutablePointer<Dual>
    if let known = duals, let knownAdjoints = dualAdjoints {
      (slab, adjointSlab) = (known, knownAdjoints)
    } else {
      slab = .allocate(capacity: max(1, size))
      slab.initialize(repeating: Dual(0), count: size)
      adjointSlab = .allocate(capacity: max(1, size))
      adjointSlab.initialize(repeating: Dual(0), count: size)
      (duals, dualAdjoints) = (slab, adjointSlab)
      if recorder == nil { FunctionEvaluator.fill(function.program, slab) { Dual($0) } }
    }
    if let recorder {
      for range in recorder.constants { for k in range { slab[k] = Dual(recorder.values[k]) } }
    }
    for slot in recorder.map({ Array($0.noise) }) ?? function.program.noise {
      for k in slot.range { slab[k] = Dual(values[k]) }
    }
    for k in input.indices { slab[k] = Dual(input[k], direction[k]) }
    clear(adjointSlab, Dual(0))
    withTape(slab, adjointSlab) { Interpreter<Dual>.forward($0, $1) }
    return (slab, adjointSlab)
  }

  /// Returns an output and its derivative along a direction of the inputs.
  public func jacobianVectorProduct(
    at input: UnsafeBufferPointer<Double>, _ direction: UnsafeBufferPointer<Double>,
    output: Int = 0
  ) -> (value: [Double], tangent: [Double]) {
    let (slab, _) = dualForward(input, direction)
    switch outputs[output] {
    case .place(let offset, let count):
      let part = UnsafeBufferPointer(start: slab + Int(offset), count: count)
      return (part.map(\.value), part.map(\.tangent))
    case .constant(let value):
      return (value, [Double](repeating: 0, count: value.count))
    }
  }

  /// Sets the product of a scalar function's Hessian with a direction, and the gradient; returns the value.
  ///
  /// Exact (forward over reverse) for all built-in operations. A primitive contributes by its own second-order rule where
  /// it has one, else by central differences of its pullback; `curvature` can ask for less.
  public func hessianVectorProduct(
    at input: UnsafeBufferPointer<Double>, _ direction: UnsafeBufferPointer<Double>,
    into product: UnsafeMutableBufferPointer<Double>,
    gradient: UnsafeMutableBufferPointer<Double>? = nil, curvature: Curvature = .full
  ) -> Double {
    let (slab, adjointSlab) = dualForward(input, direction)
    var value = 0.0
    switch outputs[0] {
    case .place(let offset, let count):
      demand(count == 1, "hessian: expected a scalar output, got \(count) elements")
      value = slab[Int(offset)].value
      adjointSlab[Int(offset)] = Dual(1)
    case .constant(let constant): value = constant[0]
    }
    withTape(slab, adjointSlab) {
      Interpreter<Dual>.reverse($0, $1, curvature)
    }
    for k in input.indices {
      product[k] = adjointSlab[k].tangent
      gradient?[k] = adjointSlab[k].value
    }
    return value
  }
}
