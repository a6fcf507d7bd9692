// SPDX-License-Identifier: MIT
//
// Student's t distribution folded at zero.

public import Numerics
public import Tensors

/// The distribution of |x| for x Student-t about zero.
///
/// log p = log 2 + log t(x; dof, 0, scale) for x ≥ 0.
public struct HalfStudentT: ScalarFamily {
  public static let kind = DensityKind.halfStudentT
  public static let parameterNames = ["dof", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ dof: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [dof.tensor, scale.tensor]
    require("HalfStudentT", "dof", parameters[0], "> 0") { $0 > 0 }
    require("HalfStudentT", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("HalfStudentT", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }

  public var mean: Tensor? {
    let (dof, scale) = (parameters[0], parameters[1])
    let ratio = logGamma((dof + 1) / 2) - logGamma(dof / 2)
    let finite = 2 * scale * sqrt(dof / Double.pi) * exp(ratio) / (dof - 1)
    return select(dof.isGreater(than: 1), finite, Tensor(.infinity)).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    guard let mean else { return nil }
    let dof = parameters[0]
    let finite = square(parameters[1]) * dof / (dof - 2) - square(mean)
    return select(dof.isGreater(than: 2), finite, Tensor(.infinity)).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    let half = parameters[0] / 2
    let chi = standardGamma(key.folding(in: "gamma"), half, shape) / half
    return parameters[1] * abs(standardNormal(key, shape)) / sqrt(chi)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    pointwise([value] + parameters) {
      halfStudentTCDF(Swift.max($0[0], 0) / $0[2], dof: $0[1])
    }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    pointwise([probability] + parameters) {
      $0[2] * halfStudentTQuantile($0[0], dof: $0[1])
    }
  }
}
