// SPDX-License-Identifier: MIT
//
// The inverse-gamma distribution.

public import Numerics
public import Tensors

/// The distribution of 1/x for x gamma, with shape and scale.
///
/// log p = a log b − log Γ(a) − (a + 1) log x − b/x for x > 0.
public struct InverseGamma: ScalarFamily {
  public static let kind = DensityKind.inverseGamma
  public static let parameterNames = ["shape", "scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; both parameters are positive.
  public init(_ shape: some TensorConvertible, _ scale: some TensorConvertible) {
    let parameters = [shape.tensor, scale.tensor]
    require("InverseGamma", "shape", parameters[0], "> 0") { $0 > 0 }
    require("InverseGamma", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("InverseGamma", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public var mean: Tensor? {
    let a = parameters[0]
    return select(a.isGreater(than: 1), parameters[1] / (a - 1), Tensor(.infinity))
      .broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[1] / standardGamma(key, parameters[0], shape)
  }

  public var variance: Tensor? {
    let (a, b) = (parameters[0], parameters[1])
    return select(
      a.isGreater(than: 2), square(b / (a - 1)) / (a - 2), Tensor(.infinity)
    ).broadcast(to: batchShape)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    pointwise([value] + parameters) {
      $0[0] > 0 ? regularizedGammaQ($0[1], $0[2] / $0[0]) : 0
    }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    pointwise([probability] + parameters) { $0[2] / inverseRegularizedGammaQ($0[1], $0[0]) }
  }
}
