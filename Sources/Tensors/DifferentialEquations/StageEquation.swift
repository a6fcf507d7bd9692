// SPDX-License-Identifier: MIT
//
// The equations of implicit stages, Y = ψ + h γ f(t, Y), by Newton's method on dense Jacobians.
//
// Source: Hairer & Wanner 1996, "Solving Ordinary Differential Equations II", section IV.8.

/// The Jacobian of the right-hand side and the factors of the matrix of a stage.
final class StageEquation {
  /// The derivatives of the slope by time, state and parameters, `[n, 1 + n + parameters]`.
  let jacobian: UnsafeMutablePointer<Double>

  /// The factors of 1 − h γ J.
  let factors: PivotedFactor

  /// The number of elements of time, state and parameters.
  let width: Int

  /// The number of the step at whose start the Jacobian was computed last; −1 where it is another one's.
  var step = -1

  /// The rows of the unit matrix, by which the Jacobian is pulled back.
  private let units: UnsafeMutablePointer<Double>

  /// The memory of vectors.
  private let memory = VectorMemory()

  /// Creates the memory for a state of n elements.
  init(_ n: Int, width: Int) {
    self.width = width
    factors = PivotedFactor(n)
    jacobian = memory.vector(n * width)
    units = memory.vector(n * n)
    for k in 0..<n { units[k * n + k] = 1 }
  }

  /// Computes the Jacobian at a point.
  func setJacobian(_ function: FunctionEvaluator, at point: UnsafeBufferPointer<Double>) {
    function.pullBack(at: point, units, rows: factors.n, into: jacobian)
  }

  /// Factors 1 − h γ J; false where it is singular or not finite.
  func factor(_ weight: Double) -> Bool {
    let n = factors.n
    for r in 0..<n {
      for c in 0..<n {
        factors.matrix[r * n + c] = (r == c ? 1 : 0) - weight * jacobian[r * width + 1 + c]
      }
    }
    return factors.factor()
  }
}

extension DifferentialEquationSolver {
  /// The most corrections of a stage: those that converge at all do so in fewer.
  private static let mostCorrections = 12

  /// The part of the tolerance to which stages are solved: far enough below 1 that derivatives, which are those of exact
  /// solutions of the stages, agree with differences of the result.
  private static let stageTolerance = 1e-5

  /// Makes the Jacobian at the start of a step, if it is not at hand, and the factors for its size; false where that fails.
  func prepare(
    _ equation: StageEquation, _ time: Double, _ step: Double, _ stages: Target, number: Int
  ) -> Bool {
    if equation.step != number {
      move(to: time, stages)
      equation.setJacobian(slopeFunction, at: UnsafeBufferPointer(point))
      equation.step = number
    }
    return equation.factor(step * tableau.diagonal)
  }

  /// Solves for a stage whose known part lies where its state shall be; false where Newton's method does not converge.
  ///
  /// The slope is then (Y − ψ) / (h γ), not f(Y): stiff components would amplify what is left of the stage's error.
  func solve(
    _ equation: StageEquation, _ time: Double, _ step: Double, _ stages: Target, stage: Int
  ) -> Bool {
    let weight = step * tableau.diagonal
    let (state, slope) = (stages + stage * n, slopes + stage * n)
    let previous = slope - n
    for k in 0..<n {
      known[k] = state[k]
      unknown[k] = weight * previous[k]
    }
    // Below some roundings of the state, corrections are noise.
    let tolerance = max(
      DifferentialEquationSolver.stageTolerance,
      20 * Double.ulpOfOne / self.equation.relativeTolerance)
    var last = Double.infinity
    for _ in 0..<DifferentialEquationSolver.mostCorrections {
      for k in 0..<n { state[k] = known[k] + unknown[k] }
      setSlope(time, state, into: error)
      for k in 0..<n { error[k] = weight * error[k] - unknown[k] }
      equation.factors.solve(error)
      for k in 0..<n { unknown[k] += error[k] }
      let size = norm(error, stages, stages)
      guard size.isFinite else { return false }
      // What remains after corrections that shrink by a ratio is ratio / (1 − ratio) of the last one (eq. IV.8.10).
      let ratio = size / last
      let isSmall = ratio < 1 ? size * ratio / (1 - ratio) <= tolerance : size <= tolerance
      if size <= 0.01 * tolerance || isSmall && last.isFinite {
        for k in 0..<n {
          state[k] = known[k] + unknown[k]
          slope[k] = unknown[k] / weight
        }
        return true
      }
      guard ratio < 2 else { return false }
      last = size
    }
    return false
  }
}
