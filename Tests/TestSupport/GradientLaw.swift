// SPDX-License-Identifier: MIT
//
// The law of derivatives: gradient, tangent and Hessian-vector product agree with finite differences.

public import Tensors
public import Testing

/// Checks the derivatives of a function at a point against central differences.
///
/// The function is made scalar by a fixed weighted sum of its elements. Checked: replay equals recording; reverse gradient and
/// forward tangent against differences of the value; Hessian-vector product against differences of the gradient.
///
/// `tolerance` is the allowed error relative to the largest derivative: five-point differences are good to some 1e-10,
/// 1e-7 leaves room for stiff functions.
public func checkGradient(
  _ name: String, at point: [Tensor], tolerance: Double = 1e-7, secondOrder: Bool = true,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ f: @escaping @Sendable ([Tensor]) -> Tensor
) {
  let function = CompiledFunction(at: point) { inputs in
    let y = f(inputs)
    let weights = (0..<max(1, y.count)).map { 0.3 + 0.17 * Double(($0 * 7) % 5) }
    return [(y * Tensor(weights, shape: y.shape)).sum()]
  }
  let evaluator = function.makeEvaluator()
  let x = point.flatMap(\.elements)
  let n = x.count

  /// Returns value and gradient at a point.
  func gradient(_ x: [Double]) -> (Double, [Double]) {
    var g = [Double](repeating: .nan, count: n)
    let value = x.withUnsafeBufferPointer { x in
      g.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: x, into: $0) }
    }
    return (value, g)
  }

  let (value, analytic) = gradient(x)
  let direct = f(point)
  let weights = (0..<max(1, direct.count)).map { 0.3 + 0.17 * Double(($0 * 7) % 5) }
  let expected = (direct * Tensor(weights, shape: direct.shape)).sum().item()
  #expect(
    value == expected || abs(value - expected) <= 1e-13 * abs(expected),
    "\(name): replay gives \(value), direct computation \(expected)",
    sourceLocation: sourceLocation)
  let again = gradient(x)
  #expect(
    again.1 == analytic, "\(name): a second replay gives another gradient",
    sourceLocation: sourceLocation)

  // Five-point differences: error of order h⁴ of the fifth derivative, and ε/h of the value.
  var numeric = [Double](repeating: 0, count: n)
  for k in 0..<n {
    let h = 1e-3 * max(abs(x[k]), 1e-2)
    let at = { (steps: Double) in
      var moved = x
      moved[k] += steps * h
      return gradient(moved).0
    }
    numeric[k] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
  }
  // The differences lose digits where the value is large against its change.
  let scale = max(numeric.map(abs).max() ?? 0, 1e-3 * abs(value), 1e-8)
  for k in 0..<n {
    #expect(
      abs(analytic[k] - numeric[k]) <= tolerance * scale,
      "\(name): derivative \(k) is \(analytic[k]), by differences \(numeric[k])",
      sourceLocation: sourceLocation)
  }

  let direction = (0..<n).map { 0.4 - 0.23 * Double(($0 * 5) % 4) }
  let tangent = x.withUnsafeBufferPointer { x in
    direction.withUnsafeBufferPointer { evaluator.jacobianVectorProduct(at: x, $0).tangent[0] }
  }
  let along = zip(analytic, direction).reduce(0) { $0 + $1.0 * $1.1 }
  // Same arithmetic in another order: rounding only, except in primitives that fall back to differences.
  #expect(
    abs(tangent - along) <= max(1e-10, tolerance * 1e-2) * scale * Double(n),
    "\(name): forward tangent \(tangent), reverse gradient along it \(along)",
    sourceLocation: sourceLocation)

  guard secondOrder else { return }
  var product = [Double](repeating: 0, count: n)
  x.withUnsafeBufferPointer { x in
    direction.withUnsafeBufferPointer { direction in
      product.withUnsafeMutableBufferPointer {
        _ = evaluator.hessianVectorProduct(at: x, direction, into: $0)
      }
    }
  }
  let h = 1e-3 * (zip(x, direction).map { max(abs($0), 1e-2) / max(abs($1), 1e-3) }.min() ?? 1)
  let at = { (steps: Double) in gradient(zip(x, direction).map { $0 + steps * h * $1 }).1 }
  let (near, far) = (zip(at(1), at(-1)).map { $0 - $1 }, zip(at(2), at(-2)).map { $0 - $1 })
  let slope = zip(near, far).map { (8 * $0 - $1) / (12 * h) }
  let curvature = max(slope.map(abs).max() ?? 0, 1e-3 * scale)
  for k in 0..<n {
    #expect(
      abs(product[k] - slope[k]) <= 10 * tolerance * curvature,
      "\(name): Hessian-vector product \(k) is \(product[k]), by differences \(slope[k])",
      sourceLocation: sourceLocation)
  }
}
