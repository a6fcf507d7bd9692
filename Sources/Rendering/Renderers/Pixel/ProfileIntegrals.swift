// SPDX-License-Identifier: MIT
//
// A profile integrated over pixels, with all derivatives, from integrals along the lines of the pixel grid.

import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the derivatives of a component's canvas by its parameters go; that by the flux is the canvas of unit flux.
struct ProfileCanvases {
  /// By the centre's column.
  var xc: UnsafeMutablePointer<Double>
  /// By the centre's row.
  var yc: UnsafeMutablePointer<Double>
  /// By the flux: the canvas of unit flux.
  var flux: UnsafeMutablePointer<Double>
  /// By the half-light radius.
  var rEff: UnsafeMutablePointer<Double>
  /// By the parameters of the shape, one canvas after the other.
  var shape: UnsafeMutablePointer<Double>
  /// By the ellipticity.
  var ellip: UnsafeMutablePointer<Double>
  /// By the angle.
  var theta: UnsafeMutablePointer<Double>
}

/// The integrator of profiles over the cells of one grid, with its own memory.
///
/// In the coordinates w where the profile is round (r_eff = 1), Green's theorem turns the flux in a cell into
/// ∮ F(|w|) dφ / 2π over its four edges, F the enclosed flux; it is exact at the cusp and needs one dimension only.
/// A derivative by a geometric parameter moves the light with a velocity V linear in position, so that it is −∮ I V·n ds:
/// two moments of the density I on each edge give all five of them. One by the shape replaces F by its derivative.
/// Edges are shared by neighbours. Error: some 1e-15 of the flux, rounding; see the kernel for the quadrature.
///
/// ### Source
///
/// Our own; the edge integral is the signed-triangle form of the polar integral.
final class ProfileIntegrals {
  /// The cells.
  let grid: PixelGrid

  /// Integrals on vertical edges: four planes (F, F′, I, I · offset in y) of rows × (columns + 1).
  private let vertical: UnsafeMutablePointer<Double>

  /// Integrals on horizontal edges: four planes (F, F′, I, I · offset in x) of (rows + 1) × columns.
  private let horizontal: UnsafeMutablePointer<Double>

  /// The number of values in a plane of vertical edges.
  private var verticalCount: Int { grid.rows * (grid.columns + 1) }

  /// The number of values in a plane of horizontal edges.
  private var horizontalCount: Int { (grid.rows + 1) * grid.columns }

  /// Creates an integrator for the cells of a grid.
  init(grid: PixelGrid) {
    self.grid = grid
    vertical = .allocate(capacity: 4 * grid.rows * (grid.columns + 1))
    horizontal = .allocate(capacity: 4 * (grid.rows + 1) * grid.columns)
  }

  deinit {
    vertical.deallocate()
    horizontal.deallocate()
  }

  /// Sets the derivative canvases of a profile, those cells only that lie in the grid.
  ///
  /// - Parameters:
  ///   - shape: A feasible place and ellipse.
  ///   - form: The radial form at a feasible shape.
  ///   - table: The table of a form without parameters; nil: it is built here.
  ///   - canvases: The canvases to set, each with the grid's canvas layout.
  func evaluate(
    _ shape: ProfileShape, _ form: any RadialForm, table: RadialFluxTable?,
    into canvases: ProfileCanvases
  ) {
    for k in 0..<max(1, form.shapeCount) {
      let table = table ?? form.fluxTable(shape: k, largestV: largestV(shape))
      table.withKernelTable { lines(shape, form.sharpness, $0) }
      if k == 0 { assemble(shape, canvases) }
      if k < form.shapeCount {
        assembleSlope(shape.flux, canvases.shape + k * grid.canvasCount)
      }
    }
  }

  /// Returns a bound of z² over the grid.
  private func largestV(_ shape: ProfileShape) -> Double {
    let width = Double(grid.columns) * grid.side
    let height = Double(grid.rows) * grid.side
    let dx = max(abs(grid.left - shape.xc), abs(grid.left + width - shape.xc))
    let dy = max(abs(grid.bottom - shape.yc), abs(grid.bottom + height - shape.yc))
    let minor = shape.rEff * min(1, 1 - shape.ellip)
    return (dx * dx + dy * dy) / (minor * minor)
  }

