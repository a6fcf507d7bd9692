// SPDX-License-Identifier: MIT
//
// The linear map that makes a normal approximation at the mode a standard one.

import Numerics
import PPL
import Tensors

/// A linear map from a standard normal vector w: y = location + root · w.
struct Whitening: Sendable {
  /// The location.
  let location: [Double]

  /// A square root of the covariance, row-major.
  let root: [Double]

  /// The logarithm of the root's determinant.
  let logDeterminant: Double

  /// Creates a map from its parts.
  init(location: [Double], root: [Double], logDeterminant: Double) {
    self.location = location
    self.root = root
    self.logDeterminant = logDeterminant
  }

  /// Finds the mode and the curvature there; without a mode, as that of a centred hierarchy, those of the start.
  ///
  /// - Parameters:
  ///   - evaluator: The log density.
  ///   - start: Where the search for the mode starts.
  ///   - angles: The coordinates that are angles.
  ///   - isCancelled: Asked between the steps of the search.
  /// - Throws: `ModelError` of kind `notFinite` if the curvature at the mode cannot be inverted.
  init(
    _ evaluator: DensityEvaluator, from start: [Double], angles: [Int], isCancelled: () -> Bool
  ) throws {
    let mode = StandardOptimizer().maximize(evaluator, from: start, isCancelled: isCancelled)
    let n = start.count
    // A search that rises for ever ends where the density is sharp, and no place to start from.
    let center = mode.isConverged ? mode.position : start
    var gradient = start
    let height = evaluator.valueAndGradient(at: center, into: &gradient)
    var curvature = evaluator.hessian(at: center, curvature: .full).map { -$0 }
    // An angle that the density leaves flat gets the width of a turn, which wraps to uniform (to e^(−2π²)).
    for k in angles { curvature[k * n + k] += 1 / (4 * Double.pi * Double.pi) }
    guard curvature.allSatisfy(\.isFinite) else {
      throw ModelError(
        .notFinite,
        "expected a finite Hessian at the mode, found NaN or infinity; start from another point, or without .laplace"
      )
    }
    let factor = try LaplaceApproximation.factorize(curvature, n).factor
    // The search stops some 1e-5 of a deviation from the mode; with the factor at hand a step of Newton's costs nothing.
    let polished = zip(center, factor.solve(gradient)).map { $0 + $1 }
    let isBetter = mode.isConverged && evaluator.value(at: polished) >= height
    var root = [Double](repeating: 0, count: n * n)
    var unit = [Double](repeating: 0, count: n)
    for c in 0..<n {
      unit[c] = 1
      for (r, value) in factor.solveTransposed(unit).enumerated() { root[r * n + c] = value }
      unit[c] = 0
    }
    self.init(
      location: isBetter ? polished : center, root: root,
      logDeterminant: -0.5 * factor.logDeterminant)
  }

  /// Returns the row of the root that gives one coordinate.
  func row(_ k: Int) -> [Double] {
    Array(root[(k * location.count)..<((k + 1) * location.count)])
  }

  /// Returns y = location + root · w.
  func apply(_ w: Tensor) -> Tensor {
    Tensor(location) + Tensor(root, shape: [location.count, location.count]).matmul(w)
  }
}
