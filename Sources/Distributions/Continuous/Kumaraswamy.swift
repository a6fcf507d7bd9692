// SPDX-License-Identifier: MIT
//
// The Kumaraswamy distribution, a beta-like one with a closed quantile.

public import Numerics
public import Tensors

/// The Kumaraswamy distribution on the unit interval.
///
/// log p = log ab + (a − 1) log x + (b − 1) log(1 − x^a).
public struct Kumaraswamy: ScalarFamily {
  public static let kind = DensityKind.kumaraswamy
  public static let parameterNames = ["a", "b"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ a: some TensorConvertible, _ b: some TensorConvertible) {
    let parameters = [a.tensor, b.tensor]
    require("Kumaraswamy", "a", parameters[0], "> 0") { $0 > 0 }
    require("Kumaraswamy", "b", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Kumaraswamy", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .unitInterval }
  public var mean: Tensor? { moment(1).broadcast(to: batchShape) }
  public var variance: Tensor? { (moment(2) - square(moment(1))).broadcast(to: batchShape) }

  /// Returns E xⁿ = b B(1 + n/a, b).
  private func moment(_ n: Double) -> Tensor {
    let (p, b) = (1 + n / parameters[0], parameters[1])
    return b * exp(logGamma(p) + logGamma(b) - logGamma(p + b))
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    inverse(log(standardUniform(key, shape)))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let x = value.clamped(to: 0...1)
    return -expm1(parameters[1] * log1p(-pow(x, parameters[0])))
  }

  public func quantile(_ probability: Tensor) -> Tensor? { inverse(log1p(-probability)) }

  /// Returns x with a given logarithm of (1 − x^a)^b.
  private func inverse(_ logTail: Tensor) -> Tensor {
    exp(log(-expm1(logTail / parameters[1])) / parameters[0])
  }
}
