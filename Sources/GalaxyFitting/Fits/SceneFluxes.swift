// SPDX-License-Identifier: MIT
//
// The fluxes of a scene whose shapes are guesses: a linear problem, solved for all sources and the sky at once.

import Inference
import Tensors

/// The factors by which the images of sources, and the change of the sky by which all pixels, come closest to an image.
///
/// Weighted least squares, in which no source falls below a tenth of its guess, so that none is lost before its shape is known, and
/// each is drawn to its guess by an error of three times as much: sources at the same place share their light.
struct SceneFluxes {
  /// The factor of each source.
  let factors: [Double]

  /// What is added to the sky.
  let sky: Double

  /// The smallest factor.
  private static let smallest = 0.1

  /// The error of a guess, as a share of it.
  private static let guessError = 3.0

  /// Solves the problem.
  ///
  /// - Parameters:
  ///   - images: The image of each source, row-major.
  ///   - residual: The observed image less all that is drawn.
  ///   - weights: The weight of each pixel, 1 / rms²; 0 where it is masked.
  ///   - isFree: Whether the flux of each source is to be found.
  ///   - isSkyFree: Whether the sky is.
  init(
    _ images: [[Double]], residual: [Double], weights: [Double], isFree: [Bool], isSkyFree: Bool
  ) {
    let free = images.indices.filter { isFree[$0] }
    let count = free.count + (isSkyFree ? 1 : 0)
    var gram = [Double](repeating: 0, count: count * count)
    var slope = [Double](repeating: 0, count: count)
    let roots = weights.map { $0.squareRoot() }
    // Products of some rows of pixels at a time: all at once would take as much memory again as the images.
    let part = 16_384
    for first in stride(from: 0, to: residual.count, by: part) where count > 0 {
      let pixels = first..<min(residual.count, first + part)
      var columns: [Double] = []
      columns.reserveCapacity((count + 1) * pixels.count)
      for number in free { for k in pixels { columns.append(roots[k] * images[number][k]) } }
      if isSkyFree { columns += roots[pixels] }
      for k in pixels { columns.append(roots[k] * residual[k]) }
      let matrix = Tensor(columns, shape: [count + 1, pixels.count])
      let products = matrix.matmul(matrix.transposed()).elements
      for r in 0..<count {
        for c in 0..<count { gram[r * count + c] += products[r * (count + 1) + c] }
        slope[r] += products[r * (count + 1) + count]
      }
    }
    for k in free.indices { gram[k * count + k] += 1 / (Self.guessError * Self.guessError) }
    // Coordinate descent with a bound converges for any positive definite matrix; a thousandth of a guess is enough for a start.
    var change = [Double](repeating: 0, count: count)
    for _ in 0..<200 {
      var largest = 0.0
      for k in 0..<count where gram[k * count + k] > 0 {
        var next = change[k] + slope[k] / gram[k * count + k]
        if k < free.count { next = max(next, Self.smallest - 1) }
        let step = next - change[k]
        guard step != 0 else { continue }
        change[k] = next
        for r in 0..<count { slope[r] -= gram[r * count + k] * step }
        if k < free.count { largest = max(largest, abs(step)) }
      }
      if largest < 1e-3 { break }
    }
    var factors = [Double](repeating: 1, count: images.count)
    for (k, number) in free.enumerated() { factors[number] += change[k] }
    self.factors = factors
    sky = isSkyFree ? change[count - 1] : 0
  }
}
