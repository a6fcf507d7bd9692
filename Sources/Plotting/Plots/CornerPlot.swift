// SPDX-License-Identifier: MIT
//
// The corner plot of a posterior: a histogram for each parameter, contours for each pair, medians with errors as titles.

import Numerics

/// The corner plot of draws of several parameters.
///
/// ```swift
/// try CornerPlot(names: ["n", "r_eff"], draws: [n, rEff]).figure().write(to: "corner.pdf")
/// ```
public struct CornerPlot: Sendable {
  /// The names of the parameters, written as they are.
  public var names: [String]
  /// The draws of each parameter; equal counts, in the same order.
  public var draws: [[Double]]
  /// The units of the parameters, empty for none.
  public var units: [String]
  /// Values marked by lines, such as a truth or a maximum; nil for none.
  public var references: [Double?]
  /// What the marked values are, for the note in the corner; not said if empty.
  public var referenceName = ""
  /// The title; none if empty.
  public var title = ""
  /// The shares of the draws that the contours enclose, ascending: 1 and 2 σ of a two-dimensional Gaussian.
  public var enclosed = [0.393, 0.865]
  /// The colour of contours and histograms.
  public var color = PlotColor.series(0)

  /// Creates a corner plot of up to some 12 parameters.
  ///
  /// - Parameters:
  ///   - names: The names, at least one.
  ///   - draws: For each name the draws, all of equal count; values that are not finite are left out.
  ///   - units: For each name the unit, or empty for none at all.
  ///   - references: For each name a value to be marked or nil, or empty for none at all.
  /// - Precondition: The counts agree.
  public init(
    names: [String], draws: [[Double]], units: [String] = [], references: [Double?] = []
  ) {
    demand(
      !names.isEmpty && names.count == draws.count
        && draws.allSatisfy { $0.count == draws[0].count }
        && (units.isEmpty || units.count == names.count)
        && (references.isEmpty || references.count == names.count),
      "CornerPlot: \(names.count) names, \(draws.count) sets of draws, \(units.count) units, "
        + "\(references.count) references; all sets must be of equal length")
    self.names = names
    self.draws = draws
    self.units = units.isEmpty ? names.map { _ in "" } : units
    self.references = references.isEmpty ? names.map { _ in nil } : references
  }

  /// Returns the figure; cells shrink as parameters become many.
  public func figure() -> Figure {
    let contents = CornerPlotContents(self)
    return Figure(width: contents.size.x, height: contents.size.y) { contents.draw(on: $0) }
  }
}

