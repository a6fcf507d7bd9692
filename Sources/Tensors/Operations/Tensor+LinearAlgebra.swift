// SPDX-License-Identifier: MIT
//
// Matrix products, triangular solves, Cholesky factors.

import Numerics

extension Tensor {
  /// Returns the matrix product.
  ///
  /// - Parameter other: `[k]`, `[k, n]` or `[…, k, n]`; the array itself is `[k]`, `[m, k]` or `[…, m, k]`.
  /// - Returns: As in NumPy: axes of length k are contracted; a vector adds no axis; leading axes are equal, or one lacks them.
  public func matmul(_ other: Tensor) -> Tensor {
    let left = rank == 1 ? reshaped([1, count]) : self
    let right = other.rank == 1 ? other.reshaped([other.count, 1]) : other
    demand(
      left.rank >= 2 && right.rank >= 2
        && left.shape[left.rank - 1] == right.shape[right.rank - 2],
      "matmul: expected [m, k]·[k, n], got \(shape)·\(other.shape)")
    let leading = [left, right].map { Array($0.shape.dropLast(2)) }
    demand(
      leading[0] == leading[1] || leading.contains([]),
      "matmul: expected equal leading axes, or none on one side, got \(shape)·\(other.shape)")
    let batch = leading[0].isEmpty ? leading[1] : leading[0]
    var i = Instruction(operation: .matmul)
    i.outer = Int32(left.shape[left.rank - 2])
    i.n = Int32(left.shape[left.rank - 1])
    i.inner = Int32(right.shape[right.rank - 1])
    i.d = Int32(batch.elementCount)
    if leading[0] == batch { i.strides |= 1 }
    if leading[1] == batch { i.strides |= 2 }
    var result = batch
    if rank > 1 { result.append(Int(i.outer)) }
    if other.rank > 1 { result.append(Int(i.inner)) }
    return Application(instruction: i, operands: [left, right], shape: result)()
  }

  /// Returns the scalar product of two vectors.
  public func dot(_ other: Tensor) -> Tensor {
    demand(
      rank == 1 && other.shape == shape,
      "dot: expected vectors of one length, got \(shape)·\(other.shape)")
    return matmul(other)
  }

  /// Returns the matrix of products of the elements of two vectors, shape `[m, n]`.
  public func outer(_ other: Tensor) -> Tensor {
    demand(
      rank == 1 && other.rank == 1,
      "outer: expected two vectors, got \(shape) and \(other.shape)")
    return expandingAxis(1) * other
  }

  /// Returns the lower triangular L with L Lᵀ equal to a symmetric positive-definite matrix, `[…, n, n]`.
  ///
  /// Only the lower triangle is read. Where a matrix is not positive definite its result is NaN throughout, so that a
  /// sampler sees a rejected point and not a crash.
  public func cholesky() -> Tensor {
    let n = side("cholesky")
    var i = Instruction(operation: .cholesky)
    i.n = Int32(n)
    i.outer = Int32(shape.dropLast(2).reduce(1, *))
    var application = Application(instruction: i, operands: [self], shape: shape)
    application.scratch = { _ in n * n }
    return application()
  }

  /// Returns X with L X = B, or Lᵀ X = B, where the array itself is the lower triangular L.
  ///
  /// - Parameters:
  ///   - b: For L of `[m, m]`: `[m]`, `[m, n]` or `[…, m, n]`; for L of `[…, m, m]`: `[…, m]` or `[…, m, n]` with the same leading axes.
  ///   - transposed: Whether to solve with Lᵀ.
  /// - Returns: X, in the shape of B.
  public func triangularSolve(_ b: Tensor, transposed: Bool = false) -> Tensor {
    let m = side("triangularSolve")
    let batch = Array(shape.dropLast(2))
    let isVector = b.rank == rank - 1
    let leading = Array(b.shape.dropLast(isVector ? 1 : 2))
    demand(
      b.rank >= 1 && b.shape[b.rank - (isVector ? 1 : 2)] == m
        && (leading == batch || batch.isEmpty),
      "triangularSolve: expected [m, m] and [m] or [m, n], with equal leading axes, got \(shape) and \(b.shape)"
    )
    var i = Instruction(operation: .triangularSolve)
    i.n = Int32(m)
    i.inner = isVector ? 1 : Int32(b.shape[b.rank - 1])
    i.outer = Int32(leading.elementCount)
    i.strides = batch.isEmpty ? 2 : 3
    i.variant = transposed ? 1 : 0
    var application = Application(instruction: i, operands: [self, b], shape: b.shape)
    let scratch = m * Int(i.inner)
    application.scratch = { _ in scratch }
    return application()
  }

  /// Returns X with L Lᵀ X = B, where the array itself is the Cholesky factor L of a matrix; shapes as for ``triangularSolve(_:transposed:)``.
  public func choleskySolve(_ b: Tensor) -> Tensor {
    triangularSolve(triangularSolve(b), transposed: true)
  }

  /// Returns log det of a positive-definite matrix, `[…]` for `[…, n, n]`; NaN where it is not positive definite.
  public func logDeterminant() -> Tensor { 2 * log(cholesky().diagonal()).sum(axis: -1) }

  // MARK: - Parts of matrices

  /// Returns the diagonals of square matrices, `[…, n]` for `[…, n, n]`.
  public func diagonal() -> Tensor {
    let n = side("diagonal")
    let matrices = shape.dropLast(2).reduce(1, *)
    let places = (0..<matrices).flatMap { matrix in
      (0..<n).map { Int32(matrix * n * n + $0 * (n + 1)) }
    }
    return gathered(places, shape: Array(shape.dropLast()))
  }

  /// Returns the matrices with a vector on their diagonals and zeros elsewhere, `[…, n, n]` for `[…, n]`.
  public func diagonalMatrix() -> Tensor {
    demand(rank >= 1, "diagonalMatrix: expected a vector, got a scalar")
    return expandingAxis(-1) * Tensor.identity(shape[rank - 1])
  }

  /// Returns the matrices with zeros above the diagonal.
  public func lowerTriangle() -> Tensor {
    demand(rank >= 2, "lowerTriangle: expected a matrix, got \(shape)")
    let (rows, columns) = (shape[rank - 2], shape[rank - 1])
    let kept = (0..<rows).flatMap { r in (0..<columns).map { $0 <= r ? 1.0 : 0.0 } }
    return select(Tensor(kept, shape: [rows, columns]), self, Tensor(0))
  }

  /// Returns the side of square matrices.
  ///
  /// - Precondition: The last two axes are equal.
  private func side(_ operation: String) -> Int {
    demand(
      rank >= 2 && shape[rank - 1] == shape[rank - 2],
      "\(operation): expected a square matrix, got \(shape)")
    return shape[rank - 1]
  }
}
