// SPDX-License-Identifier: MIT
//
// Independent Student-t noise in each pixel: heavier tails than the Gaussian, for outliers.

import CKernels
public import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The Student-t log likelihood of a model image: Σ over good pixels of the log density of (data − model)/s, s = scale · rms.
///
/// ln p = ln Γ((ν+1)/2) − ln Γ(ν/2) − ln(νπ)/2 − ln s − (ν+1)/2 · ln(1 + r²/ν), r = (data − model)/s. Value and pixel
/// derivative are computed in one pass. Its second derivative, (ν+1)(r² − ν)/(s²(ν + r²)²), is positive beyond r² = ν; for
/// Gauss–Newton steps −(ν+1)/(s²(ν + r²)) takes its place (iterative reweighting), which is never positive.
public final class StudentTImageLikelihood: ImageLikelihood, ImageLikelihoodRule {
  /// The degrees of freedom ν.
  public let dof: Double

  /// The factor of the rms.
  public let scale: Double

  /// The data and 1 / (ν s²).
  let constants: ImageLikelihoodData

  /// The log density of one pixel at r = 0, but for −ln s.
  private let peak: Double

  /// The part of the log likelihood that no model changes.
  private let offset: Double

  /// Creates the likelihood of an image.
  ///
  /// - Parameters:
  ///   - dof: The degrees of freedom, > 0.
  ///   - scale: The factor of the rms, > 0; by default √((dof − 2)/dof), so that the variance is rms².
  ///   - width: Columns.
  ///   - height: Rows.
  ///   - data: Values, row-major, `[ny, nx]`; those of masked pixels may be NaN.
  ///   - rms: Standard deviations in the unit of the data, > 0 where not masked.
  ///   - mask: True where a pixel is bad and does not count; nil: all count.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidData`, or `invalidLoss`: dof or scale out of range, or no scale
  ///   where dof ≤ 2, which has no variance.
  /// - Precondition: data, rms and mask have width · height elements.
  public init(
    dof: Double, scale: Double? = nil, width: Int, height: Int, data: [Double], rms: [Double],
    mask: [Bool]? = nil
  ) throws(RenderingError) {
    guard dof > 0 && dof.isFinite else {
      throw RenderingError(
        .invalidLoss, expected: "degrees of freedom dof > 0", found: "\(dof)",
        advice: "give a value such as 5, or use the Gaussian loss for very large ones")
    }
    guard let scale = scale ?? (dof > 2 ? ((dof - 2) / dof).squareRoot() : nil) else {
      throw RenderingError(
        .invalidLoss, expected: "a scale, since Student-t has no variance for dof ≤ 2",
        found: "dof \(dof) and no scale", advice: "give the scale, the factor of the rms")
    }
    guard scale > 0 && scale.isFinite else {
      throw RenderingError(
        .invalidLoss, expected: "a scale > 0", found: "\(scale)",
        advice: "give the factor of the rms, or leave it out for √((dof − 2)/dof)")
    }
    self.dof = dof
    self.scale = scale
    constants = try ImageLikelihoodData(
      width: width, height: height, data: data, rms: rms, mask: mask, scale: scale,
      weightFactor: 1 / dof)
    peak = lgamma((dof + 1) / 2) - lgamma(dof / 2) - 0.5 * log(dof * Double.pi)
    offset = constants.logNormalization + peak * Double(constants.goodCount)
  }

  public var name: String { "Student-t image likelihood" }

  public var goodPixelCount: Int { constants.goodCount }

  public func outputShape(_ inputShapes: [Shape]) -> Shape {
    constants.checkShape(inputShapes, name)
    return []
  }

  public func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance {
    ImageLikelihoodInstance(self)
  }

  public func pixelLogLikelihood(of model: [Double]) -> [Double] {
    zip(constants.residuals(model), constants.inverseScales).map { r, inverse in
      inverse == 0
        ? 0 : r.isNaN ? -.infinity : peak + log(inverse) - 0.5 * (dof + 1) * log1p(r * r / dof)
    }
  }

  public func standardizedResiduals(of model: [Double]) -> [Double] { constants.residuals(model) }

  func evaluate(_ model: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>) -> Double {
    let sum = sersic_student_image(
      constants.data.count, model, constants.data, constants.weights, dof + 1, gradient)
    return offset - 0.5 * (dof + 1) * sum
  }

  func addCurvature(
    _ model: UnsafePointer<Double>, _ direction: UnsafePointer<Double>, adjoint: Double,
    reweighted: Bool, to out: UnsafeMutablePointer<Double>
  ) {
    let rule = reweighted ? sersic_student_reweighted : sersic_student_curvature
    rule(
      constants.data.count, model, constants.data, constants.weights, adjoint * (dof + 1),
      direction, out)
  }
}
