// SPDX-License-Identifier: MIT
//
// The hybrid renderer has pysersic's numbers, and derivatives of its own.

import Foundation
import Rendering
import Testing

@Suite("Hybrid renderer") struct HybridRendererTests {
  /// pysersic's images.
  struct Golden: Decodable {
    /// One source.
    struct Case: Decodable {
      let kind: String
      let parameters: [String: Double]
      let image: [Double]
    }
    let size: Int
    let psfSize: Int
    let psf: [Double]
    let cases: [Case]
  }

  /// Returns the kind of a name, and the parameters in its order.
  static func scene(_ c: Golden.Case) throws -> (ProfileKind, [Double]) {
    let kinds: [ProfileKind] = [.sersic, .exponential, .deVaucouleurs, .pointSource]
    let kind = try #require(kinds.first { $0.name == c.kind })
    // Keys have been turned to camel case.
    return (
      kind,
      try kind.parameterNames.map { try #require(c.parameters[$0] ?? c.parameters["rEff"]) }
    )
  }

  @Test("images are pysersic's, number by number")
  func pysersic() throws {
    let golden = try PixelTestSupport.golden("hybrid_images", as: Golden.self)
    let psf = PointSpreadFunction(
      width: golden.psfSize, height: golden.psfSize, values: golden.psf)
    for c in golden.cases {
      let (kind, parameters) = try Self.scene(c)
      let renderer = try HybridRenderer(
        plan: HybridRendererPlan(width: golden.size, height: golden.size, psf: psf),
        layout: SceneLayout([kind]))
      let image = renderer.image(parameters, c.image.count)
      // Amplitudes are sums of 21 terms of 1e3 that cancel to one or less.
      #expect(
        PixelTestSupport.relativeError(image, c.image) < 1e-9, "\(c.kind) \(c.parameters)")
    }
  }

  @Test("Spergel's profile has pysersic's fit of its constant, within 1 % of the right one")
  func spergel() throws {
    let psf = PointSpreadFunction.gaussian(sigma: 1.8, 21, 21)
    let hybrid = try HybridRenderer(
      plan: HybridRendererPlan(width: 81, height: 81, psf: psf), layout: SceneLayout([.spergel]))
    let exact = FourierRenderer(
      plan: try RendererPlan(width: 81, height: 81, psf: psf), layout: SceneLayout([.spergel]))
    for nu in [-0.5, 0.5, 2] {
      let parameters = [40.2, 39.6, 100, 3, nu, 0.4, 0.8]
      let a = hybrid.image(parameters, 81 * 81)
      let b = exact.image(parameters, 81 * 81)
      #expect(PixelTestSupport.relativeError(a, b) < 0.01, "nu \(nu)")
    }
  }

  @Test(
    "it draws what the Fourier renderer draws, to the accuracy of fifteen Gaussians, in any frame")
  func accuracy() throws {
    let psf = PointSpreadFunction.moffat(fwhm: 3, 21, 21)
    let hybrid = try HybridRenderer(
      plan: HybridRendererPlan(width: 90, height: 77, psf: psf), layout: SceneLayout([.sersic]))
    let fourier = FourierRenderer(
      plan: try RendererPlan(width: 90, height: 77, psf: psf), layout: SceneLayout([.sersic]))
    for (n, tolerance) in [(0.7, 0.04), (1, 0.01), (2.5, 0.01), (4, 0.03)] {
      let parameters = [44.3, 38.1, 100, 5, n, 0.4, 0.8]
      let a = hybrid.image(parameters, 90 * 77)
      let b = fourier.image(parameters, 90 * 77)
      let error = PixelTestSupport.relativeError(a, b)
      print("hybrid, n \(n): \(error) of the peak")
      // The scheme's own error, of which the design says 0.0003 to 0.17 of the peak.
      #expect(error < tolerance && error > 1e-4, "n \(n)")
    }
  }

  @Test("derivatives agree with finite differences, products with the Jacobian")
  func derivatives() throws {
    let layout = SceneLayout([.sersic, .spergel, .pointSource, .exponential], sky: .flat)
    for (width, height) in [(24, 20), (21, 25)] {
      let renderer = try HybridRenderer(
        plan: HybridRendererPlan(
          width: width, height: height, psf: PixelRendererTests.lopsided(9, 7)), layout: layout)
      let parameters: [Double] = [
        11.3, 9.8, 30, 3.1, 2.2, 0.35, 0.7, 9.6, 8.3, 20, 2.1, -0.3, 0.2, 2.4, 7.2, 12.7, 11, 13.1,
        8.8, 25, 4, 0.4, 1.9, 0.05,
      ]
      let pixels = width * height
      _ = renderer.image(parameters, pixels)
      let jacobian = renderer.derivatives(parameters, pixels)
      for (p, value) in parameters.enumerated() {
        func image(_ step: Double) -> [Double] {
          var moved = parameters
          moved[p] = value + step
          return renderer.image(moved, pixels)
        }
        let h = 1e-3
        let expected = zip(zip(image(h), image(-h)), zip(image(2 * h), image(-2 * h))).map {
          (8 * ($0.0 - $0.1) - ($1.0 - $1.1)) / (12 * h)
        }
        // Fourth order in h, rounding 1e-15 / h; the spline in n is of third order, and smooth here.
        #expect(PixelTestSupport.relativeError(jacobian[p], expected) < 1e-8, "parameter \(p)")
      }
      _ = renderer.image(parameters, pixels)
      let adjoint = PixelTestSupport.numbers(pixels)
      let direction = PixelTestSupport.numbers(parameters.count, seed: 5)
      let gradient = renderer.gradient(parameters, adjoint: adjoint)
      let change = renderer.change(parameters, along: direction, pixels)
      let expected = jacobian.map { row in zip(row, adjoint).map { $0 * $1 }.reduce(0, +) }
      var along = [Double](repeating: 0, count: pixels)
      for (row, d) in zip(jacobian, direction) {
        for i in along.indices { along[i] += d * row[i] }
      }
      #expect(PixelTestSupport.relativeError(gradient, expected) < 1e-12)
      #expect(PixelTestSupport.relativeError(change, along) < 1e-12)
    }
  }

  @Test("indices that pysersic cannot draw give NaN; scenes it does not have are refused")
  func limits() throws {
    let plan = try HybridRendererPlan(width: 20, height: 20, psf: .moffat(fwhm: 3, 11, 11))
    let renderer = try HybridRenderer(plan: plan, layout: SceneLayout([.sersic]))
    for n in [0.6, 8.1, .nan] {
      #expect(renderer.image([9, 9, 1, 3, n, 0.2, 0.1], 400).allSatisfy { $0.isNaN })
    }
    #expect(renderer.image([9, 9, 1, 3, 2, 0.2, 0.1], 400).allSatisfy { $0.isFinite })
    #expect(throws: RenderingError.self) {
      try HybridRenderer(plan: plan, layout: SceneLayout([.moffat]))
    }
    #expect(throws: RenderingError.self) {
      try HybridRendererPlan(width: 20, height: 20, psf: .moffat(fwhm: 3, 21, 21))
    }
    #expect(throws: RenderingError.self) {
      try HybridRendererPlan(width: 20, height: 20, psf: .moffat(fwhm: 6, 11, 11, oversampling: 2))
    }
    #expect(throws: RenderingError.self) {
      try HybridRendererPlan(width: 20, height: 20, psf: nil)
    }
  }
}
