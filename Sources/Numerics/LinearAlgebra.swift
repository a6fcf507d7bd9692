// SPDX-License-Identifier: MIT
//
// Dense linear algebra on row-major buffers: thin wrappers over BLAS and LAPACK, on one thread.

internal import COpenBLAS

/// Dense linear algebra on row-major buffers of doubles.
///
/// Row-major means that element (i, j) of a matrix with `columns` columns is at `i * columns + j`. Sizes are trusted: the
/// caller has checked them.
package enum LinearAlgebra {
  /// The memory of an argument.
  package typealias Source = UnsafePointer<Double>

  /// The memory of a result.
  package typealias Target = UnsafeMutablePointer<Double>

  /// Sets OpenBLAS to one thread, once: chains are the parallel axis.
  private static let oneThread: Void = openblas_set_num_threads(1)

  /// Returns the size as BLAS wants it.
  private static func size(_ n: Int) -> Int32 { Int32(n) }

  /// Sets C (m × n) to alpha · op(A) · op(B) + beta · C, with inner extent k.
  ///
  /// - Parameters:
  ///   - transposeA: Whether `a` holds a k × m matrix that enters transposed, instead of m × k.
  ///   - transposeB: Whether `b` holds an n × k matrix that enters transposed, instead of k × n.
  ///   - m: The number of rows of C.
  ///   - n: The number of columns of C.
  ///   - k: The inner extent.
  ///   - alpha: The factor of the product.
  ///   - a: The elements of A.
  ///   - b: The elements of B.
  ///   - beta: The factor of what C holds; where it is 0, C is not read.
  ///   - c: The elements of C.
  package static func gemm(
    transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int,
    alpha: Double = 1, _ a: Source, _ b: Source, beta: Double = 0, into c: Target
  ) {
    guard m > 0, n > 0 else { return }
    _ = oneThread
    cblas_dgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      size(m), size(n), size(k), alpha, a, size(max(1, transposeA ? m : k)), b,
      size(max(1, transposeB ? k : n)), beta, c, size(n))
  }

  /// Sets y to alpha · op(A) · x + beta · y, for A of `rows` × `columns`.
  package static func gemv(
    transpose: Bool = false, rows: Int, columns: Int, alpha: Double = 1, _ a: Source, _ x: Source,
    beta: Double = 0, into y: Target
  ) {
    guard rows > 0, columns > 0 else {
      let count = transpose ? columns : rows
      for i in 0..<count { y[i] = beta == 0 ? 0 : beta * y[i] }
      return
    }
    _ = oneThread
    cblas_dgemv(
      CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, size(rows), size(columns), alpha, a,
      size(columns), x, 1, beta, y, 1)
  }

  /// Adds alpha · x · yᵀ to A of `rows` × `columns`.
  package static func ger(
    rows: Int, columns: Int, alpha: Double = 1, _ x: Source, _ y: Source, into a: Target
  ) {
    guard rows > 0, columns > 0 else { return }
    _ = oneThread
    cblas_dger(CblasRowMajor, size(rows), size(columns), alpha, x, 1, y, 1, a, size(columns))
  }

  /// Returns the inner product of two vectors.
  package static func dot(_ x: Source, _ y: Source, count: Int) -> Double {
    _ = oneThread
    return cblas_ddot(size(count), x, 1, y, 1)
  }

  /// Adds alpha · x to y.
  package static func axpy(_ alpha: Double, _ x: Source, into y: Target, count: Int) {
    _ = oneThread
    cblas_daxpy(size(count), alpha, x, 1, y, 1)
  }

  /// Solves op(T) X = B or X op(T) = B in place, for a triangular T and B of `rows` × `columns`.
  ///
  /// - Parameters:
  ///   - lower: Whether T is lower triangular; the other triangle is not read.
  ///   - transpose: Whether T enters transposed.
  ///   - fromRight: Whether T stands to the right of X; T has `columns` rows then, else `rows`.
  ///   - unitDiagonal: Whether the diagonal is taken as ones and not read.
  ///   - rows: The number of rows of B.
  ///   - columns: The number of columns of B.
  ///   - t: The elements of T.
  ///   - b: The elements of B, replaced by those of X.
  package static func solveTriangular(
    lower: Bool = true, transpose: Bool = false, fromRight: Bool = false,
    unitDiagonal: Bool = false, rows: Int, columns: Int, _ t: Source, into b: Target
  ) {
    guard rows > 0, columns > 0 else { return }
    _ = oneThread
    cblas_dtrsm(
      CblasRowMajor, fromRight ? CblasRight : CblasLeft, lower ? CblasLower : CblasUpper,
      transpose ? CblasTrans : CblasNoTrans, unitDiagonal ? CblasUnit : CblasNonUnit, size(rows),
      size(columns), 1, t, size(fromRight ? columns : rows), b, size(columns))
  }

  /// Multiplies in place by a triangular matrix: B becomes op(T) B or B op(T).
  package static func multiplyTriangular(
    lower: Bool = true, transpose: Bool = false, fromRight: Bool = false,
    unitDiagonal: Bool = false, rows: Int, columns: Int, _ t: Source, into b: Target
  ) {
    guard rows > 0, columns > 0 else { return }
    _ = oneThread
    cblas_dtrmm(
      CblasRowMajor, fromRight ? CblasRight : CblasLeft, lower ? CblasLower : CblasUpper,
      transpose ? CblasTrans : CblasNoTrans, unitDiagonal ? CblasUnit : CblasNonUnit, size(rows),
      size(columns), 1, t, size(fromRight ? columns : rows), b, size(columns))
  }

  /// Replaces a symmetric matrix by its lower Cholesky factor, with zeros above the diagonal.
  ///
  /// Only the lower triangle is read. A row-major lower triangle is LAPACK's upper one.
  ///
  /// - Returns: Whether the matrix was positive definite; if not, its memory holds nothing of use.
  package static func cholesky(_ a: Target, n: Int) -> Bool {
    guard n > 0 else { return true }
    _ = oneThread
    var order = size(n)
    var leading = order
    var info: Int32 = 0
    dpotrf_("U", &order, a, &leading, &info)
    for i in 0..<n {
      for j in (i + 1)..<n { a[i * n + j] = 0 }
    }
    return info == 0
  }

  /// Solves A X = B in place from A's lower Cholesky factor, for B of n × `columns`.
  package static func solveCholesky(_ factor: Source, n: Int, columns: Int, into b: Target) {
    solveTriangular(rows: n, columns: columns, factor, into: b)
    solveTriangular(transpose: true, rows: n, columns: columns, factor, into: b)
  }

  /// Replaces a symmetric matrix by its eigenvectors, one to a row, and sets its eigenvalues in ascending order.
  ///
  /// Only the lower triangle is read.
  ///
  /// - Returns: Whether the iteration converged.
  package static func symmetricEigen(_ a: Target, n: Int, values: Target) -> Bool {
    guard n > 0 else { return true }
    _ = oneThread
    var order = size(n)
    var leading = order
    var info: Int32 = 0
    var workSize: Int32 = -1
    var integerSize: Int32 = -1
    var workQuery = 0.0
    var integerQuery: Int32 = 0
    dsyevd_(
      "V", "U", &order, a, &leading, values, &workQuery, &workSize, &integerQuery, &integerSize,
      &info)
    guard info == 0 else { return false }
    workSize = Int32(workQuery)
    integerSize = integerQuery
    var work = [Double](repeating: 0, count: Int(workSize))
    var integers = [Int32](repeating: 0, count: Int(integerSize))
    dsyevd_(
      "V", "U", &order, a, &leading, values, &work, &workSize, &integers, &integerSize, &info)
    return info == 0
  }
}
