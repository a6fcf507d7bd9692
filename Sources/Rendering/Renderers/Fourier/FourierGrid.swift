// SPDX-License-Identifier: MIT
//
// The frequencies of one periodic grid, with the transform of the point-spread function at each of them.

import Numerics

/// A periodic grid around the frame: its frequencies, the PSF's transform, the plans.
///
/// The image is the sum over |kx|, |ky| ≤ s π of the spectrum (s: oversampling of the PSF), sampled at pixel centres: bands
/// of width 2π fold onto one half spectrum. Rows run over ky = −sπ … sπ, both ends with half weight, so that the sum is
/// symmetric in ky; the same for kx follows from the inverse transform, which takes the real part of its first and last
/// column. Every row is cut into `bands` runs of kx, all of length `runLength`.
final class FourierGrid: Sendable {
  /// The number of columns of the periodic image, even.
  let columns: Int

  /// The number of rows of the periodic image, even.
  let rows: Int

  /// The number of runs in a row.
  let bands: Int

  /// The number of frequencies in a run: columns/2 + 1.
  let runLength: Int

  /// The transforms of the periodic image.
  let transforms: FFTPlan

  /// The kx of the runs, one after the other, in radians per pixel.
  let kx: [Double]

  /// The index of kx in units of 2π/columns.
  let columnIndex: [Int]

  /// The weights of the frequencies of a run in a sum over the half spectrum: 1, 2, …, 2, 1.
  let weights: [Double]

  /// The ky of the rows, in radians per pixel.
  let ky: [Double]

  /// The row of the half spectrum that a row is folded onto.
  let target: [Int]

  /// The PSF's transform over the number of pixels, real parts, [rows, bands, runLength]; the ends' half weight is in it.
  let psfRe: [Double]

  /// The imaginary parts.
  let psfIm: [Double]

  /// The edges of the band, where the image rings.
  let edges: BandEdges

  /// Lays out the frequencies and transforms the PSF.
  ///
  /// - Parameters:
  ///   - columns: Columns of the periodic image, even.
  ///   - rows: Rows of the periodic image, even.
  ///   - psf: The point-spread function.
  ///   - planning: The effort of planning the transforms.
  init(columns: Int, rows: Int, psf: PointSpreadFunction, planning: FFTPlanning) {
    precondition(columns % 2 == 0 && rows % 2 == 0, "FourierGrid: expected even sizes")
    self.columns = columns
    self.rows = rows
    let scale = psf.oversampling
    bands = scale
    runLength = columns / 2 + 1
    transforms = FFTPlan(rows: rows, columns: columns, planning: planning)
    let firstBand = -(scale / 2)
    var columnIndex: [Int] = []
    for band in 0..<scale {
      for j in 0..<runLength { columnIndex.append(j + (firstBand + band) * columns) }
    }
    self.columnIndex = columnIndex
    kx = columnIndex.map { 2 * .pi * Double($0) / Double(columns) }
    var weights = [Double](repeating: 2, count: runLength)
    weights[0] = 1
    weights[runLength - 1] = 1
    self.weights = weights
    let rowIndex = Array(-scale * rows / 2...scale * rows / 2)
    ky = rowIndex.map { 2 * .pi * Double($0) / Double(rows) }
    target = rowIndex.map { (($0 % rows) + rows) % rows }

    let spectra = PointSpreadSpectra(
      columns: columns, rows: rows, psf: psf, transforms: transforms, rowIndex: rowIndex,
      columnIndex: columnIndex)
    (psfRe, psfIm) = spectra.transform { _, _ in 1 }
    edges =
      psf.oversampling == 1
      ? BandEdges(columns: columns, rows: rows, spectra: spectra)
      : BandEdges(columns: columns, rows: rows)
  }

  /// Returns whether a run adds to a row of the half spectrum that another run has set, given the run's first column.
  func isFolded(row: Int, column: Int) -> Bool { row >= rows || column > 0 }

  /// The number of frequencies of all rows and runs.
  var frequencyCount: Int { ky.count * kx.count }

  /// Sets `re + i im` to exp(−2πi x index / period) for consecutive indices −count … count.
  static func phases(
    _ x: Double, period: Int, count: Int, re: UnsafeMutablePointer<Double>,
    im: UnsafeMutablePointer<Double>
  ) {
    let angle = -2 * Double.pi * x / Double(period)
    re[count] = 1
    im[count] = 0
    guard count > 0 else { return }
    for k in 1...count {
      if k == 1 {
        re[count + 1] = cosine(angle)
        im[count + 1] = sine(angle)
      } else {
        // By halves, so that rounding grows with log k only.
        let a = count + k / 2
        let b = count + k - k / 2
        re[count + k] = re[a] * re[b] - im[a] * im[b]
        im[count + k] = re[a] * im[b] + im[a] * re[b]
      }
      re[count - k] = re[count + k]
      im[count - k] = -im[count + k]
    }
  }
}

/// The transform of a point-spread function, and of its moments, at the frequencies of a grid.
struct PointSpreadSpectra {
  /// The point-spread function.
  let psf: PointSpreadFunction

  /// The number of pixels of the periodic image.
  private let pixels: Double

  /// The transform on the fine grid.
  private let plan: FFTPlan

  /// The indices of the rows' and the runs' frequencies.
  private let rowIndex, columnIndex: [Int]

  /// Chooses the transform: the grid's own, or one of the PSF's finer pixels.
  init(
    columns: Int, rows: Int, psf: PointSpreadFunction, transforms: FFTPlan, rowIndex: [Int],
    columnIndex: [Int]
  ) {
    self.psf = psf
    self.rowIndex = rowIndex
    self.columnIndex = columnIndex
    let scale = psf.oversampling
    pixels = Double(rows * columns)
    plan = scale == 1 ? transforms : FFTPlan(rows: scale * rows, columns: scale * columns)
  }

  /// Returns the transform, over the number of pixels, of the PSF times a weight of the offsets from its centre, [row, column].
  ///
  /// The rows at both ends have half weight. What reaches beyond the periodic grid is wrapped, which its frequencies
  /// cannot tell.
  func transform(_ weight: (Double, Double) -> Double) -> (re: [Double], im: [Double]) {
    let (fineRows, fineColumns) = (plan.rows, plan.columns)
    let real = FFTBuffer(count: plan.realCount)
    let spectrum = FFTBuffer(count: plan.spectrumCount)
    for y in 0..<psf.height {
      for x in 0..<psf.width {
        real.pointer[y % fineRows * fineColumns + x % fineColumns] +=
          psf.values[y * psf.width + x] * weight(Double(x) - psf.centerX, Double(y) - psf.centerY)
      }
    }
    plan.forward(real.pointer, into: spectrum.pointer)
    var re: [Double] = []
    var im: [Double] = []
    re.reserveCapacity(rowIndex.count * columnIndex.count)
    im.reserveCapacity(rowIndex.count * columnIndex.count)
    for row in rowIndex {
      let weight = (2 * abs(row) == fineRows ? 0.5 : 1) / pixels
      for column in columnIndex {
        var x = (column % fineColumns + fineColumns) % fineColumns
        var y = (row % fineRows + fineRows) % fineRows
        var sign = 1.0
        if x > fineColumns / 2 {
          x = fineColumns - x
          y = (fineRows - y) % fineRows
          sign = -1
        }
        let at = 2 * (y * plan.spectrumColumns + x)
        re.append(weight * spectrum.pointer[at])
        im.append(weight * sign * spectrum.pointer[at + 1])
      }
    }
    return (re, im)
  }
}
