// SPDX-License-Identifier: MIT
//
// Counts in one and two dimensions: histograms, smoothed densities, and the levels that enclose a share of draws.

/// Counts of values in equal bins.
package struct Histogram: Sendable {
  /// The ends of the bins, one more than bins.
  package let edges: [Double]
  /// The counts.
  package let counts: [Double]

  /// Counts finite values, between given ends or between the smallest and the largest.
  package init(_ values: [Double], bins: Int? = nil, range: ClosedRange<Double>? = nil) {
    let sorted = Percentiles.sorted(values)
    var low = range?.lowerBound ?? sorted.first ?? 0
    var high = range?.upperBound ?? sorted.last ?? 1
    if high <= low {
      let pad = max(abs(low) * 1e-3, 1e-300)
      (low, high) = (low - pad, high + pad)
    }
    let count = max(1, bins ?? Histogram.suggestedBins(sorted, width: high - low))
    let step = (high - low) / Double(count)
    var result = [Double](repeating: 0, count: count)
    for value in sorted where value >= low && value <= high {
      result[min(Int((value - low) / step), count - 1)] += 1
    }
    edges = (0...count).map { low + Double($0) * step }
    counts = result
  }

  /// The counts divided so that the area is 1.
  package var density: [Double] {
    let total = counts.reduce(0, +) * (edges[1] - edges[0])
    return total > 0 ? counts.map { $0 / total } : counts
  }

  /// Returns 2 · interquartile range / cube root of the count as bin width, between 8 and 60 bins.
  ///
  /// ### Source
  ///
  /// Freedman & Diaconis 1981, Z. Wahrscheinlichkeitstheorie 57, 453.
  private static func suggestedBins(_ sorted: [Double], width: Double) -> Int {
    guard let a = Percentiles.quantile(sorted, 0.25), let b = Percentiles.quantile(sorted, 0.75),
      b > a
    else { return 20 }
    let step = 2 * (b - a) / power(Double(sorted.count), 1.0 / 3)
    return Int(min(max(width / step, 8), 60))
  }
}

/// A smoothed density of pairs on a square grid.
package struct DensityGrid: Sendable {
  /// The number of bins on each side.
  package let bins: Int
  /// The density at the centres of bins, y by y, x fastest, in any unit.
  package private(set) var values: [Double]

  /// Counts pairs of shares of two axes, those from 0 to 1, and smooths the counts.
  ///
  /// The smoothing is Gaussian with 1.2 N^(−1/6) of the conditional sd on each axis: Scott's rule, narrowed by the
  /// correlation so that thin ridges stay thin, and a little more for smooth lines. It is reflected at the edges.
  package init(x: [Double], y: [Double], bins: Int = 56) {
    self.bins = bins
    values = Array(repeating: 0, count: bins * bins)
    var (count, sx, sy, sxx, syy, sxy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for (u, v) in zip(x, y) {
      guard u >= 0, u <= 1, v >= 0, v <= 1 else { continue }
      let column = min(Int(u * Double(bins)), bins - 1)
      let row = min(Int(v * Double(bins)), bins - 1)
      values[row * bins + column] += 1
      (count, sx, sy) = (count + 1, sx + u, sy + v)
      (sxx, syy, sxy) = (sxx + u * u, syy + v * v, sxy + u * v)
    }
    guard count > 1 else { return }
    let varX = max(sxx / count - sx * sx / (count * count), 0)
    let varY = max(syy / count - sy * sy / (count * count), 0)
    let covariance = sxy / count - sx * sy / (count * count)
    let correlation = varX * varY > 0 ? covariance * covariance / (varX * varY) : 0
    let narrowing = max(1 - correlation, 0.01).squareRoot()
    let factor = 1.2 * power(count, -1.0 / 6) * narrowing * Double(bins)
    smooth(sigma: max(varX.squareRoot() * factor, 0.8), stride: 1, across: bins)
    smooth(sigma: max(varY.squareRoot() * factor, 0.8), stride: bins, across: 1)
  }

  /// Smooths along one axis with a Gaussian, reflected at the ends.
  private mutating func smooth(sigma: Double, stride step: Int, across: Int) {
    let reach = min(Int((3.5 * sigma).rounded(.up)), bins - 1)
    var kernel = (0...reach).map { exponential(-0.5 * Double($0 * $0) / (sigma * sigma)) }
    let total = kernel[0] + 2 * kernel.dropFirst().reduce(0, +)
    kernel = kernel.map { $0 / total }
    var line = [Double](repeating: 0, count: bins)
    for start in 0..<bins {
      let origin = start * across
      for i in 0..<bins { line[i] = values[origin + i * step] }
      for i in 0..<bins {
        var sum = kernel[0] * line[i]
        for k in 1..<max(reach + 1, 1) {
          let left = i - k < 0 ? k - i - 1 : i - k
          let right = i + k >= bins ? 2 * bins - 1 - i - k : i + k
          sum += kernel[k] * (line[left] + line[right])
        }
        values[origin + i * step] = sum
      }
    }
  }

  /// Returns the density above which each share of the total lies, in the order given; nil without data.
  package func levels(enclosing shares: [Double]) -> [Double]? {
    let sorted = values.sorted(by: >)
    let total = sorted.reduce(0, +)
    guard total > 0 else { return nil }
    return shares.map { share in
      var sum = 0.0
      for value in sorted {
        sum += value
        if sum >= share * total { return value }
      }
      return sorted.last ?? 0
    }
  }

  /// Returns the density in the bin of a place given as shares of the axes; 0 outside.
  package func value(atShareX u: Double, y v: Double) -> Double {
    guard u >= 0, u < 1, v >= 0, v < 1 else { return 0 }
    return values[Int(v * Double(bins)) * bins + Int(u * Double(bins))]
  }
}
