// SPDX-License-Identifier: MIT
//
// The sampled renderer against reference images, against sums over points, and as a check of itself.

import Foundation
import Rendering
import Testing

@Suite("Sampled renderer") struct SampledRendererTests {
  @Test(
    "every shared reference image is met to 1e-5 of its peak",
    .enabled(if: PixelTestSupport.hasReferences, "needs ../shared/data/render_reference"),
    arguments: PixelTestSupport.references)
  func sharedImages(source: ReferenceSource) throws {
    let file = try #require(source.file)
    let images = try PixelTestSupport.readImages(
      PixelTestSupport.referenceFolder.appending(path: file))
    try #require(images.count == 3)
    let star = images[2]
    let psf = PointSpreadFunction(width: star.width, height: star.height, values: star.values)
    let renderer = SampledRenderer(
      plan: try SampledRendererPlan(width: source.nx, height: source.ny, psf: psf),
      layout: SceneLayout([.sersic]))
    let image = renderer.image(source.parameters(flux: 100), source.nx * source.ny)
    let error = PixelTestSupport.relativeError(image, images[1].values)
    print("\(file): \(error) of the peak")
    // The references are good to 1e-8 for wide PSFs, 6e-6 for sharp ones, 1.4e-5 for tiny_n6 (their README).
    #expect(error < (file.hasPrefix("tiny") ? 2e-5 : 7e-6))
  }

  @Test("a Gaussian through a Gaussian is a Gaussian, thin, small or wide, anywhere")
  func gaussians() throws {
    let (width, height) = (40, 34)
    let sigma = 2.0
    let psf = PointSpreadFunction.gaussian(sigma: sigma, 37, 38)
    let renderer = SampledRenderer(
      plan: try SampledRendererPlan(width: width, height: height, psf: psf),
      layout: SceneLayout([.gaussian]))
    for (xc, yc, rEff, ellip) in [
      (19.3, 16.8, 4.0, 0.3), (18.1, 15.2, 0.01, 0), (20.4, 17.7, 30, 0.93), (-4.1, 30.2, 12, 0.6),
      (60, 17, 40, 0.2), (19.3, 16.8, 0.3, 0.8),
    ] {
      let theta = 0.7
      let image = renderer.image([xc, yc, 1, rEff, ellip, theta], width * height)
      let own = rEff / (2 * log(2.0)).squareRoot()
      let (major, minor) = (own * own, own * own * (1 - ellip) * (1 - ellip))
      let (a, b) = (major + sigma * sigma, minor + sigma * sigma)
      let expected = (0..<width * height).map { i in
        let (dx, dy) = (Double(i % width) - xc, Double(i / width) - yc)
        let (u, v) = (-dx * sin(theta) + dy * cos(theta), -dx * cos(theta) - dy * sin(theta))
        return exp(-0.5 * (u * u / a + v * v / b)) / (2 * .pi * (a * b).squareRoot())
      }
      let peak = 1 / (2 * .pi * (a * b).squareRoot())
      let error = PixelTestSupport.largest(zip(image, expected).map { $0 - $1 }) / peak
      // The PSF's samples have 2e-9 of their power beyond the band, and end at 9 σ; the lattice and the spreading miss 1e-9.
      #expect(error < 2e-8, "r_eff \(rEff), ellip \(ellip) at \(xc), \(yc)")
    }
  }

  @Test("a point source is the Fourier renderer's, on and between pixels, and nothing far away")
  func pointSource() throws {
    for psf in [
      PointSpreadFunction.moffat(fwhm: 3, 41, 39), .gaussian(sigma: 3.1, 36, 37, oversampling: 2),
    ] {
      let layout = SceneLayout([.pointSource])
      let sampled = SampledRenderer(
        plan: try SampledRendererPlan(width: 30, height: 28, psf: psf), layout: layout)
      let fourier = FourierRenderer(
        plan: try RendererPlan(width: 30, height: 28, psf: psf), layout: layout)
      for place in [[11.0, 12], [13.37, 9.81], [0.5, 27.2], [1e5, -3]] {
        let a = sampled.image(place + [2], 840)
        let b = fourier.image(place + [2], 840)
        let error = PixelTestSupport.largest(zip(a, b).map { $0 - $1 })
        // What the periodic renderer leaves of the ringing of copies.
        #expect(error < 2e-6, "at \(place)")
      }
    }
  }

  @Test("renderings depend on no earlier ones, and unchanged components are kept")
  func memory() throws {
    let layout = SceneLayout([.sersic, .pointSource], sky: .flat)
    let plan = try SampledRendererPlan(width: 25, height: 22, psf: .moffat(fwhm: 3, 11, 11))
    let parameters: [Double] = [12, 10, 30, 3, 2, 0.3, 1, 8, 7, 5, 0.1]
    var moved = parameters
    moved[0] = 14
    let fresh = SampledRenderer(plan: plan, layout: layout)
    let used = SampledRenderer(plan: plan, layout: layout)
    _ = used.image(moved, 550)
    #expect(used.image(parameters, 550) == fresh.image(parameters, 550))
  }

  @Test("a missing or broken PSF is an error")
  func errors() {
    #expect(throws: RenderingError.self) {
      try SampledRendererPlan(width: 10, height: 10, psf: nil)
    }
    #expect(throws: RenderingError.self) {
      try SampledRendererPlan(width: 0, height: 10, psf: .moffat(fwhm: 3, 5, 5))
    }
    let broken = PointSpreadFunction(width: 1, height: 1, values: [.nan])
    #expect(throws: RenderingError.self) {
      try SampledRendererPlan(width: 10, height: 10, psf: broken)
    }
  }
}
