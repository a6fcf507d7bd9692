// SPDX-License-Identifier: MIT
//
// The ringing of periodic copies: the band ends at the Nyquist frequency, where the spectrum jumps and has a kink.

import CKernels
import Numerics

/// The frequencies at the edges of the band, and what they contribute to the ringing along x and along y.
///
/// At integer x the image of one source far away along x is, by parts at kx = ±π with H the spectrum about the source,
/// (−1)^x/π [Im(e^(−iπ xc) h(y))/ξ + Re(e^(−iπ xc) h'(y))/ξ² + …], ξ = x − xc, h(y) the transform over ky of H(π, ky), h' that
/// of ∂H/∂kx, the profile's part of it by a one-sided difference. Sums over copies replace 1/ξ by
/// (π/P) cot(πξ/P) − 1/ξ and 1/ξ² by (π/P)²/sin²(πξ/P) − 1/ξ². The same holds with x and y exchanged.
struct BandEdges: Sendable {
  /// The entries: bins of the edge kx = π (jump, then kink), then those of the edge ky = π.
  let entries: [sersic_edge]

  /// The first bins of the four transforms.
  let firstBins: [Int]

  /// The number of bins.
  let binCount: Int

  /// The inverse transforms along y (of bins of kx = π) and along x.
  let alongY: FFTPlan
  /// The inverse transform along x.
  let alongX: FFTPlan

  /// The share of the PSF's sum at the edges below which nothing is done.
  private static let negligible = 1e-9

  /// Creates no entries: for an oversampled PSF, whose band ends where its transform has ended.
  init(columns: Int, rows: Int) {
    entries = []
    firstBins = [0, 0, 0, 0]
    binCount = 0
    alongY = FFTPlan(rows: 1, columns: rows)
    alongX = FFTPlan(rows: 1, columns: columns)
  }

  /// Collects the frequencies at the edges; none where the PSF's transform is negligible there.
  init(columns: Int, rows: Int, spectra: PointSpreadSpectra) {
    let half = rows / 2
    let runLength = columns / 2 + 1
    let last = runLength - 1
    firstBins = [0, half + 1, 2 * (half + 1), 2 * (half + 1) + runLength]
    binCount = 2 * (half + 1) + 2 * runLength
    alongY = FFTPlan(rows: 1, columns: rows)
    alongX = FFTPlan(rows: 1, columns: columns)
    // The derivative of the PSF's transform about its centre is that of −i x times the PSF.
    let psf = spectra.transform { _, _ in 1 }
    let psfX = spectra.transform { x, _ in x }
    let psfY = spectra.transform { _, y in y }
    var entries: [sersic_edge] = []
    let stepX = 2 * Double.pi / Double(columns)
    let stepY = 2 * Double.pi / Double(rows)
    func add(
      from: (row: Int, column: Int), at: (row: Int, column: Int), bin: Int, weight: Complex,
      isConjugate: Bool = false
    ) {
      entries.append(
        sersic_edge(
          frequency: from.row * runLength + from.column, column: at.column, row: at.row, bin: bin,
          re: weight.re, im: weight.im, sign: isConjugate ? -1 : 1,
          kx: stepX * Double(from.column), ky: stepY * Double(from.row - half),
          px: stepX * Double(at.column), py: stepY * Double(at.row - half)))
    }
    // One-sided second-order difference over the last three frequencies, for the profile's transform only.
    let difference = [1.5, -2, 0.5]
    for k in 0...half {
      // The end's half weight is undone: the inverse transform takes the real part of one end for both.
      let scale = (k == half ? 2 : 1) * Double(columns) / .pi * 0.5
      for isConjugate in [false, true] {
        let end = (row: isConjugate ? half - k : half + k, column: last)
        let i = end.row * runLength + last
        let h = Complex(psf.re[i], psf.im[i]).scaled(scale)
        let hSlope = Complex(psfX.im[i], -psfX.re[i]).scaled(scale)
        // Of (Z − Z̄')/2i the second part is the conjugate of Z'/2i as well.
        add(from: end, at: end, bin: k, weight: Complex(h.im, -h.re), isConjugate: isConjugate)
        for (m, d) in difference.enumerated() {
          let weight = h.scaled(d / stepX).plus(m == 0 ? hSlope : Complex(0, 0))
          add(
            from: (end.row, last - m), at: end, bin: firstBins[1] + k, weight: weight,
            isConjugate: isConjugate)
        }
      }
    }
    for j in 0...last {
      for isBottom in [false, true] {
        let end = (row: isBottom ? 0 : 2 * half, column: j)
        let i = end.row * runLength + j
        // Twice for the ends' half weight; the outward derivative is that by −ky at the bottom.
        let outward = isBottom ? -1.0 : 1.0
        let h = Complex(psf.re[i], psf.im[i]).scaled(Double(rows) / .pi)
        let hSlope = Complex(psfY.im[i], -psfY.re[i]).scaled(outward * Double(rows) / .pi)
        add(
          from: end, at: end, bin: firstBins[2] + j,
          weight: Complex(outward * h.im, -outward * h.re))
        for (m, d) in difference.enumerated() {
          let weight = h.scaled(d / stepY).plus(m == 0 ? hSlope : Complex(0, 0))
          add(
            from: (isBottom ? m : 2 * half - m, j), at: end, bin: firstBins[3] + j, weight: weight)
        }
      }
    }
    let sum = spectra.psf.values.reduce(0, +) / .pi
    let largest = entries.map { max(abs($0.re), abs($0.im)) }.max() ?? 0
    self.entries =
      largest * Double(min(columns, rows)) < Self.negligible * sum ? [] : entries
  }
}

