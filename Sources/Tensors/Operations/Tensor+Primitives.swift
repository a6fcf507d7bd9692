// SPDX-License-Identifier: MIT
//
// Calls of primitives from programs.

extension Primitive {
  /// Returns the primitive applied to inputs, recorded when one of them is traced.
  public func callAsFunction(_ inputs: Tensor...) -> Tensor { apply(inputs) }

  /// Returns the primitive applied to a list of inputs.
  public func apply(_ inputs: [Tensor]) -> Tensor {
    let shapes = inputs.map(\.shape)
    let shape = outputShape(shapes)
    guard let recorder = inputs.lazy.compactMap(\.owner).first else {
      return computed(inputs, shapes, shape)
    }
    let operands = inputs.map { recorder.operand($0) }
    var i = Instruction(operation: .primitive)
    i.active = operands.contains { $0.active } ? 1 : 0
    i.out = recorder.allocate(shape.elementCount)
    i.integers = recorder.keep(
      PrimitiveCall(
        primitive: self, shapes: shapes, offsets: operands.map { Int($0.offset) },
        active: operands.map(\.active), out: Int(i.out), count: shape.elementCount))
    if i.active == 0 { recorder.deactivate(i.out, count: shape.elementCount) }
    recorder.append(i)
    return recorder.tensor(i.out, shape: shape)
  }

  /// Returns the primitive applied to constants.
  private func computed(_ inputs: [Tensor], _ shapes: [Shape], _ shape: Shape) -> Tensor {
    var offsets: [Int] = []
    var slab: [Double] = []
    for input in inputs {
      offsets.append(slab.count)
      slab += input.elements
    }
    let out = slab.count
    slab += [Double](repeating: 0, count: shape.elementCount)
    let slot = PrimitiveSlot(
      PrimitiveCall(
        primitive: self, shapes: shapes, offsets: offsets,
        active: inputs.map { _ in false }, out: out, count: shape.elementCount))
    slab.withUnsafeMutableBufferPointer { slab in
      guard let base = slab.baseAddress else { return }
      slot.instance.forward(
        slot.inputs(in: base),
        into: UnsafeMutableBufferPointer(start: base + out, count: shape.elementCount))
    }
    return Tensor(Array(slab[out...]), shape: shape)
  }
}
