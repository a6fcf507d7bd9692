// SPDX-License-Identifier: MIT
//
// The negative binomial distribution in its usual parametrisations, and the geometric.

public import Numerics
public import Tensors

/// The negative binomial distribution: a Poisson count whose rate is a gamma variable.
///
/// log p = log Γ(k + φ) − log Γ(φ) − log k! + φ log(φ/(φ + μ)) + k log(μ/(φ + μ)), mean μ, variance μ + μ²/φ.
///
/// | elsewhere | here |
/// |---|---|
/// | Stan `neg_binomial_2(mu, phi)`, NumPyro `NegativeBinomial2` | `NegativeBinomial(mean:concentration:)` |
/// | Stan `neg_binomial_2_log(eta, phi)` | `NegativeBinomial(logMean:concentration:)` |
/// | Stan `neg_binomial(alpha, beta)`, NumPyro `GammaPoisson(alpha, beta)` | `NegativeBinomial(concentration:rate:)` |
/// | NumPyro `NegativeBinomialProbs(n, p)`, `NegativeBinomialLogits` | `NegativeBinomial(count:probability:)`, `(count:logits:)` |
public struct NegativeBinomial: CountFamily {
  public var density: DensityKind { .negativeBinomialLog }
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution from its mean and concentration φ, both positive.
  public init(mean: some TensorConvertible, concentration: some TensorConvertible) {
    require("NegativeBinomial", "mean", mean.tensor, "> 0") { $0 > 0 }
    self.init(logMean: log(mean.tensor), concentration: concentration)
  }

  /// Creates the distribution from the logarithm of its mean: the likelihood of a log-linear model with overdispersion.
  public init(logMean: some TensorConvertible, concentration: some TensorConvertible) {
    require("NegativeBinomial", "concentration", concentration.tensor, "> 0") { $0 > 0 }
    let parameters = [logMean.tensor, concentration.tensor]
    self.init(parameters, parameterShape("NegativeBinomial", parameters))
  }

  /// Creates the distribution of a Poisson count whose rate is Gamma(concentration, rate).
  public init(concentration: some TensorConvertible, rate: some TensorConvertible) {
    require("NegativeBinomial", "rate", rate.tensor, "> 0") { $0 > 0 }
    self.init(
      logMean: log(concentration.tensor) - log(rate.tensor), concentration: concentration)
  }

  /// Creates the distribution of the successes before `count` failures, from the log odds of a success.
  public init(count: some TensorConvertible, logits: some TensorConvertible) {
    self.init(logMean: logits.tensor + log(count.tensor), concentration: count)
  }

  /// Creates the distribution of the successes before `count` failures, from the probability of a success.
  public init(count: some TensorConvertible, probability: some TensorConvertible) {
    require("NegativeBinomial", "probability", probability.tensor, "between 0 and 1") {
      $0 >= 0 && $0 <= 1
    }
    self.init(count: count, logits: logit(probability.tensor))
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ parameters: [Tensor], _ batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .nonNegativeInteger }
  public var mean: Tensor? { exp(parameters[0]).broadcast(to: batchShape) }
  public var variance: Tensor? {
    let mean = exp(parameters[0])
    return (mean + square(mean) / parameters[1]).broadcast(to: batchShape)
  }

  public func dataTerm(_ value: Tensor) -> Tensor { -logGamma(value + 1) }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    countDraws(key, sampleShape + batchShape, [exp(parameters[0]), parameters[1]]) {
      $0.poisson(mean: $0.gamma(shape: $1[1]) * $1[0] / $1[1])
    }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    NegativeBinomial(parameters, batchShape)
  }

  public var description: String {
    "NegativeBinomial(logMean: \(text(parameters[0])), concentration: \(text(parameters[1])))"
  }
}

/// The number of failures before the first success.
///
/// log p = k log(1 − p) + log p.
public struct Geometric: CountFamily {
  public var density: DensityKind { .geometricLogit }
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution from the log odds of a success.
  public init(logits: some TensorConvertible) {
    self.init(logits.tensor, logits.tensor.shape)
  }

  /// Creates the distribution from the probability of a success, between 0 and 1.
  public init(probability: some TensorConvertible) {
    require("Geometric", "probability", probability.tensor, "in (0, 1]") { $0 > 0 && $0 <= 1 }
    self.init(logits: logit(probability.tensor))
  }

  /// Creates the distribution from a parameter that has been checked.
  private init(_ logits: Tensor, _ batchShape: Shape) {
    parameters = [logits]
    self.batchShape = batchShape
  }

  public var support: Constraint { .nonNegativeInteger }
  public var mean: Tensor? { exp(-parameters[0]).broadcast(to: batchShape) }
  public var variance: Tensor? {
    let odds = exp(-parameters[0])
    return (odds * (1 + odds)).broadcast(to: batchShape)
  }

  public func dataTerm(_ value: Tensor) -> Tensor { Tensor(0) }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    // k ≥ j with probability (1 − p)^j.
    return floor(log(standardUniform(key, shape)) / -softplus(parameters[0]))
      .stoppingGradient()
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Geometric(parameters[0], batchShape)
  }

  public var description: String { "Geometric(logits: \(text(parameters[0])))" }
}
