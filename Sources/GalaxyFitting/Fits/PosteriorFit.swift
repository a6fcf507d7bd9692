// SPDX-License-Identifier: MIT
//
// A posterior of one source: draws, how they were made, and what makes them doubtful.

public import GalaxyModels
public import Inference
import Distributions
import Tensors

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

  /// The weights that turned draws of the normal approximation into those of the posterior; nil where it stood for it by itself.
  public let weighting: ImportanceSample?

  /// The variational fit, where that was the method.
  public let variational: VariationalFit?

  /// What the sampler met; nil where no Markov chain made the draws.
  public var sampler: SamplerStatistics? { draws.statistics }

  /// The time after the search for the maximum, in seconds.
  public let seconds: Double

  /// What makes the estimate doubtful.
  public let findings: [InputFinding]

  /// Creates the result and examines it.
  ///
  /// - Parameters:
  ///   - best: The maximum.
  ///   - method: The way.
  ///   - draws: The draws.
  ///   - approximation: The normal approximation.
  ///   - weighting: The weights that the draws follow.
  ///   - refused: Weights that could not be used.
  ///   - variational: The variational fit.
  ///   - seconds: The time.
  init(
    best: MAPFit, method: String, draws: Draws, approximation: LaplaceApproximation?,
    weighting: ImportanceSample? = nil, refused: ImportanceSample? = nil,
    variational: VariationalFit? = nil, seconds: Double
  ) {
    self.best = best
    self.method = method
    self.draws = draws
    self.approximation = approximation
    self.weighting = weighting
    self.variational = variational
    self.seconds = seconds
    let doubts = draws.statistics == nil ? [] : draws.diagnostics.warnings
    let isNormal =
      weighting == nil && method == PosteriorMethod.laplace.rawValue
      || method == PosteriorMethod.sviMVN.rawValue
    findings =
      PosteriorFit.findings(
        doubts + (variational?.warnings ?? []) + (weighting?.warnings ?? [])
          + (refused?.warnings ?? []), method)
      + PosteriorFit.findings(best, draws, approximation)
      + (isNormal
        ? draws.scalars.compactMap { scalar in
          PosteriorFit.nearBound(best.fit, scalar).map {
            PosteriorFit.nearBound(best.fit, scalar, $0, method)
          }
        } : [])
  }

  /// Returns the warnings of an algorithm as findings; angles are judged here.
  private static func findings(
    _ warnings: [DiagnosticWarning], _ method: String
  ) -> [InputFinding] {
    warnings.filter { $0.code != .angleUndetermined }.map { warning in
      let isOfNUTS = method == SamplingMethod.nuts.rawValue && warning.code == .divergences
      let advice =
        isOfNUTS
        ? ". In a stock fit: --target-acceptance 0.98, in Swift that of fit.tuning(from: best), given to fit.sample(tuning:); or try --method neutra"
        : ""
      return InputFinding(
        .warning, warning.code.rawValue, subject: warning.subject, warning.message + advice)
    }
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
      if let distance = conflict(best.fit, scalar) {
        list.append(
          InputFinding(
            .warning, "prior-conflict", subject: scalar.name,
            "the posterior of \(scalar.name) lies \(Int(distance)) standard deviations from the mean of its prior: the two contradict each other, and the result is right for neither; check the prior, and that the source is the one that is meant"
          ))
      }
      if let edge = edge(best.fit, scalar) {
        let advice =
          best.fit.prior.parameter(scalar.name) == GalaxySite.theta
          ? "an angle has no walls, and more of the posterior may lie at the other one, which no method here sees; use the circular prior"
          : "widen it if it can be wider"
        list.append(
          InputFinding(
            .warning, "prior-edge", subject: scalar.name,
            "more than a tenth of the posterior of \(scalar.name) lies within a fiftieth of the prior's range of its bound \(edge): the prior shapes the result; \(advice)"
          ))
      }
    }
    return list
  }

  /// Returns how far the posterior of a parameter lies from its prior, in their common standard deviation; nil within five.
  private static func conflict(_ fit: any GalaxyFit, _ scalar: ScalarDraws) -> Double? {
    guard scalar.period == nil, let prior = fit.prior[scalar.name], let mean = prior.mean,
      let variance = prior.variance, mean.count == 1, variance.count == 1
    else { return nil }
    let spread = (variance.item() + scalar.standardDeviation * scalar.standardDeviation)
      .squareRoot()
    let distance = abs(scalar.mean - mean.item()) / spread
    return distance > 5 && distance.isFinite ? distance : nil
  }

  /// The distance to a bound, in standard deviations, within which a normal approximation is none of the posterior.
  static let nearBoundDeviations = 3.0

  /// Returns the bound to which a normal approximation of the coordinates cannot follow the posterior; nil where there is none.
  ///
  /// The coordinates send the bound to infinity, where a normal distribution has no weight, but the posterior has: of simulated
  /// galaxies rounder than 0.1 the 95 % intervals of the ellipticity held the truth in two thirds of the cases.
  ///
  /// - Parameters:
  ///   - fit: The fit.
  ///   - scalar: The draws of a parameter.
  ///   - deviations: The standard deviations from a mean within which a bound is near.
  /// - Returns: The bound.
  static func nearBound(
    _ fit: any GalaxyFit, _ scalar: ScalarDraws, within deviations: Double = nearBoundDeviations
  ) -> Double? {
    let (low, high): (Double, Double)
    switch fit.prior[scalar.name]?.support {
    case .interval(let lowest, let highest)?: (low, high) = (lowest.item(), highest.item())
    case .unitInterval?: (low, high) = (0, 1)
    case .positive?: (low, high) = (0, .infinity)
    case .greaterThan(let lowest)?: (low, high) = (lowest.item(), .infinity)
    case .lessThan(let highest)?: (low, high) = (-.infinity, highest.item())
    default: return nil
    }
    let (mean, sd) = (scalar.mean, scalar.standardDeviation)
    if !(low.isFinite && high.isFinite), let prior = fit.prior[scalar.name] {
      // A density that vanishes at a bound keeps the posterior from it, whatever the data say.
      let edge = low.isFinite ? low + 1e-3 * sd : high - 1e-3 * sd
      let heights = prior.logProbability(of: Tensor([edge, mean])).elements
      guard heights[0] > heights[1] - 3 else { return nil }
    }
    let reach = deviations * sd
    guard mean - reach < low || mean + reach > high else { return nil }
    return mean - low < high - mean ? low : high
  }

  /// Returns the warning of a normal approximation that comes near a bound.
  private static func nearBound(
    _ fit: any GalaxyFit, _ scalar: ScalarDraws, _ bound: Double, _ method: String
  ) -> InputFinding {
    let (mean, sd) = (shortened(scalar.mean), shortened(scalar.standardDeviation))
    let isRound = GalaxySite.quantity(of: fit.prior.parameter(scalar.name)) == GalaxySite.ellip
    let isSmall = fit.density.dimension <= PosteriorMethod.largestWeightedDimension
    let advice =
      method == PosteriorMethod.laplace.rawValue || !isSmall
      ? "quote what nuts gives"
      : "quote what laplace gives, whose draws are weighted there, or nuts"
    return InputFinding(
      .warning, FitFindingCode.nearBound.rawValue, subject: scalar.name,
      "\(scalar.name) = \(mean) ± \(sd) lies within \(Int(nearBoundDeviations)) standard deviations of its bound \(shortened(bound)), where a normal approximation is too narrow\(isRound && bound == 0 ? ", in the angle too" : ""); \(advice)"
    )
  }

  /// Returns the bound of an interval prior at which a good part of the draws pile up.
  private static func edge(_ fit: any GalaxyFit, _ scalar: ScalarDraws) -> Double? {
    let (low, high): (Double, Double)
    switch fit.prior[scalar.name]?.support {
    case .interval(let lowest, let highest)?: (low, high) = (lowest.item(), highest.item())
    case .unitInterval?: (low, high) = (0, 1)
    default: return nil
    }
    let margin = 0.02 * (high - low)
    // A bound that lies farther off cuts nothing away, however wide its prior.
    let reach = 4 * scalar.standardDeviation
    let tenth = scalar.values.count / 10
    // A nearly round galaxy, a component or outliers next to nothing, are at the end of what there is, not at the edge of a prior.
    let ends = [GalaxySite.ellip, GalaxySite.f1, GalaxySite.fPs, GalaxySite.outlierFracBase]
    let quantity = GalaxySite.quantity(of: fit.prior.parameter(scalar.name))
    let isNatural = ends.contains(quantity) && low == 0
    if !isNatural, scalar.mean - low < reach,
      scalar.values.count(where: { $0 < low + margin }) > tenth
    {
      return low
    }
    if high - scalar.mean < reach, scalar.values.count(where: { $0 > high - margin }) > tenth {
      return high
    }
    return nil
  }
}
