// SPDX-License-Identifier: MIT
//
// Damped Newton steps with the Gauss–Newton curvature of the likelihood: Levenberg–Marquardt on a log density.
//
// Source: Levenberg 1944; Marquardt 1963; the damping rule is that of Nielsen 1999, IMM-REP-1999-05.

import Tensors

/// A maximiser that uses curvature: fast and sure where the log density is nearly a sum of squares.
///
/// Built-in operations contribute their exact second derivatives, likelihoods theirs, and second derivatives of a rendered
/// image are left out. Where that curvature is not positive definite, as it can be far from the maximum under a robust
/// loss, the residuals are reweighted instead (Gauss–Newton), which is always semi-definite but converges more slowly.
public struct LevenbergMarquardt: Sendable {
  /// The largest number of steps, rejected ones included.
  public var maximumIterations = 200

  /// The promised gain in log density below which the search stops; 1e-10 is some 1e-5 of a standard deviation.
  public var tolerance = 1e-10

  /// Creates the optimiser.
  public init() {}

  /// Searches for the maximum of a model's log density from a point.
  ///
  /// - Parameters:
  ///   - target: The log density.
  ///   - start: The point.
  ///   - isCancelled: Asked between steps.
  ///   - joins: Asked at each new point, with its log density, whether the search is as good as an earlier one.
  /// - Returns: The last point, and why the search stopped there.
  public func maximize(
    _ target: DensityEvaluator, from start: [Double], isCancelled: () -> Bool = { false },
    joins: ([Double], Double) -> Bool = { _, _ in false }
  ) -> Optimum {
    let before = target.evaluations
    var optimum = climb(target, start, isCancelled, joins)
    optimum.evaluations = target.evaluations - before
    return optimum
  }

  /// Climbs from a point; evaluations are counted by the caller.
  private func climb(
    _ target: DensityEvaluator, _ start: [Double], _ isCancelled: () -> Bool,
    _ joins: ([Double], Double) -> Bool
  ) -> Optimum {
    var search = Search(target, start)
    guard search.isFinite else { return search.result(.notFinite, 0) }
    let n = start.count
    var damping = 1e-3
    var growth = 2.0
    var scales = [Double](repeating: 0, count: n)
    var hessian = curvature(target, search.position, damping)
    for iteration in 0..<maximumIterations {
      if isCancelled() { return search.result(.cancelled, iteration) }
      for k in 0..<n { scales[k] = max(scales[k] * 0.5, scale(hessian, k, n)) }
      // Raise the damping until the damped curvature is positive definite.
      var factor = factorize(hessian, scales, damping)
      while factor == nil && damping < 1e12 {
        damping = max(damping * 4, 1e-6)
        factor = factorize(hessian, scales, damping)
      }
      guard let factor else { return search.result(.noProgress, iteration) }
      let step = factor.solve(search.gradient)
      let slope = dot(step, search.gradient)
      let promised = 0.5 * slope + 0.5 * damping * weighted(step, scales)
      let isUndamped = damping * weighted(step, scales) < 0.1 * slope
      if 0.5 * slope < tolerance && (isUndamped || damping <= 1e-3) {
        return search.result(.converged, iteration)
      }
      let trial = Search(target, zip(search.position, step).map { $0 + $1 })
      let gain = trial.value - search.value
      let noise = 1e-15 * abs(search.value)
      if trial.isFinite && gain > -noise && gain >= 1e-4 * promised - noise {
        let ratio = gain / promised
        search = trial
        if joins(search.position, search.value) { return search.result(.merged, iteration + 1) }
        if abs(gain) <= noise && 0.5 * slope < 1e-6 {
          return search.result(.roundingLimit, iteration + 1)
        }
        let cube = 2 * ratio - 1
        damping *= max(1.0 / 9, min(1, 1 - cube * cube * cube))
        growth = 2
        hessian = curvature(target, search.position, damping)
      } else {
        if damping > 1e10 {
          return search.result(0.5 * slope < 1e-9 ? .roundingLimit : .noProgress, iteration)
        }
        damping = max(damping, 1e-8) * growth
        growth = min(growth * 2, 64)
      }
    }
    return search.result(.iterationLimit, maximumIterations)
  }

  /// Returns the curvature of −log density: with the loss's own second derivatives where that is positive definite.
  private func curvature(_ target: DensityEvaluator, _ q: [Double], _ damping: Double) -> [Double] {
    let exact = target.hessian(at: q, curvature: .lossOnly).map { -$0 }
    let scales = q.indices.map { scale(exact, $0, q.count) }
    if factorize(exact, scales, min(damping, 1e-3)) != nil { return exact }
    return target.hessian(at: q, curvature: .gaussNewton).map { -$0 }
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

/// The Cholesky factor of a symmetric positive-definite matrix, row-major lower triangle.
public struct CholeskyFactor: Sendable {
  /// The number of rows.
  public let n: Int

  /// L with L Lᵀ = A, row-major, zero above the diagonal.
  public let lower: [Double]

  /// Factorises a matrix; nil where it is not positive definite.
  public init?(_ matrix: [Double], _ n: Int) {
    var l = matrix
    for c in 0..<n {
      var pivot = l[c * n + c]
      for k in 0..<c { pivot -= l[c * n + k] * l[c * n + k] }
      guard pivot > 0, pivot.isFinite else { return nil }
      let root = pivot.squareRoot()
      l[c * n + c] = root
      for r in (c + 1)..<max(n, c + 1) {
        var total = l[r * n + c]
        for k in 0..<c { total -= l[r * n + k] * l[c * n + k] }
        l[r * n + c] = total / root
      }
      for k in (c + 1)..<max(n, c + 1) { l[c * n + k] = 0 }
    }
    self.n = n
    lower = l
  }

  /// Returns A⁻¹ b.
  public func solve(_ b: [Double]) -> [Double] { solveTransposed(solveLower(b)) }

  /// Returns L⁻¹ b.
  public func solveLower(_ b: [Double]) -> [Double] {
    var x = b
    for r in 0..<n {
      for k in 0..<r { x[r] -= lower[r * n + k] * x[k] }
      x[r] /= lower[r * n + r]
    }
    return x
  }

  /// Returns L⁻ᵀ b.
  public func solveTransposed(_ b: [Double]) -> [Double] {
    var x = b
    for r in (0..<n).reversed() {
      for k in (r + 1)..<max(n, r + 1) { x[r] -= lower[k * n + r] * x[k] }
      x[r] /= lower[r * n + r]
    }
    return x
  }

  /// Returns xᵀ A x.
  public func squaredLength(_ x: [Double]) -> Double {
    var total = 0.0
    for c in 0..<n {
      var part = 0.0
      for r in c..<n { part += lower[r * n + c] * x[r] }
      total += part * part
    }
    return total
  }

  /// The inverse A⁻¹, row-major.
  public var inverse: [Double] {
    var result = [Double](repeating: 0, count: n * n)
    var unit = [Double](repeating: 0, count: n)
    for c in 0..<n {
      unit[c] = 1
      let column = solve(unit)
      unit[c] = 0
      for r in 0..<n { result[r * n + c] = column[r] }
    }
    return result
  }
}
