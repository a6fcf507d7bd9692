// SPDX-License-Identifier: MIT
//
// One component of a scene on a periodic grid, whole or split between the frame's low frequencies and a stamp's.

import CKernels
import Numerics

/// A component with its memory: transform values, phases, periodic copies.
final class FourierComponent {
  /// The sort of profile.
  let kind: ProfileKind

  /// The index of its first parameter.
  let start: Int

  /// The radial form; nil for a point source.
  private let form: (any RadialForm)?

  /// The plan.
  private let plan: RendererPlan

  /// The component's numbers.
  private(set) var geometry = ProfileGeometry(.unit)

  /// The copies to subtract; nil for a point source, whose light ends with its PSF.
  private let copies: PeriodicCopies?

  /// The slices of the transform at this shape, one for each derivative by the shape.
  private let slices: [FFTBuffer]

  /// Memory for the knots of slices.
  private let knots = RadialScratch()

  /// The spectrum on the frame's grid: all of it, or the low frequencies.
  private let spectrum: ComponentSpectrum

  /// The spectrum on the stamp.
  private let stampSpectrum: ComponentSpectrum

  /// The frame's grid in use: all frequencies, or the low ones where there is a stamp.
  private var grid: FourierGrid

  /// The stamp in use, with its place in the frame; nil for a component that is drawn on all frequencies of the frame.
  private var stamp: (grid: FourierGrid, place: EdgeRinging.Place, rings: Bool)?

  /// The ringing of the copies, or that of the source beyond its stamp.
  private let ringing: EdgeRinging

  /// The frame, where the whole of it is one periodic image.
  private let framePlace: EdgeRinging.Place

  /// Whether the source is so far outside that it is drawn without the grid.
  private(set) var isDistant = false

  /// Creates the memory of a component.
  init(kind: ProfileKind, start: Int, plan: RendererPlan) {
    self.kind = kind
    self.start = start
    self.plan = plan
    let form = kind.makeForm(indices: SersicTable.indices)
    let scratch = knots
    self.form = form
    let slopes = max(1, kind.shapeCount)
    copies = form.map { PeriodicCopies(plan: plan, form: $0, scratch: scratch) }
    ringing = EdgeRinging(width: plan.width, height: plan.height)
    slices = (0..<(form == nil ? 0 : slopes)).map { _ in FFTBuffer(count: SersicTable.sliceCount) }
    spectrum = ComponentSpectrum(kind: kind, slopes: slopes, psf: plan.psf)
    stampSpectrum = ComponentSpectrum(kind: kind, slopes: slopes, psf: plan.psf)
    grid = plan.grid(0)
    framePlace = EdgeRinging.Place(width: plan.width, height: plan.height)
  }

  /// Whether the component takes the low frequencies of the frame's grid only.
  var isSplit: Bool { stamp != nil }

  /// Reads the parameters; returns the level of the grid it needs, or nil where they describe no profile.
  func read(_ parameters: UnsafeBufferPointer<Double>) -> Int? {
    guard let first = parameters.baseAddress else { return nil }
    let shape = ProfileShape(kind, first + start)
    // Axis ratios and radii beyond any use would overflow the forms.
    guard shape.isFeasible, abs(shape.ellip) < 0.9999, (1e-6...1e9).contains(shape.rEff),
      abs(shape.xc) < 1e9, abs(shape.yc) < 1e9,
      form?.update(first + start + ProfileParameter.shape) ?? true
    else { return nil }
    geometry = ProfileGeometry(shape)
    guard var level = plan.level(xc: geometry.xc, yc: geometry.yc, core: core) else {
      isDistant = true
      _ = copies?.prepare(geometry, period: nil)
      return 0
    }
    isDistant = false
    guard let copies else { return level }
    while level < RendererPlan.levels - 1 {
      let grid = plan.period(level)
      if copies.prepare(geometry, period: grid) { break }
      level += 1
    }
    return level
  }

  /// The half-sizes along x and y of the ellipse at 4.5 half-light radii; nothing for a point source.
  private var core: (x: Double, y: Double) {
    guard kind != .pointSource else { return (0, 0) }
    let form = geometry.frequencyForm
    return (4.5 * form.xx.squareRoot(), 4.5 * form.yy.squareRoot())
  }

  /// Computes the transform and the phases on a grid, or on its low frequencies and a stamp.
  func prepare(_ full: FourierGrid, level: Int, chosen: Int) {
    stamp = nil
    guard !isDistant else { return }
    if let copies, level != chosen || level == RendererPlan.levels - 1 {
      _ = copies.prepare(geometry, period: (full.columns, full.rows))
    }
    grid = full
    fillSlices(full)
    if let split = plan.split, let size = split.stamp(for: geometry, kind, form, look, knots) {
      let stampGrid = split.stampGrid(size)
      grid = split.lowGrid(full, level: level)
      stamp = (
        stampGrid,
        EdgeRinging.Place(
          around: geometry, stampGrid, width: plan.width, height: plan.height),
        rings(stampGrid)
      )
    }
    spectrum.prepare(grid, geometry, origin: (0, 0), slices: slices)
    if let stamp {
      stampSpectrum.prepare(stamp.grid, geometry, origin: stamp.place.origin, slices: slices)
    }
  }

  /// Fills the slices of the transform for all frequencies of a grid and of the stamps within it.
  private func fillSlices(_ grid: FourierGrid) {
    guard let form else { return }
    let g = geometry
    let r = g.rEff
    let lowest =
      r * min(1, g.q) * 2 * Double.pi / Double(max(grid.columns, grid.rows))
    let highest = r * max(1, g.q) * grid.largestFrequency * 2.0.squareRoot()
    let range = 0.999 * lowest * lowest...1.001 * highest * highest
    for (k, slice) in slices.enumerated() {
      form.fillTransform(slice.pointer, shape: k, range: range, scratch: knots)
    }
  }

