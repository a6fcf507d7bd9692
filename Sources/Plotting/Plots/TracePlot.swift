// SPDX-License-Identifier: MIT
//
// The trace plot of chains: for each parameter the draws in order, and their histogram by chain on the same axis.

import Numerics

/// The traces of several parameters and chains.
public struct TracePlot: Sendable {
  /// The names of the parameters.
  public var names: [String]
  /// The draws: parameter by parameter, chain by chain.
  public var chains: [[[Double]]]
  /// The title; none if empty.
  public var title = ""

  /// Creates a trace plot.
  ///
  /// - Parameters:
  ///   - names: The names, at least one.
  ///   - chains: For each name the chains, for each chain its draws.
  /// - Precondition: There are as many sets of chains as names.
  public init(names: [String], chains: [[[Double]]]) {
    demand(
      !names.isEmpty && names.count == chains.count,
      "TracePlot: \(names.count) names, \(chains.count) sets of chains")
    self.names = names
    self.chains = chains
  }

  /// Returns the figure: one row for each parameter.
  public func figure() -> Figure {
    let layout = TracePlotLayout(count: names.count, hasTitle: !title.isEmpty)
    return Figure(width: layout.size.x, height: layout.size.y) { canvas in
      if !title.isEmpty {
        canvas.title(
          title, at: PlotPoint(14, 12), size: layout.style.title, room: layout.size.x - 28)
      }
      for index in names.indices { draw(index, on: canvas, layout) }
    }
  }

  /// Draws the trace and the histograms of one parameter.
  private func draw(_ index: Int, on canvas: Canvas, _ layout: TracePlotLayout) {
    let (area, style) = (layout.area(index), layout.style)
    let sorted = Percentiles.sorted(chains[index].flatMap(\.self))
    let low = sorted.first ?? 0
    let high = sorted.last ?? 1
    let pad = high > low ? 0.04 * (high - low) : max(abs(low) * 0.01, 1e-300)
    let values = Axis(low: low - pad, high: high + pad, label: names[index])
    let length = chains[index].map(\.count).max() ?? 0
    let isLast = index == names.count - 1
    let frame = Axes(
      rect: area, x: Axis(low: 0, high: Double(max(length, 1)), label: "draw", minimalStep: 1),
      y: values, style: style)
    canvas.clipped(to: area) { canvas in
      for (chain, draws) in chains[index].enumerated() {
        let points = TracePlot.thinned(draws, to: Int(area.width) * 2).map {
          frame.point($0.x, $0.y)
        }
        // In parts, because the time for one line grows faster than its length.
        for start in stride(from: 0, to: points.count, by: 128) {
          canvas.polyline(
            Array(points[start..<min(start + 129, points.count)]),
            PlotColor.series(chain).opacity(0.75), lineWidth: 0.55)
        }
      }
    }
    frame.draw(
      on: canvas, xParts: isLast ? .all : .marks, yParts: [.marks, .numbers],
      yTicks: layout.tickLimit)
    let ticks = values.ticks(atMost: layout.tickLimit)
    let label = layout.label(ticks.axisLabel(names[index]), on: canvas)
    canvas.text(
      label.text, at: PlotPoint(17, area.midY), size: label.size, align: .center, angle: 90)
    drawHistograms(index, on: canvas, layout.side(index), values, style)
  }

  /// Draws the histogram of each chain, lying on its side.
  private func drawHistograms(
    _ index: Int, on canvas: Canvas, _ side: PlotRect, _ values: Axis, _ style: PlotStyle
  ) {
    let histograms = chains[index].map {
      Histogram($0, bins: 28, range: values.low...values.high)
    }
    let highest = histograms.flatMap(\.density).max() ?? 1
    let frame = Axes(
      rect: side, x: Axis(low: 0, high: highest > 0 ? highest * 1.06 : 1), y: values, style: style)
    canvas.clipped(to: side) { canvas in
      for (chain, histogram) in histograms.enumerated() {
        var outline: [PlotPoint] = []
        for (bin, height) in histogram.density.enumerated() {
          outline.append(frame.point(height, histogram.edges[bin]))
          outline.append(frame.point(height, histogram.edges[bin + 1]))
        }
        let color = PlotColor.series(chain)
        let first = frame.point(0, histogram.edges[0])
        let last = frame.point(0, histogram.edges[histogram.counts.count])
        canvas.fill([[first] + outline + [last]], color.opacity(0.12))
        canvas.polyline(outline, color, lineWidth: 0.9)
      }
    }
    canvas.stroke(side, .ink, lineWidth: style.frame)
  }

  /// Returns draws with their numbers; of long chains the smallest and the largest of each stretch.
  private static func thinned(_ draws: [Double], to limit: Int) -> [(x: Double, y: Double)] {
    guard draws.count > 2 * limit else {
      return draws.enumerated().map { (Double($0.offset), $0.element) }
    }
    var result: [(x: Double, y: Double)] = []
    let step = (draws.count + limit - 1) / limit
    for start in stride(from: 0, to: draws.count, by: step) {
      let part = start..<min(start + step, draws.count)
      guard let least = part.min(by: { draws[$0] < draws[$1] }),
        let most = part.max(by: { draws[$0] < draws[$1] })
      else { continue }
      for index in [min(least, most), max(least, most)] {
        result.append((Double(index), draws[index]))
      }
    }
    return result
  }
}

/// Where the parts of a trace plot are.
package struct TracePlotLayout: Sendable {
  /// The sizes of text.
  let style = PlotStyle(label: 9, tick: 7.5, tickLength: 2.8)
  /// The height of a panel.
  let row: Double
  /// The gap between panels.
  let gap = 12.0
  /// Where the first panel starts.
  let top: Double
  /// Where the traces start.
  private let left = 66.0
  /// The width of the traces.
  private let wide = 400.0
  /// The width of the histograms.
  private let narrow = 90.0
  /// The largest number of ticks of a vertical axis; with five or more at least two have round numbers.
  let tickLimit: Int
  /// The size of the figure.
  package let size: PlotPoint

  /// Lays out a plot of so many parameters.
  package init(count: Int, hasTitle: Bool) {
    row = count <= 4 ? 84 : 64
    top = hasTitle ? 34 : 14
    tickLimit = max(5, Int(row / 14))
    size = PlotPoint(left + wide + 8 + narrow + 14, top + Double(count) * (row + gap) - gap + 38)
  }

  /// Returns the panel of the traces of a parameter.
  package func area(_ index: Int) -> PlotRect {
    PlotRect(x: left, y: top + Double(index) * (row + gap), width: wide, height: row)
  }

  /// Returns the panel of the histograms of a parameter.
  package func side(_ index: Int) -> PlotRect {
    let area = area(index)
    return PlotRect(x: area.right + 8, y: area.y, width: narrow, height: row)
  }

  /// Returns the label of a panel, turned to stand beside it, with the size at which it is shorter than the panel.
  package func label(_ text: String, on canvas: Canvas) -> (text: String, size: Double) {
    let size = canvas.fittingSize(of: text, size: style.label, room: row - 2)
    // What is still longer at the smallest size is cut where it would come near the next panel's.
    return (canvas.shortened(text, size: size, room: row + gap - 4), size)
  }
}
