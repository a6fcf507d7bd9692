// SPDX-License-Identifier: MIT
//
// The logistic distribution.

public import Numerics
public import Tensors

/// The logistic distribution with location and scale.
///
/// log p = −z − 2 log(1 + e⁻ᶻ) − log scale.
public struct Logistic: ScalarFamily {
  public static let kind = DensityKind.logistic
  public static let parameterNames = ["loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ loc: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [loc.tensor, scale.tensor]
    require("Logistic", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Logistic", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { parameters[0].broadcast(to: batchShape) }
  public var variance: Tensor? {
    (square(parameters[1]) * (Double.pi * Double.pi / 3)).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    let u = standardUniform(key, shape)
    return parameters[0] + parameters[1] * (log(u) - log1p(-u))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    sigmoid((value - parameters[0]) / parameters[1])
  }

  public func logCumulative(_ value: Tensor) -> Tensor? {
    logSigmoid((value - parameters[0]) / parameters[1])
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    logSigmoid((parameters[0] - value) / parameters[1])
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[0] + parameters[1] * (log(probability) - log1p(-probability))
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (parameters[0], parameters[1], Logistic(0, 1).expanded(to: batchShape))
  }
}
