// SPDX-License-Identifier: MIT
//
// Transforms of a periodic image of which only the first rows are wanted: along rows and along columns by separate plans.

internal import CFFTW

/// The pair of transforms between the first rows of a real array, the frame, and the half spectrum of the array.
///
/// As `FFTPlan`, but rows outside the frame are zero on the way to the spectrum, and are not computed on the way back. Rows
/// and columns are transformed one after the other, which FFTW's heuristic plans better than both at once: with a frame
/// of 0.7 of the rows this takes 0.5 to 0.9 of the time.
///
/// Columns pass from one array to another in small arrays, and stay in place in large ones, where the second array would take
/// longer than it spares. All arrays are aligned as those of `FFTBuffer`, and none overlaps another.
///
/// ### Source
///
/// FFTW 3.3 manual, sections 4.4 (advanced interface) and 4.6 (new-array execute).
package final class FFTFramePlan: Sendable {
  /// The number of rows of the spectrum and of the whole array.
  package let rows: Int

  /// The number of columns of the real array.
  package let columns: Int

  /// The number of rows of the frame.
  package let frameRows: Int

  /// The spectrum, in bytes, up to which columns pass from one array to another.
  ///
  /// On a processor with a second cache of 2 MiB columns of 360 × 181 numbers (1.0 MB) take 0.6 of the time so, those of 384 × 193
  /// (1.2 MB) 1.4 times as long.
  private static let largestApart = 1 << 20

  /// Whether columns pass from one array to another.
  private let isApart: Bool

  /// The transforms of the frame's rows.
  private let rowsForward, rowsBackward: FFTWPlan

  /// The transforms of the columns.
  private let columnsForward, columnsBackward: FFTWPlan

  /// Plans both transforms of one shape.
  ///
  /// - Parameters:
  ///   - rows: The number of rows, `≥ 1`.
  ///   - columns: The number of columns of the real array, `≥ 1`.
  ///   - frameRows: The number of rows of the frame, 1 … rows.
  ///   - planning: With `.measure`, wisdom is read from, and added to, the user's cache folder.
  package init(rows: Int, columns: Int, frameRows: Int, planning: FFTPlanning = .estimate) {
    demand(
      columns >= 1 && frameRows >= 1 && frameRows <= rows,
      "FFTFramePlan: expected a frame within its array, got \(frameRows) of \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    self.frameRows = frameRows
    let half = columns / 2 + 1
    let isApart = 16 * rows * half <= Self.largestApart
    self.isApart = isApart
    let real = FFTBuffer(count: frameRows * columns)
    let arrays = (isApart ? [0, 1] : [0]).map { _ in FFTBuffer(count: 2 * rows * half) }
    let complex = arrays.map {
      UnsafeMutableRawPointer($0.pointer).assumingMemoryBound(to: fftw_complex.self)
    }
    let (rowLength, columnLength) = ([Int32(columns)], [Int32(rows)])
    let what = "\(frameRows) of \(rows) × \(columns)"
    rowsForward = FFTWPlan(planning, what) {
      fftw_plan_many_dft_r2c(
        1, rowLength, Int32(frameRows), real.pointer, nil, 1, Int32(columns), complex[0], nil, 1,
        Int32(half), $0 | FFTW_DESTROY_INPUT)
    }
    rowsBackward = FFTWPlan(planning, what) {
      fftw_plan_many_dft_c2r(
        1, rowLength, Int32(frameRows), complex[0], nil, 1, Int32(half), real.pointer, nil, 1,
        Int32(columns), $0 | FFTW_DESTROY_INPUT)
    }
    /// Plans the columns one way.
    func planColumns(_ sign: Int32) -> FFTWPlan {
      FFTWPlan(planning, what) {
        fftw_plan_many_dft(
          1, columnLength, Int32(half), complex[0], nil, Int32(half), 1, complex[isApart ? 1 : 0],
          nil, Int32(half), 1, sign, $0 | FFTW_DESTROY_INPUT)
      }
    }
    columnsForward = planColumns(FFTW_FORWARD)
    columnsBackward = planColumns(FFTW_BACKWARD)
    withExtendedLifetime((real, arrays)) {}
    if [rowsForward, rowsBackward, columnsForward, columnsBackward].contains(where: \.isMeasured) {
      FFTWPlan.keepWisdom()
    }
  }

  /// The number of columns of the half spectrum.
  package var spectrumColumns: Int { columns / 2 + 1 }

  /// The number of doubles of the frame.
  package var frameCount: Int { frameRows * columns }

  /// The number of doubles of the half spectrum, two for each complex number.
  package var spectrumCount: Int { 2 * rows * spectrumColumns }

  /// The number of doubles of the array `between` rows and columns; 0 where there need be none.
  package var betweenCount: Int { isApart ? spectrumCount : 0 }

  /// Sets `spectrum` to the unscaled transform Σ frame · exp(−i k x); `frame` and `between` are left in an undefined state.
  package func forward(
    _ frame: UnsafeMutablePointer<Double>, between: UnsafeMutablePointer<Double>,
    into spectrum: UnsafeMutablePointer<Double>
  ) {
    let first = complex(isApart ? between : spectrum)
    fftw_execute_dft_r2c(rowsForward.address, frame, first)
    (UnsafeMutableRawPointer(first).assumingMemoryBound(to: Double.self)
      + 2 * frameRows * spectrumColumns).update(
        repeating: 0, count: 2 * (rows - frameRows) * spectrumColumns)
    fftw_execute_dft(columnsForward.address, first, complex(spectrum))
  }

  /// Sets `frame` to the unscaled transform Σ spectrum · exp(+i k x); `spectrum` and `between` are left in an undefined state.
  package func inverse(
    _ spectrum: UnsafeMutablePointer<Double>, between: UnsafeMutablePointer<Double>,
    into frame: UnsafeMutablePointer<Double>
  ) {
    let last = complex(isApart ? between : spectrum)
    fftw_execute_dft(columnsBackward.address, complex(spectrum), last)
    fftw_execute_dft_c2r(rowsBackward.address, last, frame)
  }

  /// Returns an array of (re, im) pairs as FFTW sees it.
  private func complex(_ pairs: UnsafeMutablePointer<Double>) -> UnsafeMutablePointer<fftw_complex>
  {
    UnsafeMutableRawPointer(pairs).assumingMemoryBound(to: fftw_complex.self)
  }
}
