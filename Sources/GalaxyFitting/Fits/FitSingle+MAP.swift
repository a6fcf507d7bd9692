// SPDX-License-Identifier: MIT
//
// The maximum of the posterior: several starts, Levenberg–Marquardt, then a verdict.

import GalaxyModels
import Inference
import Tensors

/// An optimiser for the maximum of the posterior.
public enum MAPOptimizer: String, Sendable, Codable, CaseIterable {
  /// Damped Gauss–Newton steps: the default.
  case levenbergMarquardt = "levenberg-marquardt"
  /// Limited-memory BFGS: gradients only.
  case lbfgs
}

extension FitSingle {
  /// Finds the maximum of the joint density of the parameters: no Jacobian, whatever the coordinates of the search.
  ///
  /// - Parameters:
  ///   - start: Starting values of some parameters; the others start at guesses from the image or the prior's median.
  ///   - optimizer: The optimiser; L-BFGS takes over where Levenberg–Marquardt does not converge.
  ///   - isCancelled: Asked between steps; the best point so far is returned.
  /// - Returns: The best of several searches, with a verdict.
  /// - Throws: `ModelError` or `GalaxyModelError` if the starting values cannot be used.
  public func findMAP(
    start: [String: Double] = [:], optimizer: MAPOptimizer = .levenbergMarquardt,
    isCancelled: () -> Bool = { false }
  ) throws -> MAPFit {
    let clock = ContinuousClock()
    let begin = clock.now
    let evaluator = density.makeJointEvaluator()
    var optima: [Optimum] = []
    var known: KnownMaximum?
    for point in try starts(start) {
      let optimum = search(evaluator, point, optimizer, known, isCancelled)
      optima.append(optimum)
      if isCancelled() { break }
      if optimum.isConverged, optimum.value > known?.optimum.value ?? -.infinity {
        known = KnownMaximum(optimum, evaluator)
      }
    }
    // A search that ended in a better place counts, converged or not; NaN never does.
    let best = optima.max { ($0.value.isNaN ? -.infinity : $0.value) < $1.value } ?? optima[0]
    let evaluations = optima.reduce(0) { $0 + $1.evaluations }
    return MAPFit(
      self, best, others: optima, evaluations: evaluations,
      seconds: (clock.now - begin).seconds)
  }

  /// Searches from one point; ends early where it comes to a maximum that is known.
  private func search(
    _ evaluator: DensityEvaluator, _ point: [Double], _ optimizer: MAPOptimizer,
    _ known: KnownMaximum?, _ isCancelled: () -> Bool
  ) -> Optimum {
    guard optimizer == .levenbergMarquardt else {
      return LBFGS().maximize(evaluator, from: point, isCancelled: isCancelled)
    }
    let first = LevenbergMarquardt().maximize(evaluator, from: point, isCancelled: isCancelled) {
      known?.isReached(by: $0, $1) ?? false
    }
    guard first.reason == .noProgress || first.reason == .iterationLimit else { return first }
    var second = LBFGS().maximize(evaluator, from: first.position, isCancelled: isCancelled)
    second.evaluations += first.evaluations
    second.iterations += first.iterations
    return second.value >= first.value ? second : first
  }
}

/// A maximum that a search has found, with the curvature there.
private struct KnownMaximum {
  let optimum: Optimum

  /// The factor of −Hessian with a little added to its diagonal, for directions without curvature.
  private let factor: CholeskyFactor?

  /// Takes the curvature at a maximum.
  init(_ optimum: Optimum, _ evaluator: DensityEvaluator) {
    self.optimum = optimum
    let n = optimum.position.count
    var curvature = evaluator.hessian(at: optimum.position, curvature: .gaussNewton).map { -$0 }
    for k in 0..<n { curvature[k * n + k] += 1e-9 * abs(curvature[k * n + k]) + 1e-300 }
    factor = CholeskyFactor(curvature, n)
  }

  /// Returns whether a point lies within two standard deviations, and close enough in height to be on the same hill.
  func isReached(by point: [Double], _ value: Double) -> Bool {
    guard let factor, optimum.value - value < 4, value <= optimum.value + 1e-9 else { return false }
    return factor.squaredLength(zip(point, optimum.position).map { $0 - $1 }) < 4
  }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
