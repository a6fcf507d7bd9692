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
    for point in try starts(start) {
      optima.append(search(evaluator, point, optimizer, isCancelled))
      if isCancelled() { break }
    }
    // A search that ended in a better place counts, converged or not; NaN never does.
    let best = optima.max { ($0.value.isNaN ? -.infinity : $0.value) < $1.value } ?? optima[0]
    let evaluations = optima.reduce(0) { $0 + $1.evaluations }
    return MAPFit(
      self, best, others: optima, evaluations: evaluations,
      seconds: (clock.now - begin).seconds)
  }

  /// Searches from one point.
  private func search(
    _ evaluator: DensityEvaluator, _ point: [Double], _ optimizer: MAPOptimizer,
    _ isCancelled: () -> Bool
  ) -> Optimum {
    guard optimizer == .levenbergMarquardt else {
      return LBFGS().maximize(evaluator, from: point, isCancelled: isCancelled)
    }
    let first = LevenbergMarquardt().maximize(evaluator, from: point, isCancelled: isCancelled)
    guard !first.isConverged, first.reason != .cancelled, first.reason != .notFinite else {
      return first
    }
    var second = LBFGS().maximize(evaluator, from: first.position, isCancelled: isCancelled)
    second.evaluations += first.evaluations
    second.iterations += first.iterations
    return second.value >= first.value ? second : first
  }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
