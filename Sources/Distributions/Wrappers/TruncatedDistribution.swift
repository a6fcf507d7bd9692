// SPDX-License-Identifier: MIT
//
// A distribution of one number confined to an interval, and normalised there.

public import Numerics
public import Tensors

/// A distribution of scalars confined to an interval or a half line: its density divided by the probability of the interval.
///
/// log p = log p_base(x) − log(F(high) − F(low)).
///
/// It is made by ``Distribution/truncated(below:above:)``. The probability is a difference of the base's cumulative distribution,
/// so it loses digits where the interval lies far in the upper tail; of a normal distribution `truncated` makes a
/// ``TruncatedNormal``, which does not.
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
  /// - Precondition: The base is a distribution of real scalars whose cumulative distribution is known in closed form; where its
  ///   parameters or the bounds are traced, by tensor operations.
  public init(
    _ base: any Distribution, low: (any TensorConvertible)?, high: (any TensorConvertible)?
  ) {
    let (low, high) = (low?.tensor, high?.tensor)
    precondition(
      base.eventShape.isEmpty && !base.isDiscrete,
      "truncated: expected a distribution of real scalars, got \(base)")
    if let low, let high {
      require("truncated", "above − below", high - low, "> 0") { $0 > 0 }
    }
    precondition(
      [low, high].allSatisfy { $0.map { base.cumulative($0) != nil } ?? true }
        && base.quantile(Tensor(0.5)) != nil,
      "truncated: \(base) has no cumulative distribution and quantiles that a model can follow; if its parameters are constants use restricted(to:), which leaves the density as it is"
    )
    guard
      let batch = broadcastShape(
        [base.batchShape] + [low, high].compactMap { $0?.shape })
    else {
      preconditionFailure(
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

  /// The base's probability below the lower bound; 0 for none.
  private var below: Tensor { low.flatMap { base.cumulative($0) } ?? Tensor(0) }

  /// The base's probability below the upper bound; 1 for none.
  private var belowTop: Tensor { high.flatMap { base.cumulative($0) } ?? Tensor(1) }

  public func logProbability(of value: Tensor) -> Tensor {
    let inside = support.contains(value)
    let safe = inside.isTraced ? select(inside, value, feasibleValue) : value
    let density = base.logProbability(of: safe) - log(belowTop - below)
    return select(inside, density, Tensor(-.infinity))
      .broadcast(to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let u = standardUniform(key, sampleShape + batchShape)
    return quantile(u) ?? feasibleValue
  }

  public func cumulative(_ value: Tensor) -> Tensor? {
    base.cumulative(value).map { (($0 - below) / (belowTop - below)).clamped(to: 0...1) }
  }

  public func quantile(_ probability: Tensor) -> Tensor? {
    guard var x = base.quantile(below + probability * (belowTop - below)) else { return nil }
    // Rounding may put a quantile outside.
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
