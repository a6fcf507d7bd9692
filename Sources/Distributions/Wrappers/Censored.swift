// SPDX-License-Identifier: MIT
//
// Observations of which only a bound is known.

public import Numerics
public import Tensors

/// A distribution of scalars that are observed whole or by a bound only: times of those still alive, upper limits.
///
/// The log density of a value is that of the base where the value is known, log P(x > value) where it is a lower bound, and
/// log P(x ≤ value) where it is an upper one: Stan's `target += normal_lccdf(…)` and `normal_lcdf(…)`, NumPyro's
/// `RightCensoredDistribution` and `LeftCensoredDistribution`. It is a likelihood of data: draws are those of the base, what
/// would be seen if nothing were censored.
///
/// It is made by ``Distribution/censored(above:below:)``.
public struct Censored: Distribution {
  /// The distribution of what is behind the bounds.
  public let base: any Distribution
  /// Not zero where a value is a lower bound; broadcasts with the batch shape.
  public let above: Tensor
  /// Not zero where a value is an upper bound.
  public let below: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [] }

  /// Creates the censored distribution.
  ///
  /// - Precondition: The base is a continuous distribution of scalars with a cumulative distribution, and where that is no tensor
  ///   operation (gamma, beta, Student-t) its parameters are constants. No value is a bound of both kinds.
  public init(
    _ base: any Distribution, above: some TensorConvertible, below: some TensorConvertible
  ) {
    let (above, below) = (above.tensor, below.tensor)
    demand(
      base.eventShape.isEmpty && !base.isDiscrete,
      "censored: expected a distribution of real scalars, got \(base)")
    demand(
      base.logSurvival(base.feasibleValue) != nil && base.logCumulative(base.feasibleValue) != nil,
      "censored: \(base) has no cumulative distribution that a model can follow; where it has one of constants, give it constant parameters"
    )
    guard let batch = broadcastShape([base.batchShape, above.shape, below.shape]) else {
      stop(
        "censored: expected flags that broadcast with \(base.batchShape), got shapes \(above.shape) and \(below.shape)"
      )
    }
    demand(
      above.isTraced || below.isTraced
        || !zip(above.broadcast(to: batch).elements, below.broadcast(to: batch).elements)
          .contains { $0 != 0 && $1 != 0 },
      "censored: expected each value to be a lower or an upper bound, got one that is flagged as both"
    )
    self.base = base
    self.above = above
    self.below = below
    batchShape = batch
  }

  public var support: Constraint { base.support }
  public var feasibleValue: Tensor { base.feasibleValue.broadcast(to: batchShape) }

  public func logProbability(of value: Tensor) -> Tensor {
    // A branch that is not taken sees a harmless value: its derivative may be no number elsewhere.
    let feasible = base.feasibleValue
    let isBound = maximum(abs(above), abs(below))
    let known = base.logProbability(of: select(isBound, feasible, value))
    // The constructor has seen to it that both exist.
    let survival = base.logSurvival(select(above, value, feasible)) ?? known
    let cumulative = base.logCumulative(select(below, value, feasible)) ?? known
    return select(above, survival, select(below, cumulative, known))
      .broadcast(to: broadcastShape([value.shape, batchShape]) ?? batchShape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    base.expanded(to: batchShape).sample(key: key, sampleShape: sampleShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Censored(base.expanded(to: batchShape), above: above, below: below)
  }

  public var description: String { "\(base).censored" }
}

extension Distribution {
  /// Returns the distribution of values of which some are bounds only.
  ///
  /// ```swift
  /// // Months until relapse; 1 where a patient was still well at the last visit.
  /// m.observe("months", Weibull(shape, scale).censored(above: stillWell), months)
  /// ```
  ///
  /// - Parameters:
  ///   - above: Not zero where the value is a lower bound: right-censored.
  ///   - below: Not zero where the value is an upper bound: left-censored.
  /// - Returns: The censored distribution.
  /// - Precondition: See ``Censored/init(_:above:below:)``.
  public func censored(
    above: some TensorConvertible = 0.0, below: some TensorConvertible = 0.0
  ) -> Censored {
    Censored(self, above: above, below: below)
  }
}
