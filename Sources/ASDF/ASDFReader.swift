// SPDX-License-Identifier: MIT
//
// Reads ASDF files: the tree, and arrays from uncompressed internal blocks or from the tree itself.
//
// Source: the ASDF Standard 1.6.0, "Low-level file layout"; schema core/ndarray-1.1.0.

import Foundation
import Yams

/// Reads ASDF files.
public enum ASDFReader {
  /// Reads the tree of a file, its arrays with their elements.
  ///
  /// - Parameter path: The file.
  /// - Returns: The tree.
  /// - Throws: ``ASDFError`` with the place in the file.
  public static func read(_ path: String) throws(ASDFError) -> ASDFValue {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw ASDFError(
        .notReadable, file: path,
        "expected a file that can be read, found: \(error.localizedDescription)")
    }
    do throws(ASDFError) {
      return try tree(of: Array(data))
    } catch {
      var named = error
      named.file = path
      throw named
    }
  }

  /// Reads the tree of a file from its bytes.
  ///
  /// - Parameter bytes: The file.
  /// - Returns: The tree.
  /// - Throws: ``ASDFError`` with the place in the file.
  public static func tree(of bytes: [UInt8]) throws(ASDFError) -> ASDFValue {
    guard bytes.starts(with: Array("#ASDF ".utf8)) else {
      let line = String(decoding: bytes.prefix { $0 != 10 }.prefix(30), as: UTF8.self)
      throw ASDFError(
        .notASDF, at: "line 1",
        "expected \"#ASDF 1.0.0\", found \"\(line)\": this is not an ASDF file"
      )
    }
    let end = try endOfTree(bytes)
    let blocks = try ASDFBlock.all(in: bytes, from: end)
    guard let yaml = String(validating: bytes[..<end], as: UTF8.self) else {
      throw ASDFError(.badTree, "expected a tree in UTF-8, found other bytes")
    }
    let root: Node?
    do {
      root = try compose(yaml: yaml, strictResolver())
    } catch {
      throw ASDFError(.badTree, "expected a tree in YAML, found: \(error)")
    }
    // A file may hold blocks alone.
    guard let root else { return .map([]) }
    return try TreeReader(bytes: bytes, blocks: blocks).value(root, [])
  }

  /// Returns the rules by which bare words become values: those of YAML 1.1, in which a number has a point.
  ///
  /// The parser's own rules take 1e5 for a number, which Python writes for a text.
  private static func strictResolver() throws -> Resolver {
    try Resolver.default.replacing(
      .float,
      with:
        #"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"#
        + #"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"#
    )
  }

  /// Returns where the tree ends: after the line "...", or where the first block begins in a file without a tree.
  private static func endOfTree(_ bytes: [UInt8]) throws(ASDFError) -> Int {
    var (start, hasTree) = (0, false)
    while start < bytes.count && !bytes[start...].starts(with: ASDFBlock.magic) {
      let end = bytes[start...].firstIndex(of: 10) ?? bytes.count - 1
      let line = bytes[start...end].filter { $0 != 10 && $0 != 13 }
      if line == Array("...".utf8) { return end + 1 }
      if line.starts(with: Array("%YAML".utf8)) || line.starts(with: Array("---".utf8)) {
        hasTree = true
      }
      start = end + 1
    }
    guard !hasTree && start < bytes.count else {
      throw ASDFError(
        .truncated,
        "expected the line \"...\" at the end of the tree, found none; copy the file again")
    }
    return start
  }
}

/// Turns the nodes of a YAML document into a tree.
private struct TreeReader {
  /// The file.
  let bytes: [UInt8]
  /// Its blocks.
  let blocks: [ASDFBlock]

  /// The beginning of the tags of arrays, whatever their version.
  private static let arrayTag = "tag:stsci.edu:asdf/core/ndarray-"

  /// Returns the value of a node.
  func value(_ node: Node, _ path: [String]) throws(ASDFError) -> ASDFValue {
    let tag = node.tag.description
    if tag.hasPrefix(Self.arrayTag) { return .array(try array(node, path)) }
    let plain: ASDFValue
    switch node {
    case .scalar(let scalar): plain = try self.scalar(scalar, path)
    case .sequence(let sequence):
      var list: [ASDFValue] = []
      for (index, element) in sequence.enumerated() {
        list.append(try value(element, path + ["\(index)"]))
      }
      plain = .list(list)
    case .mapping(let mapping):
      var members: [ASDFValue.Member] = []
      for (key, element) in mapping {
        let name = key.scalar?.string ?? "?"
        members.append(ASDFValue.Member(name, try value(element, path + [name])))
      }
      plain = .map(members)
    case .alias:
      throw error(.badTree, node, path, "expected a value, found a reference to nothing")
    }
    return tag.hasPrefix("tag:yaml.org,2002:") ? plain : .tagged(tag, plain)
  }

