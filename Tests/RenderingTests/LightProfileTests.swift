// SPDX-License-Identifier: MIT
//
// Sums of light components and their parameter vectors.

import Rendering
import Tensors
import TestSupport
import Testing

@Suite("Light profiles") struct LightProfileTests {
  @Test("components add up in order, and their parameters lie one after the other")
  func sums() {
    let flux = Tensor(100.0)
    let disk = Exponential(xc: 10, yc: 11.5, flux: flux * 0.75, rEff: 5, ellip: 0.5, theta: 1)
    let bulge = Sersic(xc: 10, yc: 11.5, flux: flux * 0.25, rEff: 2, n: 3, ellip: 0.1, theta: 1.5)
    let nucleus = PointSource(xc: 10.5, yc: 11, flux: 7)
    let light = bulge + disk + nucleus
    #expect(light.layout == SceneLayout([.sersic, .exponential, .pointSource]))
    #expect(
      light.parameterVector.elements == [
        10, 11.5, 25, 2, 3, 0.1, 1.5, 10, 11.5, 75, 5, 0.5, 1, 10.5, 11, 7,
      ])
    let old = DeVaucouleurs(xc: 1, yc: 2, flux: 3, rEff: 4, ellip: 0.5, theta: 6)
    #expect(
      (old + (disk + nucleus)).layout.components == [.deVaucouleurs, .exponential, .pointSource])
    #expect(old.lightProfile.parameterVector.elements == [1, 2, 3, 4, 0.5, 6])
    #expect(LightProfile([]).parameterVector.count == 0)
  }

  @Test("a traced profile, its image and its likelihood have the derivatives of finite differences")
  func traced() throws {
    let psf = try PointSpreadFunction.gaussian(fwhm: 2.5)
    let layout = SceneLayout([.exponential, .pointSource], sky: .flat)
    let plan = try PixelRendererPlan(width: 15, height: 13, psf: psf, layout: layout)
    let render = RenderPrimitive(plan)
    let noise = PixelTestSupport.numbers(195)
    let likelihood = try ScaledImageLikelihood(
      .studentT(dof: 5), width: 15, height: 13, data: noise.map { 0.3 * $0 + 0.2 },
      rms: [Double](repeating: 0.2, count: 195))
    // Second order by central differences of the renderer's pullback, exact second order of the likelihood: 1e-7.
    checkGradient("log likelihood of a scene", at: [Tensor([7.3, 2.1, 0.8, 0.1])]) { inputs in
      let q = inputs[0]
      let disk = Exponential(
        xc: q[0], yc: 6.2, flux: exp(q[1]), rEff: exp(q[2]), ellip: 0.4, theta: 0.3)
      let light = disk + PointSource(xc: q[0], yc: 6.2, flux: 2)
      return likelihood(render(Tensor.concatenate([light.parameterVector, q[3].reshaped([1])])))
    }
  }
}
