// SPDX-License-Identifier: MIT
//
// The chi-squared distribution.

public import Numerics
public import Tensors

/// The chi-squared distribution: the sum of the squares of `dof` standard normal variables.
///
/// log p = (ν/2 − 1) log x − x/2 − ν/2 log 2 − log Γ(ν/2) for x > 0.
public struct ChiSquared: ScalarFamily {
  public static let kind = DensityKind.chiSquared
  public static let parameterNames = ["dof"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `dof` is positive.
  public init(_ dof: some TensorConvertible) {
    let parameters = [dof.tensor]
    require("ChiSquared", "dof", parameters[0], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("ChiSquared", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public var mean: Tensor? { parameters[0].broadcast(to: batchShape) }
  public var variance: Tensor? { (parameters[0] * 2).broadcast(to: batchShape) }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    2 * standardGamma(key, parameters[0] / 2, shape)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    pointwise([value] + parameters) { regularizedGammaP($0[1] / 2, Swift.max($0[0], 0) / 2) }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    pointwise([probability] + parameters) { 2 * inverseRegularizedGammaP($0[1] / 2, $0[0]) }
  }
}
