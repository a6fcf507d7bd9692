// SPDX-License-Identifier: MIT
//
// The binomial distribution, and the beta-binomial with an uncertain probability.

public import Numerics
public import Tensors

/// The number of successes in `count` trials.
///
/// log p = log C(n, k) + k log p + (n − k) log(1 − p).
public struct Binomial: CountFamily {
  public let density: DensityKind
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution from the log odds of a success.
  public init(_ count: some TensorConvertible, logits: some TensorConvertible) {
    require("Binomial", "count", count.tensor, "a whole number ≥ 0") {
      $0 >= 0 && $0 == $0.rounded()
    }
    let parameters = [count.tensor, logits.tensor]
    self.init(.binomialLogit, parameters, parameterShape("Binomial", parameters))
  }

  /// Creates the distribution from the probability of a success, between 0 and 1.
  public init(_ count: some TensorConvertible, probability: some TensorConvertible) {
    let parameters = [count.tensor, probability.tensor]
    require("Binomial", "count", parameters[0], "a whole number ≥ 0") {
      $0 >= 0 && $0 == $0.rounded()
    }
    require("Binomial", "probability", parameters[1], "between 0 and 1") { $0 >= 0 && $0 <= 1 }
    self.init(.binomial, parameters, parameterShape("Binomial", parameters))
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ density: DensityKind, _ parameters: [Tensor], _ batchShape: Shape) {
    self.density = density
    self.parameters = parameters
    self.batchShape = batchShape
  }

  /// The number of trials.
  public var count: Tensor { parameters[0] }

  /// The probability of a success.
  public var probability: Tensor {
    density == .binomial ? parameters[1] : sigmoid(parameters[1])
  }

  public var support: Constraint { .nonNegativeInteger }
  public var mean: Tensor? { (count * probability).broadcast(to: batchShape) }
  public var variance: Tensor? {
    let failure = density == .binomial ? 1 - parameters[1] : sigmoid(-parameters[1])
    return (count * probability * failure).broadcast(to: batchShape)
  }

  public func dataTerm(_ value: Tensor) -> Tensor { logBinomialCoefficient(count, value) }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    countDraws(key, sampleShape + batchShape, [count, probability]) {
      $0.binomial(count: $1[0], probability: $1[1])
    }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Binomial(density, parameters, batchShape)
  }

  public var description: String {
    let name = density == .binomial ? "probability" : "logits"
    return "Binomial(\(text(count)), \(name): \(text(parameters[1])))"
  }
}

/// The number of successes in `count` trials whose common probability is Beta(a, b).
///
/// log p = log C(n, k) + log B(k + a, n − k + b) − log B(a, b).
public struct BetaBinomial: CountFamily {
  public var density: DensityKind { .betaBinomial }
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `a` and `b` are positive.
  public init(
    _ count: some TensorConvertible, _ a: some TensorConvertible, _ b: some TensorConvertible
  ) {
    require("BetaBinomial", "count", count.tensor, "a whole number ≥ 0") {
      $0 >= 0 && $0 == $0.rounded()
    }
    require("BetaBinomial", "a", a.tensor, "> 0") { $0 > 0 }
    require("BetaBinomial", "b", b.tensor, "> 0") { $0 > 0 }
    let parameters = [count.tensor, a.tensor, b.tensor]
    self.init(parameters, parameterShape("BetaBinomial", parameters))
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ parameters: [Tensor], _ batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .nonNegativeInteger }

  public var mean: Tensor? {
    (parameters[0] * parameters[1] / (parameters[1] + parameters[2])).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    let (n, a, b) = (parameters[0], parameters[1], parameters[2])
    let total = a + b
    return (n * a * b * (total + n) / (square(total) * (total + 1))).broadcast(to: batchShape)
  }

  public func dataTerm(_ value: Tensor) -> Tensor { logBinomialCoefficient(parameters[0], value) }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    countDraws(key, sampleShape + batchShape, parameters) { generator, p in
      // x / (x + y) in logarithms: both draws may underflow for small parameters.
      let logOdds = generator.logGamma(shape: p[1]) - generator.logGamma(shape: p[2])
      return generator.binomial(count: p[0], probability: sigmoid(logOdds))
    }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    BetaBinomial(parameters, batchShape)
  }

  public var description: String {
    "BetaBinomial(\(text(parameters[0])), \(text(parameters[1])), \(text(parameters[2])))"
  }
}
