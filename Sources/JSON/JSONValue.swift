// SPDX-License-Identifier: MIT
//
// A JSON document (RFC 8259): members keep their order, numbers every digit, what is not finite is left out.

/// A value of a JSON document.
public enum JSONValue: Sendable, Hashable {
  /// null: a place in an array that has no number.
  case null
  /// true or false.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number; null where it is not finite.
  case number(Double)
  /// A text.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Members in order.
  case object([Member])

  /// A member of an object.
  public struct Member: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public let value: JSONValue

    /// Creates a member.
    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// Returns an object of the members that have a value; numbers that are not finite count as none.
  public static func members(_ list: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(
      list.compactMap { name, value in
        guard let value else { return nil }
        if case .number(let x) = value, !x.isFinite { return nil }
        return Member(name: name, value: value)
      })
  }

  /// Returns an object of texts by name, sorted by name.
  public static func texts(_ dictionary: [String: String]) -> JSONValue {
    .object(
      dictionary.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: .string($0.value)) })
  }

  /// The value of a member of an object; nil where there is none, or no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  /// The document as text, indented by two spaces; arrays of plain values take one line.
  public var text: String {
    var result = ""
    write(to: &result, indentation: 0)
    return result
  }

  /// Appends the value.
  private func write(to text: inout String, indentation: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSONValue.write(value, to: &text)
    case .array(let values):
      let isPlain = values.allSatisfy(\.isPlain)
      JSONValue.writeList(values, "[", "]", isPlain, to: &text, indentation) { value, text in
        value.write(to: &text, indentation: indentation + 1)
      }
    case .object(let members):
      JSONValue.writeList(members, "{", "}", members.isEmpty, to: &text, indentation) {
        member, text in
        JSONValue.write(member.name, to: &text)
        text += ": "
        member.value.write(to: &text, indentation: indentation + 1)
      }
    }
  }

  /// Whether the value has no parts.
  private var isPlain: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  /// Appends a list between brackets, on one line or on several.
  private static func writeList<Element>(
    _ list: [Element], _ open: String, _ close: String, _ isOneLine: Bool, to text: inout String,
    _ indentation: Int, _ write: (Element, inout String) -> Void
  ) {
    let margin = "\n" + String(repeating: "  ", count: indentation)
    text += open
    for (index, element) in list.enumerated() {
      if index > 0 { text += isOneLine ? ", " : "," }
      if !isOneLine { text += margin + "  " }
      write(element, &text)
    }
    if !isOneLine { text += margin }
    text += close
  }

  /// Appends a text in quotes.
  private static func write(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
  /// Creates a text.
  public init(stringLiteral value: String) { self = .string(value) }

  /// Creates true or false.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}
