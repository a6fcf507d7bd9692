// SPDX-License-Identifier: MIT
//
// Turns Codable values into records.

extension Record {
  /// Creates the record of a value.
  package init(encoding value: some Encodable) throws {
    let node = RecordNode()
    try node.set(value, path: [])
    self = node.record
  }
}

/// A part of a record that is being made.
private final class RecordNode {
  /// What is known of it.
  private enum Content {
    case nothing
    case value(Record)
    case list([RecordNode])
    case fields([(name: String, node: RecordNode)])
  }

  /// What is known of it so far.
  private var content = Content.nothing

  /// The number of elements of a list.
  var count: Int { if case .list(let nodes) = content { nodes.count } else { 0 } }

  /// The finished record; a value that encoded nothing has no fields.
  var record: Record {
    switch content {
    case .nothing: .fields([])
    case .value(let record): record
    case .list(let nodes): .list(nodes.map(\.record))
    case .fields(let fields): .fields(fields.map { ($0.name, $0.node.record) })
    }
  }

  /// Makes it a list if it is nothing yet.
  func beginList() { if case .nothing = content { content = .list([]) } }

  /// Returns a new last element.
  func element() -> RecordNode {
    let node = RecordNode()
    guard case .list(var nodes) = content else {
      content = .list([node])
      return node
    }
    // The list must be held once, or appending would copy it.
    content = .nothing
    nodes.append(node)
    content = .list(nodes)
    return node
  }

  /// Returns a new field.
  func field(_ name: String) -> RecordNode {
    let node = RecordNode()
    guard case .fields(var fields) = content else {
      content = .fields([(name, node)])
      return node
    }
    content = .nothing
    fields.append((name, node))
    content = .fields(fields)
    return node
  }

  /// Sets the value.
  func set<T: Encodable>(_ value: T, path: [any CodingKey]) throws {
    // An empty array of anything passes for an array of Doubles, so the type itself is asked.
    if T.self == [Double].self, let value = value as? [Double] {
      content = .value(.doubles(value))
      return
    }
    switch value {
    case let value as Double: content = .value(.double(value))
    case let value as Float: content = .value(.double(Double(value)))
    case let value as Bool: content = .value(.bool(value))
    case let value as String: content = .value(.text(value))
    case let value as any FixedWidthInteger & Encodable:
      if let integer = Int64(exactly: value) {
        content = .value(.integer(integer))
      } else if let integer = UInt64(exactly: value) {
        content = .value(.unsigned(integer))
      } else {
        throw EncodingError.invalidValue(
          value,
          .init(codingPath: path, debugDescription: "expected an integer of at most 64 bits"))
      }
    default: try value.encode(to: RecordEncoder(node: self, codingPath: path))
    }
  }

  /// Makes it nothing, as an optional may be.
  func setNull() { content = .value(.null) }
}

/// A step of a path that is a number.
struct IndexKey: CodingKey {
  let intValue: Int?
  var stringValue: String { "\(intValue ?? 0)" }
  init(_ index: Int) { intValue = index }
  init(intValue: Int) { self.intValue = intValue }
  init?(stringValue: String) {
    guard let index = Int(stringValue) else { return nil }
    intValue = index
  }
}

/// Encodes a value into a node.
private struct RecordEncoder: Encoder, SingleValueEncodingContainer {
  let node: RecordNode
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Keyed<Key>(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.beginList()
    return Unkeyed(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() { node.setNull() }

  func encode<T: Encodable>(_ value: T) throws { try node.set(value, path: codingPath) }

  /// Encodes fields.
  private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: RecordNode
    let codingPath: [any CodingKey]

    func encodeNil(forKey key: Key) { node.field(key.stringValue).setNull() }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
      try node.field(key.stringValue).set(value, path: codingPath + [key])
    }

    /// Returns the encoder of a field.
    private func encoder(_ key: any CodingKey) -> RecordEncoder {
      RecordEncoder(node: node.field(key.stringValue), codingPath: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
      -> KeyedEncodingContainer<Nested>
    {
      encoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      encoder(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
      RecordEncoder(node: node.field("super"), codingPath: codingPath)
    }

    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
  }

  /// Encodes elements.
  private struct Unkeyed: UnkeyedEncodingContainer {
    let node: RecordNode
    let codingPath: [any CodingKey]
    var count: Int { node.count }

    func encodeNil() { node.element().setNull() }

    func encode<T: Encodable>(_ value: T) throws {
      let path = codingPath + [IndexKey(count)]
      try node.element().set(value, path: path)
    }

    /// Returns the encoder of the next element.
    private func encoder() -> RecordEncoder {
      let path = codingPath + [IndexKey(count)]
      return RecordEncoder(node: node.element(), codingPath: path)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type)
      -> KeyedEncodingContainer<Nested>
    {
      encoder().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }

    func superEncoder() -> any Encoder { encoder() }
  }
}
