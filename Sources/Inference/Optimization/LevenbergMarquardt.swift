// SPDX-License-Identifier: MIT
//
// Damped Newton steps with the Gauss–Newton curvature of the likelihood: Levenberg–Marquardt on a log density.
//
// Source: Levenberg 1944; Marquardt 1963; the damping rule is that of Nielsen 1999, IMM-REP-1999-05.

import Numerics
import Tensors

/// A maximiser that uses curvature: fast and sure where the log density is nearly a sum of squares.
///
/// Built-in operations contribute their exact second derivatives, likelihoods theirs, and second derivatives of a rendered
/// image are left out. Where that curvature is not positive definite, as it can be far from the maximum under a robust
/// loss, the residuals are reweighted instead (Gauss–Newton), which is always semi-definite but converges more slowly.
/// A log density that knows no such curvature gives its full Hessian for both; the damping then keeps steps uphill.
public struct LevenbergMarquardt: Optimizer {
  /// The largest number of steps, rejected ones included.
  public var maximumIterations = 200

  /// The promised gain in log density below which the search stops; 1e-10 is some 1e-5 of a standard deviation.
  public var tolerance = 1e-10

  /// The promised gain that the noise of a rendered image can hide: 1.4e-3 of a standard deviation.
  private let hiddenGain = 1e-6

  /// Creates the optimiser.
  public init() {}

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    var ascent = Ascent(target, from: start, control)
    guard ascent.isFinite else { return ascent.end(.notFinite) }
    let n = start.count
    var damping = 1e-3
    var growth = 2.0
    var scales = [Double](repeating: 0, count: n)
    var promise: Double?
    guard var hessian = curvature(&ascent, damping) else { return ascent.end(.curvatureNotFinite) }
    while true {
      if let reason = ascent.beginStep(of: maximumIterations, promise: promise) {
        return ascent.end(reason)
      }
      for k in 0..<n { scales[k] = max(scales[k] * 0.5, scale(hessian, k, n)) }
      // Raise the damping until the damped curvature is positive definite.
      var factor = factorize(hessian, scales, damping)
      while factor == nil && damping < 1e12 {
        damping = max(damping * 4, 1e-6)
        factor = factorize(hessian, scales, damping)
      }
      guard let factor else { return ascent.end(.noProgress) }
      let step = factor.solve(ascent.gradient)
      let slope = dot(step, ascent.gradient)
      let promised = 0.5 * slope + 0.5 * damping * weighted(step, scales)
      let isUndamped = damping * weighted(step, scales) < 0.1 * slope
      if 0.5 * slope < tolerance && (isUndamped || damping <= 1e-3) {
        ascent.withdrawStep()
        return ascent.end(.converged)
      }
      promise = promised
      let trial = ascent.evaluate(zip(ascent.position, step).map { $0 + $1 })
      let gain = trial.value - ascent.value
      let noise = ascent.rounding
      if trial.value.isFinite && gain > -noise && gain >= 1e-4 * promised - noise {
        let ratio = gain / promised
        if ascent.move(to: trial) { return ascent.end(.merged) }
        if abs(gain) <= noise && 0.5 * slope < hiddenGain { return ascent.end(.roundingLimit) }
        let cube = 2 * ratio - 1
        damping *= max(1.0 / 9, min(1, 1 - cube * cube * cube))
        growth = 2
        guard let next = curvature(&ascent, damping) else {
          return ascent.end(.curvatureNotFinite)
        }
        hessian = next
      } else {
        if damping > 1e10 {
          // Damped like this every step promises little: what counts is what an undamped one would.
          let free = factorize(hessian, scales, 0)?.solve(ascent.gradient)
          let isHidden = free.map { 0.5 * dot($0, ascent.gradient) < hiddenGain } ?? false
          return ascent.end(isHidden ? .roundingLimit : .noProgress)
        }
        damping = max(damping, 1e-8) * growth
        growth = min(growth * 2, 64)
      }
    }
  }

  /// Returns the curvature of −log density, with the loss's own second derivatives where that is positive definite; nil
  /// where it is not finite.
  private func curvature<T>(_ ascent: inout Ascent<T>, _ damping: Double) -> [Double]? {
    let n = ascent.position.count
    let exact = ascent.curvature(.lossOnly)
    let scales = (0..<n).map { scale(exact, $0, n) }
    if factorize(exact, scales, min(damping, 1e-3)) != nil { return exact }
    let semidefinite = ascent.offersGaussNewton ? ascent.curvature(.gaussNewton) : exact
    return semidefinite.allSatisfy(\.isFinite) ? semidefinite : nil
  }

  /// Returns the curvature along one coordinate, in its own unit; 1 where there is none.
  private func scale(_ hessian: [Double], _ k: Int, _ n: Int) -> Double {
    let curvature = abs(hessian[k * n + k])
    return curvature > 0 ? curvature : 1
  }

  /// Returns Σ scale · step².
  private func weighted(_ step: [Double], _ scales: [Double]) -> Double {
    zip(step, scales).reduce(0) { $0 + $1.0 * $1.0 * $1.1 }
  }

  /// Returns the factor of hessian + damping · diag(scales), or nil where it is not positive definite.
  private func factorize(_ hessian: [Double], _ scales: [Double], _ damping: Double)
    -> CholeskyFactor?
  {
    var matrix = hessian
    let n = scales.count
    for k in 0..<n { matrix[k * n + k] += max(damping, 1e-14) * scales[k] }
    return CholeskyFactor(matrix, n)
  }
}
