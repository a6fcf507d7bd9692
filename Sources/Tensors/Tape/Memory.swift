// SPDX-License-Identifier: MIT
//
// The slabs on which a tape runs, and the working instances of its primitives.

import Numerics

/// Views of the slabs that one pass over a tape reads and writes.
struct Memory<T: TapeScalar> {
  /// The values of all nodes.
  var values: UnsafeMutablePointer<T>

  /// The adjoints of all nodes; equals `values` in a pass that needs none.
  var adjoints: UnsafeMutablePointer<T>

  /// The integers of the instructions: gather indices.
  var integers: UnsafeBufferPointer<Int32>

  /// The primitives of the tape.
  var primitives: UnsafeBufferPointer<PrimitiveSlot>
}

/// Where the operands and the result of a primitive lie.
struct PrimitiveCall: Sendable {
  /// The description.
  let primitive: any Primitive

  /// The shapes of the inputs.
  let shapes: [Shape]

  /// Where the inputs begin in the value slab.
  let offsets: [Int]

  /// Whether each input is active.
  let active: [Bool]

  /// Where the output begins.
  let out: Int

  /// The number of elements of the output.
  let count: Int
}

/// A primitive's instance with the pointer tables that its calls need.
final class PrimitiveSlot {
  /// The description and the places of its operands.
  let call: PrimitiveCall

  /// The working instance.
  let instance: any PrimitiveInstance

  /// The numbers of elements of the inputs.
  let counts: UnsafeMutableBufferPointer<Int>

  /// The addresses of the inputs.
  private let inputs: UnsafeMutableBufferPointer<UnsafePointer<Double>>

  /// The addresses of the tangents of the inputs.
  private let tangents: UnsafeMutableBufferPointer<UnsafePointer<Double>>

  /// The addresses of the adjoints of the inputs.
  private let adjoints: UnsafeMutableBufferPointer<UnsafeMutablePointer<Double>?>

  /// The pair that the primitive forms while a Hessian is taken; nil otherwise.
  var pair: CurvaturePair?

  /// Whether the instance stands at the inputs that `duals` holds.
  var isLoaded = false

  /// Plain copies of values, tangents and adjoints for passes with dual numbers; made when first needed.
  private(set) lazy var duals = DualBuffers(call)

  /// Creates a slot around an instance.
  init(_ call: PrimitiveCall, instance: (any PrimitiveInstance)? = nil) {
    self.call = call
    self.instance = instance ?? call.primitive.makeInstance(inputShapes: call.shapes)
    let count = call.offsets.count
    counts = .allocate(capacity: count)
    _ = counts.initialize(from: call.shapes.map(\.elementCount))
    inputs = .allocate(capacity: count)
    tangents = .allocate(capacity: count)
    adjoints = .allocate(capacity: count)
    adjoints.initialize(repeating: nil)
  }

  deinit {
    counts.deallocate()
    inputs.deallocate()
    tangents.deallocate()
    adjoints.deallocate()
  }

  /// Returns the inputs as they lie in a slab.
  func inputs(in slab: UnsafeMutablePointer<Double>) -> PrimitiveInputs {
    for k in inputs.indices { inputs[k] = UnsafePointer(slab + call.offsets[k]) }
    return PrimitiveInputs(
      pointers: UnsafeBufferPointer(inputs), counts: UnsafeBufferPointer(counts))
  }

  /// Returns views of given addresses of the inputs.
  func inputs(at pointers: [UnsafeMutablePointer<Double>]) -> PrimitiveInputs {
    for k in inputs.indices { inputs[k] = UnsafePointer(pointers[k]) }
    return PrimitiveInputs(
      pointers: UnsafeBufferPointer(inputs), counts: UnsafeBufferPointer(counts))
  }

  /// Returns views of given addresses of the tangents.
  func tangents(at pointers: [UnsafeMutablePointer<Double>]) -> PrimitiveInputs {
    for k in tangents.indices { tangents[k] = UnsafePointer(pointers[k]) }
    return PrimitiveInputs(
      pointers: UnsafeBufferPointer(tangents), counts: UnsafeBufferPointer(counts))
  }

  /// Returns the adjoints as they lie in a slab, nil for inactive inputs.
  func adjoints(in slab: UnsafeMutablePointer<Double>) -> PrimitiveAdjoints {
    for k in adjoints.indices { adjoints[k] = call.active[k] ? slab + call.offsets[k] : nil }
    return PrimitiveAdjoints(
      pointers: UnsafeBufferPointer(adjoints), counts: UnsafeBufferPointer(counts))
  }

