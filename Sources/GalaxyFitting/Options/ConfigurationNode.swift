// SPDX-License-Identifier: MIT
//
// A place in a configuration in YAML: values with the checks that they need, and errors that name file, key and line.

import Yams

/// A value of a configuration, and where it stands.
struct ConfigurationNode {
  /// The value.
  private let node: Node

  /// The file.
  let file: String

  /// The path of keys to the value: `bands[1].psf`; empty for the whole.
  let path: String

  /// Takes a value of a file.
  private init(_ node: Node, file: String, path: String) {
    self.node = node
    self.file = file
    self.path = path
  }

  /// Reads a document.
  ///
  /// - Parameters:
  ///   - text: The document.
  ///   - file: The file, for messages.
  /// - Throws: ``OptionError`` where it is no YAML, or empty.
  init(reading text: String, file: String) throws(OptionError) {
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch {
      throw OptionError(file, "expected YAML, found what is not: \(error)")
    }
    guard let root else {
      throw OptionError(
        file, "expected a list of bands, found an empty file; see the example in the README")
    }
    self.init(root, file: file, path: "")
  }

  /// Returns an error about the value.
  func error(_ explanation: String) -> OptionError {
    let place = path.isEmpty ? "" : ": \(path)"
    let line = node.mark.map { " (line \($0.line))" } ?? ""
    return OptionError("\(file)\(place)\(line)", explanation)
  }

  /// What the value is, in words.
  private var kind: String {
    switch node {
    case .scalar(let scalar): "\"\(scalar.string)\""
    case .mapping: "keys with values"
    case .sequence(let list): "a list of \(list.count)"
    case .alias: "an alias"
    }
  }

  // MARK: - Keys and lists

  /// Returns the members of keys with values, in the order of the file.
  ///
  /// - Throws: ``OptionError`` where the value is none, a key is no text, or comes twice.
  func members() throws(OptionError) -> [(key: String, value: ConfigurationNode)] {
    guard case .mapping(let mapping) = node else {
      throw error("expected keys with values, found \(kind)")
    }
    var members: [(key: String, value: ConfigurationNode)] = []
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        throw error("expected keys that are words, found another")
      }
      guard !members.contains(where: { $0.key == name }) else {
        throw error("the key \(name) is given twice; give it once")
      }
      members.append(
        (name, ConfigurationNode(value, file: file, path: path.isEmpty ? name : "\(path).\(name)")))
    }
    return members
  }

  /// Returns the members by key, all of which must be known; hyphens stand for underscores, as options of the command have them.
  ///
  /// - Throws: ``OptionError`` that lists the keys there are, or names one that comes twice.
  func members(among known: [String]) throws(OptionError) -> [String: ConfigurationNode] {
    var result: [String: ConfigurationNode] = [:]
    for (key, value) in try members() {
      let name = known.contains(key) ? key : key.replacing("-", with: "_")
      guard known.contains(name) else {
        throw value.error(
          "expected one of the keys \(known.joined(separator: ", ")), found \"\(key)\"; remove or rename it"
        )
      }
      guard result[name] == nil else {
        throw value.error("the key \(name) is given twice; give it once")
      }
      result[name] = value
    }
    return result
  }

  /// Returns the elements of a list.
  ///
  /// - Throws: ``OptionError`` where the value is none.
  func elements() throws(OptionError) -> [ConfigurationNode] {
    guard case .sequence(let list) = node else { throw error("expected a list, found \(kind)") }
    return list.enumerated().map { index, element in
      ConfigurationNode(element, file: file, path: "\(path)[\(index)]")
    }
  }

  // MARK: - Values

  /// Returns the value as text.
  func text() throws(OptionError) -> String {
    guard let scalar = node.scalar, !scalar.string.isEmpty else {
      throw error("expected a value, found \(kind)")
    }
    return scalar.string
  }

  /// Returns the value as a finite number.
  func number() throws(OptionError) -> Double {
    let text = try text()
    guard let value = GalaxyFitting.number(text), value.isFinite else {
      throw error("expected a finite number, found \"\(text)\"")
    }
    return value
  }

  /// Returns the value as a whole number in a range.
  func integer(_ range: ClosedRange<Int>) throws(OptionError) -> Int {
    let text = try text()
    guard let value = Int(text), range.contains(value) else {
      throw error(
        "expected a whole number from \(range.lowerBound)\(range.upperBound == Int.max ? "" : " to \(range.upperBound)"), found \"\(text)\""
      )
    }
    return value
  }

  /// Returns the value as yes or no.
  func flag() throws(OptionError) -> Bool {
    switch try text().lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    case let other: throw error("expected true or false, found \"\(other)\"")
    }
  }

  /// Returns the value as finite numbers.
  func numbers(_ count: Int? = nil) throws(OptionError) -> [Double] {
    var list: [Double] = []
    for element in try elements() { list.append(try element.number()) }
    if let count, list.count != count {
      throw error("expected \(count) numbers, found \(list.count)")
    }
    return list
  }

  /// Returns the value as one of the words of an enumeration.
  func word<Word: RawRepresentable & CaseIterable>(
    _ type: Word.Type
  ) throws(OptionError) -> Word where Word.RawValue == String {
    let text = try text()
    guard let word = Word(rawValue: text) else {
      throw error(
        "expected one of \(Word.allCases.map(\.rawValue).joined(separator: ", ")), found \"\(text)\""
      )
    }
    return word
  }

  /// Returns what a reader of texts makes of the value; its error is told at this place.
  func read<Value>(
    _ body: (String) throws(OptionError) -> Value
  ) throws(OptionError) -> Value {
    let text = try text()
    do throws(OptionError) {
      return try body(text)
    } catch {
      throw self.error(error.explanation)
    }
  }
}
