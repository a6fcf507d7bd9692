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
  @Test("the meaning of grey has a line of its own below those of the marks")
  func grey() throws {
    var plot = Self.plot(width: 40, height: 30)
    plot.marks = [
      ImagePlot.Mark(
        .cross(x: 3, y: 2, dx: 1, dy: 2),
        name: String(repeating: "as wide as the figure ", count: 4)),
      ImagePlot.Mark(.cross(x: 9, y: 2, dx: 1, dy: 2), name: "another"),
    ]
    let layout = ImagePlotLayout(plot)
    let swatch = try #require(layout.swatch)
    for row in 0..<2 { #expect(!swatch.overlaps(layout.legendLine(row))) }
    // The caption stands 12 points above the edge and is 8.5 points high.
    #expect(swatch.bottom < layout.size.y - 20.5)
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    try plot.figure().write(to: path, dotsPerInch: 144)
    let picture = try #require(Picture(path: path))
    let found = picture.color(at: PlotPoint(swatch.midX, swatch.midY), dotsPerInch: 144)
    for shift in [UInt32(16), 8, 0] {
      let (a, b) = (Int(found >> shift & 255), Int(ColorMap.masked.packed >> shift & 255))
      #expect(abs(a - b) <= 1, "one step of the bytes")
    }
    #expect(ImagePlotLayout(ImagePlot(width: 2, height: 1, values: [1, 2])).swatch == nil)
    #expect(ImagePlotLayout(ImagePlot(width: 2, height: 1, values: [1, .nan])).swatch != nil)
  }

  /// Returns the boxes of the labels of a plot, those of marks without one left out.
  static func boxes(_ plot: ImagePlot) throws -> [PlotRect] {
    let panel = ImagePlotLayout(plot).panel
    let numbers = try Measured { canvas in
      var numbers: [Double] = []
      for case .some(let box) in MarkLabels(plot, in: panel, on: canvas).boxes {
        numbers += [box.x, box.y, box.width, box.height]
      }
      return numbers
    }.values
    return stride(from: 0, to: numbers.count, by: 4).map { k in
      PlotRect(x: numbers[k], y: numbers[k + 1], width: numbers[k + 2], height: numbers[k + 3])
    }
  }

  @Test("numbers stand beside their marks within the image, off each other and off all lines")
  func labels() throws {
    var plot = Self.plot(width: 120, height: 100)
    // Two overlap, one is in the corner, one has a cross too large for its ellipse, one lies outside.
    let places: [(Double, Double)] = [(30, 40), (34, 43), (118, 98), (60, 20), (200, 50)]
    for (index, place) in places.enumerated() {
      plot.marks.append(
        ImagePlot.Mark(
          .ellipse(x: place.0, y: place.1, semiMajor: 5, ellip: 0.4, theta: 0.5),
          label: "\(index)"))
    }
    plot.marks.append(ImagePlot.Mark(.cross(x: 60, y: 20, dx: 9, dy: 9)))
    let boxes = try Self.boxes(plot)
    #expect(boxes.count == 4)
    let panel = ImagePlotLayout(plot).panel
    let step = panel.width / 120
    for (index, box) in boxes.enumerated() {
      #expect(box.x >= panel.x && box.right <= panel.right, "\(index)")
      #expect(box.y >= panel.y && box.bottom <= panel.bottom, "\(index)")
      let (x, y) = places[index]
      let dx = box.midX - panel.x - (x + 0.5) * step
      let dy = panel.bottom - (y + 0.5) * step - box.midY
      // The ellipse reaches 14 points; a label 8 points wide has its middle at most 30 further off.
      #expect(hypot(dx, dy) < 5 * step + 30, "\(index)")
      // The shorter half axis is 3 pixels: the label is not inside the ellipse.
      #expect(hypot(dx, dy) > 3 * step, "\(index)")
      for other in boxes[(index + 1)...] { #expect(!box.overlaps(other), "\(index)") }
      for k in -36...36 {
        let arm = 0.25 * Double(k)
        for (x, y) in [(60 + arm, 20.0), (60, 20 + arm)] {
          let point = PlotPoint(panel.x + (x + 0.5) * step, panel.bottom - (y + 0.5) * step)
          #expect(!box.contains(point), "\(index)")
        }
      }
      for (xc, yc) in places {
        for k in 0..<200 {
          let t = Double(k) * .pi / 100
          let (a, b) = (5 * cos(t), 3 * sin(t))
          let point = PlotPoint(
            panel.x + (xc - a * sin(0.5) + b * cos(0.5) + 0.5) * step,
            panel.bottom - (yc + a * cos(0.5) + b * sin(0.5) + 0.5) * step)
          #expect(!box.contains(point), "\(index)")
        }
      }
    }
  }

  @Test("a crowd of numbers does no harm, nor does an image narrower than a number")
  func crowd() throws {
    var random = Repeatable()
    var plot = Self.plot(width: 50, height: 50)
    for index in 0..<300 {
      let x = Double.random(in: 0...49, using: &random)
      let y = Double.random(in: 0...49, using: &random)
      plot.marks.append(ImagePlot.Mark(.cross(x: x, y: y, dx: 1, dy: 1), label: "\(index)"))
    }
    #expect(try Self.boxes(plot).count == 300)
    var thin = Self.plot(width: 1, height: 400)
    thin.marks = [
      ImagePlot.Mark(.cross(x: 0, y: 9, dx: 1, dy: 1), label: "12"),
      ImagePlot.Mark(.ellipse(x: .nan, y: 9, semiMajor: 1, ellip: 0, theta: 0), label: "13"),
      ImagePlot.Mark(.ellipse(x: 0, y: 9, semiMajor: 1e300, ellip: 0, theta: 0), label: "14"),
    ]
    #expect(try thin.figure().encoded(as: .png).count > 500)
  }

  @Test("numbers can be read on the darkest and on the brightest pixels")
  func legibility() throws {
    var plot = ImagePlot(
      width: 40, height: 20, values: (0..<800).map { $0 % 40 < 20 ? 0.0 : 100.0 })
    plot.limits = 0...100
    let red = PlotColor(1, 0, 0)
    plot.marks = [
      ImagePlot.Mark(.cross(x: 10, y: 10, dx: 1, dy: 1), color: red, label: "6"),
      ImagePlot.Mark(.cross(x: 30, y: 10, dx: 1, dy: 1), color: red, label: "8"),
    ]
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    try plot.figure().write(to: path, dotsPerInch: 300)
    let picture = try #require(Picture(path: path))
    let boxes = try Self.boxes(plot)
    #expect(boxes.count == 2)
    for box in boxes {
      var (light, dark) = (0, 0)
      for y in stride(from: box.y, to: box.bottom, by: 0.24) {
        for x in stride(from: box.x, to: box.right, by: 0.24) {
          let color = picture.color(at: PlotPoint(x, y), dotsPerInch: 300)
          let parts = [color >> 16 & 255, color >> 8 & 255, color & 255]
          // The palest colour of the map has less blue than this.
          if parts.allSatisfy({ $0 > 0xf8 }) { light += 1 }
          if parts.allSatisfy({ $0 < 0x30 }) { dark += 1 }
        }
      }
      // A box has some thousand dots; letters and border each cover a tenth or more.
      #expect(light > 50 && dark > 50, "\(light) light, \(dark) dark")
    }
  }
}
