// SPDX-License-Identifier: MIT
//
// Counts of categories: the multinomial distribution, and the Dirichlet-multinomial with uncertain probabilities.

public import Numerics
public import Tensors

/// How often each of K categories occurs in `count` trials.
///
/// log p = log n! − Σ log x_k! + Σ x_k log p_k.
public struct Multinomial: Distribution {
  /// The number of trials, `[…]`.
  public let count: Tensor
  /// The log probabilities, `[…, K]`.
  public let logProbabilities: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [logProbabilities.shape[logProbabilities.rank - 1]] }

  /// Creates the distribution from logits, `[…, K]`: log probabilities up to a constant.
  public init(_ count: some TensorConvertible, logits: some TensorConvertible) {
    self.init(count, Categorical(logits: logits))
  }

  /// Creates the distribution from probabilities that add up to one, `[…, K]`; they are taken as they are.
  public init(_ count: some TensorConvertible, probabilities: some TensorConvertible) {
    self.init(count, Categorical(probabilities: probabilities))
  }

  /// Creates the distribution of counts of a categorical variable.
  private init(_ count: some TensorConvertible, _ category: Categorical) {
    let count = count.tensor
    require("Multinomial", "count", count, "a whole number ≥ 0") { $0 >= 0 && $0 == $0.rounded() }
    guard let batch = broadcastShape([count.shape, category.batchShape]) else {
      stop(
        "Multinomial: expected counts that broadcast with \(category.batchShape), got \(count.shape)"
      )
    }
    self.init(count, category.logProbabilities, batch)
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ count: Tensor, _ logProbabilities: Tensor, _ batchShape: Shape) {
    self.count = count
    self.logProbabilities = logProbabilities
    self.batchShape = batchShape
  }

  public var support: Constraint { .nonNegativeInteger }
  public var isDiscrete: Bool { true }

  /// All trials in the first category.
  public var feasibleValue: Tensor {
    let first = Tensor((0..<eventShape[0]).map { $0 == 0 ? 1 : 0 })
    return (count.expandingAxis(-1) * first).broadcast(to: batchShape + eventShape)
  }

  public var mean: Tensor? {
    (count.expandingAxis(-1) * exp(logProbabilities)).broadcast(to: batchShape + eventShape)
  }

  public var variance: Tensor? {
    let p = exp(logProbabilities)
    return (count.expandingAxis(-1) * p * (1 - p)).broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    // 0 · log 0 is 0.
    let terms = value * select(value.isEqual(to: 0), Tensor(0), logProbabilities)
    let coefficient = logGamma(count + 1) - logGamma(value + 1).sum(axis: -1)
    return inside(value, count, terms.sum(axis: -1) + coefficient, batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    let n = eventShape[0]
    let p = exp(logProbabilities).stoppingGradient().broadcast(to: shape + [n]).elements
    let counts = count.broadcast(to: shape).elements
    let key = key.ofThisEvaluation
    var result: [Double] = []
    result.reserveCapacity(p.count)
    for row in counts.indices {
      var generator = KeyedGenerator(key.folding(in: UInt64(row)))
      result += generator.multinomial(
        count: counts[row], probabilities: p[(row * n)..<((row + 1) * n)])
    }
    return Tensor(result, shape: shape + [n])
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Multinomial(count, logProbabilities, batchShape)
  }

  public var description: String { "Multinomial(\(text(count)), \(eventShape[0]) categories)" }
}

/// How often each of K categories occurs in `count` trials whose common probabilities are a Dirichlet variable.
///
/// log p = log n! − Σ log x_k! + log Γ(A) − log Γ(A + n) + Σ (log Γ(a_k + x_k) − log Γ(a_k)), A = Σ a.
public struct DirichletMultinomial: Distribution {
  /// The number of trials, `[…]`.
  public let count: Tensor
  /// The concentrations, `[…, K]`.
  public let concentration: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [concentration.shape[concentration.rank - 1]] }

  /// Creates the distribution from positive concentrations, `[…, K]`.
  public init(_ count: some TensorConvertible, _ concentration: some TensorConvertible) {
    let (count, a) = (count.tensor, concentration.tensor)
    require("DirichletMultinomial", "count", count, "a whole number ≥ 0") {
      $0 >= 0 && $0 == $0.rounded()
    }
    require("DirichletMultinomial", "concentration", a, "> 0") { $0 > 0 }
    guard a.rank >= 1, let batch = broadcastShape([count.shape, Array(a.shape.dropLast())]) else {
      stop(
        "DirichletMultinomial: expected concentrations […, K] and counts that broadcast, got \(a.shape), \(count.shape)"
      )
    }
    self.init(count, a, batch)
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ count: Tensor, _ concentration: Tensor, _ batchShape: Shape) {
    self.count = count
    self.concentration = concentration
    self.batchShape = batchShape
  }

  public var support: Constraint { .nonNegativeInteger }
  public var isDiscrete: Bool { true }

  /// All trials in the first category.
  public var feasibleValue: Tensor {
    let first = Tensor((0..<eventShape[0]).map { $0 == 0 ? 1 : 0 })
    return (count.expandingAxis(-1) * first).broadcast(to: batchShape + eventShape)
  }

  /// The expected shares of the categories.
  private var shares: Tensor {
    concentration / concentration.sum(axis: -1, keepingAxis: true)
  }

  public var mean: Tensor? {
    (count.expandingAxis(-1) * shares).broadcast(to: batchShape + eventShape)
  }

  public var variance: Tensor? {
    let total = concentration.sum(axis: -1, keepingAxis: true)
    let n = count.expandingAxis(-1)
    return (n * shares * (1 - shares) * (total + n) / (total + 1))
      .broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let total = concentration.sum(axis: -1)
    // The number of trials as counted: an impossible total is refused below, and must not make NaN here.
    let terms = logGamma(concentration + maximum(value, 0)) - logGamma(concentration)
    let coefficient = logGamma(count + 1) - logGamma(value + 1).sum(axis: -1)
    let density =
      terms.sum(axis: -1) + logGamma(total) - logGamma(total + count) + coefficient
    return inside(value, count, density, batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let p = Dirichlet(concentration).expanded(to: batchShape)
      .sample(key: key.folding(in: "probabilities"), sampleShape: sampleShape)
    return Multinomial(count, probabilities: p).sample(key: key, sampleShape: [])
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    DirichletMultinomial(count, concentration, batchShape)
  }

  public var description: String {
    "DirichletMultinomial(\(text(count)), \(text(concentration)))"
  }
}

/// Returns a density where values are counts that add up to the number of trials, −∞ elsewhere.
private func inside(_ value: Tensor, _ count: Tensor, _ density: Tensor, _ batch: Shape) -> Tensor {
  let counts = Constraint.nonNegativeInteger.contains(value).min(axis: -1)
  let allowed = counts * value.sum(axis: -1).isEqual(to: count)
  let shape = broadcastShape([Array(value.shape.dropLast()), batch]) ?? batch
  if let known = allowed.constantElements, known.allSatisfy({ $0 != 0 }) {
    return density.broadcast(to: shape)
  }
  return select(allowed, density, Tensor(-.infinity)).broadcast(to: shape)
}
