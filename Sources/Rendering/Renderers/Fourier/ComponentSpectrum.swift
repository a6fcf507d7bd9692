// SPDX-License-Identifier: MIT
//
// One component at the frequencies of one grid: its transform and phases, spectra from them, and their reductions.

import CKernels
import Numerics

/// The transform and the phases of a component at every frequency of a grid.
final class ComponentSpectrum {
  /// The sort of profile.
  private let kind: ProfileKind

  /// The number of derivatives by the shape that are computed: one even where there is no parameter.
  private let slopes: Int

  /// The PSF's centre, in image pixels.
  private let center: (x: Double, y: Double)

  /// The component's numbers.
  private var geometry = ProfileGeometry(.unit)

  /// F, dF/ds, the derivatives by the shape, and room for a combination of several, at every frequency.
  private var transform = FFTBuffer(count: 0)

  /// Phases along columns: two arrays of runs, then two of all indices.
  private var columnPhases = FFTBuffer(count: 0)

  /// Phases along rows, two arrays.
  private var rowPhases = FFTBuffer(count: 0)

  /// Creates memory that grows with the grids it is used with.
  init(kind: ProfileKind, slopes: Int, psf: PointSpreadFunction) {
    self.kind = kind
    self.slopes = slopes
    let side = 1 / Double(psf.oversampling)
    center = (psf.centerX * side, psf.centerY * side)
  }

  /// Computes the transform and the phases on a grid.
  ///
  /// - Parameters:
  ///   - grid: The grid.
  ///   - geometry: The component.
  ///   - origin: The pixel of the frame that is the grid's first.
  ///   - slices: The slices of the transform, one for each derivative by the shape; none for a point source.
  func prepare(
    _ grid: FourierGrid, _ geometry: ProfileGeometry, origin: (x: Int, y: Int), slices: [FFTBuffer]
  ) {
    self.geometry = geometry
    let count = grid.frequencyCount
    let planes = slopes > 1 ? slopes + 3 : 3
    if transform.count < planes * count {
      transform = FFTBuffer(count: planes * count)
      if kind == .pointSource { transform.pointer.update(repeating: 1, count: count) }
    }
    let columns = 2 * (grid.kx.count + 2 * grid.columnReach + 1)
    if columnPhases.count < columns { columnPhases = FFTBuffer(count: columns) }
    if rowPhases.count < 2 * grid.ky.count { rowPhases = FFTBuffer(count: 2 * grid.ky.count) }
    setPhases(grid, origin)
    let g = geometry
    let r = g.rEff
    for (k, slice) in slices.enumerated() {
      var look = Self.look(slice)
      let f = transform.pointer
      grid.kx.withUnsafeBufferPointer { kx in
        guard let kx = kx.baseAddress else { return }
        for run in grid.runs {
          let ky = grid.ky[run.row]
          let at = run.frequency
          sersic_lookup_row(
            &look, run.count, kx + run.column, r * g.cosTheta * ky, -r * g.sinTheta,
            r * g.q * g.sinTheta * ky, r * g.q * g.cosTheta, SersicTable.offset, f + at,
            f + count + at, f + (2 + k) * count + at)
        }
      }
    }
  }

  /// Returns a slice of a transform for the kernels.
  static func look(_ slice: FFTBuffer) -> sersic_slice {
    var look = sersic_slice()
    look.coefficients = UnsafePointer(slice.pointer)
    look.first = SersicTable.firstBits
    look.largest = SersicTable.largest
    return look
  }

  /// Computes exp(−i (kx x + ky y)) along columns and rows, x and y relative to the PSF's centre.
  private func setPhases(_ grid: FourierGrid, _ origin: (x: Int, y: Int)) {
    let half = grid.columnReach
    let all = columnPhases.pointer + 2 * grid.kx.count
    FourierGrid.phases(
      geometry.xc - Double(origin.x) - center.x, period: grid.columns, count: half, re: all,
      im: all + 2 * half + 1)
    let runs = columnPhases.pointer
    let count = grid.kx.count
    for (i, index) in grid.columnIndex.enumerated() {
      runs[i] = all[half + index]
      runs[count + i] = all[2 * half + 1 + half + index]
    }
    let rows = grid.ky.count
    FourierGrid.phases(
      geometry.yc - Double(origin.y) - center.y, period: grid.rows, count: (rows - 1) / 2,
      re: rowPhases.pointer, im: rowPhases.pointer + rows)
  }

  // MARK: - Spectra

