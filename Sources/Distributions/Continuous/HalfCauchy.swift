// SPDX-License-Identifier: MIT
//
// The half-Cauchy distribution.

public import Numerics
public import Tensors

/// The distribution of |x| for x Cauchy about zero.
///
/// log p = log 2/π − log scale − log(1 + (x/scale)²) for x ≥ 0.
public struct HalfCauchy: ScalarFamily {
  public static let kind = DensityKind.halfCauchy
  public static let parameterNames = ["scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ scale: some TensorConvertible) {
    let parameters = [scale.tensor]
    require("HalfCauchy", "scale", parameters[0], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("HalfCauchy", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] * tan(standardUniform(key, shape) * (Double.pi / 2))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    maximum(atan(value / parameters[0]) * (2 / Double.pi), 0)
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    let z = maximum(value, 0) / parameters[0]
    let isFar = z.isGreater(than: 1)
    let tail = atan(1 / select(isFar, z, Tensor(1))) * (2 / Double.pi)
    let rest = 1 - atan(select(isFar, Tensor(0), z)) * (2 / Double.pi)
    return log(select(isFar, tail, rest))
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    let isHigh = probability.isGreater(than: 0.5)
    let tail = 1 / tan((1 - select(isHigh, probability, Tensor(0.5))) * (Double.pi / 2))
    return parameters[0] * select(isHigh, tail, tan(probability * (Double.pi / 2)))
  }
}
