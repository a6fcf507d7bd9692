// SPDX-License-Identifier: MIT
//
// The Euclidean metric of Hamiltonian samplers: diagonal or dense, given by the inverse mass matrix.

public import Numerics

/// The metric of a Hamiltonian sampler, given by the inverse mass matrix M⁻¹, an estimate of the posterior's covariance.
public enum Metric: Sendable, Codable, Equatable {
  /// One variance for each coordinate.
  case diagonal([Double])
  /// A covariance matrix, row-major.
  case dense([Double], dimension: Int)

  /// Returns the identity.
  public static func identity(_ n: Int) -> Metric {
    .diagonal([Double](repeating: 1, count: n))
  }

  /// The number of coordinates.
  public var dimension: Int {
    switch self {
    case .diagonal(let variances): variances.count
    case .dense(_, let n): n
    }
  }

  /// Returns the velocity M⁻¹ p of a momentum.
  public func velocity(_ momentum: [Double]) -> [Double] {
    precondition(
      momentum.count == dimension,
      "velocity: expected \(dimension) elements, got \(momentum.count)")
    var velocity = momentum
    momentum.withUnsafeBufferPointer { p in
      velocity.withUnsafeMutableBufferPointer { v in
        guard let p = p.baseAddress, let v = v.baseAddress else { return }
        PreparedMetric(self).velocity(p, v)
      }
    }
    return velocity
  }

  /// Returns a momentum drawn from N(0, M).
  public func momentum(key: RandomKey) -> [Double] {
    var momentum = [Double](repeating: 0, count: dimension)
    momentum.withUnsafeMutableBufferPointer { p in
      guard let p = p.baseAddress else { return }
      PreparedMetric(self).drawMomentum(p, key)
    }
    return momentum
  }
}

/// A metric made ready for use: with the factor that draws momenta.
struct PreparedMetric {
  /// The number of coordinates.
  let dimension: Int

  /// The diagonal of M⁻¹, or all of it row-major.
  private let inverseMass: [Double]

  /// 1/√ of the diagonal, or the lower factor L of M⁻¹, row-major.
  private let factor: [Double]

  /// Whether M⁻¹ is a full matrix.
  private let isDense: Bool

  /// Prepares a metric; a dense one that is not positive definite falls back to its diagonal.
  init(_ metric: Metric) {
    dimension = metric.dimension
    switch metric {
    case .diagonal(let variances):
      isDense = false
      inverseMass = variances
      factor = variances.map { 1 / $0.squareRoot() }
    case .dense(let matrix, let n):
      if let cholesky = CholeskyFactor(matrix, n) {
        isDense = true
        inverseMass = matrix
        factor = cholesky.lower
      } else {
        isDense = false
        let diagonal = (0..<n).map { max(matrix[$0 * n + $0], 1e-300) }
        inverseMass = diagonal
        factor = diagonal.map { 1 / $0.squareRoot() }
      }
    }
  }

  /// Sets a momentum drawn from N(0, M).
  func drawMomentum(_ p: UnsafeMutablePointer<Double>, _ key: RandomKey) {
    for k in 0..<dimension { p[k] = key.normal(UInt64(k)) }
    if isDense {
      // M = L⁻ᵀ L⁻¹, so p = L⁻ᵀ z.
      let n = dimension
      for r in (0..<n).reversed() {
        var total = p[r]
        for k in (r + 1)..<max(n, r + 1) { total -= factor[k * n + r] * p[k] }
        p[r] = total / factor[r * n + r]
      }
    } else {
      for k in 0..<dimension { p[k] *= factor[k] }
    }
  }

  /// Sets the velocity M⁻¹ p.
  @inline(__always)
  func velocity(_ p: UnsafePointer<Double>, _ v: UnsafeMutablePointer<Double>) {
    let n = dimension
    inverseMass.withUnsafeBufferPointer { m in
      if isDense {
        for r in 0..<n {
          var total = 0.0
          for c in 0..<n { total += m[r * n + c] * p[c] }
          v[r] = total
        }
      } else {
        for k in 0..<n { v[k] = m[k] * p[k] }
      }
    }
  }
}
