// SPDX-License-Identifier: MIT
//
// The exponential distribution.

public import Numerics
public import Tensors

/// The exponential distribution with a rate.
///
/// log p = log rate − rate · x for x ≥ 0.
public struct Exponential: ScalarFamily {
  public static let kind = DensityKind.exponential
  public static let parameterNames = ["rate"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `rate` is positive.
  public init(_ rate: some TensorConvertible) {
    let parameters = [rate.tensor]
    require("Exponential", "rate", parameters[0], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Exponential", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public var mean: Tensor? { (1 / parameters[0]).broadcast(to: batchShape) }
  public var variance: Tensor? { (1 / square(parameters[0])).broadcast(to: batchShape) }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    -log(standardUniform(key, shape)) / parameters[0]
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    -expm1(-(parameters[0] * maximum(value, 0)))
  }

  public func logSurvival(_ value: Tensor) -> Tensor? { -(parameters[0] * maximum(value, 0)) }

  public func quantile(_ probability: Tensor) -> Tensor? { -log1p(-probability) / parameters[0] }
}
