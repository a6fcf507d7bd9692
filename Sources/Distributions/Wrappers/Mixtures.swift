// SPDX-License-Identifier: MIT
//
// Mixtures: of the elements of one family along an axis, and of any distributions.

public import Numerics
public import Tensors

/// A mixture whose components are the elements of one distribution along its last batch axis.
///
/// log p = log Σ w_k p_k.
///
/// ```swift
/// m.observe("y", MixtureSameFamily(weights: [theta, 1 - theta], Normal(mu, sigma)), y)    // mu, sigma: [2]
/// ```
public struct MixtureSameFamily: Distribution {
  /// The logarithms of the weights, `[…, K]`.
  public let logWeights: Tensor
  /// The components; K is the last axis of the batch shape.
  public let components: any Distribution
  public let batchShape: Shape

  /// Creates the mixture from weights that add up to one, `[…, K]`; they are taken as they are.
  public init(weights: some TensorConvertible, _ components: any Distribution) {
    checkWeights("MixtureSameFamily", weights.tensor)
    self.init(logWeights: log(weights.tensor), components)
  }

  /// Creates the mixture from the logarithms of the weights, `[…, K]`.
  public init(logWeights: some TensorConvertible, _ components: any Distribution) {
    let logWeights = logWeights.tensor
    demand(
      logWeights.rank >= 1 && !components.batchShape.isEmpty
        && components.batchShape.last == logWeights.shape.last,
      "MixtureSameFamily: expected as many weights as components along the last batch axis, got \(logWeights.shape) and \(components.batchShape)"
    )
    guard let batch = broadcastShape([logWeights.shape, components.batchShape]) else {
      stop(
        "MixtureSameFamily: expected weights that broadcast with \(components.batchShape), got \(logWeights.shape)"
      )
    }
    self.init(logWeights, components, Array(batch.dropLast()))
  }

  /// Creates the mixture from parts that have been checked.
  private init(_ logWeights: Tensor, _ components: any Distribution, _ batchShape: Shape) {
    self.logWeights = logWeights
    self.components = components
    self.batchShape = batchShape
  }

  /// The number of components.
  private var count: Int { logWeights.shape[logWeights.rank - 1] }

  /// The support of the components, which is one for all.
  public var support: Constraint { components.support }
  public var eventShape: Shape { components.eventShape }
  public var isDiscrete: Bool { components.isDiscrete }
  public var isImproper: Bool { components.isImproper }

  /// The first component's.
  public var feasibleValue: Tensor {
    let rank = eventShape.count
    let all = components.feasibleValue
    return all.sliced(0..<1, axis: all.rank - rank - 1)
      .reshaped(components.batchShape.dropLast() + eventShape)
      .broadcast(to: batchShape + eventShape)
  }

  public var mean: Tensor? {
    components.mean.map { averaged($0) }
  }

  public var variance: Tensor? {
    guard let means = components.mean, let variances = components.variance else { return nil }
    // Around the mean: second moments would cancel where that is large.
    let offsets = means - averaged(means).expandingAxis(-1 - eventShape.count)
    return averaged(variances + square(offsets))
  }

  /// Returns the weighted sum over the components, in the shape of a value.
  private func averaged(_ values: Tensor) -> Tensor {
    let weights = exp(logWeights)
    let wide = weights.reshaped(weights.shape + [Int](repeating: 1, count: eventShape.count))
    return (values * wide).sum(axis: -1 - eventShape.count).broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let leading = Array(value.shape.dropLast(eventShape.count))
    let shape = broadcastShape([leading, batchShape]) ?? batchShape
    if let terms = scalarTerms(value) {
      return logSum(terms).broadcast(to: shape)
    }
    let wide = value.expandingAxis(-1 - eventShape.count)
    return (components.logProbability(of: wide) + logWeights).logSumExp(axis: -1)
      .broadcast(to: shape)
  }

  /// Returns the weighted log density of each component, where they are scalars with one number for each parameter.
  ///
  /// One instruction for each component with scalar parameters needs no copies of the data.
  private func scalarTerms(_ value: Tensor) -> [Tensor]? {
    guard let family = components as? any ScalarFamily, family.batchShape.count == 1,
      logWeights.rank == 1
    else { return nil }
    return (0..<count).map { k in family.element(k, at: value) + logWeights[k] }
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    let chosen = Categorical(logits: logWeights).expanded(to: batchShape)
      .sample(key: key.folding(in: "component"), sampleShape: sampleShape)
    let all = components.expanded(to: batchShape + [count])
      .sample(key: key, sampleShape: sampleShape)
    let ones = chosen.expandingAxis(-1).isEqual(to: Tensor.arange(count))
    let wide = ones.reshaped(shape + [count] + [Int](repeating: 1, count: eventShape.count))
    return select(wide, all, Tensor(0)).sum(axis: -1 - eventShape.count)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    guard eventShape.isEmpty else { return nil }
    return components.cumulative(value.expandingAxis(-1)).map {
      ($0 * exp(logWeights)).sum(axis: -1)
    }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    MixtureSameFamily(logWeights, components, batchShape)
  }

  public var description: String { "MixtureSameFamily(\(count) of \(components))" }
}

/// A mixture of any distributions of one event shape.
///
/// ```swift
/// m.observe("y", MixtureGeneral(weights: [0.9, 0.1], [Normal(mu, sigma), StudentT(2, mu, 10)]), y)
/// ```
public struct MixtureGeneral: Distribution {
  /// The logarithms of the weights, `[…, K]`.
  public let logWeights: Tensor
  /// The components, which have one event shape.
  public let components: [any Distribution]
  public let batchShape: Shape

