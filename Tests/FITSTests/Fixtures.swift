// SPDX-License-Identifier: MIT
//
// What the tests of FITS share: the golden files, a scratch folder, and the kind of the error a call throws.

import FITS
import Foundation
import Testing

/// Pixels recorded by astropy for one file.
struct GoldenImage: Decodable {
  /// The rows, nil where the pixel is NaN.
  let rows: [[Double?]]

  /// The pixels, row by row.
  var values: [Double] { rows.flatMap { $0.map { $0 ?? .nan } } }
}

/// Paths and contents of the golden files.
enum Golden {
  /// The path of a golden file.
  static func path(_ name: String) -> String {
    Bundle.module.bundlePath + "/Golden/" + name
  }

  /// The pixels that a file must give.
  static func image(_ name: String) throws -> GoldenImage {
    let data = try Data(contentsOf: URL(fileURLWithPath: path("golden.json")))
    let any = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let entry = try #require(any?[name])
    return try JSONDecoder().decode(
      GoldenImage.self, from: JSONSerialization.data(withJSONObject: entry))
  }
}

/// A folder of its own for one test, removed afterwards.
final class Scratch {
  /// The path of the folder.
  let path: String

  /// Creates the folder.
  init() throws {
    path = NSTemporaryDirectory() + "/fits-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The names of the files in the folder, hidden ones too.
  var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

/// Returns whether two arrays hold the same bits, any NaN being equal to any other.
func areIdentical(_ a: [Double], _ b: [Double]) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { ($0.isNaN && $1.isNaN) || $0.bitPattern == $1.bitPattern }
}

/// Returns the error that the body throws.
func failure(_ body: () throws(FITSError) -> Void) -> FITSError? {
  do throws(FITSError) {
    try body()
    return nil
  } catch {
    return error
  }
}
