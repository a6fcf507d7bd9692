// SPDX-License-Identifier: MIT
//
// The options that `sersic summary` and `sersic plot` share: results, parameters, calibration.

import ArgumentParser
import GalaxyFitting

/// Which results, and how their numbers are counted.
struct RecordOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Folders of sersic fit, multi, galfit or bands, their result.json or posterior.asdf, or files that save(to:) wrote (.asdf, .fits, .json).",
      valueName: "result"))
  var results: [String]

  @Option(
    help: ArgumentHelp(
      "The parameters and derived quantities, with commas between them. (default: all; in pictures the fitted parameters)",
      valueName: "name,…"))
  var parameters: String?

  @Option(
    name: .customLong("zero-point"), parsing: .unconditional,
    help: "The magnitude of one image unit of flux. (default: that of the fit)")
  var zeroPoint: Double?

  @Option(
    name: .customLong("pixel-scale"), parsing: .unconditional,
    help: "The side of a pixel in arcseconds. (default: that of the image's header)")
  var pixelScale: Double?

  /// Returns what is asked of the results.
  ///
  /// - Throws: `OptionError` that names the option.
  func request() throws -> RecordRequest {
    var request = RecordRequest()
    request.parameters = try parameters.map { try names($0, "--parameters") }
    if let zeroPoint, !zeroPoint.isFinite {
      throw OptionError("--zero-point", "expected a finite number, found \(zeroPoint)")
    }
    if let pixelScale, !(pixelScale > 0 && pixelScale.isFinite) {
      throw OptionError("--pixel-scale", "expected a number > 0, found \(pixelScale)")
    }
    request.calibration = Calibration(zeroPoint: zeroPoint, pixelScale: pixelScale)
    return request
  }

  /// Reads the results.
  ///
  /// - Throws: `OptionError` for a calibration of a joint fit, and what reading throws.
  func records(_ request: RecordRequest) throws -> [FitRecord] {
    let records = try results.map { try FitRecord(contentsOf: $0) }
    for (path, record) in zip(results, records)
    where !record.bandNames.isEmpty && request.calibration != Calibration() {
      throw OptionError(
        zeroPoint != nil ? "--zero-point" : "--pixel-scale",
        "expected none for \(path), a joint fit, whose bands have each their own, found one; give it with the folder of a band, such as \(record.bandNames[0])"
      )
    }
    return records
  }

  /// Returns the names in a text with commas.
  func names(_ text: String, _ option: String) throws -> [String] {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " })
    }
    guard !names.contains("") else {
      throw OptionError(option, "expected names with commas between them, found \"\(text)\"")
    }
    return names
  }
}
