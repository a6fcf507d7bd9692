// SPDX-License-Identifier: MIT
//
// Metrics from draws and gradients: those that bring the transformed scores closest to a standard normal's.
//
// Source: Seyboldt, Carlson and Carpenter 2026, arXiv 2603.18845: the diagonal minimiser, and the one of diagonal and low rank.

import Numerics

/// The metrics of draws and gradients that bring the transformed gradients closest to a standard normal's.
///
/// Of a normal posterior, gradients are a linear map of the draws, and more draws than coordinates tell its covariance all but exactly,
/// where that of the draws themselves is off by the root of coordinates over draws.
///
/// ```swift
/// let estimate = FisherDivergence(draws: draws, gradients: gradients)
/// kernel.metric = estimate?.metric() ?? kernel.metric
/// ```
public struct FisherDivergence: Sendable {
  /// The number of draws.
  private let count: Int

  /// The number of coordinates.
  private let dimension: Int

  /// The variances of the diagonal minimiser.
  public let variances: [Double]

  /// The draws less their mean, over √variances; row-major, one row to a draw.
  private var draws: [Double]

  /// The gradients less their mean, times √variances; row-major, one row to a draw.
  private var gradients: [Double]

  /// What is added to the sums of squares in all directions of the scaled coordinates, as by one draw of that square.
  ///
  /// It gives directions that the draws do not span the variance 1 of the diagonal metric, and leaves alone those that they
  /// do: both covariances are scaled alike, so that a condition number κ of the posterior shows as √κ in each.
  static let regularization = 1e-5

  /// Prepares an estimate; nil for fewer than three draws.
  ///
  /// - Parameters:
  ///   - draws: The draws, unconstrained vectors of one length.
  ///   - gradients: The gradients of the log density there, as many vectors of that length.
  ///   - fallback: The variances of coordinates in which draws or gradients do not vary, positive; nil: 1.
  public init?(
    draws: [[Double]], gradients: [[Double]], fallback: [Double]? = nil
  ) {
    demand(
      draws.count == gradients.count,
      "FisherDivergence: expected a gradient to each draw, got \(draws.count) draws and \(gradients.count) gradients"
    )
    guard draws.count >= 3, let n = draws.first?.count else { return nil }
    count = draws.count
    dimension = n
    var (x, s) = (RunningMoments(dimension: n), RunningMoments(dimension: n))
    for (draw, gradient) in zip(draws, gradients) {
      x.add(draw)
      s.add(gradient)
    }
    let variances = FisherDivergence.variances(
      draws: x, gradients: s, fallback: fallback ?? [Double](repeating: 1, count: n))
    let scales = variances.map { $0.squareRoot() }
    self.variances = variances
    self.draws = []
    self.gradients = []
    self.draws.reserveCapacity(count * n)
    self.gradients.reserveCapacity(count * n)
    for (draw, gradient) in zip(draws, gradients) {
      for k in 0..<n {
        self.draws.append((draw[k] - x.mean[k]) / scales[k])
        self.gradients.append((gradient[k] - s.mean[k]) * scales[k])
      }
    }
  }

  /// Returns the variances √(var(draws) / var(gradients)) that minimise the divergence among diagonal metrics.
  ///
  /// - Parameters:
  ///   - draws: The moments of the draws.
  ///   - gradients: The moments of the gradients there.
  ///   - fallback: The variances of coordinates in which draws or gradients do not vary, positive.
  /// - Returns: The variances.
  public static func variances(
    draws: RunningMoments, gradients: RunningMoments, fallback: [Double]
  ) -> [Double] {
    demand(
      draws.mean.count == fallback.count && gradients.mean.count == fallback.count,
      "FisherDivergence: expected moments of \(fallback.count) coordinates, as the fallback has, got \(draws.mean.count) and \(gradients.mean.count)"
    )
    return fallback.indices.map { k in
      let variance = (draws.squares[k] / gradients.squares[k]).squareRoot()
      return variance > 0 && variance.isFinite ? min(max(variance, 1e-20), 1e20) : fallback[k]
    }
  }

