// SPDX-License-Identifier: MIT
//
// Counts in each pixel: the Poisson likelihood, known as the Cash statistic.

import CKernels
public import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The Poisson log likelihood of a model image: Σ over good pixels of N ln μ − μ − ln Γ(N + 1).
///
/// N = gain · (data + sky) are counts and μ = gain · (model + sky) their mean, where `sky` is what was subtracted from the data. For
/// whole N it is the logarithm of a probability; between them Γ continues it. No count can have a mean of zero or less, which a
/// model may have where it rings around zero; below a floor of 1/1000 count the mean is floor²/(2 floor − μ), which is positive
/// everywhere and joins smoothly. The rms plays no part.
///
/// Value and pixel derivative are computed in one pass. Second derivatives are exact; their stand-in is the expectation −1/μ.
///
/// ### Source
///
/// Cash 1979 (ApJ 228, 939), eq. 5, with the terms that do not depend on the model.
public final class PoissonImageLikelihood: ImageLikelihood, ImageLikelihoodRule {
  /// Counts for one image unit.
  public let gain: Double

  /// What was subtracted from the data, in image units.
  public let sky: Double

  /// Data and mask; the rms is 1.
  private let constants: ImageLikelihoodData

  /// The counts, 0 where masked.
  private let counts: [Double]

  /// 1 / counts, 0 where there are none.
  private let inverseCounts: [Double]

  /// The log probability of the counts at their own mean.
  private let offset: Double

  /// Means below this are replaced, in counts: what is lost in no image that has a sky.
  public static let floor = 1e-3

  /// Negative counts within this of zero are rounding, of a sky that was subtracted and is added back.
  private static let rounding = 1e-6

  /// Creates the likelihood of an image.
  ///
  /// - Parameters:
  ///   - gain: Counts for one image unit: electrons, for a detector of electrons.
  ///   - sky: What was subtracted from the data, in image units.
  ///   - width: Columns.
  ///   - height: Rows.
  ///   - data: Values, row-major, `[ny, nx]`; those of masked pixels may be NaN.
  ///   - mask: True where a pixel is bad and does not count; nil: all count.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidData`, or `invalidLoss`: a gain or a sky that cannot be, or
  ///   data with negative counts.
  /// - Precondition: data and mask have width · height elements.
  public init(
    gain: Double = 1, sky: Double = 0, width: Int, height: Int, data: [Double],
    mask: [Bool]? = nil
  ) throws(RenderingError) {
    try Self.validate(gain: gain, sky: sky)
    self.gain = gain
    self.sky = sky
    constants = try ImageLikelihoodData(
      width: width, height: height, data: data,
      rms: [Double](repeating: 1, count: data.count), mask: mask)
    var counts = [Double](repeating: 0, count: data.count)
    var inverse = counts
    var offset = 0.0
    for i in data.indices where constants.weights[i] > 0 {
      let number = gain * (data[i] + sky)
      guard number >= -Self.rounding * max(1, abs(gain * sky)) && number.isFinite else {
        throw RenderingError(
          .invalidLoss,
          expected: "counts that are not negative, gain · (data + sky)",
          found: "\(number) in column \(i % width), row \(i / width)",
          advice:
            "give the sky that was subtracted from the image, mask such pixels, or use the Gaussian loss"
        )
      }
      guard number > Self.rounding else { continue }
      counts[i] = number
      inverse[i] = 1 / number
      offset += number * log(number) - number - lgamma(number + 1)
    }
    self.counts = counts
    inverseCounts = inverse
    self.offset = offset
  }

  /// Checks the numbers of the loss.
  ///
  /// - Throws: `RenderingError` with kind `invalidLoss`.
  public static func validate(gain: Double, sky: Double) throws(RenderingError) {
    guard gain > 0 && gain.isFinite else {
      throw RenderingError(
        .invalidLoss, expected: "a gain > 0, in counts for one image unit", found: "\(gain)",
        advice: "look for it in the image's header; it is 1 for an image in counts")
    }
    guard sky.isFinite else {
      throw RenderingError(
        .invalidLoss, expected: "a finite sky, in image units", found: "\(sky)",
        advice: "give what was subtracted from the image, 0 for nothing")
    }
  }

  public var name: String { "Poisson image likelihood" }

  public var goodPixelCount: Int { constants.goodCount }

  public var parameterCount: Int { 0 }

  public func outputShape(_ inputShapes: [Shape]) -> Shape {
    constants.checkShape(inputShapes, numbers: 0, name)
    return []
  }

  public func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance {
    ImageLikelihoodInstance(self)
  }

  // MARK: - Pixel by pixel

  /// Returns the mean of the counts of a pixel, which is positive for every finite model.
  public static func mean(ofModel model: Double, gain: Double, sky: Double) -> Double {
    let m = gain * (model + sky)
    return m < floor ? floor * floor / (2 * floor - m) : m
  }

  public func pixelLogLikelihood(of model: [Double], _ parameters: [Double]) -> [Double] {
    constants.checkCount(model, numbers: parameters, expected: 0, name)
    return model.indices.map { i in
      guard constants.weights[i] > 0 else { return 0 }
      let mean = Self.mean(ofModel: model[i], gain: gain, sky: sky)
      return mean.isNaN ? -.infinity : counts[i] * log(mean) - mean - lgamma(counts[i] + 1)
    }
  }

  public func standardizedResiduals(of model: [Double], _ parameters: [Double]) -> [Double] {
    constants.checkCount(model, numbers: parameters, expected: 0, name)
    return model.indices.map { i in
      guard constants.weights[i] > 0 else { return 0 }
      let mean = Self.mean(ofModel: model[i], gain: gain, sky: sky)
      return (counts[i] - mean) / mean.squareRoot()
    }
  }

  // MARK: - All pixels

  var pixelCount: Int { counts.count }

  /// The numbers of the loss for the kernels.
  private var counting: sersic_counting {
    sersic_counting(gain: gain, sky: sky, floor: Self.floor)
  }

  func evaluate(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>,
    gradient: UnsafeMutablePointer<Double>, parameterGradient: UnsafeMutablePointer<Double>
  ) -> Double {
    offset
      + sersic_counts_image(
        counting, pixelCount, model, counts, inverseCounts, constants.weights, gradient)
  }

  func differentiate(
    _ model: UnsafePointer<Double>, _ parameters: UnsafePointer<Double>, standIn: Bool,
    into second: ImageCurvature
  ) {
    sersic_counts_second(
      counting, standIn ? 1 : 0, pixelCount, model, counts, constants.weights, second.pixels)
  }
}
