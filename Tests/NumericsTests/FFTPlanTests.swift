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

  @Test(
    "transforms of a frame equal those of an array that is zero around it, and back",
    arguments: [(6, 10, 4), (5, 7, 5), (1, 8, 1), (8, 1, 3), (12, 9, 1), (400, 512, 300)])
  func frames(shape: (Int, Int, Int)) {
    let (rows, columns, frameRows) = shape
    let whole = FFTPlan(rows: rows, columns: columns)
    let plan = FFTFramePlan(rows: rows, columns: columns, frameRows: frameRows)
    // Both ways of passing the columns are among the shapes.
    #expect((plan.betweenCount == 0) == (rows == 400))
    let real = FFTBuffer(count: whole.realCount)
    let frame = FFTBuffer(count: plan.frameCount)
    let spectra = (
      FFTBuffer(count: whole.spectrumCount), FFTBuffer(count: plan.spectrumCount)
    )
    let between = FFTBuffer(count: plan.betweenCount)
    // What an earlier transform left there must not count.
    between.buffer.update(repeating: 17)
    spectra.1.buffer.update(repeating: 19)
    for i in 0..<plan.frameCount {
      frame.pointer[i] = Double((i * 37 + 11) % 19) - 7.25
      real.pointer[i] = frame.pointer[i]
    }
    whole.forward(real.pointer, into: spectra.0.pointer)
    plan.forward(frame.pointer, between: between.pointer, into: spectra.1.pointer)
    let largest = spectra.0.buffer.map(abs).max() ?? 0
    #expect(largest > 0)
    for i in 0..<whole.spectrumCount {
      #expect(abs(spectra.0.pointer[i] - spectra.1.pointer[i]) < 1e-13 * largest)
    }
    // Another spectrum, whose image is not zero outside the frame.
    for i in 0..<whole.spectrumCount {
      spectra.0.pointer[i] += Double(i % 7)
      spectra.1.pointer[i] = spectra.0.pointer[i]
    }
    whole.inverse(spectra.0.pointer, into: real.pointer)
    plan.inverse(spectra.1.pointer, between: between.pointer, into: frame.pointer)
    let peak = real.buffer.map(abs).max() ?? 0
    for i in 0..<plan.frameCount {
      #expect(abs(real.pointer[i] - frame.pointer[i]) < 1e-13 * peak)
    }
  }

  @Test("good lengths are even, well factored, and at most a third, then a sixth longer than asked")
  func sizes() {
    for minimum in 48...4000 {
      let length = FFTSizes.good(atLeast: minimum)
      #expect(length >= minimum && length % 8 == 0)
      // The widest gap of these lengths is 48 → 64, and 96 → 112 above.
      #expect(3 * length <= 4 * minimum)
      #expect(minimum <= 96 || 6 * length < 7 * minimum)
      var rest = length
      for factor in [2, 3, 5, 7] { while rest % factor == 0 { rest /= factor } }
      #expect(rest == 1)
    }
  }
}
