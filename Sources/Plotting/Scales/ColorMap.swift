// SPDX-License-Identifier: MIT
//
// Colour maps made from control points in OKLab, so that equal steps in value are equal steps in lightness.

/// A colour for each number from 0 to 1.
public struct ColorMap: Sendable {
  /// The colours as 0x00RRGGBB, evenly spaced; an odd count, so that 0.5 has a colour of its own.
  private let table: [UInt32]

  /// A control point: place, OKLab lightness, chroma, hue in degrees.
  private typealias Control = (place: Double, lightness: Double, chroma: Double, hue: Double)

  /// The colour of pixels that have no value or are masked: a flat grey that none of the maps contains.
  public static let masked = PlotColor(0.56, 0.58, 0.60)

  /// Night blue over crimson and orange to pale yellow: for light on a dark sky.
  public static let ember = ColorMap([
    (0.00, 0.10, 0.045, 280), (0.20, 0.27, 0.115, 295), (0.40, 0.44, 0.165, 345),
    (0.60, 0.62, 0.185, 28), (0.80, 0.80, 0.140, 68), (1.00, 0.975, 0.060, 102),
  ])

  /// Dark violet over teal to light green: for densities.
  public static let lagoon = ColorMap([
    (0.00, 0.20, 0.085, 295), (0.25, 0.38, 0.085, 255), (0.50, 0.56, 0.095, 205),
    (0.75, 0.75, 0.140, 155), (1.00, 0.94, 0.130, 110),
  ])

  /// Black to white.
  public static let gray = ColorMap([(0, 0, 0, 0), (1, 1, 0, 0)])

  /// Blue below, white in the middle, red above: for differences, with 0 at 0.5.
  public static let diverging = ColorMap([
    (0.00, 0.32, 0.115, 262), (0.25, 0.62, 0.125, 248), (0.50, 0.975, 0, 0),
    (0.75, 0.62, 0.165, 30), (1.00, 0.32, 0.125, 22),
  ])

  /// Creates a map through control points, which are joined by straight lines in OKLab, smoothed between maps' steps.
  private init(_ controls: [Control]) {
    let count = 511
    table = (0..<count).map { index in
      let t = Double(index) / Double(count - 1)
      let upper = max(1, controls.firstIndex { $0.place >= t } ?? controls.count - 1)
      let (p, q) = (controls[upper - 1], controls[upper])
      let w = (t - p.place) / (q.place - p.place)
      /// Returns a coordinate mixed from both ends.
      func mix(_ f: (Control) -> Double) -> Double { (1 - w) * f(p) + w * f(q) }
      return PlotColor(
        lightness: mix { $0.lightness }, a: mix { $0.chroma * cosine($0.hue * .pi / 180) },
        b: mix { $0.chroma * sine($0.hue * .pi / 180) }
      ).packed
    }
  }

  /// Returns the colour as 0x00RRGGBB at a place, cut to 0 … 1; the colour of masked pixels for NaN.
  public func packed(at place: Double) -> UInt32 {
    guard !place.isNaN else { return ColorMap.masked.packed }
    let index = (min(max(place, 0), 1) * Double(table.count - 1)).rounded()
    return table[Int(index)]
  }

  /// Returns the colours of an image, row by row.
  ///
  /// - Parameters:
  ///   - values: Any numbers.
  ///   - mask: True where the pixel is to be shown as masked; empty for none. Same count as `values`.
  ///   - scale: What takes a value to its place in the map.
  /// - Returns: Colours as 0x00RRGGBB, one for each value.
  public func colors(of values: [Double], mask: [Bool] = [], scale: ImageScale) -> [UInt32] {
    let grey = ColorMap.masked.packed
    let locate = scale.locator
    return values.indices.map { index in
      if !mask.isEmpty, mask[index] { return grey }
      return packed(at: locate(values[index]))
    }
  }
}
