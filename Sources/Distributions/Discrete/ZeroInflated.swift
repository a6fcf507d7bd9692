// SPDX-License-Identifier: MIT
//
// Counts with extra zeros.

public import Numerics
public import Tensors

/// A distribution of counts that is zero with a given further probability, the gate.
///
/// `ZeroInflated(Poisson(rate), gate: g)` is NumPyro's `ZeroInflatedPoisson`.
///
/// log p(0) = log(gate + (1 − gate) p₀), log p(k) = log(1 − gate) + log p_k.
public struct ZeroInflated: Distribution {
  /// The distribution without the extra zeros.
  public let base: any Distribution
  /// The log odds of an extra zero, `[…]`.
  public let gateLogits: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution from the probability of an extra zero, between 0 and 1.
  public init(_ base: any Distribution, gate: some TensorConvertible) {
    require("ZeroInflated", "gate", gate.tensor, "between 0 and 1") { $0 >= 0 && $0 <= 1 }
    self.init(base, gateLogits: logit(gate.tensor))
  }

  /// Creates the distribution from the log odds of an extra zero.
  public init(_ base: any Distribution, gateLogits: some TensorConvertible) {
    demand(
      base.isDiscrete && base.eventShape.isEmpty,
      "ZeroInflated: expected a distribution of counts, got \(base)")
    guard let batch = broadcastShape([base.batchShape, gateLogits.tensor.shape]) else {
      stop(
        "ZeroInflated: expected a gate that broadcasts with \(base.batchShape), got \(gateLogits.tensor.shape)"
      )
    }
    self.init(base, gateLogits.tensor, batch)
  }

  /// Creates the distribution from parts that have been checked.
  private init(_ base: any Distribution, _ gateLogits: Tensor, _ batchShape: Shape) {
    self.base = base
    self.gateLogits = gateLogits
    self.batchShape = batchShape
  }

  public var support: Constraint { base.support }
  public var isDiscrete: Bool { true }

  public var mean: Tensor? {
    base.mean.map { ($0 * sigmoid(-gateLogits)).broadcast(to: batchShape) }
  }

  public var variance: Tensor? {
    guard let mean = base.mean, let variance = base.variance else { return nil }
    let open = sigmoid(-gateLogits)
    return (open * (variance + sigmoid(gateLogits) * square(mean))).broadcast(to: batchShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let open = logSigmoid(-gateLogits) + base.logProbability(of: value)
    let zero = logAddExp(logSigmoid(gateLogits), open)
    let density = select(value.isEqual(to: 0), zero, open)
    return select(support.contains(value), density, Tensor(-.infinity))
      .broadcast(to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    let open = standardUniform(key.folding(in: "gate"), shape)
      .isLess(than: sigmoid(-gateLogits))
    return open * base.expanded(to: batchShape).sample(key: key, sampleShape: sampleShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    ZeroInflated(base, gateLogits, batchShape)
  }

  public var description: String {
    "ZeroInflated(\(base), gateLogits: \(text(gateLogits)))"
  }
}
