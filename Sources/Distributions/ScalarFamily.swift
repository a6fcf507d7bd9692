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
      shape.elementCount != value.count
    else { return value }
    return value.broadcast(to: shape)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    draws(key, sampleShape + batchShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    precondition(
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

/// Returns standard normal draws.
func standardNormal(_ key: RandomKey, _ shape: Shape) -> Tensor {
  elementwise(shape) { key.normal(UInt64($0)) }
}

/// Returns draws uniform in (0, 1).
func standardUniform(_ key: RandomKey, _ shape: Shape) -> Tensor {
  elementwise(shape) { key.uniform(UInt64($0)) }
}

/// Returns standard gamma draws of given shape parameters; not differentiable in them.
///
/// Source: Marsaglia and Tsang 2000, ACM TOMS 26, 363, with the boost U^(1/a) below a = 1.
func standardGamma(_ key: RandomKey, _ concentration: Tensor, _ shape: Shape) -> Tensor {
  let values = concentration.stoppingGradient().broadcast(to: shape).elements
  return elementwise(shape) { element in
    let own = key.folding(in: UInt64(element))
    let a = values[element]
    let boosted = a < 1 ? a + 1 : a
    let d = boosted - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    var index: UInt64 = 0
    while true {
      let z = own.normal(2 * index)
      let u = own.uniform(2 * index + 1)
      index += 1
      let t = 1 + c * z
      guard t > 0 else { continue }
      let v = t * t * t
      let bound = 0.5 * z * z + d - d * v + d * logarithm(v)
      guard logarithm(u) < bound else { continue }
      guard a < 1 else { return d * v }
      // In the logarithm: U^(1/a) underflows for small a.
      let lift = logarithm(own.folding(in: "boost").uniform(0)) / a
      return exponential(logarithm(d * v) + lift)
    }
  }
}
