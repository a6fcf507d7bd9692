// SPDX-License-Identifier: MIT
//
// What the log likelihoods of an image have in common, as operations of the tape.

import CKernels
public import Tensors

/// The log likelihood of a model image, given data, rms and mask: an operation from [ny, nx] to a scalar.
///
/// A model image with NaN, which renderers give for parameters that describe no profile, has the log likelihood −∞: such
/// parameters lie outside the support. Its derivative is NaN.
public protocol ImageLikelihood: Primitive {
  /// The number of pixels that are not masked.
  var goodPixelCount: Int { get }

  /// Returns the log density of each pixel's datum, 0 where masked.
  ///
  /// - Parameter model: The model image, row-major, in the order of the data.
  /// - Returns: The log densities, row-major; their sum is the log likelihood.
  func pixelLogLikelihood(of model: [Double]) -> [Double]

  /// Returns (data − model) / (scale · rms) of each pixel, 0 where masked; the scale is 1 but for Student-t.
  ///
  /// - Parameter model: The model image, row-major, in the order of the data.
  /// - Returns: The residuals, row-major, without unit.
  func standardizedResiduals(of model: [Double]) -> [Double]
}

/// The parts of a likelihood that differ from loss to loss; the addresses are valid during the call.
protocol ImageLikelihoodRule: AnyObject, Sendable {
  /// The constants.
  var constants: ImageLikelihoodData { get }

  /// Returns the log likelihood and sets its derivative by the model's pixels.
  func evaluate(_ model: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>) -> Double

  /// Adds the adjoint times the second derivative, or its negative semi-definite stand-in, times the direction.
  func addCurvature(
    _ model: UnsafePointer<Double>, _ direction: UnsafePointer<Double>, adjoint: Double,
    reweighted: Bool, to out: UnsafeMutablePointer<Double>)
}

/// The working part of an image likelihood: the pixel derivative of the latest forward pass.
final class ImageLikelihoodInstance: PrimitiveInstance {
  /// The likelihood.
  private let rule: any ImageLikelihoodRule

  /// The number of pixels.
  private let count: Int

  /// The derivative of the log likelihood by the model's pixels.
  private let gradient: UnsafeMutablePointer<Double>

  /// Creates an instance with its own memory.
  init(_ rule: any ImageLikelihoodRule) {
    self.rule = rule
    count = rule.constants.data.count
    gradient = .allocate(capacity: count)
    gradient.initialize(repeating: 0, count: count)
  }

  deinit { gradient.deallocate() }

  /// Returns the address of the model image.
  private func model(_ inputs: PrimitiveInputs) -> UnsafePointer<Double> { inputs.pointers[0] }

  func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
    let value = rule.evaluate(model(inputs), gradient: gradient)
    output[0] = value.isNaN ? -.infinity : value
  }

  func pullback(
    _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) {
    guard let out = inputAdjoints.pointers[0] else { return }
    sersic_add_scaled(count, adjoint[0], gradient, out)
  }

  func tangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    into outputTangent: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    outputTangent[0] = sersic_dot(count, gradient, tangents.pointers[0])
    return true
  }

  func pullbackTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool {
    guard let out = inputAdjoints.pointers[0] else { return true }
    rule.addCurvature(
      model(inputs), tangents.pointers[0], adjoint: adjoint[0], reweighted: false, to: out)
    return true
  }

  func gaussNewtonTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool {
    guard let out = inputAdjoints.pointers[0] else { return true }
    rule.addCurvature(
      model(inputs), tangents.pointers[0], adjoint: adjoint[0], reweighted: true, to: out)
    return true
  }

  func jacobian(
    _ inputs: PrimitiveInputs, input: Int, output: UnsafeBufferPointer<Double>,
    into jacobian: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    for i in 0..<count { jacobian[i] = gradient[i] }
    return true
  }
}
