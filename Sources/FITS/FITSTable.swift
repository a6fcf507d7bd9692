// SPDX-License-Identifier: MIT
//
// Binary and ASCII tables, read whole: columns by name, as numbers or as strings.

internal import CCFITSIO

/// A table with its columns in memory.
public struct FITSTable: Sendable {
  /// One column.
  public struct Column: Sendable {
    /// The contents of a column.
    public enum Values: Sendable {
      /// Numbers and logicals (1 and 0), `elementsPerRow` for each row; NaN where the file has none.
      case numbers([Double])
      /// Strings without trailing blanks, one for each row.
      case strings([String])
    }

    /// The name (TTYPE).
    public let name: String
    /// The unit (TUNIT), empty if none.
    public let unit: String
    /// How many numbers a row has.
    public let elementsPerRow: Int
    /// The contents.
    public let values: Values
  }

  /// The name it was read from.
  public let name: String

  /// The columns in the order of the file; those of variable length, of complex numbers and of bits are left out.
  public let columns: [Column]

  /// The number of rows.
  public let rowCount: Int

  /// The header.
  public let header: FITSHeader

  /// What the reader should know, such as which columns were left out.
  public let notes: [String]

  /// Reads a table: the HDU named, or else the first table that has rows.
  ///
  /// - Parameter name: A path, with an HDU if wanted: `catalogue.fits[SOURCES]`; CFITSIO's row filters are allowed.
  /// - Throws: `FITSError`, for each way in which a name or a file can be wrong.
  public init(reading name: String) throws(FITSError) {
    self = try withLibrary { () throws(FITSError) in try FITSTable(unlocked: name) }
  }

  /// Reads a table; to be called inside `withLibrary`.
  private init(unlocked text: String) throws(FITSError) {
    let parsed = FITSName(text) { PathKind($0) != .absent }
    let file = try LibraryFile(reading: parsed)
    let hdu: HDUSummary
    var remarks: [String] = []
    if parsed.needsLibrary {
      var number: Int32 = 0
      ffghdn(file.handle, &number)
      hdu = try file.currentSummary(number: Int(number) - 1)
      guard hdu.content == .table else {
        throw FITSError(
          .notATable, file: text, hdu: hdu.label,
          "expected a table, found \(hdu.description). Name the HDU in brackets.")
      }
    } else {
      let choice = try file.select(.table, among: try file.summaries())
      hdu = choice.hdu
      if let note = choice.note { remarks.append(note) }
      try file.move(to: hdu)
    }
    var read: [Column] = []
    for index in 1..<(hdu.axes[0] + 1) {
      let (column, label) = try FITSTable.column(index, of: file, hdu)
      if let column { read.append(column) } else { remarks.append("column \(label) was left out") }
    }
    self.name = text
    columns = read
    rowCount = hdu.axes[1]
    header = try file.header(of: hdu)
    notes = remarks
  }

  /// Returns a column, from 1, or nil if it is of a type that is left out, and its name.
  private static func column(
    _ index: Int, of file: borrowing LibraryFile, _ hdu: HDUSummary
  ) throws(FITSError) -> (Column?, String) {
    var status: Int32 = 0
    var type: Int32 = 0
    var elements = 0
    var width = 0
    ffgtcl(file.handle, Int32(index), &type, &elements, &width, &status)
    try file.check(status, "reading the type of column \(index)", hdu: hdu)
    var label = [CChar](repeating: 0, count: Int(FLEN_VALUE) + 1)
    ffgkys(file.handle, "TTYPE\(index)", &label, nil, &status)
    if status != 0 { label = [0] }
    status = 0
    var unit = [CChar](repeating: 0, count: Int(FLEN_VALUE) + 1)
    ffgkys(file.handle, "TUNIT\(index)", &unit, nil, &status)
    if status != 0 { unit = [0] }
    status = 0
    ffcmsg()  // absent keywords are no failure
    let name = string(of: label).trimmingSpaces
    let isComplex = type == TCOMPLEX || type == TDBLCOMPLEX
    guard type > 0, type != TBIT, !isComplex, elements > 0 else { return (nil, name) }
    let rows = hdu.axes[1]
    let values: Column.Values
    if type == TSTRING {
      values = .strings(try strings(index, width: elements, rows: rows, of: file, hdu))
      elements = 1
    } else {
      let isLogical = type == TLOGICAL
      values = .numbers(
        try numbers(index, isLogical: isLogical, count: rows * elements, of: file, hdu))
    }
    let column = Column(
      name: name, unit: string(of: unit).trimmingSpaces, elementsPerRow: elements, values: values)
    return (column, name)
  }

