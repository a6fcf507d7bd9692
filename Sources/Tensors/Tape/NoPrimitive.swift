// SPDX-License-Identifier: MIT
//
// What stands for the primitives of dead instructions.

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
