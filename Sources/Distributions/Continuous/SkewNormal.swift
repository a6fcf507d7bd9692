// SPDX-License-Identifier: MIT
//
// The skew-normal distribution.

public import Numerics
public import Tensors

/// The skew-normal distribution with location, scale and shape (0: normal).
///
/// log p = log 2 + log φ(z) + log Φ(shape · z) − log scale, z = (x − loc)/scale.
public struct SkewNormal: ScalarFamily {
  public static let kind = DensityKind.skewNormal
  public static let parameterNames = ["loc", "scale", "shape"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(
    _ loc: some TensorConvertible, _ scale: some TensorConvertible, _ shape: some TensorConvertible
  ) {
    let parameters = [loc.tensor, scale.tensor, shape.tensor]
    require("SkewNormal", "scale", parameters[1], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("SkewNormal", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .real }

  /// shape / √(1 + shape²), the correlation with the variable that is selected on.
  private var delta: Tensor { parameters[2] / sqrt(1 + square(parameters[2])) }

  public var mean: Tensor? {
    let factor = (2 / Double.pi).squareRoot()
    return (parameters[0] + parameters[1] * delta * factor).broadcast(to: batchShape)
  }

  public var variance: Tensor? {
    (square(parameters[1]) * (1 - square(delta) * (2 / Double.pi))).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    // x = δ |u| + √(1 − δ²) v for independent normal u, v.
    let u = abs(standardNormal(key.folding(in: "half"), shape))
    let v = standardNormal(key, shape)
    let rest = 1 / sqrt(1 + square(parameters[2]))
    return parameters[0] + parameters[1] * (delta * u + rest * v)
  }

  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? {
    (
      parameters[0], parameters[1],
      SkewNormal(parameters: [Tensor(0), Tensor(1), parameters[2]], batchShape: batchShape)
    )
  }
}
