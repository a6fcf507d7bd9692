// SPDX-License-Identifier: MIT
//
// The Dirichlet distribution of proportions.

public import Numerics
public import Tensors

/// The Dirichlet distribution of vectors of positive numbers that add up to one.
///
/// log p = Σ (a − 1) log x + log Γ(Σ a) − Σ log Γ(a).
public struct Dirichlet: Distribution {
  /// The concentrations, `[…, n]`.
  public let concentration: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [concentration.shape[concentration.rank - 1]] }

  /// Creates the distribution from positive concentrations, `[…, n]`; all ones is flat.
  public init(_ concentration: some TensorConvertible) {
    let a = concentration.tensor
    demand(
      a.rank >= 1, "Dirichlet: expected a vector of concentrations, got shape \(a.shape)")
    require("Dirichlet", "concentration", a, "> 0") { $0 > 0 }
    self.init(a, batchShape: Array(a.shape.dropLast()))
  }

  /// Creates the distribution with a batch shape.
  private init(_ concentration: Tensor, batchShape: Shape) {
    self.concentration = concentration
    self.batchShape = batchShape
  }

  public var support: Constraint { .simplex }

  public var mean: Tensor? {
    (concentration / concentration.sum(axis: -1, keepingAxis: true))
      .broadcast(to: batchShape + eventShape)
  }

  public var variance: Tensor? {
    let total = concentration.sum(axis: -1, keepingAxis: true)
    let share = concentration / total
    return (share * (1 - share) / (total + 1)).broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let inside = support.contains(value)
    let safe = inside.isTraced ? select(inside.expandingAxis(-1), value, feasibleValue) : value
    // 0 · log 0 is 0: the factor x^(a − 1) is 1 for a = 1 at x = 0.
    let power = concentration - 1
    let logs = log(select(power.isEqual(to: 0) * safe.isEqual(to: 0), Tensor(1), safe))
    let constant =
      logGamma(concentration.sum(axis: -1)) - logGamma(concentration).sum(axis: -1)
    let density = (power * logs).sum(axis: -1) + constant
    return select(inside, density, Tensor(-.infinity)).broadcast(
      to: broadcastShape([Array(value.shape.dropLast()), batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    // In logarithms: draws of small concentrations underflow.
    logStandardGamma(key, concentration, sampleShape + batchShape + eventShape).softmax()
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Dirichlet(concentration, batchShape: batchShape)
  }

  public var description: String { "Dirichlet(\(text(concentration)))" }
}
