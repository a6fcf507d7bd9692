// SPDX-License-Identifier: MIT
//
// Memory with the alignment that FFTW's vector instructions need.

internal import CFFTW

/// A zeroed block of doubles, aligned for FFTW; complex numbers are stored as (re, im) pairs.
///
/// A buffer belongs to one thread at a time, as its owner does.
package final class FFTBuffer {
  /// The first element.
  package let pointer: UnsafeMutablePointer<Double>

  /// The number of doubles.
  package let count: Int

  /// Creates a block of `count` zeros.
  package init(count: Int) {
    demand(count >= 0, "FFTBuffer: expected count ≥ 0, got \(count)")
    guard let raw = fftw_malloc(max(count, 1) * MemoryLayout<Double>.stride) else {
      stop("FFTBuffer: out of memory for \(count) doubles")
    }
    pointer = raw.bindMemory(to: Double.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: max(count, 1))
    self.count = count
  }

  deinit { fftw_free(pointer) }

  /// The whole block as a mutable buffer.
  package var buffer: UnsafeMutableBufferPointer<Double> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }
}
