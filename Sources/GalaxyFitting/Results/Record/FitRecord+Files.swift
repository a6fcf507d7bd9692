// SPDX-License-Identifier: MIT
//
// Records in files: one ASDF, FITS or JSON file that holds everything, or the folder of the command; and read back.

import ASDF
import FITS
import GalaxyModels
import Inference
import JSON

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension FitOutcome {
  /// Writes everything to one file: ASDF, FITS or JSON, by the ending of its name.
  ///
  /// ``FitRecord/init(contentsOf:)`` reads the same record back from each of them.
  ///
  /// - Parameter path: The file, which ends in `.asdf`, `.fits` or `.json`; it is replaced as a whole or not at all.
  /// - Throws: ``FitRecordError``, `ASDFError`, `FITSError` or `JSONFileError` where it cannot be written.
  public func save(to path: String) throws {
    let record = record
    switch RecordFormat(path) {
    case .asdf:
      try ASDFWriter(software: "swift-sersic", version: record.report.provenance.version)
        .write(record.asdf, to: path)
    case .fits: try record.writeFITS(to: path)
    case .json: try record.wholeJSON.write(to: path)
    case nil:
      throw FitRecordError(
        file: path, "",
        "expected a name that ends in .asdf, .fits or .json, found another; change the name")
    }
  }
}

extension FitRecord {
  /// Reads a record from a file that ``FitOutcome/save(to:)`` wrote, or from files that `sersic fit` wrote.
  ///
  /// A folder, and a `result.json` without draws and pixels, are completed from the files beside it: `posterior.asdf`, or
  /// `model.fits`; what is missing then is missing in the record.
  ///
  /// - Parameter path: An ASDF, FITS or JSON file, or a folder.
  /// - Throws: ``FitRecordError``, `ASDFError`, `FITSError`, `JSONFileError` or `DrawsError`, each with the file and the place.
  public init(contentsOf path: String) throws {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    switch FileKind(trimmed) {
    case .absent:
      throw FitRecordError(
        file: path, "",
        "expected a file or folder with a result, found none of this name; check the spelling")
    case .folder: try self.init(folder: trimmed)
    case .file:
      switch RecordFormat(trimmed) {
      case .asdf:
        self = try Self.located(trimmed) { try FitRecord(asdf: try ASDFReader.read(trimmed)) }
      case .fits: self = try Self.located(trimmed) { try FitRecord(fits: trimmed) }
      case .json: self = try Self.located(trimmed) { try Self.completed(trimmed) }
      case nil:
        throw FitRecordError(
          file: path, "",
          "expected result.json, posterior.asdf, another .json, .asdf or .fits file that was saved, or a folder; found another name"
        )
      }
    }
  }

  /// Reads what a folder holds.
  private init(folder: String) throws {
    for name in ["posterior.asdf", "result.json"] where FileKind("\(folder)/\(name)") == .file {
      try self.init(contentsOf: "\(folder)/\(name)")
      return
    }
    throw FitRecordError(
      file: folder, "",
      "expected posterior.asdf or result.json in the folder, found neither; give the folder that sersic fit --output named"
    )
  }

  /// Reads a JSON document, and what it lacks from the files beside it.
  private static func completed(_ path: String) throws -> FitRecord {
    let record = try FitRecord(json: JSONValue(contentsOf: path))
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let joint = record.joint
    var (draws, pixels) = (record.draws, record.pixels)
    let posterior = "\(folder)/posterior.asdf"
    if record.report.posterior != nil, draws == nil || pixels == nil, FileKind(posterior) == .file {
      let other = try located(posterior) { try FitRecord(asdf: try ASDFReader.read(posterior)) }
      // Files of another fit, left from before, are not those of this one.
      if other.report == record.report {
        draws = draws ?? other.draws
        pixels = pixels ?? other.pixels
      }
    }
    let model = "\(folder)/model.fits"
    if pixels == nil, joint == nil, FileKind(model) == .file {
      pixels = try located(model) { try FittedPixels(modelFile: model, record.report) }
    }
    return FitRecord(record.report, draws: draws, pixels: pixels, joint: joint)
  }

  /// Returns the records of the bands of a joint fit, from their folders beside its files.
  ///
  /// - Parameter path: Where this record was read from: the folder of `sersic bands`, or a file in it.
  /// - Returns: The records, in the order of the bands; none for a fit of one image.
  /// - Throws: ``FitRecordError`` where a folder is missing or holds another fit, and what reading it throws.
  public func bandRecords(at path: String) throws -> [FitRecord] {
    guard let joint else { return [] }
    var folder = path
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    if FileKind(folder) != .folder {
      let file = folder
      folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
    }
    var records: [FitRecord] = []
    for row in joint.rows {
      let own = "\(folder)/\(row.name)"
      guard FileKind(own) == .folder else {
        throw FitRecordError(
          file: own, "",
          "expected the folder of the band, with its pixels, found none; give the folder that sersic bands --output named"
        )
      }
      let record = try FitRecord(contentsOf: own)
      let search = record.report.search
      guard FitRecord.isSame([search.chiSquared], [row.chiSquared]),
        search.pixelCount == row.pixelCount
      else {
        throw FitRecordError(
          file: own, "fit/chi2",
          "expected \(row.chiSquared) for \(row.pixelCount) pixels, as the joint fit has it, found \(search.chiSquared) for \(search.pixelCount): a file of another fit; run sersic bands again"
        )
      }
      records.append(record)
    }
    return records
  }

  /// Runs a reader, and names the file in its errors.
  private static func located<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch var error as FitRecordError {
      if error.file.isEmpty { error.file = path }
      throw error
    } catch let error as DrawsError {
      throw FitRecordError(file: path, error.location, error.explanation)
    }
  }
}

/// The formats of files of records.
private enum RecordFormat {
  case asdf
  case fits
  case json

  /// The format that the ending of a name stands for; nil for another.
  init?(_ path: String) {
    let name = path.lowercased()
    if name.hasSuffix(".asdf") {
      self = .asdf
    } else if [".fits", ".fit", ".fits.gz", ".fits.fz"].contains(where: name.hasSuffix) {
      self = .fits
    } else if name.hasSuffix(".json") {
      self = .json
    } else {
      return nil
    }
  }
}

/// What a path leads to.
private enum FileKind {
  case absent
  case folder
  case file

  /// Looks at a path.
  init(_ path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else {
      self = .absent
      return
    }
    self = info.st_mode & S_IFMT == S_IFDIR ? .folder : .file
  }
}
