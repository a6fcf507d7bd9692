// SPDX-License-Identifier: MIT
//
// The log-normal distribution.

public import Numerics
public import Tensors

/// The distribution of eˣ for x normal with given location and scale.
///
/// log p = log N(log x; loc, scale) − log x for x > 0.
public struct LogNormal: ScalarFamily {
  public static let kind = DensityKind.logNormal
  public static let parameterNames = ["loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `loc` and `scale` are those of log x, `scale` is positive.
  public init(_ loc: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [loc.tensor, scale.tensor]
    require("LogNormal", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("LogNormal", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public var mean: Tensor? {
    exp(parameters[0] + square(parameters[1]) / 2).broadcast(to: batchShape)
  }
  public var variance: Tensor? {
    let spread = square(parameters[1])
    return (expm1(spread) * exp(parameters[0] * 2 + spread)).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    exp(parameters[0] + parameters[1] * standardNormal(key, shape))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    normalCDF((log(maximum(value, 0)) - parameters[0]) / parameters[1])
  }

  public func logCumulative(_ value: Tensor) -> Tensor? {
    logNormalCDF((log(maximum(value, 0)) - parameters[0]) / parameters[1])
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    logNormalCDF((parameters[0] - log(maximum(value, 0))) / parameters[1])
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    exp(parameters[0] + parameters[1] * inverseNormalCDF(probability))
  }

  public var transformed: (base: any Distribution, transform: any Bijector)? {
    (Normal(parameters: parameters, batchShape: batchShape), ExpBijector())
  }
}
