// SPDX-License-Identifier: MIT
//
// Constant matrices that multiply vectors, laid out by columns: regressions spend most of their time in such products.

/// The constant matrices of a tape that are copied column by column behind its slab.
///
/// Products with a vector then run along columns, as long as the data are many, and not along rows, as long as the predictors
/// are few: three to four times faster for some hundred rows of ten.
struct ColumnMatrices {
  /// The places of the copies in the slab.
  private(set) var ranges: [Range<Int>] = []

  /// The elements of the copies.
  private(set) var values: [Double] = []

  /// The end of the slab.
  private(set) var end: Int

  /// Where the copy of a matrix begins.
  private var known: [Int32: Int32] = [:]

  /// Starts behind a slab.
  init(start: Int) { end = start }

  /// Replaces a product of a constant matrix with a vector.
  mutating func replace(_ i: inout Instruction, _ recorder: Recorder) {
    let (rows, columns) = (Int(i.outer), Int(i.n))
    guard i.operation == .matmul, i.inner == 1, i.d == 1, !i.isActive(0), i.isActive(1), rows > 8,
      recorder.isConstant(i.a, count: rows * columns)
    else { return }
    let start: Int32
    if let found = known[i.a] {
      start = found
    } else {
      start = Int32(end)
      known[i.a] = start
      ranges.append(end..<(end + rows * columns))
      for c in 0..<columns {
        for r in 0..<rows { values.append(recorder.values[Int(i.a) + r * columns + c]) }
      }
      end += rows * columns
    }
    i.operation = .columnsTimesVector
    i.a = start
  }
}

extension Recorder {
  /// Whether a region of the slab holds constants.
  fileprivate func isConstant(_ place: Int32, count: Int) -> Bool {
    constants.contains { $0.lowerBound <= Int(place) && Int(place) + count <= $0.upperBound }
  }
}
