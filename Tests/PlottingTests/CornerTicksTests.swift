// SPDX-License-Identifier: MIT
//
// The scales of corner plots: two numbers or more on every axis, clear of each other.

import Foundation
import Plotting
import Testing

@Suite("Ticks of corner plots") struct CornerTicksTests {
  /// The ends of axes of which a step that leaves at most four ticks shows but one number, or none.
  static let awkward: [(Double, Double)] = [
    (60.0445, 60.0553), (60.2955, 60.3052), (51.5948, 51.6046), (0.2704, 0.2801), (0.1, 2.45),
    (-4.9, 4.9), (-1e-20, 9.6e-20), (95_010, 100_900), (1234.567, 1234.5676),
  ]

  /// Checks that two numbers or more are written and that none touches another or the names of the parameters.
  func check(_ ticks: CornerTicks, cell: Double, gap: Double, _ subject: String) throws {
    let places = ticks.marks.filter(\.isNumbered).map(\.place)
    let labels = ticks.marks.filter(\.isNumbered).map(\.label)
    #expect(places.count >= 2 && Set(labels).count == labels.count, "\(subject): \(labels)")
    #expect(places.count <= 6, "\(subject): \(labels)")
    let sizes = try Measured { canvas in
      let size = ticks.size(on: canvas)
      return [size] + labels.map { canvas.width(of: $0, size: size) }
    }.values
    // Eleven letters at the smallest size, 5 points, have room in common fonts; names of parameters begin a point further on.
    let longest = sizes.dropFirst().max() ?? 0
    #expect(longest <= CornerTicks.room + 0.5, "\(subject): \(labels)")
    // Digits are 0.72 of their size high and turned by 45° below the column; the next cell's first number is as near.
    let height = 0.72 * sizes[0] + 1
    for (a, b) in zip(places, Array(places.dropFirst()) + [cell + gap + CornerTicks.margin]) {
      #expect((b - a) * 0.5.squareRoot() > height, "\(subject): \(labels) at \(places)")
    }
  }

  @Test("every axis has two numbers or more, which keep apart", arguments: [76.0, 88, 104, 122])
  func anyAxis(cell: Double) throws {
    for (low, high) in Self.awkward {
      let ticks = CornerTicks(from: low, to: high, cell: cell, preferredSize: 7.5)
      try check(ticks, cell: cell, gap: 6, "\(low) … \(high)")
    }
    var random = Repeatable()
    for _ in 0..<300 {
      let width = pow(10, Double.random(in: -4...4, using: &random))
      let low = Double.random(in: -2000...2000, using: &random)
      let ticks = CornerTicks(from: low, to: low + width, cell: cell, preferredSize: 7.5)
      try check(ticks, cell: cell, gap: 6, "\(low) … \(low + width)")
    }
  }

  @Test("axes on which four ticks show one number have more", arguments: [76.0, 88])
  func refinement(cell: Double) {
    let single = Self.awkward.filter { low, high in
      let ticks = Ticks.linear(from: low, to: high, atMost: 4)
      let places = ticks.values.map { ($0 - low) / (high - low) * cell }
      let inside = places.filter { $0 > CornerTicks.margin && cell - $0 > CornerTicks.margin }
      return inside.count < 2
    }
    // The examples are what they are meant to be.
    #expect(single.count >= 4)
    for (low, high) in single {
      let ticks = CornerTicks(from: low, to: high, cell: cell, preferredSize: 7.5)
      let numbered = ticks.marks.filter(\.isNumbered)
      #expect(numbered.count >= 2)
    }
  }

  @Test("the axes of plots have them, with 12 parameters too", arguments: [1, 4, 12])
  func plot(count: Int) throws {
    var random = Repeatable()
    let sds = [0.0014, 0.0015, 2.3, 0.0067, 0.011, 0.0013, 0.0027, 0.00047, 0.0011, 30, 0.1, 5e-6]
    let means = [
      60.3005, 51.5998, 1829.6, 3.1435, 2.741, 0.2756, 0.5649, 0.00904, -12.3, 98_000, 7.7, 0.0013,
    ]
    var draws: [[Double]] = []
    for k in 0..<count {
      draws.append((0..<400).map { _ in means[k] + sds[k] * random.normal() })
    }
    let contents = CornerPlotContents(
      CornerPlot(names: (0..<count).map { "p_\($0)" }, draws: draws))
    #expect(contents.ticks.count == count)
    for (index, ticks) in contents.ticks.enumerated() {
      try check(ticks, cell: contents.cell, gap: contents.gap, "p_\(index)")
    }
  }
}
