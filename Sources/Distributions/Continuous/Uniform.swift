// SPDX-License-Identifier: MIT
//
// The uniform distribution.

public import Numerics
public import Tensors

/// The uniform distribution on a closed interval.
///
/// log p = −log(high − low) inside.
public struct Uniform: ScalarFamily {
  public static let kind = DensityKind.uniform
  public static let parameterNames = ["low", "high"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `low` is below `high`.
  public init(_ low: some TensorConvertible, _ high: some TensorConvertible) {
    let parameters = [low.tensor, high.tensor]
    if broadcastShape(parameters.map(\.shape)) != nil {
      require("Uniform", "high − low", parameters[1] - parameters[0], "> 0") { $0 > 0 }
    }
    self.init(parameters: parameters, batchShape: parameterShape("Uniform", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .interval(parameters[0], parameters[1]) }
  public var mean: Tensor? { ((parameters[0] + parameters[1]) / 2).broadcast(to: batchShape) }
  public var variance: Tensor? {
    (square(parameters[1] - parameters[0]) / 12).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] + (parameters[1] - parameters[0]) * standardUniform(key, shape)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    ((value - parameters[0]) / (parameters[1] - parameters[0])).clamped(to: 0...1)
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[0] + (parameters[1] - parameters[0]) * probability
  }
}
