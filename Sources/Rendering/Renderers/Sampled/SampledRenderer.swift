// SPDX-License-Identifier: MIT
//
// The pixel renderer of PSFs that contain the pixel's response: profiles as points, fine at the source; linear convolution.

import CKernels
import Numerics

/// The renderer `.pixel` of the convention `pixelResponse: .included`: slow, general, and independent of transforms.
///
/// The image is the profile convolved with the sinc-interpolated PSF array, sampled at pixel centres, as the Fourier
/// renderer's; but the integral is taken over the profile itself. Errors are some 1e-9 of the peak. Light that
/// a source has beyond the reach of the PSF around the frame fades out, and a point source there is left out.
/// Parameters that describe no profile give NaN.
public final class SampledRenderer: SceneRenderer {
  public let layout: SceneLayout

  /// What renderers of the same image share.
  private let plan: SampledRendererPlan

  /// A component: its kind, its first parameter, and its first canvas.
  private struct Component {
    let kind: ProfileKind
    let start: Int
    let canvas: Int
    let form: (any RadialForm)?
    let nodes: LightNodes
    /// The number of canvases: mass, mass times offsets, derivatives by the shape.
    var planes: Int { kind.isExtended ? 3 + kind.shapeCount : 1 }
  }

  /// The components.
  private let components: [Component]

  /// The canvases of a component at work.
  private let canvases: FFTBuffer

  /// The half spectra of the components' canvases, one after the other, of unit flux.
  private let spectra: FFTBuffer

  /// A half spectrum, and the canvas it becomes.
  private let spectrum: FFTBuffer

  /// The parameters of the spectra; NaN before the first rendering.
  private var current: [Double]

  /// Whether the latest parameters describe a scene.
  private var isFeasible = false

  /// The number of parameters before the sky's.
  private let lightCount: Int

  /// The Sérsic indices for which the densities are accurate.
  private static let indices = 0.1...20.0

  /// Creates a renderer with its own memory.
  ///
  /// - Parameters:
  ///   - plan: The image's geometry and PSF.
  ///   - layout: The scene.
  public init(plan: SampledRendererPlan, layout: SceneLayout) {
    self.plan = plan
    self.layout = layout
    let most = layout.components.map(\.shapeCount).max() ?? 0
    let canvases = FFTBuffer(count: (3 + most) * plan.transforms.realCount)
    self.canvases = canvases
    var start = 0
    var canvas = 0
    components = layout.components.map { kind in
      let component = Component(
        kind: kind, start: start, canvas: canvas, form: kind.makeForm(indices: Self.indices),
        nodes: LightNodes(plan: plan, shapeCount: kind.shapeCount, canvases: canvases.pointer))
      start += kind.parameterCount
      canvas += component.planes
      return component
    }
    lightCount = start
    spectra = FFTBuffer(count: canvas * plan.transforms.spectrumCount)
    spectrum = FFTBuffer(count: plan.transforms.spectrumCount)
    current = [Double](repeating: .nan, count: start)
  }

