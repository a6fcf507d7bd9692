// SPDX-License-Identifier: MIT
//
// Reading GALFIT's configurations and files of constraints, line by line.

import Foundation

extension GalfitConfiguration {
  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - text: The text of the file.
  ///   - name: The name of the file, for messages.
  /// - Throws: ``OptionError`` that names the line, what was expected and what was found.
  public init(_ text: String, name: String) throws(OptionError) {
    self.init()
    var current: Component?
    for line in numberedLines(text) {
      guard let entry = Entry(line.text) else { continue }
      let place = "\(name), line \(line.number)"
      if entry.key == "0" {
        if let current { components.append(try current.checked(name)) }
        current = Component(try Self.kind(entry, place), [:])
      } else if var component = current {
        try component.read(entry, place)
        current = component
      } else {
        try readHeader(entry, place)
      }
    }
    if let current { components.append(try current.checked(name)) }
    guard !components.isEmpty else {
      throw OptionError(
        name,
        "expected a GALFIT configuration with components (a line \"0) sersic\"), found none; check the file"
      )
    }
  }

  /// A line: what stands before the bracket, and the words behind it.
  struct Entry {
    /// The text before the bracket, in capitals.
    let key: String
    /// The words after it, without the comment.
    let words: [String]

    /// Reads a line without its comment; nil where there is no bracket after a short key.
    init?(_ text: String) {
      guard let bracket = text.firstIndex(of: ")") else { return nil }
      key = text[..<bracket].trimmingCharacters(in: .whitespaces).uppercased()
      guard (1...3).contains(key.count), !key.contains(" ") else { return nil }
      words = text[text.index(after: bracket)...].split(whereSeparator: \.isWhitespace).map {
        String($0)
      }
    }

    /// The file it names; nil for none.
    var file: String? {
      guard let word = words.first, word.lowercased() != "none" else { return nil }
      return word
    }
  }

  /// Returns the sort of a component.
  private static func kind(_ entry: Entry, _ place: String) throws(OptionError) -> Kind {
    let word = entry.words.first?.lowercased() ?? ""
    guard let kind = Kind(rawValue: word) else {
      throw OptionError(
        place,
        "expected a component of the sort \(Kind.allCases.map(\.rawValue).joined(separator: ", ")), found \"\(word)\"; take it out, or write the model as a program"
      )
    }
    return kind
  }

  /// Reads a line of the header.
  private mutating func readHeader(_ entry: Entry, _ place: String) throws(OptionError) {
    switch entry.key {
    case "A": image = entry.file
    case "B": output = entry.file
    case "C": sigma = entry.file
    case "D":
      psf = entry.file
      if entry.words.count > 1, entry.words[1].lowercased() != "none" {
        throw OptionError(
          place,
          "expected a PSF alone, found a diffusion kernel \"\(entry.words[1])\" too; convolve the PSF with it first"
        )
      }
    case "E":
      guard let word = entry.words.first else { return }
      guard let number = Int(word), number >= 1 else {
        throw OptionError(place, "expected a whole number from 1 for E), found \"\(word)\"")
      }
      psfSampling = number
    case "F": mask = entry.file
    case "G": constraintFile = entry.file
    case "H":
      let n = entry.words.prefix(4).compactMap { Int($0) }
      guard n.count == 4, n[0] >= 1, n[2] >= 1, n[0] <= n[1], n[2] <= n[3] else {
        throw OptionError(
          place,
          "expected xmin xmax ymin ymax, whole numbers from 1, for H), found \"\(entry.words.joined(separator: " "))\""
        )
      }
      region = Region(x: n[0]...n[1], y: n[2]...n[3])
    case "I":
      let n = entry.words.prefix(2).compactMap { Int($0) }
      convolutionBox = n.count == 2 ? (n[0], n[1]) : nil
    case "J": zeroPoint = try Self.number(entry, 0, place)
    case "K":
      plateScale = entry.words.prefix(2).compactMap { Double($0) }
      if plateScale.count == 2, abs(plateScale[0] / plateScale[1] - 1) > 1e-3 {
        throw OptionError(
          place,
          "expected square pixels, found \(plateScale[0]) by \(plateScale[1]) arcsec; resample the image"
        )
      }
    default: break
    }
  }

