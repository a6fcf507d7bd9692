// SPDX-License-Identifier: MIT
//
// Fluxes of sources of known shape in one image, with its sky: weighted linear least squares.

import GalaxyModels
import Numerics
import Rendering

/// The fluxes of sources whose shapes are known, and the sky under them.
struct ForcedPhotometry {
  /// The flux of each source, image units.
  private(set) var fluxes: [Double]

  /// One standard deviation of each flux from the noise, the other fluxes and the sky being free.
  private(set) var errors: [Double]

  /// The parameters of the sky, in the order of its sites.
  private(set) var sky: [Double]

  /// A share of the largest curvature that keeps the equations solvable where a source has no light in the image.
  private static let ridge = 1e-12

  /// Measures the fluxes.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - shapes: The image of each source with flux 1, row-major.
  ///   - kind: The form of the sky.
  init(_ image: ObservedImage, shapes: [[Double]], sky kind: SkyKind) {
    let center = image.center
    let pixels = image.science.indices
    var columns = shapes
    if kind != .none { columns.append(pixels.map { _ in 1 }) }
    if kind == .tiltedPlane {
      columns.append(pixels.map { Double($0 % image.width) - center.x })
      columns.append(pixels.map { Double($0 / image.width) - center.y })
    }
    let n = columns.count
    var matrix = [Double](repeating: 0, count: n * n)
    var right = [Double](repeating: 0, count: n)
    for i in 0..<n {
      for k in pixels where !image.mask[k] {
        let weighted = columns[i][k] / (image.rms[k] * image.rms[k])
        right[i] += weighted * image.science[k]
        for j in 0...i { matrix[i * n + j] += weighted * columns[j][k] }
      }
    }
    // Each column has its own unit: the matrix is brought to a unit diagonal.
    let scales = (0..<n).map { k in
      let curvature = matrix[k * n + k]
      return curvature > 0 ? 1 / curvature.squareRoot() : 0
    }
    for i in 0..<n {
      for j in 0...i { matrix[i * n + j] *= scales[i] * scales[j] }
      matrix[i * n + i] += scales[i] > 0 ? Self.ridge : 1
    }
    guard let factor = CholeskyFactor(matrix, n) else {
      fluxes = shapes.map { _ in 0 }
      errors = shapes.map { _ in .infinity }
      sky = kind.sites.map { _ in 0 }
      return
    }
    let solution = zip(factor.solve(zip(right, scales).map { $0 * $1 }), scales).map { $0 * $1 }
    let covariance = factor.inverse
    fluxes = Array(solution[..<shapes.count])
    errors = shapes.indices.map { k in
      scales[k] > 0 ? covariance[k * n + k].squareRoot() * scales[k] : .infinity
    }
    sky = Array(solution[shapes.count...])
  }
}
