// SPDX-License-Identifier: MIT
//
// Running means and variances of vectors, and the variances that a warm-up believes.
//
// Source: Welford 1962, Technometrics 4, 419.

import Numerics

/// The running mean and variance of vectors (Welford 1962).
public struct RunningMoments: Sendable, Codable {
  /// The number of vectors.
  public private(set) var count = 0.0
  /// Their mean; 0 without vectors.
  public private(set) var mean: [Double]
  /// The sums of squared deviations from it.
  public private(set) var squares: [Double]

  /// The number of draws that what was believed before counts for, as in Stan.
  static let weightOfBelief = 5.0

  /// Starts with no vectors of a length.
  public init(dimension n: Int) {
    demand(n >= 0, "RunningMoments: expected a dimension ≥ 0, got \(n)")
    mean = [Double](repeating: 0, count: n)
    squares = mean
  }

  /// Adds a vector.
  public mutating func add(_ x: [Double]) {
    demand(
      x.count == mean.count,
      "RunningMoments: expected a vector of \(mean.count) elements, got \(x.count)")
    count += 1
    for k in x.indices {
      let d = x[k] - mean[k]
      mean[k] += d / count
      squares[k] += d * (x[k] - mean[k])
    }
  }

  /// The variances, with n − 1 in the denominator; 0 of fewer than two vectors.
  public var variances: [Double] { squares.map { $0 / max(1, count - 1) } }

  /// Returns the variances, drawn towards what was believed before.
  ///
  /// Stan adds 0.001 with the weight of five draws: a length of 0.03 in the coordinates' own units, which spoils the metric of a
  /// parameter known to a thousandth. Here the logarithms of variance and belief are averaged, with the weights of the draws
  /// and of five: the answer has the same units whatever they are, and a belief that is off by orders of magnitude, such as
  /// that of a window in which the chain still travelled, loses its influence as fast as one that is too narrow.
  ///
  /// - Parameter beliefs: The variances before, positive; nil: nothing is known.
  /// - Returns: The variances; the belief, or 1, for coordinates that did not move.
  public func variances(towards beliefs: [Double]?) -> [Double] {
    demand(
      beliefs.map { $0.count == squares.count } ?? true,
      "RunningMoments: expected beliefs of \(squares.count) variances, got \(beliefs?.count ?? 0)")
    let share = count / (count + RunningMoments.weightOfBelief)
    return squares.indices.map { k in
      let variance = squares[k] / max(1, count - 1)
      guard variance >= 1e-300 && variance <= 1e300 else { return beliefs?[k] ?? 1 }
      guard let belief = beliefs?[k] else { return variance }
      return exponential(share * logarithm(variance) + (1 - share) * logarithm(belief))
    }
  }
}
