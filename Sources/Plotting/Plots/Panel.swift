// SPDX-License-Identifier: MIT
//
// Ordinary diagrams: lines, steps, points, bands and histograms on axes with a legend, alone or in a grid.

import Numerics

/// Something drawn on the axes of a panel.
public struct PlotSeries: Sendable {
  /// What is drawn.
  public enum Content: Sendable {
    /// A line through points (x, y).
    case line(x: [Double], y: [Double])
    /// Points (x, y) with bars of ± `yError` (empty for none).
    case points(x: [Double], y: [Double], yError: [Double])
    /// Constant heights between edges; one edge more than heights.
    case steps(edges: [Double], heights: [Double])
    /// The area between two lines.
    case band(x: [Double], low: [Double], high: [Double])
    /// A vertical line across the panel.
    case vertical(Double)
    /// A horizontal line across the panel.
    case horizontal(Double)
  }

  /// What is drawn.
  public var content: Content
  /// The name in the legend; no entry if empty.
  public var name: String
  /// The colour; by the order in the panel if nil.
  public var color: PlotColor?
  /// The width of lines or the radius of points, in points.
  public var size: Double
  /// Lengths of strokes and gaps; empty for an unbroken line.
  public var dash: [Double]
  /// Whether steps are filled down to 0.
  public var isFilled: Bool

  /// Creates a series.
  ///
  /// - Precondition: Arrays that belong together have equal counts; `edges` has one more than `heights`.
  public init(
    _ content: Content, name: String = "", color: PlotColor? = nil, size: Double = 1.2,
    dash: [Double] = [], isFilled: Bool = false
  ) {
    switch content {
    case .line(let x, let y): demand(x.count == y.count, "line: \(x.count) x, \(y.count) y")
    case .points(let x, let y, let error):
      demand(
        x.count == y.count && (error.isEmpty || error.count == x.count),
        "points: \(x.count) x, \(y.count) y, \(error.count) errors")
    case .steps(let edges, let heights):
      demand(
        edges.count == heights.count + 1, "steps: \(edges.count) edges, \(heights.count) heights")
    case .band(let x, let low, let high):
      demand(
        x.count == low.count && x.count == high.count,
        "band: \(x.count) x, \(low.count) low, \(high.count) high")
    case .vertical, .horizontal: break
    }
    self.content = content
    self.name = name
    self.color = color
    self.size = size
    self.dash = dash
    self.isFilled = isFilled
  }

  /// Returns a filled histogram of values, as a density if asked.
  ///
  /// - Parameters:
  ///   - values: Any numbers; those that are not finite are left out.
  ///   - bins: The number of bins; by the rule of Freedman and Diaconis if nil.
  ///   - isDensity: Whether the area is 1.
  ///   - name: The name in the legend.
  /// - Returns: The series.
  public static func histogram(
    _ values: [Double], bins: Int? = nil, isDensity: Bool = false, name: String = ""
  ) -> PlotSeries {
    let histogram = Histogram(values, bins: bins)
    return PlotSeries(
      .steps(edges: histogram.edges, heights: isDensity ? histogram.density : histogram.counts),
      name: name, isFilled: true)
  }

  /// The values that the axes must show: of x and of y.
  var extent: (x: [Double], y: [Double]) {
    switch content {
    case .line(let x, let y): (x, y)
    case .points(let x, let y, let error):
      (x, error.isEmpty ? y : zip(y, error).flatMap { [$0 - $1, $0 + $1] })
    case .steps(let edges, let heights): (edges, isFilled ? heights + [0] : heights)
    case .band(let x, let low, let high): (x, low + high)
    case .vertical(let x): ([x], [])
    case .horizontal(let y): ([], [y])
    }
  }
}

/// A diagram with two axes.
///
/// ```swift
/// var panel = Panel(title: "Profile", xLabel: "radius [pixel]", yLabel: "surface brightness")
/// panel.yScale = .logarithmic
/// panel.series = [PlotSeries(.points(x: r, y: mu, yError: sd), name: "data"), PlotSeries(.line(x: r, y: fit), name: "model")]
/// try panel.figure().write(to: "profile.pdf")
/// ```
public struct Panel: Sendable {
  /// The title; none if empty.
  public var title: String
  /// The label of the horizontal axis.
  public var xLabel: String
  /// The label of the vertical axis.
  public var yLabel: String
  /// What is drawn, from back to front.
  public var series: [PlotSeries] = []
  /// The ends of the horizontal axis; from the series if nil.
  public var xRange: ClosedRange<Double>?
  /// The ends of the vertical axis; from the series if nil.
  public var yRange: ClosedRange<Double>?
  /// The spread of the horizontal axis.
  public var xScale = AxisScale.linear
  /// The spread of the vertical axis.
  public var yScale = AxisScale.linear

