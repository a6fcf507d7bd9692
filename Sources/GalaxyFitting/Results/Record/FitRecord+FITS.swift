// SPDX-License-Identifier: MIT
//
// A record as a FITS file: images, a table of parameters, a table of draws, and the report as lines of JSON; and back.

import ASDF
import FITS
import GalaxyModels
import Inference
import JSON
import Rendering

extension FitRecord {
  /// Writes the record as a FITS file.
  ///
  /// HDUs: the images DATA, RMS, MASK, MODEL, and PSF where there is one (if the record has pixels); the tables PARAMETERS (a
  /// row to each parameter and derived quantity), DRAWS (a row to each draw, chain after chain), and RESULT: `result.json`
  /// in lines, whose letters beyond ASCII are escaped, with the sampler's account of its run.
  func writeFITS(to path: String) throws {
    var images = [FITSOutputImage(name: "", cards: report.provenanceCards)]
    if let pixels {
      images += pixels.frames
      if let psf = pixels.image.psf {
        images.append(
          FITSOutputImage(name: "PSF", width: psf.width, height: psf.height, values: psf.values))
      }
    }
    var tables = [parameterTable]
    if let draws { tables.append(Self.table(draws)) }
    var document = resultMembers
    if let draws { document.append(JSONValue.Member(name: "draws", value: Self.account(draws))) }
    let lines = JSONValue.object(document).text.split(separator: "\n").map {
      Self.escaped(String($0))
    }
    tables.append(
      FITSOutputTable(
        name: "RESULT", rows: lines.count,
        columns: [FITSOutputTable.Column("JSON", .strings(lines))]))
    try FITSWriter.write(images, tables: tables, to: path)
  }

  /// Reads a record from a FITS file.
  ///
  /// - Throws: `FITSError` where an HDU is missing, ``FitRecordError`` where one is not as expected.
  init(fits path: String) throws {
    let lines = try FITSTable(reading: "\(path)[RESULT]").strings("JSON")
    let document: JSONValue
    do throws(JSONError) {
      document = try JSONValue(reading: lines.joined(separator: "\n"))
    } catch {
      throw FitRecordError("RESULT", "expected lines of a JSON document, found: \(error)")
    }
    let report = try FitReport(json: document)
    var draws: Draws?
    if let account = document["draws"] {
      draws = try Self.draws(FITSTable(reading: "\(path)[DRAWS]"), account)
    }
    let joint = try BandsReport(JSONPlace(document))
    var pixels: FittedPixels?
    if joint == nil { pixels = try FittedPixels(modelFile: path, report) }
    self.init(report, draws: draws, pixels: pixels, joint: joint)
  }

  // MARK: - Tables

  /// The table of parameters and derived quantities.
  private var parameterTable: FITSOutputTable {
    typealias Column = FITSOutputTable.Column
    let all = report.parameters + report.derived
    let quantiles = ParameterSummary.probabilities.enumerated().map { k, probability in
      Column(
        probability.name.uppercased(),
        .numbers(all.map { $0.quantiles.indices.contains(k) ? $0.quantiles[k] : .nan }))
    }
    let columns =
      [
        Column("NAME", .strings(all.map(\.name))),
        Column("UNIT", .strings(all.map { $0.unit.replacing("²", with: "2") })),
        Column("FIXED", .logicals(all.map(\.isFixed))),
        Column("MAP", .numbers(all.map(\.map))),
        Column("MEAN", .numbers(all.map { $0.mean ?? .nan })),
        Column("SD", .numbers(all.map { $0.standardDeviation ?? .nan })),
      ] + quantiles + [
        Column("ESS_BULK", .numbers(all.map { $0.bulkESS ?? .nan })),
        Column("ESS_TAIL", .numbers(all.map { $0.tailESS ?? .nan })),
        Column("R_HAT", .numbers(all.map { $0.rHat ?? .nan })),
      ]
    return FITSOutputTable(name: "PARAMETERS", rows: all.count, columns: columns)
  }

  /// Returns the table of draws: chain, number of the draw, sites, then what the sampler told of each draw.
  private static func table(_ draws: Draws) -> FITSOutputTable {
    typealias Column = FITSOutputTable.Column
    let rows = draws.count
    var columns = [
      Column("CHAIN", .integers((0..<rows).map { $0 / max(1, draws.draws) })),
      Column("DRAW", .integers((0..<rows).map { $0 % max(1, draws.draws) })),
    ]
    for site in draws.sites {
      columns.append(
        Column(
          site.name, .numbers(site.values),
          elementsPerRow: max(1, site.shape.reduce(1, *))))
    }
    for member in draws.asdf["sample_stats"]?.members ?? [] {
      guard let array = member.value.array, array.shape == [draws.chains, draws.draws] else {
        continue
      }
      let values: Column.Values
      if let integers = array.integers {
        values =
          array.datatype == .bool8 ? .logicals(integers.map { $0 != 0 }) : .integers(integers)
      } else {
        values = .numbers(array.doubles)
      }
      columns.append(Column("stat_" + member.name, values))
    }
    return FITSOutputTable(name: "DRAWS", rows: rows, columns: columns)
  }

