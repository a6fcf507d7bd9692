// SPDX-License-Identifier: MIT
//
// Maps onto Cholesky factors, and the affine and cumulative maps of vectors.

import Numerics
public import Tensors

/// The places of a vector's elements in the lower triangle of a matrix, row by row; its last element fills the rest.
private func spreading(_ n: Int, withDiagonal: Bool) -> [Int] {
  let count = withDiagonal ? n * (n + 1) / 2 : n * (n - 1) / 2
  var next = 0
  return (0..<n).flatMap { row in
    (0..<n).map { column in
      guard column < row || (withDiagonal && column == row) else { return count }
      defer { next += 1 }
      return next
    }
  }
}

/// Returns matrices, `[…, n, n]`, with the elements of vectors in their lower triangles and zeros elsewhere.
private func spread(_ u: Tensor, _ n: Int, withDiagonal: Bool) -> Tensor {
  let leading = Array(u.shape.dropLast())
  let padded = Tensor.concatenate([u, .zeros(leading + [1])], axis: -1)
  return padded.take(spreading(n, withDiagonal: withDiagonal), axis: -1)
    .reshaped(leading + [n, n])
}

/// Returns the elements of the lower triangles of matrices, row by row.
private func collected(_ x: Tensor, withDiagonal: Bool) -> Tensor {
  let n = x.shape[x.rank - 1]
  let places = (0..<n).flatMap { row in
    (0..<(withDiagonal ? row + 1 : row)).map { row * n + $0 }
  }
  return x.reshaped(x.shape.dropLast(2) + [n * n]).take(places, axis: -1)
}

/// A lower triangular matrix with a positive diagonal, from n(n + 1)/2 coordinates row by row, the diagonal's in logarithms.
public struct LowerCholeskyBijector: Bijector {
  /// Creates the map.
  public init() {}

  public var eventRank: Int { 2 }

  public func unconstrainedShape(_ shape: Shape) -> Shape {
    let n = shape.last ?? 1
    return shape.dropLast(2) + [n * (n + 1) / 2]
  }

  public func forward(_ u: Tensor) -> Tensor {
    let n = side(u, withDiagonal: true)
    let x = spread(u, n, withDiagonal: true)
    // Above the diagonal e⁰ is not taken.
    return select(Tensor.identity(n), exp(x), x)
  }

  public func inverse(_ x: Tensor) -> Tensor {
    let n = x.shape[x.rank - 1]
    let isDiagonal = Tensor.identity(n)
    // Off the diagonal the logarithm of 1, so that no NaN is made.
    return collected(
      select(isDiagonal, log(select(isDiagonal, x, Tensor(1))), x), withDiagonal: true)
  }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    log(x.diagonal()).sum(axis: -1)
  }
}

/// The Cholesky factor of a correlation matrix, from n(n − 1)/2 coordinates row by row.
///
/// tanh of the coordinates are canonical partial correlations z; L_ij = z_ij √(1 − Σ_{k<j} L_ik²), and the diagonal is what is
/// left of the row's unit length.
///
/// Source: Stan Reference Manual, "Cholesky factors of correlation matrices"; Lewandowski, Kurowicka & Joe 2009.
public struct CorrelationCholeskyBijector: Bijector {
  /// Creates the map.
  public init() {}

  public var eventRank: Int { 2 }

  public func unconstrainedShape(_ shape: Shape) -> Shape {
    let n = shape.last ?? 1
    return shape.dropLast(2) + [n * (n - 1) / 2]
  }

  /// Returns log cosh u, without overflow.
  private func logCosh(_ u: Tensor) -> Tensor { softplus(2 * u) - u - 0.6931471805599453 }

  /// Returns ½ log(1 − Σ_{k<j} L_ik²) for each element of the matrix.
  ///
  /// √(1 − z²) = 1/cosh u, so it is a running sum of logarithms that never cancels.
  private func logRemaining(_ u: Tensor, _ n: Int) -> Tensor {
    let steps = spread(-logCosh(u), n, withDiagonal: false)
    return steps.cumulativeSum(axis: -1) - steps
  }

  public func forward(_ u: Tensor) -> Tensor {
    let n = side(u, withDiagonal: false)
    let partial = spread(tanh(u), n, withDiagonal: false) + Tensor.identity(n)
    return partial * exp(logRemaining(u, n))
  }

