// SPDX-License-Identifier: MIT
//
// The multivariate normal distribution whose covariance is a diagonal and a few directions.
//
// Source: the Woodbury identity and the matrix determinant lemma; Golub & Van Loan 2013, section 2.1.4.

public import Numerics
public import Tensors

/// The normal distribution of vectors with the covariance W Wᵀ + diag(d), for few columns of W.
///
/// A density costs O(n r²) for W of `[n, r]`, in place of O(n³).
public struct LowRankMultivariateNormal: Distribution {
  /// The mean, `[…, n]`.
  public let loc: Tensor
  /// The directions W, `[n, r]`.
  public let factor: Tensor
  /// The variances d of the diagonal, `[n]`.
  public let diagonal: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// Creates the distribution; `factor` is `[n, r]`, `diagonal` is `[n]` and positive, `loc` is `[…, n]` or a number.
  public init(
    _ loc: some TensorConvertible, factor: some TensorConvertible, diagonal: some TensorConvertible
  ) {
    let (loc, factor, diagonal) = (loc.tensor, factor.tensor, diagonal.tensor)
    demand(
      factor.rank == 2 && diagonal.shape == [factor.shape[0]]
        && (loc.rank == 0 || loc.shape.last == factor.shape[0]),
      "LowRankMultivariateNormal: expected shapes […, n], [n, r] and [n], got \(loc.shape), \(factor.shape), \(diagonal.shape)"
    )
    require("LowRankMultivariateNormal", "diagonal", diagonal, "> 0") { $0 > 0 }
    self.init(
      loc, factor, diagonal, batchShape: Array(loc.shape.dropLast()), eventShape: diagonal.shape)
  }

  /// Creates the distribution from parts that have been checked.
  private init(
    _ loc: Tensor, _ factor: Tensor, _ diagonal: Tensor, batchShape: Shape, eventShape: Shape
  ) {
    self.loc = loc
    self.factor = factor
    self.diagonal = diagonal
    self.batchShape = batchShape
    self.eventShape = eventShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { loc.broadcast(to: batchShape + eventShape) }
  public var variance: Tensor? {
    (square(factor).sum(axis: -1) + diagonal).broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let offset = (value - loc).broadcast(
      to: broadcastShape([value.shape, batchShape + eventShape]) ?? value.shape)
    let scaled = offset / diagonal
    // Σ⁻¹ = D⁻¹ − D⁻¹ W C⁻¹ Wᵀ D⁻¹ and det Σ = det C det D, C = I + Wᵀ D⁻¹ W.
    let weighted = factor / diagonal.expandingAxis(-1)
    let capacity = Tensor.identity(factor.shape[1]) + factor.transposed().matmul(weighted)
    let root = capacity.cholesky()
    let along = solved(root, scaled.matmul(factor), transposed: false)
    let distance = (offset * scaled).sum(axis: -1) - square(along).sum(axis: -1)
    let logDet = log(diagonal).sum() + 2 * log(root.diagonal()).sum()
    return -0.5 * (distance + logDet) - halfLogTwoPi * Double(eventShape[0])
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let leading = sampleShape + batchShape
    let along = standardNormal(key.folding(in: "factor"), leading + [factor.shape[1]])
    let own = standardNormal(key, leading + eventShape)
    return loc + along.matmul(factor.transposed()) + sqrt(diagonal) * own
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    LowRankMultivariateNormal(
      loc, factor, diagonal, batchShape: batchShape, eventShape: eventShape)
  }

  public var description: String {
    "LowRankMultivariateNormal(loc: \(text(loc)), factor: shape \(factor.shape))"
  }
}
