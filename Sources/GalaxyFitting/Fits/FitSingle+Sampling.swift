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
  /// did not tell. Where the curvature at one point is no guide the warm-up learns a metric, and angles that the data may leave open
  /// have a wide ring (``Model/logDensity(broadAngles:)``).
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
      var density = density
      var approximation = try? LaplaceApproximation(density, from: mode, isCancelled: isCancelled)
      let broad = broadAngles(approximation)
      if !broad.isEmpty {
        density = try model.logDensity(broadAngles: broad)
        approximation = try? LaplaceApproximation(density, from: mode, isCancelled: isCancelled)
      }
      let (acceptance, adaptation) = tuning(approximation)
      sample = try NUTS(targetAcceptance: acceptance).run(
        density, chains: chains, warmUp: warmUp, draws: draws, key: key,
        initial: .laplace(
          from: .unconstrained([approximation?.mode.position ?? mode]), spread: 2),
        adaptation: adaptation, sites: sites, progress: progress, isCancelled: isCancelled)
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

  /// Returns the acceptance that chains aim at, and what their warm-up learns.
  ///
  /// Two extended components trade light along a curved ridge, where a metric that is learned from draws gave three times as many
  /// effective draws as the curvature at the mode for four times the steps, and shorter steps 1.3 and 2.8 times as many again (two
  /// seeds) for one and a half times the work, with half and a twelfth of the divergences. Of other posteriors the curvature at the mode is the metric where it is
  /// that of all of the posterior, and where it is not the metric is learned from draws and gradients.
  private func tuning(_ approximation: LaplaceApproximation?) -> (
    acceptance: Double, adaptation: WindowedAdaptation<NUTS>
  ) {
    if prior.hasTwoRadii { return (0.9, .dense) }
    return (0.8, isTrusted(approximation) ? .stepSizeOnly : .lowRank)
  }

  /// The skewness, as the distance from mode to mean in standard deviations, up to which the curvature at the mode is trusted.
  ///
  /// Of 63 faint to bright galaxies all but one of those with less had more than 400 effective draws of 800 with it, and none had
  /// divergences; of those with more most had 50 to 400, and they had all the divergences.
  private static var largestSkewness: Double { 0.4 }

  /// Returns whether the curvature at the mode is a metric for the whole posterior, better than what a warm-up can learn.
  ///
  /// It is where the search has converged, the density curves down in every direction and is not skew, and angles are sharp: an
  /// angle that is not runs around its circle, on which the curvature at one point says nothing of the others.
  private func isTrusted(_ approximation: LaplaceApproximation?) -> Bool {
    guard let approximation, approximation.mode.isConverged, approximation.flatDirections == 0
    else { return false }
    // Half a radian in phase is a quarter in an angle of period π.
    guard angleVariances(approximation).allSatisfy({ $0.variance < 0.25 }) else { return false }
    let mean = approximation.skewCorrected().center
    let (mode, covariance, n) = (approximation.center, approximation.covariance, mean.count)
    return density.layout.entries.allSatisfy { entry in
      if case .circular = entry.constraint { return true }
      return entry.range.allSatisfy { k in
        abs(mean[k] - mode[k]) < Self.largestSkewness * covariance[k * n + k].squareRoot()
      }
    }
  }

  /// The variance in phase from which on an angle is broad, (0.2 rad)²: there the work for an effective draw is the same on a narrow
  /// ring and on a wide one.
  private static var broadVariance: Double { 0.04 }

  /// Returns the angles that the data may leave open, all of them where their curvature is not known.
  private func broadAngles(_ approximation: LaplaceApproximation?) -> Set<String> {
    let variances = angleVariances(approximation)
    return Set(variances.filter { !($0.variance < Self.broadVariance) }.map(\.name))
  }

  /// Returns the variance of each angle's phase by the curvature at the mode, infinite where that is not known.
  private func angleVariances(_ approximation: LaplaceApproximation?) -> [(
    name: String, variance: Double
  )] {
    let n = density.dimension
    return density.layout.entries.flatMap { entry -> [(name: String, variance: Double)] in
      guard case .circular = entry.constraint else { return [] }
      guard let approximation, approximation.flatDirections == 0 else {
        return [(entry.name, .infinity)]
      }
      let covariance = approximation.covariance
      // Two coordinates on a circle of radius 1: the larger variance is that along the circle, but for the width of the ring.
      return entry.range.map { (entry.name, covariance[$0 * n + $0]) }
    }
  }
}
