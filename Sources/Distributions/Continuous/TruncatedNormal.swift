// SPDX-License-Identifier: MIT
//
// The normal distribution confined to an interval.

public import Numerics
public import Tensors

/// A normal distribution confined to an interval, or to a half line.
///
/// log p = log N(x; loc, scale) − log(Φ(β) − Φ(α)), α and β the standardised bounds; the normalisation is taken on the side
/// of the tail where it does not cancel.
public struct TruncatedNormal: Distribution {
  /// The location of the parent normal.
  public let loc: Tensor
  /// The scale of the parent normal.
  public let scale: Tensor
  /// The lower bound; nil for none.
  public let low: Tensor?
  /// The upper bound; nil for none.
  public let high: Tensor?
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the distribution; `scale` is positive and `low` below `high`.
  public init(
    _ loc: some TensorConvertible, _ scale: some TensorConvertible,
    low: (any TensorConvertible)? = nil, high: (any TensorConvertible)? = nil
  ) {
    let tensors = [loc.tensor, scale.tensor] + [low?.tensor, high?.tensor].compactMap { $0 }
    require("TruncatedNormal", "scale", scale.tensor, "> 0") { $0 > 0 }
    if let low = low?.tensor, let high = high?.tensor {
      require("TruncatedNormal", "high − low", high - low, "> 0") { $0 > 0 }
    }
    self.init(
      loc.tensor, scale.tensor, low?.tensor, high?.tensor,
      batchShape: parameterShape("TruncatedNormal", tensors))
  }

  /// Creates the distribution from parameters that have been checked.
  private init(
    _ loc: Tensor, _ scale: Tensor, _ low: Tensor?, _ high: Tensor?, batchShape: Shape
  ) {
    self.loc = loc
    self.scale = scale
    self.low = low
    self.high = high
    self.batchShape = batchShape
  }

  public var support: Constraint {
    switch (low, high) {
    case (let low?, let high?): .interval(low, high)
    case (let low?, nil): .greaterThan(low)
    case (nil, let high?): .lessThan(high)
    case (nil, nil): .real
    }
  }

  /// The standardised lower bound.
  private var alpha: Tensor? { low.map { ($0 - loc) / scale } }

  /// The standardised upper bound.
  private var beta: Tensor? { high.map { ($0 - loc) / scale } }

  /// The logarithm of the parent's probability inside the bounds.
  private var logMass: Tensor {
    switch (alpha, beta) {
    case (let a?, nil): return logNormalCDF(-a)
    case (nil, let b?): return logNormalCDF(b)
    case (nil, nil): return Tensor(0)
    case (let a?, let b?): return Self.logInterval(a, b)
    }
  }

  /// Returns log(Φ(b) − Φ(a)); an interval above the mean is reflected to below it, since upper tails cancel.
  private static func logInterval(_ a: Tensor, _ b: Tensor) -> Tensor {
    let flip = (a + b).isGreater(than: 0)
    let (l, h) = (select(flip, -b, a), select(flip, -a, b))
    // Where the density hardly changes between the bounds the difference is taken from its series around the middle.
    let (width, middle) = (h - l, 0.5 * (h + l))
    let isNarrow = (width * maximum(abs(middle), 1)).isLess(than: 0.03)
    let (m2, w2) = (square(middle), square(width))
    let bend = w2 / 24 * (m2 - 1 + w2 / 80 * (m2 * m2 - 6 * m2 + 3))
    let narrow =
      -0.5 * m2 - halfLogTwoPi + log(width) + log1p(select(isNarrow, bend, Tensor(0)))
    let top = logNormalCDF(h)
    // The form that is not taken is kept away from log 0, whose derivative would spoil the other's.
    let wide = select(isNarrow, l - 1, l)
    return select(isNarrow, narrow, top + log(-expm1(logNormalCDF(wide) - top)))
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let inside = support.contains(value)
    let z = (select(inside, value, feasibleValue) - loc) / scale
    let density = -0.5 * square(z) - log(scale) - halfLogTwoPi - logMass
    return select(inside, density, Tensor(-.infinity)).broadcast(
      to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let u = standardUniform(key, sampleShape + batchShape)
    return quantile(u) ?? u
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    // Reflect an interval above the mean to below it, where probabilities do not cancel against one.
    // A missing bound is put where less than 1e-300 of the probability is cut off; infinity would give NaN derivatives.
    let a = alpha ?? (beta.map { minimum($0, 0) } ?? Tensor(0)) - 40
    let b = beta ?? (alpha.map { maximum($0, 0) } ?? Tensor(0)) + 40
    let flip = (a + b).isGreater(than: 0)
    let (l, h) = (select(flip, -b, a), select(flip, -a, b))
    let u = select(flip, 1 - probability, probability)
    let z = Self.lowerQuantile(
      logAddExp(logNormalCDF(h) + log(u), logNormalCDF(l) + log1p(-u)))
    // In a narrow interval rounding leaves a few values only: linear there, with the density's slope.
    let (width, middle) = (h - l, 0.5 * (h + l))
    let isNarrow = (width * maximum(abs(middle), 1)).isLess(than: 1e-4)
    let t = u - 0.5
    let near = middle + width * (t + 0.5 * middle * width * (square(t) - 0.25))
    let inside = minimum(maximum(select(isNarrow, near, z), l), h)
    return loc + scale * select(flip, -inside, inside)
  }

  /// Returns the z with log Φ(z) = `target`, also where Φ(z) underflows.
  ///
  /// There log Φ(z) ≈ −z²/2 − log(−z √2π) gives a start that three Newton steps make exact.
  static func lowerQuantile(_ target: Tensor) -> Tensor {
    let switchover = -500.0
    let isFar = target.isLess(than: switchover)
    let near = inverseNormalCDF(exp(maximum(target, switchover)))
    let t = minimum(target, switchover)
    var far = -sqrt(-2 * t - log(-4 * Double.pi * t))
    for _ in 0..<3 {
      // The slope φ/Φ to 2/|z|³, which is enough for Newton.
      far += (logNormalCDF(far) - t) / (far + 1 / far)
    }
    return select(isFar, far, near)
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    // On the side of the mean where the bounds are, as in `logMass`: F = e^{log mass(α, z) − log mass(α, β)}.
    var z = (value - loc) / scale
    if let alpha { z = maximum(z, alpha) }
    if let beta { z = minimum(z, beta) }
    guard let a = alpha else { return exp(logNormalCDF(z) - logMass) }
    return exp(Self.logInterval(a, z) - logMass).clamped(to: 0...1)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    TruncatedNormal(loc, scale, low, high, batchShape: batchShape)
  }

  public var description: String {
    var list = "loc: \(text(loc)), scale: \(text(scale))"
    if let low { list += ", low: \(text(low))" }
    if let high { list += ", high: \(text(high))" }
    return "TruncatedNormal(\(list))"
  }
}
