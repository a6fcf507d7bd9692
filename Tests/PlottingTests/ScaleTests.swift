// SPDX-License-Identifier: MIT
//
// Ticks, colour maps, image scales, histograms and contours.

import Foundation
import Plotting
import Testing

@Suite("Ticks") struct TicksTests {
  @Test(
    "ticks are round numbers inside the axis, at most as many as asked, with the same count of decimals"
  )
  func linear() {
    var random = Repeatable()
    for _ in 0..<2000 {
      let width = pow(10, Double.random(in: -8...8, using: &random))
      let low = Double.random(in: -3...3, using: &random) * width
      let limit = Int.random(in: 2...9, using: &random)
      let ticks = Ticks.linear(from: low, to: low + width, atMost: limit)
      #expect(ticks.values.count <= limit && !ticks.values.isEmpty)
      #expect(
        ticks.values.allSatisfy { $0 >= low - 1e-8 * width && $0 <= low + width * (1 + 1e-8) })
      #expect(Set(ticks.labels).count == ticks.labels.count)
      #expect(
        Set(ticks.labels.map { $0.split(separator: ".").dropFirst().first?.count ?? 0 }).count == 1)
      for (value, label) in zip(ticks.values, ticks.labels) {
        let text = label.replacingOccurrences(of: "−", with: "-")
        let shown = (Double(text) ?? .nan) * pow(10, Double(ticks.exponent))
        // What is written is where the tick is, but for the rounding of a few products.
        #expect(abs(shown - value) <= 1e-9 * width, "\(label) at \(value)")
      }
    }
  }

  @Test("known axes have known labels")
  func known() {
    #expect(
      Ticks.linear(from: 0, to: 1, atMost: 6).labels == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(
      Ticks.linear(from: -3, to: 3, atMost: 7).labels == ["−3", "−2", "−1", "0", "1", "2", "3"])
    #expect(Ticks.linear(from: -0.5, to: 120.5, atMost: 4).labels == ["0", "50", "100"])
    #expect(Ticks.linear(from: 60.04, to: 60.06, atMost: 3).labels == ["60.04", "60.05", "60.06"])
    let small = Ticks.linear(from: 0, to: 4e-20, atMost: 5)
    #expect(small.labels == ["0", "1", "2", "3", "4"] && small.exponent == -20)
  }

  @Test("an axis that counts has whole numbers")
  func whole() {
    #expect(Ticks.linear(from: -0.5, to: 2.5, atMost: 9, minimalStep: 1).labels == ["0", "1", "2"])
  }

  @Test("an axis without length or without finite ends does no harm")
  func degenerate() {
    #expect(Ticks.linear(from: 5, to: 5, atMost: 4).values == [5])
    #expect(Ticks.linear(from: .nan, to: 5, atMost: 4).values.isEmpty)
    #expect(Ticks.linear(from: 0, to: .infinity, atMost: 4).values.isEmpty)
  }

  @Test("logarithmic ticks are powers of ten, all written the same way")
  func logarithmic() {
    #expect(Ticks.logarithmic(from: 0.5, to: 300, atMost: 4).labels == ["1", "10", "100"])
    #expect(Ticks.logarithmic(from: 1, to: 1e5, atMost: 7).labels.last == "10^{5}")
    #expect(Ticks.logarithmic(from: 1, to: 1e5, atMost: 7).labels.first == "10^{0}")
  }

  @Test("medians have two digits of the smaller error")
  func quantiles() {
    #expect(
      QuantileText.label(low: 3.238, median: 3.24916, high: 3.2604) == "3.249^{+0.011}_{−0.011}")
    #expect(QuantileText.label(low: 1600, median: 1726.6, high: 1900) == "1727^{+173}_{−127}")
    #expect(
      QuantileText.label(low: 1e-20, median: 2e-20, high: 3e-20) == "2.0^{+1.0}_{−1.0}×10^{−20}")
    #expect(QuantileText.label(low: 4, median: 4, high: 4) == "4")
  }
}

@Suite("Colour maps") struct ColorMapTests {
  /// Returns the OKLab coordinates of a colour (Ottosson 2020).
  static func oklab(_ packed: UInt32) -> (l: Double, a: Double, b: Double) {
    let linear = [16, 8, 0].map { shift -> Double in
      let c = Double(packed >> UInt32(shift) & 255) / 255
      return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
    }
    let (r, g, b) = (linear[0], linear[1], linear[2])
    let l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    let m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    let s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
      0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s
    )
  }

  @Test("sequential maps grow lighter in equal steps", arguments: [0, 1, 2])
  func uniform(which: Int) {
    let map = [ColorMap.ember, .lagoon, .gray][which]
    let lightness = (0...20).map { Self.oklab(map.packed(at: Double($0) / 20)).l }
    let steps = zip(lightness, lightness.dropFirst()).filter { $0.0 > 0.2 }.map { $1 - $0 }
    let mean = steps.reduce(0, +) / Double(steps.count)
    // Above 0.2 the bytes of sRGB resolve lightness to some 0.004 (near black to 0.07 only); colours cut to what sRGB can
    // show would be off by more.
    #expect(steps.allSatisfy { abs($0 - mean) < 0.006 }, "\(steps)")
  }

  @Test("the middle of the diverging map is neutral and both arms are equally dark")
  func diverging() {
    let middle = Self.oklab(ColorMap.diverging.packed(at: 0.5))
    // A byte of sRGB near white is 0.002 in a and b.
    #expect(abs(middle.a) < 0.003 && abs(middle.b) < 0.003 && middle.l > 0.95)
    for t in [0.0, 0.1, 0.2, 0.3, 0.4] {
      let below = Self.oklab(ColorMap.diverging.packed(at: t))
      let above = Self.oklab(ColorMap.diverging.packed(at: 1 - t))
      #expect(abs(below.l - above.l) < 0.02, "two steps of the bytes")
      #expect(below.b < 0 && above.a > 0)
    }
  }

  @Test("the grey of masked pixels is far from every colour of the maps that show images")
  func maskedIsDistinct() {
    let grey = Self.oklab(ColorMap.masked.packed)
    for map in [ColorMap.ember, .diverging] {
      for index in 0...510 {
        let c = Self.oklab(map.packed(at: Double(index) / 510))
        let distance = hypot(hypot(c.l - grey.l, c.a - grey.a), c.b - grey.b)
        // 0.02 is a just noticeable difference in OKLab; four times that is plain to see.
        #expect(distance > 0.08)
      }
    }
  }

  @Test("places beyond the ends take the end colours and NaN is masked")
  func ends() {
    #expect(ColorMap.ember.packed(at: -3) == ColorMap.ember.packed(at: 0))
    #expect(ColorMap.ember.packed(at: .infinity) == ColorMap.ember.packed(at: 1))
    #expect(ColorMap.ember.packed(at: .nan) == ColorMap.masked.packed)
  }
}

