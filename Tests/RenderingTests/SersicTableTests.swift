// SPDX-License-Identifier: MIT
//
// The transform of Sérsic profiles against Hankel integrals and closed forms, and its table against the transform.

import Foundation
import Rendering
import Testing

@Suite("Sérsic transform and its table") struct SersicTableTests {
  /// Hankel integrals.
  struct Golden: Decodable {
    /// One value.
    struct Case: Decodable {
      let n: Double
      let kappa: Double
      let value: Double
    }
    let cases: [Case]
  }

  @Test("the Mellin–Barnes sum agrees with Hankel integrals")
  func hankel() throws {
    let golden = try PixelTestSupport.golden("sersic_transforms", as: Golden.self)
    for c in golden.cases {
      let value = SersicTransform(n: c.n).values(at: c.kappa * c.kappa).value
      // Sums of some hundred terms of order one to ten, cut at 1e-16 of the largest.
      #expect(abs(value - c.value) < 1e-12, "n \(c.n), kappa \(c.kappa)")
    }
  }

  @Test("n = 1/2 is a Gaussian and n = 1 a power, for κ from 1e-4 to 100")
  func closedForms() {
    // b for n = 1/2 is ln 2, for n = 1 the root of (1 + b) e^(−b) = 1/2.
    let half = log(2.0)
    let one = 1.678_346_990_016_661
    for kappa in [1e-4, 0.03, 0.6, 0.999, 1.001, 2, 9, 100.0] {
      let s = kappa * kappa
      let gaussian = SersicTransform(n: 0.5).values(at: s)
      let power = SersicTransform(n: 1).values(at: s)
      // Rounding in sums of some hundred terms of order one; slopes are divided by s.
      #expect(abs(gaussian.value - exp(-s / (4 * half))) < 1e-12)
      #expect(abs(gaussian.slope * s + s / (4 * half) * exp(-s / (4 * half))) < 1e-11)
      let x = 1 + s / (one * one)
      #expect(abs(power.value - pow(x, -1.5)) < 1e-12)
      #expect(abs(power.slope * s + 1.5 * s / (one * one) * pow(x, -2.5)) < 1e-11)
    }
  }

  @Test("derivatives by s and n agree with finite differences of the sum")
  func transformDerivatives() {
    for n in [0.3, 1.3, 4.2, 11.0] {
      for s in [1e-6, 0.02, 0.9, 1.1, 30, 5000] {
        let v = SersicTransform(n: n).values(at: s)
        let h = 1e-4
        let up = SersicTransform(n: n * (1 + h)).values(at: s)
        let down = SersicTransform(n: n * (1 - h)).values(at: s)
        // Central differences: h² times third derivatives of order ten, rounding 1e-13 / h.
        #expect(abs((up.value - down.value) / (2 * h * n) - v.byIndex) < 1e-6)
        #expect(abs((up.slope - down.slope) / (2 * h * n) - v.slopeByIndex) * s < 1e-6)
        let right = SersicTransform(n: n).values(at: s * (1 + h))
        let left = SersicTransform(n: n).values(at: s * (1 - h))
        #expect(abs((right.value - left.value) / (2 * h) - v.slope * s) < 1e-6)
      }
    }
  }

  @Test(
    "the table meets the transform to 3e-7 between its knots, and its slopes to 2e-5")
  func tableAccuracy() {
    var worst = 0.0
    for i in 0..<60 {
      let n = 0.25 * pow(48, (Double(i) + 0.37) / 60)
      let transform = SersicTransform(n: n)
      for j in 0..<200 {
        let kappa = pow(10, -4 + 8 * (Double(j) + 0.41) / 200)
        let found = SersicTable.shared.values(n: n, at: kappa * kappa)
        let expected = transform.values(at: kappa * kappa)
        worst = max(worst, abs(found.value - expected.value))
        // The bound of the design. Slopes are those of the interpolant, worse by the knots' distance.
        #expect(abs(found.value - expected.value) < 3e-7, "n \(n), kappa \(kappa)")
        #expect(abs(found.byIndex - expected.byIndex) < 2e-6, "n \(n), kappa \(kappa)")
        #expect(abs(found.slope - expected.slope) * kappa * kappa < 2e-5, "n \(n), kappa \(kappa)")
      }
    }
    print("largest error of the transform's table: \(worst)")
  }
}
