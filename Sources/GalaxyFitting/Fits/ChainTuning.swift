// SPDX-License-Identifier: MIT
//
// How the chains of the stock fits are tuned: what the curvature at the maximum says of the steps that the posterior needs.

import Distributions
import GalaxyModels
public import Inference
import PPL

/// How the chains of a stock fit are tuned.
///
/// `GalaxyFit.tuning(from:)` chooses it by the curvature at the maximum; to overrule the choice, change what it returns, or state
/// one, and give it to `GalaxyFit.sample`.
public struct ChainTuning: Sendable, Equatable {
  /// The mean acceptance that the step size aims at, between 0 and 1.
  public var targetAcceptance: Double

  /// What the warm-up learns of the metric; with `none` it stays the curvature at the mode, with which all chains start.
  public var metric: MetricAdaptation

  /// The angles whose coordinates have a wide ring: those that the data may leave open (`Model.logDensity(broadAngles:)`).
  public var broadAngles: Set<String>

  /// The number of steps from one draw to the next; those between are not kept.
  public var thinning: Int

  /// Creates the tuning.
  ///
  /// - Parameters:
  ///   - targetAcceptance: The mean acceptance that the step size aims at, between 0 and 1.
  ///   - metric: What the warm-up learns of the metric.
  ///   - broadAngles: The angles whose coordinates have a wide ring.
  ///   - thinning: The number of steps from one draw to the next.
  public init(
    targetAcceptance: Double = 0.8, metric: MetricAdaptation = .lowRank,
    broadAngles: Set<String> = [], thinning: Int = 1
  ) {
    self.targetAcceptance = targetAcceptance
    self.metric = metric
    self.broadAngles = broadAngles
    self.thinning = thinning
  }
}

/// What the chains of a fit move on, how, and from where.
struct ChainPlan {
  /// How they are tuned.
  var tuning: ChainTuning

  /// The density, in coordinates that fit the tuning.
  var density: CompiledDensity

  /// Its mode, or a point near it.
  var mode: [Double]
}

