// SPDX-License-Identifier: MIT
//
// The transform of a point-spread function on a periodic grid, by one transform of its array.

import Numerics

/// The transform of a point-spread function, and of its moments, at the frequencies of a grid.
struct PointSpreadSpectra {
  /// The point-spread function.
  let psf: PointSpreadFunction

  /// The number of pixels of the periodic image.
  private let pixels: Double

  /// The transform on the fine grid.
  private let plan: FFTFramePlan

  /// The indices of the rows' and the runs' frequencies.
  private let rowIndex, columnIndex: [Int]

  /// Plans the transform of the PSF's pixels, which may be finer than the image's.
  init(
    columns: Int, rows: Int, psf: PointSpreadFunction, rowIndex: [Int], columnIndex: [Int]
  ) {
    self.psf = psf
    self.rowIndex = rowIndex
    self.columnIndex = columnIndex
    let scale = psf.oversampling
    pixels = Double(rows * columns)
    plan = FFTFramePlan(
      rows: scale * rows, columns: scale * columns, frameRows: min(psf.height, scale * rows))
  }

  /// Returns the transform, over the number of pixels, of the PSF times a weight of the offsets from its centre, [row, column].
  ///
  /// The rows at both ends have half weight. What reaches beyond the periodic grid is wrapped, which its frequencies
  /// cannot tell.
  func transform(_ weight: (Double, Double) -> Double) -> (re: [Double], im: [Double]) {
    let (fineRows, fineColumns) = (plan.rows, plan.columns)
    let real = FFTBuffer(count: plan.frameCount)
    let between = FFTBuffer(count: plan.betweenCount)
    let spectrum = FFTBuffer(count: plan.spectrumCount)
    for y in 0..<psf.height {
      for x in 0..<psf.width {
        real.pointer[y % fineRows * fineColumns + x % fineColumns] +=
          psf.values[y * psf.width + x] * weight(Double(x) - psf.centerX, Double(y) - psf.centerY)
      }
    }
    plan.forward(real.pointer, between: between.pointer, into: spectrum.pointer)
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
