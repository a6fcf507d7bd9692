// SPDX-License-Identifier: MIT
//
// A maximum that a search has found, with the curvature there: what later searches are compared with.

import Numerics
import Tensors

/// A maximum that a search has found, with the curvature there.
struct KnownMaximum: Sendable {
  /// The search that came highest on it.
  private(set) var optimum: Optimum

  /// The factor of −Hessian with a little added to its diagonal, for directions without curvature; nil where there is none.
  private let factor: CholeskyFactor?

  /// The number of coordinates above which no Hessian is taken: it costs as many products.
  private static let largestDimension = 500

  /// Takes the curvature at a maximum.
  init(_ optimum: Optimum, _ target: some LogDensity) {
    self.optimum = optimum
    let n = optimum.position.count
    guard n <= KnownMaximum.largestDimension else {
      factor = nil
      return
    }
    var curvature = target.hessian(at: optimum.position, curvature: .gaussNewton).map { -$0 }
    for k in 0..<n { curvature[k * n + k] += 1e-9 * abs(curvature[k * n + k]) + 1e-300 }
    factor = CholeskyFactor(curvature, n)
  }

  /// Takes over another search's end at the same maximum where that is higher.
  mutating func improve(with other: Optimum) {
    if other.value > optimum.value { optimum = other }
  }

  /// Returns whether a point lies within two standard deviations, and close enough in height to be on the same hill.
  func isReached(by point: [Double], _ value: Double) -> Bool {
    guard let factor, optimum.value - value < 4, value <= optimum.value + 1e-9 else { return false }
    return factor.squaredLength(difference(point, optimum.position)) < 4
  }

  /// Returns whether another search has ended at the same maximum: as high, and within a tenth of a standard deviation.
  ///
  /// Points of a flat ridge are one maximum. Without a curvature the coordinates must agree to a part in a thousand.
  func isSame(as other: Optimum) -> Bool {
    // Searches stop 1e-10 short of the maximum where their curvature is right, and some decades more where it is a guess.
    guard abs(other.value - optimum.value) < 1e-4 + 1e-12 * abs(optimum.value) else { return false }
    let step = difference(other.position, optimum.position)
    guard let factor else {
      let size = dot(optimum.position, optimum.position).squareRoot()
      return dot(step, step).squareRoot() < 1e-3 * (1 + size)
    }
    return factor.squaredLength(step) < 0.01
  }
}
