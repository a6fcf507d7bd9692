// SPDX-License-Identifier: MIT
//
// A point-spread function as an image: its pixels, its centre, its sampling.

/// A point-spread function sampled on pixels, possibly finer than the image's.
public struct PointSpreadFunction: Sendable {
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
    precondition(
      width > 0 && height > 0 && values.count == width * height,
      "PSF: expected \(width) × \(height) = \(width * height) values, got \(values.count)")
    precondition(oversampling >= 1, "PSF: expected oversampling ≥ 1, got \(oversampling)")
    self.width = width
    self.height = height
    self.values = values
    self.centerX = centerX ?? Double(width - 1) / 2
    self.centerY = centerY ?? Double(height - 1) / 2
    self.oversampling = oversampling
  }
}
