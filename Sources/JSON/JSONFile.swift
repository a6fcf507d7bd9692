// SPDX-License-Identifier: MIT
//
// JSON documents in files.

import Foundation

/// A JSON file that cannot be read or written.
public struct JSONFileError: Error, Sendable, CustomStringConvertible {
  /// The file.
  public let file: String

  /// What was expected, what was found, and what to do.
  public let explanation: String

  public var description: String { "\(file): \(explanation)" }
}

extension JSONValue {
  /// Writes the document to a file, which is replaced as a whole or not at all.
  ///
  /// - Parameter path: The file.
  /// - Throws: ``JSONFileError`` with the reason.
  public func write(to path: String) throws(JSONFileError) {
    do {
      try Data((text + "\n").utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw JSONFileError(
        file: path,
        explanation:
          "expected a file that can be written, found: \(error.localizedDescription); check that the folder exists, may be written and is not full"
      )
    }
  }

  /// Reads a document from a file.
  ///
  /// - Parameter path: The file.
  /// - Throws: ``JSONFileError`` if the file cannot be read or is not JSON, with the line.
  public init(contentsOf path: String) throws(JSONFileError) {
    let text: String
    do {
      text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
    } catch {
      throw JSONFileError(
        file: path,
        explanation:
          "expected a file in UTF-8 that can be read, found: \(error.localizedDescription)")
    }
    do throws(JSONError) {
      self = try JSONValue(reading: text)
    } catch {
      throw JSONFileError(file: path, explanation: "expected a JSON document, found: \(error)")
    }
  }
}