/// The ringing of one component's copies, with its derivatives.
final class EdgeRinging {
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

  /// Creates memory for a plan.
  init(plan: RendererPlan) {
    width = plan.width
    height = plan.height
    left = FFTBuffer(count: 4 * height)
    right = FFTBuffer(count: 4 * width)
    leftSlope = FFTBuffer(count: 4 * height)
    rightSlope = FFTBuffer(count: 4 * width)
    leftTangent = FFTBuffer(count: 8 * height)
    rightTangent = FFTBuffer(count: 8 * width)
  }

  /// Sums over copies of 1/ξ, 1/ξ² and 1/ξ³ without the source's own.
  private static func copySums(_ x: Double, _ period: Double) -> (Double, Double, Double) {
    let scale = .pi / period
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

  /// Computes the transforms of the edges' bins into the factors along the edges.
  private func transform(
    _ grid: FourierGrid, _ input: Input, _ c: Seven, left: UnsafeMutablePointer<Double>,
    right: UnsafeMutablePointer<Double>, stride: Int
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
        for y in 0..<height { left[y, term, stride] = line.pointer[y] }
      } else {
        (right + term * width).update(from: line.pointer, count: width)
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
    _ grid: FourierGrid, _ input: Input, xc: Double, yc: Double, flux: Double,
    from image: UnsafeMutablePointer<Double>
  ) {
    guard !grid.edges.entries.isEmpty else { return }
    reserve(grid)
    transform(
      grid, input, (flux, 0, 0, 0, 0, 0, 0), left: left.pointer, right: right.pointer, stride: 4)
    for x in 0..<width {
      let sign = x % 2 == 0 ? 1.0 : -1
      let sums = Self.copySums(Double(x) - xc, Double(grid.columns))
      right.pointer[x] = sign * sums.0
      right.pointer[width + x] = sign * sums.1
      rightSlope.pointer[x] = sign * sums.1
      rightSlope.pointer[width + x] = 2 * sign * sums.2
    }
    for y in 0..<height {
      let sign = y % 2 == 0 ? 1.0 : -1
      let sums = Self.copySums(Double(y) - yc, Double(grid.rows))
      left.pointer[4 * y + 2] = sign * sums.0
      left.pointer[4 * y + 3] = sign * sums.1
      leftSlope.pointer[4 * y + 2] = sign * sums.1
      leftSlope.pointer[4 * y + 3] = 2 * sign * sums.2
    }
    sersic_multiply_add(
      height, 4, width, -1, left.pointer, right.pointer, width, image, width)
  }

  /// Subtracts the change of the ringing along a direction, whose change of the spectrum is given, from an image.
  func subtractTangent(
    _ grid: FourierGrid, _ input: Input, change: Seven, _ d: ProfileDirection,
    from image: UnsafeMutablePointer<Double>
  ) {
    guard !grid.edges.entries.isEmpty else { return }
    // The product rule as eight terms: changed left factors with right ones, then the reverse.
    let l = leftTangent.pointer
    let r = rightTangent.pointer
    transform(grid, input, change, left: l, right: r + 4 * width, stride: 8)
    for y in 0..<height {
      for t in 0..<2 {
        l[8 * y + 2 + t] = leftSlope.pointer[4 * y + 2 + t] * d.yc
        l[8 * y + 4 + t] = left.pointer[4 * y + t]
        l[8 * y + 6 + t] = left.pointer[4 * y + 2 + t]
      }
    }
    r.update(from: right.pointer, count: 4 * width)
    for i in 0..<2 * width { r[4 * width + i] = rightSlope.pointer[i] * d.xc }
    sersic_multiply_add(height, 8, width, -1, l, r, width, image, width)
  }

  /// Returns the ringing's part of the adjoints for an image adjoint: of the spectrum's coefficients, and of the centre.
  func adjoint(_ grid: FourierGrid, _ input: Input, _ image: UnsafePointer<Double>) -> (
    spectrum: Seven, xc: Double, yc: Double
  ) {
    var sums: Seven = (0, 0, 0, 0, 0, 0, 0)
    guard !grid.edges.entries.isEmpty else { return (sums, 0, 0) }
    let edges = grid.edges
    let byLeft = leftTangent.pointer
    let byRight = rightTangent.pointer
    byLeft.update(repeating: 0, count: 4 * height)
    byRight.update(repeating: 0, count: 4 * width)
    sersic_project_rows(height, width, 4, -1, image, right.pointer, byLeft)
    sersic_multiply_add_transposed(
      4, height, width, -1, left.pointer, image, width, byRight, width)
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
        for y in 0..<height { line.pointer[y] = byLeft[4 * y + term] }
      } else {
        line.pointer.update(from: byRight + term * width, count: width)
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
    sums = coefficientSums(edges, input)
    return (sums, xc, yc)
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
