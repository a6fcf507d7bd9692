// SPDX-License-Identifier: MIT
//
// One component of a scene on a periodic grid: its transform at every frequency, forward and backward.

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

  /// The number of derivatives by the shape that are computed: one even where there is no parameter.
  private let slopes: Int

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

  /// F, dF/ds, the derivatives by the shape, and room for a combination of several, at every frequency.
  private var transform = FFTBuffer(count: 0)

  /// Phases along columns: two arrays of runs, then two of all indices.
  private var columnPhases = FFTBuffer(count: 0)

  /// Phases along rows, two arrays.
  private var rowPhases = FFTBuffer(count: 0)

  /// The ringing of the copies.
  private let ringing: EdgeRinging

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
    slopes = max(1, kind.shapeCount)
    copies = form.map { PeriodicCopies(plan: plan, form: $0, scratch: scratch) }
    ringing = EdgeRinging(plan: plan)
    slices = (0..<(form == nil ? 0 : slopes)).map { _ in FFTBuffer(count: SersicTable.sliceCount) }
  }

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

  /// Computes the transform and the phases on a grid.
  func prepare(_ grid: FourierGrid, level: Int, chosen: Int) {
    guard !isDistant else { return }
    if let copies, level != chosen || level == RendererPlan.levels - 1 {
      _ = copies.prepare(geometry, period: (grid.columns, grid.rows))
    }
    let count = grid.frequencyCount
    let planes = slopes > 1 ? slopes + 3 : 3
    if transform.count < planes * count {
      transform = FFTBuffer(count: planes * count)
      let indices = 2 * (grid.bands * grid.columns + grid.columns) + 2
      columnPhases = FFTBuffer(count: 2 * (grid.kx.count + indices))
      rowPhases = FFTBuffer(count: 2 * grid.ky.count)
      if kind == .pointSource { transform.pointer.update(repeating: 1, count: count) }
    }
    setPhases(grid)
    guard let form else { return }
    let g = geometry
    let r = g.rEff
    let lowest =
      r * min(1, g.q) * 2 * Double.pi / Double(max(grid.columns, grid.rows))
    let highest = r * max(1, g.q) * Double(grid.bands) * Double.pi * 2.0.squareRoot()
    let range = 0.999 * lowest * lowest...1.001 * highest * highest
    for (k, slice) in slices.enumerated() {
      form.fillTransform(slice.pointer, shape: k, range: range, scratch: knots)
      var look = sersic_slice()
      look.coefficients = UnsafePointer(slice.pointer)
      look.first = SersicTable.firstBits
      look.largest = SersicTable.largest
      let length = grid.kx.count
      let f = transform.pointer
      grid.kx.withUnsafeBufferPointer { kx in
        for (i, ky) in grid.ky.enumerated() {
          let at = i * length
          sersic_lookup_row(
            &look, length, kx.baseAddress, r * g.cosTheta * ky, -r * g.sinTheta,
            r * g.q * g.sinTheta * ky, r * g.q * g.cosTheta, SersicTable.offset, f + at,
            f + count + at, f + (2 + k) * count + at)
        }
      }
    }
  }

  /// Computes exp(−i (kx x + ky y)) along columns and rows, x and y relative to the PSF's centre.
  private func setPhases(_ grid: FourierGrid) {
    let side = 1 / Double(plan.psf.oversampling)
    let half = grid.bands * grid.columns / 2 + grid.columns
    let all = columnPhases.pointer + 2 * grid.kx.count
    FourierGrid.phases(
      geometry.xc - plan.psf.centerX * side, period: grid.columns, count: half, re: all,
      im: all + 2 * half + 1)
    let runs = columnPhases.pointer
    let count = grid.kx.count
    for (i, index) in grid.columnIndex.enumerated() {
      runs[i] = all[half + index]
      runs[count + i] = all[2 * half + 1 + half + index]
    }
    let rows = grid.ky.count
    FourierGrid.phases(
      geometry.yc - plan.psf.centerY * side, period: grid.rows, count: (rows - 1) / 2,
      re: rowPhases.pointer, im: rowPhases.pointer + rows)
  }

  /// Calls `body` for every run: spectrum offset, frequency offset, column offset, row.
  private func forEachRun(_ grid: FourierGrid, _ body: (Int, Int, Int, Int) -> Void) {
    let length = grid.runLength
    for row in grid.ky.indices {
      let target = 2 * grid.target[row] * length
      for band in 0..<grid.bands {
        body(target, row * grid.kx.count + band * length, band * length, row)
      }
    }
  }

  /// Sets a spectrum to the component's, or adds it.
  ///
  /// - Parameters:
  ///   - grid: The grid.
  ///   - spectrum: The half spectrum.
  ///   - adds: Whether to add; it counts as undefined otherwise.
  func writeSpectrum(
    _ grid: FourierGrid, to spectrum: UnsafeMutablePointer<Double>, adds: Bool
  ) {
    guard !isDistant else { return }
    let columns = columnPhases.pointer
    let rows = rowPhases.pointer
    let f = transform.pointer
    let count = grid.kx.count
    grid.psfRe.withUnsafeBufferPointer { psfRe in
      grid.psfIm.withUnsafeBufferPointer { psfIm in
        guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress else { return }
        forEachRun(grid) { target, at, column, row in
          sersic_spectrum_row(
            grid.runLength, f + at, geometry.flux * rows[row],
            geometry.flux * rows[grid.ky.count + row], columns + column, columns + count + column,
            psfRe + at, psfIm + at, adds || grid.isFolded(row: row, column: column) ? 1 : 0,
            spectrum + target)
        }
      }
    }
  }

  /// Sets a spectrum to the change of the component along a direction, or adds it.
  func writeTangentSpectrum(
    _ d: ProfileDirection, _ grid: FourierGrid, to spectrum: UnsafeMutablePointer<Double>,
    adds: Bool
  ) {
    guard !isDistant else { return }
    let columns = columnPhases.pointer
    let rows = rowPhases.pointer
    let count = grid.kx.count
    let frequencies = grid.frequencyCount
    let f = transform.pointer
    let flux = geometry.flux
    let isPoint = kind == .pointSource
    let form = isPoint ? QuadraticForm(xx: 0, xy: 0, yy: 0) : frequencyChange(d)
    let slopeAt = isPoint ? 0 : frequencies
    let (byShape, shapeAt) = shapeChange(d, frequencies)
    grid.psfRe.withUnsafeBufferPointer { psfRe in
      grid.psfIm.withUnsafeBufferPointer { psfIm in
        grid.kx.withUnsafeBufferPointer { kx in
          guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress,
            let kx = kx.baseAddress
          else { return }
          forEachRun(grid) { target, at, column, row in
            let ky = grid.ky[row]
            var c = (
              d.flux, form.yy * ky * ky, 2 * form.xy * ky, form.xx, byShape, flux * ky * d.yc,
              flux * d.xc
            )
            withUnsafeBytes(of: &c) { c in
              sersic_tangent_row(
                grid.runLength, f + at, f + slopeAt + at, f + shapeAt + at, kx + column,
                c.assumingMemoryBound(to: Double.self).baseAddress, rows[row],
                rows[grid.ky.count + row], columns + column, columns + count + column, psfRe + at,
                psfIm + at, adds || grid.isFolded(row: row, column: column) ? 1 : 0,
                spectrum + target)
            }
          }
        }
      }
    }
  }

  /// Returns a factor and the place of a derivative, whose product is the transform's change with the shape, times the flux.
  private func shapeChange(_ d: ProfileDirection, _ frequencies: Int) -> (Double, place: Int) {
    guard slopes > 1 else {
      return kind == .pointSource ? (0, 0) : (geometry.flux * d.shape[0], 2 * frequencies)
    }
    // The plane after the derivatives holds their combination.
    let place = (2 + slopes) * frequencies
    let combined = transform.pointer + place
    combined.update(repeating: 0, count: frequencies)
    for k in 0..<slopes {
      sersic_add_scaled(
        frequencies, d.shape[k], transform.pointer + (2 + k) * frequencies, combined)
    }
    return (geometry.flux, place)
  }

  /// Returns the adjoint of the parameters for the spectrum of an image adjoint.
  func reduce(_ grid: FourierGrid, _ adjoint: UnsafePointer<Double>) -> ProfileDirection {
    var out = reduce(grid, adjoint, shape: 0)
    if slopes > 1, !isDistant {
      for k in 1..<slopes { out.shape[k] = reduce(grid, adjoint, shape: k).shape[0] }
    }
    return out
  }

  /// Returns the adjoint of the parameters, of the shape's only the k-th, in the first place.
  private func reduce(
    _ grid: FourierGrid, _ adjoint: UnsafePointer<Double>, shape k: Int
  ) -> ProfileDirection {
    var out = ProfileDirection()
    guard !isDistant else { return out }
    let columns = columnPhases.pointer
    let rows = rowPhases.pointer
    let count = grid.kx.count
    let isPoint = kind == .pointSource
    let slopeAt = isPoint ? 0 : grid.frequencyCount
    let shapeAt = isPoint ? 0 : (2 + k) * grid.frequencyCount
    let f = transform.pointer
    var byFlux = 0.0
    var byX = 0.0
    var byY = 0.0
    var byShape = 0.0
    var moments = QuadraticForm(xx: 0, xy: 0, yy: 0)
    grid.psfRe.withUnsafeBufferPointer { psfRe in
      grid.psfIm.withUnsafeBufferPointer { psfIm in
        grid.kx.withUnsafeBufferPointer { kx in
          guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress,
            let kx = kx.baseAddress
          else { return }
          forEachRun(grid) { target, at, column, row in
            var sums = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
            withUnsafeMutableBytes(of: &sums) { sums in
              sersic_reduce_row(
                grid.runLength, adjoint + target, f + at, f + slopeAt + at, f + shapeAt + at,
                kx + column, grid.weights, rows[row], rows[grid.ky.count + row], columns + column,
                columns + count + column, psfRe + at, psfIm + at,
                sums.assumingMemoryBound(to: Double.self).baseAddress)
            }
            let ky = grid.ky[row]
            byFlux += sums.0
            byX += sums.2
            byY += ky * sums.1
            moments.yy += ky * ky * sums.3
            moments.xy += ky * sums.4
            moments.xx += sums.5
            byShape += sums.6
          }
        }
      }
    }
    let flux = geometry.flux
    out.flux = byFlux
    out.xc = flux * byX
    out.yc = flux * byY
    guard !isPoint else { return out }
    let forms = geometry.frequencyFormSlopes
    func contract(_ form: QuadraticForm) -> Double {
      flux * (form.xx * moments.xx + 2 * form.xy * moments.xy + form.yy * moments.yy)
    }
    out.rEff = contract(forms.rEff)
    out.ellip = contract(forms.ellip)
    out.theta = contract(forms.theta)
    out.shape[0] = flux * byShape
    return out
  }

  // MARK: - Copies and parameters

  /// Where the transform, a derivative of it and the phases lie, for the band edges.
  private func edgeInput(_ grid: FourierGrid, shapeAt: Int? = nil) -> EdgeRinging.Input {
    let isPoint = kind == .pointSource
    let count = grid.frequencyCount
    return EdgeRinging.Input(
      f: transform.pointer, fv: transform.pointer + (isPoint ? 0 : count),
      fn: transform.pointer + (shapeAt ?? (isPoint ? 0 : 2 * count)),
      columnRe: columnPhases.pointer, columnIm: columnPhases.pointer + grid.kx.count,
      rowRe: rowPhases.pointer, rowIm: rowPhases.pointer + grid.ky.count)
  }

  /// Subtracts the light of periodic copies from an image.
  func subtractCopies(_ grid: FourierGrid, from image: UnsafeMutablePointer<Double>) {
    copies?.subtract(from: image)
    guard !isDistant else { return }
    ringing.subtract(
      grid, edgeInput(grid), xc: geometry.xc, yc: geometry.yc, flux: geometry.flux, from: image)
  }

  /// Subtracts the change of the copies' light along a direction from an image.
  func subtractCopiesTangent(
    _ d: ProfileDirection, _ grid: FourierGrid, from image: UnsafeMutablePointer<Double>
  ) {
    copies?.subtractTangent(d, from: image)
    guard !isDistant else { return }
    let form = kind == .pointSource ? QuadraticForm(xx: 0, xy: 0, yy: 0) : frequencyChange(d)
    let (byShape, shapeAt) = shapeChange(d, grid.frequencyCount)
    let change = (
      d.flux, form.xx, 2 * form.xy, form.yy, byShape, geometry.flux * d.xc, geometry.flux * d.yc
    )
    ringing.subtractTangent(
      grid, edgeInput(grid, shapeAt: shapeAt), change: change, d, from: image)
  }

  /// Adds the copies' part to the adjoint of the parameters.
  func addCopiesAdjoint(
    _ image: UnsafePointer<Double>, _ grid: FourierGrid, to adjoint: inout ProfileDirection
  ) {
    copies?.subtractAdjoint(image, from: &adjoint)
    guard !isDistant else { return }
    let sums = ringing.adjoint(grid, edgeInput(grid), image)
    let flux = geometry.flux
    adjoint.flux += sums.spectrum.0
    adjoint.xc += flux * sums.spectrum.5 + sums.xc
    adjoint.yc += flux * sums.spectrum.6 + sums.yc
    guard kind != .pointSource else { return }
    let forms = geometry.frequencyFormSlopes
    func contract(_ form: QuadraticForm) -> Double {
      flux
        * (form.xx * sums.spectrum.1 + 2 * form.xy * sums.spectrum.2 + form.yy * sums.spectrum.3)
    }
    adjoint.rEff += contract(forms.rEff)
    adjoint.ellip += contract(forms.ellip)
    adjoint.theta += contract(forms.theta)
    adjoint.shape[0] += flux * sums.spectrum.4
    for k in 1..<max(slopes, 1) {
      let input = edgeInput(grid, shapeAt: (2 + k) * grid.frequencyCount)
      adjoint.shape[k] += flux * ringing.shapeAdjoint(grid, input)
    }
  }

  /// Returns the flux times the change of the form of s along a direction.
  private func frequencyChange(_ d: ProfileDirection) -> QuadraticForm {
    let slopes = geometry.frequencyFormSlopes
    func along(_ a: Double, _ b: Double, _ c: Double) -> Double {
      geometry.flux * (a * d.rEff + b * d.ellip + c * d.theta)
    }
    return QuadraticForm(
      xx: along(slopes.rEff.xx, slopes.ellip.xx, slopes.theta.xx),
      xy: along(slopes.rEff.xy, slopes.ellip.xy, slopes.theta.xy),
      yy: along(slopes.rEff.yy, slopes.ellip.yy, slopes.theta.yy))
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
