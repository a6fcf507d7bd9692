// SPDX-License-Identifier: MIT
//
// A saved value as a tree of numbers and texts, and its bytes: exact to the last bit, NaN and infinity included.

/// A saved value: a tree of numbers and texts.
package indirect enum Record: Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// An integer above the range of `integer`.
  case unsigned(UInt64)
  case double(Double)
  case text(String)
  /// An array of Doubles, by far the most of every file.
  case doubles([Double])
  case list([Record])
  case fields([(name: String, value: Record)])

  /// The value of a field; nil where there is none.
  subscript(name: String) -> Record? {
    guard case .fields(let fields) = self else { return nil }
    return fields.first { $0.name == name }?.value
  }

  /// The leaves of the tree with their paths, in order of the paths; long arrays by a digest of their bytes.
  func leaves(_ path: String) -> [(path: String, text: String)] {
    switch self {
    case .null: return [(path, "nil")]
    case .bool(let value): return [(path, "\(value)")]
    case .integer(let value): return [(path, "\(value)")]
    case .unsigned(let value): return [(path, "\(value)")]
    case .double(let value): return [(path, "\(value)")]
    case .text(let value): return [(path, value)]
    case .doubles(let values):
      if values.count <= 8 { return [(path, "\(values)")] }
      var bytes: [UInt8] = []
      append(to: &bytes)
      return [
        (path, "\(values.count) numbers with digest \(String(digest(bytes[...]), radix: 16))")
      ]
    case .list(let records):
      return records.enumerated().flatMap { $1.leaves("\(path)[\($0)]") }
    case .fields(let fields):
      return fields.sorted { $0.name < $1.name }.flatMap { $0.value.leaves("\(path).\($0.name)") }
    }
  }
}

// MARK: - Bytes

/// Returns a digest of bytes, to find what was cut off or damaged, not what was forged.
///
/// FNV-1a with its 64-bit constants on words of eight bytes, lowest first, the last filled up with zeros; the upper half of
/// each product is folded into the lower, where FNV's own multiplication by bytes would need eight times as long.
func digest(_ bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.withUnsafeBytes { all in
    var value: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(all.count)
    /// Takes a word.
    func take(_ word: UInt64) {
      value = (value ^ word) &* 0x100_0000_01b3
      value ^= value >> 32
    }
    let words = all.count / 8
    for k in 0..<words {
      take(UInt64(littleEndian: all.loadUnaligned(fromByteOffset: 8 * k, as: UInt64.self)))
    }
    var last: UInt64 = 0
    for (shift, byte) in all[(8 * words)...].enumerated() { last |= UInt64(byte) << (8 * shift) }
    take(last)
    return value
  }
}

/// Appends the bytes of an integer, lowest first.
func append(_ value: UInt64, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
}

extension Record {
  /// The number of bytes of the tree.
  var byteCount: Int {
    switch self {
    case .null, .bool: 1
    case .integer, .unsigned, .double: 9
    case .text(let value): 9 + value.utf8.count
    case .doubles(let values): 9 + 8 * values.count
    case .list(let records): records.reduce(9) { $0 + $1.byteCount }
    case .fields(let fields):
      fields.reduce(9) { $0 + 8 + $1.name.utf8.count + $1.value.byteCount }
    }
  }

