// SPDX-License-Identifier: MIT
//
// Independent Gaussian noise of known rms in each pixel.

import CKernels
public import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The Gaussian log likelihood of a model image: Σ over good pixels of −r²/2 − ln σ − ln(2π)/2, r = (data − model)/σ.
///
/// Value and pixel derivative are computed in one pass. Second derivatives are exact, −1/σ².
public final class GaussianImageLikelihood: ImageLikelihood, ImageLikelihoodRule {
  /// The data and the inverse variances.
  let constants: ImageLikelihoodData

  /// The part of the log likelihood that no model changes.
  private let offset: Double

  /// Creates the likelihood of an image.
  ///
  /// - Parameters:
  ///   - width: Columns.
  ///   - height: Rows.
  ///   - data: Values, row-major, `[ny, nx]`; those of masked pixels may be NaN.
  ///   - rms: Standard deviations in the unit of the data, > 0 where not masked.
  ///   - mask: True where a pixel is bad and does not count; nil: all count.
  /// - Throws: `RenderingError` with kind `emptyGrid` or `invalidData`.
  /// - Precondition: data, rms and mask have width · height elements.
  public init(width: Int, height: Int, data: [Double], rms: [Double], mask: [Bool]? = nil)
    throws(RenderingError)
  {
    constants = try ImageLikelihoodData(
      width: width, height: height, data: data, rms: rms, mask: mask, scale: 1, weightFactor: 1)
    offset =
      constants.logNormalization - 0.5 * log(2 * Double.pi) * Double(constants.goodCount)
  }

  public var name: String { "gaussian image likelihood" }

  public var goodPixelCount: Int { constants.goodCount }

  public func outputShape(_ inputShapes: [Shape]) -> Shape {
    constants.checkShape(inputShapes, name)
    return []
  }

  public func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance {
    ImageLikelihoodInstance(self)
  }

  public func pixelLogLikelihood(of model: [Double]) -> [Double] {
    let constant = 0.5 * log(2 * Double.pi)
    return zip(constants.residuals(model), constants.inverseScales).map { r, inverse in
      inverse == 0 ? 0 : r.isNaN ? -.infinity : -0.5 * r * r + log(inverse) - constant
    }
  }

  public func standardizedResiduals(of model: [Double]) -> [Double] { constants.residuals(model) }

  func evaluate(_ model: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>) -> Double {
    let sum = sersic_gaussian_image(
      constants.data.count, model, constants.data, constants.weights, gradient)
    return offset - 0.5 * sum
  }

  func addCurvature(
    _ model: UnsafePointer<Double>, _ direction: UnsafePointer<Double>, adjoint: Double,
    reweighted: Bool, to out: UnsafeMutablePointer<Double>
  ) {
    sersic_add_product(constants.data.count, -adjoint, constants.weights, direction, out)
  }
}
