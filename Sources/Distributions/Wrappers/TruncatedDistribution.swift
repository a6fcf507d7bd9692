// SPDX-License-Identifier: MIT
//
// A distribution of one number confined to an interval, and normalised there.

public import Numerics
public import Tensors

/// A distribution of scalars confined to an interval or a half line: its density divided by the probability of the interval.
///
/// log p = log p_base(x) − log(F(high) − F(low)).
///
/// It is made by ``Distribution/truncated(below:above:)``. Bounds may be other variables of a model: `b = m.sample("b",
/// q.truncated(below: a))` orders two of them. Where a support ends outside the bounds the density is 0.
///
/// The probability is a difference of the base's cumulative distribution, which has no digits where the interval lies far in the
/// upper tail: below 2e-16 of it the density falls as the base's own. Normal and log-normal distributions cut off below keep
/// all digits, and of a normal one with constant parameters `truncated` makes a ``TruncatedNormal``.
public struct TruncatedDistribution: Distribution {
  /// The distribution without the bounds.
  public let base: any Distribution
  /// The lower bound; nil for none.
  public let low: Tensor?
  /// The upper bound; nil for none.
  public let high: Tensor?
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the truncated distribution; `low` is below `high`.
  ///
  /// - Precondition: The base is a distribution of real scalars that has a cumulative distribution and quantiles. Where these
  ///   are no tensor operations (gamma, beta, Student-t) its parameters are constants.
  public init(
    _ base: any Distribution, low: (any TensorConvertible)?, high: (any TensorConvertible)?
  ) {
    let (low, high) = (low?.tensor, high?.tensor)
    demand(
      base.eventShape.isEmpty && !base.isDiscrete,
      "truncated: expected a distribution of real scalars, got \(base)")
    if let low, let high {
      require("truncated", "above − below", high - low, "> 0") { $0 > 0 }
    }
    demand(
      Self.canTruncate(base),
      "truncated: \(base) has no cumulative distribution and quantiles that a model can follow; if its parameters are constants use restricted(to:), which leaves the density as it is"
    )
    guard
      let batch = broadcastShape(
        [base.batchShape] + [low, high].compactMap { $0?.shape })
    else {
      stop(
        "truncated: expected bounds that broadcast with \(base.batchShape), got \([low, high].compactMap { $0?.shape })"
      )
    }
    self.init(base, low, high, batch)
  }

  /// Creates the distribution from parts that have been checked.
  private init(_ base: any Distribution, _ low: Tensor?, _ high: Tensor?, _ batchShape: Shape) {
    self.base = base
    self.low = low
    self.high = high
    self.batchShape = batchShape
  }

  /// Where the base's own support and the bounds overlap.
  public var support: Constraint {
    let own: (low: Tensor?, high: Tensor?) =
      switch base.support {
      case .positive: (Tensor(0), nil)
      case .unitInterval: (Tensor(0), Tensor(1))
      case .greaterThan(let bound): (bound, nil)
      case .lessThan(let bound): (nil, bound)
      case .interval(let low, let high): (low, high)
      default: (nil, nil)
      }
    let bottom = merged(low, own.low) { maximum($0, $1) }
    let top = merged(high, own.high) { minimum($0, $1) }
    return switch (bottom, top) {
    case (let low?, let high?): .interval(low, high)
    case (let low?, nil): .greaterThan(low)
    case (nil, let high?): .lessThan(high)
    case (nil, nil): .real
    }
  }

  /// Returns the tighter of two bounds, or the only one.
  private func merged(_ a: Tensor?, _ b: Tensor?, _ f: (Tensor, Tensor) -> Tensor) -> Tensor? {
    guard let a, let b else { return a ?? b }
    return f(a, b)
  }

  /// Whether a distribution can be truncated, and drawn from then.
  public static func canTruncate(_ base: any Distribution) -> Bool {
    base.eventShape.isEmpty && !base.isDiscrete && base.cumulative(base.feasibleValue) != nil
      && base.quantile(Tensor(0.5)) != nil
  }

  // MARK: - Probability between the bounds

  /// The normal distribution behind a normal or log-normal base that is cut off below only; nil for others.
  private var normal: (parent: Normal, isLogarithm: Bool)? {
    guard low != nil, high == nil else { return nil }
    if let parent = base as? Normal { return (parent, false) }
    guard let parts = base.transformed, let parent = parts.base as? Normal,
      parts.transform is ExpBijector
    else { return nil }
    return (parent, true)
  }

  /// Returns how far a value lies below the mean of the normal distribution, in its standard deviations.
  private static func depth(
    _ normal: (parent: Normal, isLogarithm: Bool), _ value: Tensor
  ) -> Tensor {
    // Below zero there is nothing of a log-normal to cut off.
    let x = normal.isLogarithm ? log(maximum(value, 1e-300)) : value
    return (normal.parent.parameters[0] - x) / normal.parent.parameters[1]
  }

