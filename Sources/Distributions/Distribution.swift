// SPDX-License-Identifier: MIT
//
// What every probability distribution offers.

public import Numerics
public import Tensors

/// A probability distribution over arrays.
///
/// A distribution describes `batchShape` independent variables, each an array of `eventShape`; a value has the shape
/// `batchShape + eventShape`. Parameters broadcast to the batch shape.
public protocol Distribution: Sendable, CustomStringConvertible {
  /// The shape of the independent variables.
  var batchShape: Shape { get }

  /// The shape of one variable.
  var eventShape: Shape { get }

  /// Where the density is not zero.
  var support: Constraint { get }

  /// Whether the values are whole numbers.
  var isDiscrete: Bool { get }

  /// Whether the density has no finite integral, so that there are no draws: `sample` gives starting points only.
  var isImproper: Bool { get }

  /// Returns the log density of each variable, shape `batchShape`; −∞ outside the support.
  func logProbability(of value: Tensor) -> Tensor

  /// Returns the sum of all log densities, a scalar.
  func logProbabilitySum(of value: Tensor) -> Tensor

  /// Draws values of shape `sampleShape + batchShape + eventShape`; element i depends on the key and i alone.
  func sample(key: RandomKey, sampleShape: Shape) -> Tensor

  /// Returns the same variables broadcast to a larger batch shape.
  func expanded(to batchShape: Shape) -> any Distribution

  /// A value inside the support, shape `batchShape + eventShape`.
  var feasibleValue: Tensor { get }

  /// The mean; nil where it does not exist or has no closed form.
  var mean: Tensor? { get }

  /// The variance; nil where it does not exist or has no closed form.
  var variance: Tensor? { get }

  /// Returns the cumulative distribution of scalar variables; nil where it has no closed form here.
  func cumulative(_ value: Tensor) -> Tensor?

  /// Returns the logarithm of the cumulative distribution; nil where there is none here.
  ///
  /// Families with tails in closed form keep all digits far in the lower one.
  func logCumulative(_ value: Tensor) -> Tensor?

  /// Returns the logarithm of the probability above a value; nil where there is no cumulative distribution here.
  ///
  /// Normal, log-normal, half-normal, exponential, Weibull, Pareto, logistic, Laplace, Gumbel, Cauchy and half-Cauchy variables keep all
  /// digits far in the upper tail. For others it is log(1 − F), which has none where F is 1 to rounding.
  func logSurvival(_ value: Tensor) -> Tensor?

  /// Returns the quantiles of scalar variables; nil where they have no closed form here.
  func quantile(_ probability: Tensor) -> Tensor?

  /// The parts of a location-scale family: value = location + scale · base; nil for others.
  var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? { get }

  /// The parts of a transformed distribution; nil for others.
  var transformed: (base: any Distribution, transform: any Bijector)? { get }
}

extension Distribution {
  public var isDiscrete: Bool { false }
  public var isImproper: Bool { false }

  public func logProbabilitySum(of value: Tensor) -> Tensor { logProbability(of: value).sum() }

  /// Draws one value of shape `batchShape + eventShape`.
  public func sample(key: RandomKey) -> Tensor { sample(key: key, sampleShape: []) }

  public var feasibleValue: Tensor {
    support.feasibleValue(shape: batchShape + eventShape)
  }

  public var mean: Tensor? { nil }
  public var variance: Tensor? { nil }
  public func cumulative(_ value: Tensor) -> Tensor? { nil }
  public func logCumulative(_ value: Tensor) -> Tensor? { cumulative(value).map { log($0) } }
  public func logSurvival(_ value: Tensor) -> Tensor? { cumulative(value).map { log1p(-$0) } }
  public func quantile(_ probability: Tensor) -> Tensor? { nil }
  public var locationScale: (location: Tensor, scale: Tensor, base: any Distribution)? { nil }
  public var transformed: (base: any Distribution, transform: any Bijector)? { nil }

  /// The median of scalar variables, where quantiles are known.
  public var median: Tensor? { quantile(Tensor(0.5)).map { $0.broadcast(to: batchShape) } }

  /// Returns the distribution with its last batch axes taken as part of the event: a joint variable.
  public func toEvent(_ count: Int) -> Independent { Independent(self, count) }

  /// Returns the distribution with densities counted only where `mask` is not zero.
  public func masked(by mask: some TensorConvertible) -> Masked { Masked(self, mask: mask) }
}

/// Returns the shape to which parameters broadcast.
///
/// - Precondition: They broadcast.
func parameterShape(_ name: String, _ parameters: [Tensor]) -> Shape {
  guard let shape = broadcastShape(parameters.map(\.shape)) else {
    stop(
      "\(name): expected parameters that broadcast, got shapes \(parameters.map(\.shape))")
  }
  return shape
}

/// Returns a short text of a parameter for descriptions.
func text(_ value: Tensor) -> String {
  if value.isTraced || value.count > 6 { return "shape \(value.shape)" }
  return value.description
}
