// SPDX-License-Identifier: MIT
//
// The table of a catalogue as texts, whether the file is a FITS table or text.

import FITS
import Foundation

/// A table of texts, columns by names in lower case.
struct CatalogTable {
  /// The names of the columns, as in the file.
  let names: [String]

  /// The number of rows.
  let rows: Int

  /// The cells, by column.
  let cells: [String: [String]]

  /// Returns a cell, without blanks at its ends; empty where there is none.
  func cell(_ column: String, _ row: Int) -> String {
    guard let column = cells[column], column.indices.contains(row) else { return "" }
    return column[row].trimmingCharacters(in: .whitespaces)
  }
}

extension CatalogTable {
  /// Reads a table of either kind.
  ///
  /// - Throws: ``OptionError`` or `FITSError`.
  static func read(_ path: String) throws -> CatalogTable {
    let isFITS = try beginsLikeFITS(pathOfFITSName(path))
    guard isFITS else {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw OptionError(path, "expected a text file in UTF-8 or a FITS table, found neither")
      }
      return try CatalogText(text, path: path).table()
    }
    var file = try FITSTable(reading: path)
    // SExtractor's FITS_LDAC has the header of the image as a table before that of the sources.
    if file.columns.map(\.name) == ["Field Header Card"], pathOfFITSName(path) == path {
      file = try FITSTable(reading: "\(path)[LDAC_OBJECTS]")
    }
    var cells: [String: [String]] = [:]
    for column in file.columns {
      switch column.values {
      case .numbers(let values) where column.elementsPerRow == 1:
        cells[column.name.lowercased()] = values.map { $0.isNaN ? "" : "\($0)" }
      case .strings(let values): cells[column.name.lowercased()] = values
      default: continue
      }
    }
    return CatalogTable(names: file.columns.map(\.name), rows: file.rowCount, cells: cells)
  }

  /// Returns whether a file begins as FITS files do, compressed ones included.
  private static func beginsLikeFITS(_ path: String) throws -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw OptionError(path, "expected a file that can be read, found none; check the name")
    }
    defer { try? file.close() }
    let head = [UInt8]((try? file.read(upToCount: 6)) ?? Data())
    return head == Array("SIMPLE".utf8) || head.starts(with: [0x1f, 0x8b])
  }
}
