// SPDX-License-Identifier: MIT
//
// Files: formats, sizes, replacement, and errors.

import Foundation
import Plotting
import Synchronization
import Testing

@Suite("Figures") struct FigureTests {
  /// A figure with a red square on white, 10 points from the left and 20 from the top.
  static let square = Figure(width: 100, height: 50) { canvas in
    canvas.fill(PlotRect(x: 10, y: 20, width: 20, height: 20), PlotColor(1, 0, 0))
  }

  @Test("a PNG has the size of the figure at its resolution and its colours")
  func png() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    try Self.square.write(to: path, dotsPerInch: 144)
    let picture = try #require(Picture(path: path))
    #expect(picture.width == 200 && picture.height == 100)
    #expect(picture.color(at: PlotPoint(20, 30), dotsPerInch: 144) == 0xff0000)
    #expect(picture.color(at: PlotPoint(20, 15), dotsPerInch: 144) == 0xffffff)
  }

  @Test("a PDF is a page of the figure's size")
  func pdf() throws {
    let bytes = try Self.square.encoded(as: .pdf)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("%PDF-"))
    #expect(text.contains("[ 0 0 100 50 ]") || text.contains("[0 0 100 50]"))
  }

  @Test("an SVG has the figure's size")
  func svg() throws {
    let text = String(decoding: try Self.square.encoded(as: .svg), as: UTF8.self)
    #expect(text.hasPrefix("<?xml") && text.contains("<svg"))
    #expect(text.contains("viewBox=\"0 0 100 50\""))
  }

  @Test("the ending of the name chooses the format, in any case")
  func endings() throws {
    let scratch = try Scratch()
    for (name, start) in [("a.PNG", "\u{89}PNG"), ("b.pdf", "%PDF"), ("c.x.Svg", "<?xml")] {
      try Self.square.write(to: scratch.path + "/" + name)
      let data = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/" + name))
      #expect(
        data.prefix(start.unicodeScalars.count).map { UInt32($0) }
          == start.unicodeScalars.map(\.value))
    }
    #expect(try scratch.files == ["a.PNG", "b.pdf", "c.x.Svg"])
  }

  @Test(
    "each failure has its kind and leaves nothing",
    arguments: [
      ("a.jpg", PlotError.Kind.unknownFormat), ("a", .unknownFormat), ("a.d/pdf", .unknownFormat),
      ("absent/a.png", .notWritable), ("folder.png", .notWritable),
    ])
  func failures(name: String, kind: PlotError.Kind) throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch.path + "/folder.png", withIntermediateDirectories: true)
    let path = scratch.path + "/" + name
    let error = failure { () throws(PlotError) in try Self.square.write(to: path) }
    #expect(error?.kind == kind && error?.file == path, "\(error?.description ?? "no error")")
    #expect(try scratch.files == ["folder.png"])
  }

  @Test("a picture too large for the format is an error")
  func tooLarge() {
    let error = failure { () throws(PlotError) in
      _ = try Self.square.encoded(as: .png, dotsPerInch: 100_000)
    }
    #expect(error?.kind == .badSize)
  }

  @Test("a file is replaced whole")
  func replacement() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    try Self.square.write(to: path)
    try Figure(width: 10, height: 10) { _ in }.write(to: path, dotsPerInch: 72)
    #expect(try #require(Picture(path: path)).width == 10)
    #expect(try scratch.files == ["a.png"])
  }

  @Test("image pixels are flat tiles with the lowest row first")
  func tiles() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    // 3 × 2 pixels of 10 × 10 points each.
    let colors: [UInt32] = [0x110000, 0x220000, 0x330000, 0x004400, 0x005500, 0x006600]
    try Figure(width: 30, height: 20) { canvas in
      canvas.image(colors, width: 3, height: 2, in: PlotRect(x: 0, y: 0, width: 30, height: 20))
    }.write(to: path, dotsPerInch: 72)
    let picture = try #require(Picture(path: path))
    for column in 0..<3 {
      for (place, row) in [(0, 1), (9, 1), (10, 0), (19, 0)] {
        for shift in [0, 9] {
          #expect(picture.colors[place * 30 + column * 10 + shift] == colors[row * 3 + column])
        }
      }
    }
  }

  @Test("titles that are too wide are smaller, and cut only where they would be too small to read")
  func titles() throws {
    let titles = Mutex<[(text: String, line: String, size: Double, width: Double)]>([])
    let figure = Figure(width: 300, height: 20) { canvas in
      for count in 5...200 {
        let text = String((0..<count).map { Array("galaxy-4.fits: sersic ")[$0 % 22] })
        let (line, size) = canvas.fittedTitle(text, size: 11.5, room: 280)
        let width = canvas.width(of: line, size: size, isBold: true)
        titles.withLock { $0.append((text, line, size, width)) }
      }
    }
    _ = try figure.encoded(as: .pdf)
    var (whole, scaled, cut) = (0, 0, 0)
    for title in titles.withLock(\.self) {
      // A rounding.
      #expect(title.width < 280.001 && title.size >= 7, "\(title)")
      switch title.line {
      case title.text where title.size == 11.5: whole += 1
      case title.text: scaled += 1
      default:
        cut += 1
        #expect(title.line.hasSuffix("…") && title.size == 7, "\(title)")
      }
    }
    // All three kinds are among the lengths, whatever the font.
    #expect(whole > 20 && scaled > 15 && cut > 80, "\(whole), \(scaled), \(cut)")
  }

  @Test("an image larger than the picture is averaged, not thinned out")
  func averaging() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.png"
    let colors = (0..<400).map { ($0 + $0 / 20) % 2 == 0 ? UInt32(0x000000) : 0x646464 }
    try Figure(width: 10, height: 10) { canvas in
      canvas.image(colors, width: 20, height: 20, in: PlotRect(x: 0, y: 0, width: 10, height: 10))
    }.write(to: path, dotsPerInch: 72)
    #expect(try #require(Picture(path: path)).colors.allSatisfy { $0 == 0x323232 })
  }

  @Test("text is as wide as its parts, and stacked parts share their place")
  func text() throws {
    let measured = Mutex<[Double]>([])
    let figure = Figure(width: 10, height: 10) { canvas in
      let found = ["ab", "a^{1}_{1}", "a^{1}", ""].map { canvas.width(of: $0, size: 10) }
      measured.withLock { $0 = found }
    }
    _ = try figure.encoded(as: .pdf)
    let widths = measured.withLock(\.self)
    #expect(widths[0] > 0 && widths[3] == 0)
    // The pair is set a little smaller than a single raised part: 0.68 against 0.72 of the size.
    #expect(widths[1] <= widths[2] && widths[1] > 0.9 * widths[2])
  }
}
