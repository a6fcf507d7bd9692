// SPDX-License-Identifier: MIT
//
// Reading a catalogue: text or a FITS table, with columns under the names that other programs give them.

public import GalaxyModels

extension SourceCatalog {
  /// Reads a catalogue.
  ///
  /// Columns, capitals or not: position `x`, `y` (also `xc`, `xcentroid`; SExtractor's `X_IMAGE`, counted from 1), `flux`
  /// (`FLUX_AUTO`, `kron_flux`, …), half-light radius in pixels `r` (`r_eff`, `FLUX_RADIUS`; `A_IMAGE` and
  /// `semimajor_sigma` as moments), and if there are any `type` (a profile), `ellip`, `theta` (from +y in radians;
  /// `THETA_IMAGE` and `orientation` in degrees from +x). Other columns are left alone.
  ///
  /// - Parameters:
  ///   - path: A FITS file with a table; or text, its cells separated by commas, semicolons, tabs or blanks, its names in the first
  ///     line or in lines with # above the rows: CSV, ECSV, SExtractor's ASCII_HEAD, what numpy and TOPCAT write.
  ///   - profile: The profile of sources whose type is not given.
  ///   - origin: The first pixel of the image in the frame of the catalogue, for a catalogue of a larger image.
  /// - Throws: ``OptionError`` or `FITSError` that name file, column and row.
  public init(
    reading path: String, profile: GalaxyProfile = .sersic,
    origin: ImagePoint = ImagePoint(x: 0, y: 0)
  ) throws {
    let table = try CatalogTable.read(path)
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
}
