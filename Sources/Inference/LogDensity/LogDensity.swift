// SPDX-License-Identifier: MIT
//
// What samplers and optimisers see of a model: a log density of a vector, and its derivatives.

import Numerics
public import Tensors

/// A differentiable log density of an unconstrained vector.
///
/// A density written by hand states `dimension` and `valueAndGradient(at:into:)` on arrays; the rest follows from these,
/// second derivatives by central differences.
///
/// An evaluator owns the memory it works in and belongs to one thread. Values may be −∞ or NaN; algorithms treat both as
/// outside the support.
public protocol LogDensity: AnyObject {
  /// The length of the vector.
  var dimension: Int { get }

  /// Returns the log density at a point.
  func value(at q: [Double]) -> Double

  /// Returns the log density at a point and sets its gradient.
  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double

  /// Returns the log density at a point and sets its gradient, on plain memory: what samplers call in their inner loops.
  func valueAndGradient(
    at q: UnsafeBufferPointer<Double>, into gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double

  /// Returns memory for the vectors of an algorithm; the same again at the next call, so that no step allocates.
  func workspace(vectors: Int) -> Workspace

  /// Sets the product of the Hessian at a point with a direction; returns the log density.
  func hessianVectorProduct(at q: [Double], _ direction: [Double], into product: inout [Double])
    -> Double

  /// Whether the density knows a curvature that is not its full Hessian: Gauss–Newton curvature of some of its parts.
  var offersGaussNewton: Bool { get }

  /// Returns the Hessian at a point, row-major, symmetric, with a choice of what primitives contribute.
  ///
  /// - Complexity: `dimension` Hessian-vector products.
  func hessian(at q: [Double], curvature: Curvature) -> [Double]
}

extension LogDensity {
  /// Returns the log density by way of its gradient.
  public func value(at q: [Double]) -> Double {
    var unused = [Double](repeating: 0, count: q.count)
    return valueAndGradient(at: q, into: &unused)
  }

  /// Sets the product of the Hessian with a direction from central differences of the gradient, of second order.
  public func hessianVectorProduct(
    at q: [Double], _ direction: [Double], into product: inout [Double]
  ) -> Double {
    // The cube root of the rounding unit balances the truncation h² against the rounding ε/h.
    let length = direction.reduce(0) { max($0, abs($1)) }
    let size = q.reduce(1) { max($0, abs($1)) }
    let h = length > 0 ? 6e-6 * size / length : 0
    var (ahead, behind) = (product, product)
    _ = valueAndGradient(at: zip(q, direction).map { $0 + h * $1 }, into: &ahead)
    _ = valueAndGradient(at: zip(q, direction).map { $0 - h * $1 }, into: &behind)
    for k in product.indices { product[k] = h > 0 ? (ahead[k] - behind[k]) / (2 * h) : 0 }
    return value(at: q)
  }

  /// Returns the log density and sets its gradient by way of arrays.
  public func valueAndGradient(
    at q: UnsafeBufferPointer<Double>, into gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    var g = [Double](repeating: 0, count: q.count)
    let value = valueAndGradient(at: Array(q), into: &g)
    for k in g.indices { gradient[k] = g[k] }
    return value
  }

  /// Returns new memory at each call.
  public func workspace(vectors: Int) -> Workspace {
    Workspace(dimension: dimension, vectors: vectors)
  }

  public var offersGaussNewton: Bool { false }

  /// Returns the Hessian at a point, row-major, symmetric.
  public func hessian(at q: [Double]) -> [Double] { hessian(at: q, curvature: .full) }

  /// Returns the full Hessian, whatever curvature is asked for.
  public func hessian(at q: [Double], curvature: Curvature) -> [Double] {
    let n = dimension
    var rows = [Double](repeating: 0, count: n * n)
    var direction = [Double](repeating: 0, count: n)
    var product = direction
    for k in 0..<n {
      direction[k] = 1
      _ = hessianVectorProduct(at: q, direction, into: &product)
      direction[k] = 0
      for c in 0..<n { rows[k * n + c] = product[c] }
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

/// Runs the compiled log density of a model.
public final class DensityEvaluator: LogDensity {
  public let dimension: Int
  private let evaluator: FunctionEvaluator

  /// The memory that algorithms work in, made at the first call.
  private var memory: Workspace?

  /// Asked before each gradient where a step takes long; once it says true, log densities are NaN and the step soon ends.
  var interruption: (() -> Bool)? {
    didSet { isInterruptible = interruption != nil }
  }

  /// Whether there is something to ask: a function in a property is retained at each look, a number is not.
  private var isInterruptible = false

  /// Creates an evaluator for a compiled function of one vector.
  init(_ function: CompiledFunction) {
    dimension = function.inputCount
    evaluator = function.makeEvaluator()
  }

  /// The number of evaluations so far, of any kind.
  public var evaluations: Int { evaluator.evaluations }

  /// The number of times the model was run anew; zero unless its control flow depends on values.
  public var recordings: Int { evaluator.recordings }

  public func value(at q: [Double]) -> Double {
    q.withUnsafeBufferPointer { evaluator.scalarValue(at: $0) }
  }

  public func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    demand(
      gradient.count == dimension,
      "valueAndGradient: expected a gradient of \(dimension) elements, got \(gradient.count)")
    return q.withUnsafeBufferPointer { q in
      gradient.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: q, into: $0) }
    }
  }

  public func valueAndGradient(
    at q: UnsafeBufferPointer<Double>, into gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    if isInterruptible && isInterrupted { return .nan }
    return evaluator.valueAndGradient(at: q, into: gradient)
  }

  /// Whether the step is to end.
  @inline(never)
  private var isInterrupted: Bool { interruption?() ?? false }

  public func workspace(vectors: Int) -> Workspace {
    if let memory, memory.vectors >= vectors { return memory }
    let made = Workspace(dimension: dimension, vectors: vectors)
    memory = made
    return made
  }

  public func hessianVectorProduct(
    at q: [Double], _ direction: [Double], into product: inout [Double]
  ) -> Double {
    demand(
      product.count == dimension,
      "hessianVectorProduct: expected a product of \(dimension) elements, got \(product.count)")
    return q.withUnsafeBufferPointer { q in
      direction.withUnsafeBufferPointer { direction in
        product.withUnsafeMutableBufferPointer {
          evaluator.hessianVectorProduct(at: q, direction, into: $0)
        }
      }
    }
  }

  public var offersGaussNewton: Bool { evaluator.hasPrimitives }

  public func hessian(at q: [Double], curvature: Curvature) -> [Double] {
    evaluator.hessian(at: q, curvature: curvature)
  }
}