/// A corner plot with its axes and densities computed.
package struct CornerPlotContents: Sendable {
  /// The plot.
  let plot: CornerPlot
  /// The axis of each parameter.
  let axes: [Axis]
  /// The ticks of each parameter.
  package let ticks: [CornerTicks]
  /// The histogram of each parameter.
  let histograms: [Histogram]
  /// The 16, 50 and 84 % quantiles of each parameter; nil without finite draws.
  let quantiles: [[Double]?]
  /// The densities of pairs: row by row, columns before the row.
  let densities: [[DensityGrid]]
  /// The side of a cell.
  package let cell: Double
  /// The gap between cells.
  package let gap = 6.0
  /// The sizes of text.
  let style: PlotStyle
  /// The upper left corner of the first cell.
  let corner: PlotPoint
  /// The size of the figure.
  let size: PlotPoint

  /// Computes everything that does not depend on the format.
  package init(_ plot: CornerPlot) {
    self.plot = plot
    let count = plot.names.count
    let axes = plot.draws.enumerated().map { index, values in
      CornerPlotContents.axis(values, reference: plot.references[index], plot.names[index])
    }
    self.axes = axes
    histograms = zip(plot.draws, axes).map { values, axis in
      // The first and the last bin begin and end with the draws, so that sharp ends stay sharp.
      let shown = values.filter { $0 >= axis.low && $0 <= axis.high }
      return Histogram(
        values, bins: 32, range: (shown.min() ?? axis.low)...(shown.max() ?? axis.high))
    }
    quantiles = plot.draws.map { values in
      let sorted = Percentiles.sorted(values)
      guard !sorted.isEmpty else { return nil }
      return [0.16, 0.5, 0.84].compactMap { Percentiles.quantile(sorted, $0) }
    }
    let shares = zip(plot.draws, axes).map { values, axis in values.map { axis.share($0) } }
    densities = (0..<count).map { row in
      (0..<row).map { DensityGrid(x: shares[$0], y: shares[row]) }
    }
    let cell = count <= 3 ? 122.0 : count <= 5 ? 104 : count <= 8 ? 88 : 76
    let style = PlotStyle(
      label: count <= 8 ? 9.5 : 9, tick: count <= 8 ? 7.5 : 7, tickLength: 2.6)
    self.cell = cell
    self.style = style
    ticks = axes.map {
      CornerTicks(from: $0.low, to: $0.high, cell: cell, preferredSize: style.tick)
    }
    corner = PlotPoint(64, plot.title.isEmpty ? 36 : 58)
    let side = Double(count) * (cell + gap) - gap
    // A single cell leaves no empty corner for the note, which then needs lines of its own.
    let below = 62 + (count == 1 ? 3 + 11 * Double(CornerPlotContents.note(plot).count) : 0)
    size = PlotPoint(corner.x + side + 18, corner.y + side + below)
  }

  /// Returns an axis that shows nearly all draws and the reference, and ends where the draws end if they do so sharply.
  private static func axis(_ values: [Double], reference: Double?, _ name: String) -> Axis {
    let sorted = Percentiles.sorted(values)
    guard let first = sorted.first, let last = sorted.last,
      let a = Percentiles.quantile(sorted, 0.0015), let b = Percentiles.quantile(sorted, 0.9985)
    else { return Axis(low: 0, high: 1, label: name) }
    guard b > a else {
      let pad = max(abs(a) * 0.01, 1e-300)
      return Axis(low: a - pad, high: a + pad, label: name)
    }
    let span = b - a
    var low = max(a - 0.08 * span, first - 0.015 * span)
    var high = min(b + 0.08 * span, last + 0.015 * span)
    // A reference further out would squeeze the draws; it is then left out of the picture.
    if let reference, reference.isFinite, reference > low - span, reference < high + span {
      low = min(low, reference - 0.05 * span)
      high = max(high, reference + 0.05 * span)
    }
    return Axis(low: low, high: high, label: name)
  }

  /// Returns the rectangle of a cell.
  private func rect(_ row: Int, _ column: Int) -> PlotRect {
    PlotRect(
      x: corner.x + Double(column) * (cell + gap), y: corner.y + Double(row) * (cell + gap),
      width: cell, height: cell)
  }

  /// Draws everything.
  func draw(on canvas: Canvas) {
    for row in plot.names.indices {
      for column in 0..<row { drawPair(on: canvas, row, column) }
      drawHistogram(on: canvas, row)
      drawAxes(on: canvas, row)
    }
    if !plot.title.isEmpty {
      canvas.title(plot.title, at: PlotPoint(14, 12), size: 11.5, room: size.x - 28)
    }
    drawNote(on: canvas)
  }

  /// Draws the contours of a pair and the draws outside them.
  private func drawPair(on canvas: Canvas, _ row: Int, _ column: Int) {
    let area = rect(row, column)
    let frame = Axes(rect: area, x: axes[column], y: axes[row], style: style)
    let density = densities[row][column]
    canvas.clipped(to: area) { canvas in
      if let levels = density.levels(enclosing: plot.enclosed) {
        drawStragglers(on: canvas, frame, density, below: levels.last ?? 0, row, column)
        for (index, level) in levels.enumerated().reversed() {
          let loops = density.contours(at: level).map { loop in
            loop.map {
              PlotPoint(area.x + $0.x * area.width, area.bottom - $0.y * area.height)
            }
          }
          let strength = 0.6 - 0.42 * Double(index) / Double(max(levels.count - 1, 1))
          canvas.fill(loops, tint(strength))
          for loop in loops {
            canvas.polyline(loop, plot.color, lineWidth: 0.7, isClosed: true)
          }
        }
      }
      drawReference(on: canvas, frame, row, column)
    }
    canvas.stroke(area, .ink, lineWidth: 0.6)
  }

  /// The colour of the plot mixed with white.
  private func tint(_ strength: Double) -> PlotColor {
    let c = plot.color
    return PlotColor(
      1 - strength * (1 - c.red), 1 - strength * (1 - c.green), 1 - strength * (1 - c.blue))
  }

  /// Draws some hundreds of the draws that lie outside the outermost contour.
  private func drawStragglers(
    on canvas: Canvas, _ frame: Axes, _ density: DensityGrid, below level: Double, _ row: Int,
    _ column: Int
  ) {
    let (x, y) = (plot.draws[column], plot.draws[row])
    // About one draw in seven lies outside 2 σ; more than some hundred dots would only blacken the cell.
    let step = max(1, x.count / (plot.names.count > 6 ? 1200 : 2400))
    var points: [PlotPoint] = []
    for index in stride(from: 0, to: x.count, by: step) {
      let (u, v) = (frame.x.share(x[index]), frame.y.share(y[index]))
      if density.value(atShareX: u, y: v) < level { points.append(frame.point(x[index], y[index])) }
    }
    canvas.dots(points, radius: 0.45, plot.color.opacity(0.45))
  }

  /// Draws the lines of the reference values of a pair.
  private func drawReference(on canvas: Canvas, _ frame: Axes, _ row: Int, _ column: Int) {
    let color = PlotColor.series(1)
    if let x = plot.references[column] {
      let place = frame.point(x, frame.y.low).x
      canvas.line(
        PlotPoint(place, frame.rect.y), PlotPoint(place, frame.rect.bottom), color, lineWidth: 0.8)
    }
    if let y = plot.references[row], row != column {
      let place = frame.point(frame.x.low, y).y
      canvas.line(
        PlotPoint(frame.rect.x, place), PlotPoint(frame.rect.right, place), color, lineWidth: 0.8)
    }
  }

  /// Draws the histogram of a parameter with its quantiles and its title.
  private func drawHistogram(on canvas: Canvas, _ index: Int) {
    let area = rect(index, index)
    let histogram = histograms[index]
    let highest = max(histogram.counts.max() ?? 1, 1)
    let frame = Axes(
      rect: area, x: axes[index], y: Axis(low: 0, high: highest * 1.08), style: style)
    canvas.clipped(to: area) { canvas in
      var outline = [frame.point(histogram.edges[0], 0)]
      for (bin, count) in histogram.counts.enumerated() {
        outline.append(frame.point(histogram.edges[bin], count))
        outline.append(frame.point(histogram.edges[bin + 1], count))
      }
      outline.append(frame.point(histogram.edges[histogram.counts.count], 0))
      canvas.fill([outline], tint(0.25))
      canvas.polyline(outline, plot.color, lineWidth: 0.9)
      for (order, value) in (quantiles[index] ?? []).enumerated() {
        let place = frame.point(value, 0).x
        canvas.line(
          PlotPoint(place, area.y), PlotPoint(place, area.bottom), .ink,
          lineWidth: order == 1 ? 0.9 : 0.6, dash: order == 1 ? [] : [2.2, 2])
      }
      drawReference(on: canvas, frame, index, index)
    }
    canvas.stroke(area, .ink, lineWidth: 0.6)
    let unit = plot.units[index].isEmpty ? "" : " [\(plot.units[index])]"
    let name = plot.names[index] + unit
    let room = cell + gap - 2
    canvas.text(
      name, at: PlotPoint(area.midX, area.y - 20),
      size: canvas.fittingSize(of: name, size: style.label, room: room), align: .center)
    guard let values = quantiles[index] else { return }
    let text = QuantileText.label(low: values[0], median: values[1], high: values[2])
    canvas.text(
      text, at: PlotPoint(area.midX, area.y - 6),
      size: canvas.fittingSize(of: text, size: style.label, room: room), align: .center)
  }

  /// Draws the axis of a parameter below its column and left of its row.
  private func drawAxes(on canvas: Canvas, _ index: Int) {
    let ticks = ticks[index]
    let size = ticks.size(on: canvas)
    let last = plot.names.count - 1
    for row in index...last {
      let area = rect(row, index)
      for tick in ticks.marks {
        let place = area.x + tick.place
        canvas.line(
          PlotPoint(place, area.bottom), PlotPoint(place, area.bottom + (row == last ? 2.6 : 1.6)),
          lineWidth: 0.6)
        guard row == last, tick.isNumbered else { continue }
        canvas.text(
          tick.label, at: PlotPoint(place + 2, area.bottom + 5), size: size, align: .right,
          baseline: .top, angle: 45)
      }
    }
    let unit = plot.units[index].isEmpty ? "" : " [\(plot.units[index])]"
    let name = ticks.axisLabel(plot.names[index] + unit)
    canvas.text(
      name, at: PlotPoint(rect(last, index).midX, rect(last, index).bottom + 37),
      size: canvas.fittingSize(of: name, size: style.label, room: cell - 4), align: .center,
      baseline: .top)
    guard index > 0 else { return }
    for column in 0..<index {
      let area = rect(index, column)
      for tick in ticks.marks {
        let place = area.bottom - tick.place
        canvas.line(
          PlotPoint(area.x - (column == 0 ? 2.6 : 1.6), place), PlotPoint(area.x, place),
          lineWidth: 0.6)
        guard column == 0, tick.isNumbered else { continue }
        canvas.text(
          tick.label, at: PlotPoint(area.x - 5, place), size: size, align: .right,
          baseline: .middle)
      }
    }
    canvas.text(
      name, at: PlotPoint(18, rect(index, 0).midY),
      size: canvas.fittingSize(of: name, size: style.label, room: cell - 4), align: .center,
      angle: 90)
  }

  /// What the contours, titles and lines mean.
  private var note: [String] { CornerPlotContents.note(plot) }

  /// Returns what the contours, titles and lines of a plot mean.
  private static func note(_ plot: CornerPlot) -> [String] {
    let shares = plot.enclosed.map { fixed(100 * $0, decimals: 1) + " %" }.joined(separator: ", ")
    return [
      "\(plot.draws[0].count) draws", "titles: median, 16 % and 84 %",
      plot.names.count > 1 ? "contours enclose \(shares)" : "",
      plot.referenceName.isEmpty || plot.references.allSatisfy { $0 == nil }
        ? "" : "orange lines: \(plot.referenceName)",
    ].filter { !$0.isEmpty }
  }

  /// Says in the empty corner, or below a single cell, what the contours and titles mean.
  private func drawNote(on canvas: Canvas) {
    let isAlone = plot.names.count == 1
    let right = isAlone ? size.x - 14 : rect(0, plot.names.count - 1).right
    let first = isAlone ? size.y - 8 - 11 * Double(note.count - 1) : corner.y - 14
    for (index, line) in note.enumerated() {
      canvas.text(
        line, at: PlotPoint(right, first + Double(index) * 11), size: 7.5, align: .right,
        color: PlotColor(0.35, 0.35, 0.38))
    }
  }
}

/// Medians with their errors as text.
package enum QuantileText {
  /// Returns `median^{+up}_{−down}` with two digits of the smaller error, a power of ten taken out of extreme numbers.
  package static func label(low: Double, median: Double, high: Double) -> String {
    let (up, down) = (high - median, median - low)
    guard up > 0 || down > 0, up.isFinite, down.isFinite else {
      let ticks = Ticks.linear(from: median, to: median, atMost: 2)
      return (ticks.labels.first ?? "")
        + (ticks.exponent == 0 ? "" : "×" + Ticks.factor(ticks.exponent))
    }
    let error = min(up > 0 ? up : down, down > 0 ? down : up)
    let size = max(abs(median), error)
    let power = Int(decimalLogarithm(size).rounded(.down))
    let isPlain = (-3...5).contains(power)
    let unit = isPlain ? 1 : tenTo(power)
    let decimals = max(0, 1 - Int(decimalLogarithm(error / unit).rounded(.down)))
    let text =
      fixed(median / unit, decimals: decimals) + "^{+\(fixed(up / unit, decimals: decimals))}_{−"
      + "\(fixed(down / unit, decimals: decimals))}"
    return isPlain ? text : text + "×" + Ticks.factor(power)
  }
}
