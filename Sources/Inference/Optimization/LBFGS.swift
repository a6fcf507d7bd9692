// SPDX-License-Identifier: MIT
//
// Limited-memory BFGS with a line search that satisfies the strong Wolfe conditions.
//
// Source: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4, 7.5, 3.5 and 3.6.

/// A maximiser that needs gradients only.
public struct LBFGS: Sendable {
  /// The number of steps remembered.
  public var memory = 10

  /// The largest number of steps.
  public var maximumIterations = 500

  /// The gain in log density below which the search stops; 1e-10 is some 1e-5 of a standard deviation.
  public var tolerance = 1e-10

  /// Creates the optimiser.
  public init() {}

  /// Searches for the maximum of a log density from a point.
  public func maximize(
    _ target: some LogDensity, from start: [Double], isCancelled: () -> Bool = { false }
  ) -> Optimum {
    var search = Search(target, start)
    guard search.isFinite else { return search.result(.notFinite, 0) }
    var history: [(step: [Double], change: [Double], rho: Double)] = []
    for iteration in 0..<maximumIterations {
      if isCancelled() { return search.result(.cancelled, iteration) }
      var direction = twoLoop(search.gradient, history)
      var slope = dot(direction, search.gradient)
      if !(slope > 0) {
        history = []
        direction = search.gradient
        slope = dot(direction, direction)
      }
      if slope == 0 { return search.result(.converged, iteration) }
      // A first step as long as one unit of gradient would often leave the region of sense.
      let first = history.isEmpty ? min(1, 1 / slope.squareRoot()) : 1
      let old = search
      guard search.lineSearch(direction, slope, first) else {
        if !history.isEmpty {
          history = []
          continue
        }
        let tiny = slope.squareRoot() <= 1e-9 * max(1, abs(search.value))
        return search.result(tiny ? .roundingLimit : .noProgress, iteration)
      }
      let step = difference(search.position, old.position)
      // The change of the gradient of −log density, so that curvature is positive.
      let change = difference(old.gradient, search.gradient)
      let curvature = dot(step, change)
      if curvature > 1e-14 * (dot(step, step) * dot(change, change)).squareRoot() {
        history.append((step, change, 1 / curvature))
        if history.count > memory { history.removeFirst() }
      }
      // Half the slope along the quasi-Newton direction is the gain it still promises.
      let promised = 0.5 * max(0, dot(twoLoop(search.gradient, history), search.gradient))
      if promised < tolerance && search.value - old.value < 10 * tolerance + 1e-13 * abs(old.value)
      {
        return search.result(.converged, iteration + 1)
      }
    }
    return search.result(.iterationLimit, maximumIterations)
  }

  /// Returns the inverse of the remembered curvature applied to the gradient: an uphill direction.
  private func twoLoop(
    _ gradient: [Double], _ history: [(step: [Double], change: [Double], rho: Double)]
  ) -> [Double] {
    var q = gradient
    var alphas = [Double](repeating: 0, count: history.count)
    for k in history.indices.reversed() {
      alphas[k] = history[k].rho * dot(history[k].step, q)
      add(-alphas[k], history[k].change, to: &q)
    }
    if let last = history.last {
      let scale = dot(last.step, last.change) / dot(last.change, last.change)
      for k in q.indices { q[k] *= scale }
    }
    for k in history.indices {
      let beta = history[k].rho * dot(history[k].change, q)
      add(alphas[k] - beta, history[k].step, to: &q)
    }
    return q
  }
}

/// The state of an ascent: a point with value and gradient, and the line search.
struct Search<Target: LogDensity> {
  let target: Target
  var position: [Double]
  var value: Double
  var gradient: [Double]
  var evaluations = 1

  /// Starts at a point.
  init(_ target: Target, _ start: [Double]) {
    self.target = target
    position = start
    gradient = start
    value = target.valueAndGradient(at: start, into: &gradient)
  }

  /// Whether value and gradient are finite.
  var isFinite: Bool { value.isFinite && gradient.allSatisfy(\.isFinite) }

  /// Returns the present point as a result.
  func result(_ reason: Optimum.Reason, _ iterations: Int) -> Optimum {
    Optimum(
      position: position, value: value, gradient: gradient, reason: reason,
      iterations: iterations, evaluations: evaluations)
  }

