// SPDX-License-Identifier: MIT
//
// One image with marks: colours and marks at known places, and no crash for any shape.

import Foundation
import Plotting
import Testing

@Suite("Image plot") struct ImagePlotTests {
  /// Returns a plot of a bump, with a masked pixel at (2, 1).
  static func plot(width: Int, height: Int) -> ImagePlot {
    let values = (0..<(width * height)).map { i -> Double in
      let (x, y) = (Double(i % width), Double(i / width))
      let r2 = pow(x - Double(width) / 2, 2) + pow(y - Double(height) / 2, 2)
      return 5 * exp(-r2 / Double(width)) + 0.01 * Double(i % 7)
    }
    let mask = (0..<(width * height)).map { $0 == width + 2 }
    var plot = ImagePlot(width: width, height: height, values: values, mask: mask)
    plot.title = "A title"
    plot.caption = "flux 100"
    return plot
  }

  @Test("pixels have the colours of their values, and marks lie where they should")
  func colors() throws {
    var plot = Self.plot(width: 40, height: 30)
    let red = PlotColor(1, 0, 0)
    plot.marks = [
      ImagePlot.Mark(
        .ellipse(x: 20, y: 15, semiMajor: 9, ellip: 0.5, theta: 0), name: "along y", color: red)
    ]
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    let dots = 300.0
    try plot.figure().write(to: path, dotsPerInch: dots)
    let picture = try #require(Picture(path: path))
    let layout = ImagePlotLayout(plot)
    /// Returns the colour at a position in pixels of the image.
    func color(_ x: Double, _ y: Double) -> UInt32 {
      let step = layout.panel.width / 40
      return picture.color(
        at: PlotPoint(
          layout.panel.x + (x + 0.5) * step, layout.panel.bottom - (y + 0.5) * step),
        dotsPerInch: dots)
    }
    #expect(color(2, 1) == ColorMap.masked.packed)
    let scale = plot.scale
    for (x, y) in [(1, 3), (7, 4), (20, 15), (38, 28)] {
      let expected = ColorMap.ember.packed(at: scale.place(of: plot.values[y * 40 + x]))
      #expect(color(Double(x), Double(y)) == expected)
    }
    // At theta = 0 the major axis lies along +y: the ends of the axes are red, and what lies at 9 along x is not.
    for (x, y) in [(20.0, 24.0), (20, 6), (24.5, 15), (15.5, 15)] {
      #expect(isRed(color(x, y)), "(\(x), \(y))")
    }
    #expect(!isRed(color(29, 15)))
  }

  /// Returns whether a colour is red, but for what a curve leaves uncovered of a dot.
  private func isRed(_ color: UInt32) -> Bool {
    color >> 16 > 0xe8 && (color >> 8) & 0xff < 0x28 && color & 0xff < 0x28
  }

  @Test(
    "pixels are square and parts keep within the figure, in every format",
    arguments: [(1, 1), (15, 9), (121, 121), (1000, 600), (2000, 10), (10, 2000)])
  func layout(width: Int, height: Int) throws {
    var plot = Self.plot(width: width, height: height)
    plot.marks = [
      ImagePlot.Mark(.cross(x: 3, y: 2, dx: 1, dy: 2), name: "a cross"),
      ImagePlot.Mark(.rectangle(x0: -5, y0: 0, x1: 1e9, y1: 4), name: "a frame", dash: [2, 2]),
      ImagePlot.Mark(.line(x0: .nan, y0: 0, x1: 1, y1: 1)),
      ImagePlot.Mark(.ellipse(x: 2, y: 2, semiMajor: 1e6, ellip: 0, theta: 1), name: "a cross"),
    ]
    let layout = ImagePlotLayout(plot)
    let ratio =
      (layout.panel.width / Double(width)) / (layout.panel.height / Double(height))
    #expect(abs(ratio - 1) < 1e-12)
    #expect(layout.panel.x > 20 && layout.bar.right < layout.size.x)
    #expect(layout.panel.bottom < layout.size.y - 30)
    let scratch = try Scratch()
    for type in ["png", "pdf", "svg"] {
      try plot.figure().write(to: scratch.path + "/a.\(type)")
    }
    #expect(try scratch.files == ["a.pdf", "a.png", "a.svg"])
  }
}
