// SPDX-License-Identifier: MIT
//
// The Cauchy distribution.

public import Numerics
public import Tensors

/// The Cauchy distribution with location and scale.
///
/// log p = −log π − log scale − log(1 + z²).
public struct Cauchy: ScalarFamily {
  public static let kind = DensityKind.cauchy
  public static let parameterNames = ["loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ loc: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [loc.tensor, scale.tensor]
    require("Cauchy", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Cauchy", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] + parameters[1] * tan((standardUniform(key, shape) - 0.5) * Double.pi)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let z = (value - parameters[0]) / parameters[1]
    let isLow = z.isLess(than: -1)
    // The lower tail by itself, not as what is left of a half.
    let tail = atan(-1 / select(isLow, z, Tensor(-1))) / Double.pi
    return select(isLow, tail, 0.5 + atan(z) / Double.pi)
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    cumulative(2 * parameters[0] - value).map { log($0) }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    let isLow = probability.isLess(than: 0.25)
    let tail = -1 / tan(select(isLow, probability, Tensor(0.25)) * Double.pi)
    return parameters[0]
      + parameters[1] * select(isLow, tail, tan((probability - 0.5) * Double.pi))
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (parameters[0], parameters[1], Cauchy(0, 1).expanded(to: batchShape))
  }
}
