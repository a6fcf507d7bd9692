// SPDX-License-Identifier: MIT
//
// What distributions of whole numbers share: a fused density in the parameters, and a term of the data alone.

import Numerics
public import Tensors

/// A distribution of whole numbers whose log density is one fused instruction of the tape plus a term of the data.
///
/// The term of the data (−log x!, a binomial coefficient) is a constant of a program: it is computed once, not at each
/// evaluation.
public protocol CountFamily: Distribution {
  /// The density, without the term of the data.
  var density: DensityKind { get }

  /// The parameters, in the order of the density.
  var parameters: [Tensor] { get }

  /// Returns the term of the log density that depends on the data alone.
  func dataTerm(_ value: Tensor) -> Tensor
}

extension CountFamily {
  public var eventShape: Shape { [] }
  public var isDiscrete: Bool { true }

  /// Returns a value broadcast to the batch shape where it is smaller.
  private func fitted(_ value: Tensor) -> Tensor {
    value.broadcast(to: broadcastShape([value.shape, batchShape]) ?? value.shape)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let value = fitted(value)
    return Tensor.logDensity(density, value, parameters) + dataTerm(value)
  }

  public func logProbabilitySum(of value: Tensor) -> Tensor {
    let value = fitted(value)
    return Tensor.logDensity(density, value, parameters, summed: true)
      + dataTerm(value).broadcast(to: value.shape).sum()
  }
}

/// Returns log n! / (k! (n − k)!); −∞ where k is outside 0…n.
func logBinomialCoefficient(_ n: Tensor, _ k: Tensor) -> Tensor {
  logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
}

/// Draws one count for each element of a shape, from parameters broadcast to it, each with a sequence of its own.
///
/// Not differentiable in the parameters.
func countDraws(
  _ key: RandomKey, _ shape: Shape, _ parameters: [Tensor],
  _ draw: (inout KeyedGenerator, [Double]) -> Double
) -> Tensor {
  let columns = parameters.map { $0.stoppingGradient().broadcast(to: shape).elements }
  let key = key.ofThisEvaluation
  return elementwise(shape) { k in
    var generator = KeyedGenerator(key.folding(in: UInt64(k)))
    return draw(&generator, columns.map { $0[k] })
  }
}
