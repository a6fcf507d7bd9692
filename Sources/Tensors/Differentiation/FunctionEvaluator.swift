// SPDX-License-Identifier: MIT
//
// The memory of one replaying thread, and the passes it runs: value, gradient, products with derivatives.

internal import CKernels
public import Numerics

/// Runs a compiled function: owns the slabs, allocates nothing after its first calls.
///
/// Inputs and their derivatives are flat vectors: all inputs one after the other, row-major. Not Sendable: make one for
/// each thread.
public final class FunctionEvaluator {
  /// The function.
  public let function: CompiledFunction

  /// The number of evaluations so far, of any kind.
  public var evaluations: Int { evaluationCount }

  /// The number of times the function was recorded anew; zero unless it is dynamic.
  public private(set) var recordings = 0

  /// A property of its own: accesses to what others can see are checked one by one as the program runs.
  private var evaluationCount = 0

  private var values: UnsafeMutablePointer<Double>
  private var adjoints: UnsafeMutablePointer<Double>
  private var duals: UnsafeMutablePointer<Dual>?
  private var dualAdjoints: UnsafeMutablePointer<Dual>?
  private var size: Int
  private let slots: [PrimitiveSlot]
  private let inputCount: Int

  // The frozen tape in plain memory: a replay takes some hundred nanoseconds, and reference counts, bounds and
  // exclusivity checks would be a good part of that.
  private let instructions: UnsafeMutableBufferPointer<Instruction>
  private let integers: UnsafeMutableBufferPointer<Int32>
  private let slotTable: UnsafeMutableBufferPointer<PrimitiveSlot>
  private let adjointRanges: UnsafeMutableBufferPointer<Range<Int>>

  /// The place of output 0 if it is a number on the tape, else −1.
  private var scalarPlace = -1
  /// The place of output 0 and its number of elements; −1 and 0 if it does not depend on the inputs.
  private var (firstPlace, firstCount) = (-1, 0)
  private var outputs: [CompiledFunction.Output]
  private let recorder: Recorder?

  /// The random numbers of the next evaluation.
  private var redraw = Redraw()

  /// Creates the memory for a function.
  init(_ function: CompiledFunction) {
    self.function = function
    let program = function.program
    size = program.size
    outputs = function.outputs
    recorder = function.isDynamic ? Recorder() : nil
    values = .allocate(capacity: max(1, size))
    values.initialize(repeating: 0, count: size)
    adjoints = .allocate(capacity: max(1, size))
    adjoints.initialize(repeating: 0, count: size)
    inputCount = function.inputCount
    let isFrozen = recorder == nil
    let unused = PrimitiveSlot(.none)
    slots =
      isFrozen ? program.calls.map { call in call.map { PrimitiveSlot($0) } ?? unused } : []
    instructions = FunctionEvaluator.copy(isFrozen ? program.instructions : [])
    integers = FunctionEvaluator.copy(isFrozen ? program.integers : [])
    slotTable = FunctionEvaluator.copy(slots)
    adjointRanges = FunctionEvaluator.copy(isFrozen ? program.adjoints : [])
    if isFrozen {
      FunctionEvaluator.fill(program, values) { $0 }
      for slot in program.noise { slot.fill(values, redraw) }
    }
    findScalar()
  }

