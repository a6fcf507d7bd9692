// SPDX-License-Identifier: MIT
//
// The data of a model in a JSON file, as Stan and posteriordb write them.

public import JSON
public import Tensors

/// Named numbers, lists and matrices from a JSON file.
///
/// ```swift
/// let data = try ModelData(contentsOf: "wells.json")
/// let design = try data.tensor("X")                 // lists of rows: [N, K]
/// let y = try data.vector("switched")
/// let county = try data.indices("county")           // counted from 1 in the file, from 0 here
/// ```
public struct ModelData: Sendable {
  /// Where the data come from, for messages.
  public let location: String

  /// The members in the order of the file.
  private let members: [JSONValue.Member]

  /// Reads a file.
  ///
  /// - Parameter path: The file.
  /// - Throws: `JSONFileError` if it cannot be read, ``ModelDataError`` if it holds no object.
  public init(contentsOf path: String) throws {
    try self.init(JSONValue(contentsOf: path), location: path)
  }

  /// Takes the members of a JSON object.
  ///
  /// - Parameters:
  ///   - value: The object.
  ///   - location: Where it comes from, for messages.
  /// - Throws: ``ModelDataError`` if it is no object.
  public init(_ value: JSONValue, location: String = "data") throws {
    guard case .object(let members) = value else {
      throw ModelDataError(
        location: location, name: nil,
        explanation: "expected an object of named data, found \(ModelData.kind(value))")
    }
    self.members = members
    self.location = location
  }

  /// The names, in the order of the file.
  public var names: [String] { members.map(\.name) }

  /// Returns the data that are themselves an object, such as the member `data` of a larger file.
  ///
  /// - Throws: ``ModelDataError`` if there is no such object.
  public func group(_ name: String) throws -> ModelData {
    try ModelData(value(name, "an object"), location: "\(location), \"\(name)\"")
  }

  /// Returns a number; true and false are 1 and 0.
  ///
  /// - Throws: ``ModelDataError`` if there is no number of that name.
  public func number(_ name: String) throws -> Double {
    let value = try value(name, "a number")
    guard let number = ModelData.number(value) else { throw error(name, "a number", value) }
    return number
  }

  /// Returns a whole number, such as a count of rows.
  ///
  /// - Throws: ``ModelDataError`` if there is no whole number of that name.
  public func integer(_ name: String) throws -> Int {
    let value = try value(name, "a whole number")
    guard let number = ModelData.number(value).flatMap({ Int(exactly: $0) }) else {
      throw error(name, "a whole number", value)
    }
    return number
  }

  /// Returns a list of numbers; a single number is a list of one, as R writes it.
  ///
  /// - Throws: ``ModelDataError`` if there is no such list.
  public func vector(_ name: String) throws -> [Double] {
    try list(name, "a list of numbers") { ModelData.number($0) }
  }

  /// Returns a list in which nulls, and the texts "NA" and "NaN", are missing numbers.
  ///
  /// - Throws: ``ModelDataError`` if there is no such list.
  public func optionalVector(_ name: String) throws -> [Double?] {
    try list(name, "a list of numbers and nulls") { value -> Double?? in
      switch value {
      case .null, .string("NA"), .string("NaN"): .some(nil)
      default: ModelData.number(value).map { .some($0) }
      }
    }
  }

  /// Returns a list of whole numbers.
  ///
  /// - Throws: ``ModelDataError`` if there is no such list.
  public func integers(_ name: String) throws -> [Int] {
    try list(name, "a list of whole numbers") {
      ModelData.number($0).flatMap { Int(exactly: $0) }
    }
  }