  /// Appends the bytes of the tree.
  package func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(0)
    case .bool(let value): bytes.append(value ? 2 : 1)
    case .integer(let value):
      bytes.append(3)
      Inference.append(UInt64(bitPattern: value), to: &bytes)
    case .unsigned(let value):
      bytes.append(4)
      Inference.append(value, to: &bytes)
    case .double(let value):
      bytes.append(5)
      Inference.append(value.bitPattern, to: &bytes)
    case .text(let value):
      bytes.append(6)
      Record.append(value, to: &bytes)
    case .doubles(let values):
      bytes.append(7)
      Inference.append(UInt64(values.count), to: &bytes)
      Record.append(values, to: &bytes)
    case .list(let records):
      bytes.append(8)
      Inference.append(UInt64(records.count), to: &bytes)
      for record in records { record.append(to: &bytes) }
    case .fields(let fields):
      bytes.append(9)
      Inference.append(UInt64(fields.count), to: &bytes)
      for field in fields {
        Record.append(field.name, to: &bytes)
        field.value.append(to: &bytes)
      }
    }
  }

  /// Appends the bits of numbers, lowest byte first.
  private static func append(_ values: [Double], to bytes: inout [UInt8]) {
    #if _endian(little)
      values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    #else
      for value in values { Inference.append(value.bitPattern, to: &bytes) }
    #endif
  }

  /// Appends a text after the number of its bytes.
  private static func append(_ text: String, to bytes: inout [UInt8]) {
    Inference.append(UInt64(text.utf8.count), to: &bytes)
    bytes.append(contentsOf: text.utf8)
  }
}

/// Reads records from bytes; nil where they end too early or make no sense.
package struct RecordReader {
  /// The bytes.
  private let bytes: ArraySlice<UInt8>

  /// The place of the next byte.
  private var place: Int

  /// The depth of trees that is read: a damaged file must not exhaust the stack.
  private static let deepest = 200

  /// Starts at the beginning of some bytes.
  package init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  /// Whether all bytes are read.
  package var isAtEnd: Bool { place == bytes.endIndex }

  /// The number of bytes left.
  private var left: Int { bytes.endIndex - place }

  /// Reads eight bytes.
  mutating func word() -> UInt64? {
    guard left >= 8 else { return nil }
    defer { place += 8 }
    return bytes.withUnsafeBytes { all in
      UInt64(
        littleEndian: all.loadUnaligned(
          fromByteOffset: place - bytes.startIndex, as: UInt64.self))
    }
  }

  /// Reads a count of things that take a number of bytes each, so that no damaged count asks for memory.
  private mutating func count(of size: Int) -> Int? {
    guard let word = word(), word <= UInt64(left / size) else { return nil }
    return Int(word)
  }

  /// Reads numbers, of which there are enough.
  private mutating func doubles(_ count: Int) -> [Double] {
    let start = place - bytes.startIndex
    place += 8 * count
    return bytes.withUnsafeBytes { all in
      (0..<count).map { k in
        let word = all.loadUnaligned(fromByteOffset: start + 8 * k, as: UInt64.self)
        return Double(bitPattern: UInt64(littleEndian: word))
      }
    }
  }

  /// Reads a text.
  private mutating func text() -> String? {
    guard let count = count(of: 1) else { return nil }
    defer { place += count }
    return String(validating: bytes[place..<(place + count)], as: UTF8.self)
  }

  /// Reads a tree.
  package mutating func record(depth: Int = 0) -> Record? {
    guard left > 0, depth < RecordReader.deepest else { return nil }
    let tag = bytes[place]
    place += 1
    switch tag {
    case 0: return .null
    case 1: return .bool(false)
    case 2: return .bool(true)
    case 3: return word().map { .integer(Int64(bitPattern: $0)) }
    case 4: return word().map { .unsigned($0) }
    case 5: return word().map { .double(Double(bitPattern: $0)) }
    case 6: return text().map { .text($0) }
    case 7:
      return count(of: 8).map { .doubles(doubles($0)) }
    case 8:
      guard let count = count(of: 1) else { return nil }
      var records: [Record] = []
      for _ in 0..<count {
        guard let record = record(depth: depth + 1) else { return nil }
        records.append(record)
      }
      return .list(records)
    case 9:
      guard let count = count(of: 9) else { return nil }
      var fields: [(name: String, value: Record)] = []
      for _ in 0..<count {
        guard let name = text(), let value = record(depth: depth + 1) else { return nil }
        fields.append((name, value))
      }
      return .fields(fields)
    default: return nil
    }
  }
}