  /// The transform by its first slice; nil for a point source.
  private var look: sersic_slice? { slices.first.map { ComponentSpectrum.look($0) } }

  /// Returns whether a stamp's ringing exceeds the share of the source's peak that is left out.
  private func rings(_ grid: FourierGrid) -> Bool {
    guard grid.edges.magnitude > 0 else { return false }
    guard var look else { return true }
    let g = geometry
    let ellipse = g.frequencyForm
    // The least s on the edges of the band, (r q r)² being the form's determinant; transforms that swing have small values beside.
    let axes = g.q * g.rEff * g.rEff
    let least = .pi * .pi * axes * axes / max(ellipse.xx, ellipse.yy)
    let largest = (0..<8).reduce(0.0) { largest, step in
      var (k, f, slope, byShape) = (1.0, 0.0, 0.0, 0.0)
      let s = least * (1 + 0.25 * Double(step))
      sersic_lookup_row(&look, 1, &k, 0, 0, 0, 0, SersicTable.offset + s, &f, &slope, &byShape)
      return max(largest, abs(f))
    }
    let peak = PeriodicCopies.peak(
      squaredRadius: abs(axes), spread: PeriodicCopies.spread(plan.moments))
    // Sums over copies are largest at the stamp's edge: 2 over its side.
    return largest * grid.edges.magnitude * 2 / Double(min(grid.columns, grid.rows))
      > SpectrumSplit.negligibleRinging * peak
  }

  // MARK: - Images

  /// Sets the spectrum of the frame's periodic image to the component's part of it, or adds it.
  ///
  /// - Parameters:
  ///   - target: The half spectrum.
  ///   - adds: Whether to add; it counts as undefined otherwise, which a split component does not allow.
  func writeSpectrum(to target: UnsafeMutablePointer<Double>, adds: Bool) {
    guard !isDistant else { return }
    spectrum.write(grid, to: target, adds: adds)
  }

  /// Sets the spectrum of the frame's periodic image to its change along a direction, or adds it.
  func writeTangentSpectrum(
    _ d: ProfileDirection, to target: UnsafeMutablePointer<Double>, adds: Bool
  ) {
    guard !isDistant else { return }
    spectrum.writeTangent(d, grid, to: target, adds: adds)
  }

  /// Completes an image: takes off the copies' ringing or adds the stamp; the copies' light goes to a sum over components.
  func complete(
    _ image: UnsafeMutablePointer<Double>, _ light: CopyLight, _ canvas: PeriodicCanvas
  ) {
    copies?.subtract(from: light)
    guard !isDistant else { return }
    guard let stamp else {
      spectrum.subtract(ringing, grid, framePlace, from: image)
      return
    }
    canvas.reserve(stamp.grid)
    stampSpectrum.write(stamp.grid, to: canvas.spectrum.pointer, adds: false)
    canvas.add(stamp.grid, stamp.place, to: image, width: plan.width)
    guard stamp.rings else { return }
    stampSpectrum.subtract(ringing, stamp.grid, stamp.place, from: image)
  }

  /// Completes the change of an image along a direction, as `complete` does an image.
  func completeTangent(
    _ d: ProfileDirection, _ image: UnsafeMutablePointer<Double>, _ light: CopyLight,
    _ canvas: PeriodicCanvas
  ) {
    copies?.subtractTangent(d, from: light)
    guard !isDistant else { return }
    guard let stamp else {
      spectrum.subtractTangent(d, ringing, grid, framePlace, from: image)
      return
    }
    canvas.reserve(stamp.grid)
    stampSpectrum.writeTangent(d, stamp.grid, to: canvas.spectrum.pointer, adds: false)
    canvas.add(stamp.grid, stamp.place, to: image, width: plan.width)
    guard stamp.rings else { return }
    stampSpectrum.subtractTangent(d, ringing, stamp.grid, stamp.place, from: image)
  }

  // MARK: - Adjoints

  /// Returns the adjoint of the parameters for an image adjoint.
  ///
  /// - Parameters:
  ///   - image: The image adjoint.
  ///   - target: Its half spectrum on the frame's grid.
  ///   - light: The adjoints on the copies' nodes, which components share.
  ///   - canvas: Memory for the stamp.
  /// - Returns: The adjoint.
  func adjoint(
    _ image: UnsafePointer<Double>, spectrum target: UnsafePointer<Double>, _ light: CopyLight,
    _ canvas: PeriodicCanvas
  ) -> ProfileDirection {
    var out = ProfileDirection()
    if !isDistant { spectrum.reduce(grid, target, into: &out) }
    copies?.subtractAdjoint(image, light, from: &out)
    guard !isDistant else { return out }
    guard let stamp else {
      spectrum.addAdjoint(ringing, grid, framePlace, image, to: &out)
      return out
    }
    canvas.reserve(stamp.grid)
    canvas.transform(stamp.grid, stamp.place, from: image, width: plan.width)
    stampSpectrum.reduce(stamp.grid, canvas.spectrum.pointer, into: &out)
    guard stamp.rings else { return out }
    stampSpectrum.addAdjoint(ringing, stamp.grid, stamp.place, image, to: &out)
    return out
  }

  /// Returns the component's part of a direction of all parameters.
  func direction(_ d: UnsafeBufferPointer<Double>) -> ProfileDirection {
    d.baseAddress.map { ProfileDirection(kind, $0 + start) } ?? ProfileDirection()
  }

  /// Adds the component's adjoint to that of all parameters.
  func add(_ adjoint: ProfileDirection, to out: UnsafeMutableBufferPointer<Double>) {
    if let first = out.baseAddress { adjoint.add(kind, to: first + start) }
  }
}