  /// Returns the base's cumulative distribution, also of a traced value.
  private func cumulativeOfBase(_ value: Tensor) -> Tensor {
    base.cumulative(value) ?? CumulativePrimitive(base)(value)
  }

  /// The base's probability below the lower bound; 0 for none.
  private var below: Tensor { low.map { cumulativeOfBase($0) } ?? Tensor(0) }

  /// The base's probability below the upper bound; 1 for none.
  private var belowTop: Tensor { high.map { cumulativeOfBase($0) } ?? Tensor(1) }

  /// The least probability of the interval that a difference gives: one unit in the last place of 1.
  private static let leastMass = 0x1p-52

  /// The logarithm of the base's probability between the bounds.
  private var logMass: Tensor {
    if let normal, let low { return logNormalCDF(Self.depth(normal, low)) }
    return log(maximum(belowTop - below, Self.leastMass))
  }

  /// 1 where the bounds leave a part of the base's support, else 0.
  private var isReachable: Tensor {
    let feasible = base.feasibleValue
    let lowest = low.map { base.support.contains(maximum($0, feasible)) } ?? Tensor(1)
    return high.map { lowest * base.support.contains(minimum($0, feasible)) } ?? lowest
  }

  // MARK: - Distribution

  public func logProbability(of value: Tensor) -> Tensor {
    var inside = base.support.contains(value) * isReachable
    if let low { inside = inside * value.isGreaterOrEqual(to: low) }
    if let high { inside = inside * value.isLessOrEqual(to: high) }
    let safe = inside.isTraced ? select(inside, value, base.feasibleValue) : value
    let density = base.logProbability(of: safe) - logMass
    return select(inside, density, Tensor(-.infinity))
      .broadcast(to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let u = standardUniform(key, sampleShape + batchShape)
    return quantile(u) ?? feasibleValue
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    if let normal, let low {
      return -expm1(logNormalCDF(Self.depth(normal, maximum(value, low))) - logMass)
    }
    return ((cumulativeOfBase(value) - below) / (belowTop - below)).clamped(to: 0...1)
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    if let normal, let low {
      let z = -TruncatedNormal.lowerQuantile(log1p(-probability) + logMass)
      let x = normal.parent.parameters[0] + normal.parent.parameters[1] * z
      // Rounding may put a quantile outside.
      return maximum(normal.isLogarithm ? exp(x) : x, low)
    }
    guard var x = base.quantile(below + probability * (belowTop - below)) else { return nil }
    if let low { x = maximum(x, low) }
    if let high { x = minimum(x, high) }
    return x
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    TruncatedDistribution(base, low, high, batchShape)
  }

  public var description: String {
    let bounds = [low.map { "below: \(text($0))" }, high.map { "above: \(text($0))" }]
    return "\(base).truncated(\(bounds.compactMap { $0 }.joined(separator: ", ")))"
  }
}

extension Distribution {
  /// Returns the distribution confined to what lies between two bounds, and normalised there.
  ///
  /// - Parameters:
  ///   - low: What is cut off below; nil for nothing.
  ///   - high: What is cut off above; nil for nothing.
  /// - Returns: The truncated distribution.
  public func truncated(
    below low: (any TensorConvertible)? = nil, above high: (any TensorConvertible)? = nil
  ) -> TruncatedDistribution {
    TruncatedDistribution(self, low: low, high: high)
  }

  /// Returns the distribution confined to a set, its density left as it is: Stan's constrained declaration with a prior.
  public func restricted(to constraint: Constraint) -> Restricted {
    Restricted(self, to: constraint)
  }
}

extension Normal {
  /// Returns the normal distribution confined to what lies between two bounds, exact far into its tails.
  public func truncated(
    below low: (any TensorConvertible)? = nil, above high: (any TensorConvertible)? = nil
  ) -> TruncatedNormal {
    TruncatedNormal(parameters[0], parameters[1], low: low, high: high)
  }
}

/// The cumulative distribution of a base with constant parameters as an operation; its derivative is the density.
private final class CumulativePrimitive: Primitive {
  /// The distribution.
  private let base: any Distribution

  /// Creates the operation.
  init(_ base: any Distribution) { self.base = base }

  var name: String { "cumulative of \(base)" }

  func outputShape(_ inputShapes: [Shape]) -> Shape { inputShapes[0] }

  func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance { Instance(base) }

  /// The working part.
  private final class Instance: PrimitiveInstance {
    /// The distribution.
    private let base: any Distribution

    /// Creates the working part.
    init(_ base: any Distribution) { self.base = base }

    func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
      for (i, x) in inputs[0].enumerated() {
        output[i] = base.cumulative(Tensor(x))?.item() ?? .nan
      }
    }

    func pullback(
      _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
      adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
    ) {
      guard let out = inputAdjoints[0] else { return }
      for (i, x) in inputs[0].enumerated() {
        out[i] += adjoint[i] * exp(base.logProbability(of: Tensor(x))).item()
      }
    }
  }
}
