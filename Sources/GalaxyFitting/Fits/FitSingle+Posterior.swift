// SPDX-License-Identifier: MIT
//
// Estimates of the posterior by optimisation: the Laplace approximation.

public import GalaxyModels
public import Inference
public import Numerics
import Distributions
import Tensors

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

/// An estimate of the posterior: draws, their summary, and what makes them doubtful.
public struct PosteriorFit: Sendable {
  /// The maximum the estimate started from.
  public let best: MAPFit

  /// The way the posterior was estimated.
  public let method: String

  /// The draws of the free parameters.
  public let draws: Draws

  /// The normal approximation, where that was the method.
  public let approximation: LaplaceApproximation?

  /// The time after the search for the maximum, in seconds.
  public let seconds: Double

  /// What makes the estimate doubtful.
  public let findings: [InputFinding]

  /// Creates the result and examines it.
  init(
    best: MAPFit, method: String, draws: Draws, approximation: LaplaceApproximation?,
    seconds: Double
  ) {
    self.best = best
    self.method = method
    self.draws = draws
    self.approximation = approximation
    self.seconds = seconds
    findings = PosteriorFit.findings(best, draws, approximation)
  }

  /// Returns what makes the estimate doubtful.
  private static func findings(
    _ best: MAPFit, _ draws: Draws, _ approximation: LaplaceApproximation?
  ) -> [InputFinding] {
    var list: [InputFinding] = []
    if let approximation {
      if !approximation.mode.isConverged {
        list.append(
          InputFinding(
            .warning, "laplace-not-converged", subject: "posterior",
            "the search for the mode \(approximation.mode.explanation)"))
      }
      if approximation.flatDirections > 0 {
        list.append(
          InputFinding(
            .warning, "laplace-flat", subject: "posterior",
            "the log density does not curve down in \(approximation.flatDirections) direction(s) at the mode; the normal approximation cannot be trusted there, sample the posterior instead"
          ))
      }
    }
    for scalar in draws.scalars {
      // A mean direction shorter than 0.5 is a circular standard deviation above 1.18/2 rad for period π.
      if let concentration = scalar.concentration, concentration < 0.5 {
        list.append(
          InputFinding(
            .warning, "angle-undetermined", subject: scalar.name,
            "\(scalar.name) is not determined by the data: its draws cover the circle; do not quote its mean"
          ))
      }
      if let edge = edge(best.fit, scalar) {
        list.append(
          InputFinding(
            .warning, "prior-edge", subject: scalar.name,
            "more than a tenth of the posterior of \(scalar.name) lies within a fiftieth of the prior's range of its bound \(edge): the prior shapes the result; widen it if it can be wider"
          ))
      }
    }
    return list
  }

  /// Returns the bound of an interval prior at which a good part of the draws pile up.
  private static func edge(_ fit: FitSingle, _ scalar: ScalarDraws) -> Double? {
    let (low, high): (Double, Double)
    switch fit.prior[scalar.name]?.support {
    case .interval(let lowest, let highest)?: (low, high) = (lowest.item(), highest.item())
    case .unitInterval?: (low, high) = (0, 1)
    default: return nil
    }
    let margin = 0.02 * (high - low)
    let tenth = scalar.values.count / 10
    // A nearly round galaxy is at the end of what there is, not at the edge of a prior.
    let isRound = scalar.name == GalaxySite.ellip && low == 0
    if !isRound, scalar.values.count(where: { $0 < low + margin }) > tenth { return low }
    if scalar.values.count(where: { $0 > high - margin }) > tenth { return high }
    return nil
  }
}
