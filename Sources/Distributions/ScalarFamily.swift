// SPDX-License-Identifier: MIT
//
// What the common one-dimensional families share: a fused density, broadcasting, element-wise draws.

public import Numerics
public import Tensors

/// A distribution of scalars whose log density is one fused instruction of the tape.
public protocol ScalarFamily: Distribution {
  /// The density.
  static var kind: DensityKind { get }

  /// The names of the parameters, in the order of the density.
  static var parameterNames: [String] { get }

  /// The parameters, in the order of the density.
  var parameters: [Tensor] { get }

  /// Creates the distribution from parameters that have been checked.
  init(parameters: [Tensor], batchShape: Shape)

  /// Draws one value for each element of a shape, from parameters broadcast to it.
  func draws(_ key: RandomKey, _ shape: Shape) -> Tensor
}

extension ScalarFamily {
  public var eventShape: Shape { [] }

  public func logProbability(of value: Tensor) -> Tensor {
    .logDensity(Self.kind, fitted(value), parameters)
  }

  public func logProbabilitySum(of value: Tensor) -> Tensor {
    .logDensity(Self.kind, fitted(value), parameters, summed: true)
  }

  /// Returns a value broadcast to the batch shape where it is smaller.
  private func fitted(_ value: Tensor) -> Tensor {
    guard value.shape != batchShape, let shape = broadcastShape([value.shape, batchShape]),
      shape != value.shape
    else { return value }
    return value.broadcast(to: shape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    draws(key, sampleShape + batchShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    demand(
      broadcastShape([self.batchShape, batchShape]) == batchShape,
      "expanded: expected a shape that \(self.batchShape) broadcasts to, got \(batchShape)")
    return Self(parameters: parameters, batchShape: batchShape)
  }

  public var description: String {
    let name = String(describing: Self.self)
    let list = zip(Self.parameterNames, parameters).map { "\($0): \(text($1))" }
    return "\(name)(\(list.joined(separator: ", ")))"
  }
}

/// Returns one number per element of a shape, each a function of its own index.
func elementwise(_ shape: Shape, _ draw: (Int) -> Double) -> Tensor {
  Tensor((0..<shape.elementCount).map(draw), shape: shape)
}

/// Returns a function of constant tensors element by element; nil where one of them is traced.
///
/// For distribution functions that the tape has no rule for.
func pointwise(_ tensors: [Tensor], _ function: ([Double]) -> Double) -> Tensor? {
  guard !tensors.contains(where: \.isTraced), let shape = broadcastShape(tensors.map(\.shape))
  else { return nil }
  let columns = tensors.map { $0.broadcast(to: shape).elements }
  return elementwise(shape) { i in function(columns.map { $0[i] }) }
}

/// Returns standard normal draws.
func standardNormal(_ key: RandomKey, _ shape: Shape) -> Tensor {
  .standardNormal(key: key, shape: shape)
}

/// Returns draws uniform in (0, 1).
func standardUniform(_ key: RandomKey, _ shape: Shape) -> Tensor {
  .standardUniform(key: key, shape: shape)
}

/// Returns standard gamma draws of given shape parameters, differentiable in them.
func standardGamma(_ key: RandomKey, _ concentration: Tensor, _ shape: Shape) -> Tensor {
  exp(logStandardGamma(key, concentration, shape))
}

/// Returns the logarithms of standard gamma draws, which do not underflow; differentiable in the shape parameters.
func logStandardGamma(_ key: RandomKey, _ concentration: Tensor, _ shape: Shape) -> Tensor {
  let spread = concentration.count == 1 ? concentration : concentration.broadcast(to: shape)
  return GammaDraws(shape: shape)(spread, .keyWords(key))
}
