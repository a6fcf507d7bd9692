// SPDX-License-Identifier: MIT
//
// Draws in files: ASDF, which Python's asdf opens, and JSON.

import ASDF
import JSON

extension Draws {
  /// Writes the draws to an ASDF file, or to a JSON file if the name ends in `.json`.
  ///
  /// The file has ArviZ's groups: in Python, `arviz.from_dict(posterior=file["posterior"], sample_stats=file["sample_stats"])`.
  ///
  /// - Parameter path: The file; it is replaced as a whole or not at all.
  /// - Throws: `ASDFError` or `JSONFileError` if it cannot be written.
  public func save(to path: String) throws {
    if path.hasSuffix(".json") {
      try json.write(to: path)
    } else {
      try ASDFWriter(software: "swift-sersic", version: "1").write(asdf, to: path)
    }
  }

  /// Reads draws from an ASDF file, or from a JSON file if the name ends in `.json`.
  ///
  /// - Parameter path: The file.
  /// - Throws: `ASDFError` or `JSONFileError` if it cannot be read, ``DrawsError`` if it holds no draws.
  public init(contentsOf path: String) throws {
    if path.hasSuffix(".json") {
      try self.init(json: JSONValue(contentsOf: path))
    } else {
      try self.init(asdf: ASDFReader.read(path))
    }
  }
}
