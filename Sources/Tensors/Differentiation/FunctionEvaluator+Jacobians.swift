// SPDX-License-Identifier: MIT
//
// The Jacobians of primitives, kept between the passes at one point.

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
