// SPDX-License-Identifier: MIT
//
// Data, model and residual side by side: data and model share one scale and one bar, the residual has its own.

import Numerics

/// The picture data | model | residual.
///
/// ```swift
/// var plot = ResidualPlot(width: nx, height: ny, data: data, model: model, residual: residual, mask: mask)
/// plot.caption = "χ² = 14 312 for 14 600 pixels"
/// try plot.figure().write(to: "residual.png")
/// ```
public struct ResidualPlot: Sendable {
  /// How data and model are stretched.
  public enum Stretch: Sendable, Hashable {
    /// asinh, its linear part as wide as twice the noise.
    case asinh
    /// Linear.
    case linear
  }

  /// The number of columns.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// The data, row by row, x fastest, the lowest row first.
  public let data: [Double]
  /// The model in the same order.
  public let model: [Double]
  /// The residual in the same order, by default (data − model) / σ.
  public let residual: [Double]
  /// True where a pixel is masked; such pixels are grey in all panels.
  public let mask: [Bool]

  /// The title of the whole; none if empty.
  public var title = ""
  /// A line below the whole, for χ² and the like; none if empty.
  public var caption = ""
  /// The titles of the three panels.
  public var panelTitles = ["Data", "Model", "Residual"]
  /// The quantity of data and model, with its unit.
  public var valueLabel = "surface brightness [image units / pixel]"
  /// The quantity of the residual, with its unit.
  public var residualLabel = "(data − model) / σ"
  /// How data and model are stretched.
  public var stretch = Stretch.asinh
  /// The limits of data and model; from percentiles if nil.
  public var limits: ClosedRange<Double>?
  /// The residual at the ends of its bar; from percentiles, at least 3, if nil.
  public var residualLimit: Double?
  /// The coordinates of the first pixel, for a section of a larger image.
  public var origin = (x: 0, y: 0)
  /// The colours of data and model.
  public var colorMap = ColorMap.ember

  /// Creates the picture's contents.
  ///
  /// - Parameters:
  ///   - width: Number of columns, positive.
  ///   - height: Number of rows, positive.
  ///   - data: The data, `width · height` values.
  ///   - model: The model, `width · height` values.
  ///   - residual: The residual in units of σ, `width · height` values.
  ///   - mask: True where masked, `width · height` values; empty for no mask.
  /// - Precondition: The counts agree.
  public init(
    width: Int, height: Int, data: [Double], model: [Double], residual: [Double],
    mask: [Bool] = []
  ) {
    let count = width * height
    demand(
      width > 0 && height > 0 && data.count == count && model.count == count
        && residual.count == count && (mask.isEmpty || mask.count == count),
      "ResidualPlot: expected \(width) × \(height) values, got \(data.count), \(model.count), "
        + "\(residual.count) and a mask of \(mask.count)")
    self.width = width
    self.height = height
    self.data = data
    self.model = model
    self.residual = residual
    self.mask = mask
  }

  /// The scale that data and model share.
  ///
  /// The limits are the 0.5 and 99.95 % quantiles of the unmasked data, the upper one raised to take in the model.
  public var valueScale: ImageScale {
    let values = Percentiles.sorted(data, mask: mask)
    let models = Percentiles.sorted(model, mask: mask)
    var low = Percentiles.quantile(values, 0.005) ?? Percentiles.quantile(models, 0) ?? 0
    var high = Percentiles.quantile(values, 0.9995) ?? Percentiles.quantile(models, 1) ?? 1
    if let peak = Percentiles.quantile(models, 0.9995), peak > high,
      peak < high + 2 * abs(high - low)
    {
      high = peak
    }
    if let limits { (low, high) = (limits.lowerBound, limits.upperBound) }
    let noise = Percentiles.scatter(
      Percentiles.sorted(zip(data, model).map { $0 - $1 }, mask: mask))
    guard stretch == .asinh, high > low else { return ImageScale(low: low, high: high) }
    // Without noise the scale spans three decades.
    let softening = max(2 * (noise ?? 0), (high - low) / 1000)
    let zero = Percentiles.quantile(values, 0.25) ?? low
    // A sky that is small against the softening is no different from 0.
    return ImageScale(
      low: low, high: high,
      stretch: .asinh(softening: softening, zero: abs(zero) < softening ? 0 : zero))
  }

