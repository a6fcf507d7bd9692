// SPDX-License-Identifier: MIT
//
// The Weibull distribution.

public import Numerics
public import Tensors

/// The Weibull distribution with shape and scale (Stan's order).
///
/// log p = log(k/s) + (k − 1) log(x/s) − (x/s)^k for x ≥ 0.
public struct Weibull: ScalarFamily {
  public static let kind = DensityKind.weibull
  public static let parameterNames = ["shape", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ shape: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [shape.tensor, scale.tensor]
    require("Weibull", "shape", parameters[0], "> 0") { $0 > 0 }
    require("Weibull", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Weibull", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }

  public var mean: Tensor? {
    (parameters[1] * exp(logGamma(1 + 1 / parameters[0]))).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    let second = exp(logGamma(1 + 2 / parameters[0]))
    let first = exp(logGamma(1 + 1 / parameters[0]))
    return (square(parameters[1]) * (second - square(first))).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[1] * pow(-log(standardUniform(key, shape)), 1 / parameters[0])
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    -expm1(-pow(maximum(value, 0) / parameters[1], parameters[0]))
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    -pow(maximum(value, 0) / parameters[1], parameters[0])
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[1] * pow(-log1p(-probability), 1 / parameters[0])
  }
}
