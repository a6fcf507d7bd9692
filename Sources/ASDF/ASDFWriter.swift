// SPDX-License-Identifier: MIT
//
// Writes ASDF files: the tree in YAML, each array in an uncompressed little-endian block with its checksum, the block index.
//
// Source: the ASDF Standard 1.6.0, "Low-level file layout"; schemas core/asdf-1.1.0, core/ndarray-1.1.0.

import Foundation
import Yams

/// Writes trees as ASDF files.
public struct ASDFWriter: Sendable {
  /// The name of the program that writes, for the file's head.
  public var software: String

  /// The version of the program that writes.
  public var version: String

  /// Creates a writer.
  public init(software: String, version: String) {
    self.software = software
    self.version = version
  }

  /// Writes a tree to a file, which is replaced as a whole or not at all.
  ///
  /// - Parameters:
  ///   - tree: The tree: a map.
  ///   - path: The file.
  /// - Throws: ``ASDFError`` of kind `notWritable` with the reason.
  public func write(_ tree: ASDFValue, to path: String) throws(ASDFError) {
    let bytes = try bytes(of: tree)
    do {
      try Data(bytes).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw ASDFError(
        .notWritable, file: path,
        "expected a file that can be written, found: \(error.localizedDescription); check that the folder exists, may be written and is not full"
      )
    }
  }

  /// Encodes a tree.
  ///
  /// - Parameter tree: The tree: a map.
  /// - Returns: The bytes of the file.
  /// - Throws: ``ASDFError`` of kind `badTree` if the tree is no map.
  public func bytes(of tree: ASDFValue) throws(ASDFError) -> [UInt8] {
    guard case .map(let members) = tree.untagged else {
      throw ASDFError(.badTree, "expected a map at the top of the tree, found \(tree)")
    }
    var blocks: [ASDFArray] = []
    let library = Node(
      [
        (key("name"), text(software)), (key("version"), text(version)),
      ], Tag(Tag.Name(rawValue: "!core/software-1.0.0")), .flow)
    let pairs =
      [(key("asdf_library"), library)]
      + members.filter { $0.name != "asdf_library" }.map { member in
        (key(member.name), node(member.value, &blocks))
      }
    let root = Node(pairs, Tag(Tag.Name(rawValue: "!core/asdf-1.1.0")))
    let yaml: String
    do {
      yaml = try serialize(
        node: root, width: -1, allowUnicode: true, explicitStart: true, explicitEnd: true)
    } catch {
      throw ASDFError(.badTree, "expected a tree that YAML can hold, found: \(error)")
    }
    var bytes = Array(
      ("#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n" + yaml).utf8)
    var offsets: [Int] = []
    for array in blocks {
      offsets.append(bytes.count)
      bytes += ASDFBlock.encoded(array.bytes)
    }
    if !offsets.isEmpty {
      let index = offsets.map { "- \($0)\n" }.joined()
      bytes += Array("#ASDF BLOCK INDEX\n%YAML 1.1\n---\n\(index)...\n".utf8)
    }
    return bytes
  }

  // MARK: - Nodes

  /// Returns the node of a value; its arrays are added to the blocks.
  private func node(_ value: ASDFValue, _ blocks: inout [ASDFArray], tag: String? = nil) -> Node {
    let own = tag.map { Tag(Tag.Name(rawValue: Self.shortened($0))) } ?? .implicit
    switch value {
    case .null: return Node("null", own, .plain)
    case .bool(let value): return Node(value ? "true" : "false", own, .plain)
    case .integer(let value): return Node("\(value)", own, .plain)
    case .number(let value): return Node(Self.text(value), own, .plain)
    case .string(let value): return Node(value, own, .doubleQuoted)
    case .list(let list):
      let isPlain = list.allSatisfy { if case .list = $0 { false } else { $0.members == nil } }
      return Node(list.map { node($0, &blocks) }, own, isPlain ? .flow : .block)
    case .map(let members):
      return Node(
        members.map { (key($0.name), node($0.value, &blocks)) }, own, members.isEmpty ? .flow : .any
      )
    case .array(let array):
      blocks.append(array)
      return Node(
        [
          (key("source"), Node("\(blocks.count - 1)")),
          (key("datatype"), Node(array.datatype.rawValue)),
          (key("byteorder"), Node("little")),
          (key("shape"), Node(array.shape.map { Node("\($0)") }, .implicit, .flow)),
        ], Tag(Tag.Name(rawValue: "!core/ndarray-1.1.0")))
    case .tagged(let tag, let value): return node(value, &blocks, tag: tag)
    }
  }

  /// Returns a tag of the standard in its short form, which the head of the file declares.
  private static func shortened(_ tag: String) -> String {
    let prefix = "tag:stsci.edu:asdf/"
    return tag.hasPrefix(prefix) ? "!" + tag.dropFirst(prefix.count) : tag
  }

  /// Returns a text: always in quotes, so that no reader takes it for a number, a date or a truth value.
  private func text(_ value: String) -> Node { Node(value, .implicit, .doubleQuoted) }

  /// Returns the name of a member: bare where no reader can take it for anything else.
  private func key(_ name: String) -> Node {
    let words: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
    let isPlain =
      name.first.map { $0.isASCII && $0.isLetter } ?? false
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "/") }
      && !words.contains(name.lowercased())
    return Node(name, .implicit, isPlain ? .plain : .doubleQuoted)
  }

  /// Returns a number as YAML 1.1 wants it: with a point, and a sign in the exponent.
  static func text(_ x: Double) -> String {
    if x.isNaN { return ".nan" }
    if x.isInfinite { return x < 0 ? "-.inf" : ".inf" }
    let text = "\(x)"
    guard let exponent = text.firstIndex(where: { $0 == "e" }), !text.contains(".") else {
      return text
    }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}
