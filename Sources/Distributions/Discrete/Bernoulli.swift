// SPDX-License-Identifier: MIT
//
// The Bernoulli distribution.

public import Numerics
public import Tensors

/// The distribution of 0 and 1 with a given log odds of 1.
public struct Bernoulli: ScalarFamily {
  public static let kind = DensityKind.bernoulliLogit
  public static let parameterNames = ["logits"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution from log odds.
  public init(logits: some TensorConvertible) {
    self.init(parameters: [logits.tensor], batchShape: logits.tensor.shape)
  }

  /// Creates the distribution from the probability of 1, between 0 and 1.
  ///
  /// Probabilities that are computed from a logit are better given as that: it stays exact near 0 and 1.
  public init(probability: some TensorConvertible) {
    let p = probability.tensor
    require("Bernoulli", "probability", p, "between 0 and 1") { $0 >= 0 && $0 <= 1 }
    self.init(logits: log(p) - log1p(-p))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .boolean }
  public var isDiscrete: Bool { true }
  public var mean: Tensor? { sigmoid(parameters[0]).broadcast(to: batchShape) }
  public var variance: Tensor? {
    (sigmoid(parameters[0]) * sigmoid(-parameters[0])).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    standardUniform(key, shape).isLess(than: sigmoid(parameters[0]))
  }
}
