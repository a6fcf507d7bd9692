// SPDX-License-Identifier: MIT
//
// A point-spread function as an image: its pixels, its centre, its sampling.

import Numerics

/// A point-spread function sampled on pixels, possibly finer than the image's.
public struct PointSpreadFunction: Sendable, Hashable {
  /// The number of columns.
  public let width: Int

  /// The number of rows.
  public let height: Int

  /// The pixels, row-major, x fastest; used as given.
  public let values: [Double]

  /// The position of the star in the array: x, first pixel 0; (width − 1)/2 unless given.
  public var centerX: Double

  /// The position of the star in the array: y, first pixel 0; (height − 1)/2 unless given.
  public var centerY: Double

  /// The number of array pixels along one image pixel.
  public var oversampling: Int

  /// Creates a point-spread function from its pixels, row-major.
  public init(
    width: Int, height: Int, values: [Double], centerX: Double? = nil, centerY: Double? = nil,
    oversampling: Int = 1
  ) {
    demand(
      width > 0 && height > 0 && values.count == width * height,
      "PSF: expected \(width) × \(height) = \(width * height) values, got \(values.count)")
    demand(oversampling >= 1, "PSF: expected oversampling ≥ 1, got \(oversampling)")
    self.width = width
    self.height = height
    self.values = values
    self.centerX = centerX ?? Double(width - 1) / 2
    self.centerY = centerY ?? Double(height - 1) / 2
    self.oversampling = oversampling
  }

  /// The properties that decide whether the function can be trusted, measured now.
  public var diagnostics: PointSpreadDiagnostics { PointSpreadDiagnostics(self) }

  /// Returns what is unusual about the function, worst first; empty where all is well.
  ///
  /// - Parameters:
  ///   - imageWidth: Columns of the image, in image pixels; nil: sizes are not compared.
  ///   - imageHeight: Rows of the image, in image pixels; nil: sizes are not compared.
  /// - Returns: The findings; `diagnostics.describe` puts each into words.
  public func findings(imageWidth: Int? = nil, imageHeight: Int? = nil)
    -> [PointSpreadDiagnostics.Finding]
  {
    diagnostics.findings(for: self, imageWidth: imageWidth, imageHeight: imageHeight)
  }

  /// Returns the function divided by its sum.
  ///
  /// - Throws: `RenderingError` with kind `invalidPointSpread` if a pixel is not finite or the sum is not positive.
  public func normalized() throws(RenderingError) -> PointSpreadFunction {
    try validate()
    let sum = values.reduce(0, +)
    return PointSpreadFunction(
      width: width, height: height, values: values.map { $0 / sum }, centerX: centerX,
      centerY: centerY, oversampling: oversampling)
  }

  /// Throws where a renderer cannot use the function: a pixel is not finite, or the sum is not positive.
  package func validate() throws(RenderingError) {
    let bad = values.count { !$0.isFinite }
    guard bad == 0 else {
      throw RenderingError(
        .invalidPointSpread, expected: "finite pixels in the PSF", found: "\(bad) NaN or infinite",
        advice: "replace them, by 0 if they are far from the centre")
    }
    let sum = values.reduce(0, +)
    guard sum > 0 else {
      throw RenderingError(
        .invalidPointSpread, expected: "a positive sum of the PSF", found: "\(sum)",
        advice: "check that this is the image of a star, with its background subtracted")
    }
  }
}
