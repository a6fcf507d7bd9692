// SPDX-License-Identifier: MIT
//
// Normal log densities by formula, with any covariance, for tests of adaptations.

import Foundation
import Inference
import Numerics

/// A normal density of mean 0, given by the lower Cholesky factor of its covariance.
final class NormalTarget: LogDensity {
  let dimension: Int

  /// The factor, row-major.
  private let lower: [Double]

  /// The number of gradients so far.
  private(set) var evaluations = 0

  /// Creates the density of a covariance, which is positive definite.
  init(_ factor: CholeskyFactor) {
    dimension = factor.n
    lower = factor.lower
  }

  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    evaluations += 1
    let n = dimension
    var z = q
    for r in 0..<n {
      for c in 0..<r { z[r] -= lower[r * n + c] * z[c] }
      z[r] /= lower[r * n + r]
    }
    let value = -0.5 * z.reduce(0) { $0 + $1 * $1 }
    for r in (0..<n).reversed() {
      z[r] /= lower[r * n + r]
      for c in 0..<r { z[c] -= lower[r * n + c] * z[r] }
      gradient[r] = -z[r]
    }
    return value
  }

  /// Returns a target of a covariance, for runs.
  static func factory(_ factor: CholeskyFactor) -> LogDensityFactory<NormalTarget> {
    LogDensityFactory(dimension: factor.n) { NormalTarget(factor) }
  }

  /// Returns draws with the gradients there.
  static func draws(_ count: Int, _ factor: CholeskyFactor, _ key: RandomKey)
    -> (draws: [[Double]], gradients: [[Double]])
  {
    let n = factor.n
    let target = NormalTarget(factor)
    var (draws, gradients): ([[Double]], [[Double]]) = ([], [])
    for k in 0..<count {
      let z = key.folding(in: k).normals(n)
      let x = (0..<n).map { r in
        (0...r).reduce(0) { $0 + factor.lower[r * n + $1] * z[$1] }
      }
      var g = x
      _ = target.valueAndGradient(at: x, into: &g)
      draws.append(x)
      gradients.append(g)
    }
    return (draws, gradients)
  }
}

/// Returns the covariance s_i s_j (1 if i = j, else ρ), with scales from 1 down to `narrowest`.
func equicorrelated(_ n: Int, _ correlation: Double, narrowest: Double = 1) -> [Double] {
  let step = log(narrowest) / Double(max(1, n - 1))
  let scales: [Double] = (0..<n).map { k in Foundation.exp(step * Double(k)) }
  var matrix = [Double](repeating: 0, count: n * n)
  for r in 0..<n {
    for c in 0..<n { matrix[r * n + c] = scales[r] * scales[c] * (r == c ? 1 : correlation) }
  }
  return matrix
}

/// Returns the covariance ρ^|i−j|, whose eigenvalues run from (1 − ρ)/(1 + ρ) to (1 + ρ)/(1 − ρ).
func autoregressive(_ n: Int, _ correlation: Double) -> [Double] {
  var matrix = [Double](repeating: 0, count: n * n)
  for r in 0..<n {
    for c in 0..<n { matrix[r * n + c] = pow(correlation, Double(abs(r - c))) }
  }
  return matrix
}
