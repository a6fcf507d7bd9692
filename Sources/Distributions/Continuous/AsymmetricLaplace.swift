// SPDX-License-Identifier: MIT
//
// The Laplace distribution with two slopes.

public import Numerics
public import Tensors

/// The asymmetric Laplace distribution with location, scale and asymmetry κ (1: Laplace).
///
/// log p = −log(κ + 1/κ) − log scale − z κ for z = (x − loc)/scale ≥ 0, z/κ in place of −z κ below.
public struct AsymmetricLaplace: ScalarFamily {
  public static let kind = DensityKind.asymmetricLaplace
  public static let parameterNames = ["loc", "scale", "asymmetry"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` and `asymmetry` are positive.
  public init(
    _ loc: some TensorConvertible, _ scale: some TensorConvertible,
    _ asymmetry: some TensorConvertible
  ) {
    let parameters = [loc.tensor, scale.tensor, asymmetry.tensor]
    require("AsymmetricLaplace", "scale", parameters[1], "> 0") { $0 > 0 }
    require("AsymmetricLaplace", "asymmetry", parameters[2], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("AsymmetricLaplace", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }

  public var mean: Tensor? {
    let kappa = parameters[2]
    return (parameters[0] + parameters[1] * (1 / kappa - kappa)).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    let square2 = square(parameters[2])
    return (square(parameters[1]) * (1 / square2 + square2)).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] + parameters[1] * standardQuantile(standardUniform(key, shape))
  }

  /// Returns the quantile for location 0 and scale 1.
  private func standardQuantile(_ p: Tensor) -> Tensor {
    let kappa = parameters[2]
    let squared = square(kappa)
    // The share below the location.
    let below = squared / (1 + squared)
    let lower = kappa * log(p / below)
    let upper = -(log1p(-p) + log(1 + squared)) / kappa
    return select(p.isLess(than: below), lower, upper)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let kappa = parameters[2]
    let squared = square(kappa)
    let z = (value - parameters[0]) / parameters[1]
    let lower = exp(minimum(z, 0) / kappa) * squared / (1 + squared)
    let upper = exp(-maximum(z, 0) * kappa) / (1 + squared)
    return select(z.isLess(than: 0), lower, 1 - upper)
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[0] + parameters[1] * standardQuantile(probability)
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (
      parameters[0], parameters[1],
      AsymmetricLaplace(
        parameters: [Tensor(0), Tensor(1), parameters[2]], batchShape: batchShape)
    )
  }
}