  /// Returns the value of a scalar, by the rules of YAML 1.1; of a tagged one, its text.
  private func scalar(_ scalar: Node.Scalar, _ path: [String]) throws(ASDFError) -> ASDFValue {
    let node = Node.scalar(scalar)
    switch node.tag {
    case Tag(.null): return .null
    case Tag(.bool): return node.bool.map { .bool($0) } ?? .string(scalar.string)
    case Tag(.int):
      // A whole number that does not fit is still a number.
      if let integer = node.int { return .integer(integer) }
      return node.float.map { .number($0) } ?? .string(scalar.string)
    case Tag(.float): return node.float.map { .number($0) } ?? .string(scalar.string)
    default: return .string(scalar.string)
    }
  }

  /// Returns an error at a node.
  private func error(
    _ kind: ASDFError.Kind, _ node: Node, _ path: [String], _ explanation: String
  ) -> ASDFError {
    let line = node.mark.map { " (line \($0.line))" } ?? ""
    return ASDFError(kind, at: path.joined(separator: "/") + line, explanation)
  }

  // MARK: - Arrays

  /// Returns the array of a node.
  private func array(_ node: Node, _ path: [String]) throws(ASDFError) -> ASDFArray {
    guard case .mapping(let mapping) = node else { return try inline(node, nil, path) }
    if mapping["mask"] != nil {
      throw error(.unsupported, node, path, "expected an array without mask, found one with")
    }
    let datatype = try self.datatype(mapping["datatype"], node, path)
    if let data = mapping["data"] { return try inline(data, datatype, path) }
    guard let source = mapping["source"]?.int else {
      throw error(
        .unsupported, node, path,
        "expected the number of a block of this file as source, found \(mapping["source"]?.string ?? "none"); write the file with all data inside"
      )
    }
    guard let datatype else {
      throw error(.badArray, node, path, "expected a datatype, found none")
    }
    guard blocks.indices.contains(source < 0 ? blocks.count + source : source) else {
      throw error(
        .badArray, node, path, "expected one of \(blocks.count) blocks, found block \(source)")
    }
    let block = blocks[source < 0 ? blocks.count + source : source]
    guard block.compression.isEmpty else {
      throw error(
        .unsupported, node, path,
        "expected an uncompressed block, found compression \"\(block.compression)\"; write the file without compression (in Python, all_array_compression=None)"
      )
    }
    let offset = mapping["offset"]?.int ?? 0
    let shape = try self.shape(mapping["shape"], datatype, offset, block, node, path)
    let strides = mapping["strides"]?.sequence.map { $0.compactMap(\.int) }
    let order = mapping["byteorder"]?.string ?? "big"
    guard order == "big" || order == "little" else {
      throw error(.badArray, node, path, "expected byteorder big or little, found \"\(order)\"")
    }
    let steps = strides ?? Self.contiguous(shape, datatype.size)
    guard steps.count == shape.count, fits(shape, steps, offset, datatype.size, block) else {
      throw error(
        .badArray, node, path,
        "expected an array inside its block of \(block.range.count) bytes, found shape \(shape), offset \(offset), strides \(steps)"
      )
    }
    guard
      let array = ASDFArray.read(
        datatype, shape: shape, bytes[block.range], offset: offset, strides: steps,
        isBig: order == "big")
    else {
      throw error(.unsupported, node, path, "expected whole numbers below 2^63, found larger ones")
    }
    return array
  }

  /// Returns the type of an array, or nil where none is given.
  private func datatype(
    _ given: Node?, _ node: Node, _ path: [String]
  ) throws(ASDFError) -> ASDFArray.Datatype? {
    guard let given else { return nil }
    guard let name = given.scalar?.string, let datatype = ASDFArray.Datatype(rawValue: name) else {
      throw error(
        .unsupported, node, path,
        "expected one of the datatypes \(ASDFArray.Datatype.allCases.map(\.rawValue).joined(separator: ", ")), found \(given.scalar?.string ?? "a structured one")"
      )
    }
    return datatype
  }

