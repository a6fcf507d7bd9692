// SPDX-License-Identifier: MIT
//
// Two primitives in a row with little at both ends: their curvature as one small matrix, made once for a Hessian.

import Numerics

/// A primitive with a short input and a long output that only a second, scalar primitive reads: rendering and likelihood.
///
/// For Gauss–Newton curvature the pair is a function of the short input x with gradient g = Jᵀ a and second derivative
/// M = Jᵀ W J (J the first one's Jacobian, a and W the second one's gradient and curvature). Both are computed once for
/// a point; each Hessian-vector product then costs nothing that is proportional to the long output.
final class CurvaturePair {
  private let producer: PrimitiveSlot
  private let consumer: PrimitiveSlot
  private let curvature: Curvature
  private let count: Int
  private var isReady = false
  private var value = 0.0
  private var gradient: [Double]
  private var matrix: [Double]
  private var adjoint = Dual(0)

  /// Creates the pair.
  private init(_ producer: PrimitiveSlot, _ consumer: PrimitiveSlot, _ curvature: Curvature) {
    self.producer = producer
    self.consumer = consumer
    self.curvature = curvature
    count = producer.counts[0]
    gradient = [Double](repeating: 0, count: count)
    matrix = [Double](repeating: 0, count: count * count)
  }

  /// Joins the primitives of a frozen tape that form pairs, until ``dissolve(_:)``.
  static func join(
    _ slots: [PrimitiveSlot], _ instructions: UnsafeBufferPointer<Instruction>, integers: [Int32],
    calls: ContiguousArray<PrimitiveCall>, outputs: [Range<Int>], _ curvature: Curvature
  ) {
    for consumer in slots {
      let call = consumer.call
      guard call.count == 1, call.offsets.count == 1 else { continue }
      let long = call.offsets[0]..<(call.offsets[0] + consumer.counts[0])
      guard
        let producer = slots.first(where: { $0.call.out == long.lowerBound && $0 !== consumer }),
        producer.call.count == long.count, producer.call.offsets.count == 1,
        producer.call.active[0], producer.counts[0] < long.count,
        producer.counts[0] * long.count <= DenseJacobian.largest,
        !outputs.contains(where: { $0.overlaps(long) })
      else { continue }
      let readers = instructions.filter { i in
        i.reads(calls, integers).contains {
          $0.0 < long.upperBound && long.lowerBound < $0.0 + $0.1
        }
      }
      guard readers.count == 1 else { continue }
      let pair = CurvaturePair(producer, consumer, curvature)
      producer.pair = pair
      consumer.pair = pair
    }
  }

  /// Takes all pairs apart again.
  static func dissolve(_ slots: [PrimitiveSlot]) { for slot in slots { slot.pair = nil } }

  // MARK: - Passes

  /// Runs the forward pass of one of the two; false where the pair cannot be used, and is given up.
  func forward(_ slot: PrimitiveSlot, _ memory: Memory<Dual>) -> Bool {
    if slot === producer {
      let moved = producer.load(memory.values)
      if moved || !isReady {
        guard prepare() else {
          producer.pair = nil
          consumer.pair = nil
          producer.isLoaded = false
          return false
        }
      }
      return true
    }
    let tangents = producer.duals.tangents[0]
    var along = 0.0
    for k in 0..<count { along += gradient[k] * tangents[k] }
    memory.values[consumer.call.out] = Dual(value, along)
    return true
  }

  /// Runs the reverse pass of one of the two.
  func pullback(_ slot: PrimitiveSlot, _ memory: Memory<Dual>) {
    if slot === consumer {
      adjoint = memory.adjoints[consumer.call.out]
      return
    }
    let target = memory.adjoints + producer.call.offsets[0]
    let tangents = producer.duals.tangents[0]
    for r in 0..<count {
      var change = 0.0
      for c in 0..<count { change += matrix[r * count + c] * tangents[c] }
      target[r] += Dual(
        adjoint.value * gradient[r], adjoint.tangent * gradient[r] + adjoint.value * change)
    }
  }

  /// Computes value, gradient and curvature at the loaded point; false where a rule is missing.
  private func prepare() -> Bool {
    let (first, second) = (producer.duals, consumer.duals)
    producer.instance.forward(producer.inputs(at: first.inputs), into: first.output)
    first.prepareJacobian(producer)
    guard let jacobian = first.jacobian, let rows = jacobian.elements.baseAddress,
      let image = first.output.baseAddress, let columns = second.gradients.first
    else { return false }
    let length = first.output.count
    consumer.instance.forward(consumer.inputs(at: [image]), into: second.output)
    value = second.output[0]
    var one = 1.0
    return withUnsafePointer(to: &one) { one in
      let unit = UnsafeBufferPointer(start: one, count: 1)
      let output = UnsafeBufferPointer(second.output)
      consumer.clear(second.gradients)
      consumer.instance.pullback(
        consumer.inputs(at: [image]), output: output, adjoint: unit,
        into: consumer.adjoints(at: second.gradients))
      gradient.withUnsafeMutableBufferPointer { gradient in
        guard let gradient = gradient.baseAddress else { return }
        LinearAlgebra.gemv(rows: count, columns: length, rows, columns, into: gradient)
      }
      for r in 0..<count {
        consumer.clear(second.gradients)
        let inputs = consumer.inputs(at: [image])
        let tangents = consumer.tangents(at: [rows + r * length])
        let sink = consumer.adjoints(at: second.gradients)
        let isThere =
          switch curvature {
          case .gaussNewton:
            consumer.instance.gaussNewtonTangent(
              inputs, tangents: tangents, output: output, adjoint: unit, into: sink)
          case .lossOnly, .full:
            consumer.instance.pullbackTangent(
              inputs, tangents: tangents, output: output, adjoint: unit, into: sink)
          }
        guard isThere else { return false }
        matrix.withUnsafeMutableBufferPointer { matrix in
          guard let matrix = matrix.baseAddress else { return }
          LinearAlgebra.gemv(
            rows: count, columns: length, rows, columns, into: matrix + r * count)
        }
      }
      isReady = true
      return true
    }
  }
}
