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
      guard case .pixels(let expected) = source.flux, let byRow = source.by_yc else {
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
}
