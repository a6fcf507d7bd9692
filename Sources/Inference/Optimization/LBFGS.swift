// SPDX-License-Identifier: MIT
//
// Limited-memory BFGS with a line search that satisfies the strong Wolfe conditions.
//
// Source: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4 and 7.5.

/// A maximiser that needs gradients only.
///
/// It also climbs densities with kinks, where its steps shrink to nothing at the top and it says that it made no progress
/// rather than that it converged. It cannot tell a saddle with zero gradient from a maximum.
public struct LBFGS: Optimizer {
  /// The number of steps remembered.
  public var memory = 10

  /// The largest number of steps.
  public var maximumIterations = 500

  /// The promised gain in log density below which the search stops; 1e-10 is some 1e-5 of a standard deviation.
  public var tolerance = 1e-10

  /// The curvature of −log density that a search begins with; that of all coordinates is taken as equal where it is nil.
  ///
  /// Where it tells most of the truth a search of hundreds of coordinates takes tens of steps instead of hundreds.
  public var curvature: ArrowCurvature?

  /// Creates the optimiser.
  public init() {}

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    var ascent = Ascent(target, from: start, control)
    guard ascent.isFinite else { return ascent.end(.notFinite) }
    var history = InverseCurvature(limit: memory, curvature)
    var promise: Double?
    while true {
      if let reason = ascent.beginStep(of: maximumIterations, promise: promise) {
        return ascent.end(reason)
      }
      var direction = history.direction(for: ascent.gradient)
      var slope = dot(direction, ascent.gradient)
      if !(slope > 0) {
        history.forget()
        direction = history.direction(for: ascent.gradient)
        slope = dot(direction, direction)
      }
      guard slope > 0 else {
        ascent.withdrawStep()
        return ascent.end(.converged)
      }
      // A first step as long as one unit of gradient would often leave the region of sense.
      let first = history.isEmpty && curvature == nil ? min(1, 1 / slope.squareRoot()) : 1
      let old = ascent.point
      guard let next = ascent.lineSearch(direction, slope: slope, first: first) else {
        // Half the slope along a quasi-Newton direction is the gain it promises: rounding hides one as small as this.
        let isHidden = !history.isEmpty && 0.5 * slope < max(tolerance, 16 * ascent.rounding)
        if isHidden { return ascent.end(.roundingLimit) }
        guard !history.isEmpty else { return ascent.end(.noProgress) }
        history.forget()
        continue
      }
      let isKnown = ascent.move(to: next)
      history.learn(
        step: difference(next.position, old.position),
        change: difference(old.gradient, next.gradient))
      if isKnown { return ascent.end(.merged) }
      let gain = next.value - old.value
      let promised = 0.5 * max(0, dot(history.direction(for: next.gradient), next.gradient))
      promise = promised
      if promised < tolerance && gain < 10 * tolerance + 100 * ascent.rounding {
        return ascent.end(.converged)
      }
    }
  }
}

/// The inverse of the curvature of −log density as the last steps have shown it.
private struct InverseCurvature {
  /// A step, the change of the gradient of −log density along it, and 1 / their inner product.
  private var steps: [(step: [Double], change: [Double], rho: Double)] = []
  private let limit: Int

  /// What is known of the curvature before the first step.
  private let start: ArrowCurvature?

  /// Creates an empty memory of at most `limit` steps.
  init(limit: Int, _ start: ArrowCurvature?) {
    self.limit = max(1, limit)
    self.start = start
  }

  /// Whether no step is remembered.
  var isEmpty: Bool { steps.isEmpty }

  /// Forgets all steps.
  mutating func forget() { steps = [] }

  /// Remembers a step along which the density curves down.
  mutating func learn(step: [Double], change: [Double]) {
    let curvature = dot(step, change)
    // Below rounding of the product its sign means nothing.
    guard curvature > 1e-14 * (dot(step, step) * dot(change, change)).squareRoot() else { return }
    steps.append((step, change, 1 / curvature))
    if steps.count > limit { steps.removeFirst() }
  }

  /// Returns the product of what was known before the first step with a vector.
  private func initial(_ vector: [Double]) -> [Double] { start?.solve(vector) ?? vector }

  /// Returns the product with a gradient, by two loops over the steps: an uphill direction.
  func direction(for gradient: [Double]) -> [Double] {
    var q = gradient
    var alphas = [Double](repeating: 0, count: steps.count)
    for k in steps.indices.reversed() {
      alphas[k] = steps[k].rho * dot(steps[k].step, q)
      add(-alphas[k], steps[k].change, to: &q)
    }
    q = initial(q)
    if let last = steps.last {
      let scale = dot(last.step, last.change) / dot(last.change, initial(last.change))
      for k in q.indices { q[k] *= scale }
    }
    for k in steps.indices {
      let beta = steps[k].rho * dot(steps[k].change, q)
      add(alphas[k] - beta, steps[k].step, to: &q)
    }
    return q
  }
}
