// SPDX-License-Identifier: MIT
//
// A line search to the strong Wolfe conditions that turns back from regions without a finite density.
//
// Source: Nocedal and Wright 2006, "Numerical Optimization", algorithms 3.5 and 3.6, equation 3.59.

/// A trial point along a search direction.
private struct LineTrial<Target: LogDensity> {
  var length: Double
  var slope: Double
  var point: Ascent<Target>.Trial

  /// The log density at the point.
  var value: Double { point.value }
}

/// The share of the promised gain that a step must bring (c₁ of the Wolfe conditions).
private let sufficientGain = 1e-4

/// The share of the slope that may be left (c₂ of the Wolfe conditions), the usual one for quasi-Newton directions.
private let remainingSlope = 0.9

extension Ascent {
  /// Searches along an uphill direction for a point that satisfies the strong Wolfe conditions.
  ///
  /// - Parameters:
  ///   - direction: The direction, uphill.
  ///   - slope: The derivative of the log density along it.
  ///   - first: The first length to try, in units of the direction.
  /// - Returns: The point; nil where none gains anything.
  mutating func lineSearch(_ direction: [Double], slope: Double, first: Double) -> Trial? {
    var previous = LineTrial<Target>(length: 0, slope: slope, point: point)
    var length = first
    // Each attempt goes 2.5 times as far: 20 of them reach 10⁸ times the first length.
    for attempt in 0..<20 {
      let current = lineTrial(direction, length)
      if current.value < value + sufficientGain * length * slope - rounding
        || (attempt > 0 && current.value <= previous.value)
      {
        return zoom(direction, slope, previous, current)
      }
      if abs(current.slope) <= remainingSlope * slope { return current.point }
      if current.slope < 0 { return zoom(direction, slope, current, previous) }
      previous = current
      length *= 2.5
    }
    return previous.point
  }

  /// Evaluates a trial point along a direction.
  private mutating func lineTrial(_ direction: [Double], _ length: Double) -> LineTrial<Target> {
    var position = position
    add(length, direction, to: &position)
    let trial = evaluate(position)
    return LineTrial(
      length: length, slope: trial.value.isFinite ? dot(trial.gradient, direction) : 0, point: trial
    )
  }

  /// Narrows an interval that holds a point satisfying the conditions.
  private mutating func zoom(
    _ direction: [Double], _ slope: Double, _ lowest: LineTrial<Target>,
    _ highest: LineTrial<Target>
  ) -> Trial? {
    var (low, high) = (lowest, highest)
    // Each trial takes off a twentieth of the interval at the least, a half where the far end is not finite.
    for _ in 0..<30 {
      let current = lineTrial(direction, interpolate(low, high))
      if current.value < value + sufficientGain * current.length * slope - rounding
        || current.value <= low.value
      {
        high = current
      } else {
        if abs(current.slope) <= remainingSlope * slope { return current.point }
        if current.slope * (high.length - low.length) <= 0 { high = low }
        low = current
      }
      if abs(high.length - low.length) < 1e-14 * max(1, low.length) { break }
    }
    return low.length > 0 && low.value > value ? low.point : nil
  }

  /// Returns the maximum of the cubic through two trials, kept off the ends of the interval.
  private func interpolate(_ low: LineTrial<Target>, _ high: LineTrial<Target>) -> Double {
    let width = high.length - low.length
    var fraction = 0.5
    if high.value.isFinite {
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
}

/// Returns the inner product of two vectors.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  var total = 0.0
  for k in a.indices { total += a[k] * b[k] }
  return total
}

/// Adds a multiple of one vector to another.
func add(_ factor: Double, _ x: [Double], to y: inout [Double]) {
  for k in x.indices { y[k] += factor * x[k] }
}

/// Returns a − b.
func difference(_ a: [Double], _ b: [Double]) -> [Double] {
  a.indices.map { a[$0] - b[$0] }
}
