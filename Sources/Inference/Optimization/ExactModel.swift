// SPDX-License-Identifier: MIT
//
// The exact maximum of a quadratic model in a trust region, from the eigenvectors of the Hessian.
//
// Source: Moré and Sorensen 1983, SIAM J. Sci. Stat. Comput. 4, 553; Conn, Gould and Toint 2000, section 7.3.

import Numerics
import Tensors

/// A quadratic model by its eigenvalues: maximised exactly for any Hessian, indefinite and singular ones included.
///
/// The radius is measured in units of the curvature along each coordinate, so that the scales of the coordinates do not
/// matter; where a curvature passes through zero its last values count (Moré's rule, with forgetting).
struct ExactModel: QuadraticModel {
  /// Square roots of the curvatures along the coordinates.
  private var scales: [Double]

  /// The spectrum of the scaled curvature of −log density.
  private var spectrum: SymmetricEigen?

  /// The scaled gradient along the eigenvectors.
  private var slopes: [Double] = []

  /// The curvature that is zero to the rounding of the decomposition.
  private var flat = 0.0

  let smallestRadius = 1e-10

  /// Creates the model of no point yet.
  init(dimension: Int) { scales = [Double](repeating: 0, count: dimension) }

  mutating func move<T>(to ascent: inout Ascent<T>) -> Bool {
    var matrix = ascent.curvature(.full)
    let n = scales.count
    for k in 0..<n {
      let curvature = abs(matrix[k * n + k]).squareRoot()
      // NaN stays in the matrix, so that the decomposition refuses it.
      if curvature > 0 {
        scales[k] = max(0.7 * scales[k], curvature)
      } else if scales[k] == 0 {
        scales[k] = 1
      }
    }
    for r in 0..<n {
      for c in 0..<n { matrix[r * n + c] /= scales[r] * scales[c] }
    }
    guard let found = SymmetricEigen(matrix, n) else { return false }
    slopes = found.coordinates(of: zip(ascent.gradient, scales).map { $0 / $1 })
    flat = 1e-15 * Double(n) * max(abs(found.values.last ?? 0), abs(found.values.first ?? 0), 1)
    spectrum = found
    return true
  }

  mutating func step<T>(within radius: Double, _ ascent: inout Ascent<T>) -> ModelStep {
    guard let spectrum, let lowest = spectrum.values.first else {
      return ModelStep(direction: [], length: 0, gain: .nan, promise: .nan)
    }
    let values = spectrum.values
    let shift = shift(values, lowest, radius)
    var coordinates = values.indices.map { k in
      slopes[k] == 0 ? 0 : slopes[k] / (values[k] + shift)
    }
    var length = dot(coordinates, coordinates).squareRoot()
    if lowest < -flat && length < 0.999 * radius {
      // The hard case: the gradient has no part along the highest ridge, which is followed to the edge all the same.
      let rest = (radius * radius - length * length).squareRoot()
      coordinates[0] += slopes[0] < 0 ? -rest : rest
      length = radius
    }
    var gain = 0.0
    // What the gradient promises within one unit, whatever the radius; upward curvature left aside.
    var promise = 0.0
    for k in values.indices {
      gain += coordinates[k] * (slopes[k] - 0.5 * values[k] * coordinates[k])
      promise +=
        values[k] > flat
        ? min(0.5 * slopes[k] * slopes[k] / values[k], abs(slopes[k])) : abs(slopes[k])
    }
    return ModelStep(
      direction: zip(spectrum.vector(coordinates), scales).map { $0 / $1 }, length: length,
      gain: gain, promise: promise)
  }

  mutating func escapes<T>(_ ascent: inout Ascent<T>) -> Bool { false }

  /// Returns μ ≥ 0 with B + μ positive semi-definite and ‖(B + μ)⁻¹ g‖ ≤ radius, zero or the smallest such number.
  private func shift(_ values: [Double], _ lowest: Double, _ radius: Double) -> Double {
    let length = dot(slopes, slopes).squareRoot()
    if lowest > flat && norm(values, 0).length <= radius { return 0 }
    // μ + lowest > 0 lies between zero and ‖g‖ / radius.
    var low = max(0, -lowest)
    var high = max(low, length / radius - lowest)
    if low + lowest <= 0 {
      let edge = low + flat
      // Even at the pole the step stays inside: flat directions without a slope, or the hard case.
      if norm(values, edge).length <= radius { return edge }
      low = edge
    }
    var shift = low
    for _ in 0..<60 {
      let (size, derivative) = norm(values, shift)
      if abs(size - radius) <= 1e-3 * radius { break }
      if size > radius { low = shift } else { high = shift }
      // Newton's step on 1/‖s‖, nearly linear in μ and concave: quadratic from the left.
      shift += (size - radius) / radius * size * size / derivative
      if !(shift > low && shift < high) { shift = 0.5 * (low + high) }
    }
    return shift
  }

  /// Returns ‖(B + μ)⁻¹ g‖ and Σ g² / (B + μ)³.
  private func norm(_ values: [Double], _ shift: Double) -> (length: Double, cubes: Double) {
    var (squares, cubes) = (0.0, 0.0)
    for k in values.indices where slopes[k] != 0 {
      let inverse = 1 / (values[k] + shift)
      let square = slopes[k] * slopes[k] * inverse * inverse
      squares += square
      cubes += square * inverse
    }
    return (squares.squareRoot(), cubes)
  }
}
