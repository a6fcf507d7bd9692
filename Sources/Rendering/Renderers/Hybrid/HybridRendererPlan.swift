// SPDX-License-Identifier: MIT
//
// What all hybrid renderers of one image share: frequencies of the frame, and the PSF's transform as pysersic takes it.

public import Numerics

/// The immutable part of a hybrid renderer: the frame as a periodic grid, and the PSF's transform.
public final class HybridRendererPlan: Sendable {
  /// The number of columns of the image.
  public let width: Int

  /// The number of rows of the image.
  public let height: Int

  /// The point-spread function, used as given.
  public let psf: PointSpreadFunction

  /// The transforms of the frame.
  let transforms: FFTPlan

  /// The frequencies of columns and rows, in radians per pixel.
  let kx, ky: [Double]

  /// How often a column of the half spectrum counts in a sum over the full one.
  let weights: [Double]

  /// The PSF's transform over the number of pixels, real and imaginary parts, [row, column].
  let psfRe, psfIm: [Double]

  /// The mean of the PSF's standard deviations along x and y, about the middle of its array.
  let psfWidth: Double

  /// The number with which pysersic centres the PSF; it moves images by 3e-5 of half the PSF's size.
  private static let roundedPi = 3.1415

  /// Transforms the PSF.
  ///
  /// - Parameters:
  ///   - width: Columns of the image, at least 6.
  ///   - height: Rows of the image, > 0.
  ///   - psf: The effective PSF at the image's sampling, not larger than the image; nil is an error.
  ///   - planning: The effort of planning the transforms.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidPointSpread`, or `unsupportedScene` for what pysersic lacks.
  public init(
    width: Int, height: Int, psf: PointSpreadFunction?, planning: FFTPlanning = .estimate
  ) throws(RenderingError) {
    // The sums over a row of frequencies take four at a time.
    guard width >= 6 && height > 0 else {
      throw RenderingError(
        .emptyGrid, expected: "an image of at least 6 columns for the hybrid renderer",
        found: "\(width) × \(height)", advice: "check the image, or use the Fourier renderer")
    }
    guard let psf else {
      throw RenderingError(
        .unsupportedScene, expected: "a PSF for the hybrid renderer", found: "none",
        advice: "give a PSF, or use the pixel-integrated renderer")
    }
    try psf.validate()
    guard psf.oversampling == 1 else {
      throw RenderingError(
        .unsupportedScene, expected: "a PSF at the image's sampling for the hybrid renderer",
        found: "one oversampled by \(psf.oversampling)", advice: "use the Fourier renderer")
    }
    guard psf.width <= width, psf.height <= height else {
      throw RenderingError(
        .unsupportedScene, expected: "a PSF not larger than the image for the hybrid renderer",
        found: "\(psf.width) × \(psf.height) for \(width) × \(height)",
        advice: "cut the PSF, or use the Fourier renderer")
    }
    self.width = width
    self.height = height
    self.psf = psf
    let transforms = FFTPlan(rows: height, columns: width, planning: planning)
    self.transforms = transforms
    let columns = transforms.spectrumColumns
    let fx = (0..<columns).map { Double($0) / Double(width) }
    let fy = (0..<height).map { Double($0 < (height + 1) / 2 ? $0 : $0 - height) / Double(height) }
    kx = fx.map { 2 * .pi * $0 }
    ky = fy.map { 2 * .pi * $0 }
    weights = (0..<columns).map { $0 == 0 || 2 * $0 == width ? 1 : 2 }
    let real = FFTBuffer(count: transforms.realCount)
    let spectrum = FFTBuffer(count: transforms.spectrumCount)
    for y in 0..<psf.height {
      for x in 0..<psf.width {
        real.pointer[y * width + x] = psf.values[y * psf.width + x] / Double(width * height)
      }
    }
    transforms.forward(real.pointer, into: spectrum.pointer)
    var re = [Double](repeating: 0, count: columns * height)
    var im = re
    for row in 0..<height {
      for column in 0..<columns {
        let i = row * columns + column
        let angle =
          2 * Self.roundedPi * (psf.centerX * fx[column] + psf.centerY * fy[row])
        let (c, s) = (cosine(angle), sine(angle))
        let (a, b) = (spectrum.pointer[2 * i], spectrum.pointer[2 * i + 1])
        re[i] = a * c - b * s
        im[i] = a * s + b * c
      }
    }
    psfRe = re
    psfIm = im
    var sums = (total: 0.0, x: 0.0, y: 0.0)
    let middle = (Double(psf.width - 1) / 2, Double(psf.height - 1) / 2)
    for (i, value) in psf.values.enumerated() {
      let dx = Double(i % psf.width) - middle.0
      let dy = Double(i / psf.width) - middle.1
      sums.total += value
      sums.x += value * dx * dx
      sums.y += value * dy * dy
    }
    psfWidth =
      0.5 * (max(sums.x / sums.total, 0).squareRoot() + max(sums.y / sums.total, 0).squareRoot())
  }

  /// The number of pixels of the image.
  var pixelCount: Int { width * height }
}
