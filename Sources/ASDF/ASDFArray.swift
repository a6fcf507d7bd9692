// SPDX-License-Identifier: MIT
//
// An array of numbers of one type, and its bytes.

import Numerics

/// An array of numbers of one type, row-major.
public struct ASDFArray: Sendable, Hashable {
  /// The types of numbers, by their names in files.
  public enum Datatype: String, Sendable, Hashable, CaseIterable {
    /// Floating-point numbers of 64 bits.
    case float64
    /// Floating-point numbers of 32 bits.
    case float32
    /// Whole numbers of 8 bits.
    case int8
    /// Whole numbers of 16 bits.
    case int16
    /// Whole numbers of 32 bits.
    case int32
    /// Whole numbers of 64 bits.
    case int64
    /// Whole numbers of 8 bits from zero up.
    case uint8
    /// Whole numbers of 16 bits from zero up.
    case uint16
    /// Whole numbers of 32 bits from zero up.
    case uint32
    /// Whole numbers of 64 bits from zero up; those above 2⁶³ − 1 are not read.
    case uint64
    /// One byte each, 0 or 1.
    case bool8

    /// The bytes of one number.
    public var size: Int {
      switch self {
      case .int8, .uint8, .bool8: 1
      case .int16, .uint16: 2
      case .float32, .int32, .uint32: 4
      case .float64, .int64, .uint64: 8
      }
    }

    /// Whether numbers may have a fraction.
    var isFloating: Bool { self == .float64 || self == .float32 }
  }

  /// The elements.
  public enum Elements: Sendable, Hashable {
    /// Numbers; float32 ones are exact as doubles.
    case numbers([Double])
    /// Whole numbers, and truth values as 0 and 1.
    case integers([Int64])
  }

  /// The type in files.
  public let datatype: Datatype

  /// The extents, outermost axis first.
  public let shape: [Int]

  /// The elements, row-major.
  public let elements: Elements

  /// Creates an array from its parts.
  init(datatype: Datatype, shape: [Int], elements: Elements) {
    self.datatype = datatype
    self.shape = shape
    self.elements = elements
  }

  /// Creates an array of 64-bit floating-point numbers.
  ///
  /// - Precondition: The number of values is the product of the extents.
  public init(_ values: [Double], shape: [Int]) {
    Self.require(values.count, shape)
    self.init(datatype: .float64, shape: shape, elements: .numbers(values))
  }

  /// Creates an array of 64-bit whole numbers.
  ///
  /// - Precondition: The number of values is the product of the extents.
  public init(_ values: [Int], shape: [Int]) {
    Self.require(values.count, shape)
    self.init(datatype: .int64, shape: shape, elements: .integers(values.map(Int64.init)))
  }

  /// Creates an array of truth values.
  ///
  /// - Precondition: The number of values is the product of the extents.
  public init(_ values: [Bool], shape: [Int]) {
    Self.require(values.count, shape)
    self.init(datatype: .bool8, shape: shape, elements: .integers(values.map { $0 ? 1 : 0 }))
  }

  /// Stops the program where a shape does not fit.
  private static func require(_ count: Int, _ shape: [Int]) {
    demand(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == count,
      "ASDFArray: expected as many values as shape \(shape) has elements, got \(count)")
  }

  /// The number of elements.
  public var count: Int {
    switch elements {
    case .numbers(let values): values.count
    case .integers(let values): values.count
    }
  }

  /// The elements as doubles; whole numbers beyond 2⁵³ are rounded.
  public var doubles: [Double] {
    switch elements {
    case .numbers(let values): values
    case .integers(let values): values.map(Double.init)
    }
  }

  /// The elements as whole numbers; nil for an array of floating-point numbers.
  public var integers: [Int]? {
    switch elements {
    case .numbers: nil
    case .integers(let values): values.map { Int($0) }
    }
  }

  // MARK: - Bytes

