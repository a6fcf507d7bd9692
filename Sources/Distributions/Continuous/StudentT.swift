// SPDX-License-Identifier: MIT
//
// Student's t distribution.

public import Numerics
public import Tensors

/// Student's t distribution with degrees of freedom, location and scale.
///
/// log p = log Γ((ν+1)/2) − log Γ(ν/2) − ½ log πν − log scale − (ν+1)/2 · log(1 + z²/ν).
public struct StudentT: ScalarFamily {
  public static let kind = DensityKind.studentT
  public static let parameterNames = ["dof", "loc", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `dof` and `scale` are positive.
  public init(
    _ dof: some TensorConvertible, _ loc: some TensorConvertible, _ scale: some TensorConvertible
  ) {
    let parameters = [dof.tensor, loc.tensor, scale.tensor]
    require("StudentT", "dof", parameters[0], "> 0") { $0 > 0 }
    require("StudentT", "scale", parameters[2], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("StudentT", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }
  public var mean: Tensor? {
    select(parameters[0].isGreater(than: 1), parameters[1], Tensor(.nan)).broadcast(to: batchShape)
  }
  public var variance: Tensor? {
    let dof = parameters[0]
    let finite = square(parameters[2]) * dof / (dof - 2)
    let heavy = select(dof.isGreater(than: 1), Tensor(.infinity), Tensor(.nan))
    return select(dof.isGreater(than: 2), finite, heavy).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    let half = parameters[0] / 2
    let chi = standardGamma(key.folding(in: "gamma"), half, shape) / half
    return parameters[1] + parameters[2] * standardNormal(key, shape) / sqrt(chi)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    pointwise([value] + parameters) { studentTCDF(($0[0] - $0[2]) / $0[3], dof: $0[1]) }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    pointwise([probability] + parameters) { $0[2] + $0[3] * studentTQuantile($0[0], dof: $0[1]) }
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (
      parameters[1], parameters[2],
      StudentT(parameters: [parameters[0], Tensor(0), Tensor(1)], batchShape: batchShape)
    )
  }
}
