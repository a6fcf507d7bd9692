// SPDX-License-Identifier: MIT
//
// Independent noise in each pixel, of one shape and of the scale that the rms gives, or that is partly a parameter.

import CKernels
public import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The log likelihood of a model image: Σ over good pixels of ln p((data − model)/s) − ln s, s the scale of a pixel.
///
/// s is the rms, (1 + x) rms with a free fraction x, or √(rms² + x²) with a free systematic x. The scalar inputs after the model
/// image are x, where there is one, then the share of outliers f of a mixture. Outliers have a multiple of the rms itself, not of
/// s: few far outliers would otherwise widen the noise of all pixels. Where a parameter is impossible (x ≤ −1 as a fraction,
/// f outside [0, 1], NaN) the log likelihood is −∞.
///
/// With r = (data − model)/s and ρ = −ln p, value and all first derivatives are computed in one pass over the pixels: ρ′/s by the
/// model, (rρ′ − 1) ∂ln s/∂x by x. Second derivatives are exact. Their stand-in for Gauss–Newton steps has ρ′/r in place of ρ″
/// (iterative reweighting), which is never negative, and no mixed terms.
public final class ScaledImageLikelihood: ImageLikelihood, ImageLikelihoodRule {
  /// The density of a pixel.
  public let density: PixelDensity

  /// What is a parameter of the scale; nil where the rms is taken as it is.
  public let freedom: NoiseFreedom?

  /// The data and the inverse variances.
  private let constants: ImageLikelihoodData

  /// The part of the log likelihood that no input changes.
  private let offset: Double

  /// Creates the likelihood of an image.
  ///
  /// - Parameters:
  ///   - density: The density of a pixel.
  ///   - freedom: What is a parameter of the scale.
  ///   - width: Columns.
  ///   - height: Rows.
  ///   - data: Values, row-major, `[ny, nx]`; those of masked pixels may be NaN.
  ///   - rms: Standard deviations in the unit of the data, > 0 where not masked.
  ///   - mask: True where a pixel is bad and does not count; nil: all count.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidData`, or `invalidLoss` for a density that cannot be.
  /// - Precondition: data, rms and mask have width · height elements.
  public init(
    _ density: PixelDensity = .gaussian, freedom: NoiseFreedom? = nil, width: Int, height: Int,
    data: [Double], rms: [Double], mask: [Bool]? = nil
  ) throws(RenderingError) {
    try density.validate()
    self.density = density
    self.freedom = freedom
    constants = try ImageLikelihoodData(
      width: width, height: height, data: data, rms: rms, mask: mask)
    offset = constants.logNormalization + density.logPeak * Double(constants.goodCount)
  }

  public var name: String { "image likelihood" }

  public var goodPixelCount: Int { constants.goodCount }

  public var parameterCount: Int { (freedom == nil ? 0 : 1) + (density.hasOutliers ? 1 : 0) }

  public func outputShape(_ inputShapes: [Shape]) -> Shape {
    constants.checkShape(inputShapes, numbers: parameterCount, name)
    return []
  }

  public func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance {
    ImageLikelihoodInstance(self)
  }

  // MARK: - Pixel by pixel

  /// Returns the scale of a pixel with an inverse variance > 0, without the factor of Student's t.
  private func scale(_ weight: Double, _ parameters: [Double]) -> Double {
    switch freedom {
    case nil: (1 / weight).squareRoot()
    case .fraction: (1 + parameters[0]) / weight.squareRoot()
    case .systematic: (1 / weight + parameters[0] * parameters[0]).squareRoot()
    }
  }

  public func pixelLogLikelihood(of model: [Double], _ parameters: [Double]) -> [Double] {
    constants.checkCount(model, numbers: parameters, expected: parameterCount, name)
    let outliers = density.hasOutliers ? parameters[parameterCount - 1] : 0
    return model.indices.map { i in
      let weight = constants.weights[i]
      guard weight > 0 else { return 0 }
      guard !model[i].isNaN else { return -.infinity }
      let s = scale(weight, parameters)
      let wide = density.shape / (s * weight.squareRoot())
      return density.logDensity(
        (constants.data[i] - model[i]) / s, outliers: outliers, outlierScale: wide) - log(s)
    }
  }

  public func standardizedResiduals(of model: [Double], _ parameters: [Double]) -> [Double] {
    constants.checkCount(model, numbers: parameters, expected: parameterCount, name)
    return model.indices.map { i in
      guard constants.weights[i] > 0 else { return 0 }
      return (constants.data[i] - model[i])
        / (density.scale * scale(constants.weights[i], parameters))
    }
  }

  // MARK: - All pixels

  var pixelCount: Int { constants.data.count }

  /// What the kernels need to know.
  private struct Setting {
    /// The density.
    var kernel: sersic_density
    /// Whether there is noise besides the rms: 1, or 0.
    var isWidened: Int32 = 0
    /// The numbers.
    var noise: sersic_noise
    /// What all pixels add to the value.
    var offset = 0.0
  }

  /// Shares of outliers below this are none.
  private static let leastShare = 1e-290