  /// Creates the mixture from weights that add up to one, `[…, K]`; they are taken as they are.
  public init(weights: some TensorConvertible, _ components: [any Distribution]) {
    checkWeights("MixtureGeneral", weights.tensor)
    self.init(logWeights: log(weights.tensor), components)
  }

  /// Creates the mixture from the logarithms of the weights, `[…, K]`.
  public init(logWeights: some TensorConvertible, _ components: [any Distribution]) {
    let logWeights = logWeights.tensor
    demand(
      logWeights.rank >= 1 && logWeights.shape.last == components.count && !components.isEmpty,
      "MixtureGeneral: expected one weight for each component, got \(logWeights.shape) for \(components.count)"
    )
    demand(
      components.allSatisfy {
        $0.eventShape == components[0].eventShape && $0.isDiscrete == components[0].isDiscrete
      },
      "MixtureGeneral: expected components of one event shape, all discrete or none, got \(components)"
    )
    let shapes = [Array(logWeights.shape.dropLast())] + components.map(\.batchShape)
    guard let batch = broadcastShape(shapes) else {
      stop("MixtureGeneral: expected shapes that broadcast, got \(shapes)")
    }
    self.init(logWeights, components, batch)
  }

  /// Creates the mixture from parts that have been checked.
  private init(_ logWeights: Tensor, _ components: [any Distribution], _ batchShape: Shape) {
    self.logWeights = logWeights
    self.components = components
    self.batchShape = batchShape
  }

  /// The support of the first component.
  ///
  /// Give the widest first where they differ.
  public var support: Constraint { components[0].support }
  public var eventShape: Shape { components[0].eventShape }
  public var isDiscrete: Bool { components[0].isDiscrete }
  public var isImproper: Bool { components.contains { $0.isImproper } }
  public var feasibleValue: Tensor {
    components[0].feasibleValue.broadcast(to: batchShape + eventShape)
  }

  public var mean: Tensor? {
    let means = components.compactMap(\.mean)
    return means.count == components.count ? averaged(means) : nil
  }

  public var variance: Tensor? {
    guard let mean else { return nil }
    // Around the mean: second moments would cancel where that is large.
    let parts = components.compactMap { component -> Tensor? in
      guard let own = component.mean, let variance = component.variance else { return nil }
      return variance + square(own - mean)
    }
    guard parts.count == components.count else { return nil }
    return averaged(parts)
  }

  /// Returns the weight of a component, or its logarithm, with axes for the event.
  private func weight(_ k: Int) -> Tensor { logWeights[..., k] }

  /// Returns the weighted sum over the components.
  private func averaged(_ values: [Tensor]) -> Tensor {
    values.enumerated().reduce(Tensor(0)) { total, part in
      let w = exp(weight(part.offset))
      let wide = w.reshaped(w.shape + [Int](repeating: 1, count: eventShape.count))
      return total + part.element * wide
    }.broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let leading = Array(value.shape.dropLast(eventShape.count))
    let shape = broadcastShape([leading, batchShape]) ?? batchShape
    let terms = components.enumerated().map { $1.logProbability(of: value) + weight($0) }
    return logSum(terms).broadcast(to: shape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let chosen = Categorical(logits: logWeights).expanded(to: batchShape)
      .sample(key: key.folding(in: "component"), sampleShape: sampleShape)
    let shape = chosen.shape + [Int](repeating: 1, count: eventShape.count)
    return components.enumerated().reduce(Tensor(0)) { total, part in
      let draws = part.element.expanded(to: batchShape)
        .sample(key: key.folding(in: part.offset), sampleShape: sampleShape)
      return select(chosen.isEqual(to: part.offset).reshaped(shape), draws, total)
    }
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let parts = components.compactMap { $0.cumulative(value) }
    guard eventShape.isEmpty, parts.count == components.count else { return nil }
    return parts.enumerated().reduce(Tensor(0)) { $0 + $1.element * exp(weight($1.offset)) }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    MixtureGeneral(logWeights, components, batchShape)
  }

  public var description: String { "MixtureGeneral(\(components))" }
}

extension ScalarFamily {
  /// Returns the log density of one element of the family along its only batch axis.
  func element(_ k: Int, at value: Tensor) -> Tensor {
    .logDensity(Self.kind, value, parameters.map { $0.count == 1 ? $0.reshaped([]) : $0[k] })
  }
}

/// Checks constant weights as ``require(_:_:_:_:_:)`` does: they are probabilities.
private func checkWeights(_ name: String, _ weights: Tensor) {
  demand(
    weights.rank >= 1, "\(name): expected weights of shape […, K], got a scalar")
  require(name, "weights", weights, "≥ 0") { $0 >= 0 }
  // Weights from files are often rounded to six digits.
  require(name, "the sum of weights", weights.sum(axis: -1), "1 within 1e-5") {
    abs($0 - 1) <= 1e-5
  }
}

/// Returns log Σ eˣ of arrays that broadcast.
private func logSum(_ terms: [Tensor]) -> Tensor {
  if terms.count == 1 { return terms[0] }
  if terms.count == 2 { return logAddExp(terms[0], terms[1]) }
  let shape = parameterShape("mixture", terms)
  return Tensor.stack(terms.map { $0.broadcast(to: shape) }).logSumExp(axis: 0)
}
