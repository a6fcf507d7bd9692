// SPDX-License-Identifier: MIT
//
// Turns records back into Codable values.

extension Record {
  /// Returns the value of the record.
  ///
  /// - Throws: `DecodingError` if it is the record of another type.
  package func decode<T: Decodable>(_ type: T.Type) throws -> T { try decode(type, path: []) }

  /// Returns a number that was a Float, or nil.
  fileprivate static func float(_ number: Double) -> Float? {
    number.isNaN ? Float(number) : Float(exactly: number)
  }

  /// Returns the value of the record at a place.
  fileprivate func decode<T: Decodable>(_ type: T.Type, path: [any CodingKey]) throws -> T {
    var value: Any?
    switch self {
    case .doubles(let values) where type == [Double].self: value = values
    case .double(let number) where type == Double.self: value = number
    case .double(let number) where type == Float.self: value = Record.float(number)
    case .bool(let truth) where type == Bool.self: value = truth
    case .text(let text) where type == String.self: value = text
    case .integer(let number):
      if let integer = type as? any FixedWidthInteger.Type { value = integer.init(exactly: number) }
    case .unsigned(let number):
      if let integer = type as? any FixedWidthInteger.Type { value = integer.init(exactly: number) }
    default: return try T(from: RecordDecoder(record: self, codingPath: path))
    }
    if let value = value as? T { return value }
    return try T(from: RecordDecoder(record: self, codingPath: path))
  }
}

/// Decodes a value from a record.
private struct RecordDecoder: Decoder, SingleValueDecodingContainer {
  let record: Record
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// Returns the error of a record of the wrong form.
  static func mismatch(_ type: Any.Type, _ path: [any CodingKey]) -> DecodingError {
    .typeMismatch(type, .init(codingPath: path, debugDescription: "expected a \(type)"))
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .fields(let fields) = record else {
      throw RecordDecoder.mismatch([String: Any].self, codingPath)
    }
    return KeyedDecodingContainer(
      Keyed<Key>(
        fields: Dictionary(fields.map { ($0.name, $0.value) }) { $1 }, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch record {
    case .list(let records): return Unkeyed(records: records, codingPath: codingPath)
    case .doubles(let values):
      return Unkeyed(records: values.map { .double($0) }, codingPath: codingPath)
    default: throw RecordDecoder.mismatch([Any].self, codingPath)
    }
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { if case .null = record { true } else { false } }

  // A value that is none of the types of `Record.decode` would ask for itself again and again.
  func decode(_ type: Bool.Type) throws -> Bool { try exact(type) }
  func decode(_ type: String.Type) throws -> String { try exact(type) }
  func decode(_ type: Double.Type) throws -> Double { try exact(type) }
  func decode(_ type: Float.Type) throws -> Float { try exact(type) }
  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try record.decode(type, path: codingPath)
  }

  /// Returns a number or a text that the record must hold as such.
  private func exact<T>(_ type: T.Type) throws -> T {
    let value: Any? =
      switch record {
      case .bool(let truth): truth
      case .text(let text): text
      case .double(let number): type == Float.self ? Record.float(number) : number
      default: nil
      }
    guard let value = value as? T else { throw RecordDecoder.mismatch(type, codingPath) }
    return value
  }

  /// Returns an integer that the record must hold.
  private func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    let value: T? =
      switch record {
      case .integer(let number): T(exactly: number)
      case .unsigned(let number): T(exactly: number)
      default: nil
      }
    guard let value else { throw RecordDecoder.mismatch(type, codingPath) }
    return value
  }

  /// Decodes fields.
  private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [String: Record]
    let codingPath: [any CodingKey]
    var allKeys: [Key] { fields.keys.sorted().compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { fields[key.stringValue] != nil }

    /// Returns the decoder of a field.
    private func decoder(_ key: any CodingKey) throws -> RecordDecoder {
      guard let record = fields[key.stringValue] else {
        throw DecodingError.keyNotFound(
          key,
          .init(codingPath: codingPath, debugDescription: "expected a field \(key.stringValue)"))
      }
      return RecordDecoder(record: record, codingPath: codingPath + [key])
    }

    func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).decodeNil() }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
      let decoder = try decoder(key)
      return try decoder.record.decode(type, path: decoder.codingPath)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
      -> KeyedDecodingContainer<Nested>
    {
      try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
      try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
      RecordDecoder(record: fields["super"] ?? .fields([]), codingPath: codingPath)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
  }

  /// Decodes elements.
  private struct Unkeyed: UnkeyedDecodingContainer {
    let records: [Record]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(records: [Record], codingPath: [any CodingKey]) {
      self.records = records
      self.codingPath = codingPath
    }

    var count: Int? { records.count }
    var isAtEnd: Bool { currentIndex >= records.count }

    /// Returns the decoder of the next element.
    private mutating func next() throws -> RecordDecoder {
      let path = codingPath + [IndexKey(currentIndex)]
      guard !isAtEnd else {
        throw DecodingError.valueNotFound(
          Any.self, .init(codingPath: path, debugDescription: "expected another element"))
      }
      defer { currentIndex += 1 }
      return RecordDecoder(record: records[currentIndex], codingPath: path)
    }

    mutating func decodeNil() throws -> Bool {
      guard !isAtEnd, case .null = records[currentIndex] else { return false }
      currentIndex += 1
      return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
      let decoder = try next()
      return try decoder.record.decode(type, path: decoder.codingPath)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
      -> KeyedDecodingContainer<Nested>
    {
      try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
      try next().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try next() }
  }
}
