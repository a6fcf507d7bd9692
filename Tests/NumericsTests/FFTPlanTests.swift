// SPDX-License-Identifier: MIT
//
// Tests of the two-dimensional real transforms against the plain sums they stand for.

import Numerics
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("FFT plan") struct FFTPlanTests {
  @Test(
    "forward equals the plain double sum, and inverse undoes it up to the size",
    arguments: [(6, 10), (5, 7), (1, 8), (8, 1), (12, 9)])
  func transforms(shape: (Int, Int)) {
    let (rows, columns) = shape
    let plan = FFTPlan(rows: rows, columns: columns)
    let real = FFTBuffer(count: plan.realCount)
    let spectrum = FFTBuffer(count: plan.spectrumCount)
    let input = (0..<rows * columns).map { Double(($0 * 37 + 11) % 19) - 7.25 }
    for i in input.indices { real.pointer[i] = input[i] }
    plan.forward(real.pointer, into: spectrum.pointer)
    for v in 0..<rows {
      for u in 0..<plan.spectrumColumns {
        var re = 0.0
        var im = 0.0
        for y in 0..<rows {
          for x in 0..<columns {
            let turns = Double(u * x) / Double(columns) + Double(v * y) / Double(rows)
            re += input[y * columns + x] * cos(2 * .pi * turns)
            im -= input[y * columns + x] * sin(2 * .pi * turns)
          }
        }
        let at = 2 * (v * plan.spectrumColumns + u)
        // Sums of 120 terms below 12, and angles up to 2π · 16: some 1e-13 of rounding.
        #expect(abs(spectrum.pointer[at] - re) < 1e-11)
        #expect(abs(spectrum.pointer[at + 1] - im) < 1e-11)
      }
    }
    plan.inverse(spectrum.pointer, into: real.pointer)
    for i in input.indices {
      // Rounding of a few operations on numbers up to 1500.
      #expect(abs(real.pointer[i] / Double(rows * columns) - input[i]) < 1e-13)
    }
  }

  @Test("good lengths are even, well factored, and at most a third longer than asked")
  func sizes() {
    for minimum in 48...4000 {
      let length = FFTSizes.good(atLeast: minimum)
      #expect(length >= minimum && length % 8 == 0)
      // The widest gap of these lengths is 48 → 64.
      #expect(3 * length <= 4 * minimum)
      var rest = length
      for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
      #expect(rest == 1)
    }
  }
}
