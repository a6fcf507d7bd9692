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

  /// Whether covariances are estimated.
  private let isDense: Bool

  /// Whether the metric of the kernel says something of the posterior.
  private var isInformed: Bool

  /// The window that is being filled, or is next.
  private var window = 0

  /// The moments of the draws of the window.
  private var moments: RunningMoments

  /// The covariance of the draws of the window.
  private var covariance: RunningCovariance

  /// The moments of the gradients of the window, if the metric is chosen by them.
  private var gradients: RunningCovariance

  /// What is wrong with the metric that the last window led to, in words.
  private(set) var doubt: String?

  /// The draws of the shortest window whose covariance is believed, unless there is no longer one.
  private static let fewest = 100.0

  /// How much shorter trajectories must become for the automatic choice to be a dense metric, whose products cost time.
  private static let gain = 2.0

  /// How much longer than chance makes them on a normal posterior trajectories may be under a dense metric that is chosen.
  ///
  /// On regressions, mixtures and time series it is 0.8 to 1.4; on hierarchical models whose scale is a parameter, 2 to 10.
  private static let doubtful = 2.0

  /// Begins a warm-up in a number of dimensions.
  init(iterations: Int, dimension n: Int, form: MetricAdaptation, isInformed: Bool) {
    schedule = WarmUpSchedule(iterations: iterations)
    self.form = form
    self.isInformed = isInformed
    // No window has draws enough: nothing to learn but variances.
    let longest = schedule.windows.map(\.count).max() ?? 0
    isDense = form == .dense || form == .automatic && longest >= MomentWindows.drawsNeeded(n)
    moments = RunningMoments(dimension: n)
    covariance = RunningCovariance(dimension: isDense ? n : 0)
    gradients = RunningCovariance(dimension: isDense && form == .automatic ? n : 0)
  }

  /// Returns the length of the window in which an iteration lies; nil where there is none.
  func length(at iteration: Int) -> Int? {
    guard window < schedule.windows.count, schedule.windows[window].contains(iteration) else {
      return nil
    }
    return schedule.windows[window].count
  }

  /// The draws whose covariance is believed.
  ///
  /// That of few has directions in which they hardly vary by chance: of n of them in as many coordinates one is flat, of 2 n the
  /// narrowest is (1 − √½)² of what it should be.
  private static func drawsNeeded(_ n: Int) -> Int { 2 * n }

  /// Takes the state after an iteration, the gradient only for the automatic choice; returns the metric at the end of a window.
  mutating func learn(
    _ position: [Double], _ gradient: [Double]?, iteration: Int, present: Metric
  ) -> Metric? {
    guard window < schedule.windows.count, schedule.windows[window].contains(iteration) else {
      return nil
    }
    moments.add(position)
    if isDense { covariance.add(position) }
    if isDense, form == .automatic, let gradient { gradients.add(gradient) }
    guard iteration == schedule.windows[window].upperBound - 1 else { return nil }
    let metric = metric(present)
    window += 1
    let n = position.count
    moments = RunningMoments(dimension: n)
    covariance = RunningCovariance(dimension: isDense ? n : 0)
    gradients = RunningCovariance(dimension: isDense && form == .automatic ? n : 0)
    isInformed = true
    return metric
  }

  /// Returns the metric of the window that is full.
  private mutating func metric(_ present: Metric) -> Metric {
    doubt = nil
    let n = present.dimension
    let variances = moments.variances(towards: isInformed ? present.variances : nil)
    guard isDense else { return .diagonal(variances) }
    // While the chain still travels, its draws lie along its way.
    let isLast = window == schedule.windows.count - 1
    let needed = Double(MomentWindows.drawsNeeded(n))
    guard moments.count >= max(needed, isLast ? 0 : MomentWindows.fewest) else {
      return present.rank > 0 ? present : .diagonal(variances)
    }
    do {
      let dense = try covariance.metric(towards: isInformed ? present : nil)
      return form == .dense || shortens(dense, variances) ? dense : .diagonal(variances)
    } catch {
      if form == .automatic && present.rank == 0 { return .diagonal(variances) }
      let range = schedule.windows[window]
      doubt =
        "the metric is not that of the draws: those of iterations \(range.lowerBound) to \(range.upperBound) of the warm-up have a covariance that is not positive definite, since the chain hardly moved, or moved in a plane; the metric before them was kept. Warm up longer, or use .diagonal or .lowRank"
      return present
    }
  }

  /// Whether trajectories are much shorter under a dense metric than under variances alone.
  private func shortens(_ dense: Metric, _ variances: [Double]) -> Bool {
    guard gradients.count == covariance.count, let lower = try? dense.lowerFactor() else {
      return false
    }
    let n = variances.count
    var diagonal = [Double](repeating: 0, count: n * n)
    for k in 0..<n { diagonal[k * n + k] = variances[k].squareRoot() }
    let (c, g) = (covariance.covariance, gradients.covariance)
    let long = TrajectoryForecast.steps(lower: diagonal, draws: c, gradients: g, dimension: n)
    let short = TrajectoryForecast.steps(lower: lower, draws: c, gradients: g, dimension: n)
    // What chance makes of a normal posterior under its own covariance; far above it scales change from place to place, where
    // a metric that fits the region of the last draws makes a chain stay there, without the divergences that would tell.
    let root = (Double(n) / moments.count).squareRoot()
    let chance = (1 + root) * (1 + root)
    return long >= MomentWindows.gain * short && short <= MomentWindows.doubtful * chance
  }
}