extension GalaxyFit {
  /// Chooses how chains are tuned, by the curvature at the maximum.
  ///
  /// - A posterior whose mean hardly differs from its mode is nearly normal: the curvature there is its metric, better than what a
  ///   warm-up can learn, and long steps are right. An acceptance of 0.7 in place of 0.8 gave 1.04 times the effective draws of the
  ///   worst parameter, 0.97 times those of its tails, for 0.65 times the gradients (26 galaxies within a quarter of a standard
  ///   deviation, no divergences; of seven others two diverged at 0.7, above 0.3 of one: there it stays 0.8).
  /// - A posterior that is skew, flat in a direction, or has an angle that is not sharp, has no one curvature: the metric is learned
  ///   from draws and gradients.
  /// - Two extended components trade light along a curved ridge that is narrower at its end: chains learn a metric of low rank, aim at
  ///   an acceptance of 0.95, and keep every fourth draw: with every second one of ten runs on two galaxies had 251 effective draws of
  ///   2000 along the ridge, and an R-hat above 1.01. At 0.9 one chain in ten or so came to the end of the ridge with too long a
  ///   step and stayed there, with dozens of divergences and an R-hat of up to 1.04; a dense metric at 0.95 cost twice the gradients
  ///   of each draw for as many effective draws, 247 to 727 of them, and one run in fifteen had an R-hat above 1.01.
  ///
  /// - Parameters:
  ///   - best: The maximum.
  ///   - isCancelled: Asked between steps of the search for the mode.
  /// - Returns: The tuning.
  /// - Throws: `ModelError` if the density cannot be compiled anew for the broad angles.
  public func tuning(
    from best: MAPFit, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> ChainTuning {
    try chainPlan(from: best, isCancelled).tuning
  }

  /// Chooses how chains are tuned, with the density on which they move and its mode.
  func chainPlan(from best: MAPFit, _ isCancelled: () -> Bool) throws -> ChainPlan {
    let mode = density.pulledInside(best.optimum.position)
    let narrow = try? LaplaceApproximation(density, from: mode, isCancelled: isCancelled)
    var plan = ChainPlan(
      tuning: ChainTuning(broadAngles: Self.broadAngles(density, narrow)), density: density,
      mode: narrow?.mode.position ?? mode)
    var approximation = narrow
    if !plan.tuning.broadAngles.isEmpty {
      // The curvature of the coordinates in which the chains will move.
      plan.density = try chainDensity(plan.tuning)
      approximation = try? LaplaceApproximation(
        plan.density, from: mode, isCancelled: isCancelled)
      plan.mode = approximation?.mode.position ?? mode
    }
    if prior.hasTwoRadii {
      plan.tuning.targetAcceptance = 0.95
      plan.tuning.metric = .lowRank
      plan.tuning.thinning = 4
    } else if let skewness = approximation.flatMap(Self.skewness),
      skewness < Self.largestSkewness
    {
      plan.tuning.targetAcceptance = skewness < Self.smallSkewness ? 0.7 : 0.8
      plan.tuning.metric = .none
    }
    return plan
  }

  /// Returns the density on which chains of a tuning move.
  ///
  /// - Throws: `ModelError` for an acceptance that is none, and for broad angles that are no angles of the model.
  func chainDensity(_ tuning: ChainTuning) throws -> CompiledDensity {
    guard tuning.targetAcceptance > 0 && tuning.targetAcceptance < 1 else {
      throw ModelError(
        .misuse,
        "ChainTuning: expected a targetAcceptance between 0 and 1, found \(tuning.targetAcceptance)"
      )
    }
    return tuning.broadAngles.isEmpty
      ? density : try model.logDensity(broadAngles: tuning.broadAngles)
  }

  /// The skewness, as the distance from mode to mean in standard deviations, up to which the curvature at the mode is trusted.
  ///
  /// Of 63 faint to bright galaxies all but one of those with less had more than 400 effective draws of 800 with it, and none had
  /// divergences; of those with more most had 50 to 400, and they had all the divergences.
  private static var largestSkewness: Double { 0.4 }

  /// The skewness up to which long steps have no divergences.
  private static var smallSkewness: Double { 0.25 }

  /// Returns the largest distance from mode to mean, to the next order, in standard deviations; nil where the curvature at the mode is
  /// no guide.
  ///
  /// It is none where the search has not converged, the density is flat in a direction, or an angle is not sharp: such an angle runs
  /// around its circle, on which the curvature at one point says nothing of the others. Sharp angles have no mean to compare.
  private static func skewness(_ approximation: LaplaceApproximation) -> Double? {
    let density = approximation.density
    guard approximation.mode.isConverged, approximation.flatDirections == 0 else { return nil }
    // Half a radian in phase is a quarter in an angle of period π.
    guard angleVariances(density, approximation).allSatisfy({ $0.variance < 0.25 }) else {
      return nil
    }
    let mean = approximation.skewCorrected().center
    let (mode, covariance, n) = (approximation.center, approximation.covariance, mean.count)
    // Where a gradient nearby is not finite there is no correction.
    guard mean != mode else { return nil }
    var largest = 0.0
    for entry in density.layout.entries {
      if case .circular = entry.constraint { continue }
      for k in entry.range {
        let distance = abs(mean[k] - mode[k]) / covariance[k * n + k].squareRoot()
        guard distance.isFinite else { return nil }
        largest = max(largest, distance)
      }
    }
    return largest
  }

  /// The variance in phase from which on an angle is broad, (0.2 rad)²: there the work for an effective draw is the same on a narrow
  /// ring and on a wide one.
  private static var broadVariance: Double { 0.04 }

  /// Returns the angles that the data may leave open, all of them where their curvature is not known.
  private static func broadAngles(
    _ density: CompiledDensity, _ approximation: LaplaceApproximation?
  ) -> Set<String> {
    let variances = angleVariances(density, approximation)
    return Set(variances.filter { !($0.variance < broadVariance) }.map(\.name))
  }

  /// Returns the variance of each angle's phase by the curvature at the mode, infinite where that is not known.
  private static func angleVariances(
    _ density: CompiledDensity, _ approximation: LaplaceApproximation?
  ) -> [(name: String, variance: Double)] {
    let n = density.dimension
    return density.layout.entries.flatMap { entry -> [(name: String, variance: Double)] in
      guard case .circular = entry.constraint else { return [] }
      guard let approximation, approximation.flatDirections == 0 else {
        return [(entry.name, .infinity)]
      }
      let (covariance, center) = (approximation.covariance, approximation.center)
      // Two coordinates each: the angle moves along the circle, whatever its distance from the centre.
      return stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 2).map { k in
        let (u, v) = (center[k], center[k + 1])
        let square = u * u + v * v
        let along =
          v * v * covariance[k * n + k] - 2 * u * v * covariance[k * n + k + 1] + u * u
          * covariance[(k + 1) * n + k + 1]
        return (entry.name, along / (square * square))
      }
    }
  }
}
