// SPDX-License-Identifier: MIT
//
// The eigenvalues and eigenvectors of a symmetric matrix, by divide and conquer (LAPACK).

/// The eigenvalues and eigenvectors of a symmetric matrix.
public struct SymmetricEigen: Sendable {
  /// The number of rows.
  public let n: Int

  /// The eigenvalues, ascending.
  public let values: [Double]

  /// The eigenvectors, one to a row, of unit length.
  public let vectors: [Double]

  /// Decomposes a matrix, of which the lower triangle is read; nil where it has elements that are not finite.
  ///
  /// - Precondition: The matrix has n² elements.
  public init?(_ matrix: [Double], _ n: Int) {
    demand(
      matrix.count == n * n,
      "SymmetricEigen: expected \(n * n) elements of \(n) rows, got \(matrix.count)")
    // LAPACK does not promise to come to an end on NaN.
    guard matrix.allSatisfy(\.isFinite) else { return nil }
    var rows = matrix
    var w = [Double](repeating: 0, count: n)
    let isDone = rows.withUnsafeMutableBufferPointer { rows in
      w.withUnsafeMutableBufferPointer { w in
        guard let a = rows.baseAddress, let values = w.baseAddress else { return true }
        return LinearAlgebra.symmetricEigen(a, n: n, values: values)
      }
    }
    guard isDone else { return nil }
    self.n = n
    values = w
    vectors = rows
  }

  /// Returns the coordinates of a vector along the eigenvectors.
  public func coordinates(of x: [Double]) -> [Double] {
    (0..<n).map { k in
      var total = 0.0
      for c in 0..<n { total += vectors[k * n + c] * x[c] }
      return total
    }
  }

  /// Returns the vector with given coordinates along the eigenvectors.
  public func vector(_ coordinates: [Double]) -> [Double] {
    var x = [Double](repeating: 0, count: n)
    for k in 0..<n {
      let weight = coordinates[k]
      for c in 0..<n { x[c] += weight * vectors[k * n + c] }
    }
    return x
  }
}
