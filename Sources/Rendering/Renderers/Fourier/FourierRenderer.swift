// SPDX-License-Identifier: MIT
//
// The default renderer: radial transforms times the PSF's transform on a periodic grid, minus the periodic copies.

import CKernels
import Numerics

/// The renderer of the convention `pixelResponse: .included`: the PSF image contains the pixel's response.
///
/// The image is the continuous profile convolved with the sinc-interpolated PSF array, sampled at pixel centres. The
/// transform of each component comes from a table in κ, the sum of all goes through one inverse transform, and the
/// light of the periodic copies is subtracted. Parameters that describe no profile (r_eff ≤ 0, n outside 0.25...12, nu
/// outside −0.9...10, beta outside 1.1...50, not finite) give NaN.
///
/// Errors are some 1e-6 of the peak, at worst a few 1e-5 (sources much larger than the frame, or outside it). Where the
/// parameters pass from one grid or set of nodes to another, the image jumps by less than that, some 5e-6 of the peak. A
/// source more than some 2.4 frames outside is drawn without grid and without ringing, 2e-5 of its peak for a sharp PSF.
///
/// In large frames the sources are split in frequency (`SpectrumSplit`), which adds an error of 6e-6 of a source's peak at
/// most, mostly 1e-6, and jumps of that size where a source passes from pixel to pixel.
///
/// Buffers grow when a source needs a larger grid for the first time; otherwise nothing is allocated, but by FFTW at some sizes.
public final class FourierRenderer: SceneRenderer {
  public let layout: SceneLayout

  /// What renderers of the same image share.
  private let plan: RendererPlan

  /// The components.
  private let components: [FourierComponent]

  /// The levels that the components need by themselves.
  private var levels: [Int]

  /// The grid of the latest rendering.
  private var grid: FourierGrid

  /// The periodic image of the frame and its half spectrum.
  private let canvas = PeriodicCanvas()

  /// The light of the periodic copies of all components.
  private let copyLight: CopyLight

  /// The image of a stamp, one source's after the other's.
  private let stamp = PeriodicCanvas()

  /// A direction of all parameters, for the Jacobian.
  private let direction: FFTBuffer

  /// Whether the latest parameters describe a scene.
  private var isFeasible = false

  /// The number of parameters before the sky's.
  private let lightCount: Int

  /// Creates a renderer with its own memory.
  ///
  /// - Parameters:
  ///   - plan: The image's geometry, PSF and transforms.
  ///   - layout: The scene.
  public init(plan: RendererPlan, layout: SceneLayout) {
    self.plan = plan
    self.layout = layout
    var next = 0
    components = layout.components.map { kind in
      defer { next += kind.parameterCount }
      return FourierComponent(kind: kind, start: next, plan: plan)
    }
    lightCount = next
    levels = [Int](repeating: 0, count: components.count)
    grid = plan.grid(0)
    canvas.reserve(grid)
    copyLight = CopyLight(plan: plan)
    direction = FFTBuffer(count: layout.parameterCount)
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
    var adds = clearsForSplit(components)
    for component in components where !component.isDistant {
      component.writeSpectrum(to: canvas.spectrum.pointer, adds: adds)
      adds = true
    }
    transformToImage(out, isEmpty: !adds)
    copyLight.clear()
    for component in components { component.complete(out, copyLight, stamp) }
    copyLight.add(to: out)
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
    guard isFeasible, let adjoint = imageAdjoint.baseAddress else {
      for i in parameterAdjoint.indices { parameterAdjoint[i] += .nan }
      return
    }
    if components.contains(where: { !$0.isDistant }) {
      let beyond = grid.columns - plan.width
      for y in 0..<plan.height {
        let row = canvas.image.pointer + y * grid.columns
        row.update(from: adjoint + y * plan.width, count: plan.width)
        (row + plan.width).update(repeating: 0, count: beyond)
      }
      canvas.toSpectrum(grid)
    }
    copyLight.clear()
    for component in components {
      component.add(
        component.adjoint(adjoint, spectrum: canvas.spectrum.pointer, copyLight, stamp),
        to: parameterAdjoint)
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
    guard isFeasible, let out = imageTangent.baseAddress else {
      imageTangent.update(repeating: .nan)
      return
    }
    var adds = clearsForSplit(components)
    for component in components where !component.isDistant {
      component.writeTangentSpectrum(
        component.direction(direction), to: canvas.spectrum.pointer, adds: adds)
      adds = true
    }
    transformToImage(out, isEmpty: !adds)
    copyLight.clear()
    for component in components {
      component.completeTangent(component.direction(direction), out, copyLight, stamp)
    }
    copyLight.add(to: out)
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
      for p in component.start..<component.start + component.kind.parameterCount {
        direction.buffer.update(repeating: 0)
        direction.pointer[p] = 1
        let part = component.direction(UnsafeBufferPointer(direction.buffer))
        let column = out + p * count
        component.writeTangentSpectrum(
          part, to: canvas.spectrum.pointer, adds: clearsForSplit([component]))
        transformToImage(column, isEmpty: component.isDistant)
        copyLight.clear()
        component.completeTangent(part, column, copyLight, stamp)
        copyLight.add(to: column)
      }
    }
    SkyKind.fillJacobian(
      UnsafeMutableBufferPointer(rebasing: jacobian[(lightCount * count)...]), width: plan.width,
      height: plan.height)
  }

  // MARK: - Grid

  /// Reads the parameters and computes the transforms of all components on a grid that suits them all.
  private func evaluate(_ parameters: UnsafeBufferPointer<Double>) {
    isFeasible = true
    var level = 0
    for (i, component) in components.enumerated() {
      guard let needed = component.read(parameters) else {
        isFeasible = false
        return
      }
      levels[i] = needed
      level = max(level, needed)
    }
    for p in lightCount..<layout.parameterCount where !parameters[p].isFinite {
      isFeasible = false
      return
    }
    grid = plan.grid(level)
    canvas.reserve(grid)
    for (i, component) in components.enumerated() {
      component.prepare(grid, level: level, chosen: levels[i])
    }
  }

  /// Sets the spectrum to zero where one of some components takes a part of its frequencies; returns whether it did.
  private func clearsForSplit(_ components: [FourierComponent]) -> Bool {
    guard components.contains(where: \.isSplit) else { return false }
    canvas.spectrum.pointer.update(repeating: 0, count: grid.transforms.spectrumCount)
    return true
  }

  /// Sets an image to the frame's part of the periodic image of the spectrum, which is used up; to zero if it is empty.
  private func transformToImage(_ image: UnsafeMutablePointer<Double>, isEmpty: Bool) {
    guard !isEmpty else {
      image.update(repeating: 0, count: plan.pixelCount)
      return
    }
    canvas.toImage(grid)
    for y in 0..<plan.height {
      (image + y * plan.width).update(
        from: canvas.image.pointer + y * grid.columns, count: plan.width)
    }
  }

  /// Traps where a buffer has not the expected number of elements.
  private func check(_ found: Int, _ expected: Int, _ what: String) {
    demand(found == expected, "FourierRenderer: expected \(expected) \(what), got \(found)")
  }
}