  /// Returns the extents of an array; a star stands for as many as the block holds.
  private func shape(
    _ given: Node?, _ datatype: ASDFArray.Datatype, _ offset: Int, _ block: ASDFBlock, _ node: Node,
    _ path: [String]
  ) throws(ASDFError) -> [Int] {
    let list = given?.sequence.map { Array($0) } ?? []
    var shape: [Int] = []
    for (axis, extent) in list.enumerated() {
      if axis == 0, extent.scalar?.string == "*" {
        let row = list.dropFirst().compactMap(\.int).reduce(datatype.size, *)
        shape.append(max(0, block.range.count - offset) / max(1, row))
      } else if let value = extent.int, value >= 0 {
        shape.append(value)
      } else {
        throw error(
          .badArray, node, path,
          "expected extents as whole numbers, found \"\(extent.scalar?.string ?? "a list")\"")
      }
    }
    guard given?.sequence != nil else {
      throw error(.badArray, node, path, "expected the shape of an array, found none")
    }
    return shape
  }

  /// Returns the strides of an array without gaps, in bytes.
  private static func contiguous(_ shape: [Int], _ size: Int) -> [Int] {
    var strides = [Int](repeating: size, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      // An impossible extent must not overflow; the check of the places finds it.
      strides[axis] =
        strides[axis + 1].multipliedReportingOverflow(by: shape[axis + 1]).partialValue
    }
    return strides
  }

  /// Returns whether all elements of an array lie inside its block.
  private func fits(
    _ shape: [Int], _ strides: [Int], _ offset: Int, _ size: Int, _ block: ASDFBlock
  ) -> Bool {
    var (low, high, count) = (offset, offset, 1)
    for (extent, stride) in zip(shape, strides) {
      let total = count.multipliedReportingOverflow(by: max(1, extent))
      let reach = stride.multipliedReportingOverflow(by: max(0, extent - 1))
      // No array has more elements than a thousand times its block's bytes, whatever its strides.
      guard !total.overflow, !reach.overflow, abs(reach.partialValue) <= block.range.count,
        total.partialValue / 1000 <= block.range.count
      else { return false }
      count = total.partialValue
      if reach.partialValue < 0 { low += reach.partialValue } else { high += reach.partialValue }
    }
    if shape.contains(0) { return true }
    return low >= 0 && high + size <= block.range.count
  }

  /// Returns an array whose elements stand in the tree.
  private func inline(
    _ node: Node, _ datatype: ASDFArray.Datatype?, _ path: [String]
  ) throws(ASDFError) -> ASDFArray {
    var shape: [Int] = []
    var level: Node? = node
    while case .sequence(let sequence)? = level {
      shape.append(sequence.count)
      level = sequence.first
    }
    var leaves: [ASDFValue] = []
    try collect(node, shape[...], path, into: &leaves)
    let integers = leaves.compactMap { leaf -> Int64? in
      switch leaf {
      case .integer(let value): Int64(value)
      case .bool(let value): value ? 1 : 0
      default: nil
      }
    }
    let areWhole = integers.count == leaves.count && !(datatype?.isFloating ?? false)
    if areWhole && !leaves.isEmpty {
      let areTruths = leaves.allSatisfy { if case .bool = $0 { true } else { false } }
      return ASDFArray(
        datatype: datatype ?? (areTruths ? .bool8 : .int64), shape: shape,
        elements: .integers(integers))
    }
    let numbers = leaves.compactMap(\.double)
    guard numbers.count == leaves.count, datatype?.isFloating ?? true else {
      throw error(
        .badArray, node, path,
        "expected numbers\(datatype.map { " of type \($0.rawValue)" } ?? ""), found others")
    }
    return ASDFArray(datatype: datatype ?? .float64, shape: shape, elements: .numbers(numbers))
  }

  /// Appends the elements of nested lists of a given shape.
  private func collect(
    _ node: Node, _ shape: ArraySlice<Int>, _ path: [String], into leaves: inout [ASDFValue]
  ) throws(ASDFError) {
    guard let count = shape.first else {
      guard case .scalar(let scalar) = node else {
        throw error(.badArray, node, path, "expected lists of one length, found a deeper one")
      }
      leaves.append(try self.scalar(scalar, path))
      return
    }
    guard case .sequence(let sequence) = node, sequence.count == count else {
      throw error(
        .badArray, node, path, "expected lists of \(count) elements, found another number")
    }
    for element in sequence { try collect(element, shape.dropFirst(), path, into: &leaves) }
  }
}
