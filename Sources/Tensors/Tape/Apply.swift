// SPDX-License-Identifier: MIT
//
// The one door through which every operation passes: recorded when an operand is traced, computed at once when none is.

import Numerics

/// An operation with its operands, before it is known whether it is recorded or computed.
struct Application {
  /// The instruction, without places.
  var instruction: Instruction

  /// The operands, at most four.
  var operands: [Tensor]

  /// The shape of the result.
  var shape: Shape

  /// The integers that the instruction needs.
  var integers: [Int32] = []

  /// Whether the operation has derivatives at all.
  var isDifferentiable = true

  /// The number of scratch elements, once the active operands are known.
  var scratch: (Instruction) -> Int = { _ in 0 }

  /// Returns the result.
  func callAsFunction() -> Tensor {
    for operand in operands {
      if case .traced(let place) = operand.storage { return recorded(by: .owner(of: place)) }
    }
    return computed()
  }

  /// Records the operation and returns a traced tensor.
  private func recorded(by recorder: Recorder) -> Tensor {
    var i = instruction
    for (k, operand) in operands.enumerated() {
      let (offset, active) = recorder.operand(operand)
      i.setPlace(k, offset)
      if active && isDifferentiable { i.active |= 1 << UInt8(k) }
    }
    if !integers.isEmpty { i.integers = recorder.keep(integers) }
    i.out = recorder.allocate(shape.elementCount)
    i.scratch = recorder.allocate(scratch(i))
    if i.active == 0 { recorder.deactivate(i.out, count: shape.elementCount) }
    recorder.append(i)
    return recorder.tensor(i.out, shape: shape)
  }

  /// Computes the operation on constants.
  private func computed() -> Tensor {
    var i = instruction
    var next = 0
    for (k, operand) in operands.enumerated() {
      i.setPlace(k, Int32(next))
      next += operand.count
    }
    let count = shape.elementCount
    i.out = Int32(next)
    i.scratch = Int32(next + count)
    let total = next + count + scratch(i)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, total)) { slab in
      guard let base = slab.baseAddress else { return Tensor(0) }
      var start = 0
      for operand in operands {
        if case .scalar(let value) = operand.storage {
          base[start] = value
          start += 1
        } else {
          for value in operand.elements {
            base[start] = value
            start += 1
          }
        }
      }
      integers.withUnsafeBufferPointer { integers in
        withUnsafePointer(to: i) {
          Interpreter<Double>.step(
            $0,
            Memory(
              values: base, adjoints: base,
              integers: integers, primitives: UnsafeBufferPointer(start: nil, count: 0)))
        }
      }
      if shape.isEmpty { return Tensor(base[next]) }
      return Tensor(Array(slab[next..<(next + count)]), shape: shape)
    }
  }
}

extension Tensor {
  /// Returns an elementwise function of one operand.
  static func unary(_ operation: Operation, _ x: Tensor, immediate: Double = 0) -> Tensor {
    var i = Instruction(operation: operation)
    i.n = Int32(x.count)
    i.strides = 1
    i.immediate = immediate
    var application = Application(instruction: i, operands: [x], shape: x.shape)
    application.isDifferentiable = operation != .sign && operation != .floor
    return application()
  }

  /// Returns an elementwise function of two operands, broadcast to one shape.
  static func binary(_ operation: Operation, _ x: Tensor, _ y: Tensor) -> Tensor {
    if case .scalar(let a) = x.storage, case .scalar(let b) = y.storage {
      switch operation {
      case .add: return Tensor(a + b)
      case .subtract: return Tensor(a - b)
      case .multiply: return Tensor(a * b)
      case .divide: return Tensor(a / b)
      default: break
      }
    }
    guard let shape = broadcastShape([x.shape, y.shape]) else {
      stop(
        "\(operation): expected shapes that broadcast, got \(x.shape) and \(y.shape)")
    }
    var i = Instruction(operation: operation)
    i.n = Int32(shape.elementCount)
    let a = x.spread(to: shape)
    let b = y.spread(to: shape)
    if a.count == shape.elementCount { i.strides |= 1 }
    if b.count == shape.elementCount { i.strides |= 2 }
    var application = Application(instruction: i, operands: [a, b], shape: shape)
    application.isDifferentiable =
      operation != .less && operation != .lessOrEqual && operation != .equal
    if operation == .logAddExp { application.scratch = { $0.active == 0 ? 0 : Int($0.n) } }
    return application()
  }

  /// Returns the tensor itself where it has one element or as many as `shape`, else a copy broadcast to it.
  func spread(to shape: Shape) -> Tensor {
    count == 1 || count == shape.elementCount ? self : broadcast(to: shape)
  }
}