  /// Returns a number of a line.
  static func number(_ entry: Entry, _ index: Int, _ place: String) throws(OptionError) -> Double {
    let word = entry.words.indices.contains(index) ? entry.words[index] : ""
    // GALFIT marks what it held, tied or doubts: [4], {4}, *4*.
    let bare = word.trimmingCharacters(in: CharacterSet(charactersIn: "[]{}*"))
    guard let value = Double(bare), value.isFinite else {
      throw OptionError(place, "expected a number after \(entry.key)), found \"\(word)\"")
    }
    return value
  }

  /// Returns a flag of a line.
  static func flag(_ entry: Entry, _ index: Int, _ place: String) throws(OptionError) -> Bool {
    guard entry.words.indices.contains(index) else { return true }
    switch entry.words[index] {
    case "0": return false
    case "1": return true
    default:
      throw OptionError(
        place, "expected 1 (free) or 0 (fixed) after the number, found \"\(entry.words[index])\"")
    }
  }
}

extension GalfitConfiguration.Component {
  /// Reads a line of a component.
  mutating func read(_ entry: GalfitConfiguration.Entry, _ place: String) throws(OptionError) {
    typealias C = GalfitConfiguration
    if entry.key == "Z" {
      isSkipped = entry.words.first == "1"
      return
    }
    guard let line = Int(entry.key) else {
      // Fourier modes (F1), bending (B1), rotation (R0), truncation (T0), diskiness (C0): only what does nothing is let be.
      let value = entry.words.first.flatMap { Double($0) } ?? .nan
      let isOff = value == 0 && entry.words.dropFirst().allSatisfy { $0 == "0" || Double($0) == 0 }
      guard isOff else {
        throw OptionError(
          place,
          "expected an ellipse, found \(entry.key)) (\(entry.words.joined(separator: " "))): Fourier modes, bending, spirals, truncations and diskiness have no counterpart; take the line out"
        )
      }
      return
    }
    if line == 1, kind != .sky {
      // x y and their flags, or x and its flag with y in the next line.
      if entry.words.count >= 4 || (entry.words.count == 2 && !Self.isFlag(entry.words[1])) {
        let hasFlags = entry.words.count >= 4
        for (k, parameter) in [C.Parameter.x, .y].enumerated() {
          values[parameter] = C.Value(
            try C.number(entry, k, place),
            isFree: hasFlags ? try C.flag(entry, 2 + k, place) : true)
        }
      } else {
        values[.x] = C.Value(try C.number(entry, 0, place), isFree: try C.flag(entry, 1, place))
      }
      return
    }
    if line == 2, kind != .sky {
      values[.y] = C.Value(try C.number(entry, 0, place), isFree: try C.flag(entry, 1, place))
      return
    }
    guard let parameter = kind.parameters.first(where: { $0.line == line && $0 != .x && $0 != .y })
    else {
      // Lines without a meaning are written with zeros; in GALFIT 2 line 8 was b/a and 9 the angle.
      let value = entry.words.first.flatMap { Double($0) } ?? 0
      guard value == 0 else {
        throw OptionError(
          place,
          "expected no parameter \(line) of \(kind.rawValue), found \(entry.words[0]): files of GALFIT 2, with b/a in line 8, must be written anew with b/a in 9 and the angle in 10"
        )
      }
      return
    }
    values[parameter] = C.Value(try C.number(entry, 0, place), isFree: try C.flag(entry, 1, place))
  }

  /// Whether a word can be a flag.
  private static func isFlag(_ word: String) -> Bool { word == "0" || word == "1" }

