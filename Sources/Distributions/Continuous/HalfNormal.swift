// SPDX-License-Identifier: MIT
//
// The half-normal distribution.

public import Numerics
public import Tensors

/// The distribution of |x| for x normal about zero.
///
/// log p = log 2 − ½ (x/scale)² − log scale − ½ log 2π for x ≥ 0.
public struct HalfNormal: ScalarFamily {
  public static let kind = DensityKind.halfNormal
  public static let parameterNames = ["scale"]
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `scale` is positive.
  public init(_ scale: some TensorConvertible) {
    let parameters = [scale.tensor]
    require("HalfNormal", "scale", parameters[0], "> 0") { $0 > 0 }
    self.init(parameters: parameters, batchShape: parameterShape("HalfNormal", parameters))
  }

  public init(parameters: [Tensor], batchShape: Shape) {
    self.parameters = parameters
    self.batchShape = batchShape
  }

  public var support: Constraint { .positive }
  public var mean: Tensor? { (parameters[0] * 0.7978845608028654).broadcast(to: batchShape) }
  public var variance: Tensor? {
    (square(parameters[0]) * 0.3633802276324186).broadcast(to: batchShape)
  }

  public func draws(_ key: RandomKey, _ shape: Shape) -> Tensor {
    parameters[0] * abs(standardNormal(key, shape))
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    maximum(erf(value / parameters[0] * 0.7071067811865476), 0)
  }

  public func logSurvival(_ value: Tensor) -> Tensor? {
    0.6931471805599453 + logNormalCDF(-maximum(value, 0) / parameters[0])
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    // Near 0 by the series √(π/2) p (1 + π p²/12): a half would swallow p.
    let isLow = probability.isLess(than: 1e-4)
    let near = probability * 1.2533141373155003 * (1 + square(probability) * (Double.pi / 12))
    return parameters[0] * select(isLow, near, -inverseNormalCDF(0.5 * (1 - probability)))
  }
}
