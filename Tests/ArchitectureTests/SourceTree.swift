// SPDX-License-Identifier: MIT
//
// The files of the package as text: what the tests of its architecture read.

import Foundation

/// One file of the package.
struct SourceFile: Sendable {
  /// The path from the package's root.
  let path: String

  /// The lines, without their ends.
  let lines: [String]

  /// The ending of the name, without its dot.
  var kind: String { path.split(separator: ".").last.map { String($0) } ?? "" }

  /// The name of the folder under `Sources` or `Models`: a module.
  var folder: String {
    path.split(separator: "/").prefix(2).joined(separator: "/")
  }

  /// The lines as the compiler sees them: comments and the text of string literals left out.
  var code: [String] { CodeReader().strip(lines) }
}

/// The package as a tree of files.
enum SourceTree {
  /// The package's root, found from this file's place in it.
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Returns the files under some folders, or at some paths, with given endings; all endings unless given.
  static func files(under places: [String], kinds: Set<String>? = nil) -> [SourceFile] {
    places.flatMap { place -> [SourceFile] in
      let url = root.appending(path: place)
      guard let enumerator = FileManager.default.enumerator(atPath: url.path) else {
        return read(place).map { [$0] } ?? []
      }
      let names = enumerator.compactMap { $0 as? String }.sorted()
      return names.compactMap { name in
        let ending = String(name.split(separator: ".").last ?? "")
        guard kinds?.contains(ending) ?? true else { return nil }
        return read(place + "/" + name)
      }
    }
  }

  /// Returns a file, or nil where there is none or where it holds no text.
  static func read(_ path: String) -> SourceFile? {
    guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else {
      return nil
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    if lines.last == "" { lines.removeLast() }
    return SourceFile(path: path, lines: lines)
  }

  /// The Swift files of the package's modules and programs.
  static var modules: [SourceFile] {
    files(under: ["Sources", "Models", "Tutorials"], kinds: ["swift"])
  }

  /// The Swift and C files of the whole package.
  static var allCode: [SourceFile] {
    files(
      under: ["Sources", "Models", "Tests", "Tutorials", "Package.swift"],
      kinds: ["swift", "c", "h"])
  }
}

/// Removes comments and the text of string literals from Swift or C.
struct CodeReader {
  /// Whether a block comment is open at the end of a line.
  private var inComment = false

  /// Whether a literal of several lines is open at the end of a line.
  private var inText = false

  /// Returns the lines with only their code.
  func strip(_ lines: [String]) -> [String] {
    var reader = self
    return lines.map { reader.strip($0) }
  }

  /// Returns the code of the next line.
  private mutating func strip(_ line: String) -> String {
    var code = ""
    var quoted = false
    var rest = Substring(line)
    while let character = rest.first {
      if inComment {
        if rest.hasPrefix("*/") {
          inComment = false
          rest = rest.dropFirst()
        }
      } else if rest.hasPrefix("\"\"\"") {
        inText.toggle()
        rest = rest.dropFirst(3)
        continue
      } else if inText {
        // The text itself: not code.
      } else if quoted {
        if character == "\\" { rest = rest.dropFirst() }
        if character == "\"" { quoted = false }
      } else if character == "\"" {
        quoted = true
      } else if rest.hasPrefix("//") {
        return code
      } else if rest.hasPrefix("/*") {
        inComment = true
      } else {
        code.append(character)
      }
      rest = rest.dropFirst()
    }
    return code
  }
}
