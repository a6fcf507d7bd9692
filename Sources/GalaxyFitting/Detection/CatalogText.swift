// SPDX-License-Identifier: MIT
//
// A catalogue of text: where the names of its columns stand, and what separates its cells.
//
// Names stand in the first line that does not begin with # (CSV, ECSV, a plain head), or above it in lines with #: one for
// each column, numbered (SExtractor's ASCII_HEAD), or one for all (numpy.savetxt, TOPCAT). Cells are separated by commas,
// semicolons or tabs, or else by blanks.

import Foundation
import SwiftCSV

/// The lines of a catalogue of text.
struct CatalogText {
  /// The file, for messages.
  private let path: String

  /// The lines with # above the first line without, without their #.
  private let remarks: [String]

  /// The lines without #: a head, unless that is a remark, and rows.
  private let lines: [String]

  /// Takes a text apart, after a byte order mark.
  init(_ text: String, path: String) {
    let bare = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    let all = bare.split(whereSeparator: { $0.isNewline })
      .filter { line in !line.allSatisfy { $0.isWhitespace } }
    self.path = path
    remarks = all.prefix(while: { $0.hasPrefix("#") }).map { line in
      String(line.drop(while: { $0 == "#" }))
    }
    lines = all.filter { !$0.hasPrefix("#") }.map { String($0) }
  }

  /// Returns the table.
  ///
  /// - Throws: ``OptionError`` where no names are found, or a head and rows do not match.
  func table() throws -> CatalogTable {
    guard let first = lines.first else {
      throw OptionError(
        path,
        remarks.isEmpty
          ? "expected a head line with the names of columns, found nothing"
          : "expected at least one source, found an empty catalogue: all lines begin with #")
    }
    let separator = CatalogText.separator(of: first)
    let top = try cells(of: first)
    if CatalogText.isHead(top) {
      return try table(names: top, rows: Array(lines.dropFirst()), separator: separator)
    }
    // One numbered line may be a remark such as "5 sources".
    let numbered = remarks.compactMap { CatalogText.numberedName($0) }
    if numbered.count > 1 {
      let head = try names(numbered, width: CatalogText.words(first).count)
      return try table(names: head, rows: lines, separator: nil)
    }
    if let head = headAmongRemarks(width: top.count) {
      return try table(names: head, rows: lines, separator: separator)
    }
    throw OptionError(
      path,
      "expected the names of columns in the first line, or in lines with # above the rows, found \"\(first.prefix(60))\"; begin the file with a line such as \"x y flux r\""
    )
  }

  // MARK: - Heads

  /// Returns whether cells are names of columns: none is a number, or both coordinates are named.
  private static func isHead(_ cells: [String]) -> Bool {
    namesPosition(cells) || cells.allSatisfy { Double($0) == nil }
  }

  /// Returns whether both coordinates are among names.
  private static func namesPosition(_ names: [String]) -> Bool {
    let chosen = CatalogColumn.choose(among: names)
    return chosen[.x] != nil && chosen[.y] != nil
  }

  /// Returns the names in the last remark that is a head; those that name positions, and those of the rows' width, go first.
  private func headAmongRemarks(width: Int) -> [String]? {
    let heads = remarks.compactMap { try? cells(of: $0) }.filter { CatalogText.isHead($0) }
    let positions = heads.filter { CatalogText.namesPosition($0) }
    return positions.last(where: { $0.count == width }) ?? positions.last
      ?? heads.last(where: { $0.count == width })
  }

  /// Returns number and name in a line of SExtractor's head, `1 X_IMAGE Object position along x [pixel]`; nil in others.
  private static func numberedName(_ remark: String) -> (number: Int, name: String)? {
    let words = remark.split(whereSeparator: { $0.isWhitespace })
    guard words.count > 1, let number = Int(words[0]), Double(words[1]) == nil else { return nil }
    return (number, String(words[1]))
  }

  /// Returns a name for each cell of a row from SExtractor's head.
  ///
  /// A vector has one line, and cells up to the number of the next line; they become `FLUX_APER[1]`, `FLUX_APER[2]`, ….
  private func names(_ numbered: [(number: Int, name: String)], width: Int) throws -> [String] {
    let numbers = numbered.map { $0.number }
    let ends = Array(numbers.dropFirst()) + [width + 1]
    guard numbers.first == 1, zip(numbers, ends).allSatisfy({ $0.0 < $0.1 }) else {
      let found = numbers.map { "\($0)" }.joined(separator: ", ")
      throw OptionError(
        path,
        "expected lines with # that number the columns from 1, rising, up to the \(width) cells of the first row, found \(found); correct the lines or the row"
      )
    }
    return zip(numbered, ends).flatMap { column, end -> [String] in
      let count = end - column.number
      return count == 1 ? [column.name] : (1...count).map { "\(column.name)[\($0)]" }
    }
  }

  // MARK: - Rows

  /// Returns the table of rows under names.
  ///
  /// Where blanks separate cells, a cell that is missing would move others into wrong columns: such rows are refused.
  private func table(names: [String], rows: [String], separator: Character?) throws -> CatalogTable
  {
    let list = try cells(of: rows, separator)
    if separator == nil, let row = list.firstIndex(where: { $0.count != names.count }) {
      throw OptionError(
        path,
        "row \(row + 1): expected \(names.count) cells under \(names.joined(separator: ", ")), found \(list[row].count) in \"\(rows[row].prefix(60))\"; write \"\" for an empty cell, and texts with blanks in quotes"
      )
    }
    var columns: [String: [String]] = [:]
    for (index, name) in names.enumerated() {
      columns[name.lowercased()] = list.map { $0.indices.contains(index) ? $0[index] : "" }
    }
    return CatalogTable(names: names, rows: list.count, cells: columns)
  }

  /// Returns what separates the cells of a line: the first comma, semicolon or tab outside of quotes; nil for blanks.
  private static func separator(of line: String) -> Character? {
    var isQuoted = false
    for character in line {
      if character == "\"" {
        isQuoted.toggle()
      } else if !isQuoted, character == "," || character == ";" || character == "\t" {
        return character
      }
    }
    return nil
  }

  /// Returns the cells of a line by itself, without blanks at their ends.
  private func cells(of line: String) throws -> [String] {
    let list = try cells(of: [line], CatalogText.separator(of: line))
    return (list.first ?? []).map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// Returns the cells of lines.
  private func cells(of lines: [String], _ separator: Character?) throws -> [[String]] {
    guard let separator else { return lines.map { CatalogText.words($0) } }
    do {
      // The parser takes the first line as a head: it is given an empty one.
      let text = ([""] + lines).map { $0 + "\n" }.joined(separator: "")
      let csv = try EnumeratedCSV(
        string: text, delimiter: .character(separator), loadColumns: false)
      return csv.rows
    } catch {
      throw OptionError(
        path, "expected comma-separated values with a head line, found something else: \(error)")
    }
  }

  /// Returns the words of a line without their quotes; those in quotes may have blanks, or be empty.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in line {
      if character == "\"" {
        isQuoted.toggle()
        word = word ?? ""
      } else if character.isWhitespace && !isQuoted {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }
}
