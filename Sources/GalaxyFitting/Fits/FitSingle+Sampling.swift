// SPDX-License-Identifier: MIT
//
// The posterior by Markov chains: the no-U-turn sampler, started and tuned from the maximum and its curvature.

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
  /// did not tell. Where the curvature at one point is no guide the warm-up learns a metric (``tuning(from:isCancelled:)``).
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
  ///   - tuning: How chains of ``SamplingMethod/nuts`` are tuned; chosen by the curvature at the maximum unless it is given,
  ///     and of no use to ``SamplingMethod/neutra``.
  ///   - key: The key of the draws.
  ///   - progress: Who is told how far the run is.
  ///   - isCancelled: Asked between steps, from several threads; complete draws are kept.
  /// - Returns: The draws with their summary; its findings say what makes them doubtful.
  /// - Throws: `ModelError` if no chain finds a starting point, a flow cannot be trained, or `tuning` has an acceptance outside 0 … 1 or
  ///   names that are no angles.
  /// - Precondition: `chains` and `draws` are positive, `warmUp` is not negative.
  public func sample(
    _ method: SamplingMethod = .nuts, chains: Int = 2, warmUp: Int = 1000, draws: Int = 1000,
    from best: MAPFit? = nil, start: [String: Double] = [:], tuning: ChainTuning? = nil,
    key: RandomKey = 0, progress: Progress = .none,
    isCancelled: @Sendable @escaping () -> Bool = { false }
  ) throws -> PosteriorFit {
    // Refused before the search, which may take long.
    let given = try tuning.map { ($0, try chainDensity($0)) }
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
      let plan =
        try given.map { ChainPlan(tuning: $0.0, density: $0.1, mode: mode) }
        ?? chainPlan(from: best, isCancelled)
      sample = try NUTS(targetAcceptance: plan.tuning.targetAcceptance).run(
        plan.density, chains: chains, warmUp: warmUp, draws: draws,
        thinning: plan.tuning.thinning, key: key,
        initial: .laplace(from: .unconstrained([plan.mode]), spread: 2),
        adaptation: WindowedAdaptation(metric: plan.tuning.metric), sites: sites,
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
}