  /// The scale of the residual, symmetric about 0.
  public var residualScale: ImageScale {
    if let residualLimit { return .symmetric(residualLimit) }
    let sizes = Percentiles.sorted(residual.map { abs($0) }, mask: mask)
    return .symmetric(Percentiles.roundedUp(max(Percentiles.quantile(sizes, 0.995) ?? 3, 3)))
  }

  /// Returns the figure; images at least twice as wide as high are stacked, others stand side by side.
  public func figure() -> Figure {
    let contents = ResidualPlotContents(self)
    let layout = ResidualPlotLayout(
      width: width, height: height, hasTitle: !title.isEmpty,
      hasFooter: !caption.isEmpty || contents.hasMasked,
      digits: "\(max(abs(origin.y), abs(origin.y + height)))".count)
    return Figure(width: layout.size.x, height: layout.size.y) { canvas in
      contents.draw(on: canvas, layout)
    }
  }
}

/// What the panels of a residual plot show, ready to be drawn.
struct ResidualPlotContents: Sendable {
  /// The plot.
  let plot: ResidualPlot
  /// The colours of the three panels.
  let images: [[UInt32]]
  /// The bar of data and model.
  let valueBar: ColorBar
  /// The bar of the residual.
  let residualBar: ColorBar
  /// Whether any pixel is grey.
  let hasMasked: Bool

  /// Computes the colours.
  init(_ plot: ResidualPlot) {
    self.plot = plot
    let values = plot.valueScale
    let residuals = plot.residualScale
    images = [
      plot.colorMap.colors(of: plot.data, mask: plot.mask, scale: values),
      plot.colorMap.colors(of: plot.model, mask: plot.mask, scale: values),
      ColorMap.diverging.colors(of: plot.residual, mask: plot.mask, scale: residuals),
    ]
    let shown = Percentiles.extremes([plot.data, plot.model], mask: plot.mask)
    valueBar = ColorBar(
      map: plot.colorMap, scale: values, label: plot.valueLabel,
      goesBelow: shown.low < values.low, goesAbove: shown.high > values.high)
    let differences = Percentiles.extremes([plot.residual], mask: plot.mask)
    residualBar = ColorBar(
      map: .diverging, scale: residuals, label: plot.residualLabel,
      goesBelow: differences.low < residuals.low, goesAbove: differences.high > residuals.high)
    let grey = ColorMap.masked.packed
    hasMasked = images.contains { $0.contains(grey) }
  }

  /// Draws everything.
  func draw(on canvas: Canvas, _ layout: ResidualPlotLayout) {
    let style = PlotStyle()
    if !plot.title.isEmpty {
      canvas.title(
        plot.title, at: PlotPoint(layout.left, 10), size: style.title,
        room: layout.size.x - layout.left - 12)
    }
    for index in 0..<3 {
      let rect = layout.panels[index]
      canvas.image(images[index], width: plot.width, height: plot.height, in: rect)
      let axes = Axes(
        rect: rect,
        x: Axis(
          low: Double(plot.origin.x) - 0.5, high: Double(plot.origin.x + plot.width) - 0.5,
          label: "x [pixel]", minimalStep: 1),
        y: Axis(
          low: Double(plot.origin.y) - 0.5, high: Double(plot.origin.y + plot.height) - 0.5,
          label: "y [pixel]", minimalStep: 1))
      let isFirst = index == 0
      let isLast = index == 2
      axes.draw(
        on: canvas, xParts: !layout.isStacked || isLast ? .all : .marks,
        yParts: layout.isStacked || isFirst ? .all : .marks)
      let heading = plot.panelTitles.indices.contains(index) ? plot.panelTitles[index] : ""
      canvas.text(
        heading, at: PlotPoint(layout.isStacked ? rect.x : rect.midX, rect.y - 5),
        size: style.label + 0.5, align: layout.isStacked ? .left : .center)
    }
    if layout.isStacked {
      valueBar.drawVertical(on: canvas, in: layout.valueBar)
      residualBar.drawVertical(on: canvas, in: layout.residualBar)
    } else {
      valueBar.drawHorizontal(on: canvas, in: layout.valueBar)
      residualBar.drawHorizontal(on: canvas, in: layout.residualBar)
    }
    drawFooter(on: canvas, layout, style)
  }

