// SPDX-License-Identifier: MIT
//
// What the log likelihoods of an image have in common, as operations of the tape.

import CKernels
public import Tensors

/// The log likelihood of a model image, given data, rms and mask: from [ny, nx], and scalars that describe the noise, to a scalar.
///
/// A model image with NaN, which renderers give for parameters that describe no profile, has the log likelihood −∞: such
/// parameters lie outside the support. Its derivative is NaN.
public protocol ImageLikelihood: Primitive {
  /// The number of pixels that are not masked.
  var goodPixelCount: Int { get }

  /// The number of scalar inputs after the model image.
  var parameterCount: Int { get }

  /// Returns the log density of each pixel's datum, 0 where masked.
  ///
  /// - Parameters:
  ///   - model: The model image, row-major, in the order of the data.
  ///   - parameters: The scalar inputs.
  /// - Returns: The log densities, row-major; their sum is the log likelihood.
  func pixelLogLikelihood(of model: [Double], _ parameters: [Double]) -> [Double]

  /// Returns (data − model) / scale of each pixel, 0 where masked; the scale is that of the density, for most the rms.
  ///
  /// - Parameters:
  ///   - model: The model image, row-major, in the order of the data.
  ///   - parameters: The scalar inputs.
  /// - Returns: The residuals, row-major, without unit.
  func standardizedResiduals(of model: [Double], _ parameters: [Double]) -> [Double]
}

extension ImageLikelihood {
  /// Returns the log density of each pixel's datum, for a likelihood without parameters.
  public func pixelLogLikelihood(of model: [Double]) -> [Double] {
    pixelLogLikelihood(of: model, [])
  }

  /// Returns (data − model) / scale of each pixel, for a likelihood without parameters.
  public func standardizedResiduals(of model: [Double]) -> [Double] {
    standardizedResiduals(of: model, [])
  }
}

/// The parts of a likelihood that differ from one to the next; addresses are valid during the call.
protocol ImageLikelihoodRule: ImageLikelihood {
  /// The number of pixels, masked ones included.
  var pixelCount: Int { get }

  /// Returns the log likelihood, and sets its derivatives by the model's pixels and by the scalar inputs.
  func evaluate(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>,
    gradient: UnsafeMutablePointer<Double>, parameterGradient: UnsafeMutablePointer<Double>
  ) -> Double

  /// Sets the second derivatives, or with `standIn` a negative semi-definite matrix near them.
  func differentiate(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>, standIn: Bool,
    into second: ImageCurvature)
}

/// The second derivatives of an image likelihood: a diagonal for the pixels, a column and a row for each scalar.
final class ImageCurvature {
  /// By each pixel twice.
  let pixels: UnsafeMutablePointer<Double>

  /// By each pixel and each scalar; zero in a stand-in.
  let mixed: [UnsafeMutablePointer<Double>]

  /// By two scalars, row by row.
  var parameters: [Double]

  /// What is held: nil for nothing.
  var holdsStandIn: Bool?

  /// The number of pixels.
  private let count: Int

  /// Creates zeroed memory.
  init(pixels count: Int, parameters: Int) {
    self.count = count
    /// Returns zeroed memory for one number to each pixel.
    func image() -> UnsafeMutablePointer<Double> {
      let pointer = UnsafeMutablePointer<Double>.allocate(capacity: count)
      pointer.initialize(repeating: 0, count: count)
      return pointer
    }
    pixels = image()
    mixed = (0..<parameters).map { _ in image() }
    self.parameters = [Double](repeating: 0, count: parameters * parameters)
  }

  deinit {
    pixels.deallocate()
    for pointer in mixed { pointer.deallocate() }
  }

  /// Sets all to zero.
  func clear() {
    for pointer in mixed + [pixels] { pointer.update(repeating: 0, count: count) }
    for k in parameters.indices { parameters[k] = 0 }
  }
}

/// The working part of an image likelihood: the derivatives of the latest forward pass.
final class ImageLikelihoodInstance: PrimitiveInstance {
  /// The likelihood.
  private let rule: any ImageLikelihoodRule

