// SPDX-License-Identifier: MIT
//
// Point-spread functions: makers, normalisation, diagnostics.

import Foundation
import Rendering
import Testing

@Suite("Point-spread function") struct PointSpreadFunctionTests {
  @Test("analytic functions have sum 1, an odd size and the width asked for")
  func makers() throws {
    for fwhm in [2.0, 3.3, 6] {
      for psf in [
        try PointSpreadFunction.gaussian(fwhm: fwhm),
        try PointSpreadFunction.moffat(fwhm: fwhm, beta: 3),
        try PointSpreadFunction.moffat(fwhm: fwhm, beta: 2.5, size: 41),
      ] {
        #expect(psf.width == psf.height && psf.width % 2 == 1)
        // Rounding of a sum of some thousand terms.
        #expect(abs(psf.values.reduce(0, +) - 1) < 1e-13)
        let center = psf.height / 2 * psf.width + psf.width / 2
        #expect(psf.values[center] == psf.values.max())
        #expect(
          psf.findings(imageWidth: 200, imageHeight: 200) == (fwhm < 2.5 ? psf.findings() : []))
      }
    }
    // Half the peak at a distance of fwhm/2 = 2 pixels, a rounding apart.
    for psf in [
      try PointSpreadFunction.gaussian(fwhm: 4), try PointSpreadFunction.moffat(fwhm: 4, beta: 2.7),
    ] {
      let center = psf.height / 2 * psf.width + psf.width / 2
      #expect(abs(psf.values[center + 2] / psf.values[center] - 0.5) < 1e-14)
      #expect(abs(psf.values[center + 2 * psf.width] / psf.values[center] - 0.5) < 1e-14)
    }
  }

  @Test("the default size holds 0.9999 of the light or is 127")
  func defaultSize() throws {
    let gaussian = try PointSpreadFunction.gaussian(fwhm: 3)
    // σ = 1.27, reach 4.29 σ = 5.5 → 6 pixels each way.
    #expect(gaussian.width == 13)
    #expect(try PointSpreadFunction.moffat(fwhm: 40, beta: 1.5).width == 127)
    #expect(try PointSpreadFunction.gaussian(fwhm: 1e-3).width == 3)
  }

  @Test("numbers out of range are refused")
  func refusals() {
    #expect(throws: RenderingError.self) { try PointSpreadFunction.gaussian(fwhm: 0) }
    #expect(throws: RenderingError.self) { try PointSpreadFunction.gaussian(fwhm: .nan) }
    #expect(throws: RenderingError.self) { try PointSpreadFunction.moffat(fwhm: 3, beta: 1) }
    #expect(throws: RenderingError.self) {
      try PointSpreadFunction.gaussian(fwhm: 3, size: 0)
    }
    #expect(throws: RenderingError.self) {
      try PointSpreadFunction(width: 2, height: 1, values: [1, -1]).normalized()
    }
  }

  @Test("normalising keeps centre and sampling and divides by the sum")
  func normalization() throws {
    let psf = PointSpreadFunction(
      width: 3, height: 1, values: [1, 6, 1], centerX: 0.75, oversampling: 2)
    let normal = try psf.normalized()
    #expect(normal.values == [0.125, 0.75, 0.125])
    #expect(normal.centerX == 0.75 && normal.oversampling == 2)
  }

  @Test("each unusual property is measured and found")
  func diagnostics() throws {
    let good = try PointSpreadFunction.gaussian(fwhm: 3)
    #expect(good.findings(imageWidth: 13, imageHeight: 13).isEmpty)
    #expect(good.findings(imageWidth: 13, imageHeight: 12) == [.largerThanImage])

    let double = PointSpreadFunction(
      width: good.width, height: good.height, values: good.values.map { 2 * $0 })
    #expect(double.findings() == [.notNormalized])
    #expect(abs(double.diagnostics.sum - 2) < 1e-13)

    var shifted = good
    shifted.centerX += 0.5
    #expect(shifted.findings() == [.offCenter])
    // The Gaussian is symmetric: the offset is the shift, but for rounding.
    #expect(abs(shifted.diagnostics.centroidOffsetX + 0.5) < 1e-13)
    #expect(abs(shifted.diagnostics.centroidOffsetY) < 1e-13)

    let even = try PointSpreadFunction.gaussian(fwhm: 3, size: 14)
    #expect(even.findings() == [.evenSized])

    var holes = good.values
    holes[0] = .nan
    holes[1] = .infinity
    let broken = PointSpreadFunction(width: good.width, height: good.height, values: holes)
    #expect(broken.findings() == [.nonFinite])
    #expect(broken.diagnostics.nonFiniteCount == 2)

    let dark = PointSpreadFunction(
      width: good.width, height: good.height, values: good.values.map { $0 - 0.001 })
    #expect(dark.findings().contains(.negative))
    #expect(dark.diagnostics.negativeFraction > 0.01)

    let none = PointSpreadFunction(width: 1, height: 1, values: [0])
    #expect(none.findings() == [.noFlux])

    for finding in PointSpreadDiagnostics.Finding.allCases {
      #expect(good.diagnostics.describe(finding).contains("expected"))
    }
  }

  @Test("the transform at Nyquist tells a sharp function from a well sampled one")
  func sampling() throws {
    // exp(−2π²σ²k²) at k = 1/2, twice for the alias: σ = 0.6 gives 0.34, σ = 1.5 gives 3e-5.
    let width = 2 * (2 * log(2.0)).squareRoot()
    let sharp = try PointSpreadFunction.gaussian(fwhm: 0.6 * width)
    #expect(sharp.findings() == [.undersampled])
    let expected = 2 * exp(-2 * Double.pi * Double.pi * 0.36 / 4)
    // Further aliases and the cut of the wings are below 2e-3.
    #expect(abs(sharp.diagnostics.nyquistModulus - expected) < 2e-3)
    #expect(try PointSpreadFunction.gaussian(fwhm: 1.5 * width).findings().isEmpty)
  }
}