  /// Draws the caption on the left and the meaning of grey on the right of the last line.
  private func drawFooter(on canvas: Canvas, _ layout: ResidualPlotLayout, _ style: PlotStyle) {
    let line = layout.size.y - 12
    var right = layout.size.x - 14
    if hasMasked {
      let word = "masked"
      let width = canvas.width(of: word, size: style.tick + 0.5)
      canvas.text(word, at: PlotPoint(right, line), size: style.tick + 0.5, align: .right)
      let swatch = PlotRect(x: right - width - 14, y: line - 8, width: 10, height: 9)
      canvas.fill(swatch, ColorMap.masked)
      canvas.stroke(swatch, .ink, lineWidth: 0.4)
      right = swatch.x - 14
    }
    guard !plot.caption.isEmpty else { return }
    let left = layout.left
    let size = canvas.fittingSize(of: plot.caption, size: style.tick + 0.5, room: right - left)
    let text = canvas.shortened(plot.caption, size: size, room: right - left)
    canvas.text(text, at: PlotPoint(left, line), size: size)
  }
}

/// Where the parts of a residual plot are.
package struct ResidualPlotLayout: Sendable {
  /// Whether the panels are stacked, not side by side.
  package let isStacked: Bool
  /// The size of the figure.
  package let size: PlotPoint
  /// Where titles and captions start.
  package let left: Double
  /// The three panels.
  package let panels: [PlotRect]
  /// The bar of data and model.
  package let valueBar: PlotRect
  /// The bar of the residual.
  package let residualBar: PlotRect

  /// Lays out panels for images of a shape; `digits` is the length of the longest number on the y axis.
  package init(width: Int, height: Int, hasTitle: Bool, hasFooter: Bool, digits: Int) {
    isStacked = Double(width) >= 2 * Double(height)
    let aspect = Double(width) / Double(height)
    let left = 30 + 5.2 * Double(digits)
    self.left = left
    let top = (hasTitle ? 26.0 : 6) + 18
    let footer = hasFooter ? 22.0 : 4
    if isStacked {
      // A very long strip keeps a height at which it can be seen.
      let panelWidth = min(max(420, 26 * aspect), 900)
      let panelHeight = panelWidth / aspect
      let slot = max(panelHeight, 30)
      let step = slot + 24
      panels = (0..<3).map { index in
        PlotRect(
          x: left, y: top + Double(index) * step + (slot - panelHeight) / 2, width: panelWidth,
          height: panelHeight)
      }
      let barX = left + panelWidth + 12
      valueBar = PlotRect(
        x: barX, y: panels[0].y, width: 9, height: panels[1].bottom - panels[0].y)
      let barHeight = max(panelHeight, min(48, slot))
      residualBar = PlotRect(
        x: barX, y: panels[2].midY - barHeight / 2, width: 9, height: barHeight)
      size = PlotPoint(barX + 9 + 58, top + 3 * step - 24 + 34 + footer)
    } else {
      let slot = 210.0
      let tallest = 330.0
      let scale = min(slot / Double(width), tallest / Double(height))
      let panelWidth = scale * Double(width)
      let panelHeight = scale * Double(height)
      let slotWidth = max(panelWidth, 120)
      let gap = 18.0
      panels = (0..<3).map { index in
        PlotRect(
          x: left + Double(index) * (slotWidth + gap) + (slotWidth - panelWidth) / 2, y: top,
          width: panelWidth, height: panelHeight)
      }
      let barY = top + panelHeight + 42
      valueBar = PlotRect(
        x: left + 6, y: barY, width: 2 * slotWidth + gap - 12, height: 9)
      residualBar = PlotRect(
        x: left + 2 * (slotWidth + gap) + 6, y: barY, width: slotWidth - 12, height: 9)
      size = PlotPoint(left + 3 * slotWidth + 2 * gap + 16, barY + 9 + 34 + footer)
    }
  }
}
