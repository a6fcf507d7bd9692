// SPDX-License-Identifier: MIT
//
// The Laplace distribution.

public import Numerics
public import Tensors

/// The double-exponential distribution with location and scale.
///
/// log p = −log 2·scale − |x − loc|/scale.
public struct Laplace: ScalarFamily {
  public static let kind = DensityKind.laplace
  public static let parameterNames = ["loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ loc: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [loc.tensor, scale.tensor]
    require("Laplace", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Laplace", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? { parameters[0].broadcast(to: batchShape) }
  public var variance: Tensor? { (2 * square(parameters[1])).broadcast(to: batchShape) }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    let u = standardUniform(key, shape) - 0.5
    return parameters[0] - parameters[1] * sign(u) * log1p(-2 * abs(u))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    let z = (value - parameters[0]) / parameters[1]
    let tail = 0.5 * exp(-abs(z))
    return select(z.isLess(than: 0), tail, 1 - tail)
  }

  public func logCumulative(_ value: Tensor) -> Tensor? {
    logLower((value - parameters[0]) / parameters[1])
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    logLower((parameters[0] - value) / parameters[1])
  }

  /// Returns the logarithm of the probability below a standard value.
  private func logLower(_ z: Tensor) -> Tensor {
    select(z.isLess(than: 0), minimum(z, 0) - 0.6931471805599453, log1p(-0.5 * exp(-maximum(z, 0))))
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    let isLow = probability.isLess(than: 0.5)
    let lower = log(2 * select(isLow, probability, Tensor(0.5)))
    let upper = -log(2 * (1 - select(isLow, Tensor(0.5), probability)))
    return parameters[0] + parameters[1] * select(isLow, lower, upper)
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (parameters[0], parameters[1], Laplace(0, 1).expanded(to: batchShape))
  }
}
