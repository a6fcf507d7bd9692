// SPDX-License-Identifier: MIT
//
// The shortest interval that holds a given share of the draws; on the circle, the shortest arc.

import Numerics

extension ScalarDraws {
  /// Returns the highest-density interval: the shortest one that holds a share of the draws, as ArviZ counts them.
  ///
  /// For an angle it is the shortest arc of the circle, given on the branch around the mean direction; its ends may leave
  /// [0, period).
  ///
  /// - Parameter probability: The share, above 0 and below 1.
  /// - Returns: The ends; NaN where there are no draws or one is NaN.
  public func highestDensityInterval(_ probability: Double = 0.94) -> (low: Double, high: Double) {
    demand(
      probability > 0 && probability < 1,
      "highestDensityInterval: expected a probability between 0 and 1, got \(probability)")
    let x = unwrapped.sorted()
    guard !x.isEmpty, values.allSatisfy({ !$0.isNaN }) else { return (.nan, .nan) }
    let step = Int((probability * Double(x.count)).rounded(.down))
    let starts = period == nil ? x.count - step : x.count
    var best = (low: x[0], high: x[0])
    var width = Double.infinity
    for first in 0..<starts {
      let last = first + step
      // An arc may begin near the end of the branch and go on at its beginning.
      let high = last < x.count ? x[last] : x[last - x.count] + (period ?? 0)
      if high - x[first] < width {
        width = high - x[first]
        best = (x[first], high)
      }
    }
    guard let period, 0.5 * (best.low + best.high) >= mean + 0.5 * period else { return best }
    return (best.low - period, best.high - period)
  }
}