  /// Sets a spectrum to the component's, or adds it.
  ///
  /// - Parameters:
  ///   - grid: The grid.
  ///   - spectrum: The half spectrum.
  ///   - adds: Whether to add; it counts as undefined otherwise.
  func write(_ grid: FourierGrid, to spectrum: UnsafeMutablePointer<Double>, adds: Bool) {
    let columns = columnPhases.pointer
    let rows = rowPhases.pointer
    let f = transform.pointer
    let count = grid.kx.count
    grid.psfRe.withUnsafeBufferPointer { psfRe in
      grid.psfIm.withUnsafeBufferPointer { psfIm in
        guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress else { return }
        for run in grid.runs {
          let (at, column) = (run.frequency, run.column)
          sersic_spectrum_row(
            run.count, f + at, geometry.flux * rows[run.row],
            geometry.flux * rows[grid.ky.count + run.row], columns + column,
            columns + count + column, psfRe + at, psfIm + at, adds || run.isFolded ? 1 : 0,
            spectrum + run.target)
        }
      }
    }
  }

  /// Sets a spectrum to the change of the component along a direction, or adds it.
  func writeTangent(
    _ d: ProfileDirection, _ grid: FourierGrid, to spectrum: UnsafeMutablePointer<Double>,
    adds: Bool
  ) {
    let columns = columnPhases.pointer
    let rows = rowPhases.pointer
    let count = grid.kx.count
    let f = transform.pointer
    let flux = geometry.flux
    let form = frequencyChange(d)
    let slopeAt = kind == .pointSource ? 0 : grid.frequencyCount
    let (byShape, shapeAt) = shapeChange(d, grid.frequencyCount)
    grid.psfRe.withUnsafeBufferPointer { psfRe in
      grid.psfIm.withUnsafeBufferPointer { psfIm in
        grid.kx.withUnsafeBufferPointer { kx in
          guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress,
            let kx = kx.baseAddress
          else { return }
          for run in grid.runs {
            let (at, column) = (run.frequency, run.column)
            let ky = grid.ky[run.row]
            var c = (
              d.flux, form.yy * ky * ky, 2 * form.xy * ky, form.xx, byShape, flux * ky * d.yc,
              flux * d.xc
            )
            withUnsafeBytes(of: &c) { c in
              sersic_tangent_row(
                run.count, f + at, f + slopeAt + at, f + shapeAt + at, kx + column,
                c.assumingMemoryBound(to: Double.self).baseAddress, rows[run.row],
                rows[grid.ky.count + run.row], columns + column, columns + count + column,
                psfRe + at, psfIm + at, adds || run.isFolded ? 1 : 0, spectrum + run.target)
            }
          }
        }
      }
    }
  }