  /// The elements as bytes, the least significant first.
  var bytes: [UInt8] {
    switch (elements, datatype) {
    case (.numbers(let values), .float32): Self.bytes(values.map { Float($0).bitPattern })
    case (.numbers(let values), _): Self.bytes(values.map(\.bitPattern))
    case (.integers(let values), .int64), (.integers(let values), .uint64): Self.bytes(values)
    case (.integers(let values), .int32), (.integers(let values), .uint32):
      Self.bytes(values.map { UInt32(truncatingIfNeeded: $0) })
    case (.integers(let values), .int16), (.integers(let values), .uint16):
      Self.bytes(values.map { UInt16(truncatingIfNeeded: $0) })
    case (.integers(let values), _): values.map { UInt8(truncatingIfNeeded: $0) }
    }
  }

  /// Returns whole numbers as bytes, the least significant first.
  private static func bytes<Word: FixedWidthInteger>(_ values: [Word]) -> [UInt8] {
    values.map(\.littleEndian).withUnsafeBytes { Array($0) }
  }

  /// Reads an array from bytes.
  ///
  /// - Parameters:
  ///   - datatype: The type.
  ///   - shape: The extents.
  ///   - bytes: The bytes; all places must lie inside.
  ///   - offset: Where the first element lies.
  ///   - strides: The distances of neighbours along each axis, in bytes.
  ///   - isBig: Whether the most significant byte comes first.
  /// - Returns: The array, or nil where a whole number does not fit 64 bits.
  static func read(
    _ datatype: Datatype, shape: [Int], _ bytes: ArraySlice<UInt8>, offset: Int, strides: [Int],
    isBig: Bool
  ) -> ASDFArray? {
    let places = Places(shape: shape, strides: strides, first: offset)
    return bytes.withUnsafeBytes { raw -> ASDFArray? in
      /// Returns the words at all places.
      func words<Word: FixedWidthInteger>(_ type: Word.Type) -> [Word] {
        places.map { place in
          let word = raw.loadUnaligned(fromByteOffset: place, as: Word.self)
          return isBig ? Word(bigEndian: word) : Word(littleEndian: word)
        }
      }
      let elements: Elements
      switch datatype {
      case .float64: elements = .numbers(words(UInt64.self).map { Double(bitPattern: $0) })
      case .float32:
        elements = .numbers(words(UInt32.self).map { Double(Float(bitPattern: $0)) })
      case .int8: elements = .integers(words(Int8.self).map(Int64.init))
      case .int16: elements = .integers(words(Int16.self).map(Int64.init))
      case .int32: elements = .integers(words(Int32.self).map(Int64.init))
      case .int64: elements = .integers(words(Int64.self))
      case .uint8: elements = .integers(words(UInt8.self).map(Int64.init))
      case .uint16: elements = .integers(words(UInt16.self).map(Int64.init))
      case .uint32: elements = .integers(words(UInt32.self).map(Int64.init))
      case .uint64:
        let values = words(UInt64.self)
        if values.contains(where: { $0 > UInt64(Int64.max) }) { return nil }
        elements = .integers(values.map(Int64.init))
      case .bool8: elements = .integers(words(UInt8.self).map { $0 == 0 ? 0 : 1 })
      }
      return ASDFArray(datatype: datatype, shape: shape, elements: elements)
    }
  }
}

/// The places of the elements of an array in bytes, row-major.
private struct Places: Sequence, IteratorProtocol {
  /// The extents.
  let shape: [Int]
  /// The distances along each axis.
  let strides: [Int]
  /// The indices of the next element.
  private var index: [Int]
  /// The place of the next element.
  private var place: Int
  /// How many elements are left.
  private var rest: Int

  /// Starts at the first element.
  init(shape: [Int], strides: [Int], first: Int) {
    self.shape = shape
    self.strides = strides
    index = shape.map { _ in 0 }
    place = first
    rest = shape.reduce(1, *)
  }

  /// The number of elements that are left.
  var underestimatedCount: Int { rest }

  mutating func next() -> Int? {
    guard rest > 0 else { return nil }
    defer {
      rest -= 1
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape[axis] { break }
        place -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return place
  }
}
