// SPDX-License-Identifier: MIT
//
// What all pixel renderers of one image share: geometry, point-spread function and transforms.

package import Numerics

/// The immutable part of a pixel renderer: the frame, the cells with their margin, the PSF's transform.
///
/// Cells are image pixels, or the finer pixels of an oversampled PSF. The canvas is larger than the frame by the PSF's
/// size − 1, so that light just outside the frame is scattered into it, and then by what makes transforms fast; the
/// convolution on the periodic canvas is linear inside the frame. A PSF whose centre lies between its pixels moves the cells
/// by that fraction, which needs no interpolation.
package final class PixelRendererPlan: Sendable {
  /// The number of columns of the image.
  package let width: Int

  /// The number of rows of the image.
  package let height: Int

  /// The structure of the scene.
  package let layout: SceneLayout

  /// The number of cells along an image pixel.
  let oversampling: Int

  /// The cells.
  let grid: PixelGrid

  /// The cell of the convolved canvas that is the first of the frame: column.
  private let firstColumn: Int

  /// The cell of the convolved canvas that is the first of the frame: row.
  private let firstRow: Int

  /// The transforms of the canvas; nil where there is no PSF.
  let transforms: FFTPlan?

  /// The PSF's half spectrum over the number of canvas elements, (re, im) pairs.
  private let kernel: [Double]

  /// Points along the canvas's columns and rows; nil where there is no PSF.
  let points: (x: BandLimitedPoint, y: BandLimitedPoint)?

  /// Lays out the canvas and transforms the PSF.
  ///
  /// - Parameters:
  ///   - width: Columns of the image.
  ///   - height: Rows of the image.
  ///   - psf: The optical PSF without the pixel's response, used as given; nil: no convolution.
  ///   - layout: The scene.
  ///   - planning: The effort of planning the transforms.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidPointSpread`, or `unsupportedScene` for a point source
  ///   without a PSF.
  package init(
    width: Int, height: Int, psf: PointSpreadFunction?, layout: SceneLayout,
    planning: FFTPlanning = .estimate
  ) throws(RenderingError) {
    guard width > 0 && height > 0 else {
      throw RenderingError(
        .emptyGrid, expected: "an image with pixels", found: "\(width) × \(height)",
        advice: "check the image or its section")
    }
    self.width = width
    self.height = height
    self.layout = layout
    guard let psf else {
      guard !layout.components.contains(.pointSource) else {
        throw RenderingError(
          .unsupportedScene, expected: "a PSF for a scene with a point source", found: "none",
          advice: "give a PSF, or leave the point source out")
      }
      oversampling = 1
      firstColumn = 0
      firstRow = 0
      transforms = nil
      kernel = []
      points = nil
      grid = PixelGrid(
        left: -0.5, bottom: -0.5, side: 1, columns: width, rows: height, canvasColumns: width,
        canvasRows: height)
      return
    }
    try psf.validate()
    let scale = psf.oversampling
    let side = 1 / Double(scale)
    let columns = width * scale + psf.width - 1
    let rows = height * scale + psf.height - 1
    let canvasColumns = FFTSizes.good(atLeast: columns)
    let canvasRows = FFTSizes.good(atLeast: rows)
    // Cell 0 lies (size − 1 − centre) cells before the frame's first; its left edge is half a cell further.
    let left = -0.5 - side * (Double(psf.width - 1) - psf.centerX)
    let bottom = -0.5 - side * (Double(psf.height - 1) - psf.centerY)
    oversampling = scale
    firstColumn = psf.width - 1
    firstRow = psf.height - 1
    grid = PixelGrid(
      left: left, bottom: bottom, side: side, columns: columns, rows: rows,
      canvasColumns: canvasColumns, canvasRows: canvasRows)
    let transforms = FFTPlan(rows: canvasRows, columns: canvasColumns, planning: planning)
    self.transforms = transforms
    points = (BandLimitedPoint(count: canvasColumns), BandLimitedPoint(count: canvasRows))

    let canvas = FFTBuffer(count: transforms.realCount)
    let spectrum = FFTBuffer(count: transforms.spectrumCount)
    let normalization = 1 / Double(transforms.realCount)
    for row in 0..<psf.height {
      for column in 0..<psf.width {
        canvas.pointer[row * canvasColumns + column] =
          psf.values[row * psf.width + column] * normalization
      }
    }
    transforms.forward(canvas.pointer, into: spectrum.pointer)
    kernel = Array(spectrum.buffer)
  }

  /// The number of pixels of the image.
  var pixelCount: Int { width * height }

  /// Sets the image to a canvas convolved with the PSF and summed over the cells of each pixel; the canvas is used up.
  func convolve(
    _ canvas: FFTBuffer, _ spectrum: FFTBuffer, into image: UnsafeMutablePointer<Double>
  ) {
    if let transforms {
      transforms.forward(canvas.pointer, into: spectrum.pointer)
      multiply(spectrum, sign: 1)
      transforms.inverse(spectrum.pointer, into: canvas.pointer)
    }
    let scale = oversampling
    for y in 0..<height {
      for x in 0..<width {
        var sum = 0.0
        for row in 0..<scale {
          let start =
            (firstRow + y * scale + row) * grid.canvasColumns + firstColumn + x * scale
          for column in 0..<scale { sum += canvas.pointer[start + column] }
        }
        image[y * width + x] = sum
      }
    }
  }

  /// Sets the canvas to the adjoint of `convolve` for an image adjoint.
  func correlate(
    _ image: UnsafePointer<Double>, _ spectrum: FFTBuffer, into canvas: FFTBuffer
  ) {
    canvas.buffer.update(repeating: 0)
    let scale = oversampling
    for y in 0..<height {
      for x in 0..<width {
        for row in 0..<scale {
          let start =
            (firstRow + y * scale + row) * grid.canvasColumns + firstColumn + x * scale
          for column in 0..<scale { canvas.pointer[start + column] = image[y * width + x] }
        }
      }
    }
    if let transforms {
      transforms.forward(canvas.pointer, into: spectrum.pointer)
      multiply(spectrum, sign: -1)
      transforms.inverse(spectrum.pointer, into: canvas.pointer)
    }
  }

  /// Multiplies a half spectrum by the PSF's (sign 1) or by its complex conjugate (sign −1).
  private func multiply(_ spectrum: FFTBuffer, sign: Double) {
    kernel.withUnsafeBufferPointer { kernel in
      for i in stride(from: 0, to: kernel.count, by: 2) {
        let re = spectrum.pointer[i]
        let im = spectrum.pointer[i + 1]
        let kernelIm = sign * kernel[i + 1]
        spectrum.pointer[i] = re * kernel[i] - im * kernelIm
        spectrum.pointer[i + 1] = re * kernelIm + im * kernel[i]
      }
    }
  }
}
