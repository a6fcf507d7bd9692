// SPDX-License-Identifier: MIT
//
// Profiles as another program draws them: GalSim's images of the same light.

import Rendering
import Testing

@Suite("GalSim's images") struct GalSimTests {
  /// The golden file.
  struct Golden: Decodable {
    /// One profile.
    struct Case: Decodable {
      let kind: String
      let shape: Double?
      let image: [Double]

      /// The kind of profile; nil for an unknown one.
      var profile: ProfileKind? {
        let kinds: [ProfileKind] = [.gaussian, .exponential, .sersic, .spergel, .moffat]
        return kinds.first { $0.name == kind }
      }
    }
    let width, height: Int
    let sigma: Double
    let place, ellipse: [Double]
    let cases: [Case]
  }

  @Test("profiles, radii, ellipticities and angles are those of GalSim")
  func images() throws {
    let golden = try PixelTestSupport.golden("galsim_images", as: Golden.self)
    #expect(golden.cases.count == 10)
    let psf = PointSpreadFunction.gaussian(sigma: golden.sigma, 41, 41)
    for c in golden.cases {
      let layout = SceneLayout([try #require(c.profile)])
      let parameters = golden.place + (c.shape.map { [$0] } ?? []) + golden.ellipse
      let renderers: [any SceneRenderer] = [
        FourierRenderer(
          plan: try RendererPlan(width: golden.width, height: golden.height, psf: psf),
          layout: layout),
        SampledRenderer(
          plan: try SampledRendererPlan(width: golden.width, height: golden.height, psf: psf),
          layout: layout),
      ]
      for renderer in renderers {
        let image = renderer.image(parameters, golden.width * golden.height)
        let error = PixelTestSupport.relativeError(image, c.image)
        // GalSim lets 1e-4 of the light fold back into its frame, spread over it; a wrong radius or angle would be seen at 1e-3.
        #expect(error < 5e-5, "\(c.kind) \(c.shape ?? .nan) by \(type(of: renderer)): \(error)")
      }
    }
  }
}
