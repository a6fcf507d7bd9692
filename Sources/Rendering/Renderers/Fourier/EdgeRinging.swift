// SPDX-License-Identifier: MIT
//
// The ringing of periodic copies, and of a source beyond its stamp: the band ends where the spectrum jumps and has a kink.

import CKernels
import Numerics

/// The ringing of one component's copies, with its derivatives.
///
/// Where the periodic image covers a part of the frame only, a stamp, the ringing of the source itself goes on along the
/// stamp's rows and columns to the edges of the frame.
final class EdgeRinging {
  /// Where the periodic image lies in the frame.
  struct Place {
    /// The pixel of the frame that is the image's first.
    let origin: (x: Int, y: Int)
    /// The columns of the frame that the image covers.
    let columns: Range<Int>
    /// The rows of the frame that the image covers.
    let rows: Range<Int>
  }

  /// Where a component's transform and phases lie.
  struct Input {
    /// F at every frequency.
    let f: UnsafePointer<Double>
    /// dF/ds.
    let fv: UnsafePointer<Double>
    /// dF/dp, p the parameter of the shape in question.
    var fn: UnsafePointer<Double>
    /// Phases along columns, real parts.
    let columnRe: UnsafePointer<Double>
    /// Phases along columns, imaginary parts.
    let columnIm: UnsafePointer<Double>
    /// Phases along rows, real parts.
    let rowRe: UnsafePointer<Double>
    /// Phases along rows, imaginary parts.
    let rowIm: UnsafePointer<Double>
  }

  /// Seven numbers: coefficients or sums of `sersic_edges`.
  typealias Seven = (Double, Double, Double, Double, Double, Double, Double)

  /// The number of columns and rows of the frame.
  private let width, height: Int

  /// The bins' transforms and their inverse transforms.
  private var bins = FFTBuffer(count: 0)
  /// One transform's line.
  private var line = FFTBuffer(count: 0)
  /// One transform's spectrum, aligned.
  private var lineSpectrum = FFTBuffer(count: 0)

  /// The factors along y of the four terms, [height, 4], and along x, [4, width].
  private let left, right: FFTBuffer
  /// The factors' derivatives by the centre (terms 2, 3 along y; 0, 1 along x).
  private let leftSlope, rightSlope: FFTBuffer
  /// Factors of a tangent.
  private let leftTangent, rightTangent: FFTBuffer

