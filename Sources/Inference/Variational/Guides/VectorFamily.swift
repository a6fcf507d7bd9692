// SPDX-License-Identifier: MIT
//
// Families of distributions of a vector, made from standard normal noise: what automatic guides are built of.

public import Distributions
import Numerics
public import Tensors

/// One array of parameters of a family.
public struct FamilyParameter: Sendable {
  /// The name, without the guide's prefix.
  public var name: String
  /// The value to start from.
  public var initial: Tensor
  /// Where the values lie.
  public var constraint: Constraint

  /// Creates the description of a parameter.
  public init(_ name: String, _ initial: Tensor, constraint: Constraint = .real) {
    self.name = name
    self.initial = initial
    self.constraint = constraint
  }
}

/// A draw of a family.
public struct FamilyDraw: Sendable {
  /// The vector, shape `[dimension]`.
  public var value: Tensor

  /// The log density at the vector, a scalar.
  public var logDensity: Tensor

  /// The gradient of the log density by the vector, through which no derivative flows; nil where it is not known.
  ///
  /// Only families without a density in closed form give it, so that they can stick the landing.
  public var score: Tensor?

  /// Creates a draw.
  public init(_ value: Tensor, logDensity: Tensor, score: Tensor? = nil) {
    self.value = value
    self.logDensity = logDensity
    self.score = score
  }
}

/// A family of distributions of a vector whose draws are a smooth function of noise and parameters.
public protocol VectorFamily: Sendable {
  /// The length of the vector.
  var dimension: Int { get }

  /// The number of standard normal numbers that a draw is made of.
  var noiseCount: Int { get }

  /// The parameters, with the values to start from.
  var parameters: [FamilyParameter] { get }

  /// Returns the vector made of noise, with its log density.
  ///
  /// - Parameters:
  ///   - noise: Standard normal numbers, shape `[noiseCount]`.
  ///   - p: The values of the parameters, in the order of ``parameters``.
  /// - Returns: The draw.
  func transform(_ noise: Tensor, _ p: [Tensor]) -> FamilyDraw

  /// Returns the log density at any vector; nil where only that of the family's own draws is known.
  func logDensity(of value: Tensor, _ p: [Tensor]) -> Tensor?

  /// Returns mean and standard deviation of linear functions of the vector; nil where they are not known.
  ///
  /// - Parameters:
  ///   - directions: The functions, shape `[count, dimension]`.
  ///   - p: The values of the parameters.
  /// - Returns: Means and deviations, each of shape `[count]`.
  func moments(_ directions: Tensor, _ p: [Tensor]) -> (mean: Tensor, deviation: Tensor)?
}

extension VectorFamily {
  public func logDensity(of value: Tensor, _ p: [Tensor]) -> Tensor? { nil }
  public func moments(_ directions: Tensor, _ p: [Tensor]) -> (
    mean: Tensor, deviation: Tensor
  )? { nil }
}

/// A member of a family whose density is known everywhere, as a distribution.
struct FamilyMember: Distribution {
  /// The family.
  let family: any VectorFamily

  /// The values of its parameters.
  let parameters: [Tensor]

  var batchShape: Shape { [] }
  var eventShape: Shape { [family.dimension] }
  var support: Constraint { .real }
  var description: String { "\(type(of: family))(dimension: \(family.dimension))" }

  func logProbability(of value: Tensor) -> Tensor {
    family.logDensity(of: value, parameters) ?? Tensor(.nan)
  }

  func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let count = sampleShape.elementCount
    let noise = Tensor.standardNormal(key: key, shape: [count, family.noiseCount])
    let draws = (0..<count).map { family.transform(noise[$0], parameters).value }
    return Tensor.stack(draws).reshaped(sampleShape + [family.dimension])
  }

  func expanded(to batchShape: Shape) -> any Distribution {
    demand(
      batchShape.isEmpty, "FamilyMember: expected no batch, got a plate of shape \(batchShape)")
    return self
  }
}
