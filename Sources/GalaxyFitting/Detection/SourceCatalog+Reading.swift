// SPDX-License-Identifier: MIT
//
// Reading a catalogue: comma-separated values or a FITS table, with columns under the names that other programs give them.

import FITS
import Foundation
public import GalaxyModels
import SwiftCSV

extension SourceCatalog {
  /// Reads a catalogue.
  ///
  /// Columns, capitals or not: position `x`, `y` (also `xc`, `xcentroid`; SExtractor's `X_IMAGE`, counted from 1), `flux`
  /// (`FLUX_AUTO`, `kron_flux`, …), half-light radius in pixels `r` (`r_eff`, `FLUX_RADIUS`; `A_IMAGE` and
  /// `semimajor_sigma` as moments), and if there are any `type` (a profile), `ellip`, `theta` (from +y in radians;
  /// `THETA_IMAGE` and `orientation` in degrees from +x). Other columns are left alone.
  ///
  /// - Parameters:
  ///   - path: A text file with a head line, separated by commas, semicolons or tabs; or a FITS file with a table.
  ///   - profile: The profile of sources whose type is not given.
  ///   - origin: The first pixel of the image in the frame of the catalogue, for a catalogue of a larger image.
  /// - Throws: ``OptionError`` or `FITSError` that name file, column and row.
  public init(
    reading path: String, profile: GalaxyProfile = .sersic,
    origin: ImagePoint = ImagePoint(x: 0, y: 0)
  ) throws {
    let table = try SourceCatalog.table(path)
    let chosen = CatalogColumn.choose(among: table.names)
    let needed: [CatalogQuantity] = [.x, .y, .flux, .radius]
    let missing = needed.filter { chosen[$0] == nil }
    guard missing.isEmpty else {
      throw OptionError(
        path,
        "expected columns x, y, flux and r, or those of SExtractor, SEP or photutils, found none for \(missing.map(\.rawValue).joined(separator: ", ")) among \(table.names.joined(separator: ", ")); rename them"
      )
    }
    guard table.rows > 0 else {
      throw OptionError(path, "expected at least one source, found an empty catalogue")
    }
    var list: [CatalogSource] = []
    for row in 0..<table.rows {
      /// Returns a quantity of the row; nil where there is no such column or its cell is empty.
      func number(_ quantity: CatalogQuantity) throws -> Double? {
        guard let column = chosen[quantity] else { return nil }
        let text = table.cell(column.name, row)
        if text.isEmpty { return nil }
        guard let value = Double(text), value.isFinite else {
          throw OptionError(
            path, "row \(row + 1), column \(column.name): expected a number, found \"\(text)\"")
        }
        return column.convert(value)
      }
      let values = try needed.map { quantity -> Double in
        guard let value = try number(quantity) else {
          throw OptionError(
            path, "row \(row + 1): expected a number for \(quantity.rawValue), found an empty cell")
        }
        return value
      }
      guard values[3] >= 0 else {
        throw OptionError(
          path, "row \(row + 1): expected a radius of at least 0, found \(values[3])")
      }
      let type = chosen[.profile].map { table.cell($0.name, row) } ?? ""
      guard let profile = type.isEmpty ? profile : GalaxyProfile(rawValue: type.lowercased()) else {
        throw OptionError(
          path,
          "row \(row + 1): expected one of \(GalaxyProfile.allCases.map(\.rawValue).joined(separator: ", ")), found \"\(type)\""
        )
      }
      list.append(
        CatalogSource(
          x: values[0] - origin.x, y: values[1] - origin.y, flux: values[2], radius: values[3],
          profile: profile, ellip: try number(.ellip), theta: try number(.theta)))
    }
    let notes = CatalogQuantity.allCases.compactMap { quantity in
      chosen[quantity].flatMap { column in
        column.remark.isEmpty ? nil : "\(column.name) as \(quantity.rawValue): \(column.remark)"
      }
    }
    self.init(
      list, name: path,
      findings: notes.map { InputFinding(.note, "catalog-column", subject: path, $0) })
  }

  /// A table of texts, columns by names in lower case.
  private struct Table {
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

  /// Reads a table of either kind.
  private static func table(_ path: String) throws -> Table {
    let isFITS = try beginsLikeFITS(pathOfFITSName(path))
    guard isFITS else { return try textTable(path) }
    let file = try FITSTable(reading: path)
    var cells: [String: [String]] = [:]
    for column in file.columns {
      switch column.values {
      case .numbers(let values) where column.elementsPerRow == 1:
        cells[column.name.lowercased()] = values.map { $0.isNaN ? "" : "\($0)" }
      case .strings(let values): cells[column.name.lowercased()] = values
      default: continue
      }
    }
    return Table(names: file.columns.map(\.name), rows: file.rowCount, cells: cells)
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

  /// Reads comma-separated values.
  private static func textTable(_ path: String) throws -> Table {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw OptionError(path, "expected a text file in UTF-8 or a FITS table, found neither")
    }
    // Lines that begin with # are remarks, as ECSV files have them.
    let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
    guard !lines.isEmpty else {
      throw OptionError(path, "expected a head line with the names of columns, found nothing")
    }
    do {
      let csv = try EnumeratedCSV(string: lines.joined(separator: "\n"), loadColumns: false)
      let names = csv.header.map { $0.trimmingCharacters(in: .whitespaces) }
      var cells: [String: [String]] = [:]
      for (index, name) in names.enumerated() {
        cells[name.lowercased()] = csv.rows.map { $0.indices.contains(index) ? $0[index] : "" }
      }
      return Table(names: names, rows: csv.rows.count, cells: cells)
    } catch {
      throw OptionError(
        path, "expected comma-separated values with a head line, found something else: \(error)")
    }
  }
}
