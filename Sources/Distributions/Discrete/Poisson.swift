// SPDX-License-Identifier: MIT
//
// The Poisson distribution, by its rate or its logarithm.

public import Numerics
public import Tensors

/// The Poisson distribution of counts.
///
/// log p = k log rate − rate − log k!.
public struct Poisson: CountFamily {
  public let density: DensityKind
  public let parameters: [Tensor]
  public let batchShape: Shape

  /// Creates the distribution; `rate` is not negative.
  public init(_ rate: some TensorConvertible) {
    require("Poisson", "rate", rate.tensor, "≥ 0") { $0 >= 0 }
    self.init(.poisson, rate.tensor, rate.tensor.shape)
  }

  /// Creates the distribution from the logarithm of the rate: the likelihood of a log-linear model.
  public init(logRate: some TensorConvertible) {
    self.init(.poissonLog, logRate.tensor, logRate.tensor.shape)
  }

  /// Creates the distribution from a parameter that has been checked.
  private init(_ density: DensityKind, _ parameter: Tensor, _ batchShape: Shape) {
    self.density = density
    parameters = [parameter]
    self.batchShape = batchShape
  }

  /// The rate.
  public var rate: Tensor { density == .poisson ? parameters[0] : exp(parameters[0]) }

  public var support: Constraint { .nonNegativeInteger }
  public var mean: Tensor? { rate.broadcast(to: batchShape) }
  public var variance: Tensor? { rate.broadcast(to: batchShape) }

  public func dataTerm(_ value: Tensor) -> Tensor { -logGamma(value + 1) }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    countDraws(key, sampleShape + batchShape, [rate]) { $0.poisson(mean: $1[0]) }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    Poisson(density, parameters[0], batchShape)
  }

  public var description: String {
    "Poisson(\(density == .poisson ? "rate" : "logRate"): \(text(parameters[0])))"
  }
}
