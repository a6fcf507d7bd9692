// SPDX-License-Identifier: MIT
//
// pysersic's hybrid renderer, for comparison: twelve narrow Gaussians in Fourier space, three wide ones in pixels (Lang 2020).

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The renderer `.hybrid`: pysersic's numbers, so that results can be compared, and not a way to fit galaxies.
///
/// Light that leaves one edge returns on the other, the PSF is off its centre by 3e-5 of half its size, and n is confined to
/// 0.65...8 (NaN outside), all as there; but an image need not be square. Sérsic, exponential, de Vaucouleurs and
/// Spergel profiles and point sources are drawn: those that pysersic has.
///
/// ### Source
///
/// pysersic 0.1.5, rendering.HybridRenderer with its default settings (Pasha & Miller 2023, JOSS 8, 5703); the scheme is
/// from Lang 2020 (arXiv:2012.15797), the Gaussians from Shajib 2019 (MNRAS 488, 1387).
public final class HybridRenderer: SceneRenderer {
  public let layout: SceneLayout

  /// What renderers of the same image share.
  private let plan: HybridRendererPlan

  /// The components.
  private let components: [HybridComponent]

  /// The periodic image, and its half spectrum.
  private let canvas, spectrum: FFTBuffer

  /// The number of parameters before the sky's.
  private let lightCount: Int

  /// Whether the latest parameters describe a scene.
  private var isFeasible = false

  /// Creates a renderer with its own memory.
  ///
  /// - Parameters:
  ///   - plan: The image's geometry and PSF.
  ///   - layout: The scene.
  /// - Throws: `RenderingError` with kind `unsupportedScene` for a profile that pysersic does not have.
  public convenience init(
    plan: HybridRendererPlan, layout: SceneLayout
  ) throws(RenderingError) {
    try Self.validate(layout)
    self.init(plan: plan, validated: layout)
  }

  /// Throws where a scene has a profile that pysersic does not have.
  ///
  /// - Throws: `RenderingError` with kind `unsupportedScene`.
  package static func validate(_ layout: SceneLayout) throws(RenderingError) {
    for kind in layout.components {
      switch kind {
      case .sersic, .exponential, .deVaucouleurs, .spergel, .pointSource: continue
      case .gaussian, .moffat, .radial:
        throw RenderingError(
          .unsupportedScene, expected: "a profile that pysersic has, for the hybrid renderer",
          found: kind.name, advice: "use the Fourier renderer")
      }
    }
  }

  /// Creates a renderer of a scene that is known to have no other profiles.
  package init(plan: HybridRendererPlan, validated layout: SceneLayout) {
    self.plan = plan
    self.layout = layout
    var start = 0
    components = layout.components.map { kind in
      defer { start += kind.parameterCount }
      return HybridComponent(kind: kind, start: start, plan: plan)
    }
    lightCount = start
    canvas = FFTBuffer(count: plan.transforms.realCount)
    spectrum = FFTBuffer(count: plan.transforms.spectrumCount)
  }

  public func render(
    _ parameters: UnsafeBufferPointer<Double>, into image: UnsafeMutableBufferPointer<Double>
  ) {
    check(parameters.count, layout.parameterCount, "parameters")
    check(image.count, plan.pixelCount, "pixels")
    isFeasible = parameters[lightCount...].allSatisfy(\.isFinite)
    for component in components where !component.prepare(parameters) { isFeasible = false }
    guard isFeasible, let out = image.baseAddress else {
      image.update(repeating: .nan)
      return
    }
    for (i, component) in components.enumerated() {
      component.writeSpectrum(to: spectrum.pointer, adds: i > 0)
    }
    transformToImage(out)
    for component in components { component.addPixels(to: out) }
    SkyKind.add(
      UnsafeBufferPointer(rebasing: parameters[lightCount...]), to: out, width: plan.width,
      height: plan.height)
  }

  public func pullback(
    _ parameters: UnsafeBufferPointer<Double>, imageAdjoint: UnsafeBufferPointer<Double>,
    into parameterAdjoint: UnsafeMutableBufferPointer<Double>
  ) {
    check(parameterAdjoint.count, layout.parameterCount, "parameters")
    check(imageAdjoint.count, plan.pixelCount, "pixels")
    guard isFeasible, let adjoint = imageAdjoint.baseAddress, let out = parameterAdjoint.baseAddress
    else {
      for i in parameterAdjoint.indices { parameterAdjoint[i] += .nan }
      return
    }
    canvas.pointer.update(from: adjoint, count: plan.pixelCount)
    plan.transforms.forward(canvas.pointer, into: spectrum.pointer)
    for component in components {
      component.adjoint(spectrum.pointer, adjoint).add(component.kind, to: out + component.start)
    }
    SkyKind.addAdjoint(
      adjoint, to: UnsafeMutableBufferPointer(rebasing: parameterAdjoint[lightCount...]),
      width: plan.width, height: plan.height)
  }

  public func tangent(
    _ parameters: UnsafeBufferPointer<Double>, direction: UnsafeBufferPointer<Double>,
    into imageTangent: UnsafeMutableBufferPointer<Double>
  ) {
    check(direction.count, layout.parameterCount, "parameters")
    check(imageTangent.count, plan.pixelCount, "pixels")
    guard isFeasible, let out = imageTangent.baseAddress, let d = direction.baseAddress else {
      imageTangent.update(repeating: .nan)
      return
    }
    for (i, component) in components.enumerated() {
      component.writeTangent(
        ProfileDirection(component.kind, d + component.start), to: spectrum.pointer, adds: i > 0)
    }
    transformToImage(out)
    for component in components {
      component.addPixelsTangent(
        ProfileDirection(component.kind, d + component.start), to: out)
    }
    SkyKind.add(
      UnsafeBufferPointer(rebasing: direction[lightCount...]), to: out, width: plan.width,
      height: plan.height)
  }

  public func jacobian(
    _ parameters: UnsafeBufferPointer<Double>, into jacobian: UnsafeMutableBufferPointer<Double>
  ) {
    let count = plan.pixelCount
    check(jacobian.count, count * layout.parameterCount, "elements of the Jacobian")
    withUnsafeTemporaryAllocation(of: Double.self, capacity: layout.parameterCount) { unit in
      for p in 0..<layout.parameterCount {
        unit.initialize(repeating: 0)
        unit[p] = 1
        tangent(
          parameters, direction: UnsafeBufferPointer(unit),
          into: UnsafeMutableBufferPointer(rebasing: jacobian[p * count..<(p + 1) * count]))
      }
    }
  }

  /// Sets an image to that of the spectrum, which is used up.
  private func transformToImage(_ image: UnsafeMutablePointer<Double>) {
    guard !components.isEmpty else {
      image.update(repeating: 0, count: plan.pixelCount)
      return
    }
    plan.transforms.inverse(spectrum.pointer, into: canvas.pointer)
    image.update(from: canvas.pointer, count: plan.pixelCount)
  }

  /// Traps where a buffer has not the expected number of elements.
  private func check(_ found: Int, _ expected: Int, _ what: String) {
    demand(found == expected, "HybridRenderer: expected \(expected) \(what), got \(found)")
  }
}
