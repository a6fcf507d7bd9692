// SPDX-License-Identifier: MIT
//
// The constants of an image likelihood: data, weights, and the part of the log density that no parameter changes.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Data and weights of the good pixels; masked pixels have data 0 and weight 0, whatever they hold.
struct ImageLikelihoodData: Sendable {
  /// The number of columns.
  let width: Int

  /// The number of rows.
  let height: Int

  /// The data, 0 where masked.
  let data: [Double]

  /// The inverse variances 1 / rms², 0 where masked.
  let weights: [Double]

  /// The number of good pixels.
  let goodCount: Int

  /// −Σ ln rms over the good pixels.
  let logNormalization: Double

  /// Checks and stores the data.
  ///
  /// - Parameters:
  ///   - width: Columns.
  ///   - height: Rows.
  ///   - data: Values, row-major; those of masked pixels may be anything.
  ///   - rms: Standard deviations, finite and > 0 where not masked.
  ///   - mask: True where a pixel is bad; nil: all are good.
  /// - Throws: `RenderingError` with kind `emptyGrid` or `invalidData`.
  init(width: Int, height: Int, data: [Double], rms: [Double], mask: [Bool]?)
    throws(RenderingError)
  {
    demand(
      data.count == width * height && rms.count == data.count
        && (mask?.count ?? data.count) == data.count,
      "image likelihood: expected \(width) × \(height) values of data, rms and mask, got \(data.count), "
        + "\(rms.count) and \(mask?.count ?? data.count)")
    guard width > 0 && height > 0 else {
      throw RenderingError(
        .emptyGrid, expected: "an image with pixels", found: "\(width) × \(height)",
        advice: "check the image or its section")
    }
    var kept = [Double](repeating: 0, count: data.count)
    var weights = [Double](repeating: 0, count: data.count)
    var good = 0
    var normalization = 0.0
    for i in data.indices where !(mask?[i] ?? false) {
      guard data[i].isFinite, rms[i] > 0, rms[i].isFinite else {
        throw RenderingError(
          .invalidData,
          expected: "finite data and a finite rms > 0 in every pixel that is not masked",
          found: "data \(data[i]), rms \(rms[i]) in column \(i % width), row \(i / width)",
          advice: "mask such pixels")
      }
      let weight = 1 / (rms[i] * rms[i])
      guard weight.isNormal else {
        throw RenderingError(
          .invalidData, expected: "an rms whose square is a representable number",
          found: "rms \(rms[i]) in column \(i % width), row \(i / width)",
          advice: "express data and rms in another unit")
      }
      kept[i] = data[i]
      weights[i] = weight
      good += 1
      normalization -= log(rms[i])
    }
    guard good > 0 else {
      throw RenderingError(
        .invalidData, expected: "at least one pixel that is not masked", found: "none",
        advice: "check whether the mask is inverted: true marks a bad pixel")
    }
    self.width = width
    self.height = height
    self.data = kept
    self.weights = weights
    goodCount = good
    logNormalization = normalization
  }

  /// Traps where the inputs of a likelihood are not one image of the data's shape and some numbers.
  func checkShape(_ inputShapes: [[Int]], numbers: Int, _ name: String) {
    demand(
      inputShapes == [[height, width]] + [[Int]](repeating: [], count: numbers),
      "\(name): expected one model image of shape [\(height), \(width)] and \(numbers) scalars, got \(inputShapes)"
    )
  }

  /// Traps where there are not as many model pixels as data.
  func checkCount(_ model: [Double], numbers: [Double], expected: Int, _ name: String) {
    demand(
      model.count == data.count && numbers.count == expected,
      "\(name): expected \(data.count) model values and \(expected) numbers, got \(model.count) and \(numbers.count)"
    )
  }
}
