// SPDX-License-Identifier: MIT
//
// Distributions of angles: uniform on a circle, and the wrapped normal.

public import Numerics
public import Tensors

/// The uniform distribution on a circle; values in [low, low + period).
public struct CircularUniform: Distribution {
  /// Where the values begin.
  public let low: Double
  /// The period.
  public let period: Double
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; `period` is positive.
  public init(low: Double = 0, period: Double) {
    demand(period > 0, "CircularUniform: expected period > 0, got \(period)")
    self.init(low: low, period: period, batchShape: [])
  }

  /// Creates the distribution with a batch shape.
  private init(low: Double, period: Double, batchShape: Shape) {
    self.low = low
    self.period = period
    self.batchShape = batchShape
  }

  public var support: Constraint { .circular(low: low, period: period) }

  public func logProbability(of value: Tensor) -> Tensor {
    Tensor(repeating: -logarithm(period), shape: broadcastShape([value.shape, batchShape]) ?? [])
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    low + period * standardUniform(key, sampleShape + batchShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    CircularUniform(low: low, period: period, batchShape: batchShape)
  }

  public var description: String { "CircularUniform(low: \(low), period: \(period))" }
}

/// A normal distribution wrapped around a circle: the sum of its copies one period apart.
public struct WrappedNormal: Distribution {
  /// The location.
  public let loc: Tensor
  /// The scale of the unwrapped normal.
  public let scale: Tensor
  /// Where reported values begin.
  public let low: Double
  /// The period.
  public let period: Double
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; `scale` and `period` are positive.
  public init(
    _ loc: some TensorConvertible, _ scale: some TensorConvertible, low: Double = 0,
    period: Double
  ) {
    demand(period > 0, "WrappedNormal: expected period > 0, got \(period)")
    require("WrappedNormal", "scale", scale.tensor, "> 0") { $0 > 0 }
    self.init(
      loc.tensor, scale.tensor, low, period,
      parameterShape("WrappedNormal", [loc.tensor, scale.tensor]))
  }

  /// Creates the distribution from parameters that have been checked.
  private init(
    _ loc: Tensor, _ scale: Tensor, _ low: Double, _ period: Double, _ batchShape: Shape
  ) {
    self.loc = loc
    self.scale = scale
    self.low = low
    self.period = period
    self.batchShape = batchShape
  }

  public var support: Constraint { .circular(low: low, period: period) }

  /// The share of the period at which the scale counts as wide: from there on the Fourier series needs four terms.
  private static let wide = 0.3

  public func logProbability(of value: Tensor) -> Tensor {
    let offset = value - loc
    let isWide = scale.isGreater(than: Self.wide * period)
    let result: Tensor
    if isWide.isTraced {
      result = select(isWide, series(offset), copies(offset))
    } else if isWide.elements.contains(where: { $0 == 0 }) {
      result =
        isWide.elements.contains(where: { $0 != 0 })
        ? select(isWide, series(offset), copies(offset)) : copies(offset)
    } else {
      result = series(offset)
    }
    return result.broadcast(to: broadcastShape([result.shape, batchShape]) ?? batchShape)
  }

  /// Returns the density as a sum of copies, the nearest in the middle: for narrow scales, where three on either side leave
  /// out e^−68 of the largest.
  private func copies(_ offset: Tensor) -> Tensor {
    let near = offset - period * floor(offset / period + 0.5)
    let terms = (-3...3).map { k in
      Tensor.logDensity(.normal, near + Double(k) * period, [Tensor(0), scale])
    }
    return Tensor.stack(terms).logSumExp(axis: 0)
  }

  /// Returns the density as a Fourier series: for wide scales, where the fifth term is below 1e-19.
  ///
  /// p = (1 + 2 Σ q^(k²) cos kφ) / period, q = e^{−½ (2π scale / period)²}, φ = 2π offset / period.
  private func series(_ offset: Tensor) -> Tensor {
    let phase = offset * (2 * Double.pi / period)
    // A narrow scale, which is not taken from here, would make the sum negative.
    let width = maximum(scale, Self.wide * period) * (2 * Double.pi / period)
    let exponent = -0.5 * square(width)
    let terms = (1...4).map { k in exp(exponent * Double(k * k)) * cos(phase * Double(k)) }
    return log1p(terms.dropFirst().reduce(terms[0], +) * 2) - logarithm(period)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let x = loc + scale * standardNormal(key, sampleShape + batchShape) - low
    return low + (x - period * floor(x / period))
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    WrappedNormal(loc, scale, low, period, batchShape)
  }

  public var description: String {
    "WrappedNormal(loc: \(text(loc)), scale: \(text(scale)), period: \(period))"
  }
}
