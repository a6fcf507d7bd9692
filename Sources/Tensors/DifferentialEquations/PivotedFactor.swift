// SPDX-License-Identifier: MIT
//
// Triangular factors of a small general matrix, for the stage equations of implicit methods.
//
// Source: Golub & Van Loan 2013, "Matrix Computations", algorithm 3.4.1 (outer-product form, partial pivoting).

/// The factors of P A = L U with row exchanges, in memory of their own; made anew as often as wanted.
final class PivotedFactor {
  /// The number of rows.
  let n: Int

  /// Where the matrix is put before ``factor()``, row-major; then L below the diagonal and U above.
  let matrix: UnsafeMutablePointer<Double>

  /// The row that each row was exchanged with.
  private let pivots: UnsafeMutablePointer<Int>

  /// Creates memory for a matrix of n rows.
  init(_ n: Int) {
    self.n = n
    matrix = .allocate(capacity: max(1, n * n))
    matrix.initialize(repeating: 0, count: n * n)
    pivots = .allocate(capacity: max(1, n))
    pivots.initialize(repeating: 0, count: n)
  }

  deinit {
    matrix.deallocate()
    pivots.deallocate()
  }

  /// Replaces the matrix by its factors; false where it is singular or has an element that is not finite.
  func factor() -> Bool {
    for k in 0..<n {
      var pivot = k
      for r in k..<n where abs(matrix[r * n + k]) > abs(matrix[pivot * n + k]) { pivot = r }
      pivots[k] = pivot
      let largest = matrix[pivot * n + k]
      guard largest != 0, largest.isFinite else { return false }
      if pivot != k {
        for c in 0..<n {
          (matrix[k * n + c], matrix[pivot * n + c]) = (matrix[pivot * n + c], matrix[k * n + c])
        }
      }
      for r in (k + 1)..<max(n, k + 1) {
        let factor = matrix[r * n + k] / largest
        matrix[r * n + k] = factor
        for c in (k + 1)..<n { matrix[r * n + c] -= factor * matrix[k * n + c] }
      }
    }
    return true
  }

  /// Solves A x = b in place.
  func solve(_ x: UnsafeMutablePointer<Double>) {
    for k in 0..<n where pivots[k] != k { (x[k], x[pivots[k]]) = (x[pivots[k]], x[k]) }
    for r in 0..<n {
      for c in 0..<r { x[r] -= matrix[r * n + c] * x[c] }
    }
    for r in (0..<n).reversed() {
      for c in (r + 1)..<max(n, r + 1) { x[r] -= matrix[r * n + c] * x[c] }
      x[r] /= matrix[r * n + r]
    }
  }

  /// Solves Aᵀ x = b in place.
  func solveTransposed(_ x: UnsafeMutablePointer<Double>) {
    for r in 0..<n {
      for c in 0..<r { x[r] -= matrix[c * n + r] * x[c] }
      x[r] /= matrix[r * n + r]
    }
    for r in (0..<n).reversed() {
      for c in (r + 1)..<max(n, r + 1) { x[r] -= matrix[c * n + r] * x[c] }
    }
    for k in (0..<n).reversed() where pivots[k] != k {
      (x[k], x[pivots[k]]) = (x[pivots[k]], x[k])
    }
  }
}
