// SPDX-License-Identifier: MIT
//
// One image with marks on it: crosses, ellipses, frames, each explained below.

import Numerics

/// A picture of one image with marks.
///
/// ```swift
/// var plot = ImagePlot(width: nx, height: ny, values: data, mask: mask)
/// plot.marks = [.init(.ellipse(x: 60, y: 60, semiMajor: 8, ellip: 0.3, theta: 0.6), name: "half-light ellipse")]
/// try plot.figure().write(to: "guesses.png")
/// ```
public struct ImagePlot: Sendable {
  /// A mark on the image, in its pixels: the first pixel's centre is (0, 0).
  public struct Mark: Sendable {
    /// The shape of a mark.
    public enum Shape: Sendable, Hashable {
      /// An ellipse: `theta` counts from +y towards −x, radians.
      case ellipse(x: Double, y: Double, semiMajor: Double, ellip: Double, theta: Double)
      /// A cross with arms of given half-lengths.
      case cross(x: Double, y: Double, dx: Double, dy: Double)
      /// A straight line.
      case line(x0: Double, y0: Double, x1: Double, y1: Double)
      /// The outline of a rectangle.
      case rectangle(x0: Double, y0: Double, x1: Double, y1: Double)
    }

    /// The shape.
    public var shape: Shape
    /// What it means; marks of one name have one entry in the legend, those without have none.
    public var name: String
    /// The colour.
    public var color: PlotColor
    /// Lengths of strokes and gaps, in points; empty for an unbroken line.
    public var dash: [Double]
    /// What is written beside it, such as a number; nothing if empty.
    public var label: String

    /// Creates a mark.
    public init(
      _ shape: Shape, name: String = "", color: PlotColor = .white, dash: [Double] = [],
      label: String = ""
    ) {
      self.shape = shape
      self.name = name
      self.color = color
      self.dash = dash
      self.label = label
    }
  }

  /// The number of columns.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// The pixels, row by row, x fastest, the lowest row first.
  public let values: [Double]
  /// True where a pixel is masked; such pixels are grey.
  public let mask: [Bool]

  /// The title; none if empty.
  public var title = ""
  /// A line below the whole; none if empty.
  public var caption = ""
  /// The quantity of the pixels, with its unit.
  public var valueLabel = "surface brightness [image units / pixel]"
  /// The marks, from back to front.
  public var marks: [Mark] = []
  /// The limits; from percentiles if nil.
  public var limits: ClosedRange<Double>?
  /// The coordinates of the first pixel, for a section of a larger image.
  public var origin = (x: 0, y: 0)
  /// The colours.
  public var colorMap = ColorMap.ember

  /// Creates the picture's contents.
  ///
  /// - Parameters:
  ///   - width: Number of columns, positive.
  ///   - height: Number of rows, positive.
  ///   - values: The pixels, `width · height` values.
  ///   - mask: True where masked, `width · height` values; empty for no mask.
  /// - Precondition: The counts agree.
  public init(width: Int, height: Int, values: [Double], mask: [Bool] = []) {
    let count = width * height
    demand(
      width > 0 && height > 0 && values.count == count && (mask.isEmpty || mask.count == count),
      "ImagePlot: expected \(width) × \(height) values, got \(values.count) and a mask of \(mask.count)"
    )
    self.width = width
    self.height = height
    self.values = values
    self.mask = mask
  }

  /// The scale of the colours: asinh between the 0.5 and 99.95 % quantiles, its linear part as wide as the scatter of the faint half.
  public var scale: ImageScale {
    let sorted = Percentiles.sorted(values, mask: mask)
    var low = Percentiles.quantile(sorted, 0.005) ?? 0
    var high = Percentiles.quantile(sorted, 0.9995) ?? 1
    if let limits { (low, high) = (limits.lowerBound, limits.upperBound) }
    guard high > low else { return ImageScale(low: low, high: high) }
    let zero = Percentiles.quantile(sorted, 0.25) ?? low
    // Half of the distance from the lowest sixth to the median of an image that is mostly sky is its noise.
    let noise = (Percentiles.quantile(sorted, 0.5) ?? 0) - (Percentiles.quantile(sorted, 0.16) ?? 0)
    let softening = max(2 * noise, (high - low) / 1000)
    return ImageScale(
      low: low, high: high,
      stretch: .asinh(softening: softening, zero: abs(zero) < softening ? 0 : zero))
  }