  /// Creates memory for a frame.
  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    left = FFTBuffer(count: 4 * height)
    right = FFTBuffer(count: 4 * width)
    leftSlope = FFTBuffer(count: 4 * height)
    rightSlope = FFTBuffer(count: 4 * width)
    leftTangent = FFTBuffer(count: 8 * height)
    rightTangent = FFTBuffer(count: 8 * width)
  }

  /// Sums over copies of 1/ξ, 1/ξ² and 1/ξ³ without the source's own.
  private static func copySums(_ x: Double, _ period: Int) -> (Double, Double, Double) {
    let scale = .pi / Double(period)
    let t = scale * x
    if abs(t) < 0.05 {
      // Next terms: 2 t^5 / 945, 2 t^4 / 189 and their derivative; below 1e-9 of what they are added to.
      let t2 = t * t
      return (
        scale * -t * (1 / 3.0 + t2 * (1 / 45.0 + t2 * (2 / 945.0 + t2 / 4725.0))),
        scale * scale * (1 / 3.0 + t2 * (1 / 15.0 + t2 * (2 / 189.0 + t2 / 675.0))),
        -scale * scale * scale * t * (1 / 15.0 + t2 * (4 / 189.0 + t2 / 225.0))
      )
    }
    let (c, s) = (cosine(t), sine(t))
    let inverse = 1 / t
    return (
      scale * (c / s - inverse), scale * scale * (1 / (s * s) - inverse * inverse),
      scale * scale * scale * (c / (s * s * s) - inverse * inverse * inverse)
    )
  }

  /// Minus 1/ξ, 1/ξ² and 1/ξ³: what is subtracted of the source's own where its periodic image does not reach.
  private static func ownTerms(_ x: Double) -> (Double, Double, Double) {
    let inverse = -1 / x
    return (inverse, -inverse * inverse, inverse * inverse * inverse)
  }

  /// Calls `body` for the parts of the frame that ring: those beside a stamp, above it and below it; or the whole frame.
  private func forEachPart(_ place: Place, _ body: (_ columns: Range<Int>, Range<Int>) -> Void) {
    if !place.rows.isEmpty { body(0..<width, place.rows) }
    guard !place.columns.isEmpty else { return }
    let isBeside = place.rows.isEmpty
    let above = 0..<(isBeside ? height : place.rows.lowerBound)
    let below = isBeside ? height..<height : place.rows.upperBound..<height
    if !above.isEmpty { body(place.columns, above) }
    if !below.isEmpty { body(place.columns, below) }
  }

  /// Computes the transforms of the edges' bins into the factors along the edges, zero where the image does not reach.
  private func transform(
    _ grid: FourierGrid, _ place: Place, _ input: Input, _ c: Seven,
    left: UnsafeMutablePointer<Double>, right: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let edges = grid.edges
    bins.pointer.update(repeating: 0, count: 2 * edges.binCount)
    var c = c
    edges.entries.withUnsafeBufferPointer { entries in
      withUnsafeBytes(of: &c) { c in
        sersic_edges(
          entries.count, entries.baseAddress, input.f, input.fv, input.fn,
          c.assumingMemoryBound(to: Double.self).baseAddress, input.columnRe, input.columnIm,
          input.rowRe, input.rowIm, bins.pointer)
      }
    }
    for term in 0..<4 {
      let plan = term < 2 ? edges.alongY : edges.alongX
      lineSpectrum.pointer.update(
        from: bins.pointer + 2 * edges.firstBins[term], count: plan.spectrumCount)
      plan.inverse(lineSpectrum.pointer, into: line.pointer)
      if term < 2 {
        for y in 0..<height where !place.rows.contains(y) { left[y, term, stride] = 0 }
        for y in place.rows { left[y, term, stride] = line.pointer[y - place.origin.y] }
      } else {
        let row = right + term * width
        if place.columns.count < width { row.update(repeating: 0, count: width) }
        (row + place.columns.lowerBound).update(
          from: line.pointer + max(place.columns.lowerBound - place.origin.x, 0),
          count: place.columns.count)
      }
    }
  }

  /// Makes room for a grid's bins.
  private func reserve(_ grid: FourierGrid) {
    if bins.count < 2 * grid.edges.binCount {
      bins = FFTBuffer(count: 2 * grid.edges.binCount)
      line = FFTBuffer(count: max(grid.columns, grid.rows))
      lineSpectrum = FFTBuffer(count: max(grid.columns, grid.rows) + 2)
    }
  }

  /// Subtracts the copies' ringing from an image.
  func subtract(
    _ grid: FourierGrid, _ place: Place, _ input: Input, xc: Double, yc: Double, flux: Double,
    from image: UnsafeMutablePointer<Double>
  ) {
    guard !grid.edges.entries.isEmpty else { return }
    reserve(grid)
    transform(
      grid, place, input, (flux, 0, 0, 0, 0, 0, 0), left: left.pointer, right: right.pointer,
      stride: 4)
    for x in 0..<width {
      let sign = (x - place.origin.x) % 2 == 0 ? 1.0 : -1
      let d = Double(x) - xc
      let sums =
        place.columns.contains(x) ? Self.copySums(d, grid.columns) : Self.ownTerms(d)
      right.pointer[x] = sign * sums.0
      right.pointer[width + x] = sign * sums.1
      rightSlope.pointer[x] = sign * sums.1
      rightSlope.pointer[width + x] = 2 * sign * sums.2
    }
    for y in 0..<height {
      let sign = (y - place.origin.y) % 2 == 0 ? 1.0 : -1
      let d = Double(y) - yc
      let sums = place.rows.contains(y) ? Self.copySums(d, grid.rows) : Self.ownTerms(d)
      left.pointer[4 * y + 2] = sign * sums.0
      left.pointer[4 * y + 3] = sign * sums.1
      leftSlope.pointer[4 * y + 2] = sign * sums.1
      leftSlope.pointer[4 * y + 3] = 2 * sign * sums.2
    }
    subtractProduct(place, 4, left.pointer, right.pointer, from: image)
  }

  /// Subtracts the product of left and right factors from the parts of an image that ring.
  private func subtractProduct(
    _ place: Place, _ terms: Int, _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>,
    from image: UnsafeMutablePointer<Double>
  ) {
    forEachPart(place) { columns, rows in
      sersic_multiply_add(
        rows.count, terms, columns.count, -1, left + terms * rows.lowerBound,
        right + columns.lowerBound, width,
        image + rows.lowerBound * width + columns.lowerBound, width)
    }
  }

  /// Subtracts the change of the ringing along a direction, whose change of the spectrum is given, from an image.
  func subtractTangent(
    _ grid: FourierGrid, _ place: Place, _ input: Input, change: Seven, _ d: ProfileDirection,
    from image: UnsafeMutablePointer<Double>
  ) {
    guard !grid.edges.entries.isEmpty else { return }
    // The product rule as eight terms: changed left factors with right ones, then the reverse.
    let l = leftTangent.pointer
    let r = rightTangent.pointer
    transform(grid, place, input, change, left: l, right: r + 4 * width, stride: 8)
    for y in 0..<height {
      for t in 0..<2 {
        l[8 * y + 2 + t] = leftSlope.pointer[4 * y + 2 + t] * d.yc
        l[8 * y + 4 + t] = left.pointer[4 * y + t]
        l[8 * y + 6 + t] = left.pointer[4 * y + 2 + t]
      }
    }
    r.update(from: right.pointer, count: 4 * width)
    for i in 0..<2 * width { r[4 * width + i] = rightSlope.pointer[i] * d.xc }
    subtractProduct(place, 8, l, r, from: image)
  }

  /// Returns the ringing's part of the adjoints for an image adjoint: of the spectrum's coefficients, and of the centre.
  ///
  /// Nil where nothing rings.
  func adjoint(
    _ grid: FourierGrid, _ place: Place, _ input: Input, _ image: UnsafePointer<Double>
  ) -> (spectrum: Seven, xc: Double, yc: Double)? {
    guard !grid.edges.entries.isEmpty else { return nil }
    let edges = grid.edges
    let byLeft = leftTangent.pointer
    let byRight = rightTangent.pointer
    byLeft.update(repeating: 0, count: 4 * height)
    byRight.update(repeating: 0, count: 4 * width)
    forEachPart(place) { columns, rows in
      let part = image + rows.lowerBound * width + columns.lowerBound
      sersic_project_rows(
        rows.count, columns.count, 4, -1, part, width, right.pointer + columns.lowerBound, width,
        byLeft + 4 * rows.lowerBound)
      sersic_multiply_add_transposed(
        4, rows.count, columns.count, -1, left.pointer + 4 * rows.lowerBound, part, width,
        byRight + columns.lowerBound, width)
    }
    var xc = 0.0
    var yc = 0.0
    for i in 0..<2 * width { xc += byRight[i] * rightSlope.pointer[i] }
    for y in 0..<height {
      yc += byLeft[4 * y + 2] * leftSlope.pointer[4 * y + 2]
      yc += byLeft[4 * y + 3] * leftSlope.pointer[4 * y + 3]
    }
    for term in 0..<4 {
      let plan = term < 2 ? edges.alongY : edges.alongX
      line.pointer.update(repeating: 0, count: plan.columns)
      if term < 2 {
        for y in place.rows { line.pointer[y - place.origin.y] = byLeft[4 * y + term] }
      } else {
        (line.pointer + max(place.columns.lowerBound - place.origin.x, 0)).update(
          from: byRight + term * width + place.columns.lowerBound, count: place.columns.count)
      }
      plan.forward(line.pointer, into: lineSpectrum.pointer)
      // The adjoint of the inverse transform counts inner frequencies twice.
      for i in 2..<plan.spectrumCount - 2 { lineSpectrum.pointer[i] *= 2 }
      (bins.pointer + 2 * edges.firstBins[term]).update(
        from: lineSpectrum.pointer, count: plan.spectrumCount)
    }
    // The inverse transform ignores the imaginary parts of the first and the last frequency.
    for term in 0..<4 {
      let first = bins.pointer + 2 * edges.firstBins[term]
      first[1] = 0
      first[(term < 2 ? edges.alongY : edges.alongX).spectrumCount - 1] = 0
    }
    return (coefficientSums(edges, input), xc, yc)
  }

  /// Returns the adjoint of the spectrum's coefficient 4 for another derivative by a shape's parameter, after `adjoint`.
  func shapeAdjoint(_ grid: FourierGrid, _ input: Input) -> Double {
    grid.edges.entries.isEmpty ? 0 : coefficientSums(grid.edges, input).4
  }

  /// Returns the sums of the adjoint of `sersic_edges` over the bins' adjoints.
  private func coefficientSums(_ edges: BandEdges, _ input: Input) -> Seven {
    var sums: Seven = (0, 0, 0, 0, 0, 0, 0)
    edges.entries.withUnsafeBufferPointer { entries in
      withUnsafeMutableBytes(of: &sums) { sums in
        sersic_edges_adjoint(
          entries.count, entries.baseAddress, input.f, input.fv, input.fn, input.columnRe,
          input.columnIm, input.rowRe, input.rowIm, bins.pointer,
          sums.assumingMemoryBound(to: Double.self).baseAddress)
      }
    }
    return sums
  }
}

extension UnsafeMutablePointer<Double> {
  /// The element of a row-major matrix.
  fileprivate subscript(row: Int, column: Int, stride: Int) -> Double {
    get { self[row * stride + column] }
    nonmutating set { self[row * stride + column] = newValue }
  }
}
