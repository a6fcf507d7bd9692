// SPDX-License-Identifier: MIT
//
// The Pareto distribution.

public import Numerics
public import Tensors

/// The Pareto distribution with its smallest value, the scale, and its shape.
///
/// log p = log α + α log m − (α + 1) log x for x ≥ m.
public struct Pareto: ScalarFamily {
  public static let kind = DensityKind.pareto
  public static let parameterNames = ["scale", "shape"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ scale: some TensorConvertible, _ shape: some TensorConvertible) {
    let parameters = [scale.tensor, shape.tensor]
    require("Pareto", "scale", parameters[0], "> 0") { $0 > 0 }
    require("Pareto", "shape", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Pareto", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .greaterThan(parameters[0]) }

  public var mean: Tensor? {
    let (scale, shape) = (parameters[0], parameters[1])
    let finite = scale * shape / (shape - 1)
    return select(shape.isGreater(than: 1), finite, Tensor(.infinity)).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    let (scale, shape) = (parameters[0], parameters[1])
    let finite = square(scale / (shape - 1)) * shape / (shape - 2)
    return select(shape.isGreater(than: 2), finite, Tensor(.infinity)).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] * pow(standardUniform(key, shape), -1 / parameters[1])
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let safe = maximum(value, parameters[0])
    return -expm1(parameters[1] * log(parameters[0] / safe))
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    parameters[1] * log(parameters[0] / maximum(value, parameters[0]))
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[0] * exp(-log1p(-probability) / parameters[1])
  }
}
