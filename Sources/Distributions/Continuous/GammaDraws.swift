// SPDX-License-Identifier: MIT
//
// Gamma draws as an operation: a function of shape parameters and a key, differentiable in the former.
//
// Source: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients".

import Numerics
import Tensors

/// The logarithms of gamma draws of unit rate, from shape parameters (one, or one for each draw) and the words of a key.
///
/// The derivative is that of the quantile at a fixed probability, so that an average over draws has the gradient of the
/// expectation.
final class GammaDraws: Primitive {
  let name = "gamma draws"

  /// The shape of the draws.
  private let shape: Shape

  /// Creates the description.
  init(shape: Shape) { self.shape = shape }

  func outputShape(_ inputShapes: [Shape]) -> Shape {
    let counts = inputShapes.map(\.elementCount)
    demand(
      counts.count == 2 && (counts[0] == 1 || counts[0] == shape.elementCount) && counts[1] == 4,
      "gamma draws: expected one shape parameter or \(shape.elementCount), and 4 words, got \(counts)"
    )
    return shape
  }

  func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance { Instance() }

  /// The working part; it needs no memory.
  private final class Instance: PrimitiveInstance {
    func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
      guard let words = inputs[1].baseAddress else { return }
      let key = RandomKey(quarters: words)
      let a = inputs[0]
      let step = a.count == 1 ? 0 : 1
      for k in output.indices { output[k] = key.logGamma(UInt64(k), shape: a[k * step]) }
    }

    func pullback(
      _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
      adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
    ) {
      guard let target = inputAdjoints[0] else { return }
      let a = inputs[0]
      let step = a.count == 1 ? 0 : 1
      for k in output.indices {
        target[k * step] +=
          adjoint[k] * logGammaQuantileShapeDerivative(a[k * step], logX: output[k])
      }
    }

    func tangent(
      _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
      into outputTangent: UnsafeMutableBufferPointer<Double>
    ) -> Bool {
      let (a, da) = (inputs[0], tangents[0])
      let step = a.count == 1 ? 0 : 1
      for k in output.indices {
        outputTangent[k] =
          da[k * step] * logGammaQuantileShapeDerivative(a[k * step], logX: output[k])
      }
      return true
    }

    func pullbackTangent(
      _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
      adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
    ) -> Bool {
      guard let target = inputAdjoints[0] else { return true }
      let (a, da) = (inputs[0], tangents[0])
      let step = a.count == 1 ? 0 : 1
      for k in output.indices where da[k * step] != 0 {
        target[k * step] += adjoint[k] * da[k * step] * Self.curvature(a[k * step], output[k])
      }
      return true
    }

    /// Returns the second derivative of a quantile's logarithm, by central differences along the quantile.
    ///
    /// Not of `forward`: a rejection sampler may accept another proposal at a shape next to this one. The quantile's own
    /// curvature moves both ends alike and cancels. The step leaves errors of 1e-10 and ε/1e-5 of the scale.
    private static func curvature(_ a: Double, _ logX: Double) -> Double {
      let h = 1e-5 * a
      let slope = logGammaQuantileShapeDerivative(a, logX: logX)
      return
        (logGammaQuantileShapeDerivative(a + h, logX: logX + h * slope)
        - logGammaQuantileShapeDerivative(a - h, logX: logX - h * slope)) / (2 * h)
    }
  }
}
