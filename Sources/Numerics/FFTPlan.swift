// SPDX-License-Identifier: MIT
//
// Two-dimensional real transforms by FFTW 3: planned once behind a lock, executed from any thread.

internal import CFFTW
internal import Synchronization

/// How much effort goes into choosing the fastest transform.
public enum FFTPlanning: String, Sendable, Hashable, Codable {
  /// Planned at once by a heuristic: for a single fit.
  case estimate
  /// Candidates are timed (0.2–0.8 s a shape, then 1.3–2 times faster); the choice is kept in the wisdom file.
  case measure
}

/// The pair of two-dimensional transforms between a real array and its half spectrum.
///
/// Real arrays are row-major `[rows, columns]`; spectra are `[rows, columns/2 + 1]` complex numbers as (re, im) pairs,
/// the columns 0 … columns/2 of the full spectrum. Neither direction is scaled: the pair multiplies by rows · columns.
/// Buffers must be aligned as those of `FFTBuffer`.
///
/// ### Source
///
/// FFTW 3.3 manual, sections 4.3.3 (real-data DFTs), 4.6 (new-array execute) and 5.4 (thread safety).
package final class FFTPlan: @unchecked Sendable {
  // Proof for @unchecked: the properties are immutable, FFTW executes a plan from several threads at a time as long as
  // their arrays differ, and plans are made and destroyed behind `planner`.

  /// The number of rows of both arrays.
  package let rows: Int

  /// The number of columns of the real array.
  package let columns: Int

  /// The effort the plan was made with.
  package let planning: FFTPlanning

  /// The transform from the real array to the half spectrum.
  private let realToComplex: fftw_plan

  /// The transform from the half spectrum to the real array.
  private let complexToReal: fftw_plan

  /// FFTW's planner, one caller at a time; the value says whether the wisdom file was read.
  private static let planner = Mutex(false)

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
    self.planning = planning
    let real = FFTBuffer(count: rows * columns)
    let spectrum = FFTBuffer(count: 2 * rows * (columns / 2 + 1))
    let plans = Self.planner.withLock { wisdomIsRead in
      if planning == .measure && !wisdomIsRead {
        FFTWisdom.read()
        wisdomIsRead = true
      }
      let flags = planning == .measure ? FFTW_MEASURE : FFTW_ESTIMATE
      let forward = FFTPlanAddress(
        Self.forwardPlan(rows, columns, real, spectrum, flags | FFTW_WISDOM_ONLY)
          ?? Self.forwardPlan(rows, columns, real, spectrum, flags))
      let known = Self.backwardPlan(rows, columns, real, spectrum, flags | FFTW_WISDOM_ONLY)
      let backward = FFTPlanAddress(
        known ?? Self.backwardPlan(rows, columns, real, spectrum, flags))
      if planning == .measure && known == nil { FFTWisdom.write() }
      return (forward: forward, backward: backward)
    }
    guard let forward = plans.forward.plan, let backward = plans.backward.plan else {
      stop("FFTPlan: FFTW has no plan for \(rows) × \(columns)")
    }
    realToComplex = forward
    complexToReal = backward
  }

  deinit {
    let plans = (FFTPlanAddress(realToComplex), FFTPlanAddress(complexToReal))
    Self.planner.withLock { _ in
      fftw_destroy_plan(plans.0.plan)
      fftw_destroy_plan(plans.1.plan)
    }
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
      fftw_execute_dft_r2c(realToComplex, real, $0)
    }
  }

  /// Sets `real` to the unscaled transform Σ spectrum · exp(+i k x); `spectrum` is left in an undefined state.
  package func inverse(
    _ spectrum: UnsafeMutablePointer<Double>, into real: UnsafeMutablePointer<Double>
  ) {
    spectrum.withMemoryRebound(to: fftw_complex.self, capacity: spectrumCount / 2) {
      fftw_execute_dft_c2r(complexToReal, $0, real)
    }
  }

  /// Returns FFTW's plan of the forward transform, or nil where `flags` forbid making it.
  private static func forwardPlan(
    _ rows: Int, _ columns: Int, _ real: FFTBuffer, _ spectrum: FFTBuffer, _ flags: UInt32
  ) -> fftw_plan? {
    spectrum.pointer.withMemoryRebound(to: fftw_complex.self, capacity: spectrum.count / 2) {
      fftw_plan_dft_r2c_2d(
        Int32(rows), Int32(columns), real.pointer, $0, flags | FFTW_DESTROY_INPUT)
    }
  }

  /// Returns FFTW's plan of the backward transform, or nil where `flags` forbid making it.
  private static func backwardPlan(
    _ rows: Int, _ columns: Int, _ real: FFTBuffer, _ spectrum: FFTBuffer, _ flags: UInt32
  ) -> fftw_plan? {
    spectrum.pointer.withMemoryRebound(to: fftw_complex.self, capacity: spectrum.count / 2) {
      fftw_plan_dft_c2r_2d(
        Int32(rows), Int32(columns), $0, real.pointer, flags | FFTW_DESTROY_INPUT)
    }
  }
}

/// A plan's address on its way through the planner's lock.
private struct FFTPlanAddress: @unchecked Sendable {
  // Proof for @unchecked: an address only; it is used behind the lock, or by the one owner it is handed to.

  /// The plan, or nil where FFTW has none.
  let plan: fftw_plan?

  /// Creates the wrapper.
  init(_ plan: fftw_plan?) { self.plan = plan }
}
