// SPDX-License-Identifier: MIT
//
// Derivatives of plain functions of tensors in one call; for repeated use record a `CompiledFunction`.

/// Returns the value and the gradient of a scalar function of one tensor.
public func valueAndGradient(
  at x: Tensor, of f: @escaping @Sendable (Tensor) -> Tensor
) -> (value: Double, gradient: Tensor) {
  let evaluator = CompiledFunction(at: [x]) { [f($0[0])] }.makeEvaluator()
  var gradient = [Double](repeating: 0, count: x.count)
  let value = x.elements.withUnsafeBufferPointer { point in
    gradient.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: point, into: $0) }
  }
  return (value, Tensor(gradient, shape: x.shape))
}

/// Returns the gradient of a scalar function of one tensor.
public func gradient(at x: Tensor, of f: @escaping @Sendable (Tensor) -> Tensor) -> Tensor {
  valueAndGradient(at: x, of: f).gradient
}

/// Returns the value of a function and the product of a vector, with as many elements, with its Jacobian.
public func vjp(
  at x: Tensor, _ vector: Tensor, of f: @escaping @Sendable (Tensor) -> Tensor
) -> (value: Tensor, product: Tensor) {
  let function = CompiledFunction(at: [x]) { [f($0[0])] }
  let evaluator = function.makeEvaluator()
  var product = [Double](repeating: 0, count: x.count)
  let value = x.elements.withUnsafeBufferPointer { point in
    vector.elements.withUnsafeBufferPointer { vector in
      product.withUnsafeMutableBufferPointer {
        evaluator.vectorJacobianProduct(at: point, vector, into: $0)
      }
    }
  }
  return (Tensor(value, shape: function.outputShapes[0]), Tensor(product, shape: x.shape))
}

/// Returns the value of a function and its derivative along a direction with as many elements as `x`.
public func jvp(
  at x: Tensor, _ direction: Tensor, of f: @escaping @Sendable (Tensor) -> Tensor
) -> (value: Tensor, tangent: Tensor) {
  let function = CompiledFunction(at: [x]) { [f($0[0])] }
  let evaluator = function.makeEvaluator()
  let (value, tangent) = x.elements.withUnsafeBufferPointer { point in
    direction.elements.withUnsafeBufferPointer { direction in
      evaluator.jacobianVectorProduct(at: point, direction)
    }
  }
  let shape = function.outputShapes[0]
  return (Tensor(value, shape: shape), Tensor(tangent, shape: shape))
}

/// Returns the product of a scalar function's Hessian with a direction (forward over reverse).
public func hessianVectorProduct(
  at x: Tensor, _ direction: Tensor, of f: @escaping @Sendable (Tensor) -> Tensor
) -> Tensor {
  let evaluator = CompiledFunction(at: [x]) { [f($0[0])] }.makeEvaluator()
  var product = [Double](repeating: 0, count: x.count)
  x.elements.withUnsafeBufferPointer { point in
    direction.elements.withUnsafeBufferPointer { direction in
      product.withUnsafeMutableBufferPointer {
        _ = evaluator.hessianVectorProduct(at: point, direction, into: $0)
      }
    }
  }
  return Tensor(product, shape: x.shape)
}

/// Returns the Hessian of a scalar function, shape `[n, n]` for `n` elements of `x`.
public func hessian(at x: Tensor, of f: @escaping @Sendable (Tensor) -> Tensor) -> Tensor {
  let evaluator = CompiledFunction(at: [x]) { [f($0[0])] }.makeEvaluator()
  return Tensor(evaluator.hessian(at: x.elements), shape: [x.count, x.count])
}

extension FunctionEvaluator {
  /// Returns the Hessian of a scalar function, row-major, made symmetric.
  ///
  /// - Complexity: One Hessian-vector product for each input element.
  public func hessian(at point: [Double], curvature: Curvature = .full) -> [Double] {
    let n = point.count
    var rows = [Double](repeating: 0, count: n * n)
    var direction = [Double](repeating: 0, count: n)
    keepingJacobians(curvature) {
      for k in 0..<n {
        direction[k] = 1
        point.withUnsafeBufferPointer { point in
          direction.withUnsafeBufferPointer { direction in
            rows.withUnsafeMutableBufferPointer { rows in
              _ = hessianVectorProduct(
                at: point, direction,
                into: UnsafeMutableBufferPointer(rebasing: rows[(k * n)..<((k + 1) * n)]),
                curvature: curvature)
            }
          }
        }
        direction[k] = 0
      }
    }
    for r in 0..<n {
      for c in 0..<r {
        let mean = 0.5 * (rows[r * n + c] + rows[c * n + r])
        rows[r * n + c] = mean
        rows[c * n + r] = mean
      }
    }
    return rows
  }
}
