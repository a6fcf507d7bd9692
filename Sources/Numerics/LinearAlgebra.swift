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
    if columns == 1 && !fromRight {
      if lower && !unitDiagonal && rows <= smallOrder {
        solveByLoops(transpose: transpose, n: rows, t, into: b)
        return
      }
      _ = oneThread
      cblas_dtrsv(
        CblasRowMajor, lower ? CblasLower : CblasUpper, transpose ? CblasTrans : CblasNoTrans,
        unitDiagonal ? CblasUnit : CblasNonUnit, size(rows), t, size(rows), b, 1)
      return
    }
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

  /// Multiplies a vector in place by a lower triangular matrix of n rows, or by its transpose.
  ///
  /// - Parameters:
  ///   - transpose: Whether T enters transposed.
  ///   - n: The number of rows.
  ///   - rowStride: The distance between rows, at least n.
  ///   - t: The elements of T; the upper triangle is not read.
  ///   - x: The vector.
  package static func multiplyTriangular(
    transpose: Bool = false, n: Int, rowStride: Int, _ t: Source, into x: Target
  ) {
    guard n > 0 else { return }
    _ = oneThread
    cblas_dtrmv(
      CblasRowMajor, CblasLower, transpose ? CblasTrans : CblasNoTrans, CblasNonUnit, size(n), t,
      size(rowStride), x, 1)
  }

  /// Replaces a symmetric matrix by its lower Cholesky factor, with zeros above the diagonal.
  ///
  /// Only the lower triangle is read. A row-major lower triangle is LAPACK's upper one.
  ///
  /// - Returns: Whether the matrix was positive definite; if not, its memory holds nothing of use.
  package static func cholesky(_ a: Target, n: Int) -> Bool {
    guard n > 0 else { return true }
    if n <= smallOrder { return choleskyByLoops(a, n: n) }
    _ = oneThread
    var order = size(n)
    var leading = order
    var info: Int32 = 0
    dpotrf_("U", &order, a, &leading, &info)
    guard info == 0 else { return false }
    for i in 0..<n {
      // OpenBLAS lets NaN pass; whatever it comes from in row i, it reaches the diagonal.
      guard a[i * n + i].isFinite else { return false }
      for j in (i + 1)..<n { a[i * n + j] = 0 }
    }
    return true
  }

  /// The order up to which plain loops beat a call of BLAS: at 8 rows by a factor of two to four, at 24 they are even.
  private static let smallOrder = 20

  /// Replaces a small symmetric matrix by its lower Cholesky factor; false where it is not positive definite.
  private static func choleskyByLoops(_ a: Target, n: Int) -> Bool {
    for c in 0..<n {
      let row = a + c * n
      var pivot = row[c]
      for k in 0..<c { pivot -= row[k] * row[k] }
      guard pivot > 0, pivot.isFinite else { return false }
      let root = pivot.squareRoot()
      row[c] = root
      var r = c + 1
      while r < n {
        let other = a + r * n
        var total = other[c]
        for k in 0..<c { total -= other[k] * row[k] }
        other[c] = total / root
        row[r] = 0
        r += 1
      }
    }
    return true
  }

  /// Solves L x = b or Lᵀ x = b in place for a small lower triangle L.
  private static func solveByLoops(transpose: Bool, n: Int, _ l: Source, into x: Target) {
    if transpose {
      var r = n - 1
      while r >= 0 {
        let row = l + r * n
        let value = x[r] / row[r]
        x[r] = value
        for k in 0..<r { x[k] -= row[k] * value }
        r -= 1
      }
    } else {
      for r in 0..<n {
        let row = l + r * n
        var total = x[r]
        for k in 0..<r { total -= row[k] * x[k] }
        x[r] = total / row[r]
      }
    }
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
