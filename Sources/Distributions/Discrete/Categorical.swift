// SPDX-License-Identifier: MIT
//
// The categorical distribution, and the uniform one of whole numbers.

public import Numerics
public import Tensors

/// The distribution of 0, 1, …, K − 1 with given probabilities.
///
/// To sum a discrete variable out of a model, add up the probabilities of its values (a mixture, or `logSumExp` of a factor):
/// samplers by gradients need continuous variables.
public struct Categorical: Distribution {
  /// The log probabilities, `[…, K]`.
  public let logProbabilities: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution from logits, `[…, K]`: log probabilities up to a constant.
  public init(logits: some TensorConvertible) {
    let logits = logits.tensor
    demand(logits.rank >= 1, "Categorical: expected logits of shape […, K], got a scalar")
    self.init(logits.logSoftmax(), Array(logits.shape.dropLast()))
  }

  /// Creates the distribution from probabilities that add up to one, `[…, K]`; they are taken as they are.
  public init(probabilities: some TensorConvertible) {
    let p = probabilities.tensor
    demand(
      p.rank >= 1, "Categorical: expected probabilities of shape […, K], got a scalar")
    require("Categorical", "probabilities", p, "≥ 0") { $0 >= 0 }
    // Probabilities from files are often rounded to six digits.
    require("Categorical", "the sum of probabilities", p.sum(axis: -1), "1 within 1e-5") {
      abs($0 - 1) <= 1e-5
    }
    self.init(log(p), Array(p.shape.dropLast()))
  }

  /// Creates the distribution from log probabilities.
  private init(_ logProbabilities: Tensor, _ batchShape: Shape) {
    self.logProbabilities = logProbabilities
    self.batchShape = batchShape
  }

  /// The number of categories.
  public var categories: Int { logProbabilities.shape[logProbabilities.rank - 1] }

  public var support: Constraint { .integerInterval(0, categories - 1) }
  public var isDiscrete: Bool { true }

  public var mean: Tensor? {
    (exp(logProbabilities) * Tensor.arange(categories)).sum(axis: -1).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    let numbers = Tensor.arange(categories)
    let p = exp(logProbabilities)
    let mean = (p * numbers).sum(axis: -1)
    return ((p * square(numbers)).sum(axis: -1) - square(mean)).broadcast(to: batchShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let shape = broadcastShape([value.shape, batchShape]) ?? batchShape
    let inside = support.contains(value)
    let picked = logProbabilities.takeLast(select(inside, value, Tensor(0)))
    if let inside = inside.constantElements, inside.allSatisfy({ $0 != 0 }) {
      return picked.broadcast(to: shape)
    }
    return select(inside, picked, Tensor(-.infinity)).broadcast(to: shape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    let cumulative = exp(logProbabilities).stoppingGradient().cumulativeSum()
    // Rounding may leave the last sum below a uniform number: it is not counted.
    let steps = cumulative.sliced(0..<(categories - 1), axis: -1)
    let u = standardUniform(key, shape).expandingAxis(-1)
    return steps.isLess(than: u).sum(axis: -1).broadcast(to: shape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Categorical(logProbabilities, batchShape)
  }

  public var description: String { "Categorical(\(categories) categories)" }
}

/// The distribution of the whole numbers from `low` to `high`, both included, all alike.
public struct DiscreteUniform: Distribution {
  /// The smallest number.
  public let low: Int
  /// The largest number.
  public let high: Int
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; `low` is not above `high`.
  public init(_ low: Int, _ high: Int) {
    demand(low <= high, "DiscreteUniform: expected low ≤ high, got \(low), \(high)")
    self.init(low, high, [])
  }

  /// Creates the distribution with a batch shape.
  private init(_ low: Int, _ high: Int, _ batchShape: Shape) {
    self.low = low
    self.high = high
    self.batchShape = batchShape
  }

  /// The number of values.
  private var count: Double { Double(high - low + 1) }

  public var support: Constraint { .integerInterval(low, high) }
  public var isDiscrete: Bool { true }
  public var mean: Tensor? {
    Tensor(repeating: 0.5 * (Double(low) + Double(high)), shape: batchShape)
  }
  public var variance: Tensor? {
    Tensor(repeating: (count * count - 1) / 12, shape: batchShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    select(support.contains(value), Tensor(-logarithm(count)), Tensor(-.infinity))
      .broadcast(to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    Double(low) + floor(standardUniform(key, sampleShape + batchShape) * count)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    DiscreteUniform(low, high, batchShape)
  }

  public var description: String { "DiscreteUniform(\(low), \(high))" }
}
