// SPDX-License-Identifier: MIT
//
// What all sampled renderers of one image share: frame, cells, and the transforms of the interpolated PSF.

import CKernels
public import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The immutable part of a sampled renderer: the cells that light is spread over, and what they contribute to the pixels.
///
/// Lengths are in pixels of the PSF, s of which make an image pixel. Light is taken from the frame and a margin as wide as
/// the PSF reaches; over another 24 it fades out smoothly, so that its end does not ring. A cell, half a pixel wide,
/// contributes to a pixel by the PSF's samples times the band-limited interpolation, at their true distance: the
/// convolution is a linear one of infinite reach, not periodic.
public final class SampledRendererPlan: Sendable {
  /// The number of columns of the image.
  public let width: Int

  /// The number of rows of the image.
  public let height: Int

  /// The point-spread function, used as given.
  public let psf: PointSpreadFunction

  /// The spreading of points over cells.
  let spread: SpreadFunction

  /// The place of the first cell, x and y.
  let origin: (x: Double, y: Double)

  /// The number of cells, x and y.
  let cells: (x: Int, y: Int)

  /// The rectangle in which light counts fully: from and to, x and y.
  let full: (x: ClosedRange<Double>, y: ClosedRange<Double>)

  /// The transforms of the canvas, which holds the cells and the distances to all pixels.
  let transforms: FFTPlan

  /// The transforms of a cell's contribution and of its derivatives by the pixel's x and y, over the number of cells.
  let kernels: (value: [Double], x: [Double], y: [Double])

  /// The cells of the first pixel, x and y.
  private let first: (x: Int, y: Int)

  /// The width of the margin over which light fades.
  static let fade = 24.0

  /// Half the width of the error function that fades light, over √2: with 12 to both ends 1e-8 is left there.
  static let fadeScale = 3.0

