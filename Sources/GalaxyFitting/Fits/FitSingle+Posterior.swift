// SPDX-License-Identifier: MIT
//
// Estimates of the posterior by optimisation: the Laplace approximation.

import GalaxyModels
import Inference
public import Numerics

/// A way to estimate the posterior without sampling it.
public enum PosteriorMethod: String, Sendable, Codable, CaseIterable {
  /// A normal distribution at the mode in unconstrained space, with the true curvature.
  case laplace
}

extension FitSingle {
  /// Estimates the posterior of all parameters.
  ///
  /// - Parameters:
  ///   - method: The way.
  ///   - best: The maximum, where it is known already.
  ///   - start: Starting values for the search of the maximum otherwise.
  ///   - draws: The number of draws from the estimate.
  ///   - key: The key of the draws.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The draws with their summary.
  /// - Throws: `ModelError` if the curvature at the mode is not finite.
  public func estimatePosterior(
    _ method: PosteriorMethod, from best: MAPFit? = nil, start: [String: Double] = [:],
    draws: Int = 10_000, key: RandomKey = 0, isCancelled: () -> Bool = { false }
  ) throws -> PosteriorFit {
    let best = try best ?? findMAP(start: start, isCancelled: isCancelled)
    let clock = ContinuousClock()
    let begin = clock.now
    let approximation = try LaplaceApproximation(
      density, from: density.pulledInside(best.optimum.position), isCancelled: isCancelled)
    let sample = approximation.sample(draws, key: key, sites: prior.freeSites)
    return PosteriorFit(
      best: best, method: method.rawValue, draws: sample, approximation: approximation,
      seconds: (clock.now - begin).seconds)
  }
}