  /// Returns the figure, the longer side of the image 330 points.
  public func figure() -> Figure {
    let contents = ImagePlotContents(self)
    let layout = ImagePlotLayout(self)
    return Figure(width: layout.size.x, height: layout.size.y) { canvas in
      contents.draw(on: canvas, layout)
    }
  }

  /// The entries of the legend: the first mark of each name.
  var legend: [Mark] {
    var seen: Set<String> = [""]
    return marks.filter { seen.insert($0.name).inserted }
  }

  /// Returns the lines of a mark where the image fills a rectangle.
  func lines(of mark: Mark, in rect: PlotRect) -> [[PlotPoint]] {
    let step = rect.width / Double(width)
    /// Returns the place of a position in pixels.
    func place(_ x: Double, _ y: Double) -> PlotPoint {
      PlotPoint(rect.x + (x + 0.5) * step, rect.bottom - (y + 0.5) * step)
    }
    switch mark.shape {
    case .ellipse(let x, let y, let semiMajor, let ellip, let theta):
      let (s, c) = (sine(theta), cosine(theta))
      return [
        (0...96).map { k in
          let t = 2 * Double.pi * Double(k) / 96
          let (a, b) = (semiMajor * cosine(t), semiMajor * (1 - ellip) * sine(t))
          return place(x - a * s + b * c, y + a * c + b * s)
        }
      ]
    case .cross(let x, let y, let dx, let dy):
      return [[place(x - dx, y), place(x + dx, y)], [place(x, y - dy), place(x, y + dy)]]
    case .line(let x0, let y0, let x1, let y1): return [[place(x0, y0), place(x1, y1)]]
    case .rectangle(let x0, let y0, let x1, let y1):
      return [[place(x0, y0), place(x1, y0), place(x1, y1), place(x0, y1), place(x0, y0)]]
    }
  }
}

/// What an image plot shows, ready to be drawn.
private struct ImagePlotContents: Sendable {
  /// The plot.
  let plot: ImagePlot
  /// The colours of the pixels.
  let colors: [UInt32]
  /// The bar of the colours.
  let bar: ColorBar

  /// Computes the colours.
  init(_ plot: ImagePlot) {
    self.plot = plot
    let scale = plot.scale
    colors = plot.colorMap.colors(of: plot.values, mask: plot.mask, scale: scale)
    let shown = Percentiles.extremes([plot.values], mask: plot.mask)
    bar = ColorBar(
      map: plot.colorMap, scale: scale, label: plot.valueLabel, goesBelow: shown.low < scale.low,
      goesAbove: shown.high > scale.high)
  }

  /// Draws everything.
  func draw(on canvas: Canvas, _ layout: ImagePlotLayout) {
    let style = PlotStyle()
    let rect = layout.panel
    let room = layout.size.x - layout.left - 12
    if !plot.title.isEmpty {
      canvas.title(plot.title, at: PlotPoint(layout.left, 10), size: style.title, room: room)
    }
    canvas.image(colors, width: plot.width, height: plot.height, in: rect)
    canvas.clipped(to: rect) { canvas in
      for mark in plot.marks { draw(mark, on: canvas, rect) }
      drawLabels(on: canvas, rect)
    }
    Axes(
      rect: rect,
      x: Axis(
        low: Double(plot.origin.x) - 0.5, high: Double(plot.origin.x + plot.width) - 0.5,
        label: "x [pixel]", minimalStep: 1),
      y: Axis(
        low: Double(plot.origin.y) - 0.5, high: Double(plot.origin.y + plot.height) - 0.5,
        label: "y [pixel]", minimalStep: 1)
    ).draw(on: canvas)
    bar.drawVertical(on: canvas, in: layout.bar)
    drawLegend(on: canvas, layout, style)
    guard !plot.caption.isEmpty else { return }
    let size = canvas.fittingSize(of: plot.caption, size: style.tick + 0.5, room: room)
    canvas.text(
      canvas.shortened(plot.caption, size: size, room: room),
      at: PlotPoint(layout.left, layout.size.y - 12), size: size)
  }

  /// Draws one mark: a dark line below the coloured one, so that it shows on every colour.
  private func draw(_ mark: ImagePlot.Mark, on canvas: Canvas, _ rect: PlotRect) {
    for line in plot.lines(of: mark, in: rect) {
      canvas.polyline(line, PlotColor.ink.opacity(0.6), lineWidth: 2.2)
      canvas.polyline(line, mark.color, lineWidth: 1.1, dash: mark.dash)
    }
  }