  /// Copies an array to memory of its own.
  private static func copy<T>(_ array: [T]) -> UnsafeMutableBufferPointer<T> {
    let buffer = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count)
    _ = buffer.initialize(from: array)
    return buffer
  }

  /// Sets the place of output 0.
  private func findScalar() {
    (scalarPlace, firstPlace, firstCount) = (-1, -1, 0)
    guard case .place(let offset, let count)? = outputs.first else { return }
    (firstPlace, firstCount) = (Int(offset), count)
    if count == 1 { scalarPlace = firstPlace }
  }

  deinit {
    values.deallocate()
    adjoints.deallocate()
    duals?.deallocate()
    dualAdjoints?.deallocate()
    instructions.deallocate()
    integers.deallocate()
    adjointRanges.deallocate()
    slotTable.deinitialize()
    slotTable.deallocate()
  }

  /// Copies the constants into a slab.
  private static func fill<T>(
    _ program: Program, _ slab: UnsafeMutablePointer<T>, _ number: (Double) -> T
  ) {
    var next = 0
    for range in program.constants {
      for k in range {
        slab[k] = number(program.constantValues[next])
        next += 1
      }
    }
  }

  /// Whether the function calls primitives, so that ``Curvature`` makes a difference.
  public var hasPrimitives: Bool {
    recorder.map { !$0.slots.isEmpty } ?? slots.contains { $0.call.count > 0 }
  }

  // MARK: - Random numbers

  /// Draws the function's random numbers anew, for all evaluations until the next call.
  ///
  /// Equal keys give equal numbers, on every evaluator. Without a call the key is 0.
  ///
  /// - Parameters:
  ///   - key: What distinguishes this evaluation from others: it is folded into the key of each draw.
  ///   - isMirrored: Whether normal numbers change their sign, and uniform ones are reflected at ½: an antithetic pair.
  public func redraw(key: RandomKey, isMirrored: Bool = false) {
    redraw = Redraw(key: key, isMirrored: isMirrored)
    if recorder == nil { for slot in function.program.noise { slot.fill(values, redraw) } }
  }

  // MARK: - Passes

  /// Runs `body` with the instructions of the tape and its memory.
  @inline(__always)
  private func withTape<T>(
    _ values: UnsafeMutablePointer<T>, _ adjoints: UnsafeMutablePointer<T>,
    _ body: (UnsafeBufferPointer<Instruction>, Memory<T>) -> Void
  ) {
    if let recorder {
      recorder.instructions.withUnsafeBufferPointer { instructions in
        recorder.integers.withUnsafeBufferPointer { integers in
          recorder.slots.withUnsafeBufferPointer { slots in
            body(
              instructions,
              Memory(values: values, adjoints: adjoints, integers: integers, primitives: slots))
          }
        }
      }
      return
    }
    body(
      UnsafeBufferPointer(instructions),
      Memory(
        values: values, adjoints: adjoints, integers: UnsafeBufferPointer(integers),
        primitives: UnsafeBufferPointer(slotTable)))
  }

  /// Computes all values at a point.
  @inline(__always)
  private func forward(_ input: UnsafeBufferPointer<Double>) {
    demand(
      input.count == inputCount,
      "evaluate: expected \(inputCount) input elements, got \(input.count)")
    evaluationCount += 1
    if let recorder {
      record(input, recorder)
      return
    }
    for k in input.indices { values[k] = input[k] }
    withTape(values, adjoints) { Interpreter<Double>.forward($0, $1) }
  }

  /// Records a dynamic function at a point.
  private func record(_ input: UnsafeBufferPointer<Double>, _ recorder: Recorder) {
    recordings += 1
    let results = recorder.record(input, redraw: function.resamples ? redraw : nil) { place in
      let results = function.body(recorder.split(place, function.inputShapes))
      recorder.demandOwn(results)
      return results
    }
    outputs = results.map { CompiledFunction.output($0) }
    findScalar()
    if recorder.size > size {
      size = recorder.size
      values.deallocate()
      adjoints.deallocate()
      duals?.deallocate()
      dualAdjoints?.deallocate()
      (duals, dualAdjoints) = (nil, nil)
      values = .allocate(capacity: size)
      adjoints = .allocate(capacity: size)
    }
    values.update(from: recorder.values, count: recorder.size)
  }

  /// Sets the parts of an adjoint slab that a reverse pass adds to, to zero.
  @inline(__always)
  private func clear<T>(_ slab: UnsafeMutablePointer<T>, _ zero: T) {
    if let recorder {
      slab.update(repeating: zero, count: min(size, recorder.size))
    } else {
      for range in adjointRanges {
        (slab + range.lowerBound).update(repeating: zero, count: range.count)
      }
    }
  }

  /// Returns the value of output 0, which must be a scalar.
  @inline(__always)
  private func scalarOutput() -> Double {
    if scalarPlace >= 0 { return values[scalarPlace] }
    return otherScalarOutput()
  }

  /// Returns the value of output 0 if it is a constant; traps if it is not a scalar.
  private func otherScalarOutput() -> Double {
    switch outputs[0] {
    case .place(let offset, let count):
      demand(count == 1, "gradient: expected a scalar output, got \(count) elements")
      return values[Int(offset)]
    case .constant(let value):
      demand(
        value.count == 1, "gradient: expected a scalar output, got \(value.count) elements")
      return value[0]
    }
  }

  /// Returns the elements of an output at a point.
  public func value(at input: UnsafeBufferPointer<Double>, output: Int = 0) -> [Double] {
    forward(input)
    return copy(output)
  }

  /// Returns the elements of all outputs at a point.
  public func values(at input: UnsafeBufferPointer<Double>) -> [[Double]] {
    forward(input)
    return outputs.indices.map { copy($0) }
  }

  /// Computes all outputs at a point and hands out the elements of each, with its number; allocates nothing unless the
  /// function is dynamic.
  ///
  /// - Parameters:
  ///   - input: The point.
  ///   - body: Takes the number of an output and its elements, which are valid during the call only.
  public func forEachOutput(
    at input: UnsafeBufferPointer<Double>, _ body: (Int, UnsafeBufferPointer<Double>) -> Void
  ) {
    forward(input)
    for (number, output) in outputs.enumerated() {
      switch output {
      case .place(let offset, let count):
        body(number, UnsafeBufferPointer(start: values + Int(offset), count: count))
      case .constant(let value): value.withUnsafeBufferPointer { body(number, $0) }
      }
    }
  }

  /// Returns the elements of an output after a forward pass.
  private func copy(_ output: Int) -> [Double] {
    switch outputs[output] {
    case .place(let offset, let count):
      Array(UnsafeBufferPointer(start: values + Int(offset), count: count))
    case .constant(let value): value
    }
  }

  /// Returns the value of a scalar function at a point.
  public func scalarValue(at input: UnsafeBufferPointer<Double>) -> Double {
    forward(input)
    return scalarOutput()
  }

  /// Returns the value of a scalar function and sets its gradient; allocates nothing unless the function is dynamic.
  public func valueAndGradient(
    at input: UnsafeBufferPointer<Double>, into gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    forward(input)
    let value = scalarOutput()
    clear(adjoints, 0)
    if scalarPlace >= 0 { adjoints[scalarPlace] = 1 }
    withTape(values, adjoints) { Interpreter<Double>.reverse($0, $1) }
    if let gradient = gradient.baseAddress { ss_copy_loose(adjoints, gradient, input.count) }
    return value
  }

  /// Returns an output and sets the product of a vector with its Jacobian.
  public func vectorJacobianProduct(
    at input: UnsafeBufferPointer<Double>, _ vector: UnsafeBufferPointer<Double>,
    into product: UnsafeMutableBufferPointer<Double>, output: Int = 0
  ) -> [Double] {
    forward(input)
    clear(adjoints, 0)
    if case .place(let offset, let count) = outputs[output] {
      demand(
        vector.count == count, "vjp: expected a vector of \(count) elements, got \(vector.count)")
      for k in 0..<count { adjoints[Int(offset) + k] = vector[k] }
    }
    withTape(values, adjoints) { Interpreter<Double>.reverse($0, $1) }
    for k in input.indices { product[k] = adjoints[k] }
    return copy(output)
  }

  // MARK: - Along a direction

  /// Computes all values and their derivatives along a direction.
  private func dualForward(
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

  // MARK: - Into buffers of the caller

  /// Computes all values at a point and copies those of output 0.
  func evaluate(
    at input: UnsafeBufferPointer<Double>, into result: UnsafeMutablePointer<Double>
  ) {
    forward(input)
    for k in 0..<firstCount { result[k] = values[firstPlace + k] }
    if firstPlace < 0 { for (k, number) in copy(0).enumerated() { result[k] = number } }
  }

  /// Sets the products of vectors with the Jacobian of output 0 at a point, one to a row.
  ///
  /// - Parameters:
  ///   - input: The point.
  ///   - vectors: The vectors, `[rows, output elements]`.
  ///   - rows: Their number.
  ///   - products: The products, `[rows, input elements]`.
  func pullBack(
    at input: UnsafeBufferPointer<Double>, _ vectors: UnsafePointer<Double>, rows: Int,
    into products: UnsafeMutablePointer<Double>
  ) {
    forward(input)
    guard firstPlace >= 0 else {
      products.update(repeating: 0, count: rows * inputCount)
      return
    }
    for row in 0..<rows {
      clear(adjoints, 0)
      let (vector, product) = (vectors + row * firstCount, products + row * inputCount)
      for k in 0..<firstCount { adjoints[firstPlace + k] = vector[k] }
      withTape(values, adjoints) { Interpreter<Double>.reverse($0, $1) }
      for k in 0..<inputCount { product[k] = adjoints[k] }
    }
  }

  /// Sets the derivative of output 0 at a point along a direction.
  func pushForward(
    at input: UnsafeBufferPointer<Double>, _ direction: UnsafeBufferPointer<Double>,
    into tangent: UnsafeMutablePointer<Double>
  ) {
    let (slab, _) = dualForward(input, direction)
    for k in 0..<firstCount { tangent[k] = slab[firstPlace + k].tangent }
    if firstPlace < 0 { for k in copy(0).indices { tangent[k] = 0 } }
  }

  /// Sets the product of a vector with the Jacobian of output 0, and the product's change along a direction.
  ///
  /// - Parameters:
  ///   - input: The point.
  ///   - direction: The direction in which the point moves.
  ///   - vector: The vector.
  ///   - vectorTangent: How the vector moves with it.
  ///   - product: The product, as many elements as the input.
  ///   - productTangent: Its change, as many.
  func pullBack(
    at input: UnsafeBufferPointer<Double>, along direction: UnsafeBufferPointer<Double>,
    _ vector: UnsafePointer<Double>, _ vectorTangent: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>, _ productTangent: UnsafeMutablePointer<Double>
  ) {
    let (slab, adjointSlab) = dualForward(input, direction)
    if firstPlace >= 0 {
      for k in 0..<firstCount { adjointSlab[firstPlace + k] = Dual(vector[k], vectorTangent[k]) }
      withTape(slab, adjointSlab) { Interpreter<Dual>.reverse($0, $1, .full) }
    }
    for k in 0..<inputCount {
      product[k] = adjointSlab[k].value
      productTangent[k] = adjointSlab[k].tangent
    }
  }
}

