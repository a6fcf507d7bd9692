// SPDX-License-Identifier: MIT
//
// Medians and the biweight scale: Beers, Flynn & Gebhardt 1990 (AJ 100, 32), eq. 9.

/// Returns the median of numbers, the mean of the middle two for an even count; nil for none.
package func median(_ values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1
    ? sorted[middle] : sorted[middle - 1] + (sorted[middle] - sorted[middle - 1]) / 2
}

/// Returns the median distance of numbers from a centre.
package func medianAbsoluteDeviation(_ values: [Double], from center: Double) -> Double {
  median(values.map { abs($0 - center) }) ?? 0
}

/// Returns the biweight scale of numbers about their median: 0 when half of them are equal.
///
/// √(N Σ' d² (1 − u²)⁴) / |Σ' (1 − u²)(1 − 5u²)|, with d the distance from the median, u = d / (9 MAD), and the sums
/// over |u| < 1; N counts all values.
///
/// ### Source
///
/// Beers, Flynn & Gebhardt 1990, eq. 9, with c = 9.
package func biweightScale(_ values: [Double]) -> Double {
  guard let center = median(values) else { return 0 }
  let deviation = medianAbsoluteDeviation(values, from: center)
  guard deviation > 0 else { return 0 }
  var numerator = 0.0
  var denominator = 0.0
  for value in values {
    let u = (value - center) / (9 * deviation)
    let v = 1 - u * u
    guard v > 0 else { continue }
    // Distances in units of the deviation: their squares neither overflow nor vanish for any unit of the image.
    let d = 9 * u
    numerator += d * d * v * v * v * v
    denominator += v * (1 - 5 * u * u)
  }
  return deviation * (Double(values.count) * numerator).squareRoot() / abs(denominator)
}
