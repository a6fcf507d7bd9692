// SPDX-License-Identifier: MIT
//
// Lengths for which fast Fourier transforms are fast: 2^a 3^b 5^c 7^d with many twos (FFTW manual 3.3, section 4.3.2).

/// Choice of transform lengths.
package enum FFTSizes {
  /// Returns the smallest well-factored length that is not less than `minimum`.
  ///
  /// Lengths are 2^a times 1, 3, 5, 9, 15 or 25, from 112 also times 7 or 21, with a ≥ 2 from 16 and a ≥ 3 from 48: radix-4 and
  /// radix-8 steps on vectors of two and four doubles are what FFTW does best, and lengths with other factors take as long as the
  /// next of these. The widest gap is 48 → 64; above 96 it is a sixth.
  ///
  /// - Parameter minimum: The length that is needed; values below 1 count as 1.
  /// - Returns: A length in `minimum ..< 2 · minimum`, or `minimum` itself for 1.
  package static func good(atLeast minimum: Int) -> Int {
    let minimum = max(minimum, 1)
    var best = Int.max
    for odd in [1, 3, 5, 7, 9, 15, 21, 25] {
      var length = odd
      let least = odd % 7 == 0 ? max(minimum, 112) : minimum
      while length < least || !hasEnoughTwos(length) { length *= 2 }
      best = min(best, length)
    }
    return best
  }

  /// Returns whether a length has as many factors of two as its size asks for.
  private static func hasEnoughTwos(_ length: Int) -> Bool {
    let needed = length < 16 ? 0 : length < 48 ? 2 : 3
    return length.trailingZeroBitCount >= needed
  }
}
