// SPDX-License-Identifier: MIT
//
// The windows of a warm-up: fast at both ends, slow and doubling between.
//
// Source: Stan Reference Manual, "Automatic parameter tuning": 75 | 25 50 100 200 500 | 50 for 1000 iterations.

import Numerics

/// The windows in which a warm-up estimates the metric.
public struct WarmUpSchedule: Sendable, Codable {
  /// The slow windows, in order: the metric is set at the end of each.
  public let windows: [Range<Int>]

  /// Divides a number of iterations as Stan does; fewer than 20 have no slow window.
  ///
  /// - Parameters:
  ///   - iterations: The iterations of the warm-up.
  ///   - first: Those before the first window.
  ///   - last: Those after the last window.
  ///   - window: The length of the first window, positive. Where the three do not fit, 15 % are before the only window and
  ///     10 % after it.
  public init(iterations: Int, first: Int = 75, last: Int = 50, window: Int = 25) {
    demand(
      first >= 0 && last >= 0 && window > 0,
      "WarmUpSchedule: expected first ≥ 0, last ≥ 0, window > 0, got \(first), \(last), \(window)")
    guard iterations >= 20 else {
      windows = []
      return
    }
    var (start, end, size) = (first, iterations - last, window)
    if first + last + window > iterations {
      start = iterations * 15 / 100
      end = iterations - iterations / 10
      size = end - start
    }
    var list: [Range<Int>] = []
    while start < end {
      // The last window takes what a further doubling would not fit.
      let stop = start + size + 2 * size > end ? end : start + size
      list.append(start..<stop)
      start = stop
      size *= 2
    }
    windows = list
  }
}
