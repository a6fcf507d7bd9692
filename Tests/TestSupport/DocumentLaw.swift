// SPDX-License-Identifier: MIT
//
// The law of documents: the Swift that they show stands, line by line, in a file that is compiled.

internal import Foundation
public import Testing

/// Checks that the lines of every Swift block of a document occur, in order, in one of some source files.
///
/// - Parameters:
///   - document: The document's path from the package's root.
///   - sources: The paths of the Swift files.
///   - least: The number of blocks that there must be, so that a reader of blocks that finds none is noticed.
///   - sourceLocation: The place of the check.
/// - Throws: What reading the files throws.
public func checkSwiftBlocks(
  of document: String, in sources: [String], atLeast least: Int,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let blocks = swiftBlocks(try lines(document))
  let files = try sources.map(lines)
  #expect(blocks.count >= least, "\(document) should show Swift", sourceLocation: sourceLocation)
  for block in blocks {
    /// Returns the first line of the block that a file does not have in its place; nil where it has all.
    func missing(_ code: [String]) -> String? {
      var rest = code[...]
      for line in block {
        guard let place = rest.firstIndex(of: line) else { return line }
        rest = rest[(place + 1)...]
      }
      return nil
    }
    let gaps = files.map(missing)
    #expect(
      gaps.contains(nil),
      "\(document): \(gaps.compactMap { $0 }) are not compiled, or not in this order",
      sourceLocation: sourceLocation)
  }
}

/// Returns the lines of a text file without the spaces around them, and without empty ones.
private func lines(_ path: String) throws -> [String] {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
  return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    .filter { !$0.isEmpty }
}

/// Returns the Swift blocks of a document, line by line.
private func swiftBlocks(_ lines: [String]) -> [[String]] {
  var blocks: [[String]] = []
  var isInside = false
  for line in lines {
    if line == "```swift" {
      isInside = true
      blocks.append([])
    } else if line.hasPrefix("```") {
      isInside = false
    } else if isInside {
      blocks[blocks.count - 1].append(line)
    }
  }
  return blocks
}
