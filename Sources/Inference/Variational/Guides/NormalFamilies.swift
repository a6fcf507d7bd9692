// SPDX-License-Identifier: MIT
//
// Normal distributions of a vector: independent elements, a full covariance, one of low rank.

import Distributions
import Numerics
public import Tensors

/// ½ log 2π.
let halfLogTwoPi = 0.9189385332046727

/// Independent normal elements: loc + scale ⊙ noise.
public struct DiagonalNormalFamily: VectorFamily {
  public let dimension: Int
  public let parameters: [FamilyParameter]
  public var noiseCount: Int { dimension }

  /// Creates the family, to start at a location with one scale for all elements.
  public init(location: [Double], scale: Double) {
    demand(scale > 0, "DiagonalNormalFamily: expected scale > 0, got \(scale)")
    dimension = location.count
    parameters = [
      FamilyParameter("loc", Tensor(location)),
      FamilyParameter(
        "scale", Tensor(repeating: scale, shape: [location.count]), constraint: .positive),
    ]
  }

  public func transform(_ noise: Tensor, _ p: [Tensor]) -> FamilyDraw {
    let value = p[0] + p[1] * noise
    return FamilyDraw(
      value, logDensity: Tensor.logDensity(.normal, value, p, summed: true))
  }

  public func logDensity(of value: Tensor, _ p: [Tensor]) -> Tensor? {
    .logDensity(.normal, value, p, summed: true)
  }

  public func moments(_ directions: Tensor, _ p: [Tensor]) -> (mean: Tensor, deviation: Tensor)? {
    (directions.matmul(p[0]), sqrt(square(directions).matmul(square(p[1]))))
  }
}

/// A normal distribution with a full covariance: loc + scale ⊙ (U noise), U lower triangular with ones on its diagonal.
///
/// The factor of the covariance is diag(scale) U, as in NumPyro's scaled unit-lower Cholesky constraint; `lower` holds the
/// elements of U below the diagonal, row by row.
public struct MultivariateNormalFamily: VectorFamily {
  public let dimension: Int
  public let parameters: [FamilyParameter]
  public var noiseCount: Int { dimension }

  /// Where the elements of `lower` lie in U, as places in the list [0, lower…].
  private let places: [Int]

  /// Creates the family, to start at a location with one scale for all elements and no correlations.
  public init(location: [Double], scale: Double) {
    demand(scale > 0, "MultivariateNormalFamily: expected scale > 0, got \(scale)")
    let n = location.count
    dimension = n
    var places = [Int](repeating: 0, count: n * n)
    var next = 1
    for r in 0..<n {
      for c in 0..<r {
        places[r * n + c] = next
        next += 1
      }
    }
    self.places = places
    parameters = [
      FamilyParameter("loc", Tensor(location)),
      FamilyParameter("scale", Tensor(repeating: scale, shape: [n]), constraint: .positive),
      FamilyParameter("lower", .zeros([n * (n - 1) / 2])),
    ]
  }

  /// Returns U less its diagonal.
  private func strictlyLower(_ elements: Tensor) -> Tensor {
    Tensor.concatenate([Tensor([0]), elements]).take(places).reshaped([dimension, dimension])
  }

  public func transform(_ noise: Tensor, _ p: [Tensor]) -> FamilyDraw {
    let mixed = noise + strictlyLower(p[2]).matmul(noise)
    let constant = Tensor(-Double(dimension) * halfLogTwoPi)
    return FamilyDraw(
      p[0] + p[1] * mixed,
      logDensity: constant - 0.5 * square(noise).sum() - log(p[1]).sum())
  }

  public func logDensity(of value: Tensor, _ p: [Tensor]) -> Tensor? {
    let factor = strictlyLower(p[2]) + Tensor.identity(dimension)
    let noise = factor.triangularSolve((value - p[0]) / p[1])
    return -0.5 * square(noise).sum() - log(p[1]).sum() - Double(dimension) * halfLogTwoPi
  }

  public func moments(_ directions: Tensor, _ p: [Tensor]) -> (mean: Tensor, deviation: Tensor)? {
    let scaled = directions * p[1]
    let mixed = scaled + scaled.matmul(strictlyLower(p[2]))
    return (directions.matmul(p[0]), sqrt(square(mixed).sum(axis: 1)))
  }

  /// Returns the covariance matrix, row-major, at constrained parameters.
  public func covariance(_ p: [Tensor]) -> Tensor {
    let factor =
      p[1].reshaped([dimension, 1]) * (strictlyLower(p[2]) + Tensor.identity(dimension))
    return factor.matmul(factor.transposed())
  }
}

/// A normal distribution with a covariance of low rank plus a diagonal: loc + scale ⊙ (W ε + δ).
///
/// The covariance is S (W Wᵀ + 1) S with S = diag(scale); its inverse and determinant are taken by those of the small
/// matrix 1 + Wᵀ W (Woodbury's identity).
public struct LowRankNormalFamily: VectorFamily {
  public let dimension: Int
  public let parameters: [FamilyParameter]
  public var noiseCount: Int { dimension + rank }

  /// The rank of W.
  public let rank: Int

  /// Creates the family, to start at a location with one scale for all elements.
  ///
  /// W starts at small numbers, not at zero, where its gradient vanishes.
  public init(location: [Double], scale: Double, rank: Int) {
    demand(
      scale > 0 && rank > 0, "LowRankNormalFamily: expected scale, rank > 0, got \(scale), \(rank)")
    dimension = location.count
    self.rank = rank
    let w = RandomKey(0).folding(in: "cov_factor").normals(location.count * rank)
    parameters = [
      FamilyParameter("loc", Tensor(location)),
      FamilyParameter(
        "scale", Tensor(repeating: scale, shape: [location.count]), constraint: .positive),
      FamilyParameter("cov_factor", Tensor(w.map { 0.03 * $0 }, shape: [location.count, rank])),
    ]
  }

  public func transform(_ noise: Tensor, _ p: [Tensor]) -> FamilyDraw {
    let own = noise.sliced(0..<dimension, axis: 0)
    let shared = noise.sliced(dimension..<noiseCount, axis: 0)
    let value = p[0] + p[1] * (own + p[2].matmul(shared))
    return FamilyDraw(value, logDensity: density(value, p))
  }

  public func logDensity(of value: Tensor, _ p: [Tensor]) -> Tensor? { density(value, p) }

  public func moments(_ directions: Tensor, _ p: [Tensor]) -> (mean: Tensor, deviation: Tensor)? {
    let scaled = directions * p[1]
    let variance = square(scaled).sum(axis: 1) + square(scaled.matmul(p[2])).sum(axis: 1)
    return (directions.matmul(p[0]), sqrt(variance))
  }

  /// Returns the log density at a vector.
  private func density(_ value: Tensor, _ p: [Tensor]) -> Tensor {
    let z = (value - p[0]) / p[1]
    let transposed = p[2].transposed()
    let factor = (Tensor.identity(rank) + transposed.matmul(p[2])).cholesky()
    let part = factor.triangularSolve(transposed.matmul(z))
    let logDet = log(p[1]).sum() + log(factor.diagonal()).sum()
    return 0.5 * (square(part).sum() - square(z).sum()) - logDet - Double(dimension) * halfLogTwoPi
  }
}
