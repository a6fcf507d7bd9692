// SPDX-License-Identifier: MIT
//
// Fused log densities: value and all partial derivatives in one pass over the elements.

import Numerics

extension Tensor {
  /// Returns a log density, element by element, or summed over all elements.
  ///
  /// Outside the support it is −∞ and its derivatives are zero; for an impossible parameter (scale ≤ 0) it is NaN.
  ///
  /// - Parameters:
  ///   - kind: The density; it says which parameters it takes.
  ///   - x: Where it is evaluated.
  ///   - parameters: The parameters; all broadcast with `x`.
  ///   - summed: Whether to return the sum, a scalar.
  /// - Returns: The log density, in the shape that `x` and the parameters broadcast to, or its sum.
  public static func logDensity(
    _ kind: DensityKind, _ x: Tensor, _ parameters: [Tensor], summed: Bool = false
  ) -> Tensor {
    demand(
      parameters.count == kind.parameterCount,
      "logDensity(\(kind)): expected \(kind.parameterCount) parameters, got \(parameters.count)")
    guard let shape = broadcastShape([x.shape] + parameters.map(\.shape)) else {
      stop(
        "logDensity(\(kind)): expected shapes that broadcast, got \(x.shape) and \(parameters.map(\.shape))"
      )
    }
    if summed, kind == .normal, let sum = normalFixedScale(x, parameters, shape) { return sum }
    let operands = ([x] + parameters).map { $0.spread(to: shape) }
    var i = Instruction(operation: .logDensity)
    i.n = Int32(shape.elementCount)
    i.variant = kind.rawValue << 1 | (summed ? 1 : 0)
    for (k, operand) in operands.enumerated() where operand.count == shape.elementCount {
      i.strides |= 1 << UInt8(k)
    }
    var application = Application(
      instruction: i, operands: operands, shape: summed ? [] : shape)
    application.scratch = { DensityScratch<Double>.count($0) }
    return application()
  }

  /// Returns the summed normal density with a constant scale, its logarithms taken once; nil where it does not apply.
  private static func normalFixedScale(_ x: Tensor, _ parameters: [Tensor], _ shape: Shape)
    -> Tensor?
  {
    guard x.isTraced || parameters[0].isTraced,
      let scales = parameters[1].constantElements, scales.allSatisfy({ $0 > 0 })
    else { return nil }
    let n = shape.elementCount
    let repeats = Double(n) / Double(Swift.max(1, scales.count))
    var i = Instruction(operation: .normalFixedScale)
    i.n = Int32(n)
    i.immediate =
      -repeats * scales.reduce(0) { $0 + Double.log($1) } - Double(n) * halfLogTwoPi
    let inverse = Tensor(scales.map { 1 / $0 }, shape: parameters[1].shape)
    let operands = [x, parameters[0], inverse].map { $0.spread(to: shape) }
    for (k, operand) in operands.enumerated() where operand.count == n {
      i.strides |= 1 << UInt8(k)
    }
    return Application(instruction: i, operands: operands, shape: [])()
  }
}