  /// A trial point along the search direction.
  private struct Trial {
    var length: Double
    var value: Double
    var slope: Double
    var position: [Double]
    var gradient: [Double]
  }

  /// Evaluates a trial point; a value that is not finite counts as −∞.
  private mutating func trial(_ direction: [Double], _ length: Double) -> Trial {
    evaluations += 1
    var point = position
    add(length, direction, to: &point)
    var g = gradient
    let v = target.valueAndGradient(at: point, into: &g)
    let finite = v.isFinite && g.allSatisfy(\.isFinite)
    return Trial(
      length: length, value: finite ? v : -.infinity, slope: finite ? dot(g, direction) : 0,
      position: point, gradient: g)
  }

  /// Moves to a point that satisfies the strong Wolfe conditions; false where none is found.
  mutating func lineSearch(_ direction: [Double], _ slope: Double, _ first: Double) -> Bool {
    let (c1, c2) = (1e-4, 0.9)
    var previous = Trial(
      length: 0, value: value, slope: slope, position: position, gradient: gradient)
    var length = first
    for attempt in 0..<20 {
      let current = trial(direction, length)
      // Rounding of the value hides gains below this.
      let noise = 4e-16 * abs(value)
      if current.value < value + c1 * length * slope - noise
        || (attempt > 0 && current.value <= previous.value)
      {
        return zoom(direction, slope, previous, current)
      }
      if abs(current.slope) <= c2 * slope { return accept(current) }
      if current.slope < 0 { return zoom(direction, slope, current, previous) }
      previous = current
      length *= 2.5
    }
    return accept(previous)
  }

  /// Narrows an interval that holds a point satisfying the conditions.
  private mutating func zoom(
    _ direction: [Double], _ slope: Double, _ lowest: Trial, _ highest: Trial
  ) -> Bool {
    let (c1, c2) = (1e-4, 0.9)
    var (low, high) = (lowest, highest)
    let noise = 4e-16 * abs(value)
    for _ in 0..<30 {
      let length = interpolate(low, high)
      let current = trial(direction, length)
      if current.value < value + c1 * length * slope - noise || current.value <= low.value {
        high = current
      } else {
        if abs(current.slope) <= c2 * slope { return accept(current) }
        if current.slope * (high.length - low.length) <= 0 { high = low }
        low = current
      }
      if abs(high.length - low.length) < 1e-14 * max(1, low.length) { break }
    }
    return low.length > 0 && low.value > value ? accept(low) : false
  }

  /// Returns the maximum of the cubic through two trials, kept off the ends of the interval.
  private func interpolate(_ low: Trial, _ high: Trial) -> Double {
    let width = high.length - low.length
    var fraction = 0.5
    if high.value.isFinite {
      // Minimise −value: equation 3.59 of Nocedal and Wright.
      let d1 = -low.slope - high.slope + 3 * (low.value - high.value) / (low.length - high.length)
      let discriminant = d1 * d1 - low.slope * high.slope
      if discriminant >= 0 {
        let d2 = (width > 0 ? 1.0 : -1.0) * discriminant.squareRoot()
        let x =
          high.length - width * ((-high.slope + d2 - d1) / (-high.slope + low.slope + 2 * d2))
        fraction = (x - low.length) / width
      }
    }
    if !(fraction > 0.05) { fraction = fraction.isNaN ? 0.5 : 0.1 }
    if fraction > 0.95 { fraction = 0.9 }
    return low.length + fraction * width
  }

  /// Moves to a trial point.
  private mutating func accept(_ trial: Trial) -> Bool {
    guard trial.value.isFinite, trial.length > 0 else { return false }
    (position, value, gradient) = (trial.position, trial.value, trial.gradient)
    return true
  }
}

// MARK: - Vectors

/// Returns Σ x y.
func dot(_ x: [Double], _ y: [Double]) -> Double {
  var total = 0.0
  for k in x.indices { total += x[k] * y[k] }
  return total
}

/// Returns x − y.
func difference(_ x: [Double], _ y: [Double]) -> [Double] {
  var result = x
  for k in x.indices { result[k] -= y[k] }
  return result
}

/// Adds `factor` · x to y.
func add(_ factor: Double, _ x: [Double], to y: inout [Double]) {
  for k in x.indices { y[k] += factor * x[k] }
}