  public func inverse(_ x: Tensor) -> Tensor {
    // What is left from each element on, summed from the far end, so that it does not cancel.
    let rest = square(x).reversed(axis: -1).cumulativeSum(axis: -1).reversed(axis: -1)
    let z = collected(x, withDiagonal: false) / sqrt(collected(rest, withDiagonal: false))
    return 0.5 * (log1p(z) - log1p(-z))
  }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    let n = side(u, withDiagonal: false)
    let slopes = collected(logRemaining(u, n), withDiagonal: false)
    return (slopes - 2 * logCosh(u)).sum(axis: -1)
  }
}

/// Returns the side of the matrix that a vector of coordinates fills.
private func side(_ u: Tensor, withDiagonal: Bool) -> Int {
  let count = u.shape[u.rank - 1]
  var n = withDiagonal ? 0 : 1
  while (withDiagonal ? n * (n + 1) / 2 : n * (n - 1) / 2) < count { n += 1 }
  return n
}

/// x = loc + L u, or x = loc + L⁻ᵀ u, for a lower triangular L.
public struct TriangularBijector: Bijector {
  /// The value at zero, `[…, n]`.
  public let loc: Tensor
  /// The factor L, `[…, n, n]`.
  public let factor: Tensor
  /// Whether the map multiplies with L⁻ᵀ, the factor being that of a precision.
  public let isPrecision: Bool

  /// Creates the map.
  public init(_ loc: Tensor, _ factor: Tensor, isPrecision: Bool = false) {
    self.loc = loc
    self.factor = factor
    self.isPrecision = isPrecision
  }

  public var eventRank: Int { 1 }

  public func forward(_ u: Tensor) -> Tensor {
    loc + (isPrecision ? solved(factor, u, transposed: true) : multiplied(factor, u))
  }

  public func inverse(_ x: Tensor) -> Tensor {
    isPrecision
      ? multiplied(factor, x - loc, transposed: true)
      : solved(factor, x - loc, transposed: false)
  }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    let logDet = log(factor.diagonal()).sum(axis: -1)
    let leading = Array(x.shape.dropLast())
    return (isPrecision ? -logDet : logDet).broadcast(to: leading)
  }
}

/// x₁ = u₁, x_k = x_{k−1} + u_k.
public struct CumulativeSumBijector: Bijector {
  /// Creates the map.
  public init() {}

  public var eventRank: Int { 1 }
  public func forward(_ u: Tensor) -> Tensor { u.cumulativeSum(axis: -1) }

  public func inverse(_ x: Tensor) -> Tensor {
    .concatenate([x.sliced(0..<1, axis: -1), x.differences(axis: -1)], axis: -1)
  }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    .zeros(Array(x.shape.dropLast()))
  }
}

// MARK: - Triangular matrices on vectors along the last axis

/// Returns L z, or Lᵀ z, for vectors along the last axis; leading axes broadcast.
func multiplied(_ l: Tensor, _ z: Tensor, transposed: Bool = false) -> Tensor {
  let n = l.shape[l.rank - 1]
  if l.rank == 2 {
    if z.rank == 1 { return transposed ? z.matmul(l) : l.matmul(z) }
    return z.reshaped([-1, n]).matmul(transposed ? l : l.transposed()).reshaped(z.shape)
  }
  let (matrices, vectors) = aligned(l, z)
  let product =
    transposed
    ? vectors.expandingAxis(-2).matmul(matrices) : matrices.matmul(vectors.expandingAxis(-1))
  return product.reshaped(vectors.shape)
}

/// Returns L⁻¹ x, or L⁻ᵀ x, for vectors along the last axis; leading axes broadcast.
func solved(_ l: Tensor, _ x: Tensor, transposed: Bool) -> Tensor {
  let n = l.shape[l.rank - 1]
  if l.rank == 2 {
    if x.rank == 1 { return l.triangularSolve(x, transposed: transposed) }
    let columns = x.reshaped([-1, n]).transposed()
    return l.triangularSolve(columns, transposed: transposed).transposed().reshaped(x.shape)
  }
  let (matrices, vectors) = aligned(l, x)
  return matrices.triangularSolve(vectors, transposed: transposed)
}

/// Returns matrices and vectors broadcast to the same leading axes.
private func aligned(_ l: Tensor, _ z: Tensor) -> (Tensor, Tensor) {
  let parts = [Array(l.shape.dropLast(2)), Array(z.shape.dropLast())]
  guard let leading = broadcastShape(parts) else {
    stop("expected matrices and vectors that broadcast, got \(l.shape), \(z.shape)")
  }
  let n = l.shape[l.rank - 1]
  return (l.broadcast(to: leading + [n, n]), z.broadcast(to: leading + [n]))
}
