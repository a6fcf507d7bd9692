// SPDX-License-Identifier: MIT
//
// The tree of an ASDF file: what YAML has, and arrays of numbers that are kept in binary blocks.

/// A value of the tree of an ASDF file.
public indirect enum ASDFValue: Sendable, Hashable {
  /// null.
  case null
  /// true or false.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number; NaN and infinities included.
  case number(Double)
  /// A text.
  case string(String)
  /// Values in order.
  case list([ASDFValue])
  /// Members in order.
  case map([Member])
  /// An array of numbers.
  case array(ASDFArray)
  /// A value with a tag of its own, like `tag:stsci.edu:asdf/core/software-1.0.0`.
  case tagged(String, ASDFValue)

  /// A member of a map.
  public struct Member: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public let value: ASDFValue

    /// Creates a member.
    public init(_ name: String, _ value: ASDFValue) {
      self.name = name
      self.value = value
    }
  }

  /// The value without its tag.
  public var untagged: ASDFValue {
    if case .tagged(_, let value) = self { return value.untagged }
    return self
  }

  /// The value of a member of a map; nil where there is none, or no map.
  public subscript(name: String) -> ASDFValue? {
    guard case .map(let members) = untagged else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The members of a map; nil for other values.
  public var members: [Member]? {
    if case .map(let members) = untagged { members } else { nil }
  }

  /// The elements of a list; nil for other values.
  public var elements: [ASDFValue]? {
    if case .list(let list) = untagged { list } else { nil }
  }

  /// The array; nil for other values.
  public var array: ASDFArray? {
    if case .array(let array) = untagged { array } else { nil }
  }

  /// The text; nil for other values.
  public var text: String? {
    if case .string(let text) = untagged { text } else { nil }
  }

  /// The number, whole or not; nil for other values.
  public var double: Double? {
    switch untagged {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

extension ASDFValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// Creates a text.
  public init(stringLiteral value: String) { self = .string(value) }

  /// Creates true or false.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// Creates a whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }

  /// Creates a number.
  public init(floatLiteral value: Double) { self = .number(value) }

  /// Creates a list.
  public init(arrayLiteral elements: ASDFValue...) { self = .list(elements) }

  /// Creates a map, in the order written.
  public init(dictionaryLiteral elements: (String, ASDFValue)...) {
    self = .map(elements.map { Member($0.0, $0.1) })
  }
}
