// SPDX-License-Identifier: MIT
//
// A random walk with normal steps.

public import Numerics
public import Tensors

/// A random walk of a given length that starts at zero: x₁ and each further step are normal with one scale.
///
/// log p = log N(x₁; 0, scale) + Σ log N(x_k; x_{k−1}, scale).
public struct GaussianRandomWalk: Distribution {
  /// The standard deviation of a step, `[…]`.
  public let scale: Tensor
  /// The number of steps.
  public let steps: Int
  public let batchShape: Shape
  public var eventShape: Shape { [steps] }

  /// Creates the distribution; `scale` and `steps` are positive.
  public init(_ scale: some TensorConvertible, steps: Int) {
    demand(steps > 0, "GaussianRandomWalk: expected steps > 0, got \(steps)")
    require("GaussianRandomWalk", "scale", scale.tensor, "> 0") { $0 > 0 }
    self.init(scale.tensor, steps, batchShape: scale.tensor.shape)
  }

  /// Creates the distribution with a batch shape.
  private init(_ scale: Tensor, _ steps: Int, batchShape: Shape) {
    self.scale = scale
    self.steps = steps
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { .zeros(batchShape + eventShape) }
  public var variance: Tensor? {
    (square(scale).expandingAxis(-1) * (Tensor.arange(steps) + 1))
      .broadcast(to: batchShape + eventShape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let steps = CumulativeSumBijector().inverse(value)
    return Tensor.logDensity(.normal, steps, [Tensor(0), scale.expandingAxis(-1)]).sum(axis: -1)
      .broadcast(to: broadcastShape([Array(value.shape.dropLast()), batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let z = standardNormal(key, sampleShape + batchShape + eventShape)
    return (scale.expandingAxis(-1) * z).cumulativeSum(axis: -1)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    GaussianRandomWalk(scale, steps, batchShape: batchShape)
  }

  /// The independent steps, of which the walk is the running sum.
  public var transformed: (base: any Distribution, transform: any Bijector)? {
    let base = Normal(0, scale.expandingAxis(-1)).expanded(to: batchShape + eventShape)
    return (base.toEvent(1), CumulativeSumBijector())
  }

  public var description: String {
    "GaussianRandomWalk(scale: \(text(scale)), steps: \(steps))"
  }
}