@Suite("Image scales") struct ImageScaleTests {
  @Test(
    "place and value are inverse",
    arguments: [
      ImageScale(low: -1, high: 50),
      ImageScale(low: -1, high: 50, stretch: .asinh(softening: 0.2, zero: 0)),
      ImageScale(low: 990, high: 5000, stretch: .asinh(softening: 3, zero: 1000)),
      ImageScale(low: -1e-20, high: 5e-19, stretch: .asinh(softening: 1e-21, zero: 0)),
    ])
  func inverse(scale: ImageScale) {
    #expect(abs(scale.place(of: scale.low)) < 1e-12 && abs(scale.place(of: scale.high) - 1) < 1e-12)
    for k in 0...10 {
      let t = Double(k) / 10
      // A few roundings, magnified by the size of the offset relative to the softening.
      #expect(abs(scale.place(of: scale.value(at: t)) - t) < 1e-11)
    }
  }

  @Test(
    "limits that are equal or not finite still make a scale",
    arguments: [
      (0.0, 0.0), (5, 5), (.nan, 1), (0, .infinity), (-.infinity, .nan), (1e-300, 1e-300),
    ])
  func degenerate(low: Double, high: Double) {
    let scale = ImageScale(low: low, high: high)
    #expect(scale.low < scale.high && scale.low.isFinite && scale.high.isFinite)
    #expect(scale.place(of: scale.low).isFinite)
  }
}

@Suite("Histograms and densities") struct HistogramTests {
  @Test("every finite value within the range is counted once")
  func counts() {
    let histogram = Histogram([0, 0.5, 1, 2, 2, .nan, .infinity, 7], bins: 2, range: 0...2)
    #expect(histogram.edges == [0, 1, 2] && histogram.counts == [2, 3])
    #expect(abs(histogram.density.reduce(0, +) - 1) < 1e-15)
    #expect(Histogram([4, 4, 4]).counts.reduce(0, +) == 3)
    #expect(Histogram([]).counts.allSatisfy { $0 == 0 })
  }

  @Test("contours of a Gaussian are ellipses of the expected size and enclose their share")
  func gaussian() throws {
    var random = Repeatable()
    let sd = (x: 0.1, y: 0.06)
    let pairs = (0..<40_000).map { _ in (0.5 + sd.x * random.normal(), 0.5 + sd.y * random.normal())
    }
    let grid = DensityGrid(x: pairs.map(\.0), y: pairs.map(\.1))
    let levels = try #require(grid.levels(enclosing: [0.393, 0.865]))
    for (level, sigmas) in zip(levels, [1.0, 2]) {
      let loop = try #require(grid.contours(at: level).max { $0.count < $1.count })
      let radii = loop.map { hypot(($0.x - 0.5) / sd.x, ($0.y - 0.5) / sd.y) }
      let mean = radii.reduce(0, +) / Double(radii.count)
      // Smoothing by 0.2 sd widens by 2 %; the noise of 40 000 draws on a contour is a few per cent.
      #expect(abs(mean / sigmas - 1) < 0.06, "\(mean)")
      let inside = pairs.count { hypot(($0.0 - 0.5) / sd.x, ($0.1 - 0.5) / sd.y) < mean }
      let share = sigmas == 1 ? 0.393 : 0.865
      #expect(abs(Double(inside) / 40_000 - share) < 0.05)
    }
  }

  @Test("loops around a hole and at the edge are closed and apart")
  func topology() {
    // A ring: two loops, one inside the other. A ridge at the left edge: one loop that leaves the frame.
    let ring = (0..<20_000).map { k in (0.5 + 0.3 * cos(Double(k)), 0.5 + 0.3 * sin(Double(k))) }
    let around = DensityGrid(x: ring.map(\.0), y: ring.map(\.1))
    let peak = around.values.max() ?? 0
    #expect(around.contours(at: 0.3 * peak).count == 2)
    var random = Repeatable()
    let edge = (0..<20_000).map { _ in (abs(0.1 * random.normal()), 0.5 + 0.05 * random.normal()) }
    let beside = DensityGrid(x: edge.map(\.0), y: edge.map(\.1))
    let loops = beside.contours(at: 0.3 * (beside.values.max() ?? 0))
    #expect(loops.count == 1)
    #expect((loops.first?.map(\.x).min() ?? 1) < 0)
  }
}
