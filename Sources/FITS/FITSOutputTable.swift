// SPDX-License-Identifier: MIT
//
// Binary tables to be written: columns of numbers, whole numbers, truth values or text (FITS Standard 4.0, section 7.3).

import Numerics

internal import CCFITSIO

/// A binary table to be written.
public struct FITSOutputTable: Sendable {
  /// One column.
  public struct Column: Sendable {
    /// The contents of a column.
    public enum Values: Sendable, Hashable {
      /// 64-bit floating-point numbers, every bit of which is kept; as many for each row as the column has elements.
      case numbers([Double])
      /// 64-bit whole numbers.
      case integers([Int])
      /// Truth values.
      case logicals([Bool])
      /// Texts, one for each row; what is no printable ASCII becomes a question mark, blanks at the end are lost.
      case strings([String])

      /// The number of values.
      var count: Int {
        switch self {
        case .numbers(let list): list.count
        case .integers(let list): list.count
        case .logicals(let list): list.count
        case .strings(let list): list.count
        }
      }
    }

    /// The name (TTYPE).
    public var name: String

    /// The unit (TUNIT); none is written if it is empty.
    public var unit: String

    /// How many values a row has; 1 for texts.
    public var elementsPerRow: Int

    /// The contents.
    public var values: Values

    /// Creates a column.
    public init(_ name: String, _ values: Values, unit: String = "", elementsPerRow: Int = 1) {
      self.name = name
      self.unit = unit
      self.elementsPerRow = elementsPerRow
      self.values = values
    }
  }

  /// EXTNAME; none is written if it is empty.
  public var name: String

  /// The columns, in order.
  public var columns: [Column]

  /// Cards after the structural ones, in this order.
  public var cards: [FITSCard]

  /// The number of rows.
  public let rowCount: Int

  /// Creates a table.
  ///
  /// - Precondition: All columns have values for the same number of rows.
  public init(name: String, rows rowCount: Int, columns: [Column], cards: [FITSCard] = []) {
    for column in columns {
      demand(
        column.elementsPerRow > 0 && column.values.count == rowCount * column.elementsPerRow,
        "FITSOutputTable: column \(column.name): expected \(rowCount) × \(column.elementsPerRow) values, got \(column.values.count)"
      )
    }
    self.name = name
    self.columns = columns
    self.cards = cards
    self.rowCount = rowCount
  }

  /// Appends the table to a file; to be called inside `withLibrary`.
  func append(to file: UnsafeMutablePointer<fitsfile>, _ status: inout Int32) {
    // Rows come with the columns' values: columns put into a table with rows would move all of them each time.
    ffcrtb(file, BINARY_TBL, 0, 0, nil, nil, nil, nil, &status)
    if !name.isEmpty {
      ffpkls(file, "EXTNAME", FITSWriter.printable(name), "name of this HDU", &status)
    }
    for (index, column) in columns.enumerated() where status == 0 {
      var name = Array(FITSWriter.printable(column.name).utf8CString)
      var form = Array(column.form.utf8CString)
      fficol(file, Int32(index + 1), &name, &form, &status)
      if !column.unit.isEmpty {
        ffpkys(file, "TUNIT\(index + 1)", FITSWriter.printable(column.unit), "unit", &status)
      }
    }
    for card in cards where card.role != .structural { FITSWriter.write(card, to: file, &status) }
    for (index, column) in columns.enumerated() where status == 0 && rowCount > 0 {
      column.write(to: file, Int32(index + 1), &status)
    }
    ffpcks(file, &status)
  }
}

extension FITSOutputTable.Column {
  /// TFORM: the count and the letter of the type.
  fileprivate var form: String {
    switch values {
    case .numbers: "\(elementsPerRow)D"
    case .integers: "\(elementsPerRow)K"
    case .logicals: "\(elementsPerRow)L"
    case .strings(let list): "\(max(1, list.map(\.utf8.count).max() ?? 1))A"
    }
  }

  /// Writes the values.
  fileprivate func write(
    to file: UnsafeMutablePointer<fitsfile>, _ column: Int32, _ status: inout Int32
  ) {
    let count = LONGLONG(values.count)
    switch values {
    case .numbers(var list): ffpcld(file, column, 1, 1, count, &list, &status)
    case .integers(let list):
      var words = list.map { LONGLONG($0) }
      ffpcljj(file, column, 1, 1, count, &words, &status)
    case .logicals(let list):
      var flags = list.map { CChar($0 ? 1 : 0) }
      ffpcll(file, column, 1, 1, count, &flags, &status)
    case .strings(let list):
      for (row, text) in list.enumerated() where status == 0 {
        var bytes = Array(FITSWriter.printable(text).utf8CString)
        bytes.withUnsafeMutableBufferPointer { buffer in
          var pointer = buffer.baseAddress
          ffpcls(file, column, LONGLONG(row + 1), 1, 1, &pointer, &status)
        }
      }
    }
  }
}
