// SPDX-License-Identifier: MIT
//
// Distributions of whole numbers: Bernoulli and Poisson.

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

/// The Poisson distribution with a given rate.
public struct Poisson: ScalarFamily {
  public static let kind = DensityKind.poisson
  public static let parameterNames = ["rate"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `rate` is not negative.
  public init(_ rate: some TensorConvertible) {
    require("Poisson", "rate", rate.tensor, "≥ 0") { $0 >= 0 }
    self.init(parameters: [rate.tensor], batchShape: rate.tensor.shape)
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .nonNegativeInteger }
  public var isDiscrete: Bool { true }
  public var mean: Tensor? { parameters[0].broadcast(to: batchShape) }
  public var variance: Tensor? { parameters[0].broadcast(to: batchShape) }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    let rates = parameters[0].stoppingGradient().broadcast(to: shape).elements
    let key = key.ofThisEvaluation
    return elementwise(shape) { key.poisson(UInt64($0), mean: rates[$0]) }
  }
}
