// SPDX-License-Identifier: MIT
//
// The windows of a warm-up: fast at both ends, slow and doubling between.
//
// Source: Stan Reference Manual, "Automatic parameter tuning": 75 | 25 50 100 200 500 | 50 for 1000 iterations.

/// The windows in which a warm-up estimates the metric.
public struct WarmUpSchedule: Sendable, Codable {
  /// The slow windows, in order: the metric is set at the end of each.
  public let windows: [Range<Int>]

  /// Divides a number of iterations as Stan does; fewer than 20 have no slow window.
  public init(iterations: Int, first: Int = 75, last: Int = 50, window: Int = 25) {
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

/// The running mean and variance of vectors (Welford 1962).
struct RunningMoments: Sendable, Codable {
  private(set) var count = 0.0
  private var mean: [Double]
  private var squares: [Double]

  /// Starts with no vectors of a length.
  init(_ n: Int) {
    mean = [Double](repeating: 0, count: n)
    squares = mean
  }

  /// Adds a vector.
  mutating func add(_ x: [Double]) {
    count += 1
    for k in x.indices {
      let d = x[k] - mean[k]
      mean[k] += d / count
      squares[k] += d * (x[k] - mean[k])
    }
  }

  /// The variances, drawn towards 0.001 as by five further draws (Stan's regularisation).
  var regularizedVariances: [Double] {
    let weight = count / (count + 5)
    return squares.map { weight * $0 / max(1, count - 1) + 1e-3 * (5 / (count + 5)) }
  }
}

/// The running covariance of vectors.
struct RunningCovariance: Sendable, Codable {
  private(set) var count = 0.0
  private var mean: [Double]
  private var products: [Double]

  /// Starts with no vectors of a length.
  init(_ n: Int) {
    mean = [Double](repeating: 0, count: n)
    products = [Double](repeating: 0, count: n * n)
  }

  /// Adds a vector.
  mutating func add(_ x: [Double]) {
    count += 1
    let n = x.count
    let before = zip(x, mean).map { $0 - $1 }
    for k in 0..<n { mean[k] += before[k] / count }
    for r in 0..<n {
      let after = x[r] - mean[r]
      for c in 0...r { products[r * n + c] += after * before[c] }
    }
  }

  /// The covariance, drawn towards 0.001 times the identity as by five further draws (Stan's regularisation), row-major.
  var regularized: [Double] {
    let n = mean.count
    let weight = count / (count + 5) / max(1, count - 1)
    var matrix = [Double](repeating: 0, count: n * n)
    for r in 0..<n {
      for c in 0...r {
        matrix[r * n + c] = weight * products[r * n + c]
        matrix[c * n + r] = matrix[r * n + c]
      }
      matrix[r * n + r] += 1e-3 * (5 / (count + 5))
    }
    return matrix
  }
}
