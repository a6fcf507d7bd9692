// SPDX-License-Identifier: MIT
//
// The frequencies of one periodic grid, all or the low ones, with the transform of the point-spread function at each of them.

import Numerics

/// Returns the root of the sum of two squares.
private func hypotenuse(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }

/// A run of neighbouring frequencies of a row, and where its numbers lie.
struct FrequencyRun: Sendable {
  /// The row of `ky`.
  let row: Int
  /// The first of its columns of `kx`.
  let column: Int
  /// The place of its first frequency among all of the grid.
  let frequency: Int
  /// The place of its first number in the half spectrum.
  let target: Int
  /// The number of frequencies, at least four.
  let count: Int
  /// Whether another run has set its part of the half spectrum.
  let isFolded: Bool
}

/// A periodic grid: its frequencies, or those of them where a window is not zero; the PSF's transform there; the plans.
///
/// The image is the sum over |kx|, |ky| ≤ s π of the spectrum (s: oversampling of the PSF), sampled at pixel centres: bands
/// of width 2π fold onto one half spectrum. Rows run over ky = −sπ … sπ, both ends with half weight, so that the sum is
/// symmetric in ky; the same for kx follows from the inverse transform, which takes the real part of its first and last
/// column. Every row is cut into a run of kx for each band.
final class FourierGrid: Sendable {
  /// The number of columns of the periodic image, even.
  let columns: Int

  /// The number of rows of the periodic image, even.
  let rows: Int

  /// The transforms of the periodic image, of its rows in the frame.
  let transforms: FFTFramePlan

  /// The runs, row by row.
  let runs: [FrequencyRun]

  /// The kx of the runs of a row, one after the other, in radians per pixel.
  let kx: [Double]

  /// The index of kx in units of 2π/columns.
  let columnIndex: [Int]

  /// The largest modulus of an index of kx.
  let columnReach: Int

  /// The weights of the frequencies of a run in a sum over the half spectrum: 1, 2, …, 2, with 1 at the end of the band.
  let weights: [Double]

  /// The ky of the rows, in radians per pixel.
  let ky: [Double]

  /// The PSF's transform over the number of pixels, real parts, [rows, columns of kx]; half weights and window are in it.
  let psfRe: [Double]

  /// The imaginary parts.
  let psfIm: [Double]

  /// The edges of the band, where the image rings.
  let edges: BandEdges

  /// The largest |kx| or |ky|, in radians per pixel.
  let largestFrequency: Double

  /// Lays out all frequencies and transforms the PSF.
  ///
  /// - Parameters:
  ///   - columns: Columns of the periodic image, even.
  ///   - rows: Rows of the periodic image, even.
  ///   - frameRows: The rows of the periodic image that lie in the frame; nil: all.
  ///   - psf: The point-spread function.
  ///   - planning: The effort of planning the transforms.
  ///   - window: A factor of the PSF's transform at |k|, 1 at the edges of the band.
  init(
    columns: Int, rows: Int, frameRows: Int? = nil, psf: PointSpreadFunction,
    planning: FFTPlanning,
    window: ((Double) -> Double)? = nil
  ) {
    demand(columns % 2 == 0 && rows % 2 == 0, "FourierGrid: expected even sizes")
    self.columns = columns
    self.rows = rows
    let scale = psf.oversampling
    let runLength = columns / 2 + 1
    transforms = FFTFramePlan(
      rows: rows, columns: columns, frameRows: frameRows ?? rows, planning: planning)
    let firstBand = -(scale / 2)
    var columnIndex: [Int] = []
    for band in 0..<scale {
      for j in 0..<runLength { columnIndex.append(j + (firstBand + band) * columns) }
    }
    self.columnIndex = columnIndex
    columnReach = columnIndex.map(abs).max() ?? 0
    let kx = columnIndex.map { 2 * .pi * Double($0) / Double(columns) }
    self.kx = kx
    var weights = [Double](repeating: 2, count: runLength)
    weights[0] = 1
    weights[runLength - 1] = 1
    self.weights = weights
    let rowIndex = Array(-scale * rows / 2...scale * rows / 2)
    let ky = rowIndex.map { 2 * .pi * Double($0) / Double(rows) }
    self.ky = ky
    largestFrequency = Double(scale) * .pi
    runs = rowIndex.indices.flatMap { row in
      (0..<scale).map { band in
        FrequencyRun(
          row: row, column: band * runLength, frequency: row * kx.count + band * runLength,
          target: 2 * ((rowIndex[row] % rows + rows) % rows) * runLength, count: runLength,
          isFolded: row >= rows || band > 0)
      }
    }

    let spectra = PointSpreadSpectra(
      columns: columns, rows: rows, psf: psf, rowIndex: rowIndex, columnIndex: columnIndex)
    var (re, im) = spectra.transform { _, _ in 1 }
    if let window {
      for i in re.indices {
        let factor = window(hypotenuse(kx[i % kx.count], ky[i / kx.count]))
        re[i] *= factor
        im[i] *= factor
      }
    }
    (psfRe, psfIm) = (re, im)
    edges =
      psf.oversampling == 1
      ? BandEdges(columns: columns, rows: rows, spectra: spectra)
      : BandEdges(columns: columns, rows: rows)
  }

  /// Takes the frequencies |k| < limit from a grid of all frequencies; its spectra are to be zero elsewhere.
  ///
  /// - Parameters:
  ///   - grid: The grid of all frequencies.
  ///   - limit: Where the window has ended, below the edge of the band, in radians per pixel.
  ///   - window: The factor of the PSF's transform at |k|.
  init(_ grid: FourierGrid, below limit: Double, window: (Double) -> Double) {
    columns = grid.columns
    rows = grid.rows
    transforms = grid.transforms
    let stepX = 2 * Double.pi / Double(columns)
    let stepY = 2 * Double.pi / Double(rows)
    // Four frequencies at least, for the kernels.
    let reach = (x: max(Int(limit / stepX), 3), y: Int(limit / stepY))
    demand(
      reach.x < columns / 2 && reach.y < rows / 2,
      "FourierGrid: expected a limit within the band, got \(limit)")
    let kx = (0...reach.x).map { stepX * Double($0) }
    let rowIndex = Array(-reach.y...reach.y)
    columnIndex = Array(0...reach.x)
    columnReach = reach.x
    weights = columnIndex.map { $0 == 0 ? 1 : 2 }
    let ky = rowIndex.map { stepY * Double($0) }
    self.kx = kx
    self.ky = ky
    largestFrequency = limit
    let spectrumColumns = columns / 2 + 1
    let rows = rows
    runs = rowIndex.indices.map { row in
      let across = max(limit * limit - ky[row] * ky[row], 0).squareRoot()
      return FrequencyRun(
        row: row, column: 0, frequency: row * kx.count,
        target: 2 * ((rowIndex[row] + rows) % rows) * spectrumColumns,
        count: min(max(Int(across / stepX), 3), reach.x) + 1, isFolded: false)
    }
    let origin = (
      row: grid.ky.count / 2, column: grid.columnIndex.firstIndex(of: 0) ?? 0
    )
    var (re, im): ([Double], [Double]) = ([], [])
    for row in rowIndex.indices {
      let first = (origin.row + rowIndex[row]) * grid.kx.count + origin.column
      for column in kx.indices {
        let factor = window(hypotenuse(kx[column], ky[row]))
        re.append(factor * grid.psfRe[first + column])
        im.append(factor * grid.psfIm[first + column])
      }
    }
    (psfRe, psfIm) = (re, im)
    edges = BandEdges(columns: columns, rows: rows)
  }

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
