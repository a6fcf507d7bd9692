// SPDX-License-Identifier: MIT
//
// A smooth step down in frequency whose transform is short: the integral of Kaiser's window.

import Numerics

/// A function that is 1 below a limit, 0 above another, and falls between them as the integral of I0(β √(1 − t²)).
///
/// Its error is below 1e-11: values and slopes at knots, cubics between them.
struct TaperedWindow: Sendable {
  /// Where the step begins.
  let start: Double

  /// Where it ends.
  let end: Double

  /// Kaiser's β: the transform beyond the distance 2 β/(end − start) is below some exp(−β) of its height.
  private static let beta = 9.0

  /// The number of intervals between the limits.
  private static let intervals = 512

  /// The values at the knots.
  private let values: [Double]

  /// The slopes at the knots, per interval.
  private let slopes: [Double]

  /// Tabulates the step.
  init(from start: Double, to end: Double) {
    demand(start < end, "TaperedWindow: expected start < end, got \(start) and \(end)")
    self.start = start
    self.end = end
    let count = Self.intervals
    /// Kaiser's window at a knot, or between two.
    func kaiser(_ knot: Double) -> Double {
      let t = 2 * knot / Double(count) - 1
      return Self.bessel(Self.beta * max(1 - t * t, 0).squareRoot())
    }
    // Simpson's rule: of an even function, with steps of 1/1024 of its length.
    var sums = [0.0]
    for i in 0..<count {
      let (a, b, c) = (kaiser(Double(i)), kaiser(Double(i) + 0.5), kaiser(Double(i + 1)))
      sums.append(sums[i] + (a + 4 * b + c) / 6)
    }
    let total = sums[count]
    values = sums.map { 1 - $0 / total }
    slopes = (0...count).map { -kaiser(Double($0)) / total }
  }

  /// The modified Bessel function I0, by its power series.
  private static func bessel(_ x: Double) -> Double {
    let square = 0.25 * x * x
    var term = 1.0
    var sum = 1.0
    var k = 1.0
    while term > 1e-17 * sum {
      term *= square / (k * k)
      sum += term
      k += 1
    }
    return sum
  }

  /// Returns the function at a frequency ≥ 0.
  func callAsFunction(_ frequency: Double) -> Double {
    let place = (frequency - start) / (end - start) * Double(Self.intervals)
    guard place > 0 else { return 1 }
    guard place < Double(Self.intervals) else { return 0 }
    let i = Int(place)
    let t = place - Double(i)
    let rise = values[i + 1] - values[i]
    let c2 = 3 * rise - 2 * slopes[i] - slopes[i + 1]
    let c3 = slopes[i] + slopes[i + 1] - 2 * rise
    return values[i] + t * (slopes[i] + t * (c2 + t * c3))
  }
}
