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
  var evaluationCount = 0

  private(set) var values: UnsafeMutablePointer<Double>
  private(set) var adjoints: UnsafeMutablePointer<Double>
  var duals: UnsafeMutablePointer<Dual>?
  var dualAdjoints: UnsafeMutablePointer<Dual>?
  private(set) var size: Int
  let slots: [PrimitiveSlot]
  let inputCount: Int

  // The frozen tape in plain memory: a replay takes some hundred nanoseconds, and reference counts, bounds and
  // exclusivity checks would be a good part of that.
  let instructions: UnsafeMutableBufferPointer<Instruction>
  private let integers: UnsafeMutableBufferPointer<Int32>
  private let slotTable: UnsafeMutableBufferPointer<PrimitiveSlot>
  private let adjointRanges: UnsafeMutableBufferPointer<Range<Int>>

  /// The place of output 0 if it is a number on the tape, else −1.
  private var scalarPlace = -1
  /// The place of output 0 and its number of elements; −1 and 0 if it does not depend on the inputs.
  private(set) var (firstPlace, firstCount) = (-1, 0)
  private(set) var outputs: [CompiledFunction.Output]
  let recorder: Recorder?

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
  static func fill<T>(
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
  func withTape<T>(
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
  func forward(_ input: UnsafeBufferPointer<Double>) {
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
  func record(_ input: UnsafeBufferPointer<Double>, _ recorder: Recorder) {
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
  func clear<T>(_ slab: UnsafeMutablePointer<T>, _ zero: T) {
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
  func copy(_ output: Int) -> [Double] {
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
}