  /// Returns the flux times the change of the form of s along a direction; nothing for a point source.
  private func frequencyChange(_ d: ProfileDirection) -> QuadraticForm {
    guard kind != .pointSource else { return QuadraticForm(xx: 0, xy: 0, yy: 0) }
    let slopes = geometry.frequencyFormSlopes
    func along(_ a: Double, _ b: Double, _ c: Double) -> Double {
      geometry.flux * (a * d.rEff + b * d.ellip + c * d.theta)
    }
    return QuadraticForm(
      xx: along(slopes.rEff.xx, slopes.ellip.xx, slopes.theta.xx),
      xy: along(slopes.rEff.xy, slopes.ellip.xy, slopes.theta.xy),
      yy: along(slopes.rEff.yy, slopes.ellip.yy, slopes.theta.yy))
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

  // MARK: - Adjoints

  /// Adds the adjoint of the parameters for the spectrum of an image adjoint.
  func reduce(
    _ grid: FourierGrid, _ adjoint: UnsafePointer<Double>, into out: inout ProfileDirection
  ) {
    let first = sums(grid, adjoint, shape: 0)
    add(first, to: &out)
    guard slopes > 1 else { return }
    for k in 1..<slopes {
      out.shape[k] += geometry.flux * sums(grid, adjoint, shape: k).4
    }
  }

  /// Seven numbers: coefficients or sums of `sersic_edges`.
  ///
  /// By the order of the coefficients: F, three of the form of s, the shape, minus i kx and minus i ky.
  typealias Seven = EdgeRinging.Seven

  /// Returns the sums over frequencies of an adjoint with the derivatives of the transform, the shape's k-th.
  private func sums(_ grid: FourierGrid, _ adjoint: UnsafePointer<Double>, shape k: Int) -> Seven {
    let columns = columnPhases.pointer
    let rows = rowPhases.pointer
    let count = grid.kx.count
    let isPoint = kind == .pointSource
    let slopeAt = isPoint ? 0 : grid.frequencyCount
    let shapeAt = isPoint ? 0 : (2 + k) * grid.frequencyCount
    let f = transform.pointer
    var total: Seven = (0, 0, 0, 0, 0, 0, 0)
    grid.psfRe.withUnsafeBufferPointer { psfRe in
      grid.psfIm.withUnsafeBufferPointer { psfIm in
        grid.kx.withUnsafeBufferPointer { kx in
          guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress,
            let kx = kx.baseAddress
          else { return }
          for run in grid.runs {
            let (at, column) = (run.frequency, run.column)
            var sums: Seven = (0, 0, 0, 0, 0, 0, 0)
            withUnsafeMutableBytes(of: &sums) { sums in
              sersic_reduce_row(
                run.count, adjoint + run.target, f + at, f + slopeAt + at, f + shapeAt + at,
                kx + column, grid.weights, rows[run.row], rows[grid.ky.count + run.row],
                columns + column, columns + count + column, psfRe + at, psfIm + at,
                sums.assumingMemoryBound(to: Double.self).baseAddress)
            }
            let ky = grid.ky[run.row]
            total.0 += sums.0
            total.5 += sums.2
            total.6 += ky * sums.1
            total.3 += ky * ky * sums.3
            total.2 += ky * sums.4
            total.1 += sums.5
            total.4 += sums.6
          }
        }
      }
    }
    return total
  }

  /// Adds what sums over frequencies give to the adjoint of the parameters, of the shape's to the first.
  private func add(_ sums: Seven, to out: inout ProfileDirection) {
    let flux = geometry.flux
    out.flux += sums.0
    out.xc += flux * sums.5
    out.yc += flux * sums.6
    guard kind != .pointSource else { return }
    let forms = geometry.frequencyFormSlopes
    func contract(_ form: QuadraticForm) -> Double {
      flux * (form.xx * sums.1 + 2 * form.xy * sums.2 + form.yy * sums.3)
    }
    out.rEff += contract(forms.rEff)
    out.ellip += contract(forms.ellip)
    out.theta += contract(forms.theta)
    out.shape[0] += flux * sums.4
  }

  // MARK: - Band edges

  /// Where the transform, a derivative of it and the phases lie.
  private func edgeInput(_ grid: FourierGrid, shapeAt: Int? = nil) -> EdgeRinging.Input {
    let isPoint = kind == .pointSource
    let count = grid.frequencyCount
    return EdgeRinging.Input(
      f: transform.pointer, fv: transform.pointer + (isPoint ? 0 : count),
      fn: transform.pointer + (shapeAt ?? (isPoint ? 0 : 2 * count)),
      columnRe: columnPhases.pointer, columnIm: columnPhases.pointer + grid.kx.count,
      rowRe: rowPhases.pointer, rowIm: rowPhases.pointer + grid.ky.count)
  }

  /// Subtracts the copies' ringing from an image.
  func subtract(
    _ ringing: EdgeRinging, _ grid: FourierGrid, _ place: EdgeRinging.Place,
    from image: UnsafeMutablePointer<Double>
  ) {
    ringing.subtract(
      grid, place, edgeInput(grid), xc: geometry.xc, yc: geometry.yc, flux: geometry.flux,
      from: image)
  }

  /// Subtracts the change of the copies' ringing along a direction from an image.
  func subtractTangent(
    _ d: ProfileDirection, _ ringing: EdgeRinging, _ grid: FourierGrid,
    _ place: EdgeRinging.Place, from image: UnsafeMutablePointer<Double>
  ) {
    let form = frequencyChange(d)
    let (byShape, shapeAt) = shapeChange(d, grid.frequencyCount)
    let change = (
      d.flux, form.xx, 2 * form.xy, form.yy, byShape, geometry.flux * d.xc, geometry.flux * d.yc
    )
    ringing.subtractTangent(
      grid, place, edgeInput(grid, shapeAt: shapeAt), change: change, d, from: image)
  }

  /// Adds the ringing's part to the adjoint of the parameters.
  func addAdjoint(
    _ ringing: EdgeRinging, _ grid: FourierGrid, _ place: EdgeRinging.Place,
    _ image: UnsafePointer<Double>, to adjoint: inout ProfileDirection
  ) {
    guard let sums = ringing.adjoint(grid, place, edgeInput(grid), image) else { return }
    add(sums.spectrum, to: &adjoint)
    adjoint.xc += sums.xc
    adjoint.yc += sums.yc
    guard slopes > 1 else { return }
    for k in 1..<slopes {
      let input = edgeInput(grid, shapeAt: (2 + k) * grid.frequencyCount)
      adjoint.shape[k] += geometry.flux * ringing.shapeAdjoint(grid, input)
    }
  }
}
