// SPDX-License-Identifier: MIT
//
// The running covariance of vectors, and the dense metric that a warm-up believes.
//
// Source: Welford 1962, Technometrics 4, 419.

import Numerics
import PPL

/// The running covariance of vectors.
public struct RunningCovariance: Sendable, Codable {
  /// The number of vectors.
  public private(set) var count = 0.0
  /// Their mean; 0 without vectors.
  public private(set) var mean: [Double]
  /// The sums of products of deviations from it, row-major; the lower triangle alone.
  private var products: [Double]

  /// Starts with no vectors of a length.
  public init(dimension n: Int) {
    demand(n >= 0, "RunningCovariance: expected a dimension ≥ 0, got \(n)")
    mean = [Double](repeating: 0, count: n)
    products = [Double](repeating: 0, count: n * n)
  }

  /// Adds a vector.
  public mutating func add(_ x: [Double]) {
    let n = mean.count
    demand(
      x.count == n, "RunningCovariance: expected a vector of \(n) elements, got \(x.count)")
    count += 1
    let before = zip(x, mean).map { $0 - $1 }
    for k in 0..<n { mean[k] += before[k] / count }
    for r in 0..<n {
      let after = x[r] - mean[r]
      for c in 0...r { products[r * n + c] += after * before[c] }
    }
  }

  /// The covariance, row-major, with n − 1 in the denominator; 0 of fewer than two vectors.
  public var covariance: [Double] {
    let n = mean.count
    let weight = 1 / max(1, count - 1)
    var matrix = [Double](repeating: 0, count: n * n)
    for r in 0..<n {
      for c in 0...r {
        matrix[r * n + c] = weight * products[r * n + c]
        matrix[c * n + r] = matrix[r * n + c]
      }
    }
    return matrix
  }

  /// The smallest share of the largest eigenvalue, for each coordinate, that can be told from the rounding of products.
  private static let rounding = 1e-15

  /// Returns the dense metric of the covariance, drawn towards what was believed before.
  ///
  /// The same as the variances of ``RunningMoments``, in all directions: in coordinates in which the belief is the unit matrix the
  /// eigenvalues of the covariance are brought nearer to 1 on a logarithmic scale. The answer does not depend on the units of
  /// the coordinates, nor on how they are mixed. The belief counts for as many draws more as there are coordinates, since
  /// a covariance is known to √(coordinates / draws).
  ///
  /// - Parameter belief: The metric before; nil: nothing is known.
  /// - Returns: The metric.
  /// - Throws: `ModelError` of kind `notFinite` if the covariance is not positive definite.
  public func metric(towards belief: Metric?) throws -> Metric {
    let n = mean.count
    demand(
      belief.map { $0.dimension == n } ?? true,
      "RunningCovariance: expected a belief of \(n) coordinates, got \(belief?.dimension ?? 0)")
    let covariance = covariance
    let factor: [Double]
    if let belief {
      factor = try belief.lowerFactor()
    } else {
      var diagonal = [Double](repeating: 0, count: n * n)
      for k in 0..<n { diagonal[k * n + k] = covariance[k * n + k].squareRoot() }
      factor = diagonal
    }
    guard (0..<n).allSatisfy({ factor[$0 * n + $0] > 0 }),
      let eigen = symmetricEigen(RunningCovariance.whitened(covariance, factor, n), n),
      let smallest = eigen.values.first, let largest = eigen.values.last,
      smallest > RunningCovariance.rounding * Double(n) * largest
    else {
      throw ModelError(
        .notFinite,
        "expected a positive definite covariance of the \(Int(count)) draws of a window, found one that is not"
      )
    }
    let share = belief == nil ? 1 : count / (count + RunningMoments.weightOfBelief + Double(n))
    // Row j: L v_j √λ_j; the sum of their outer products is the metric.
    var rows = [Double](repeating: 0, count: n * n)
    for j in 0..<n {
      let scale = exponential(0.5 * share * logarithm(eigen.values[j]))
      for r in 0..<n {
        var sum = 0.0
        for c in 0...r { sum += factor[r * n + c] * eigen.vectors[j * n + c] }
        rows[j * n + r] = scale * sum
      }
    }
    var matrix = [Double](repeating: 0, count: n * n)
    for j in 0..<n {
      for r in 0..<n {
        for c in 0...r { matrix[r * n + c] += rows[j * n + r] * rows[j * n + c] }
      }
    }
    return try .dense(matrix, dimension: n)
  }

  /// Returns L⁻¹ S L⁻ᵀ, rid of the asymmetry of rounding.
  static func whitened(_ s: [Double], _ lower: [Double], _ n: Int) -> [Double] {
    var half = s
    solve(lower, &half, n)
    var whole = transposed(half, n)
    solve(lower, &whole, n)
    let mirror = transposed(whole, n)
    return zip(whole, mirror).map { 0.5 * ($0 + $1) }
  }

  /// Sets B to L⁻¹ B.
  private static func solve(_ lower: [Double], _ b: inout [Double], _ n: Int) {
    lower.withUnsafeBufferPointer { l in
      b.withUnsafeMutableBufferPointer { b in
        guard let l = l.baseAddress, let b = b.baseAddress else { return }
        LinearAlgebra.solveTriangular(rows: n, columns: n, l, into: b)
      }
    }
  }

  /// Returns the transpose.
  private static func transposed(_ a: [Double], _ n: Int) -> [Double] {
    (0..<(n * n)).map { a[($0 % n) * n + $0 / n] }
  }
}
