// SPDX-License-Identifier: MIT
//
// A point of light on a pixel grid: inside the frequency band of the grid, integrated over each cell.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The image along one axis of a point of unit flux, band-limited and integrated over each cell, on a periodic grid.
///
/// D(j) = (1/N) Σ_k sinc(k/N) cos(2πk(j − c)/N), |k| ≤ N/2: the point's flat spectrum, cut at the grid's Nyquist frequency and
/// multiplied by the cell's transform. Convolved with an array of PSF samples it gives the integral over each cell of the
/// array's sinc interpolation about c. The sum over j is 1. At the Nyquist frequency of an even N the cosine product is
/// taken, which keeps the image real.
struct BandLimitedPoint {
  /// The number of cells of the periodic grid.
  private let count: Int

  /// cos and sin of 2πm/N.
  private let turns: [(cos: Double, sin: Double)]

  /// The transform of the cell at frequency k/N, times the multiplicity of k in the sum, over N.
  private let weights: [Double]

  /// Creates the tables for a grid of `count` cells.
  init(count: Int) {
    self.count = count
    turns = (0..<count).map {
      let angle = 2 * Double.pi * Double($0) / Double(count)
      return (cos(angle), sin(angle))
    }
    weights = (0...count / 2).map {
      let angle = Double.pi * Double($0) / Double(count)
      let cell = $0 == 0 ? 1 : sin(angle) / angle
      return cell * ($0 == 0 || 2 * $0 == count ? 1 : 2) / Double(count)
    }
  }

  /// Returns D and its derivative with respect to the place c, which is in cells, 0 at the first cell's centre.
  func evaluate(at place: Double) -> (values: [Double], slopes: [Double]) {
    var values = [Double](repeating: 0, count: count)
    var slopes = [Double](repeating: 0, count: count)
    for (k, weight) in weights.enumerated() {
      let frequency = 2 * Double.pi * Double(k) / Double(count)
      let phaseCos = cos(frequency * place) * weight
      let isNyquist = 2 * k == count
      let phaseSin = sin(frequency * place) * weight
      var turn = 0
      for j in 0..<count {
        let (c, s) = turns[turn]
        turn += k
        if turn >= count { turn -= count }
        if isNyquist {
          values[j] += c * phaseCos
          slopes[j] -= frequency * c * phaseSin
        } else {
          values[j] += c * phaseCos + s * phaseSin
          slopes[j] += frequency * (s * phaseCos - c * phaseSin)
        }
      }
    }
    return (values, slopes)
  }
}