  /// Returns the metric: the diagonal one, and the directions in which the scaled posterior is wider or narrower than it by a factor.
  ///
  /// - Parameters:
  ///   - cutoff: Variances between 1/cutoff and cutoff count as 1; above 1.
  ///   - maximumRank: The largest number of directions, positive; those farthest from 1 are kept.
  /// - Returns: The metric; the diagonal one where the eigenvectors cannot be found.
  public func metric(cutoff: Double = 2, maximumRank: Int = 100) -> Metric {
    demand(
      maximumRank > 0 && cutoff > 1,
      "FisherDivergence: expected maximumRank > 0, cutoff > 1, got \(maximumRank), \(cutoff)")
    let diagonal = Metric.diagonal(variances)
    let basis =
      dimension <= maximumRank || dimension <= 2 * count && dimension <= 200
      ? nil : span(maximumRank)
    let size = basis.map { $0.count / dimension } ?? dimension
    guard size > 0 else { return diagonal }
    guard
      let eigen = geometricMean(
        covariance(draws, basis, size), covariance(gradients, basis, size), size)
    else { return diagonal }
    var chosen = (0..<size).filter { !(eigen.values[$0] > 1 / cutoff && eigen.values[$0] < cutoff) }
    chosen.sort { abs(logarithm(eigen.values[$0])) > abs(logarithm(eigen.values[$1])) }
    chosen = Array(chosen.prefix(maximumRank))
    let directions = chosen.map { j -> [Double] in
      let w = Array(eigen.vectors[(j * size)..<((j + 1) * size)])
      guard let basis else { return w }
      return (0..<dimension).map { k in
        (0..<size).reduce(0) { $0 + w[$1] * basis[$1 * dimension + k] }
      }
    }
    if chosen.isEmpty { return diagonal }
    return .lowRank(
      variances: variances, directions: directions, eigenvalues: chosen.map { eigen.values[$0] })
  }

  // MARK: - Pieces

  /// Returns an orthonormal basis, row-major, of the leading directions of the draws and of the gradients.
  private func span(_ maximumRank: Int) -> [Double] {
    let rows = leading(draws, maximumRank) + leading(gradients, maximumRank)
    let count = rows.count / dimension
    guard count > 0, let eigen = symmetricEigen(product(rows, rows, count, count, dimension), count)
    else { return [] }
    // Directions that draws and gradients share have eigenvalues of 2 and of 0 to rounding.
    let kept = (0..<count).filter { eigen.values[$0] > 1e-8 }
    var basis = [Double](repeating: 0, count: kept.count * dimension)
    for (row, j) in kept.enumerated() {
      let scale = 1 / eigen.values[j].squareRoot()
      for i in 0..<count {
        let share = scale * eigen.vectors[j * count + i]
        for k in 0..<dimension { basis[row * dimension + k] += share * rows[i * dimension + k] }
      }
    }
    return basis
  }

  /// Returns the leading right singular vectors of a matrix of draws, row-major.
  private func leading(_ matrix: [Double], _ maximumRank: Int) -> [Double] {
    guard let eigen = symmetricEigen(product(matrix, matrix, count, count, dimension), count)
    else { return [] }
    var rows: [Double] = []
    // Ascending order.
    for j in (max(0, count - maximumRank)..<count).reversed()
    where eigen.values[j] > 1e-10 * eigen.values[count - 1] {
      let scale = 1 / eigen.values[j].squareRoot()
      var row = [Double](repeating: 0, count: dimension)
      for i in 0..<count {
        let share = scale * eigen.vectors[j * count + i]
        for k in 0..<dimension { row[k] += share * matrix[i * dimension + k] }
      }
      rows += row
    }
    return rows
  }

