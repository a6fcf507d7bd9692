// SPDX-License-Identifier: MIT
//
// Where the labels of marks are written on an image: beside their marks, off other labels and, where there is room, off all lines.

/// The places of the labels of an image plot.
package struct MarkLabels: Sendable {
  /// The size of their font.
  package static let size = 8.0

  /// The gap between a mark and its label, in points.
  private static let gap = 2.0

  /// The boxes of the labels with their borders, mark by mark; nil for marks without label and for those that cannot be seen.
  package let boxes: [PlotRect?]

  /// Chooses for one label after the other the place that hides least.
  ///
  /// Tried are eight directions, near the mark and further off. A label covers first no other label, then as few lines as possible.
  ///
  /// - Parameters:
  ///   - plot: The plot.
  ///   - rect: The rectangle that the image fills.
  ///   - canvas: What measures the labels.
  /// - Complexity: O(labels · marks).
  package init(_ plot: ImagePlot, in rect: PlotRect, on canvas: Canvas) {
    guard plot.marks.contains(where: { !$0.label.isEmpty }) else {
      boxes = [PlotRect?](repeating: nil, count: plot.marks.count)
      return
    }
    let lines = plot.marks.map { plot.lines(of: $0, in: rect) }
    let trails = lines.map { Trail($0, in: rect) }
    var chosen: [PlotRect?] = []
    for (index, mark) in plot.marks.enumerated() {
      guard !mark.label.isEmpty, !trails[index].points.isEmpty else {
        chosen.append(nil)
        continue
      }
      let border = 2 * Canvas.borderShare * MarkLabels.size
      let size = PlotPoint(
        canvas.width(of: mark.label, size: MarkLabels.size, isBold: true) + border,
        Canvas.capHeight * MarkLabels.size + border)
      let candidates = MarkLabels.candidates(
        beside: lines[index].flatMap(\.self), size: size, in: rect)
      let taken = chosen.compactMap { $0 }
      let costs = candidates.map { box in
        let covered = taken.count { $0.overlaps(box) }
        return 1000 * covered + trails.reduce(0) { $0 + $1.count(in: box) }
      }
      // The first of several that are equally good.
      let best = costs.indices.min { costs[$0] < costs[$1] }
      chosen.append(best.map { candidates[$0] })
    }
    boxes = chosen
  }

  /// Returns boxes beside a mark, the preferred ones first: those within the image or, where there are none, all moved into it.
  private static func candidates(
    beside outline: [PlotPoint], size: PlotPoint, in rect: PlotRect
  ) -> [PlotRect] {
    let points = outline.filter { $0.x.isFinite && $0.y.isFinite }
    guard let left = points.map(\.x).min(), let right = points.map(\.x).max(),
      let top = points.map(\.y).min(), let bottom = points.map(\.y).max()
    else { return [] }
    let middle = PlotPoint((left + right) / 2, (top + bottom) / 2)
    let half = 0.5.squareRoot()
    // Upper right first, as one labels points of a diagram; y grows downwards.
    let directions = [
      PlotPoint(half, -half), PlotPoint(1, 0), PlotPoint(-half, -half), PlotPoint(half, half),
      PlotPoint(0, -1), PlotPoint(-1, 0), PlotPoint(-half, half), PlotPoint(0, 1),
    ]
    var boxes: [PlotRect] = []
    for distance in [gap, gap + size.y, gap + 2.5 * size.y] {
      for direction in directions {
        // Mark and box lie on two sides of a line across the direction.
        let own = (abs(direction.x) * size.x + abs(direction.y) * size.y) / 2
        let away = reach(of: points, from: middle, along: direction) + distance + own
        let x = middle.x + away * direction.x - size.x / 2
        let y = middle.y + away * direction.y - size.y / 2
        boxes.append(PlotRect(x: x, y: y, width: size.x, height: size.y))
      }
    }
    let inside = boxes.filter {
      rect.contains(PlotPoint($0.x, $0.y)) && rect.contains(PlotPoint($0.right, $0.bottom))
    }
    guard inside.isEmpty else { return inside }
    return boxes.map {
      PlotRect(
        x: max(rect.x, min($0.x, rect.right - size.x)),
        y: max(rect.y, min($0.y, rect.bottom - size.y)), width: size.x, height: size.y)
    }
  }

  /// Returns how far points lie from a place along a direction at most.
  private static func reach(
    of points: [PlotPoint], from place: PlotPoint, along direction: PlotPoint
  ) -> Double {
    var reach = 0.0
    for point in points {
      let (dx, dy) = (point.x - place.x, point.y - place.y)
      reach = max(reach, dx * direction.x + dy * direction.y)
    }
    return reach
  }
}

/// Points along the lines of a mark inside the image, too dense for a label to slip between them.
private struct Trail: Sendable {
  /// The points.
  let points: [PlotPoint]

  /// The smallest rectangle that holds them.
  let bounds: PlotRect

  /// Walks along lines.
  init(_ lines: [[PlotPoint]], in rect: PlotRect) {
    var points: [PlotPoint] = []
    for line in lines {
      for (start, end) in zip(line, line.dropFirst()) {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let length = (dx * dx + dy * dy).squareRoot()
        guard length.isFinite else { continue }
        // Steps of 3 points are shorter than labels are high; of lines far longer than the image no more is seen than matters.
        let count = Int(min(length / 3, 400)) + 1
        for k in 0...count {
          let share = Double(k) / Double(count)
          let point = PlotPoint(start.x + share * dx, start.y + share * dy)
          if rect.contains(point) { points.append(point) }
        }
      }
    }
    self.points = points
    let (left, top) = (points.map(\.x).min() ?? 0, points.map(\.y).min() ?? 0)
    bounds = PlotRect(
      x: left, y: top, width: (points.map(\.x).max() ?? 0) - left,
      height: (points.map(\.y).max() ?? 0) - top)
  }

  /// Returns how many of the points a box covers.
  func count(in box: PlotRect) -> Int {
    // A straight line has bounds without area.
    guard bounds.x <= box.right, box.x <= bounds.right, bounds.y <= box.bottom,
      box.y <= bounds.bottom
    else { return 0 }
    return points.count { box.contains($0) }
  }
}
