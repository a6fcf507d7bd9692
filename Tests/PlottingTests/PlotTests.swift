// SPDX-License-Identifier: MIT
//
// The finished plots: colours at known places, and no crash for any data.

import Foundation
import Plotting
import Testing

@Suite("Residual plot") struct ResidualPlotTests {
  /// Returns a plot of a bump with noise, a masked pixel at (2, 1), NaN at (0, 0) and a residual of 0 at (3, 2).
  static func plot(width: Int, height: Int) -> ResidualPlot {
    var random = Repeatable()
    var (data, model, residual): ([Double], [Double], [Double]) = ([], [], [])
    for y in 0..<height {
      for x in 0..<width {
        let r2 = pow(Double(x) - Double(width) / 2, 2) + pow(Double(y) - Double(height) / 2, 2)
        let noise = x == 3 && y == 2 ? 0 : 0.1 * random.normal()
        model.append(5 * exp(-r2 / Double(width)))
        data.append(x == 0 && y == 0 ? .nan : model[model.count - 1] + noise)
        residual.append(x == 0 && y == 0 ? .nan : noise / 0.1)
      }
    }
    let mask = (0..<(width * height)).map { $0 == width + 2 }
    var plot = ResidualPlot(
      width: width, height: height, data: data, model: model, residual: residual, mask: mask)
    plot.title = "A title"
    plot.caption = "χ² = 1"
    return plot
  }

  @Test(
    "each pixel has the colour of its value and its place",
    arguments: [(15, 9), (24, 40), (60, 12)])
  func colors(width: Int, height: Int) throws {
    let plot = Self.plot(width: width, height: height)
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    let dots = 300.0
    try plot.figure().write(to: path, dotsPerInch: dots)
    let picture = try #require(Picture(path: path))
    let layout = ResidualPlotLayout(
      width: width, height: height, hasTitle: true, hasFooter: true, digits: "\(height)".count)
    #expect(picture.width == Int((layout.size.x.rounded(.up) * dots / 72).rounded(.up)))
    #expect(layout.isStacked == (width >= 2 * height))
    /// Returns the colour in the middle of a pixel of a panel.
    func color(_ panel: Int, _ x: Int, _ y: Int) -> UInt32 {
      let rect = layout.panels[panel]
      return picture.color(
        at: PlotPoint(
          rect.x + (Double(x) + 0.5) * rect.width / Double(width),
          rect.bottom - (Double(y) + 0.5) * rect.height / Double(height)), dotsPerInch: dots)
    }
    for panel in 0..<3 { #expect(color(panel, 2, 1) == ColorMap.masked.packed) }
    #expect(color(0, 0, 0) == ColorMap.masked.packed)
    #expect(color(2, 3, 2) == ColorMap.diverging.packed(at: 0.5))
    let scale = plot.valueScale
    for (x, y) in [(1, 3), (7, 4), (width - 2, height - 2)] {
      let index = y * width + x
      #expect(color(0, x, y) == ColorMap.ember.packed(at: scale.place(of: plot.data[index])))
      #expect(color(1, x, y) == ColorMap.ember.packed(at: scale.place(of: plot.model[index])))
      #expect(
        color(2, x, y)
          == ColorMap.diverging.packed(at: plot.residualScale.place(of: plot.residual[index])))
    }
  }

  @Test(
    "pixels are square and parts keep within the figure",
    arguments: [
      (1, 1), (15, 9), (121, 121), (1000, 600), (2000, 10), (10, 2000), (300, 100),
    ])
  func layout(width: Int, height: Int) {
    let layout = ResidualPlotLayout(
      width: width, height: height, hasTitle: true, hasFooter: true, digits: 4)
    for rect in layout.panels {
      let ratio = (rect.width / Double(width)) / (rect.height / Double(height))
      #expect(abs(ratio - 1) < 1e-12)
      #expect(rect.x > 20 && rect.right < layout.size.x && rect.bottom < layout.size.y - 30)
    }
    #expect(layout.residualBar.bottom < layout.size.y && layout.valueBar.right < layout.size.x)
  }

  @Test("the scale is that of the data whatever their unit")
  func units() {
    let plot = Self.plot(width: 40, height: 30)
    let tiny = ResidualPlot(
      width: 40, height: 30, data: plot.data.map { $0 * 1e-20 },
      model: plot.model.map { $0 * 1e-20 },
      residual: plot.residual, mask: plot.mask)
    for value in [0.0, 0.3, 1, 4] {
      let difference =
        plot.valueScale.place(of: value) - tiny.valueScale.place(of: value * 1e-20)
      #expect(abs(difference) < 1e-9, "only rounding differs")
    }
  }

  @Test("no data can make it fail", arguments: Figure.Format.allCases)
  func anything(format: Figure.Format) throws {
    let count = 12 * 7
    let none = [Double](repeating: .nan, count: count)
    let flat = [Double](repeating: 3.5, count: count)
    let zero = [Double](repeating: 0, count: count)
    let wild = (0..<count).map { $0 % 3 == 0 ? Double.infinity : $0 % 3 == 1 ? -1e300 : 1e300 }
    let masks = [[], [Bool](repeating: true, count: count)]
    for data in [none, flat, zero, wild] {
      for model in [none, flat, zero, wild] {
        for mask in masks {
          let plot = ResidualPlot(
            width: 12, height: 7, data: data, model: model, residual: data, mask: mask)
          #expect(try plot.figure().encoded(as: format, dotsPerInch: 40).count > 100)
        }
      }
    }
    let pixel = ResidualPlot(width: 1, height: 1, data: [1], model: [1], residual: [0])
    #expect(try pixel.figure().encoded(as: format).count > 100)
  }