  /// Sets the integrals on all edges.
  private func lines(
    _ shape: ProfileShape, _ sharpness: Double, _ table: UnsafePointer<sersic_radial_table>
  ) {
    let major = shape.rEff
    let minor = shape.rEff * (1 - shape.ellip)
    let s = sin(shape.theta)
    let c = cos(shape.theta)
    // The columns of the matrix to round coordinates (major axis, minor axis), right-handed; its determinant.
    let stepX = (-s / major, -c / minor)
    let stepY = (c / major, -s / minor)
    let lengthX = (stepX.0 * stepX.0 + stepX.1 * stepX.1).squareRoot()
    let lengthY = (stepY.0 * stepY.0 + stepY.1 * stepY.1).squareRoot()
    let shear = stepX.0 * stepY.0 + stepX.1 * stepY.1
    let determinant = 1 / (major * minor)
    let dx0 = grid.left - shape.xc
    let dy0 = grid.bottom - shape.yc

    let columns = grid.columns
    let rows = grid.rows
    for j in 0...columns {
      let dx = dx0 + Double(j) * grid.side
      // The place along the line of the point level with the centre, whose offset in y is 0.
      let level = dx * shear / lengthY
      let out = vertical + j
      sersic_line_integrals(
        table, dx * determinant / lengthY, level + dy0 * lengthY, grid.side * lengthY, rows,
        sharpness, columns + 1, out, out + verticalCount, out + 2 * verticalCount,
        out + 3 * verticalCount)
      finish(
        out + 2 * verticalCount, out + 3 * verticalCount, count: rows, stride: columns + 1,
        level: level, length: lengthY, determinant: determinant)
    }
    for i in 0...rows {
      let dy = dy0 + Double(i) * grid.side
      let level = dy * shear / lengthX
      let out = horizontal + i * columns
      sersic_line_integrals(
        table, -dy * determinant / lengthX, level + dx0 * lengthX, grid.side * lengthX, columns,
        sharpness, 1, out, out + horizontalCount, out + 2 * horizontalCount,
        out + 3 * horizontalCount)
      finish(
        out + 2 * horizontalCount, out + 3 * horizontalCount, count: columns, stride: 1,
        level: level, length: lengthX, determinant: determinant)
    }
  }

  /// Turns the kernel's integrals of g dt and g t dt into those of I and of I times the offset, along the edge in pixels.
  private func finish(
    _ density: UnsafeMutablePointer<Double>, _ moment: UnsafeMutablePointer<Double>, count: Int,
    stride: Int, level: Double, length: Double, determinant: Double
  ) {
    let scale = determinant / length
    for k in 0..<count {
      moment[k * stride] = scale / length * (moment[k * stride] - level * density[k * stride])
      density[k * stride] *= scale
    }
  }

  /// Sets the derivative canvases from the integrals on the edges.
  private func assemble(_ shape: ProfileShape, _ canvases: ProfileCanvases) {
    let flux = shape.flux
    let minorX = -cos(shape.theta)
    let minorY = -sin(shape.theta)
    let ellipScale = flux / (1 - shape.ellip)
    let radiusScale = -flux / shape.rEff
    let xx = ellipScale * minorX * minorX
    let xy = ellipScale * minorX * minorY
    let yy = ellipScale * minorY * minorY
    let columns = grid.columns
    for i in 0..<grid.rows {
      let v = vertical + i * (columns + 1)
      let b = horizontal + i * columns
      let t = b + columns
      let v2 = v + 2 * verticalCount
      let v3 = v2 + verticalCount
      let b2 = b + 2 * horizontalCount
      let t2 = t + 2 * horizontalCount
      let b3 = b2 + horizontalCount
      let t3 = t2 + horizontalCount
      let dyBottom = grid.bottom - shape.yc + Double(i) * grid.side
      let dyTop = grid.bottom - shape.yc + Double(i + 1) * grid.side
      let row = i * grid.canvasColumns
      for j in 0..<columns {
        let dxLeft = grid.left - shape.xc + Double(j) * grid.side
        let dxRight = grid.left - shape.xc + Double(j + 1) * grid.side
        // −∮ I V·n for V = (offset x, 0), (offset y, 0), (0, offset x), (0, offset y), but for the sign.
        let p11 = dxRight * v2[j + 1] - dxLeft * v2[j]
        let p12 = v3[j + 1] - v3[j]
        let p21 = t3[j] - b3[j]
        let p22 = dyTop * t2[j] - dyBottom * b2[j]
        canvases.xc[row + j] = flux * (v2[j] - v2[j + 1])
        canvases.yc[row + j] = flux * (b2[j] - t2[j])
        canvases.flux[row + j] = b[j] + v[j + 1] - t[j] - v[j]
        canvases.rEff[row + j] = radiusScale * (p11 + p22)
        canvases.ellip[row + j] = xx * p11 + xy * (p12 + p21) + yy * p22
        canvases.theta[row + j] = flux * (p12 - p21)
      }
    }
  }

  /// Sets the derivative canvas by a parameter of the shape from the integrals on the edges.
  private func assembleSlope(_ flux: Double, _ canvas: UnsafeMutablePointer<Double>) {
    let columns = grid.columns
    for i in 0..<grid.rows {
      let v = vertical + verticalCount + i * (columns + 1)
      let b = horizontal + horizontalCount + i * columns
      let t = b + columns
      let row = i * grid.canvasColumns
      for j in 0..<columns { canvas[row + j] = flux * (b[j] + v[j + 1] - t[j] - v[j]) }
    }
  }
}
