// SPDX-License-Identifier: MIT
//
// The models of these tests, and helpers to look at their densities.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

/// The effects of Rubin 1981.
let effects: [Double] = [28, 8, -3, 7, -1, 1, 18, 12]

/// Their standard errors.
let errors: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]

/// Rubin's eight schools, centred.
let eightSchools = Model { m in
  let mu = m.sample("mu", Normal(0, 5))
  let tau = m.sample("tau", HalfCauchy(5))
  m.plate("schools", 8) {
    let theta = m.sample("theta", Normal(mu, tau))
    m.observe("y", Normal(theta, errors), effects)
  }
}

/// The same, non-centred.
let noncentred = eightSchools.reparameterized(["theta": LocScale()])

/// A straight line through points with known errors: linear and Gaussian, so its posterior is known in closed form.
let line = Model { m in
  let slope = m.sample("slope", Normal(1, 2))
  let height = m.sample("height", Normal(-1, 3))
  m.observe("y", Normal(slope * Tensor(abscissae) + height, 0.7), ordinates)
}

/// The abscissae of `line`.
let abscissae: [Double] = [-2, -1, 0, 0.5, 1, 3]

/// The ordinates of `line`.
let ordinates: [Double] = [-3.2, -1.9, 0.4, 1.0, 2.2, 5.1]

/// Returns the value of a tensor function at a number.
func plain(_ x: Double, _ f: (Tensor) -> Tensor) -> Double { f(Tensor(x)).item() }

/// Returns the log density of a normal variable.
func logNormal(_ x: Double, _ loc: Double, _ scale: Double) -> Double {
  let z = (x - loc) / scale
  return -0.5 * z * z - plain(scale) { log($0) } - 0.9189385332046727
}

/// Returns the log density of a half-Cauchy variable.
func logHalfCauchy(_ x: Double, _ scale: Double) -> Double {
  plain(2 / (Double.pi * scale * (1 + x * x / (scale * scale)))) { log($0) }
}

/// Returns value and gradient of a density.
func derivative(_ evaluator: DensityEvaluator, _ q: [Double]) -> (value: Double, gradient: [Double])
{
  var g = [Double](repeating: .nan, count: q.count)
  let value = evaluator.valueAndGradient(at: q, into: &g)
  return (value, g)
}

/// Whether two numbers agree to rounding errors of sums of a few dozen terms, or to a given tolerance.
func near(_ x: Double, _ y: Double, _ tolerance: Double = 1e-12) -> Bool {
  abs(x - y) <= tolerance * max(1, abs(x), abs(y))
}

/// Returns the first mistake that `body` throws, or nil.
func mistake(_ body: () throws -> Void) -> ModelError? {
  do {
    try body()
    return nil
  } catch {
    return error as? ModelError
  }
}

/// A log density given by a formula, for optimisers that need no model.
final class Formula: LogDensity {
  let dimension: Int
  private let evaluator: FunctionEvaluator

  /// Records a formula of one vector.
  init(_ dimension: Int, _ f: @escaping @Sendable (Tensor) -> Tensor) {
    self.dimension = dimension
    evaluator = CompiledFunction(at: [.zeros([dimension])]) { [f($0[0])] }.makeEvaluator()
  }

  func value(at q: [Double]) -> Double {
    q.withUnsafeBufferPointer { evaluator.scalarValue(at: $0) }
  }

  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    q.withUnsafeBufferPointer { q in
      gradient.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: q, into: $0) }
    }
  }

  func hessianVectorProduct(at q: [Double], _ direction: [Double], into product: inout [Double])
    -> Double
  {
    q.withUnsafeBufferPointer { q in
      direction.withUnsafeBufferPointer { direction in
        product.withUnsafeMutableBufferPointer {
          evaluator.hessianVectorProduct(at: q, direction, into: $0)
        }
      }
    }
  }
}

/// Returns a model whose log density is a formula of a vector `x`.
func model(_ dimension: Int, _ f: @escaping @Sendable (Tensor) -> Tensor) -> Model<Void> {
  Model { m in
    let x = m.plate("p", dimension) { m.sample("x", Normal(0, 1)) }
    // The prior is taken off again, so that only the formula is left.
    m.factor("formula", f(x) - Tensor.logDensity(.normal, x, [Tensor(0), Tensor(1)]).sum())
  }
}
