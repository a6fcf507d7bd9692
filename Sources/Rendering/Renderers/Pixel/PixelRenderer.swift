// SPDX-License-Identifier: MIT
//
// The exact pixel-integrated renderer: profiles integrated over each pixel, then convolved with an optical PSF.

import CKernels
import Numerics

/// The renderer of the convention `pixelResponse: .integrated`, and of scenes without a PSF.
///
/// A profile is integrated over each pixel (each fine pixel of an oversampled PSF) of the frame and of a margin as wide as the
/// PSF reaches, then convolved with the PSF array as with a set of points, linearly. Errors are some 1e-15 of the flux.
/// A point source is the PSF array's sinc interpolation about the source, integrated over each pixel: inside the frequency
/// band of the array, which for a well sampled PSF is all of it. Light that a profile has outside the margin is lost, and so is
/// a point source there; neither would reach the frame. Parameters that describe no profile (r_eff ≤ 0, n outside
/// 0.1...20, nu outside −0.9...10, beta outside 1.1...50, not finite) give NaN.
public final class PixelRenderer: SceneRenderer {
  /// What renderers of the same image share.
  private let plan: PixelRendererPlan

  /// The integrator over the cells.
  private let integrals: ProfileIntegrals

  /// The canvas, used up by transforms.
  private let canvas: FFTBuffer

  /// The canvas's half spectrum.
  private let spectrum: FFTBuffer

  /// The derivative canvases of all parameters but the sky's, one after the other.
  private let derivatives: UnsafeMutablePointer<Double>

  /// The parameters of the derivative canvases; NaN before the first rendering.
  private var current: [Double]

  /// Whether the latest parameters describe a scene.
  private var isFeasible = true

  /// The radial forms of the components; nil for point sources.
  private let forms: [(any RadialForm)?]

  /// The tables of Sérsic profiles with a fixed n; nil for other components.
  private let tables: [RadialFluxTable?]

  /// The Sérsic indices for which the table of enclosed light is accurate.
  private static let indices = 0.1...20.0

  /// The number of canvas elements.
  private let canvasCount: Int

  /// The number of parameters before the sky's.
  private let lightCount: Int

  /// Creates a renderer with its own memory for a plan.
  package init(_ plan: PixelRendererPlan) {
    self.plan = plan
    integrals = ProfileIntegrals(grid: plan.grid)
    canvasCount = plan.grid.canvasCount
    canvas = FFTBuffer(count: canvasCount)
    spectrum = FFTBuffer(count: plan.transforms?.spectrumCount ?? 0)
    lightCount = plan.layout.parameterCount - plan.layout.sky.parameterCount
    derivatives = .allocate(capacity: max(lightCount * canvasCount, 1))
    derivatives.initialize(repeating: 0, count: max(lightCount * canvasCount, 1))
    current = [Double](repeating: .nan, count: lightCount)
    forms = plan.layout.components.map { $0.makeForm(indices: Self.indices) }
    tables = plan.layout.components.map { kind in
      kind.fixedIndex.map { RadialFluxTable(HalfLightConstant(n: $0), largestV: .infinity) }
    }
  }

  /// Creates a renderer.
  ///
  /// - Parameters:
  ///   - width: Columns of the image, > 0.
  ///   - height: Rows of the image, > 0.
  ///   - psf: The optical PSF without the pixel's response, used as given; nil: no convolution.
  ///   - layout: The scene.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidPointSpread`, or `unsupportedScene` for a point source
  ///   without a PSF.
  public convenience init(
    width: Int, height: Int, psf: PointSpreadFunction? = nil, layout: SceneLayout
  ) throws(RenderingError) {
    self.init(try PixelRendererPlan(width: width, height: height, psf: psf, layout: layout))
  }

  deinit { derivatives.deallocate() }

  public var layout: SceneLayout { plan.layout }

  public func render(
    _ parameters: UnsafeBufferPointer<Double>, into image: UnsafeMutableBufferPointer<Double>
  ) {
    check(parameters.count, plan.layout.parameterCount, "parameters")
    check(image.count, plan.pixelCount, "pixels")
    evaluate(parameters)
    guard isFeasible, let out = image.baseAddress else {
      image.update(repeating: .nan)
      return
    }
    canvas.buffer.update(repeating: 0)
    for start in fluxIndices {
      sersic_add_scaled(canvasCount, parameters[start], derivative(start), canvas.pointer)
    }
    plan.convolve(canvas, spectrum, into: out)
    SkyKind.add(
      UnsafeBufferPointer(rebasing: parameters[lightCount...]), to: out, width: plan.width,
      height: plan.height)
  }

  public func pullback(
    _ parameters: UnsafeBufferPointer<Double>, imageAdjoint: UnsafeBufferPointer<Double>,
    into parameterAdjoint: UnsafeMutableBufferPointer<Double>
  ) {
    check(parameterAdjoint.count, plan.layout.parameterCount, "parameters")
    check(imageAdjoint.count, plan.pixelCount, "pixels")
    guard isFeasible, let adjoint = imageAdjoint.baseAddress else {
      for i in parameterAdjoint.indices { parameterAdjoint[i] += .nan }
      return
    }
    if lightCount > 0 {
      plan.correlate(adjoint, spectrum, into: canvas)
      for p in 0..<lightCount {
        parameterAdjoint[p] += sersic_dot(canvasCount, derivative(p), canvas.pointer)
      }
    }
    SkyKind.addAdjoint(
      adjoint, to: UnsafeMutableBufferPointer(rebasing: parameterAdjoint[lightCount...]),
      width: plan.width, height: plan.height)
  }