  /// Returns the regularised covariance of scaled draws in a basis (nil: in all coordinates), row-major.
  private func covariance(_ matrix: [Double], _ basis: [Double]?, _ size: Int) -> [Double] {
    let projected =
      basis.map { product(matrix, $0, count, size, dimension) } ?? matrix
    var result = [Double](repeating: 0, count: size * size)
    projected.withUnsafeBufferPointer { p in
      result.withUnsafeMutableBufferPointer { c in
        guard let p = p.baseAddress, let c = c.baseAddress else { return }
        LinearAlgebra.gemm(
          transposeA: true, m: size, n: size, k: count, alpha: 1 / Double(count), p, p, into: c)
      }
    }
    for k in 0..<size { result[k * size + k] += FisherDivergence.regularization / Double(count) }
    return result
  }
}

/// Returns A Bᵀ for row-major matrices of `rows` and `columns` rows of a length.
private func product(_ a: [Double], _ b: [Double], _ rows: Int, _ columns: Int, _ length: Int)
  -> [Double]
{
  var result = [Double](repeating: 0, count: rows * columns)
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      result.withUnsafeMutableBufferPointer { c in
        guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
        LinearAlgebra.gemm(transposeB: true, m: rows, n: columns, k: length, a, b, into: c)
      }
    }
  }
  return result
}

/// Returns the eigenvalues of a symmetric matrix in ascending order, and its eigenvectors as rows; nil where they cannot be found.
func symmetricEigen(_ matrix: [Double], _ n: Int) -> (values: [Double], vectors: [Double])? {
  var (vectors, values) = (matrix, [Double](repeating: 0, count: n))
  guard matrix.allSatisfy(\.isFinite) else { return nil }
  let isDone = vectors.withUnsafeMutableBufferPointer { a in
    values.withUnsafeMutableBufferPointer { w in
      guard let a = a.baseAddress, let w = w.baseAddress else { return n == 0 }
      return LinearAlgebra.symmetricEigen(a, n: n, values: w)
    }
  }
  return isDone ? (values, vectors) : nil
}

/// Returns the eigenvalues and eigenvectors of the Σ with Σ B Σ = A, the geometric mean of A and B⁻¹; A and B are positive definite.
func geometricMean(_ a: [Double], _ b: [Double], _ n: Int) -> (values: [Double], vectors: [Double])?
{
  // With B^½ = V s^½ Vᵀ: Σ = B^−½ (B^½ A B^½)^½ B^−½.
  guard let eigen = symmetricEigen(b, n), eigen.values.allSatisfy({ $0 > 0 }) else { return nil }
  let root = function(eigen, n) { $0.squareRoot() }
  let inverseRoot = function(eigen, n) { 1 / $0.squareRoot() }
  guard
    let inner = symmetricEigen(symmetric(product(product(root, a, n, n, n), root, n, n, n), n), n)
  else { return nil }
  let middle = function(inner, n) { max(0, $0).squareRoot() }
  let mean = product(product(inverseRoot, middle, n, n, n), inverseRoot, n, n, n)
  guard let result = symmetricEigen(symmetric(mean, n), n),
    result.values.allSatisfy({ $0 > 0 && $0.isFinite })
  else {
    return nil
  }
  return result
}

/// Returns a function of a symmetric matrix.
private func function(
  _ eigen: (values: [Double], vectors: [Double]), _ n: Int, _ f: (Double) -> Double
) -> [Double] {
  var scaled = eigen.vectors
  for j in 0..<n {
    let factor = f(eigen.values[j])
    for k in 0..<n { scaled[j * n + k] *= factor }
  }
  var result = [Double](repeating: 0, count: n * n)
  eigen.vectors.withUnsafeBufferPointer { v in
    scaled.withUnsafeBufferPointer { s in
      result.withUnsafeMutableBufferPointer { c in
        guard let v = v.baseAddress, let s = s.baseAddress, let c = c.baseAddress else { return }
        LinearAlgebra.gemm(transposeA: true, m: n, n: n, k: n, v, s, into: c)
      }
    }
  }
  return result
}

/// Returns the symmetric part of a matrix, rid of rounding.
private func symmetric(_ matrix: [Double], _ n: Int) -> [Double] {
  var result = matrix
  for r in 0..<n {
    for c in 0..<r {
      let mean = 0.5 * (matrix[r * n + c] + matrix[c * n + r])
      result[r * n + c] = mean
      result[c * n + r] = mean
    }
  }
  return result
}
