// SPDX-License-Identifier: MIT
//
// The multivariate normal distribution, from a covariance, a precision, or the Cholesky factor of either.

public import Numerics
public import Tensors

/// The normal distribution of vectors.
///
/// log p = −½ |L⁻¹ (x − loc)|² − Σ log L_ii − n/2 · log 2π for a covariance L Lᵀ. Where a matrix that a sampler proposes is not
/// positive definite the density is NaN, and the point is rejected.
///
/// ```swift
/// MultivariateNormal(0, covariance: kernel)
/// MultivariateNormal(mu, cholesky: scales.expandingAxis(-1) * correlationFactor)
/// ```
public struct MultivariateNormal: Distribution {
  /// The mean, `[…, n]`.
  public let loc: Tensor
  /// The lower Cholesky factor of the covariance, or of the precision, `[…, n, n]`.
  public let factor: Tensor
  /// Whether the factor is that of the precision.
  public let isPrecision: Bool
  public let batchShape: Shape
  public let eventShape: Shape

  /// Creates the distribution from a covariance, `[…, n, n]`; `loc` is `[…, n]`, or a number for all.
  public init(_ loc: some TensorConvertible, covariance: some TensorConvertible) {
    self.init(checking: loc.tensor, covariance.tensor, "covariance", isPrecision: false)
  }

  /// Creates the distribution from a precision, the inverse of the covariance, `[…, n, n]`.
  public init(_ loc: some TensorConvertible, precision: some TensorConvertible) {
    self.init(checking: loc.tensor, precision.tensor, "precision", isPrecision: true)
  }

  /// Creates the distribution from the lower Cholesky factor of the covariance, `[…, n, n]`.
  public init(_ loc: some TensorConvertible, cholesky: some TensorConvertible) {
    let factor = checkedFactor("MultivariateNormal", cholesky.tensor)
    self.init(loc: loc.tensor, factor: factor, isPrecision: false)
  }

  /// Creates the distribution from a matrix that has yet to be factored.
  private init(checking loc: Tensor, _ matrix: Tensor, _ name: String, isPrecision: Bool) {
    demand(
      isSquare(matrix), "MultivariateNormal: expected a square \(name), got shape \(matrix.shape)")
    let factor = matrix.cholesky()
    require("MultivariateNormal", name, factor, "positive definite") { !$0.isNaN }
    self.init(loc: loc, factor: factor, isPrecision: isPrecision)
  }

  /// Creates the distribution from parts that have been checked.
  private init(loc: Tensor, factor: Tensor, isPrecision: Bool) {
    let shape = vectorShape("MultivariateNormal", loc, factor)
    self.init(
      loc: loc, factor: factor, isPrecision: isPrecision, batchShape: shape.batch,
      eventShape: shape.event)
  }

  /// Creates the distribution with a batch shape.
  private init(
    loc: Tensor, factor: Tensor, isPrecision: Bool, batchShape: Shape, eventShape: Shape
  ) {
    self.loc = loc
    self.factor = factor
    self.isPrecision = isPrecision
    self.batchShape = batchShape
    self.eventShape = eventShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { loc.broadcast(to: batchShape + eventShape) }

  public var variance: Tensor? {
    // Of L Lᵀ the rows of L; of L⁻ᵀ L⁻¹ the columns of L⁻¹.
    let squares =
      isPrecision
      ? square(factor.triangularSolve(Tensor.identity(eventShape[0]).broadcast(to: factor.shape)))
        .sum(axis: -2) : square(factor).sum(axis: -1)
    return squares.broadcast(to: batchShape + eventShape)
  }

  /// Returns the standardised values, `[…, n]`.
  private func standardized(_ value: Tensor) -> Tensor {
    var offset = value - loc
    if offset.rank == 0 || offset.shape[offset.rank - 1] != eventShape[0] {
      offset = offset.broadcast(to: value.shape.dropLast() + eventShape)
    }
    return isPrecision
      ? multiplied(factor, offset, transposed: true) : solved(factor, offset, transposed: false)
  }

  /// The sum of the logarithms of the factor's diagonal with the sign it has in the density, `[…]`.
  private var logScale: Tensor {
    let sum = log(factor.diagonal()).sum(axis: -1)
    return isPrecision ? sum : -sum
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let squares = square(standardized(value)).sum(axis: -1)
    let constant = halfLogTwoPi * Double(eventShape[0])
    let density = -0.5 * squares + logScale - constant
    let leading = Array(value.shape.dropLast())
    return density.broadcast(to: broadcastShape([leading, batchShape]) ?? batchShape)
  }

  public func logProbabilitySum(of value: Tensor) -> Tensor {
    let leading = Array(value.shape.dropLast())
    let z = standardized(value)
    guard let shape = broadcastShape([leading, batchShape]),
      z.shape == shape + eventShape
    else { return logProbability(of: value).sum() }
    let scales = logScale
    let repeats = Double(shape.elementCount) / Double(max(1, scales.count))
    return Tensor.logDensity(.normal, z, [Tensor(0), Tensor(1)], summed: true)
      + scales.sum() * repeats
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let z = standardNormal(key, sampleShape + batchShape + eventShape)
    return loc + (isPrecision ? solved(factor, z, transposed: true) : multiplied(factor, z))
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    MultivariateNormal(
      loc: loc, factor: factor, isPrecision: isPrecision, batchShape: batchShape,
      eventShape: eventShape)
  }

  /// The standard normal variables of which the vector is an affine map.
  public var transformed: (base: any Distribution, transform: any Bijector)? {
    (
      Normal(0, 1).expanded(to: batchShape + eventShape).toEvent(1),
      TriangularBijector(loc, factor, isPrecision: isPrecision)
    )
  }

  public var description: String {
    "MultivariateNormal(loc: \(text(loc)), \(isPrecision ? "precision" : "covariance"): shape \(factor.shape))"
  }
}

/// Whether the last two axes of an array are equal.
func isSquare(_ matrix: Tensor) -> Bool {
  matrix.rank >= 2 && matrix.shape[matrix.rank - 1] == matrix.shape[matrix.rank - 2]
}

/// Returns a Cholesky factor given as a parameter.
///
/// - Precondition: It is square, and constant ones have a positive diagonal.
func checkedFactor(_ name: String, _ factor: Tensor) -> Tensor {
  demand(
    isSquare(factor), "\(name): expected a square Cholesky factor, got shape \(factor.shape)")
  require(name, "the factor's diagonal", factor.diagonal(), "> 0") { $0 > 0 }
  return factor
}

/// Returns batch and event shape of a distribution of vectors with a location and a matrix.
///
/// - Precondition: They fit.
func vectorShape(_ name: String, _ loc: Tensor, _ matrix: Tensor) -> (batch: Shape, event: Shape) {
  let n = matrix.shape[matrix.rank - 1]
  let batch = broadcastShape([Array(loc.shape.dropLast()), Array(matrix.shape.dropLast(2))])
  guard let batch, loc.rank == 0 || loc.shape[loc.rank - 1] == n else {
    stop(
      "\(name): expected a location of shape […, \(n)] and a matrix of shape […, \(n), \(n)], got \(loc.shape) and \(matrix.shape)"
    )
  }
  return (batch, [n])
}
