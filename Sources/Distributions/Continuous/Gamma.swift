// SPDX-License-Identifier: MIT
//
// The gamma distribution.

public import Numerics
public import Tensors

/// The gamma distribution with shape and rate.
///
/// log p = a log b − log Γ(a) + (a − 1) log x − b x for x > 0.
public struct Gamma: ScalarFamily {
  public static let kind = DensityKind.gamma
  public static let parameterNames = ["shape", "rate"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ shape: some TensorConvertible, _ rate: some TensorConvertible) {
    let parameters = [shape.tensor, rate.tensor]
    require("Gamma", "shape", parameters[0], "> 0") { $0 > 0 }
    require("Gamma", "rate", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Gamma", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public var mean: Tensor? { (parameters[0] / parameters[1]).broadcast(to: batchShape) }
  public var variance: Tensor? {
    (parameters[0] / square(parameters[1])).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    standardGamma(key, parameters[0], shape) / parameters[1]
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    pointwise([value] + parameters) { regularizedGammaP($0[1], Swift.max($0[0] * $0[2], 0)) }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    pointwise([probability] + parameters) { inverseRegularizedGammaP($0[1], $0[0]) / $0[2] }
  }
}
