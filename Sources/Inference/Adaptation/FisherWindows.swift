// SPDX-License-Identifier: MIT
//
// Metrics from the draws and gradients of a warm-up, in windows that overlap.
//
// Source: Seyboldt, Carlson and Carpenter 2026, arXiv 2603.18845: short windows at first, since early draws are best forgotten;
// then growing ones. An estimate uses the window that is being filled and the one before.

/// The draws and gradients of the last two windows of a warm-up, and the metrics made of them.
struct FisherWindows: Sendable, Codable {
  /// The iterations of the warm-up.
  private let iterations: Int

  /// The largest number of directions of a metric of low rank; nil for a diagonal metric.
  private let maximumRank: Int?

  /// The factor by which the variance along a direction must differ from 1.
  private let cutoff: Double

  private var draws: [[Double]]
  private var gradients: [[Double]]

  /// The number of draws that belong to the window before.
  private var older = 0

  /// The size of the late window that is being filled.
  private var size = FisherWindows.firstWindow

  /// The number of draws since the last estimate.
  private var news = 0

  /// Whether no estimate was made yet.
  private var isFirst = true

  /// The share of the warm-up with short windows, in which the chain comes to where the posterior is.
  private static let earlyShare = 0.3

  /// The share of the warm-up at its end in which the metric stays and the step size settles.
  private static let finalShare = 0.15

  /// The draws of an early window.
  private static let earlyWindow = 10

  /// The draws of the first late window.
  private static let firstWindow = 80

  /// The growth of late windows.
  private static let growth = 1.5

  /// The least number of new draws, and the least share of the draws in use, that call for a new estimate.
  private static let news = (draws: 10, share: 0.1)

  /// Begins a warm-up at a point.
  init(
    iterations: Int, position: [Double], gradient: [Double], maximumRank: Int?, cutoff: Double
  ) {
    self.iterations = iterations
    self.maximumRank = maximumRank
    self.cutoff = cutoff
    draws = [position]
    gradients = [gradient]
  }

  /// Returns the metric to begin with: of a normal posterior of scale σ, a point one or some σ from the mode has a gradient of
  /// some 1/σ, and units in which that is 1 are right to within their square root.
  static func first(_ gradient: [Double]) -> Metric {
    .diagonal(gradient.map { 1 / min(max(abs($0), 1e-20), 1e20) })
  }

  /// Takes position and gradient after an iteration.
  ///
  /// - Returns: The metric where a new estimate is due, and whether it is so different that the step size is to be found anew.
  mutating func learn(
    _ position: [Double], _ gradient: [Double], iteration: Int, present: Metric
  ) -> (metric: Metric, isNew: Bool)? {
    let early = Int(FisherWindows.earlyShare * Double(iterations))
    let end = iterations - Int(FisherWindows.finalShare * Double(iterations))
    guard iteration < end else { return nil }
    draws.append(position)
    gradients.append(gradient)
    news += 1
    let filled = draws.count - older
    let isEarly = iteration < early
    if iteration == early { size = max(size, filled) }
    let wanted = isEarly ? FisherWindows.earlyWindow : size
    let next =
      isEarly
      ? FisherWindows.earlyWindow
      : max(size + 1, Int((Double(size) * FisherWindows.growth).rounded()))
    // The last window takes what would not fill another.
    let isFull = filled >= wanted && iteration + next <= end
    if isFull {
      draws.removeFirst(older)
      gradients.removeFirst(older)
      older = draws.count
      if !isEarly { size = next }
    }
    let isDue =
      news >= FisherWindows.news.draws
      && Double(news) >= FisherWindows.news.share * Double(draws.count)
    guard isFull || isDue || iteration == end - 1,
      let estimate = FisherDivergence(
        draws: draws, gradients: gradients, fallback: present.variances)
    else { return nil }
    news = 0
    defer { isFirst = false }
    let metric =
      maximumRank.map { estimate.metric(cutoff: cutoff, maximumRank: $0) }
      ?? .diagonal(estimate.variances)
    return (metric, isFull || isFirst)
  }
}
