// SPDX-License-Identifier: MIT
//
// A metric made ready for trajectories: a factor F of the inverse mass matrix, applied on plain memory.

import CKernels
import Numerics

/// A metric made ready for use, as a factor F with F Fᵀ = M⁻¹.
///
/// Trajectories carry the whitened momentum r = Fᵀ p, a standard normal vector whatever the metric. The velocity M⁻¹ p is F r,
/// the force on r is Fᵀ ∇ log π, and p · M⁻¹ p' is plainly r · r': kinetic energies and U-turn checks know no metric.
///
/// Proof that sending it is safe: its memory is filled by `init`, only read afterwards, and freed with the last reference.
final class PreparedMetric: @unchecked Sendable {
  /// The shape of F.
  enum Shape: Sendable {
    /// diag(d).
    case diagonal
    /// A lower triangle L.
    case dense
    /// diag(d) (I + Σ gain u uᵀ), with orthonormal directions u.
    case lowRank
  }

  /// The numbers of the metric, valid as long as this object.
  let view: MetricView

  /// The diagonal d, the rows of L or the directions u, and their gains.
  private let memory: UnsafeMutablePointer<Double>

  /// Prepares a metric.
  init(_ metric: Metric) {
    let n = metric.dimension
    let length = Workspace.padded(n)
    let shape: Shape
    var scales: [Double] = []
    var rows: [[Double]] = []
    var gains: [Double] = []
    switch metric.form {
    case .diagonal(let variances):
      shape = .diagonal
      scales = variances.map { $0.squareRoot() }
    case .dense(let lower):
      shape = .dense
      rows = (0..<n).map { Array(lower[($0 * n)..<(($0 + 1) * n)]) }
    case .lowRank(let variances, let directions, let eigenvalues):
      shape = .lowRank
      scales = variances.map { $0.squareRoot() }
      rows = directions
      gains = eigenvalues.map { $0.squareRoot() - 1 }
    }
    let count = max(1, (1 + rows.count) * length + gains.count)
    memory = .allocate(capacity: count)
    memory.initialize(repeating: 0, count: count)
    let rowStart = memory + length
    let gainStart = rowStart + rows.count * length
    for (k, scale) in scales.enumerated() { memory[k] = scale }
    for (j, row) in rows.enumerated() {
      for (k, element) in row.enumerated() { rowStart[j * length + k] = element }
    }
    for (j, gain) in gains.enumerated() { gainStart[j] = gain }
    view = MetricView(
      shape: shape, dimension: n, length: length, scales: memory, rows: rowStart,
      gains: gainStart, rank: gains.count)
  }

  deinit { memory.deallocate() }

  /// Returns the metric of a dimension: the identity in place of one of dimension 0.
  func sized(_ n: Int) -> PreparedMetric {
    if view.dimension == n { return self }
    demand(
      view.dimension == 0,
      "kernel: expected a metric of \(n) coordinates, got one of \(view.dimension)")
    return PreparedMetric(.identity(n))
  }
}

/// The numbers of a prepared metric on plain memory, for as long as that metric lives.
struct MetricView {
  /// A vector, padded with zeros.
  typealias Vector = UnsafeMutablePointer<Double>

  /// The shape of F.
  let shape: PreparedMetric.Shape

  /// The number of coordinates.
  let dimension: Int

  /// The length of a vector, with its zeros.
  let length: Int

  /// The diagonal d.
  let scales: UnsafePointer<Double>

  /// The rows of L, or the directions u, each padded with zeros.
  let rows: UnsafePointer<Double>

  /// √λ − 1 for each direction u of variance λ.
  let gains: UnsafePointer<Double>

  /// The number of directions.
  let rank: Int

  /// The number of elements of F above which BLAS is faster than our loops.
  private static let largest = 20_000

  /// Sets y to F r; y must not be r.
  func push(_ r: Vector, into y: Vector) {
    switch shape {
    case .diagonal: ss_product(scales, r, y, length)
    case .dense: multiply(r, into: y)
    case .lowRank:
      stretch(r, into: y)
      ss_product(scales, y, y, length)
    }
  }

  /// Sets h to Fᵀ g; neither h nor the scratch vector must be g.
  func pull(_ g: Vector, into h: Vector, scratch: Vector) {
    switch shape {
    case .diagonal: ss_product(scales, g, h, length)
    case .dense: multiplyTransposed(g, into: h)
    case .lowRank:
      ss_product(scales, g, scratch, length)
      stretch(scratch, into: h)
    }
  }

  /// Sets p to F⁻ᵀ r, the momentum of a whitened one; p must not be r.
  func momentum(_ r: Vector, into p: Vector) {
    p.update(from: r, count: length)
    if shape == .dense {
      // Lᵀ p = r, from the last row up.
      for row in (0..<dimension).reversed() {
        p[row] /= rows[row * length + row]
        for column in 0..<row { p[column] -= rows[row * length + column] * p[row] }
      }
      return
    }
    for j in 0..<rank {
      // (I + gain u uᵀ)⁻¹ = I − gain / (1 + gain) u uᵀ for unit vectors, and the directions are orthogonal.
      let u = rows + j * length
      ss_add_scaled(p, -gains[j] / (1 + gains[j]) * ss_inner(u, r, length), u, p, length)
    }
    for k in 0..<dimension { p[k] /= scales[k] }
  }

  // MARK: - Pieces

  /// Sets y to x + Σ gain (u · x) u.
  private func stretch(_ x: Vector, into y: Vector) {
    guard rank * length > MetricView.largest else {
      ss_stretch(x, rows, gains, rank, y, length)
      return
    }
    y.update(from: x, count: length)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rank) { shares in
      guard let shares = shares.baseAddress else { return }
      LinearAlgebra.gemv(rows: rank, columns: length, rows, x, into: shares)
      for j in 0..<rank { shares[j] *= gains[j] }
      LinearAlgebra.gemv(
        transpose: true, rows: rank, columns: length, rows, shares, beta: 1, into: y)
    }
  }

  /// Sets y to L x.
  private func multiply(_ x: Vector, into y: Vector) {
    guard dimension * length > MetricView.largest else {
      ss_lower_product(rows, x, y, dimension, length)
      return
    }
    y.update(from: x, count: length)
    LinearAlgebra.multiplyTriangular(n: dimension, rowStride: length, rows, into: y)
  }

  /// Sets y to Lᵀ x.
  private func multiplyTransposed(_ x: Vector, into y: Vector) {
    guard dimension * length > MetricView.largest else {
      ss_lower_transposed_product(rows, x, y, dimension, length)
      return
    }
    y.update(from: x, count: length)
    LinearAlgebra.multiplyTriangular(
      transpose: true, n: dimension, rowStride: length, rows, into: y)
  }
}
