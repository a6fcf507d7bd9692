// SPDX-License-Identifier: MIT
//
// The beta distribution.

public import Numerics
public import Tensors

/// The beta distribution on the unit interval.
///
/// log p = (a − 1) log x + (b − 1) log(1 − x) − log B(a, b).
public struct Beta: ScalarFamily {
  public static let kind = DensityKind.beta
  public static let parameterNames = ["a", "b"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ a: some TensorConvertible, _ b: some TensorConvertible) {
    let parameters = [a.tensor, b.tensor]
    require("Beta", "a", parameters[0], "> 0") { $0 > 0 }
    require("Beta", "b", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Beta", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .unitInterval }
  public var mean: Tensor? {
    (parameters[0] / (parameters[0] + parameters[1])).broadcast(to: batchShape)
  }
  public var variance: Tensor? {
    let total = parameters[0] + parameters[1]
    return (parameters[0] * parameters[1] / (square(total) * (total + 1)))
      .broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    // x / (x + y) in logarithms: both draws may underflow for small parameters.
    let x = logStandardGamma(key.folding(in: "a"), parameters[0], shape)
    let y = logStandardGamma(key.folding(in: "b"), parameters[1], shape)
    return sigmoid(x - y)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    pointwise([value] + parameters) {
      regularizedBeta($0[1], $0[2], Swift.min(Swift.max($0[0], 0), 1))
    }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    pointwise([probability] + parameters) { inverseRegularizedBeta($0[1], $0[2], $0[0]) }
  }
}
