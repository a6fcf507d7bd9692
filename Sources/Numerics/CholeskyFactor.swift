// SPDX-License-Identifier: MIT
//
// The Cholesky factor of a symmetric positive-definite matrix, and what it is good for: solves, inverse, determinant.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The Cholesky factor of a symmetric positive-definite matrix, row-major lower triangle.
public struct CholeskyFactor: Sendable {
  /// The number of rows.
  public let n: Int

  /// L with L Lᵀ = A, row-major, zero above the diagonal.
  public let lower: [Double]

  /// Factorises a matrix, of which the lower triangle is read; nil where it is not positive definite.
  ///
  /// - Precondition: The matrix has n² elements.
  public init?(_ matrix: [Double], _ n: Int) {
    demand(
      matrix.count == n * n,
      "CholeskyFactor: expected \(n * n) elements of \(n) rows, got \(matrix.count)")
    var l = matrix
    let isPositive = l.withUnsafeMutableBufferPointer { l in
      l.baseAddress.map { LinearAlgebra.cholesky($0, n: n) } ?? true
    }
    guard isPositive else { return nil }
    self.n = n
    lower = l
  }

  /// Returns A⁻¹ b.
  public func solve(_ b: [Double]) -> [Double] { solveTransposed(solveLower(b)) }

  /// Returns L⁻¹ b.
  public func solveLower(_ b: [Double]) -> [Double] {
    solved(b) { LinearAlgebra.solveTriangular(rows: n, columns: 1, $0, into: $1) }
  }

  /// Returns L⁻ᵀ b; of a vector of independent unit normals this is a draw with covariance A⁻¹.
  public func solveTransposed(_ b: [Double]) -> [Double] {
    solved(b) { LinearAlgebra.solveTriangular(transpose: true, rows: n, columns: 1, $0, into: $1) }
  }

  /// Returns L⁻ᵀ b for every row b of a row-major matrix with n columns.
  public func solveTransposed(rows: [Double]) -> [Double] {
    demand(
      n > 0 && rows.count % n == 0,
      "solveTransposed: expected rows of \(n) elements, got \(rows.count) elements in all")
    // The rows of B L⁻¹ are L⁻ᵀ b.
    return solved(rows) {
      LinearAlgebra.solveTriangular(
        fromRight: true, rows: rows.count / n, columns: n, $0, into: $1)
    }
  }

  /// Runs a solve in place on a copy.
  private func solved(
    _ b: [Double], _ solve: (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    var x = b
    lower.withUnsafeBufferPointer { lower in
      x.withUnsafeMutableBufferPointer { x in
        guard let l = lower.baseAddress, let b = x.baseAddress else { return }
        solve(l, b)
      }
    }
    return x
  }

  /// Returns xᵀ A x.
  public func squaredLength(_ x: [Double]) -> Double {
    var total = 0.0
    for c in 0..<n {
      var part = 0.0
      for r in c..<n { part += lower[r * n + c] * x[r] }
      total += part * part
    }
    return total
  }

  /// The inverse A⁻¹, row-major, symmetric.
  public var inverse: [Double] {
    var unit = [Double](repeating: 0, count: n * n)
    for k in 0..<n { unit[k * n + k] = 1 }
    guard n > 0 else { return unit }
    // A⁻¹ = L⁻ᵀ L⁻¹: row k of L⁻ᵀ, taken as rows of unit vectors, is L⁻ᵀ e_k.
    var result = solved(unit) { l, b in
      LinearAlgebra.solveTriangular(rows: n, columns: n, l, into: b)
      LinearAlgebra.solveTriangular(transpose: true, rows: n, columns: n, l, into: b)
    }
    for r in 0..<n {
      for c in 0..<r {
        let mean = 0.5 * (result[r * n + c] + result[c * n + r])
        result[r * n + c] = mean
        result[c * n + r] = mean
      }
    }
    return result
  }

  /// log det A.
  public var logDeterminant: Double {
    2 * (0..<n).reduce(0.0) { $0 + log(lower[$1 * n + $1]) }
  }
}
