// SPDX-License-Identifier: MIT
//
// The Bernoulli distribution.

public import Numerics
public import Tensors

/// The distribution of 0 and 1 with a given log odds, or probability, of 1.
public struct Bernoulli: Distribution {
  /// The log odds, or the probability, of 1.
  private enum Success: Sendable {
    case logits(Tensor)
    case probability(Tensor)
  }

  /// What was given.
  private let success: Success

  public let batchShape: Shape

  /// Creates the distribution from log odds.
  public init(logits: some TensorConvertible) {
    self.init(.logits(logits.tensor), logits.tensor.shape)
  }

  /// Creates the distribution from the probability of 1, between 0 and 1.
  ///
  /// Probabilities that are computed from a logit are better given as that: it stays exact near 0 and 1.
  public init(probability: some TensorConvertible) {
    let p = probability.tensor
    require("Bernoulli", "probability", p, "between 0 and 1") { $0 >= 0 && $0 <= 1 }
    self.init(.probability(p), p.shape)
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ success: Success, _ batchShape: Shape) {
    self.success = success
    self.batchShape = batchShape
  }

  /// The log odds of 1.
  public var logits: Tensor {
    switch success {
    case .logits(let logits): logits
    case .probability(let p): logit(p)
    }
  }

  /// The probability of 1.
  public var probability: Tensor {
    switch success {
    case .logits(let logits): sigmoid(logits)
    case .probability(let p): p
    }
  }

  public var eventShape: Shape { [] }
  public var support: Constraint { .boolean }
  public var isDiscrete: Bool { true }
  public var mean: Tensor? { probability.broadcast(to: batchShape) }
  public var variance: Tensor? {
    switch success {
    case .logits(let x): (sigmoid(x) * sigmoid(-x)).broadcast(to: batchShape)
    case .probability(let p): (p * (1 - p)).broadcast(to: batchShape)
    }
  }

  public func logProbability(of value: Tensor) -> Tensor { density(value, isSummed: false) }

  public func logProbabilitySum(of value: Tensor) -> Tensor { density(value, isSummed: true) }

  /// Returns the log probabilities of values, or their sum.
  private func density(_ value: Tensor, isSummed: Bool) -> Tensor {
    let value = value.broadcast(to: broadcastShape([value.shape, batchShape]) ?? value.shape)
    return switch success {
    case .logits(let logits): .logDensity(.bernoulliLogit, value, [logits], summed: isSummed)
    case .probability(let p): .logDensity(.binomial, value, [Tensor(1), p], summed: isSummed)
    }
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    standardUniform(key, sampleShape + batchShape).isLess(than: probability)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    demand(
      broadcastShape([self.batchShape, batchShape]) == batchShape,
      "expanded: expected a shape that \(self.batchShape) broadcasts to, got \(batchShape)")
    return Bernoulli(success, batchShape)
  }

  public var description: String {
    switch success {
    case .logits(let logits): "Bernoulli(logits: \(text(logits)))"
    case .probability(let p): "Bernoulli(probability: \(text(p)))"
    }
  }
}