  /// Returns indices counted from 0, for `take`, from a list that counts from another number.
  ///
  /// - Parameters:
  ///   - name: The list.
  ///   - first: The number of the first group in the file; Stan and R count from 1.
  /// - Returns: The indices, from 0.
  /// - Throws: ``ModelDataError`` if there is no list of whole numbers, or one is below `first`.
  public func indices(_ name: String, from first: Int = 1) throws -> [Int] {
    let numbers = try integers(name)
    if let place = numbers.firstIndex(where: { $0 < first }) {
      throw ModelDataError(
        location: location, name: name,
        explanation:
          "expected indices from \(first) on, found \(numbers[place]) at place \(place); say from: where they begin"
      )
    }
    return numbers.map { $0 - first }
  }

  /// Returns a number, a list, a matrix given by its rows, or an array of more axes.
  ///
  /// - Throws: ``ModelDataError`` if there is none, or its rows differ in length.
  public func tensor(_ name: String) throws -> Tensor {
    let value = try value(name, "an array of numbers")
    var shape: [Int] = []
    var level = value
    while case .array(let parts) = level {
      shape.append(parts.count)
      level = parts.first ?? .integer(0)
    }
    var elements: [Double] = []
    elements.reserveCapacity(shape.reduce(1, *))
    guard ModelData.collect(value, shape[...], into: &elements) else {
      throw error(
        name, "an array of numbers with rows of equal length, like the first, shape \(shape)", value
      )
    }
    return Tensor(elements, shape: Shape(shape))
  }

  /// Returns all data as arrays by name, such as the values of parameters at a point, for `substituting` and `.values`.
  ///
  /// - Returns: The arrays.
  /// - Throws: ``ModelDataError`` if one of them is no array of numbers.
  public func tensors() throws -> [String: Tensor] {
    try Dictionary(names.map { ($0, try tensor($0)) }) { $1 }
  }

  // MARK: - Reading

  /// Returns the value of a name.
  private func value(_ name: String, _ expected: String) throws -> JSONValue {
    guard let member = members.last(where: { $0.name == name }) else {
      throw ModelDataError(
        location: location, name: name,
        explanation: "expected \(expected), found none; there are \(names)")
    }
    return member.value
  }

  /// Returns a list whose elements can all be read.
  private func list<Element>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Element?
  ) throws -> [Element] {
    let value = try value(name, expected)
    guard case .array(let parts) = value else {
      guard let single = read(value) else { throw error(name, expected, value) }
      return [single]
    }
    return try parts.enumerated().map { place, part in
      guard let element = read(part) else {
        throw ModelDataError(
          location: location, name: name,
          explanation: "expected \(expected), found \(ModelData.kind(part)) at place \(place)")
      }
      return element
    }
  }

  /// Returns an error about a value of another kind.
  private func error(_ name: String, _ expected: String, _ found: JSONValue) -> ModelDataError {
    ModelDataError(
      location: location, name: name,
      explanation: "expected \(expected), found \(ModelData.kind(found))")
  }

  /// Returns a value as a number; nil if it is none.
  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .number(let number): number
    case .bool(let isTrue): isTrue ? 1 : 0
    default: nil
    }
  }

  /// Appends the numbers of nested lists; false if they have another shape.
  private static func collect(
    _ value: JSONValue, _ shape: ArraySlice<Int>, into elements: inout [Double]
  ) -> Bool {
    guard let count = shape.first else {
      guard let number = number(value) else { return false }
      elements.append(number)
      return true
    }
    guard case .array(let parts) = value, parts.count == count else { return false }
    return parts.allSatisfy { collect($0, shape.dropFirst(), into: &elements) }
  }

  /// Returns words for the kind of a value.
  private static func kind(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool, .integer, .number, .string: value.text
    case .array(let parts): "a list of \(parts.count)"
    case .object(let members): "an object of \(members.map(\.name))"
    }
  }
}

/// Data that are missing or of another kind than was asked for.
public struct ModelDataError: Error, Sendable, CustomStringConvertible {
  /// Where the data come from.
  public let location: String

  /// The name of the data; nil where it is the whole.
  public let name: String?

  /// What was expected and what was found.
  public let explanation: String

  public var description: String {
    "\(location)\(name.map { ", \"\($0)\"" } ?? ""): \(explanation)"
  }
}
