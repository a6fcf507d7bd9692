// SPDX-License-Identifier: MIT
//
// The constants of an image likelihood: data, weights, and the part of the log density that no parameter changes.

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

  /// The inverse scales, 1 / (scale · rms), 0 where masked.
  let inverseScales: [Double]

  /// The squared inverse scales times a factor, 0 where masked.
  let weights: [Double]

  /// The number of good pixels.
  let goodCount: Int

  /// −Σ ln(scale · rms) over the good pixels.
  let logNormalization: Double

  /// Checks and stores the data.
  ///
  /// - Parameters:
  ///   - width: Columns.
  ///   - height: Rows.
  ///   - data: Values, row-major; those of masked pixels may be anything.
  ///   - rms: Standard deviations, finite and > 0 where not masked.
  ///   - mask: True where a pixel is bad; nil: all are good.
  ///   - scale: The factor of the rms.
  ///   - weightFactor: The factor of the squared inverse scales in `weights`.
  /// - Throws: `RenderingError` with kind `emptyGrid` or `invalidData`.
  init(
    width: Int, height: Int, data: [Double], rms: [Double], mask: [Bool]?, scale: Double,
    weightFactor: Double
  ) throws(RenderingError) {
    precondition(
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
    var inverses = [Double](repeating: 0, count: data.count)
    var weights = [Double](repeating: 0, count: data.count)
    var good = 0
    var normalization = 0.0
    for i in data.indices where !(mask?[i] ?? false) {
      let sigma = scale * rms[i]
      guard data[i].isFinite, sigma > 0, sigma.isFinite else {
        throw RenderingError(
          .invalidData,
          expected: "finite data and a finite rms > 0 in every pixel that is not masked",
          found: "data \(data[i]), rms \(rms[i]) in column \(i % width), row \(i / width)",
          advice: "mask such pixels")
      }
      let weight = weightFactor / (sigma * sigma)
      guard weight > 0 && weight.isFinite else {
        throw RenderingError(
          .invalidData, expected: "an rms whose square is a representable number",
          found: "rms \(rms[i]) in column \(i % width), row \(i / width)",
          advice: "express data and rms in another unit")
      }
      kept[i] = data[i]
      inverses[i] = 1 / sigma
      weights[i] = weight
      good += 1
      normalization -= log(sigma)
    }
    guard good > 0 else {
      throw RenderingError(
        .invalidData, expected: "at least one pixel that is not masked", found: "none",
        advice: "check whether the mask is inverted: true marks a bad pixel")
    }
    self.width = width
    self.height = height
    self.data = kept
    inverseScales = inverses
    self.weights = weights
    goodCount = good
    logNormalization = normalization
  }

  /// Traps where the input of a likelihood is not one image of the data's shape.
  func checkShape(_ inputShapes: [[Int]], _ name: String) {
    precondition(
      inputShapes == [[height, width]],
      "\(name): expected one model image of shape [\(height), \(width)], got \(inputShapes)")
  }

  /// Returns (data − model) / (scale · rms), 0 where masked.
  func residuals(_ model: [Double]) -> [Double] {
    precondition(
      model.count == data.count,
      "residuals: expected \(data.count) model values, got \(model.count)")
    return data.indices.map {
      inverseScales[$0] == 0 ? 0 : (data[$0] - model[$0]) * inverseScales[$0]
    }
  }
}
