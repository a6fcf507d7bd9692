// SPDX-License-Identifier: MIT
//
// The ticks of a parameter in a corner plot: at least two have numbers, which keep clear of each other and of the next cell's.

/// The ticks of one parameter, the same below its column and left of its row.
package struct CornerTicks: Sendable {
  /// A tick.
  package struct Mark: Sendable {
    /// The distance from the lower end of the axis, in points.
    package let place: Double
    /// What it says, in units of ten to the power `exponent`.
    package let label: String
    /// Whether what it says is written.
    package let isNumbered: Bool
  }

  /// The distance from the ends of a cell within which no number is written, so that it keeps clear of the next cell's.
  package static let margin = 3.5

  /// The room of a number along its line: more of it would reach the name of the parameter.
  package static let room = 36.0

  /// The ticks, ascending.
  package let marks: [Mark]

  /// The power of ten that multiplies all labels.
  let exponent: Int

  /// The size of the numbers where they are short enough.
  let preferredSize: Double

  /// Finds the ticks of an axis that is as long as a cell.
  ///
  /// Of steps 1, 2 and 5 each is at most 2.5 times the next finer one. If one leaves fewer than two numbers on the length u inside
  /// the margins, it is longer than u/2, and the next finer one longer than u/5: 14 points in the smallest cell. Numbers that are
  /// turned by 45° then keep lines 14/√2 points apart, more than their size.
  package init(from low: Double, to high: Double, cell: Double, preferredSize: Double) {
    let preferred = cell > 100 ? 5 : 4
    var found = CornerTicks.ticks(from: low, to: high, cell: cell, atMost: preferred)
    // With steps as fine as u/5 a cell has six ticks.
    for limit in (preferred + 1)...7 where found.marks.count(where: \.isNumbered) < 2 {
      found = CornerTicks.ticks(from: low, to: high, cell: cell, atMost: limit)
    }
    marks = found.marks
    exponent = found.exponent
    self.preferredSize = preferredSize
  }

  /// Returns at most so many ticks, and whether there is room for their numbers.
  private static func ticks(
    from low: Double, to high: Double, cell: Double, atMost limit: Int
  ) -> (marks: [Mark], exponent: Int) {
    let ticks = Ticks.linear(from: low, to: high, atMost: limit)
    let marks = zip(ticks.values, ticks.labels).map { value, label in
      let place = (value - low) / (high - low) * cell
      return Mark(
        place: place, label: label, isNumbered: place > margin && cell - place > margin)
    }
    return (marks, ticks.exponent)
  }

  /// Returns the size of the numbers at which the longest has room.
  package func size(on canvas: Canvas) -> Double {
    marks.filter(\.isNumbered).map {
      canvas.fittingSize(of: $0.label, size: preferredSize, room: CornerTicks.room)
    }.min() ?? preferredSize
  }

  /// Returns the label of the axis with the power of ten of its ticks.
  func axisLabel(_ label: String) -> String {
    Ticks(values: [], labels: [], exponent: exponent).axisLabel(label)
  }
}