  /// Returns what a table of draws does not say: chains, shapes, periods, the run as a whole.
  private static func account(_ draws: Draws) -> JSONValue {
    var members: [JSONValue.Member] = [
      JSONValue.Member(name: "chains", value: .integer(draws.chains)),
      JSONValue.Member(name: "draws", value: .integer(draws.draws)),
      JSONValue.Member(
        name: "shapes",
        value: .object(
          draws.sites.map { site in
            JSONValue.Member(name: site.name, value: .array(site.shape.map { .integer($0) }))
          })),
    ]
    let whole = draws.json
    for name in ["periods", "sampler"] {
      if let value = whole[name] { members.append(JSONValue.Member(name: name, value: value)) }
    }
    return .object(members)
  }

  /// Reads draws from their table and the account of their run.
  private static func draws(_ table: FITSTable, _ account: JSONValue) throws -> Draws {
    let place = JSONPlace(account, "RESULT/draws")
    let chains = try place.member("chains").integer()
    let length = try place.member("draws").integer()
    guard table.rowCount == chains * length, chains >= 0, length >= 0 else {
      throw FitRecordError(
        "DRAWS", "expected \(chains) chains of \(length) draws, found \(table.rowCount) rows")
    }
    /// Returns numbers as nested lists `[chains, draws, …]` of a document.
    func nested(_ values: [Double], _ shape: ArraySlice<Int>) -> JSONValue {
      guard let extent = shape.first else { return .number(values[0]) }
      let size = values.count / max(1, extent)
      return .array(
        (0..<extent).map {
          nested(Array(values[($0 * size)..<(($0 + 1) * size)]), shape.dropFirst())
        })
    }
    var sites: [JSONValue.Member] = []
    for (name, shape) in try place.member("shapes").members() {
      let extents = try shape.elements().map { try $0.integer() }
      sites.append(
        JSONValue.Member(
          name: name, value: nested(try table.numbers(name), ([chains, length] + extents)[...])))
    }
    var document = [JSONValue.Member(name: "posterior", value: .object(sites))]
    var stats: [JSONValue.Member] = []
    for column in table.columns where column.name.hasPrefix("stat_") {
      guard case .numbers(let values) = column.values else { continue }
      stats.append(
        JSONValue.Member(
          name: String(column.name.dropFirst(5)), value: nested(values, [chains, length])))
    }
    if account["sampler"] != nil || !stats.isEmpty {
      document.append(JSONValue.Member(name: "sample_stats", value: .object(stats)))
    }
    for name in ["periods", "sampler"] {
      if let value = account[name] { document.append(JSONValue.Member(name: name, value: value)) }
    }
    return try Draws(json: .object(document))
  }

  /// Returns a line of JSON in ASCII: other letters are escaped.
  private static func escaped(_ line: String) -> String {
    line.utf16.map { unit in
      (32..<127).contains(unit)
        ? String(UnicodeScalar(UInt8(unit)))
        : "\\u" + String(repeating: "0", count: 4 - String(unit, radix: 16).count)
          + String(unit, radix: 16)
    }.joined()
  }
}

extension FittedPixels {
  /// The HDUs DATA, RMS, MASK and MODEL, with the world coordinates of the input.
  var frames: [FITSOutputImage] {
    [
      frame("DATA", data), frame("RMS", image.rms),
      FITSOutputImage(
        name: "MASK", width: image.width, height: image.height, mask: image.mask,
        cards: image.header.worldCoordinates),
      frame("MODEL", model),
    ]
  }

  /// Returns an image of the frame's size with the world coordinates of the input.
  func frame(_ name: String, _ values: [Double]) -> FITSOutputImage {
    FITSOutputImage(
      name: name, width: image.width, height: image.height, values: values,
      cards: image.header.worldCoordinates)
  }

  /// Reads pixels from a file with DATA, RMS, MASK and MODEL, and PSF where the report has one; nil where there is no DATA.
  ///
  /// - Throws: `FITSError` where an HDU is missing, ``FitRecordError`` where a size is not that of the report.
  init?(modelFile path: String, _ report: FitReport) throws {
    /// Reads an image that must have a size.
    func image(_ name: String, _ width: Int, _ height: Int) throws -> [Double] {
      let image = try FITSImage(reading: "\(path)[\(name)]")
      guard image.width == width, image.height == height else {
        throw FitRecordError(
          file: path, name,
          "expected \(width) × \(height) pixels, found \(image.width) × \(image.height)")
      }
      return image.values
    }
    let (width, height) = (report.image.width, report.image.height)
    let data: [Double]
    do {
      data = try image("DATA", width, height)
    } catch let error as FITSError where error.kind == .noSuchHDU {
      return nil
    }
    var arrays = [
      "image": data.map { $0.isNaN ? 0 : $0 }, "missing": data.map { $0.isNaN ? 1 : 0 },
      "rms": try image("RMS", width, height), "mask": try image("MASK", width, height),
    ]
    if let psf = report.image.psf { arrays["psf"] = try image("PSF", psf.width, psf.height) }
    self.init(arrays, model: try image("MODEL", width, height), report)
  }
}
