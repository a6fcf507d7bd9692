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
  /// Newton steps with the true Hessian in a trust region.
  case trustRegion = "trust-region"
  /// Limited-memory BFGS: gradients only.
  case lbfgs
}

extension FitSingle {
  /// Finds the maximum of the joint density of the parameters: no Jacobian, whatever the coordinates of the search.
  ///
  /// - Parameters:
  ///   - start: Starting values of some parameters; the others start at guesses from the image or the prior's median.
  ///   - optimizer: The optimiser; L-BFGS takes over where Levenberg–Marquardt does not converge.
  ///   - isCancelled: Asked between steps, from any thread; the best point so far is returned.
  /// - Returns: The best of several searches, with a verdict.
  /// - Throws: `ModelError` or `GalaxyModelError` if the starting values cannot be used.
  public func findMAP(
    start: [String: Double] = [:], optimizer: MAPOptimizer = .levenbergMarquardt,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> MAPFit {
    let clock = ContinuousClock()
    let begin = clock.now
    let points = try starts(start)
    let evaluator = density.makeJointEvaluator()
    /// Searches from all points, one after the other, so that each knows of all maxima before it.
    func search(_ optimizer: some Optimizer) -> SearchResult {
      MultiStart(optimizer, roundSize: 1).search(evaluator, from: points, isCancelled: isCancelled)
    }
    let result =
      switch optimizer {
      case .levenbergMarquardt: search(LevenbergMarquardt().fallingBack(on: LBFGS()))
      case .trustRegion: search(NewtonTrustRegion())
      case .lbfgs: search(LBFGS())
      }
    return MAPFit(
      self, result.best, modes: result.modes, evaluations: result.evaluations,
      seconds: (clock.now - begin).seconds)
  }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
