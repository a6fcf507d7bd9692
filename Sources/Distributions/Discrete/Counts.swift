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
    return elementwise(shape) { poissonDraw(rates[$0], key.folding(in: UInt64($0))) }
  }
}

/// Draws a Poisson count: by inversion for small rates, by the transformed rejection of Hörmann 1993 (PTRS) above.
private func poissonDraw(_ rate: Double, _ key: RandomKey) -> Double {
  guard rate > 0, rate.isFinite else { return rate == 0 ? 0 : .nan }
  if rate < 30 {
    var (k, term) = (0.0, exponential(-rate))
    var total = term
    let u = key.uniform(0)
    // Beyond 200 the remaining probability at rate 30 is below 1e-90.
    while u > total && k < 200 {
      k += 1
      term *= rate / k
      total += term
    }
    return k
  }
  let root = rate.squareRoot()
  let b = 0.931 + 2.53 * root
  let a = -0.059 + 0.02483 * b
  let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  let vr = 0.9277 - 3.6224 / (b - 2)
  let logRate = logarithm(rate)
  var index: UInt64 = 0
  while true {
    let u = key.uniform(2 * index) - 0.5
    let v = key.uniform(2 * index + 1)
    index += 1
    let us = 0.5 - abs(u)
    let k = ((2 * a / us + b) * u + rate + 0.43).rounded(.down)
    if us >= 0.07 && v <= vr { return k }
    if k < 0 || (us < 0.013 && v > us) { continue }
    let bound = k * logRate - rate - Numerics.logGamma(k + 1)
    if logarithm(v * inverseAlpha / (a / (us * us) + b)) <= bound { return k }
  }
}