  /// Creates an empty panel.
  public init(title: String = "", xLabel: String = "", yLabel: String = "") {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
  }

  /// Returns a figure with this panel alone, sizes in points.
  public func figure(width: Double = 380, height: Double = 270) -> Figure {
    Figure(width: width, height: height) { canvas in
      draw(on: canvas, in: PlotRect(x: 0, y: 0, width: width, height: height))
    }
  }

  /// Returns a figure with rows of panels, each of the given size in points.
  public static func grid(
    _ rows: [[Panel]], width: Double = 300, height: Double = 220
  ) -> Figure {
    let columns = rows.map(\.count).max() ?? 0
    return Figure(width: width * Double(columns), height: height * Double(rows.count)) { canvas in
      for (i, row) in rows.enumerated() {
        for (j, panel) in row.enumerated() {
          panel.draw(
            on: canvas,
            in: PlotRect(
              x: Double(j) * width, y: Double(i) * height, width: width, height: height))
        }
      }
    }
  }

  /// Draws the panel with its labels inside a rectangle.
  public func draw(on canvas: Canvas, in area: PlotRect) {
    let style = PlotStyle()
    var axes = Axes(
      rect: area,
      x: axis(series.map(\.extent.x), xRange, xScale, xLabel, margin: 0.03),
      y: axis(series.map(\.extent.y), yRange, yScale, yLabel, margin: 0.06), style: style)
    let top = 10 + (title.isEmpty ? 0 : style.title + 6)
    let bottom = 20 + (xLabel.isEmpty ? 0 : style.label + 6)
    let plotHeight = area.height - top - bottom
    let yTicks = axes.y.ticks(atMost: max(2, Int(plotHeight / 26)))
    let widest = yTicks.labels.map { canvas.width(of: $0, size: style.tick) }.max() ?? 0
    let left = 14 + widest + (yLabel.isEmpty && yTicks.exponent == 0 ? 0 : style.label + 8)
    axes.rect = PlotRect(
      x: area.x + left, y: area.y + top, width: area.width - left - 14, height: plotHeight)
    canvas.clipped(to: axes.rect) { canvas in
      for (index, item) in series.enumerated() {
        draw(item, color: item.color ?? .series(index), on: canvas, axes)
      }
    }
    axes.draw(on: canvas)
    drawLegend(on: canvas, axes)
    if !title.isEmpty {
      let size = canvas.fittingSize(of: title, size: style.title, room: area.width - 20)
      canvas.text(
        title, at: PlotPoint(axes.rect.midX, axes.rect.y - 7), size: size, align: .center)
    }
  }

  /// Returns an axis that shows all values with a margin.
  private func axis(
    _ values: [[Double]], _ range: ClosedRange<Double>?, _ scale: AxisScale, _ label: String,
    margin: Double
  ) -> Axis {
    if let range, range.lowerBound < range.upperBound {
      return Axis(low: range.lowerBound, high: range.upperBound, scale: scale, label: label)
    }
    let isLog = scale == .logarithmic
    let finite = values.flatMap(\.self).filter { $0.isFinite && (!isLog || $0 > 0) }
    guard let low = finite.min(), let high = finite.max() else {
      return Axis(low: isLog ? 1 : 0, high: isLog ? 10 : 1, scale: scale, label: label)
    }
    if isLog {
      let factor = high > low ? power(high / low, margin) : 2
      return Axis(low: low / factor, high: high * factor, scale: scale, label: label)
    }
    let pad = high > low ? margin * (high - low) : max(abs(low) * 0.1, 1e-300)
    // Bars stand on the axis.
    let standsOnZero =
      low == 0
      && series.contains {
        if case .steps = $0.content { $0.isFilled } else { false }
      }
    return Axis(low: standsOnZero ? 0 : low - pad, high: high + pad, scale: scale, label: label)
  }

