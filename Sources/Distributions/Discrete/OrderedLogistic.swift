// SPDX-License-Identifier: MIT
//
// Ordered categories behind a logistic variable.

public import Numerics
public import Tensors

/// The distribution of 0, 1, …, K − 1: between which of K − 1 rising cutpoints a logistic variable about the predictor falls.
///
/// P(x ≤ k) = σ(c_k − predictor). Stan's and NumPyro's `ordered_logistic`; Stan counts categories from 1, here they begin at 0.
public struct OrderedLogistic: Distribution {
  /// The predictor, `[…]`.
  public let predictor: Tensor
  /// The cutpoints in rising order, `[…, K − 1]`.
  public let cutpoints: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; `cutpoints` rise along their last axis.
  public init(_ predictor: some TensorConvertible, _ cutpoints: some TensorConvertible) {
    let (predictor, cutpoints) = (predictor.tensor, cutpoints.tensor)
    guard cutpoints.rank >= 1, cutpoints.shape[cutpoints.rank - 1] > 0,
      let batch = broadcastShape([predictor.shape, Array(cutpoints.shape.dropLast())])
    else {
      stop(
        "OrderedLogistic: expected cutpoints […, K − 1] that broadcast with the predictor, got \(cutpoints.shape), \(predictor.shape)"
      )
    }
    if cutpoints.shape[cutpoints.rank - 1] > 1 {
      require("OrderedLogistic", "differences of cutpoints", cutpoints.differences(), "> 0") {
        $0 > 0
      }
    }
    self.init(predictor, cutpoints, batch)
  }

  /// Creates the distribution from parameters that have been checked.
  private init(_ predictor: Tensor, _ cutpoints: Tensor, _ batchShape: Shape) {
    self.predictor = predictor
    self.cutpoints = cutpoints
    self.batchShape = batchShape
  }

  /// The number of categories.
  public var categories: Int { cutpoints.shape[cutpoints.rank - 1] + 1 }

  public var support: Constraint { .integerInterval(0, categories - 1) }
  public var isDiscrete: Bool { true }

  public func logProbability(of value: Tensor) -> Tensor {
    let shape = broadcastShape([value.shape, batchShape]) ?? batchShape
    let leading = Array(cutpoints.shape.dropLast()) + [1]
    let end = Tensor(repeating: .infinity, shape: leading)
    let inside = support.contains(value)
    let category = select(inside, value, Tensor(0))
    let low = Tensor.concatenate([-end, cutpoints], axis: -1).takeLast(category)
    let high = Tensor.concatenate([cutpoints, end], axis: -1).takeLast(category)
    let density = Tensor.logDensity(.logisticInterval, predictor, [low, high])
      .broadcast(to: shape)
    if let known = inside.constantElements, known.allSatisfy({ $0 != 0 }) { return density }
    return select(inside, density, Tensor(-.infinity))
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    let u = standardUniform(key, shape)
    let logistic = (predictor + logit(u)).stoppingGradient().expandingAxis(-1)
    return cutpoints.isLess(than: logistic).sum(axis: -1).broadcast(to: shape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    OrderedLogistic(predictor, cutpoints, batchShape)
  }

  public var description: String {
    "OrderedLogistic(\(text(predictor)), \(text(cutpoints)))"
  }
}
