// SPDX-License-Identifier: MIT
//
// How long trajectories are under a metric, told from the draws and the gradients of a window.

import Numerics

/// The forecast of the length of trajectories by which an automatic warm-up chooses a metric.
enum TrajectoryForecast {
  /// Returns the number of leapfrog steps, but for a constant, that a trajectory needs to cross the posterior.
  ///
  /// In coordinates in which the metric L Lᵀ is the unit matrix, steps are as long as the steepest direction allows,
  /// 1/√λmax(Lᵀ G L), and the way is that along the widest, √λmax(L⁻¹ C L⁻ᵀ). For a normal posterior the covariance G of the
  /// gradients is the inverse of that of the draws, C, and the product is the root of the condition number that remains
  /// (Langmore et al. 2019, arXiv 1905.09813). Where scales change from place to place it is not, and no metric makes G C the unit
  /// matrix: the forecast then does not promise what covariances alone would. Chance favours no metric, since draws and gradients
  /// of a normal posterior deviate together.
  ///
  /// - Parameters:
  ///   - lower: The factor L, lower triangular, row-major.
  ///   - draws: The covariance of the draws, C.
  ///   - gradients: The covariance of the gradients, G.
  ///   - n: The number of coordinates.
  /// - Returns: √(λmax(Lᵀ G L) λmax(L⁻¹ C L⁻ᵀ)); infinite where a number is not finite.
  static func steps(lower: [Double], draws: [Double], gradients: [Double], dimension n: Int)
    -> Double
  {
    guard let width = symmetricEigen(RunningCovariance.whitened(draws, lower, n), n)?.values.last,
      let slope = symmetricEigen(congruent(gradients, lower, n), n)?.values.last
    else { return .infinity }
    let steps = (width * slope).squareRoot()
    return steps.isFinite ? steps : .infinity
  }

  /// Returns Lᵀ G L.
  private static func congruent(_ g: [Double], _ lower: [Double], _ n: Int) -> [Double] {
    var half = [Double](repeating: 0, count: n * n)
    for r in 0..<n {
      for k in 0..<n {
        let factor = g[r * n + k]
        for c in 0...k { half[r * n + c] += factor * lower[k * n + c] }
      }
    }
    var whole = [Double](repeating: 0, count: n * n)
    for k in 0..<n {
      for r in 0...k {
        let factor = lower[k * n + r]
        for c in 0..<n { whole[r * n + c] += factor * half[k * n + c] }
      }
    }
    return (0..<(n * n)).map { 0.5 * (whole[$0] + whole[($0 % n) * n + $0 / n]) }
  }
}