  /// Returns views of given addresses of the adjoints, nil for inactive inputs.
  func adjoints(at pointers: [UnsafeMutablePointer<Double>]) -> PrimitiveAdjoints {
    for k in adjoints.indices { adjoints[k] = call.active[k] ? pointers[k] : nil }
    return PrimitiveAdjoints(
      pointers: UnsafeBufferPointer(adjoints), counts: UnsafeBufferPointer(counts))
  }
}

/// Plain arrays beside the dual slabs, for primitives, which know Doubles only.
final class DualBuffers {
  let inputs: [UnsafeMutablePointer<Double>]
  let tangents: [UnsafeMutablePointer<Double>]
  let shifted: [UnsafeMutablePointer<Double>]
  let gradients: [UnsafeMutablePointer<Double>]
  let changes: [UnsafeMutablePointer<Double>]
  let output: UnsafeMutableBufferPointer<Double>
  let outputTangent: UnsafeMutableBufferPointer<Double>
  let other: UnsafeMutableBufferPointer<Double>
  let adjoint: UnsafeMutableBufferPointer<Double>
  let adjointTangent: UnsafeMutableBufferPointer<Double>

  /// Whether passes at one point are many, so that the Jacobian pays.
  var wantsJacobian = false

  /// The Jacobian at the present inputs, where it is wanted, known and not too large.
  private(set) var jacobian: DenseJacobian?

  /// Sets the Jacobian after a forward pass.
  func prepareJacobian(_ slot: PrimitiveSlot) {
    jacobian = nil
    let call = slot.call
    guard wantsJacobian, call.shapes.count == 1,
      slot.counts[0] * call.count <= DenseJacobian.largest
    else {
      return
    }
    let candidate = DenseJacobian(inputs: slot.counts[0], outputs: call.count)
    if slot.instance.jacobian(
      slot.inputs(at: inputs), input: 0, output: UnsafeBufferPointer(output),
      into: candidate.elements)
    {
      jacobian = candidate
    }
  }

  /// Creates zeroed buffers for one primitive.
  init(_ call: PrimitiveCall) {
    func perInput() -> [UnsafeMutablePointer<Double>] {
      call.shapes.map {
        let pointer = UnsafeMutablePointer<Double>.allocate(capacity: max(1, $0.elementCount))
        pointer.initialize(repeating: 0, count: max(1, $0.elementCount))
        return pointer
      }
    }
    func perOutput() -> UnsafeMutableBufferPointer<Double> {
      let buffer = UnsafeMutableBufferPointer<Double>.allocate(capacity: call.count)
      buffer.initialize(repeating: 0)
      return buffer
    }
    inputs = perInput()
    tangents = perInput()
    shifted = perInput()
    gradients = perInput()
    changes = perInput()
    output = perOutput()
    outputTangent = perOutput()
    other = perOutput()
    adjoint = perOutput()
    adjointTangent = perOutput()
  }

  deinit {
    for list in [inputs, tangents, shifted, gradients, changes] {
      for pointer in list { pointer.deallocate() }
    }
    for buffer in [output, outputTangent, other, adjoint, adjointTangent] { buffer.deallocate() }
  }
}

/// The derivative of a primitive's output by its only input, `[inputs, outputs]`.
final class DenseJacobian {
  private let inputs: Int
  private let outputs: Int

  /// The most elements that are kept, 32 MB: above, products with the Jacobian are made one by one.
  static let largest = 1 << 22

  /// The elements, row-major.
  let elements: UnsafeMutableBufferPointer<Double>

  /// Creates a matrix of zeros.
  init(inputs: Int, outputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
    elements = .allocate(capacity: max(1, inputs * outputs))
    elements.initialize(repeating: 0)
  }

  deinit { elements.deallocate() }

  /// Sets the derivative of the output along a direction of the input.
  func apply(
    _ direction: UnsafeMutablePointer<Double>, into out: UnsafeMutableBufferPointer<Double>
  ) {
    guard let matrix = elements.baseAddress, let out = out.baseAddress else { return }
    LinearAlgebra.gemv(
      transpose: true, rows: inputs, columns: outputs, matrix, direction, into: out)
  }

  /// Sets the product of an adjoint of the output with the derivative.
  func applyTransposed(
    _ adjoint: UnsafeMutableBufferPointer<Double>, into gradient: UnsafeMutablePointer<Double>
  ) {
    guard let matrix = elements.baseAddress, let adjoint = adjoint.baseAddress else { return }
    LinearAlgebra.gemv(rows: inputs, columns: outputs, matrix, adjoint, into: gradient)
  }
}
