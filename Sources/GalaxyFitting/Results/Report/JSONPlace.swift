// SPDX-License-Identifier: MIT
//
// Places in a JSON document, read with what was expected and found; and the one error of files of results.

import JSON

/// A file of a result that cannot be read or written, or that lacks what was asked of it.
public struct FitRecordError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file; empty for a document in memory.
  public var file: String

  /// The place in it, like `result/parameters/flux/mean`; empty for the whole.
  public let location: String

  /// What was expected, what was found, and what to do.
  public let explanation: String

  /// Creates an error.
  init(file: String = "", _ location: String, _ explanation: String) {
    self.file = file
    self.location = location
    self.explanation = explanation
  }

  public var description: String {
    ([file, location].filter { !$0.isEmpty }.joined(separator: ", ") + ": ").trimmedColon
      + explanation
  }
}

extension String {
  /// The text, or nothing where it is only the colon after an empty place.
  fileprivate var trimmedColon: String { self == ": " ? "" : self }
}

/// A value of a JSON document with its place, for errors.
struct JSONPlace {
  /// The value.
  let value: JSONValue

  /// The place.
  let location: String

  /// Creates the place of a value.
  init(_ value: JSONValue, _ location: String = "") {
    self.value = value
    self.location = location
  }

  /// Returns the error that something else was expected here.
  func error(expected: String) -> FitRecordError {
    FitRecordError(location, "expected \(expected), found \(Self.word(value))")
  }

  /// Returns what a value is, in words.
  private static func word(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let x): "\(x)"
    case .integer(let x): "\(x)"
    case .number(let x): "\(x)"
    case .string(let x): "the text \"\(x)\""
    case .array(let x): "a list of \(x.count)"
    case .object: "an object"
    }
  }

  /// Returns the place of a member.
  private func inner(_ name: String) -> String { location.isEmpty ? name : "\(location)/\(name)" }

  /// Returns a member; nil where there is none, or null.
  func optional(_ name: String) throws(FitRecordError) -> JSONPlace? {
    guard case .object = value else { throw error(expected: "an object") }
    guard let found = value[name], found != .null else { return nil }
    return JSONPlace(found, inner(name))
  }

  /// Returns a member that must be there.
  func member(_ name: String) throws(FitRecordError) -> JSONPlace {
    if let found = try optional(name) { return found }
    throw FitRecordError(
      inner(name),
      "expected this member, found none: the file was not written whole, or by another version"
    )
  }

  /// Returns the members of an object, in order.
  func members() throws(FitRecordError) -> [(name: String, place: JSONPlace)] {
    guard case .object(let list) = value else { throw error(expected: "an object") }
    return list.map { ($0.name, JSONPlace($0.value, inner($0.name))) }
  }

  /// Returns the elements of a list.
  func elements() throws(FitRecordError) -> [JSONPlace] {
    guard case .array(let list) = value else { throw error(expected: "a list") }
    return list.enumerated().map { JSONPlace($1, inner("\($0)")) }
  }

  /// Returns a number; null stands for NaN, texts for infinities.
  func double() throws(FitRecordError) -> Double {
    switch value {
    case .number(let x): return x
    case .integer(let x): return Double(x)
    case .null: return .nan
    case .string("inf"): return .infinity
    case .string("-inf"): return -.infinity
    default: throw error(expected: "a number")
    }
  }

  /// Returns a whole number.
  func integer() throws(FitRecordError) -> Int {
    guard case .integer(let x) = value else { throw error(expected: "a whole number") }
    return x
  }

  /// Returns a truth value.
  func bool() throws(FitRecordError) -> Bool {
    guard case .bool(let x) = value else { throw error(expected: "true or false") }
    return x
  }

  /// Returns a text.
  func string() throws(FitRecordError) -> String {
    guard case .string(let x) = value else { throw error(expected: "a text") }
    return x
  }

  /// Returns a value of an enumeration.
  func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) throws(FitRecordError) -> Word
  where Word.RawValue == String {
    guard let word = Word(rawValue: try string()) else {
      throw error(
        expected: "one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return word
  }

  /// Returns a list of numbers.
  func doubles() throws(FitRecordError) -> [Double] {
    var list: [Double] = []
    for element in try elements() { list.append(try element.double()) }
    return list
  }

  /// Returns texts by name.
  func texts() throws(FitRecordError) -> [String: String] {
    var result: [String: String] = [:]
    for (name, place) in try members() { result[name] = try place.string() }
    return result
  }
}
