// SPDX-License-Identifier: MIT
//
// Log densities in plain arithmetic, written apart from the package: what the reference models are compared with.

import Foundation
import PPL
import Tensors

/// Returns the log density of a normal variable.
func normal(_ x: Double, _ loc: Double, _ scale: Double) -> Double {
  -0.5 * ((x - loc) / scale) * ((x - loc) / scale) - log(scale) - 0.5 * log(2 * Double.pi)
}

/// Returns the log density of the absolute value of a normal variable about zero.
func halfNormal(_ x: Double, _ scale: Double) -> Double { normal(x, 0, scale) + log(2) }

/// Returns the log density of the absolute value of a Cauchy variable about zero.
func halfCauchy(_ x: Double, _ scale: Double) -> Double {
  log(2 / (Double.pi * scale * (1 + x * x / (scale * scale))))
}

/// Returns log(e^a + e^b).
func logSum(_ a: Double, _ b: Double) -> Double {
  let top = max(a, b)
  return top + log(exp(a - top) + exp(b - top))
}

/// Returns the log density of a normal vector of zero mean, by Gaussian elimination of its covariance.
func normalVector(_ x: [Double], covariance: [[Double]]) -> Double {
  var a = covariance
  var b = x
  let n = x.count
  var logDet = 0.0
  for k in 0..<n {
    logDet += log(a[k][k])
    for i in (k + 1)..<max(n, k + 1) {
      let factor = a[i][k] / a[k][k]
      for j in k..<n { a[i][j] -= factor * a[k][j] }
      b[i] -= factor * b[k]
    }
  }
  // xᵀ Σ⁻¹ x = Σ b_k²/pivot_k of the eliminated system.
  let distance = (0..<n).reduce(0.0) { $0 + b[$1] * b[$1] / a[$1][$1] }
  return -0.5 * (distance + logDet + Double(n) * log(2 * Double.pi))
}

/// Returns the log joint density of a model, as its author wrote it, at given values of its latent sites; NaN after a mistake.
func logJoint(_ model: Model<Void>, _ values: [String: Tensor]) -> Tensor {
  (try? model.substituting(values).trace())?.logJoint ?? Tensor(.nan)
}
