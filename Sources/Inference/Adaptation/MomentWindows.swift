// SPDX-License-Identifier: MIT
//
// Metrics from the moments of the draws in the windows of a warm-up.
//
// Source: Stan Reference Manual, "Automatic parameter tuning", with another regularisation (RunningMoments.swift).

/// The draws of the windows of a warm-up, and the metrics made of their moments.
struct MomentWindows: Sendable, Codable {
  /// The windows.
  private let schedule: WarmUpSchedule

  /// What is estimated: `.diagonal`, `.dense` or `.automatic`.
  private let form: MetricAdaptation

  /// Whether the metric of the kernel says something of the posterior.
  private var isInformed: Bool

  /// The window that is being filled, or is next.
  private var window = 0

  /// The moments of the draws of the window.
  private var moments: RunningMoments

  /// The covariance of the draws of the window.
  private var covariance: RunningCovariance

  /// What is wrong with the metric that the last window led to, in words.
  private(set) var doubt: String?

  /// The draws of the shortest window whose covariance is believed, unless there is no longer one.
  private static let fewest = 100.0

  /// The condition number of the correlations from which on the automatic choice is a dense metric.
  ///
  /// With a diagonal one a trajectory takes some √κ steps, here thirty; below, the simpler metric is the more robust. Chance does
  /// not lead there: correlations of as few draws as are believed, twice the coordinates, have a κ of 34 where there are none.
  private static let strongCorrelation = 1000.0

  /// Begins a warm-up in a number of dimensions.
  init(iterations: Int, dimension n: Int, form: MetricAdaptation, isInformed: Bool) {
    schedule = WarmUpSchedule(iterations: iterations)
    self.form = form
    self.isInformed = isInformed
    moments = RunningMoments(n)
    covariance = RunningCovariance(form == .diagonal ? 0 : n)
  }

  /// Takes the position after an iteration; returns the metric at the end of a window.
  mutating func learn(_ position: [Double], iteration: Int, present: Metric) -> Metric? {
    guard window < schedule.windows.count, schedule.windows[window].contains(iteration) else {
      return nil
    }
    moments.add(position)
    if form != .diagonal { covariance.add(position) }
    guard iteration == schedule.windows[window].upperBound - 1 else { return nil }
    let metric = metric(present)
    window += 1
    moments = RunningMoments(position.count)
    covariance = RunningCovariance(form == .diagonal ? 0 : position.count)
    isInformed = true
    return metric
  }

  /// Returns the metric of the window that is full.
  private mutating func metric(_ present: Metric) -> Metric {
    doubt = nil
    let n = present.dimension
    let variances = moments.variances(towards: isInformed ? present.variances : nil)
    guard form != .diagonal else { return .diagonal(variances) }
    // The covariance of few draws has directions in which they hardly vary by chance: of n of them in as many coordinates one is
    // flat, of 2 n the narrowest is (1 − √½)² of what it should be. While the chain still travels, its draws lie along its way.
    let isLast = window == schedule.windows.count - 1
    guard moments.count >= max(2 * Double(n), isLast ? 0 : MomentWindows.fewest) else {
      return present.rank > 0 ? present : .diagonal(variances)
    }
    if form == .automatic {
      let condition = covariance.correlationCondition
      if condition < MomentWindows.strongCorrelation || condition == .infinity {
        return .diagonal(variances)
      }
    }
    do {
      return try covariance.metric(towards: isInformed ? present : nil)
    } catch {
      let range = schedule.windows[window]
      doubt =
        "the metric is not that of the draws: those of iterations \(range.lowerBound) to \(range.upperBound) of the warm-up have a covariance that is not positive definite, since the chain hardly moved, or moved in a plane; the metric before them was kept. Warm up longer, or use .diagonal or .lowRank"
      return present
    }
  }
}
