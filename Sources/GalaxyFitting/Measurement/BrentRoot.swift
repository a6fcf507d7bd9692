// SPDX-License-Identifier: MIT
//
// A root of a function of one variable between two signs: Brent 1973, Algorithms for Minimization, chapter 4.

/// Returns a root of a function that has different signs at the ends of an interval; nil where it has not.
///
/// - Parameters:
///   - low: One end.
///   - high: The other end.
///   - tolerance: The error allowed in the root.
///   - function: The function; continuous.
/// - Returns: A root, or nil when the signs agree or a value is NaN.
package func brentRoot(
  from low: Double, to high: Double, tolerance: Double = 1e-12, _ function: (Double) -> Double
) -> Double? {
  // b is the best point, a the one before it, c the end on the other side of the root.
  var a = low
  var b = high
  var fa = function(a)
  var fb = function(b)
  guard fa * fb <= 0 else { return nil }
  if fa == 0 { return a }
  var c = a
  var fc = fa
  var step = b - a
  var previous = step
  // Bisection alone needs log2(range / tolerance) < 60 steps; Brent's bound is its square, never seen.
  for _ in 0..<200 {
    if fb * fc > 0 {
      c = a
      fc = fa
      step = b - a
      previous = step
    }
    if abs(fc) < abs(fb) {
      (a, b, c) = (b, c, b)
      (fa, fb, fc) = (fb, fc, fb)
    }
    let limit = 2 * Double.ulpOfOne * abs(b) + tolerance / 2
    let middle = (c - b) / 2
    if abs(middle) <= limit || fb == 0 { return b }
    if abs(previous) >= limit && abs(fa) > abs(fb) {
      let s = fb / fa
      var p: Double
      var q: Double
      if a == c {
        p = 2 * middle * s
        q = 1 - s
      } else {
        let r = fb / fc
        let t = fa / fc
        p = s * (2 * middle * t * (t - r) - (b - a) * (r - 1))
        q = (t - 1) * (r - 1) * (s - 1)
      }
      if p > 0 { q = -q } else { p = -p }
      if 2 * p < min(3 * middle * q - abs(limit * q), abs(previous * q)) {
        previous = step
        step = p / q
      } else {
        step = middle
        previous = middle
      }
    } else {
      step = middle
      previous = middle
    }
    a = b
    fa = fb
    b += abs(step) > limit ? step : (middle > 0 ? limit : -limit)
    fb = function(b)
  }
  return b
}
