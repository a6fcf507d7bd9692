// SPDX-License-Identifier: MIT
//
// Points, rectangles and colours of drawings. Lengths are in points (1/72 inch), y grows downwards.

/// A place in a figure.
public struct PlotPoint: Sendable, Hashable {
  /// The distance from the left edge, in points.
  public var x: Double
  /// The distance from the upper edge, in points.
  public var y: Double

  /// Creates a point.
  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// A rectangle in a figure.
public struct PlotRect: Sendable, Hashable {
  /// The left edge.
  public var x: Double
  /// The upper edge.
  public var y: Double
  /// The width.
  public var width: Double
  /// The height.
  public var height: Double

  /// Creates a rectangle.
  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The right edge.
  public var right: Double { x + width }
  /// The lower edge.
  public var bottom: Double { y + height }
  /// The middle between left and right.
  public var midX: Double { x + width / 2 }
  /// The middle between top and bottom.
  public var midY: Double { y + height / 2 }

  /// Returns whether a place lies inside.
  package func contains(_ point: PlotPoint) -> Bool {
    point.x >= x && point.x <= right && point.y >= y && point.y <= bottom
  }

  /// Returns whether another rectangle has some area in common with this one.
  package func overlaps(_ other: PlotRect) -> Bool {
    x < other.right && other.x < right && y < other.bottom && other.y < bottom
  }
}

/// A colour in the sRGB space, components from 0 to 1.
public struct PlotColor: Sendable, Hashable {
  /// Red.
  public var red: Double
  /// Green.
  public var green: Double
  /// Blue.
  public var blue: Double
  /// Opacity.
  public var alpha: Double

  /// Creates a colour.
  public init(_ red: Double, _ green: Double, _ blue: Double, alpha: Double = 1) {
    self.red = red
    self.green = green
    self.blue = blue
    self.alpha = alpha
  }

  /// Creates a colour from OKLab lightness (0 … 1), chroma and hue in degrees, cut to what sRGB can show.
  ///
  /// ### Source
  ///
  /// B. Ottosson 2020, "A perceptual color space for image processing": the matrices from OKLab to linear sRGB.
  public init(lightness: Double, chroma: Double, hue: Double) {
    let angle = hue * .pi / 180
    self.init(lightness: lightness, a: chroma * cosine(angle), b: chroma * sine(angle))
  }

  /// Creates a colour from OKLab coordinates, cut to what sRGB can show.
  init(lightness: Double, a: Double, b: Double) {
    let l = lightness + 0.3963377774 * a + 0.2158037573 * b
    let m = lightness - 0.1055613458 * a - 0.0638541728 * b
    let s = lightness - 0.0894841775 * a - 1.2914855480 * b
    let (l3, m3, s3) = (l * l * l, m * m * m, s * s * s)
    self.init(
      PlotColor.encoded(4.0767416621 * l3 - 3.3077115913 * m3 + 0.2309699292 * s3),
      PlotColor.encoded(-1.2684380046 * l3 + 2.6097574011 * m3 - 0.3413193965 * s3),
      PlotColor.encoded(-0.0041960863 * l3 - 0.7034186147 * m3 + 1.7076147010 * s3))
  }

  /// Returns the sRGB code of a linear component, cut to 0 … 1.
  private static func encoded(_ linear: Double) -> Double {
    let x = min(max(linear, 0), 1)
    return x <= 0.0031308 ? 12.92 * x : 1.055 * power(x, 1 / 2.4) - 0.055
  }

  /// The colour as 0x00RRGGBB, opacity left out.
  public var packed: UInt32 {
    /// Returns a component as a byte.
    func byte(_ x: Double) -> UInt32 { UInt32((min(max(x, 0), 1) * 255).rounded()) }
    return byte(red) << 16 | byte(green) << 8 | byte(blue)
  }

  /// Returns the colour with another opacity.
  public func opacity(_ alpha: Double) -> PlotColor {
    PlotColor(red, green, blue, alpha: alpha)
  }

  /// The colour of text and axes: nearly black.
  public static let ink = PlotColor(0.10, 0.10, 0.12)
  /// White.
  public static let white = PlotColor(1, 1, 1)
  /// A quiet grey for lines in the background.
  public static let faint = PlotColor(0.72, 0.72, 0.74)

  /// Returns a colour for the i-th of several curves: eight that differ in hue and lightness, then again.
  public static func series(_ index: Int) -> PlotColor {
    let table: [(Double, Double, Double)] = [
      (0.50, 0.13, 255), (0.64, 0.17, 45), (0.58, 0.12, 165), (0.50, 0.17, 325),
      (0.72, 0.14, 80), (0.66, 0.10, 225), (0.42, 0.12, 20), (0.45, 0.02, 270),
    ]
    let entry = table[((index % table.count) + table.count) % table.count]
    return PlotColor(lightness: entry.0, chroma: entry.1, hue: entry.2)
  }
}
