// SPDX-License-Identifier: MIT
//
// A part of an image around a source, with other pixels in it where a model asks for them.

extension ObservedImage {
  /// Returns a rectangle of the image.
  ///
  /// - Parameters:
  ///   - columns: The columns, clipped to the image.
  ///   - rows: The rows, clipped to the image.
  ///   - science: Pixels of the whole image to be used instead of its own, row-major, image units.
  /// - Returns: The stamp; its `origin` is counted in the parent image, as that of this image is.
  /// - Throws: `ObservedImageError` where no pixel of the rectangle is good.
  package func stamp(
    columns: Range<Int>, rows: Range<Int>, science: [Double]? = nil
  ) throws(ObservedImageError) -> ObservedImage {
    let columns = columns.clamped(to: 0..<width)
    let rows = rows.clamped(to: 0..<height)
    /// Returns the rectangle's part of an array of the whole image.
    func part<Element>(_ whole: [Element]) -> [Element] {
      rows.flatMap { y in columns.map { x in whole[y * width + x] } }
    }
    return try ObservedImage(
      width: columns.count, height: rows.count, science: part(science ?? self.science),
      noise: .rms(part(rms)), mask: part(mask), psf: psf, pixelResponse: pixelResponse,
      origin: ImagePoint(
        x: origin.x + Double(columns.lowerBound), y: origin.y + Double(rows.lowerBound)),
      names: names, zeroPoint: zeroPoint)
  }
}