  /// Returns the numbers of a column.
  private static func numbers(
    _ index: Int, isLogical: Bool, count: Int, of file: borrowing LibraryFile, _ hdu: HDUSummary
  ) throws(FITSError) -> [Double] {
    var status: Int32 = 0
    var anyNull: Int32 = 0
    var result = [Double](repeating: 0, count: count)
    if count > 0, isLogical {
      let absent: CChar = 2
      var flags = [CChar](repeating: 0, count: count)
      ffgcvl(
        file.handle, Int32(index), 1, 1, LONGLONG(count), absent, &flags, &anyNull, &status)
      result = flags.map { $0 == absent ? .nan : Double($0) }
    } else if count > 0 {
      ffgcvd(
        file.handle, Int32(index), 1, 1, LONGLONG(count), .nan, &result, &anyNull, &status)
    }
    try file.check(status, "reading column \(index)", hdu: hdu)
    return result
  }

  /// Returns the strings of a column, read one row at a time.
  private static func strings(
    _ index: Int, width: Int, rows: Int, of file: borrowing LibraryFile, _ hdu: HDUSummary
  ) throws(FITSError) -> [String] {
    var status: Int32 = 0
    var result: [String] = []
    result.reserveCapacity(rows)
    var buffer = [CChar](repeating: 0, count: width + 1)
    for row in 1..<(rows + 1) {
      buffer.withUnsafeMutableBufferPointer { bytes in
        var pointer = bytes.baseAddress
        ffgcvs(file.handle, Int32(index), LONGLONG(row), 1, 1, nil, &pointer, nil, &status)
      }
      try file.check(status, "reading row \(row) of column \(index)", hdu: hdu)
      result.append(string(of: buffer).trimmingTrailingSpaces)
    }
    return result
  }

  /// Returns the numbers of a column by name, in any case.
  ///
  /// - Returns: One number for each row, or `elementsPerRow` of them.
  /// - Throws: `FITSError` with kind `noSuchColumn` if there is none, or it holds strings.
  public func numbers(_ column: String) throws(FITSError) -> [Double] {
    if case .numbers(let values) = try find(column).values { return values }
    throw FITSError(
      .noSuchColumn, file: name, "expected numbers in column \(column), found strings.")
  }

  /// Returns the strings of a column by name, in any case.
  ///
  /// - Returns: One string for each row.
  /// - Throws: `FITSError` with kind `noSuchColumn` if there is none, or it holds numbers.
  public func strings(_ column: String) throws(FITSError) -> [String] {
    if case .strings(let values) = try find(column).values { return values }
    throw FITSError(
      .noSuchColumn, file: name, "expected strings in column \(column), found numbers.")
  }

  /// Returns a column by name: the same case if there is one, else any case.
  private func find(_ column: String) throws(FITSError) -> Column {
    let match =
      columns.first { $0.name == column }
      ?? columns.first { $0.name.lowercased() == column.lowercased() }
    if let match { return match }
    throw FITSError(
      .noSuchColumn, file: name,
      "there is no column \(column); the table has "
        + columns.map(\.name).joined(separator: ", ") + ".")
  }
}
