// SPDX-License-Identifier: MIT
//
// Rendering as a primitive agrees with the renderer it wraps.

import Rendering
import Tensors
import Testing

@Suite("Rendering as a primitive") struct RenderPrimitiveTests {
  @Test("image, pullback, tangent and Jacobian are the renderer's, and there is no second order")
  func wraps() throws {
    let layout = SceneLayout([.sersic, .pointSource], sky: .flat)
    let psf = try PointSpreadFunction.gaussian(fwhm: 3)
    let plan = try PixelRendererPlan(width: 13, height: 11, psf: psf, layout: layout)
    let primitive = RenderPrimitive(plan)
    let parameters: [Double] = [6.3, 5.1, 20, 2, 1.5, 0.3, 0.4, 7.7, 4.2, 3, 0.1]
    let harness = PrimitiveHarness(primitive, inputShape: [11])
    let renderer = PixelRenderer(plan)

    #expect(primitive.outputShape([[11]]) == [11, 13])
    #expect(harness.value(parameters) == renderer.image(parameters, 143))
    let seed = PixelTestSupport.numbers(143)
    #expect(
      harness.gradient(parameters, seed: seed) == renderer.gradient(parameters, adjoint: seed))
    let direction = PixelTestSupport.numbers(11)
    #expect(
      harness.tangent(parameters, direction) == renderer.change(parameters, along: direction, 143))
    #expect(harness.jacobian(parameters) == renderer.derivatives(parameters, 143).flatMap { $0 })
    #expect(harness.curvature(parameters, direction, seed: seed, standIn: false) == nil)
  }
}
