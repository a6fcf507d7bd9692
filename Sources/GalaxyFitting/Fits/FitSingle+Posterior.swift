// SPDX-License-Identifier: MIT
//
// Estimates of the posterior by optimisation: the Laplace approximation, the best normal distribution, a normalising flow.

import GalaxyModels
public import Inference
public import Numerics

/// A way to estimate the posterior without sampling it.
public enum PosteriorMethod: String, Sendable, Codable, CaseIterable {
  /// A normal distribution at the mode in unconstrained space, with the true curvature; ellipticities, whose mode with its Jacobian
  /// lies too far out for nearly round galaxies, have their mean to the next order (`LaplaceApproximation.skewCorrected(_:)`).
  /// Where it comes near a bound, to which no normal distribution follows a posterior, its draws are weighted to the posterior
  /// (`ImportanceSample`), where there is one component to a source and no more than twenty coordinates, two for an angle.
  case laplace
  /// The normal distribution in unconstrained space that comes closest to the posterior, started from Laplace's.
  case sviMVN = "svi-mvn"
  /// An inverse autoregressive flow, which may be skew and curved, started from the best normal distribution.
  case sviFlow = "svi-flow"
}

extension PosteriorMethod {
  /// The number of coordinates up to which weights can turn draws of a normal approximation into those of the posterior.
  ///
  /// Beyond it next to no draws are left: the share falls by a factor with each coordinate.
  static let largestWeightedDimension = 20

  /// The distance to a bound, in standard deviations, within which a normal approximation is weighted: before it has to be warned of.
  static let weightedDeviations = 6.0
}

extension GalaxyFit {
  /// The sites of ellipticities that are coordinates of the density.
  private var ellipticities: [String] {
    prior.freeSites.filter {
      GalaxySite.quantity(of: prior.parameter($0)) == GalaxySite.ellip && density.layout[$0] != nil
    }
  }

  /// Estimates the posterior of all parameters.
  ///
  /// - Parameters:
  ///   - method: The way.
  ///   - best: The maximum, where it is known already.
  ///   - start: Starting values for the search of the maximum otherwise.
  ///   - draws: The number of draws from the estimate.
  ///   - key: The key of the draws, and of the noise of a variational fit.
  ///   - progress: Who is told how far a variational fit or weighting is.
  ///   - isCancelled: Asked between steps, from any thread; of a variational fit the best guide so far is kept.
  /// - Returns: The draws with their summary; its findings say what makes them doubtful.
  /// - Throws: `ModelError` if the curvature at the mode is not finite.
  public func estimatePosterior(
    _ method: PosteriorMethod, from best: MAPFit? = nil, start: [String: Double] = [:],
    draws: Int = 10_000, key: RandomKey = 0, progress: Progress = .none,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> PosteriorFit {
    let best =
      try best
      ?? findMAP(start: start, optimizer: .levenbergMarquardt, isCancelled: isCancelled)
    let clock = ContinuousClock()
    let begin = clock.now
    let mode = density.pulledInside(best.optimum.position)
    var approximation: LaplaceApproximation?
    var variational: VariationalFit?
    var (weighting, refused): (ImportanceSample?, ImportanceSample?)
    var sample: Draws
    // Other noise than that of the draws, which are the same numbers for every method.
    let noise = key.folding(in: "guide")
    switch method {
    case .laplace:
      let normal = try LaplaceApproximation(density, from: mode, isCancelled: isCancelled)
        .skewCorrected(ellipticities)
      sample = try normal.sample(draws, key: key, sites: prior.freeSites)
      approximation = normal
      let isNearBound = sample.scalars.contains {
        PosteriorFit.nearBound(self, $0, within: PosteriorMethod.weightedDeviations) != nil
      }
      // Two components that trade light have a posterior along a ridge, to which no such proposals lead.
      if isNearBound, !prior.hasTwoRadii,
        density.dimension <= PosteriorMethod.largestWeightedDimension
      {
        let weighted = ImportanceSample(
          normal, key: noise, progress: progress, isCancelled: isCancelled)
        if weighted.isReliable {
          sample = try weighted.sample(draws, key: key, sites: prior.freeSites)
          weighting = weighted
        } else {
          refused = weighted
        }
      }
    case .sviMVN:
      let guide = try VariationalFit.multivariateNormal(
        density, from: mode, key: noise, progress: progress, isCancelled: isCancelled)
      sample = try guide.sample(draws, key: key, sites: prior.freeSites)
      variational = guide
    case .sviFlow:
      let guide = try VariationalFit.flow(
        density, from: mode, key: noise, progress: progress, isCancelled: isCancelled)
      sample = try guide.sample(draws, key: key, sites: prior.freeSites)
      variational = guide
    }
    return PosteriorFit(
      best: best, method: method.rawValue, draws: sample, approximation: approximation,
      weighting: weighting, refused: refused, variational: variational,
      seconds: (clock.now - begin).seconds)
  }
}
