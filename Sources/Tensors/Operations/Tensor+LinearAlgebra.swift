// SPDX-License-Identifier: MIT
//
// Matrix products, triangular solves, Cholesky factors.

extension Tensor {
  /// Returns the matrix product.
  ///
  /// - Parameter other: `[k]`, `[k, n]` or `[batch, k, n]`; the array itself is `[k]`, `[m, k]` or `[batch, m, k]`.
  /// - Returns: As in NumPy: axes of length k are contracted; a vector adds no axis.
  public func matmul(_ other: Tensor) -> Tensor {
    let left = rank == 1 ? reshaped([1, count]) : self
    let right = other.rank == 1 ? other.reshaped([other.count, 1]) : other
    precondition(
      (2...3).contains(left.rank) && (2...3).contains(right.rank)
        && left.shape[left.rank - 1] == right.shape[right.rank - 2],
      "matmul: expected [m, k]·[k, n], got \(shape)·\(other.shape)")
    let batches = [left, right].map { $0.rank == 3 ? $0.shape[0] : 1 }
    let batch = Swift.max(batches[0], batches[1])
    precondition(
      batches.allSatisfy { $0 == 1 || $0 == batch },
      "matmul: expected equal batches, got \(shape)·\(other.shape)")
    var i = Instruction(operation: .matmul)
    i.outer = Int32(left.shape[left.rank - 2])
    i.n = Int32(left.shape[left.rank - 1])
    i.inner = Int32(right.shape[right.rank - 1])
    i.d = Int32(batch)
    if batches[0] == batch { i.strides |= 1 }
    if batches[1] == batch { i.strides |= 2 }
    var result: Shape = left.rank == 3 || right.rank == 3 ? [batch] : []
    if rank > 1 { result.append(Int(i.outer)) }
    if other.rank > 1 { result.append(Int(i.inner)) }
    return Application(instruction: i, operands: [left, right], shape: result)()
  }

  /// Returns the scalar product of two vectors.
  public func dot(_ other: Tensor) -> Tensor {
    precondition(
      rank == 1 && other.shape == shape,
      "dot: expected vectors of one length, got \(shape)·\(other.shape)")
    return matmul(other)
  }

  /// Returns the lower triangular L with L Lᵀ equal to a symmetric positive-definite matrix.
  ///
  /// Only the lower triangle is read. Where the matrix is not positive definite the result is NaN throughout, so that a
  /// sampler sees a rejected point and not a crash.
  public func cholesky() -> Tensor {
    precondition(
      rank == 2 && shape[0] == shape[1], "cholesky: expected a square matrix, got \(shape)")
    var i = Instruction(operation: .cholesky)
    i.n = Int32(shape[0])
    var application = Application(instruction: i, operands: [self], shape: shape)
    let count = count
    application.scratch = { _ in count }
    return application()
  }

  /// Returns X with L X = B, or Lᵀ X = B, where the array itself is the lower triangular L.
  ///
  /// - Parameters:
  ///   - b: `[m]` or `[m, n]`.
  ///   - transposed: Whether to solve with Lᵀ.
  /// - Returns: X, in the shape of B.
  public func triangularSolve(_ b: Tensor, transposed: Bool = false) -> Tensor {
    precondition(
      rank == 2 && shape[0] == shape[1] && (1...2).contains(b.rank) && b.shape[0] == shape[0],
      "triangularSolve: expected [m, m] and [m] or [m, n], got \(shape) and \(b.shape)")
    var i = Instruction(operation: .triangularSolve)
    i.n = Int32(shape[0])
    i.inner = Int32(b.shape.dropFirst().reduce(1, *))
    i.variant = transposed ? 1 : 0
    var application = Application(instruction: i, operands: [self, b], shape: b.shape)
    let count = b.count
    application.scratch = { _ in count }
    return application()
  }
}