  /// Returns what the kernels need at given parameters; nil where a parameter is impossible.
  ///
  /// A mixture without outliers, or of outliers only, is one Gaussian.
  private func setting(_ parameters: UnsafePointer<Double>) -> Setting? {
    let count = Double(constants.goodCount)
    var result = Setting(
      kernel: density.kernel,
      noise: sersic_noise(
        shape: density.shape, factor: 1 / (density.scale * density.scale), systematic: 0,
        outliers: 0))
    if density.hasOutliers {
      let share = parameters[parameterCount - 1]
      guard share >= 0 && share <= 1 else { return nil }
      result.noise.outliers = share
      if share == 1 {
        result.kernel = SERSIC_GAUSSIAN
        result.noise.factor = 1 / (density.shape * density.shape)
        result.offset = -count * log(density.shape)
      } else if share < Self.leastShare {
        result.kernel = SERSIC_GAUSSIAN
      }
    }
    switch freedom {
    case nil: break
    case .fraction:
      let factor = 1 + parameters[0]
      guard factor > 0 else { return nil }
      guard result.noise.outliers < 1 else { break }
      result.noise.factor /= factor * factor
      if result.kernel != SERSIC_MIXTURE { result.offset -= count * log(factor) }
    case .systematic:
      guard result.noise.outliers < 1 else { break }
      result.noise.systematic = parameters[0]
      result.isWidened = 1
    }
    return result
  }

  func evaluate(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>,
    gradient: UnsafeMutablePointer<Double>, parameterGradient: UnsafeMutablePointer<Double>
  ) -> Double {
    guard let setting = setting(parameters) else {
      gradient.update(repeating: 0, count: pixelCount)
      parameterGradient.update(repeating: 0, count: parameterCount)
      return -.infinity
    }
    let sums = sersic_noise_image(
      setting.kernel, setting.isWidened, setting.noise, pixelCount, model, constants.data,
      constants.weights, gradient)
    let f = setting.noise.outliers
    switch freedom {
    case nil: break
    case .fraction:
      parameterGradient[0] = f < 1 ? score(sums.score, setting.kernel) / (1 + parameters[0]) : 0
    case .systematic: parameterGradient[0] = setting.noise.systematic * sums.score
    }
    if density.hasOutliers {
      parameterGradient[parameterCount - 1] =
        setting.kernel == SERSIC_MIXTURE
        ? (sums.outliers - f * Double(constants.goodCount)) / (f * (1 - f))
        : edge(model, parameters, share: f)
    }
    return offset + setting.offset + sums.value
  }

  /// Returns the derivative by the logarithm of the scale from the kernels' sum.
  private func score(_ sum: Double, _ kernel: sersic_density) -> Double {
    kernel == SERSIC_MIXTURE ? sum : sum - Double(constants.goodCount)
  }

  /// Returns the one-sided derivative by the share of outliers where all pixels or none are outliers.
  private func edge(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>, share: Double
  ) -> Double {
    let c = density.shape
    let values = [Double](UnsafeBufferPointer(start: parameters, count: parameterCount))
    var sum = 0.0
    for i in 0..<pixelCount where constants.weights[i] > 0 {
      let w = constants.weights[i]
      let d = model[i] - constants.data[i]
      let s = scale(w, values)
      let inside = exp(-0.5 * (d / s) * (d / s)) / s
      let outside = exp(-0.5 * d * d * w / (c * c)) * w.squareRoot() / c
      sum += (outside - inside) / (share < 1 ? inside : outside)
    }
    return sum
  }

  func differentiate(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>, standIn: Bool,
    into second: ImageCurvature
  ) {
    guard let setting = setting(parameters) else {
      second.clear()
      return
    }
    let byOutliers = density.hasOutliers ? second.mixed.last : nil
    if setting.kernel != density.kernel { byOutliers?.update(repeating: 0, count: pixelCount) }
    let byScale = freedom == nil ? nil : second.mixed.first
    let sums = sersic_noise_second(
      setting.kernel, setting.isWidened, standIn ? 1 : 0, setting.noise, pixelCount, model,
      constants.data, constants.weights, second.pixels, byScale, byOutliers)
    var (scale, mixed, substitute) = (sums.scale, sums.mixed, sums.stand_in)
    if setting.noise.outliers == 1 {
      // Where all are outliers the scale of the others does not matter.
      (scale, mixed, substitute) = (0, 0, 0)
      byScale?.update(repeating: 0, count: pixelCount)
    } else if freedom == .fraction {
      // From derivatives by u = ln(1 + x) to those by x: u' = 1/(1 + x), u'' = −u'².
      let slope = 1 / (1 + parameters[0])
      if let byScale { sersic_scale(pixelCount, slope, byScale) }
      scale = (scale - score(sums.score, setting.kernel)) * slope * slope
      mixed *= slope
      substitute *= slope * slope
    }
    switch (freedom != nil, density.hasOutliers) {
    case (false, false): break
    case (true, false): second.parameters[0] = standIn && !(scale < 0) ? substitute : scale
    case (false, true): second.parameters[0] = sums.outliers
    case (true, true):
      if standIn && !(scale < 0 && scale * sums.outliers > mixed * mixed) {
        (scale, mixed) = (substitute, 0)
      }
      for (k, value) in [scale, mixed, mixed, sums.outliers].enumerated() {
        second.parameters[k] = value
      }
    }
  }
}
