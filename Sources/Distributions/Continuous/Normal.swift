// SPDX-License-Identifier: MIT
//
// The normal distribution.

public import Numerics
public import Tensors

/// The normal distribution with location (mean) and scale (standard deviation).
///
/// log p = −½ ((x − loc)/scale)² − log scale − ½ log 2π.
public struct Normal: ScalarFamily {
  public static let kind = DensityKind.normal
  public static let parameterNames = ["loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ loc: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [loc.tensor, scale.tensor]
    require("Normal", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Normal", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { parameters[0].broadcast(to: batchShape) }
  public var variance: Tensor? { square(parameters[1]).broadcast(to: batchShape) }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] + parameters[1] * standardNormal(key, shape)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    normalCDF((value - parameters[0]) / parameters[1])
  }

  public func logCumulative(_ value: Tensor) -> Tensor? {
    logNormalCDF((value - parameters[0]) / parameters[1])
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    logNormalCDF((parameters[0] - value) / parameters[1])
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[0] + parameters[1] * inverseNormalCDF(probability)
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (parameters[0], parameters[1], Normal(0, 1).expanded(to: batchShape))
  }
}
