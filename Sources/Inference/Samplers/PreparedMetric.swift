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
/// A kernel keeps it beside its other settings, with which it is saved. Its products work in memory that is lent to them, such as
/// that of the density, and so allocate nothing:
///
/// ```swift
/// let memory = target.workspace(vectors: PreparedMetric.scratchVectors)
/// prepared.velocity(of: momentum, into: &velocity, memory)
/// ```
///
/// Proof that sending it is safe: its memory is filled by `init`, only read afterwards, and freed with the last reference.
public final class PreparedMetric: @unchecked Sendable {
  /// The shape of F.
  enum Shape: Sendable {
    /// diag(d).
    case diagonal
    /// A lower triangle L.
    case dense
    /// diag(d) (I + Σ gain u uᵀ), with orthonormal directions u.
    case lowRank
  }

  /// The metric.
  public let metric: Metric

  /// The numbers of the metric, valid as long as this object.
  let view: MetricView

  /// The diagonal d, the rows of L or the directions u, and their gains.
  private let memory: UnsafeMutablePointer<Double>

  /// Prepares a metric.
  public init(_ metric: Metric) {
    self.metric = metric
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

  // MARK: - Products

  /// The vectors of memory that a product takes.
  public static let scratchVectors = 3

  /// Sets a vector to the velocity M⁻¹ p of a momentum.
  ///
  /// - Parameters:
  ///   - momentum: The momentum p. As many elements as the metric has coordinates.
  ///   - velocity: M⁻¹ p, as many.
  ///   - memory: Where to work: ``scratchVectors`` vectors of that length, whose elements change.
  public func velocity(of momentum: [Double], into velocity: inout [Double], _ memory: Workspace) {
    apply(momentum, &velocity, memory) { p, v, scratch in
      view.pull(p, into: v, scratch: scratch)
      p.update(from: v, count: view.length)
      view.push(p, into: v)
    }
  }

  /// Sets a vector to the velocity F r of a whitened momentum.
  ///
  /// - Parameters:
  ///   - r: The whitened momentum. As many elements as the metric has coordinates.
  ///   - velocity: F r, as many.
  ///   - memory: Where to work: ``scratchVectors`` vectors of that length, whose elements change.
  public func velocity(
    whitened r: [Double], into velocity: inout [Double], _ memory: Workspace
  ) {
    apply(r, &velocity, memory) { r, v, _ in view.push(r, into: v) }
  }

  /// Sets a vector to Fᵀ x: of a momentum the whitened one, of a gradient the force on whitened momenta.
  ///
  /// - Parameters:
  ///   - x: The momentum or gradient. As many elements as the metric has coordinates.
  ///   - whitened: Fᵀ x, as many.
  ///   - memory: Where to work: ``scratchVectors`` vectors of that length, whose elements change.
  public func whiten(_ x: [Double], into whitened: inout [Double], _ memory: Workspace) {
    apply(x, &whitened, memory) { x, r, scratch in view.pull(x, into: r, scratch: scratch) }
  }

  /// Sets a vector to the momentum p with Fᵀ p = r: of standard normal numbers r a draw from N(0, M).
  ///
  /// - Parameters:
  ///   - r: The whitened momentum. As many elements as the metric has coordinates.
  ///   - momentum: F⁻ᵀ r, as many.
  ///   - memory: Where to work: ``scratchVectors`` vectors of that length, whose elements change.
  public func momentum(
    whitened r: [Double], into momentum: inout [Double], _ memory: Workspace
  ) {
    apply(r, &momentum, memory) { r, p, _ in view.momentum(r, into: p) }
  }

  /// Sets a vector to what `body` makes of another: of the first of three vectors on plain memory into the second.
  private func apply(
    _ x: [Double], _ y: inout [Double], _ memory: Workspace,
    _ body: (MetricView.Vector, MetricView.Vector, MetricView.Vector) -> Void
  ) {
    let n = view.dimension
    demand(
      x.count == n && y.count == n,
      "metric: expected vectors of \(n) elements, got \(x.count) and \(y.count)")
    demand(
      memory.dimension == n && memory.vectors >= PreparedMetric.scratchVectors,
      "metric: expected memory for \(PreparedMetric.scratchVectors) vectors of \(n) elements, got \(memory.vectors) of \(memory.dimension)"
    )
    let (input, output) = (memory[0], memory[1])
    input.update(from: x, count: n)
    for k in n..<view.length { input[k] = 0 }
    body(input, output, memory[2])
    y.withUnsafeMutableBufferPointer {
      _ = $0.update(fromContentsOf: UnsafeBufferPointer(start: output, count: n))
    }
    withExtendedLifetime(memory) {}
  }
}

extension PreparedMetric: Codable {
  /// Reads a metric, as it is saved by itself, and prepares it.
  public convenience init(from decoder: any Decoder) throws {
    self.init(try Metric(from: decoder))
  }

  public func encode(to encoder: any Encoder) throws { try metric.encode(to: encoder) }
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