extension FunctionEvaluator {
  /// Runs `body` with the Jacobians of primitives kept between passes at one point.
  func keepingJacobians(_ curvature: Curvature, _ body: () -> Void) {
    let active = (recorder.map { Array($0.slots) } ?? slots).filter { $0.call.count > 0 }
    for slot in active {
      slot.duals.wantsJacobian = true
      slot.isLoaded = false
    }
    if recorder == nil, curvature != .full {
      CurvaturePair.join(
        active, UnsafeBufferPointer(instructions), integers: function.program.integers,
        calls: ContiguousArray(slots.map(\.call)),
        outputs: outputs.compactMap {
          if case .place(let offset, let count) = $0 {
            Int(offset)..<Int(offset) + count
          } else {
            nil
          }
        }, curvature)
    }
    body()
    CurvaturePair.dissolve(active)
    for slot in active {
      slot.duals.wantsJacobian = false
      slot.isLoaded = false
    }
  }
}

extension PrimitiveCall {
  /// A call that is never made; it stands for those of dead instructions.
  static let none = PrimitiveCall(
    primitive: NoPrimitive(), shapes: [], offsets: [], active: [], out: 0, count: 0)
}

/// A primitive that does nothing.
private final class NoPrimitive: Primitive {
  let name = "none"
  func outputShape(_ inputShapes: [Shape]) -> Shape { [] }
  func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance { Instance() }

  /// The instance that does nothing.
  private final class Instance: PrimitiveInstance {
    func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {}
    func pullback(
      _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
      adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
    ) {}
  }
}
