// SPDX-License-Identifier: MIT
//
// Two-dimensional real transforms by FFTW 3: planned once behind a lock, executed from any thread.

internal import CFFTW

/// The pair of two-dimensional transforms between a real array and its half spectrum.
///
/// Real arrays are row-major `[rows, columns]`; spectra are `[rows, columns/2 + 1]` complex numbers as (re, im) pairs,
/// the columns 0 … columns/2 of the full spectrum. Neither direction is scaled: the pair multiplies by rows · columns.
/// Buffers must be aligned as those of `FFTBuffer`.
///
/// ### Source
///
/// FFTW 3.3 manual, sections 4.3.3 (real-data DFTs), 4.6 (new-array execute) and 5.4 (thread safety).
package final class FFTPlan: Sendable {
  /// The number of rows of both arrays.
  package let rows: Int

  /// The number of columns of the real array.
  package let columns: Int

  /// The transform from the real array to the half spectrum.
  private let realToComplex: FFTWPlan

  /// The transform from the half spectrum to the real array.
  private let complexToReal: FFTWPlan

  /// Plans both transforms of one shape.
  ///
  /// - Parameters:
  ///   - rows: The number of rows, `≥ 1`.
  ///   - columns: The number of columns of the real array, `≥ 1`.
  ///   - planning: With `.measure`, wisdom is read from, and added to, the user's cache folder.
  package init(rows: Int, columns: Int, planning: FFTPlanning = .estimate) {
    demand(rows >= 1 && columns >= 1, "FFTPlan: expected a shape, got \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    let real = FFTBuffer(count: rows * columns)
    let spectrum = FFTBuffer(count: 2 * rows * (columns / 2 + 1))
    let complex = UnsafeMutableRawPointer(spectrum.pointer).assumingMemoryBound(
      to: fftw_complex.self)
    let what = "\(rows) × \(columns)"
    realToComplex = FFTWPlan(planning, what) {
      fftw_plan_dft_r2c_2d(
        Int32(rows), Int32(columns), real.pointer, complex, $0 | FFTW_DESTROY_INPUT)
    }
    complexToReal = FFTWPlan(planning, what) {
      fftw_plan_dft_c2r_2d(
        Int32(rows), Int32(columns), complex, real.pointer, $0 | FFTW_DESTROY_INPUT)
    }
    withExtendedLifetime((real, spectrum)) {}
    if realToComplex.isMeasured || complexToReal.isMeasured { FFTWPlan.keepWisdom() }
  }

  /// The number of columns of the half spectrum.
  package var spectrumColumns: Int { columns / 2 + 1 }

  /// The number of doubles of the real array.
  package var realCount: Int { rows * columns }

  /// The number of doubles of the half spectrum, two for each complex number.
  package var spectrumCount: Int { 2 * rows * spectrumColumns }

  /// Sets `spectrum` to the unscaled transform Σ real · exp(−i k x); `real` is left in an undefined state.
  package func forward(
    _ real: UnsafeMutablePointer<Double>, into spectrum: UnsafeMutablePointer<Double>
  ) {
    spectrum.withMemoryRebound(to: fftw_complex.self, capacity: spectrumCount / 2) {
      fftw_execute_dft_r2c(realToComplex.address, real, $0)
    }
  }

  /// Sets `real` to the unscaled transform Σ spectrum · exp(+i k x); `spectrum` is left in an undefined state.
  package func inverse(
    _ spectrum: UnsafeMutablePointer<Double>, into real: UnsafeMutablePointer<Double>
  ) {
    spectrum.withMemoryRebound(to: fftw_complex.self, capacity: spectrumCount / 2) {
      fftw_execute_dft_c2r(complexToReal.address, $0, real)
    }
  }
}