  /// Returns the component where all its parameters are there and possible.
  func checked(_ name: String) throws(OptionError) -> Self {
    var result = self
    // What GALFIT takes for granted where a line is left out.
    for (parameter, value) in [
      (GalfitConfiguration.Parameter.axisRatio, 1.0), (.positionAngle, 0), (.skyX, 0), (.skyY, 0),
    ] where kind.parameters.contains(parameter) && values[parameter] == nil {
      result.values[parameter] = GalfitConfiguration.Value(value, isFree: false)
    }
    let missing = kind.parameters.filter { result.values[$0] == nil }
    guard missing.isEmpty else {
      throw OptionError(
        name,
        "expected a value for each parameter of \(kind.rawValue), found none for \(missing.map { "\($0.rawValue) (line \($0.line))" }.joined(separator: ", "))"
      )
    }
    if let ratio = result.values[.axisRatio]?.value, !(ratio > 0 && ratio <= 1) {
      throw OptionError(
        name,
        "expected an axis ratio b/a from 0 to 1 in line 9 of \(kind.rawValue), found \(ratio); turn the angle by 90 degrees if a and b are exchanged"
      )
    }
    if let radius = result.values[.radius]?.value, !(radius > 0) {
      throw OptionError(
        name, "expected a radius > 0 in line 4 of \(kind.rawValue), found \(radius)")
    }
    return result
  }
}

/// Returns the lines of a text that say something, without comments, with their numbers from 1.
func numberedLines(_ text: String) -> [(number: Int, text: String)] {
  text.split(separator: /\r?\n/, omittingEmptySubsequences: false).enumerated().compactMap {
    let line = $1.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
    return line.isEmpty ? nil : ($0 + 1, line)
  }
}

extension GalfitConstraint {
  /// Reads a file of constraints.
  ///
  /// - Parameters:
  ///   - text: The text of the file.
  ///   - name: The name of the file, for messages.
  /// - Returns: The constraints, in order.
  /// - Throws: ``OptionError`` that names the line.
  public static func list(_ text: String, name: String) throws(OptionError) -> [GalfitConstraint] {
    var list: [GalfitConstraint] = []
    for line in numberedLines(text) {
      list.append(try GalfitConstraint(line.text, place: "\(name), line \(line.number)"))
    }
    return list
  }

  /// Reads a line: components, parameter, constraint.
  init(_ line: String, place: String) throws(OptionError) {
    let words = line.split(whereSeparator: \.isWhitespace).map { String($0) }
    text = line
    guard words.count >= 3 else {
      throw OptionError(
        place, "expected components, a parameter and a constraint, found \"\(line)\"")
    }
    let separators: Set<Character> = ["_", "-", "/"]
    components = words[0].split(whereSeparator: { separators.contains($0) }).compactMap { Int($0) }
    guard !components.isEmpty, components.allSatisfy({ $0 >= 1 }) else {
      throw OptionError(
        place, "expected numbers of components such as 2 or 3_1, found \"\(words[0])\"")
    }
    guard let parameter = Self.parameter(words[1].lowercased()) else {
      throw OptionError(
        place, "expected x, y, mag, re, rs, fwhm, n, q or pa, found \"\(words[1])\"")
    }
    self.parameter = parameter
    let rest = words[2...].map { $0.lowercased() }
    let numbers = rest.compactMap { Double($0) }
    if words[0].contains("-") || words[0].contains("/") {
      kind = .between(rest.joined(separator: " "))
    } else if rest.first == "offset" {
      kind = .offset
    } else if rest.first == "ratio" {
      kind = .ratio
    } else if numbers.count == 2, numbers[0] < numbers[1] {
      kind =
        rest.contains("to")
        ? .range(numbers[0]...numbers[1]) : .around(numbers[0]...numbers[1])
    } else {
      throw OptionError(
        place,
        "expected offset, ratio, \"LOW to HIGH\" or \"LOW HIGH\", found \"\(rest.joined(separator: " "))\""
      )
    }
  }

  /// Returns the parameter of a word.
  private static func parameter(_ word: String) -> GalfitConfiguration.Parameter? {
    switch word {
    case "x", "1": .x
    case "y", "2": .y
    case "mag", "3": .magnitude
    case "re", "rs", "r", "fwhm", "4": .radius
    case "n", "beta", "5": .index
    case "q", "b/a", "9": .axisRatio
    case "pa", "10": .positionAngle
    default: nil
    }
  }
}
