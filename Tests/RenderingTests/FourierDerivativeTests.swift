// SPDX-License-Identifier: MIT
//
// The derivatives of the Fourier renderer against finite differences of its images, and against each other.

import Rendering
import Testing

@Suite("Fourier renderer's derivatives") struct FourierDerivativeTests {
  /// A Sérsic source in a frame, with a word on what is awkward about it.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let width: Int
    let height: Int
    let psf: PointSpreadFunction
    let parameters: [Double]

    init(
      _ name: String, _ width: Int, _ height: Int, _ psf: PointSpreadFunction,
      _ parameters: [Double]
    ) {
      self.name = name
      self.width = width
      self.height = height
      self.psf = psf
      self.parameters = parameters
    }

    var testDescription: String { name }
  }

  static let cases = [
    Case("ordinary", 40, 36, .moffat(fwhm: 3, 21, 21), [19.3, 17.8, 100, 4, 1.7, 0.3, 0.6]),
    Case("cuspy and wide", 36, 30, .moffat(fwhm: 2.2, 21, 21), [17.2, 14.1, 50, 20, 6.3, 0.5, 2]),
    Case("round", 32, 32, .moffat(fwhm: 3, 15, 15), [15.2, 16.1, 10, 5, 2.2, 0, 0.3]),
    Case("thin", 40, 40, .moffat(fwhm: 3, 15, 15), [20.3, 19.7, 10, 9, 1, 0.93, 0.4]),
    Case("flat-topped", 32, 40, .moffat(fwhm: 3, 15, 15), [15.2, 20.1, 10, 6, 0.31, 0.2, 0.3]),
    Case("tiny", 32, 32, .moffat(fwhm: 2.5, 15, 15), [15.5, 16.0, 10, 0.3, 4, 0.2, 1.3]),
    Case("huge", 30, 30, .moffat(fwhm: 3, 15, 15), [14.5, 16.0, 1e4, 100, 3, 0.2, 1.3]),
    Case("at the edge", 36, 30, .moffat(fwhm: 3, 15, 15), [0.2, 29.1, 10, 5, 2.5, 0.4, 2.8]),
    Case("outside", 36, 30, .moffat(fwhm: 3, 15, 15), [-6.2, 12.1, 10, 8, 2.5, 0.4, 2.8]),
    Case("far outside", 30, 30, .moffat(fwhm: 3, 15, 15), [150, 12.1, 10, 30, 4.5, 0.4, 0.8]),
    Case(
      "even, off-centre PSF", 33, 28, .moffat(fwhm: 3, 16, 12, centerX: 7.2, centerY: 5.9),
      [15.2, 13.1, 10, 5, 1.2, 0.3, 0.8]),
    Case(
      "oversampled by two", 30, 28, .moffat(fwhm: 6, 31, 31, oversampling: 2),
      [15.2, 13.1, 10, 4, 1.4, 0.3, 0.8]),
    Case(
      "oversampled by three", 30, 28, .moffat(fwhm: 7, 31, 31, oversampling: 3),
      [15.2, 13.1, 10, 4, 3.4, 0.3, 0.8]),
  ]

  /// Steps of the parameters, small against the scale on which each changes the image.
  static func steps(_ p: [Double]) -> [Double] {
    let size = min(max(p[3] * (1 - p[5]), 1), 5)
    return [
      2e-3 * size, 2e-3 * size, 0.1 * p[2], 1e-3 * p[3], 1e-3 * p[4], 1e-3 * (1 - p[5]), 1e-3,
    ]
  }

  @Test("all derivative images agree with finite differences to 1e-6", arguments: cases)
  func finiteDifferences(c: Case) throws {
    let plan = try RendererPlan(width: c.width, height: c.height, psf: c.psf)
    let renderer = FourierRenderer(plan: plan, layout: SceneLayout([.sersic]))
    let pixels = c.width * c.height
    _ = renderer.image(c.parameters, pixels)
    let derivatives = renderer.derivatives(c.parameters, pixels)
    for (k, step) in Self.steps(c.parameters).enumerated() {
      // Richardson extrapolation of central differences: errors of order step^6 and of rounding over step.
      func central(_ h: Double) -> [Double] {
        var up = c.parameters
        var down = c.parameters
        up[k] += h
        down[k] -= h
        let a = renderer.image(up, pixels)
        let b = renderer.image(down, pixels)
        return zip(a, b).map { ($0 - $1) / (2 * h) }
      }
      let (d1, d2, d4) = (central(step), central(step / 2), central(step / 4))
      let expected = zip(zip(d1, d2), d4).map { (d, d4) in
        (64 * d4 - 20 * d.1 + d.0) / 45
      }
      let error = PixelTestSupport.relativeError(derivatives[k], expected)
      // The bound; a round source has no derivative by theta, whose scale is then the image's own.
      let scale = PixelTestSupport.largest(expected)
      let image = PixelTestSupport.largest(renderer.image(c.parameters, pixels))
      let isFlat = scale < 1e-9 * image
      #expect(isFlat || error < 1e-6, "parameter \(k): \(error)")
    }
  }

  @Test("pullback and tangent are products with the Jacobian", arguments: cases)
  func products(c: Case) throws {
    let plan = try RendererPlan(width: c.width, height: c.height, psf: c.psf)
    let layout = SceneLayout([.sersic, .pointSource, .exponential], sky: .tiltedPlane)
    let renderer = FourierRenderer(plan: plan, layout: layout)
    let pixels = c.width * c.height
    let p = c.parameters
    let parameters =
      p + [p[0] + 2, p[1] - 3, 4] + [p[0] - 1, p[1] + 2, 7, 3, 0.2, 1] + [0.1, 0.01, 0.02]
    _ = renderer.image(parameters, pixels)
    let derivatives = renderer.derivatives(parameters, pixels)
    let adjoint = PixelTestSupport.numbers(pixels, seed: 3)
    let direction = PixelTestSupport.numbers(parameters.count, seed: 4)
    let gradient = renderer.gradient(parameters, adjoint: adjoint)
    let change = renderer.change(parameters, along: direction, pixels)
    var expectedChange = [Double](repeating: 0, count: pixels)
    for (k, image) in derivatives.enumerated() {
      let expected = zip(adjoint, image).reduce(0) { $0 + $1.0 * $1.1 }
      let scale = zip(adjoint, image).reduce(1e-300) { $0 + abs($1.0 * $1.1) }
      // Sums of the same products in another order, and two transforms: some hundred roundings.
      #expect(abs(gradient[k] - expected) < 1e-11 * scale, "parameter \(k)")
      for i in 0..<pixels { expectedChange[i] += direction[k] * image[i] }
    }
    let scale = derivatives.map(PixelTestSupport.largest).reduce(0, +)
    let error = PixelTestSupport.largest(zip(change, expectedChange).map { $0 - $1 })
    // Rounding again, relative to the sum of what is added.
    #expect(error < 1e-12 * scale)
  }
}

extension PointSpreadFunction {
  /// Returns a Moffat function with β = 3 and sum 1.
  static func moffat(
    fwhm: Double, _ width: Int, _ height: Int, centerX: Double? = nil, centerY: Double? = nil,
    oversampling: Int = 1
  ) -> PointSpreadFunction {
    let a = fwhm / 2 / 0.25992104989487319.squareRoot()
    let cx = centerX ?? Double(width - 1) / 2
    let cy = centerY ?? Double(height - 1) / 2
    var values: [Double] = []
    for y in 0..<height {
      for x in 0..<width {
        let (dx, dy) = ((Double(x) - cx) / a, (Double(y) - cy) / a)
        let base = 1 / (1 + dx * dx + dy * dy)
        values.append(base * base * base)
      }
    }
    let sum = values.reduce(0, +)
    return PointSpreadFunction(
      width: width, height: height, values: values.map { $0 / sum }, centerX: centerX,
      centerY: centerY, oversampling: oversampling)
  }
}
