// SPDX-License-Identifier: MIT
//
// How values of an image become places in a colour map: limits from percentiles, linear or asinh stretch.

/// How values are spread between the limits of a colour map.
public enum ImageStretch: Sendable, Hashable {
  /// Evenly.
  case linear
  /// As asinh((value − zero) / softening): evenly near `zero`, like a logarithm far above it.
  case asinh(softening: Double, zero: Double)
}

/// The limits and the stretch with which an image is shown.
///
/// ### Source
///
/// asinh: Lupton et al. 2004, PASP 116, 133.
public struct ImageScale: Sendable, Hashable {
  /// The value at the lower end of the colour map.
  public var low: Double
  /// The value at the upper end of the colour map, above `low`.
  public var high: Double
  /// How values in between are spread.
  public var stretch: ImageStretch

  /// Creates a scale; limits that are equal or not finite are moved apart.
  public init(low: Double, high: Double, stretch: ImageStretch = .linear) {
    let a = low.isFinite ? low : 0
    let b = high.isFinite ? high : a
    let pad = b == a ? max(abs(a) * 0.05, .leastNormalMagnitude.squareRoot()) : 0
    self.low = min(a, b) - pad
    self.high = max(a, b) + pad
    self.stretch = stretch
    if case .asinh(let softening, let zero) = stretch,
      !(softening > 0 && softening.isFinite && zero.isFinite)
    {
      self.stretch = .linear
    }
  }

  /// Returns a scale that is symmetric about 0.
  public static func symmetric(_ limit: Double) -> ImageScale {
    let size = limit.isFinite && limit != 0 ? abs(limit) : 1
    return ImageScale(low: -size, high: size)
  }

  /// The function from values to places: 0 at `low`, 1 at `high`, beyond them outside 0 … 1.
  var locator: (Double) -> Double {
    let (low, high) = (low, high)
    switch stretch {
    case .linear: return { ($0 - low) / (high - low) }
    case .asinh(let softening, let zero):
      let start = inverseSinh((low - zero) / softening)
      let factor = 1 / (inverseSinh((high - zero) / softening) - start)
      return { (inverseSinh(($0 - zero) / softening) - start) * factor }
    }
  }

  /// Returns the place of a value: 0 at `low`, 1 at `high`, beyond them outside 0 … 1.
  public func place(of value: Double) -> Double { locator(value) }

  /// Returns the value at a place; the inverse of `place(of:)`.
  public func value(at place: Double) -> Double {
    switch stretch {
    case .linear: return low + place * (high - low)
    case .asinh(let softening, let zero):
      let start = inverseSinh((low - zero) / softening)
      let end = inverseSinh((high - zero) / softening)
      return zero + softening * hyperbolicSine(start + place * (end - start))
    }
  }

  /// The value about which the stretch is finest.
  var zero: Double {
    if case .asinh(_, let zero) = stretch { zero } else { 0 }
  }
}

/// Order statistics for limits of plots.
enum Percentiles {
  /// Returns the finite values that are not masked, sorted; of a large image an even sample of at least 60 000.
  static func sorted(_ values: [Double], mask: [Bool] = []) -> [Double] {
    var kept: [Double] = []
    // An odd step that divides few widths does not stay in the same columns.
    let step = values.count < 120_000 ? 1 : values.count / 60_000 / 2 * 2 + 1
    kept.reserveCapacity(values.count / step + 1)
    for index in stride(from: 0, to: values.count, by: step)
    where values[index].isFinite && (mask.isEmpty || !mask[index]) {
      kept.append(values[index])
    }
    kept.sort()
    return kept
  }

  /// Returns the smallest and the largest finite value that is not masked; +∞ and −∞ if there are none.
  static func extremes(_ images: [[Double]], mask: [Bool]) -> (low: Double, high: Double) {
    var low = Double.infinity
    var high = -Double.infinity
    for values in images {
      for index in values.indices where values[index].isFinite && (mask.isEmpty || !mask[index]) {
        low = min(low, values[index])
        high = max(high, values[index])
      }
    }
    return (low, high)
  }

  /// Returns a quantile of sorted values, interpolated between neighbours; nil if there are none.
  static func quantile(_ sorted: [Double], _ share: Double) -> Double? {
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let place = min(max(share, 0), 1) * Double(sorted.count - 1)
    let index = Int(place)
    guard index + 1 < sorted.count else { return last }
    guard index >= 0 else { return first }
    let weight = place - Double(index)
    return sorted[index] * (1 - weight) + sorted[index + 1] * weight
  }

  /// Returns half the distance between the 16 % and 84 % quantiles, which is the sd of a Gaussian; nil if there is no spread.
  static func scatter(_ sorted: [Double]) -> Double? {
    guard let low = quantile(sorted, 0.1587), let high = quantile(sorted, 0.8413), high > low
    else { return nil }
    return (high - low) / 2
  }

  /// Returns the smallest of 1, 2, 3, 4, 5, 7, 10 … (times powers of ten) that is at least a size; 1 if that is not positive.
  static func roundedUp(_ size: Double) -> Double {
    guard size > 0, size.isFinite else { return 1 }
    let unit = tenTo(Int(decimalLogarithm(size).rounded(.down)))
    let digit = [1.0, 2, 3, 4, 5, 7, 10].first { $0 * unit >= size * (1 - 1e-9) } ?? 10
    return digit * unit
  }
}
