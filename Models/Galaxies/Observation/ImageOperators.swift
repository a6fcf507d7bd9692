// SPDX-License-Identifier: MIT
//
// The tape operations of one image, made once: rendering by scene, likelihood by loss.

import Numerics
import Rendering
import Synchronization
import Tensors

/// The operations that models of one image use; kept with the image, so that every run of a model finds them ready.
final class ImageOperators: Sendable {
  /// What identifies a rendering operation.
  private struct SceneKey: Hashable {
    let layout: SceneLayout
    let method: RenderingMethod
    let planning: FFTPlanning
  }

  /// The operations made so far.
  private struct Made {
    var plans: [FFTPlanning: RendererPlan] = [:]
    var sampledPlans: [FFTPlanning: SampledRendererPlan] = [:]
    var hybridPlans: [FFTPlanning: HybridRendererPlan] = [:]
    var renderers: [SceneKey: RenderPrimitive] = [:]
    var likelihoods: [ImageLoss: any ImageLikelihood] = [:]
    var medianRMS: Double?
  }

  private let made = Mutex(Made())

  /// Returns the operation that renders a scene on the grid of an image.
  func renderer(_ layout: SceneLayout, _ method: RenderingMethod, for image: ObservedImage) throws
    -> RenderPrimitive
  {
    try made.withLock { made in
      // Without a PSF that brings the pixel response only integration over pixels is right.
      let isBandLimited = image.psf != nil && image.pixelResponse == .included
      guard isBandLimited || method != .hybrid else { throw Self.noHybrid(image) }
      let method = isBandLimited ? method : .pixel
      let key = SceneKey(layout: layout, method: method, planning: image.planning)
      if let known = made.renderers[key] { return known }
      let primitive: RenderPrimitive
      switch method {
      case .fourier: primitive = try fourierRenderer(layout, image, &made)
      case .hybrid: primitive = try hybridRenderer(layout, image, &made)
      case .pixel:
        primitive =
          isBandLimited
          ? try sampledRenderer(layout, image, &made) : try pixelRenderer(layout, image)
      }
      made.renderers[key] = primitive
      return primitive
    }
  }

  /// Returns the error of an image that pysersic's scheme cannot draw.
  private static func noHybrid(_ image: ObservedImage) -> GalaxyModelError {
    GalaxyModelError(
      .unsupportedRendering(
        "hybrid",
        found: image.psf == nil
          ? "an image without a PSF" : "a PSF without the pixel response (integrated)"))
  }

  /// Returns the operation that renders a scene by the radial Fourier table.
  private func fourierRenderer(
    _ layout: SceneLayout, _ image: ObservedImage, _ made: inout Made
  ) throws -> RenderPrimitive {
    let plan =
      try made.plans[image.planning]
      ?? RendererPlan(
        width: image.width, height: image.height, psf: image.psf, planning: image.planning)
    made.plans[image.planning] = plan
    return RenderPrimitive(width: image.width, height: image.height, layout: layout) {
      FourierRenderer(plan: plan, layout: layout)
    }
  }

  /// Returns the operation that renders a scene by quadrature of its profiles.
  private func sampledRenderer(
    _ layout: SceneLayout, _ image: ObservedImage, _ made: inout Made
  ) throws -> RenderPrimitive {
    let plan =
      try made.sampledPlans[image.planning]
      ?? SampledRendererPlan(
        width: image.width, height: image.height, psf: image.psf, planning: image.planning)
    made.sampledPlans[image.planning] = plan
    return RenderPrimitive(width: image.width, height: image.height, layout: layout) {
      SampledRenderer(plan: plan, layout: layout)
    }
  }

  /// Returns the operation that renders a scene as pysersic does.
  private func hybridRenderer(
    _ layout: SceneLayout, _ image: ObservedImage, _ made: inout Made
  ) throws -> RenderPrimitive {
    let plan =
      try made.hybridPlans[image.planning]
      ?? HybridRendererPlan(
        width: image.width, height: image.height, psf: image.psf, planning: image.planning)
    made.hybridPlans[image.planning] = plan
    try HybridRenderer.validate(layout)
    return RenderPrimitive(width: image.width, height: image.height, layout: layout) {
      HybridRenderer(plan: plan, validated: layout)
    }
  }

  /// Returns the operation that integrates a scene over pixels.
  private func pixelRenderer(_ layout: SceneLayout, _ image: ObservedImage) throws
    -> RenderPrimitive
  {
    RenderPrimitive(
      try PixelRendererPlan(
        width: image.width, height: image.height, psf: image.psf, layout: layout,
        planning: image.planning))
  }

  /// Returns the likelihood of an image's pixels under a loss.
  func likelihood(_ loss: ImageLoss, for image: ObservedImage) throws -> any ImageLikelihood {
    try made.withLock { made in
      if let known = made.likelihoods[loss] { return known }
      let likelihood = try loss.likelihood(
        width: image.width, height: image.height, data: image.science, rms: image.rms,
        mask: image.mask)
      made.likelihoods[loss] = likelihood
      return likelihood
    }
  }

  /// Returns the median rms of an image's good pixels.
  func medianRMS(of image: ObservedImage) -> Double {
    made.withLock { made in
      if let known = made.medianRMS { return known }
      let values = zip(image.rms, image.mask).compactMap { $1 ? nil : $0 }.sorted()
      let middle = values.count / 2
      let median =
        values.count % 2 == 1
        ? values[middle] : values[middle - 1] + (values[middle] - values[middle - 1]) / 2
      made.medianRMS = median
      return median
    }
  }
}

extension ObservedImage {
  /// The median rms of the good pixels, image units.
  public var medianRMS: Double { operators.medianRMS(of: self) }
}