  /// Writes the labels beside their marks, white with a dark border, so that they show on every colour.
  private func drawLabels(on canvas: Canvas, _ rect: PlotRect) {
    let labels = MarkLabels(plot, in: rect, on: canvas)
    for (mark, box) in zip(plot.marks, labels.boxes) {
      guard let box else { continue }
      canvas.text(
        mark.label, at: PlotPoint(box.midX, box.midY), size: MarkLabels.size, align: .center,
        baseline: .middle, color: .white, isBold: true, border: .ink)
    }
  }

  /// Draws the legend below the panel, and the meaning of grey on a line of its own.
  private func drawLegend(on canvas: Canvas, _ layout: ImagePlotLayout, _ style: PlotStyle) {
    let size = style.tick + 0.5
    let textLeft = layout.left + ImagePlotLayout.key + 6
    for (row, mark) in plot.legend.enumerated() {
      let y = layout.legendLine(row).midY
      let ends = [PlotPoint(layout.left, y), PlotPoint(layout.left + ImagePlotLayout.key, y)]
      canvas.polyline(ends, PlotColor.ink.opacity(0.6), lineWidth: 2.6)
      canvas.polyline(ends, mark.color, lineWidth: 1.3, dash: mark.dash)
      let room = layout.size.x - textLeft - 12
      canvas.text(
        mark.name, at: PlotPoint(textLeft, y),
        size: canvas.fittingSize(of: mark.name, size: size, room: room), baseline: .middle)
    }
    guard let swatch = layout.swatch else { return }
    canvas.fill(swatch, ColorMap.masked)
    canvas.stroke(swatch, .ink, lineWidth: 0.4)
    canvas.text("masked", at: PlotPoint(textLeft, swatch.midY), size: size, baseline: .middle)
  }
}

/// Where the parts of an image plot are.
package struct ImagePlotLayout: Sendable {
  /// The height of a line of the legend.
  static let line = 13.0
  /// The width of what stands before the text of a line of the legend.
  static let key = 22.0
  /// The size of the figure.
  package let size: PlotPoint
  /// Where titles and captions start.
  package let left: Double
  /// The image.
  package let panel: PlotRect
  /// The bar of the colours.
  package let bar: PlotRect
  /// Where the legend begins.
  package let legendTop: Double
  /// The grey that the legend explains, on the line below those of the marks; nil where no pixel is grey.
  package let swatch: PlotRect?

  /// Lays out a plot.
  package init(_ plot: ImagePlot) {
    let digits = "\(max(abs(plot.origin.y), abs(plot.origin.y + plot.height)))".count
    left = 30 + 5.2 * Double(digits)
    let top = plot.title.isEmpty ? 10.0 : 32
    let longest = 330.0
    let scale = longest / Double(max(plot.width, plot.height))
    let (width, height) = (scale * Double(plot.width), scale * Double(plot.height))
    // A narrow strip keeps room for what is written below it, a flat one for its bar.
    let slot = PlotPoint(max(width, 240), max(height, 90))
    panel = PlotRect(
      x: left + (slot.x - width) / 2, y: top + (slot.y - height) / 2, width: width, height: height)
    bar = PlotRect(x: left + slot.x + 12, y: top, width: 9, height: slot.y)
    legendTop = top + slot.y + 38
    let marks = plot.legend.count
    // Pixels without a number are grey as well.
    let hasGrey = plot.mask.contains(true) || plot.values.contains { $0.isNaN }
    swatch =
      hasGrey
      ? PlotRect(
        x: left, y: legendTop + ImagePlotLayout.line * (Double(marks) + 0.5) - 4.5,
        width: ImagePlotLayout.key, height: 9) : nil
    let rows = marks + (hasGrey ? 1 : 0)
    size = PlotPoint(
      bar.right + 60,
      legendTop + ImagePlotLayout.line * Double(rows) + (plot.caption.isEmpty ? 8 : 28))
  }

  /// Returns the line of the legend for a mark, across the figure.
  package func legendLine(_ row: Int) -> PlotRect {
    PlotRect(
      x: left, y: legendTop + ImagePlotLayout.line * Double(row), width: size.x - left,
      height: ImagePlotLayout.line)
  }
}