  @Test("given limits are kept")
  func limits() {
    var plot = Self.plot(width: 15, height: 9)
    plot.limits = -1...9
    plot.residualLimit = 7
    #expect(plot.valueScale.low == -1 && plot.valueScale.high == 9)
    #expect(plot.residualScale.low == -7 && plot.residualScale.high == 7)
  }
}

@Suite("Plots of draws and panels") struct DrawPlotTests {
  @Test("corner plots of 1 to 12 parameters are drawn in every format", arguments: [1, 2, 5, 12])
  func corner(count: Int) throws {
    var random = Repeatable()
    let draws = (0..<count).map { k in (0..<500).map { _ in Double(k) + random.normal() } }
    let plot = CornerPlot(
      names: (0..<count).map { "p_\($0)" }, draws: draws, references: (0..<count).map { Double($0) }
    )
    for format in Figure.Format.allCases {
      #expect(try plot.figure().encoded(as: format, dotsPerInch: 50).count > 1000)
    }
  }

  @Test("draws that are constant, missing or wild do no harm")
  func wild() throws {
    let names = ["constant", "nan", "wild", "empty"]
    let wild: [Double] = (0..<100).map { $0 % 7 == 0 ? Double.infinity : Double($0) * 1e200 }
    let draws: [[Double]] = [
      [Double](repeating: 4, count: 100), [Double](repeating: .nan, count: 100), wild,
      (0..<100).map { Double($0 % 2) },
    ]
    #expect(try CornerPlot(names: names, draws: draws).figure().encoded(as: .png).count > 1000)
    #expect(
      try CornerPlot(names: ["a", "b"], draws: [[], []]).figure().encoded(as: .pdf).count > 500)
    let traces = TracePlot(names: names, chains: draws.map { [$0, $0.reversed(), []] })
    #expect(try traces.figure().encoded(as: .png).count > 1000)
  }

  @Test("the histogram of a corner plot is where the draws are")
  func histogram() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    let draws = (0..<10_000).map { Double($0) }
    try CornerPlot(names: ["u"], draws: [draws]).figure().write(to: path, dotsPerInch: 144)
    let picture = try #require(Picture(path: path))
    // Uniform draws fill the cell, which starts 64 points from the left and 36 from the top, up to 1/1.08 of its height.
    let below = picture.color(at: PlotPoint(64 + 40, 36 + 60), dotsPerInch: 144)
    let above = picture.color(at: PlotPoint(64 + 40, 36 + 4), dotsPerInch: 144)
    #expect(below != 0xffffff && above == 0xffffff)
  }

  @Test("labels of a trace plot are shorter than their panels, or end before the next")
  func traceLabels() throws {
    // The second is too long even at the smallest size.
    let names = [
      "r_eff_poly_0 [px]", String(repeating: "long_", count: 8), "sky_back_g [units/px]",
    ]
    for count in [3, 12] {
      let layout = TracePlotLayout(count: count, hasTitle: true)
      let lengths = Measured { canvas in
        names.map { name in
          let label = layout.label(name, on: canvas)
          return canvas.width(of: label.text, size: label.size)
        }
      }
      let found = try lengths.values
      #expect(found.count == names.count)
      let height = layout.area(0).height
      let pitch = layout.area(1).y - layout.area(0).y
      #expect(found[0] < height && found[0] > 0 && layout.area(count - 1).bottom < layout.size.y)
      // Labels stand in the middles of their panels: as long as this, two would leave 4 points between them.
      #expect(found.allSatisfy { $0 <= pitch - 4 }, "\(found)")
    }
  }

  @Test("long chains keep their extremes")
  func longChain() throws {
    var chain = [Double](repeating: 0, count: 100_000)
    chain[54_321] = 1
    let figure = TracePlot(names: ["a"], chains: [[chain]]).figure()
    // The spike is drawn: without it the chain would be constant and the axis tiny.
    #expect(try figure.encoded(as: .svg).count < 2_000_000)
  }

  @Test(
    "a panel draws every kind of series on both kinds of axes",
    arguments: [AxisScale.linear, .logarithmic])
  func panel(scale: AxisScale) throws {
    let x = (0..<50).map { Double($0) }
    let y = x.map { $0 - 3 }
    var panel = Panel(title: "T", xLabel: "x", yLabel: "y")
    panel.xScale = scale
    panel.yScale = scale
    panel.series = [
      PlotSeries(.band(x: x, low: y.map { $0 - 1 }, high: y.map { $0 + 1 }), name: "band"),
      PlotSeries(.line(x: x, y: y), name: "line"), PlotSeries(.points(x: x, y: y, yError: x)),
      .histogram(x, name: "histogram"), PlotSeries(.vertical(3)),
      PlotSeries(.horizontal(3), dash: [3, 2]),
    ]
    for format in Figure.Format.allCases {
      #expect(try Panel.grid([[panel, panel], [panel]]).encoded(as: format).count > 1000)
    }
    #expect(try Panel().figure().encoded(as: .png).count > 500)
  }
}