  /// The number of pixels.
  private let count: Int

  /// The number of scalar inputs.
  private let scalars: Int

  /// The derivative of the log likelihood by the model's pixels.
  private let gradient: UnsafeMutablePointer<Double>

  /// The scalar inputs, and the derivatives by them.
  private let parameters: UnsafeMutablePointer<Double>
  private let parameterGradient: UnsafeMutablePointer<Double>

  /// The second derivatives, made when first asked for.
  private lazy var second = ImageCurvature(pixels: count, parameters: scalars)

  /// Whether `second` has been made.
  private var hasSecond = false

  /// Creates an instance with its own memory.
  init(_ rule: any ImageLikelihoodRule) {
    self.rule = rule
    count = rule.pixelCount
    scalars = rule.parameterCount
    gradient = .allocate(capacity: count)
    gradient.initialize(repeating: 0, count: count)
    parameters = .allocate(capacity: max(1, scalars))
    parameters.initialize(repeating: 0, count: max(1, scalars))
    parameterGradient = .allocate(capacity: max(1, scalars))
    parameterGradient.initialize(repeating: 0, count: max(1, scalars))
  }

  deinit {
    gradient.deallocate()
    parameters.deallocate()
    parameterGradient.deallocate()
  }

  func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
    for k in 0..<scalars { parameters[k] = inputs.pointers[k + 1][0] }
    if hasSecond { second.holdsStandIn = nil }
    let value = rule.evaluate(
      inputs.pointers[0], parameters, gradient: gradient, parameterGradient: parameterGradient)
    output[0] = value.isNaN ? -.infinity : value
  }

  func pullback(
    _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) {
    if let out = inputAdjoints.pointers[0] { sersic_add_scaled(count, adjoint[0], gradient, out) }
    for k in 0..<scalars {
      if let out = inputAdjoints.pointers[k + 1] { out[0] += adjoint[0] * parameterGradient[k] }
    }
  }

  func tangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    into outputTangent: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    var sum = sersic_dot(count, gradient, tangents.pointers[0])
    for k in 0..<scalars { sum += parameterGradient[k] * tangents.pointers[k + 1][0] }
    outputTangent[0] = sum
    return true
  }

  func pullbackTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool {
    addCurvature(inputs, tangents, adjoint[0], into: inputAdjoints, standIn: false)
    return true
  }

  func gaussNewtonTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool {
    addCurvature(inputs, tangents, adjoint[0], into: inputAdjoints, standIn: true)
    return true
  }

  /// Adds the adjoint times the second derivatives, or their stand-in, times a direction.
  private func addCurvature(
    _ inputs: PrimitiveInputs, _ tangents: PrimitiveInputs, _ adjoint: Double,
    into inputAdjoints: PrimitiveAdjoints, standIn: Bool
  ) {
    if second.holdsStandIn != standIn {
      rule.differentiate(inputs.pointers[0], parameters, standIn: standIn, into: second)
      second.holdsStandIn = standIn
      hasSecond = true
    }
    let direction = tangents.pointers[0]
    if let out = inputAdjoints.pointers[0] {
      sersic_add_product(count, adjoint, second.pixels, direction, out)
      for k in 0..<scalars where !standIn && tangents.pointers[k + 1][0] != 0 {
        sersic_add_scaled(count, adjoint * tangents.pointers[k + 1][0], second.mixed[k], out)
      }
    }
    for k in 0..<scalars {
      guard let out = inputAdjoints.pointers[k + 1] else { continue }
      var sum = standIn ? 0 : sersic_dot(count, second.mixed[k], direction)
      for l in 0..<scalars {
        sum += second.parameters[k * scalars + l] * tangents.pointers[l + 1][0]
      }
      out[0] += adjoint * sum
    }
  }

  func jacobian(
    _ inputs: PrimitiveInputs, input: Int, output: UnsafeBufferPointer<Double>,
    into jacobian: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    if input > 0 {
      jacobian[0] = parameterGradient[input - 1]
    } else {
      for i in 0..<count { jacobian[i] = gradient[i] }
    }
    return true
  }
}
