// SPDX-License-Identifier: MIT
//
// The posterior by Markov chains: the no-U-turn sampler, started and tuned from the maximum and its curvature.

import Distributions
import GalaxyModels
public import Inference
public import Numerics

/// A way to draw from the posterior by Markov chains.
public enum SamplingMethod: String, Sendable, Codable, CaseIterable {
  /// The no-U-turn sampler on the parameters.
  case nuts
  /// The no-U-turn sampler on the noise of a trained flow, in which the posterior is nearly a standard normal.
  case neutra
}

extension GalaxyFit {
  /// Draws from the posterior with the no-U-turn sampler.
  ///
  /// The chains start at draws of the Laplace approximation, whose deviations are doubled so that R-hat is a test, and its
  /// covariance is their first metric: a warm-up then only has the step size to find, and what the curvature at one point
  /// did not tell. Where the curvature at one point is no guide the warm-up learns a dense metric.
  ///
  /// With ``SamplingMethod/neutra`` a flow is trained first, as by ``PosteriorMethod/sviFlow``, and the chains move in its noise,
  /// where they start at draws of a standard normal: for posteriors that are curved or have narrow necks. Draws are from the same
  /// posterior, however good the flow is.
  ///
  /// - Parameters:
  ///   - method: The way.
  ///   - chains: The number of chains.
  ///   - warmUp: The iterations of each chain that tune the sampler and are not kept.
  ///   - draws: The draws of each chain.
  ///   - best: The maximum, where it is known already.
  ///   - start: Starting values for the search of the maximum otherwise.
  ///   - key: The key of the draws.
  ///   - progress: Who is told how far the run is.
  ///   - isCancelled: Asked between steps, from several threads; complete draws are kept.
  /// - Returns: The draws with their summary; its findings say what makes them doubtful.
  /// - Throws: `ModelError` if no chain finds a starting point, or a flow cannot be trained.
  /// - Precondition: `chains` and `draws` are positive, `warmUp` is not negative.
  public func sample(
    _ method: SamplingMethod = .nuts, chains: Int = 2, warmUp: Int = 1000, draws: Int = 1000,
    from best: MAPFit? = nil, start: [String: Double] = [:], key: RandomKey = 0,
    progress: Progress = .none, isCancelled: @Sendable @escaping () -> Bool = { false }
  ) throws -> PosteriorFit {
    let best =
      try best
      ?? findMAP(start: start, optimizer: .levenbergMarquardt, isCancelled: isCancelled)
    let clock = ContinuousClock()
    let begin = clock.now
    let mode = density.pulledInside(best.optimum.position)
    let sites = StoredSites.named(prior.freeSites)
    let sample: Draws
    switch method {
    case .nuts:
      let approximation = try? LaplaceApproximation(density, from: mode, isCancelled: isCancelled)
      sample = try NUTS().run(
        density, chains: chains, warmUp: warmUp, draws: draws, key: key,
        initial: .laplace(
          from: .unconstrained([approximation?.mode.position ?? mode]), spread: 2),
        adaptation: isTrusted(approximation) ? .stepSizeOnly : .dense, sites: sites,
        progress: progress, isCancelled: isCancelled)
    case .neutra:
      let flow = try VariationalFit.flow(
        density, from: mode, key: key.folding(in: "guide"), progress: progress,
        isCancelled: isCancelled)
      let easy = try model.reparameterized(by: NeuTra(flow)).logDensity()
      sample = try NUTS().run(
        easy, chains: chains, warmUp: warmUp, draws: draws, key: key, initial: .prior,
        sites: sites, progress: progress, isCancelled: isCancelled)
    }
    return PosteriorFit(
      best: best, method: method.rawValue, draws: sample, approximation: nil,
      seconds: (clock.now - begin).seconds)
  }

  /// Returns whether the curvature at the mode is a metric for the whole posterior, better than what a warm-up can learn.
  ///
  /// It is not for two extended components, which trade light along a curved ridge: with it one step in twenty diverged on a
  /// double Sérsic profile, and a metric that was learned gave three times as many effective draws for four times the steps.
  /// Else it is where the search has converged, the density curves down in every direction, and angles are sharp: an angle
  /// that is not runs around its circle, on which the curvature at one point says nothing of the others.
  private func isTrusted(_ approximation: LaplaceApproximation?) -> Bool {
    guard !prior.hasTwoRadii, let approximation,
      approximation.mode.isConverged, approximation.flatDirections == 0
    else { return false }
    let covariance = approximation.covariance
    let n = density.dimension
    return density.layout.entries.allSatisfy { entry in
      guard case .circular = entry.constraint else { return true }
      // The coordinates of an angle lie on a circle of radius 1: half a radian in phase is a quarter in an angle of period π.
      return entry.range.allSatisfy { covariance[$0 * n + $0] < 0.25 }
    }
  }
}
