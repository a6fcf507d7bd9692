// SPDX-License-Identifier: MIT
//
// The pixel renderer against reference images and independent integrals.

import Foundation
import Rendering
import Testing

@Suite("Pixel renderer against references") struct PixelRendererReferenceTests {
  /// The independent pixel integrals.
  struct Integrals: Decodable {
    let cases: [ReferenceSource]
  }

  @Test(
    "every shared reference image is met to 1e-11 of its peak",
    .enabled(if: PixelTestSupport.hasReferences, "needs ../shared/data/render_reference"),
    arguments: PixelTestSupport.references)
  func sharedImages(source: ReferenceSource) throws {
    let file = try #require(source.file)
    let images = try PixelTestSupport.readImages(
      PixelTestSupport.referenceFolder.appending(path: file))
    let expected = try #require(images.first)
    let star = try #require(images.last)
    let psf = PointSpreadFunction(width: star.width, height: star.height, values: star.values)
    let renderer = try PixelRenderer(
      width: source.nx, height: source.ny, psf: psf, layout: SceneLayout([.sersic]))
    let image = renderer.image(source.parameters(flux: 100), source.nx * source.ny)
    let error = PixelTestSupport.relativeError(image, expected.values)
    print("\(file): \(error) of the peak")
    // The files are good to about 1e-13 (their README), our integrals and transforms to some 1e-14.
    #expect(error < 1e-11)
  }

  @Test(
    "pixel fluxes and their change with position agree with signed triangles and Leibniz's rule")
  func independentIntegrals() throws {
    let golden = try PixelTestSupport.golden("pixel_integrals", as: Integrals.self)
    for source in golden.cases {
      guard case .pixels(let expected) = source.flux, let byRow = source.byYc else {
        Issue.record("no pixels for \(source.testDescription)")
        continue
      }
      let renderer = try PixelRenderer(
        width: source.nx, height: source.ny, layout: SceneLayout([.sersic]))
      let parameters = source.parameters(flux: 1)
      let image = renderer.image(parameters, expected.count)
      let error = PixelTestSupport.relativeError(image, expected)
      // gammainc is good to some 1e-13 of the flux, of which a pixel of the widest source holds 1e-5.
      #expect(error < 1e-9, "\(source.testDescription)")
      let change = renderer.derivatives(parameters, expected.count)[1]
      let changeError = PixelTestSupport.relativeError(change, byRow)
      // The quadrature of the golden numbers stops at 1e-12 of each edge, or complains at the cusp near 1e-10.
      #expect(changeError < 1e-9, "\(source.testDescription)")
    }
  }

  @Test(
    "pixels integrated whole or in nine parts agree, derivatives too, over the whole range of profiles"
  )
  func subdivision() throws {
    let star = PointSpreadFunction(width: 1, height: 1, values: [1], oversampling: 3)
    let layout = SceneLayout([.sersic])
    let whole = try PixelRenderer(width: 31, height: 25, layout: layout)
    let parts = try PixelRenderer(width: 31, height: 25, psf: star, layout: layout)
    for n in [0.3, 0.5, 1, 2.5, 4, 10] {
      for rEff in [0.3, 2, 15, 100] {
        for ellip in [0.1, 0.6, 0.95] {
          for (xc, yc) in [(15.3, 11.8), (-3.2, 30.1)] {
            let parameters = [xc, yc, 10, rEff, n, ellip, 0.6]
            let image = whole.image(parameters, 775)
            let expected = parts.image(parameters, 775)
            // Outside the frame a compact source leaves nothing but rounding of its flux.
            let floor = 1e-12 * parameters[2]
            let error = PixelTestSupport.largest(zip(image, expected).map { $0 - $1 })
            let peak = PixelTestSupport.largest(expected)
            // The quadrature aims at 1e-13; a peak of 1e-5 of the flux, of wide sources, makes it 1e-11.
            #expect(error < 1e-10 * peak + floor, "n \(n), r_eff \(rEff), ellip \(ellip), x \(xc)")
            let derivatives = whole.derivatives(parameters, 775)
            let expectedDerivatives = parts.derivatives(parameters, 775)
            for p in derivatives.indices {
              let difference = zip(derivatives[p], expectedDerivatives[p]).map { $0 - $1 }
              // Densities fall within an edge where r_eff · (1 − ellip) is far below a pixel: 1e-9 there.
              #expect(
                PixelTestSupport.largest(difference)
                  < 1e-8 * PixelTestSupport.largest(expectedDerivatives[p]) + floor,
                "parameter \(p), n \(n), r_eff \(rEff), ellip \(ellip), x \(xc)")
            }
          }
        }
      }
    }
  }
}
