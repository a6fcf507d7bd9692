// SPDX-License-Identifier: MIT
//
// The frequencies at the edges of the band, at the Nyquist frequency, where the spectrum jumps and has a kink.

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

  /// A bound of the ringing's amplitude at the distance of one pixel, for unit flux and a transform of 1 at the edges.
  let magnitude: Double

  /// The share of the PSF's sum at the edges below which nothing is done.
  private static let negligible = 1e-9

  /// Creates no entries: for an oversampled PSF, whose band ends where its transform has ended.
  init(columns: Int, rows: Int) {
    entries = []
    magnitude = 0
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
    let kept = largest * Double(min(columns, rows)) < Self.negligible * sum ? [] : entries
    self.entries = kept
    // Of the jumps, either with all phases alike; inner frequencies count twice.
    let first = firstBins
    func total(_ bins: Range<Int>) -> Double {
      2
        * kept.lazy.filter { bins.contains($0.bin) }
        .reduce(0) { $0 + ($1.re * $1.re + $1.im * $1.im).squareRoot() }
    }
    magnitude = max(total(first[0]..<first[1]), total(first[2]..<first[3]))
  }
}
