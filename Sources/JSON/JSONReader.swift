// SPDX-License-Identifier: MIT
//
// Reads JSON text (RFC 8259), strictly, and tells the line and column of what it does not understand.

/// A text that is not JSON, with the place.
public struct JSONError: Error, Sendable, CustomStringConvertible {
  /// The line, counted from one.
  public let line: Int

  /// The column in bytes, counted from one.
  public let column: Int

  /// What was expected and what was found.
  public let explanation: String

  public var description: String { "line \(line), column \(column): \(explanation)" }
}

extension JSONValue {
  /// Reads a document.
  ///
  /// A number without fraction and exponent that fits is an integer; a member that comes twice is kept twice.
  ///
  /// - Parameter text: The document.
  /// - Throws: ``JSONError`` at the first place that is not JSON.
  public init(reading text: String) throws(JSONError) {
    var reader = JSONReader(bytes: Array(text.utf8))
    self = try reader.document()
  }
}

/// Reads a document from its bytes.
private struct JSONReader {
  /// The bytes, UTF-8.
  let bytes: [UInt8]

  /// The next byte.
  var place = 0

  /// The number of arrays and objects that are open.
  var depth = 0

  /// The deepest nesting that is read: each level takes some of the stack.
  static let deepest = 500

  /// Creates a reader.
  init(bytes: [UInt8]) { self.bytes = bytes }

  /// The next byte, or nil at the end.
  var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  /// Returns an error at the current place.
  func error(expected: String) -> JSONError {
    let before = bytes[..<min(place, bytes.count)]
    let line = before.count { $0 == 10 } + 1
    let column = place - (before.lastIndex(of: 10).map { $0 + 1 } ?? 0) + 1
    let found = next.map { "\"\(Character(UnicodeScalar($0)))\"" } ?? "the end of the text"
    return JSONError(
      line: line, column: column, explanation: "expected \(expected), found \(found)")
  }

  /// Passes over blanks.
  mutating func skip() {
    while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { place += 1 }
  }

  /// Reads a byte that must come next.
  mutating func expect(_ character: Unicode.Scalar, _ what: String) throws(JSONError) {
    guard next == UInt8(character.value) else { throw error(expected: what) }
    place += 1
  }

  /// Reads the whole document.
  mutating func document() throws(JSONError) -> JSONValue {
    skip()
    let result = try value()
    skip()
    guard next == nil else { throw error(expected: "the end of the document") }
    return result
  }

  /// Reads a value.
  mutating func value() throws(JSONError) -> JSONValue {
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  /// Reads a literal name.
  mutating func word(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[place...].starts(with: text.utf8) else { throw error(expected: "a value") }
    place += text.utf8.count
    return value
  }

  /// Opens an array or object.
  mutating func open() throws(JSONError) {
    depth += 1
    guard depth <= Self.deepest else {
      throw error(expected: "at most \(Self.deepest) arrays and objects inside each other")
    }
    place += 1
    skip()
  }

  /// Reads an array.
  mutating func array() throws(JSONError) -> JSONValue {
    try open()
    var list: [JSONValue] = []
    while next != UInt8(ascii: "]") {
      if !list.isEmpty {
        try expect(",", "\",\" or \"]\" after an element")
        skip()
      }
      list.append(try value())
      skip()
    }
    place += 1
    depth -= 1
    return .array(list)
  }

  /// Reads an object.
  mutating func object() throws(JSONError) -> JSONValue {
    try open()
    var members: [JSONValue.Member] = []
    while next != UInt8(ascii: "}") {
      if !members.isEmpty {
        try expect(",", "\",\" or \"}\" after a member")
        skip()
      }
      guard next == UInt8(ascii: "\"") else { throw error(expected: "the name of a member") }
      let name = try string()
      skip()
      try expect(":", "\":\" after the name of a member")
      skip()
      members.append(JSONValue.Member(name: name, value: try value()))
      skip()
    }
    place += 1
    depth -= 1
    return .object(members)
  }

  /// Reads digits; at least one must come.
  mutating func digits() throws(JSONError) {
    let first = place
    while let byte = next, byte >= 48, byte <= 57 { place += 1 }
    guard place > first else { throw error(expected: "a digit") }
  }

  /// Reads a number.
  mutating func number() throws(JSONError) -> JSONValue {
    let first = place
    if next == UInt8(ascii: "-") { place += 1 }
    guard let start = next, start >= 48, start <= 57 else { throw error(expected: "a value") }
    let whole = place
    try digits()
    if start == 48 && place > whole + 1 {
      place = whole + 1
      throw error(expected: "no digit after a leading zero")
    }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      isWhole = false
      place += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      place += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
      try digits()
    }
    let text = String(decoding: bytes[first..<place], as: UTF8.self)
    if isWhole, text != "-0", let integer = Int(text) { return .integer(integer) }
    // The grammar above is a part of Swift's own; a number too large for a Double reads as infinity.
    guard let value = Double(text) else { throw error(expected: "a number") }
    return .number(value)
  }

  /// Reads a string.
  mutating func string() throws(JSONError) -> String {
    place += 1
    var result: [UInt8] = []
    while true {
      guard let byte = next else { throw error(expected: "the end of a string") }
      if byte < 32 { throw error(expected: "no bare control character in a string") }
      place += 1
      if byte == UInt8(ascii: "\"") { break }
      if byte != UInt8(ascii: "\\") {
        result.append(byte)
        continue
      }
      guard let escape = next else { throw error(expected: "an escape") }
      place += 1
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
      case UInt8(ascii: "b"): result.append(8)
      case UInt8(ascii: "f"): result.append(12)
      case UInt8(ascii: "n"): result.append(10)
      case UInt8(ascii: "r"): result.append(13)
      case UInt8(ascii: "t"): result.append(9)
      case UInt8(ascii: "u"): result += Array(String(try escapedScalar()).utf8)
      default:
        place -= 1
        throw error(expected: "one of \" \\ / b f n r t u after a backslash")
      }
    }
    guard let text = String(validating: result, as: UTF8.self) else {
      throw error(expected: "a string in UTF-8")
    }
    return text
  }

  /// Reads four hexadecimal digits.
  mutating func unit() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw error(expected: "four hexadecimal digits")
      }
      value = 16 * value + UInt32(digit)
      place += 1
    }
    return value
  }

  /// Reads the digits of an escaped character, a pair of surrogates included.
  mutating func escapedScalar() throws(JSONError) -> Character {
    var code = try unit()
    if (0xd800..<0xdc00).contains(code) {
      try expect("\\", "the second half of a surrogate pair")
      try expect("u", "the second half of a surrogate pair")
      let low = try unit()
      guard (0xdc00..<0xe000).contains(low) else {
        throw error(expected: "the second half of a surrogate pair before this")
      }
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw error(expected: "a character, not half of a surrogate pair, before this")
    }
    return Character(scalar)
  }
}