  public func tangent(
    _ parameters: UnsafeBufferPointer<Double>, direction: UnsafeBufferPointer<Double>,
    into imageTangent: UnsafeMutableBufferPointer<Double>
  ) {
    check(direction.count, plan.layout.parameterCount, "parameters")
    check(imageTangent.count, plan.pixelCount, "pixels")
    guard isFeasible, let out = imageTangent.baseAddress else {
      imageTangent.update(repeating: .nan)
      return
    }
    canvas.buffer.update(repeating: 0)
    for p in 0..<lightCount where direction[p] != 0 {
      sersic_add_scaled(canvasCount, direction[p], derivative(p), canvas.pointer)
    }
    plan.convolve(canvas, spectrum, into: out)
    SkyKind.add(
      UnsafeBufferPointer(rebasing: direction[lightCount...]), to: out, width: plan.width,
      height: plan.height)
  }

  public func jacobian(
    _ parameters: UnsafeBufferPointer<Double>, into jacobian: UnsafeMutableBufferPointer<Double>
  ) {
    let count = plan.pixelCount
    check(jacobian.count, count * plan.layout.parameterCount, "elements of the Jacobian")
    guard isFeasible, let out = jacobian.baseAddress else {
      jacobian.update(repeating: .nan)
      return
    }
    for p in 0..<lightCount {
      canvas.pointer.update(from: derivative(p), count: canvasCount)
      plan.convolve(canvas, spectrum, into: out + p * count)
    }
    SkyKind.fillJacobian(
      UnsafeMutableBufferPointer(rebasing: jacobian[(lightCount * count)...]), width: plan.width,
      height: plan.height)
  }

  // MARK: - Components

  /// The first parameters of the components.
  private var starts: [Int] {
    var next = 0
    return plan.layout.components.map { kind in
      defer { next += kind.parameterCount }
      return next
    }
  }

  /// The indices of the components' fluxes, whose derivative canvases are the images of unit flux.
  private var fluxIndices: [Int] { starts.map { $0 + 2 } }

  /// Returns the derivative canvas of a parameter.
  private func derivative(_ parameter: Int) -> UnsafeMutablePointer<Double> {
    derivatives + parameter * canvasCount
  }

  /// Brings the derivative canvases up to date, those of components that changed only.
  private func evaluate(_ parameters: UnsafeBufferPointer<Double>) {
    isFeasible = true
    for (i, (kind, start)) in zip(plan.layout.components, starts).enumerated() {
      let range = start..<start + kind.parameterCount
      if range.allSatisfy({ parameters[$0] == current[$0] }) { continue }
      for p in range { current[p] = .nan }
      if let form = forms[i] {
        guard evaluateProfile(parameters, start, kind, form, tables[i]) else { continue }
      } else {
        guard evaluatePoint(parameters, start) else { continue }
      }
      for p in range { current[p] = parameters[p] }
    }
  }

  /// Sets the derivative canvases of an extended component; where its parameters describe none, says so.
  private func evaluateProfile(
    _ parameters: UnsafeBufferPointer<Double>, _ start: Int, _ kind: ProfileKind,
    _ form: any RadialForm, _ table: RadialFluxTable?
  ) -> Bool {
    guard let first = parameters.baseAddress else { return false }
    let shape = ProfileShape(kind, first + start)
    guard shape.isFeasible, form.update(first + start + ProfileParameter.shape) else {
      isFeasible = false
      return false
    }
    integrals.evaluate(
      shape, form, table: table,
      into: ProfileCanvases(
        xc: derivative(start + ProfileParameter.xc), yc: derivative(start + ProfileParameter.yc),
        flux: derivative(start + ProfileParameter.flux),
        rEff: derivative(start + ProfileParameter.rEff),
        shape: derivative(start + ProfileParameter.shape),
        ellip: derivative(start + ProfileParameter.ellip(kind)),
        theta: derivative(start + ProfileParameter.theta(kind))))
    return true
  }

  /// Sets the derivative canvases of a point source; where its parameters describe none, says so.
  private func evaluatePoint(_ parameters: UnsafeBufferPointer<Double>, _ start: Int) -> Bool {
    let flux = parameters[start + 2]
    guard parameters[start].isFinite, parameters[start + 1].isFinite, flux.isFinite,
      let points = plan.points
    else {
      isFeasible = false
      return false
    }
    let grid = plan.grid
    let placeX = (parameters[start] - grid.left) / grid.side - 0.5
    let placeY = (parameters[start + 1] - grid.bottom) / grid.side - 0.5
    let isInside =
      placeX >= -0.5 && placeX <= Double(grid.columns) - 0.5
      && placeY >= -0.5 && placeY <= Double(grid.rows) - 0.5
    guard isInside else {
      derivative(start).update(repeating: 0, count: 3 * canvasCount)
      return true
    }
    let x = points.x.evaluate(at: placeX)
    let y = points.y.evaluate(at: placeY)
    for row in 0..<grid.canvasRows {
      let offset = row * grid.canvasColumns
      let value = y.values[row]
      let slope = y.slopes[row] * flux / grid.side
      let step = value * flux / grid.side
      for column in 0..<grid.canvasColumns {
        derivative(start)[offset + column] = x.slopes[column] * step
        derivative(start + 1)[offset + column] = x.values[column] * slope
        derivative(start + 2)[offset + column] = x.values[column] * value
      }
    }
    return true
  }

  /// Traps where a buffer has not the expected number of elements.
  private func check(_ found: Int, _ expected: Int, _ what: String) {
    demand(found == expected, "PixelRenderer: expected \(expected) \(what), got \(found)")
  }
}