  /// Draws one series.
  private func draw(_ item: PlotSeries, color: PlotColor, on canvas: Canvas, _ axes: Axes) {
    switch item.content {
    case .line(let x, let y):
      canvas.polyline(
        zip(x, y).map { axes.point($0, $1) }, color, lineWidth: item.size, dash: item.dash)
    case .points(let x, let y, let errors):
      for (index, error) in errors.enumerated() {
        canvas.line(
          axes.point(x[index], y[index] - error), axes.point(x[index], y[index] + error),
          color.opacity(0.7), lineWidth: 0.8)
      }
      canvas.dots(zip(x, y).map { axes.point($0, $1) }, radius: item.size + 0.6, color)
    case .steps(let edges, let heights):
      var outline: [PlotPoint] = []
      for (index, height) in heights.enumerated() {
        outline.append(axes.point(edges[index], height))
        outline.append(axes.point(edges[index + 1], height))
      }
      if item.isFilled, let first = edges.first, let last = edges.last {
        let floor = axes.y.scale == .logarithmic ? axes.y.low : 0
        let loop = [axes.point(first, floor)] + outline + [axes.point(last, floor)]
        canvas.fill([loop], color.opacity(0.25))
        outline = loop
      }
      canvas.polyline(outline, color, lineWidth: item.size, dash: item.dash)
    case .band(let x, let low, let high):
      let lower = zip(x, low).map { axes.point($0, $1) }
      let upper = zip(x, high).map { axes.point($0, $1) }
      canvas.fill([lower + upper.reversed()], color.opacity(0.25))
    case .vertical(let x):
      let place = axes.point(x, axes.y.low).x
      canvas.line(
        PlotPoint(place, axes.rect.y), PlotPoint(place, axes.rect.bottom), color,
        lineWidth: item.size, dash: item.dash)
    case .horizontal(let y):
      let place = axes.point(axes.x.low, y).y
      canvas.line(
        PlotPoint(axes.rect.x, place), PlotPoint(axes.rect.right, place), color,
        lineWidth: item.size, dash: item.dash)
    }
  }

  /// Draws the legend in the corner where it hides least.
  private func drawLegend(on canvas: Canvas, _ axes: Axes) {
    let style = axes.style
    let named = series.enumerated().filter { !$0.element.name.isEmpty }
    guard !named.isEmpty else { return }
    let widest =
      named.map { canvas.width(of: $0.element.name, size: style.tick + 0.5) }.max() ?? 0
    let line = style.tick + 5
    let size = PlotPoint(widest + 32, line * Double(named.count) + 6)
    let box = emptiestCorner(size, axes)
    canvas.fill(box, PlotColor.white.opacity(0.82))
    for (row, entry) in named.enumerated() {
      let y = box.y + 3 + line * (Double(row) + 0.5)
      let color = entry.element.color ?? .series(entry.offset)
      switch entry.element.content {
      case .points: canvas.dots([PlotPoint(box.x + 13, y)], radius: entry.element.size + 0.6, color)
      case .band:
        canvas.fill(PlotRect(x: box.x + 5, y: y - 4, width: 16, height: 8), color.opacity(0.25))
      case .line, .steps, .vertical, .horizontal:
        canvas.line(
          PlotPoint(box.x + 5, y), PlotPoint(box.x + 21, y), color, lineWidth: entry.element.size,
          dash: entry.element.dash)
      }
      canvas.text(
        entry.element.name, at: PlotPoint(box.x + 26, y), size: style.tick + 0.5,
        baseline: .middle)
    }
  }

  /// Returns the rectangle of a size in the corner of the frame that holds fewest values, the upper right one first.
  private func emptiestCorner(_ size: PlotPoint, _ axes: Axes) -> PlotRect {
    let rect = axes.rect
    var points: [PlotPoint] = []
    for item in series {
      switch item.content {
      case .line(let x, let y), .points(let x, let y, _):
        points += zip(x, y).map { axes.point($0, $1) }
      case .steps(let edges, let heights): points += zip(edges, heights).map { axes.point($0, $1) }
      case .band(let x, let low, let high):
        points += zip(x, low).map { axes.point($0, $1) } + zip(x, high).map { axes.point($0, $1) }
      case .vertical, .horizontal: break
      }
    }
    let corners = [
      (rect.right - size.x - 6, rect.y + 6), (rect.x + 6, rect.y + 6),
      (rect.right - size.x - 6, rect.bottom - size.y - 6), (rect.x + 6, rect.bottom - size.y - 6),
    ].map { PlotRect(x: $0.0, y: $0.1, width: size.x, height: size.y) }
    let counts = corners.map { corner in
      points.count {
        $0.x > corner.x - 3 && $0.x < corner.right + 3 && $0.y > corner.y - 3
          && $0.y < corner.bottom + 3
      }
    }
    let best = counts.indices.min { counts[$0] < counts[$1] } ?? 0
    return corners[best]
  }
}