  /// Lays out the cells and transforms the PSF.
  ///
  /// - Parameters:
  ///   - width: Columns of the image, > 0.
  ///   - height: Rows of the image, > 0.
  ///   - psf: The effective PSF, which contains the pixel's response; nil is an error.
  ///   - planning: The effort of planning the transforms.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidPointSpread`, or `unsupportedScene` without a PSF.
  public init(
    width: Int, height: Int, psf: PointSpreadFunction?, planning: FFTPlanning = .estimate
  ) throws(RenderingError) {
    guard width > 0 && height > 0 else {
      throw RenderingError(
        .emptyGrid, expected: "an image with pixels", found: "\(width) × \(height)",
        advice: "check the image or its section")
    }
    guard let psf else {
      throw RenderingError(
        .unsupportedScene, expected: "a PSF for the sampled renderer", found: "none",
        advice: "give a PSF, or use the pixel-integrated renderer")
    }
    try psf.validate()
    self.width = width
    self.height = height
    self.psf = psf
    let scale = psf.oversampling
    /// Returns the range of full light along an axis: the frame, and the PSF's reach around it.
    func range(_ pixels: Int, _ size: Int, _ center: Double) -> ClosedRange<Double> {
      -(Double(size - 1) - center) - 1...Double(scale * (pixels - 1)) + center + 1
    }
    full = (range(width, psf.width, psf.centerX), range(height, psf.height, psf.centerY))
    /// Returns the first cell's place, a whole pixel, and the number of cells.
    func layOut(_ range: ClosedRange<Double>) -> (origin: Double, count: Int) {
      let margin = Self.fade + Double(SpreadFunction.width) / 2
      let start = (range.lowerBound - margin).rounded(.down)
      return (start, 2 * Int((range.upperBound + margin - start).rounded(.up)) + 1)
    }
    let (x, y) = (layOut(full.x), layOut(full.y))
    origin = (x.origin, y.origin)
    cells = (x.count, y.count)
    first = (Int(-2 * x.origin), Int(-2 * y.origin))
    let span = (2 * scale * (width - 1), 2 * scale * (height - 1))
    let columns = FFTSizes.good(atLeast: (x.count + span.0 + 2) / 2 * 2)
    let rows = FFTSizes.good(atLeast: (y.count + span.1 + 2) / 2 * 2)
    transforms = FFTPlan(rows: rows, columns: columns, planning: planning)
    let spread = SpreadFunction(
      reach: Double(max(x.count / 2 + psf.width, y.count / 2 + psf.height)) + 10)
    self.spread = spread
    /// Returns the contributions of a cell at all distances along an axis to each PSF sample, [distance, sample].
    func table(
      _ length: Int, _ span: Int, _ first: Int, _ size: Int, _ center: Double
    ) -> (values: [Double], slopes: [Double]) {
      // Pixel i is 2 s i cells after the first pixel's; distances are taken modulo the canvas.
      let most = first + span
      let known = (-2 * (size - 1) - length...most).map {
        spread.interpolation(at: 0.5 * Double($0) + center)
      }
      var values = [Double](repeating: 0, count: length * size)
      var slopes = values
      for place in 0..<length {
        let distance = place <= most ? place : place - length
        for sample in 0..<size {
          let entry = known[distance - 2 * sample + 2 * (size - 1) + length]
          values[place * size + sample] = entry.value
          slopes[place * size + sample] = entry.slope
        }
      }
      return (values, slopes)
    }
    let alongX = table(columns, span.0, first.x, psf.width, psf.centerX)
    let alongY = table(rows, span.1, first.y, psf.height, psf.centerY)
    let transforms = self.transforms
    // The PSF's samples are light in a fine pixel; an image's in a pixel.
    let perPixel = Double(scale * scale)
    /// Returns the transform of a cell's contribution by its factors along x and y.
    func kernel(_ x: [Double], _ y: [Double]) -> [Double] {
      let real = FFTBuffer(count: transforms.realCount)
      let spectrum = FFTBuffer(count: transforms.spectrumCount)
      var partial = [Double](repeating: 0, count: psf.height * columns)
      sersic_project_rows(
        psf.height, psf.width, columns, 1, psf.values, psf.width, x, psf.width, &partial)
      sersic_multiply_add(
        rows, psf.height, columns, perPixel / Double(rows * columns), y, partial, columns,
        real.pointer,
        columns)
      transforms.forward(real.pointer, into: spectrum.pointer)
      return Array(spectrum.buffer)
    }
    kernels = (
      kernel(alongX.values, alongY.values), kernel(alongX.slopes, alongY.values),
      kernel(alongX.values, alongY.slopes)
    )
  }

  /// The number of pixels of the image.
  var pixelCount: Int { width * height }

  /// Sets the image to the pixels of a canvas.
  func gather(_ canvas: FFTBuffer, into image: UnsafeMutablePointer<Double>) {
    let step = 2 * psf.oversampling
    for y in 0..<height {
      let row = canvas.pointer + (first.y + y * step) * transforms.columns + first.x
      for x in 0..<width { image[y * width + x] = row[x * step] }
    }
  }

  /// Sets a canvas to the pixels of an image, 0 elsewhere.
  func scatter(_ image: UnsafePointer<Double>, into canvas: FFTBuffer) {
    canvas.buffer.update(repeating: 0)
    let step = 2 * psf.oversampling
    for y in 0..<height {
      let row = canvas.pointer + (first.y + y * step) * transforms.columns + first.x
      for x in 0..<width { row[x * step] = image[y * width + x] }
    }
  }

  /// Returns the share with which light at a place counts: 1 in the full rectangle, 0 beyond the margin.
  func share(_ x: Double, _ y: Double) -> Double {
    func along(_ x: Double, _ range: ClosedRange<Double>) -> Double {
      let beyond = max(range.lowerBound - x, x - range.upperBound)
      guard beyond > 0 else { return 1 }
      return 0.5 * erfc((beyond - 0.5 * Self.fade) / Self.fadeScale)
    }
    let share = along(x, full.x)
    return share == 0 ? 0 : share * along(y, full.y)
  }
}
