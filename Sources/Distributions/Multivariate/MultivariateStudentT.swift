// SPDX-License-Identifier: MIT
//
// Student's t distribution of vectors.

public import Numerics
public import Tensors

/// Student's t distribution of vectors with degrees of freedom ν, location, and the Cholesky factor L of its scale matrix.
///
/// log p = log Γ((ν+n)/2) − log Γ(ν/2) − n/2 log πν − Σ log L_ii − (ν+n)/2 log(1 + |L⁻¹(x − loc)|²/ν).
public struct MultivariateStudentT: Distribution {
  /// The degrees of freedom, `[…]`.
  public let dof: Tensor
  /// The location, `[…, n]`.
  public let loc: Tensor
  /// The lower Cholesky factor of the scale matrix, `[…, n, n]`.
  public let factor: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// Creates the distribution; `dof` is positive, `loc` is `[…, n]` or a number, `cholesky` is `[…, n, n]`.
  public init(
    _ dof: some TensorConvertible, _ loc: some TensorConvertible, cholesky: some TensorConvertible
  ) {
    let factor = checkedFactor("MultivariateStudentT", cholesky.tensor)
    require("MultivariateStudentT", "dof", dof.tensor, "> 0") { $0 > 0 }
    let shape = vectorShape("MultivariateStudentT", loc.tensor, factor)
    guard let batch = broadcastShape([dof.tensor.shape, shape.batch]) else {
      stop(
        "MultivariateStudentT: expected dof that broadcasts with \(shape.batch), got \(dof.tensor.shape)"
      )
    }
    self.init(dof.tensor, loc.tensor, factor, batchShape: batch, eventShape: shape.event)
  }

  /// Creates the distribution from parts that have been checked.
  private init(
    _ dof: Tensor, _ loc: Tensor, _ factor: Tensor, batchShape: Shape, eventShape: Shape
  ) {
    self.dof = dof
    self.loc = loc
    self.factor = factor
    self.batchShape = batchShape
    self.eventShape = eventShape
  }

  public var support: Constraint { .real }

  public var mean: Tensor? {
    select(dof.isGreater(than: 1).expandingAxis(-1), loc, Tensor(.nan))
      .broadcast(to: batchShape + eventShape)
  }

  public var variance: Tensor? {
    let nu = dof.expandingAxis(-1)
    let finite = square(factor).sum(axis: -1) * nu / (nu - 2)
    let heavy = select(nu.isGreater(than: 1), Tensor(.infinity), Tensor(.nan))
    return select(nu.isGreater(than: 2), finite, heavy).broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let leading = broadcastShape([Array(value.shape.dropLast()), batchShape]) ?? batchShape
    let offset = (value - loc).broadcast(to: leading + eventShape)
    let distance = square(solved(factor, offset, transposed: false)).sum(axis: -1)
    let n = Double(eventShape[0])
    let constant =
      logGamma((dof + n) / 2) - logGamma(dof / 2) - 0.5 * n * log(dof * Double.pi)
      - log(factor.diagonal()).sum(axis: -1)
    return (constant - (dof + n) * 0.5 * log1p(distance / dof)).broadcast(to: leading)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let leading = sampleShape + batchShape
    let z = standardNormal(key, leading + eventShape)
    let half = dof / 2
    let chi = standardGamma(key.folding(in: "gamma"), half, leading) / half
    return loc + multiplied(factor, z / sqrt(chi).expandingAxis(-1))
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    MultivariateStudentT(dof, loc, factor, batchShape: batchShape, eventShape: eventShape)
  }

  public var description: String {
    "MultivariateStudentT(dof: \(text(dof)), loc: \(text(loc)), scale: shape \(factor.shape))"
  }
}