  public func render(
    _ parameters: UnsafeBufferPointer<Double>, into image: UnsafeMutableBufferPointer<Double>
  ) {
    check(parameters.count, layout.parameterCount, "parameters")
    check(image.count, plan.pixelCount, "pixels")
    evaluate(parameters)
    guard isFeasible, let out = image.baseAddress else {
      image.update(repeating: .nan)
      return
    }
    spectrum.buffer.update(repeating: 0)
    for component in components {
      addProduct(
        parameters[component.start + ProfileParameter.flux], plane(component, 0),
        plan.kernels.value)
    }
    transformToImage(out)
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
    plan.scatter(adjoint, into: canvases)
    plan.transforms.forward(canvases.pointer, into: spectrum.pointer)
    for component in components {
      let flux = parameters[component.start + ProfileParameter.flux]
      let direction = adjointDirection(component, parameters, flux)
      direction.add(component.kind, to: out + component.start)
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
    spectrum.buffer.update(repeating: 0)
    for component in components {
      addTangent(component, parameters, ProfileDirection(component.kind, d + component.start))
    }
    transformToImage(out)
    SkyKind.add(
      UnsafeBufferPointer(rebasing: direction[lightCount...]), to: out, width: plan.width,
      height: plan.height)
  }

  public func jacobian(
    _ parameters: UnsafeBufferPointer<Double>, into jacobian: UnsafeMutableBufferPointer<Double>
  ) {
    let count = plan.pixelCount
    check(jacobian.count, count * layout.parameterCount, "elements of the Jacobian")
    guard isFeasible, let out = jacobian.baseAddress else {
      jacobian.update(repeating: .nan)
      return
    }
    for component in components {
      for p in 0..<component.kind.parameterCount {
        spectrum.buffer.update(repeating: 0)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 16) { unit in
          unit.initialize(repeating: 0)
          unit[p] = 1
          guard let unit = unit.baseAddress else { return }
          addTangent(component, parameters, ProfileDirection(component.kind, unit))
        }
        transformToImage(out + (component.start + p) * count)
      }
    }
    SkyKind.fillJacobian(
      UnsafeMutableBufferPointer(rebasing: jacobian[(lightCount * count)...]), width: plan.width,
      height: plan.height)
  }

  // MARK: - Spectra

  /// Returns a component's plane of the spectra.
  private func plane(_ component: Component, _ k: Int) -> UnsafeMutablePointer<Double> {
    spectra.pointer + (component.canvas + k) * plan.transforms.spectrumCount
  }

  /// Brings the spectra up to date, those of components that changed only.
  private func evaluate(_ parameters: UnsafeBufferPointer<Double>) {
    isFeasible = parameters[lightCount...].allSatisfy(\.isFinite)
    let scale = Double(plan.psf.oversampling)
    let canvas = plan.transforms.realCount
    for component in components {
      let range = component.start..<component.start + component.kind.parameterCount
      if range.allSatisfy({ parameters[$0] == current[$0] }) { continue }
      for p in range { current[p] = .nan }
      guard let first = parameters.baseAddress.map({ $0 + component.start }) else { continue }
      var shape = ProfileShape(component.kind, first)
      guard shape.isFeasible, abs(shape.ellip) < 0.9999, (1e-6...1e9).contains(shape.rEff),
        abs(shape.xc) < 1e9, abs(shape.yc) < 1e9,
        component.form?.update(first + ProfileParameter.shape) ?? true
      else {
        isFeasible = false
        continue
      }
      shape.xc *= scale
      shape.yc *= scale
      shape.rEff *= scale
      canvases.pointer.update(repeating: 0, count: component.planes * canvas)
      if let form = component.form {
        component.nodes.add(shape, form)
      } else {
        component.nodes.addPoint(shape)
      }
      for k in 0..<component.planes {
        plan.transforms.forward(canvases.pointer + k * canvas, into: plane(component, k))
      }
      for p in range { current[p] = parameters[p] }
    }
  }

  /// Adds a factor times a plane times a kernel to the spectrum.
  private func addProduct(
    _ factor: Double, _ plane: UnsafePointer<Double>, _ kernel: [Double]
  ) {
    guard factor != 0 else { return }
    kernel.withUnsafeBufferPointer { kernel in
      sersic_add_complex_product(
        plan.transforms.spectrumCount / 2, factor, plane, kernel.baseAddress, spectrum.pointer)
    }
  }

  /// Sets an image to the pixels of the spectrum, which is used up.
  private func transformToImage(_ image: UnsafeMutablePointer<Double>) {
    plan.transforms.inverse(spectrum.pointer, into: canvases.pointer)
    plan.gather(canvases, into: image)
  }

