// SPDX-License-Identifier: MIT
//
// The von Mises distribution of angles.

public import Numerics
public import Tensors

/// The von Mises distribution of an angle of a given period: the normal distribution's analogue on a circle.
///
/// log p = κ cos φ − log I₀(κ) − log period, φ = 2π (x − loc)/period.
public struct VonMises: Distribution {
  /// The location.
  public let loc: Tensor
  /// The concentration κ; 0 is uniform.
  public let concentration: Tensor
  /// Where reported values begin.
  public let low: Double
  /// The period.
  public let period: Double
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; `concentration` is not negative, `period` is positive.
  public init(
    _ loc: some TensorConvertible, _ concentration: some TensorConvertible,
    low: Double = -Double.pi, period: Double = 2 * Double.pi
  ) {
    demand(period > 0, "VonMises: expected period > 0, got \(period)")
    require("VonMises", "concentration", concentration.tensor, "≥ 0") { $0 >= 0 }
    self.init(
      loc.tensor, concentration.tensor, low, period,
      parameterShape("VonMises", [loc.tensor, concentration.tensor]))
  }

  /// Creates the distribution from parameters that have been checked.
  private init(
    _ loc: Tensor, _ concentration: Tensor, _ low: Double, _ period: Double, _ batchShape: Shape
  ) {
    self.loc = loc
    self.concentration = concentration
    self.low = low
    self.period = period
    self.batchShape = batchShape
  }

  public var support: Constraint { .circular(low: low, period: period) }

  /// Radians in a unit of the angle.
  private var radians: Double { 2 * Double.pi / period }

  public func logProbability(of value: Tensor) -> Tensor {
    let shape = broadcastShape([value.shape, batchShape]) ?? batchShape
    return Tensor.logDensity(
      .vonMises, (value * radians).broadcast(to: shape), [loc * radians, concentration])
      + logarithm(radians)
  }

  /// Draws by rejection from a wrapped Cauchy distribution; not differentiable in the concentration.
  ///
  /// ### Source
  ///
  /// Best & Fisher 1979, "Efficient simulation of the von Mises distribution".
  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + batchShape
    let kappas = concentration.stoppingGradient().broadcast(to: shape).elements
    let key = key.ofThisEvaluation
    let offsets = elementwise(shape) { k in
      var generator = KeyedGenerator(key.folding(in: UInt64(k)))
      return generator.vonMises(concentration: kappas[k])
    }
    let x = loc + offsets / radians - low
    return low + (x - period * floor(x / period))
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    VonMises(loc, concentration, low, period, batchShape)
  }

  public var description: String {
    "VonMises(loc: \(text(loc)), concentration: \(text(concentration)), period: \(period))"
  }
}
