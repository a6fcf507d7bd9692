// SPDX-License-Identifier: MIT
//
// The Gumbel distribution of extremes.

public import Numerics
public import Tensors

/// The Gumbel distribution of largest values with location and scale.
///
/// log p = −z − e^−z − log scale, z = (x − loc)/scale.
public struct Gumbel: ScalarFamily {
  public static let kind = DensityKind.gumbel
  public static let parameterNames = ["loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ loc: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [loc.tensor, scale.tensor]
    require("Gumbel", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("Gumbel", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }

  public var mean: Tensor? {
    // Euler's constant.
    (parameters[0] + parameters[1] * 0.577_215_664_901_532_9).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    (square(parameters[1]) * (Double.pi * Double.pi / 6)).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] - parameters[1] * log(-log(standardUniform(key, shape)))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    exp(-exp((parameters[0] - value) / parameters[1]))
  }

  public func logCumulative(_ value: Tensor) -> Tensor? {
    -exp((parameters[0] - value) / parameters[1])
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    let z = (value - parameters[0]) / parameters[1]
    // Beyond z = 30 what is above is exp(−z) to rounding.
    let isFar = z.isGreater(than: 30)
    return select(isFar, -z, log(-expm1(-exp(-select(isFar, Tensor(0), z)))))
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    parameters[0] - parameters[1] * log(-log(probability))
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (parameters[0], parameters[1], Gumbel(0, 1).expanded(to: batchShape))
  }
}