  /// The change of a component's offsets: the matrix that takes (dx, dy) to the light's displacement.
  private func displacement(
    _ component: Component, _ parameters: UnsafeBufferPointer<Double>, _ d: ProfileDirection
  ) -> (xx: Double, xy: Double, yx: Double, yy: Double) {
    let kind = component.kind
    let theta = parameters[component.start + ProfileParameter.theta(kind)]
    let ellip = parameters[component.start + ProfileParameter.ellip(kind)]
    let (nx, ny) = (cosine(theta), sine(theta))
    let growth = d.rEff / parameters[component.start + ProfileParameter.rEff]
    let squeeze = -d.ellip / (1 - ellip)
    return (
      growth + squeeze * nx * nx, squeeze * nx * ny - d.theta, squeeze * nx * ny + d.theta,
      growth + squeeze * ny * ny
    )
  }

  /// Adds the change of a component along a direction to the spectrum.
  private func addTangent(
    _ component: Component, _ parameters: UnsafeBufferPointer<Double>, _ d: ProfileDirection
  ) {
    let flux = parameters[component.start + ProfileParameter.flux]
    let scale = Double(plan.psf.oversampling)
    let mass = plane(component, 0)
    let (byX, byY) = (plan.kernels.x, plan.kernels.y)
    addProduct(d.flux, mass, plan.kernels.value)
    addProduct(-flux * scale * d.xc, mass, byX)
    addProduct(-flux * scale * d.yc, mass, byY)
    guard component.kind.isExtended else { return }
    let m = displacement(component, parameters, d)
    addProduct(-flux * m.xx, plane(component, 1), byX)
    addProduct(-flux * m.xy, plane(component, 2), byX)
    addProduct(-flux * m.yx, plane(component, 1), byY)
    addProduct(-flux * m.yy, plane(component, 2), byY)
    for k in 0..<component.kind.shapeCount {
      addProduct(flux * d.shape[k], plane(component, 3 + k), plan.kernels.value)
    }
  }

  /// Returns the adjoint of a component's parameters for the image adjoint's spectrum.
  private func adjointDirection(
    _ component: Component, _ parameters: UnsafeBufferPointer<Double>, _ flux: Double
  ) -> ProfileDirection {
    /// Returns the sum over all frequencies of a plane times a kernel times the adjoint's conjugate.
    func sum(_ k: Int, _ kernel: [Double]) -> Double {
      kernel.withUnsafeBufferPointer { kernel in
        sersic_triple_product(
          plan.transforms.rows, plan.transforms.spectrumColumns, plane(component, k),
          kernel.baseAddress, spectrum.pointer)
      }
    }
    let scale = Double(plan.psf.oversampling)
    let (byX, byY) = (plan.kernels.x, plan.kernels.y)
    var out = ProfileDirection()
    out.flux = sum(0, plan.kernels.value)
    out.xc = -flux * scale * sum(0, byX)
    out.yc = -flux * scale * sum(0, byY)
    guard component.kind.isExtended else { return out }
    let (xx, xy, yx, yy) = (sum(1, byX), sum(2, byX), sum(1, byY), sum(2, byY))
    func along(_ change: ProfileDirection) -> Double {
      let m = displacement(component, parameters, change)
      return -flux * (m.xx * xx + m.xy * xy + m.yx * yx + m.yy * yy)
    }
    var unit = ProfileDirection()
    unit.rEff = 1
    out.rEff = along(unit)
    unit = ProfileDirection()
    unit.ellip = 1
    out.ellip = along(unit)
    unit = ProfileDirection()
    unit.theta = 1
    out.theta = along(unit)
    for k in 0..<component.kind.shapeCount {
      out.shape[k] = flux * sum(3 + k, plan.kernels.value)
    }
    return out
  }

  /// Traps where a buffer has not the expected number of elements.
  private func check(_ found: Int, _ expected: Int, _ what: String) {
    demand(found == expected, "SampledRenderer: expected \(expected) \(what), got \(found)")
  }
}
