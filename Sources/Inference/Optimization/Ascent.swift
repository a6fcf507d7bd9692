// SPDX-License-Identifier: MIT
//
// The state that every search shares: the best point, what it has cost so far, and who is told and asked.

import Numerics
import Tensors

/// The state of an ascent: a point with value and gradient, counts of evaluations, and the control of the search.
struct Ascent<Target: LogDensity> {
  /// A point at which the density was evaluated; its value is −∞ where value or gradient are not finite.
  struct Trial {
    var position: [Double]
    var value: Double
    var gradient: [Double]
  }

  /// The point that the search has come to.
  private(set) var point: Trial

  /// The number of steps so far, rejected ones included.
  private(set) var iterations = 0

  private let target: Target
  private let control: SearchControl
  private var gradientEvaluations = 0
  private var hessianProducts = 0
  private var meter: SearchMeter

  /// Starts at a point.
  init(_ target: Target, from start: [Double], _ control: SearchControl) {
    demand(
      start.count == target.dimension,
      "maximize: expected a start of \(target.dimension) coordinates, got \(start.count)")
    self.target = target
    self.control = control
    meter = SearchMeter(control.progress)
    point = Trial(position: start, value: -.infinity, gradient: start.map { _ in 0 })
    point = evaluate(start)
  }

  /// The coordinates of the point.
  var position: [Double] { point.position }

  /// The log density at the point.
  var value: Double { point.value }

  /// The gradient at the point.
  var gradient: [Double] { point.gradient }

  /// Whether value and gradient are finite.
  var isFinite: Bool { point.value.isFinite }

  /// The difference of log densities that rounding hides: some units in the last place of the value.
  var rounding: Double { 1e-15 * abs(point.value) }

  // MARK: - Evaluation

  /// Evaluates the density at a point.
  mutating func evaluate(_ position: [Double]) -> Trial {
    gradientEvaluations += 1
    var g = [Double](repeating: 0, count: position.count)
    let v = target.valueAndGradient(at: position, into: &g)
    let finite = v.isFinite && g.allSatisfy(\.isFinite)
    return Trial(position: position, value: finite ? v : -.infinity, gradient: g)
  }

  /// Whether the density knows a curvature that is not its full Hessian.
  var offersGaussNewton: Bool { target.offersGaussNewton }

  /// Returns the curvature of −log density at the point, row-major.
  mutating func curvature(_ kind: Curvature) -> [Double] {
    hessianProducts += position.count
    return target.hessian(at: position, curvature: kind).map { -$0 }
  }

  /// Returns the product of the curvature of −log density at the point with a direction.
  mutating func curvature(along direction: [Double]) -> [Double] {
    hessianProducts += 1
    var product = direction
    _ = target.hessianVectorProduct(at: position, direction, into: &product)
    return product.map { -$0 }
  }

  // MARK: - Steps

  /// Begins a step; returns a reason to stop instead where the limit is reached or the caller wishes it.
  mutating func beginStep(of limit: Int, promise: Double? = nil) -> Optimum.Reason? {
    if control.isCancelled() { return .cancelled }
    if iterations >= limit { return .iterationLimit }
    iterations += 1
    meter.report(self, limit: limit, promise: promise)
    return nil
  }

  /// Takes back the count of a step that turned out to be needless.
  mutating func withdrawStep() { iterations -= 1 }

  /// Moves to a point; returns whether the search has come to a place that the caller knows.
  mutating func move(to trial: Trial) -> Bool {
    point = trial
    return control.joins(trial.position, trial.value)
  }

  /// Returns the present point as the end of the search.
  func end(_ reason: Optimum.Reason) -> Optimum {
    meter.finish(self)
    return Optimum(
      position: position, value: value, gradient: gradient, reason: reason,
      iterations: iterations, gradientEvaluations: gradientEvaluations,
      hessianProducts: hessianProducts)
  }
}

/// Tells a listener of a search, some ten times a second.
private struct SearchMeter {
  private let progress: Progress
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var last: ContinuousClock.Instant

  /// The time between two updates.
  private static let interval = Duration.milliseconds(100)

  /// Starts the clock.
  init(_ progress: Progress) {
    self.progress = progress
    begin = clock.now
    last = begin
  }

  /// Sends an update unless the last one is fresh.
  mutating func report<T>(_ ascent: Ascent<T>, limit: Int, promise: Double?) {
    guard let report = progress.report else { return }
    let now = clock.now
    guard now - last >= SearchMeter.interval else { return }
    last = now
    report(update(ascent, limit, promise, now))
  }

  /// Sends the last update.
  func finish<T>(_ ascent: Ascent<T>) {
    guard let report = progress.report else { return }
    var final = update(ascent, ascent.iterations, nil, clock.now)
    final.isLast = true
    report(final)
  }

  /// Returns an update.
  private func update<T>(
    _ ascent: Ascent<T>, _ limit: Int, _ promise: Double?, _ now: ContinuousClock.Instant
  ) -> ProgressUpdate {
    var details = [(name: "log density", value: ascent.value)]
    if let promise { details.append((name: "gain to come", value: promise)) }
    return ProgressUpdate(
      stage: "optimising", completed: ascent.iterations, total: limit,
      seconds: (now - begin) / .seconds(1), details: details)
  }
}
