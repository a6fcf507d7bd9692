// SPDX-License-Identifier: MIT
//
// The texts of options with arguments: `student-t:dof=5,scale=1.2`, `normal(2, 0.5)`, `n=4`, and the numbers in them.

/// A word with arguments, each with or without a name: `moffat:fwhm=3,beta=3`, `flat:0.1`, `normal(0, sd=2)`.
struct OptionText: Sendable, Hashable {
  /// One argument.
  struct Argument: Sendable, Hashable {
    /// The name, if there is one.
    var name: String?
    /// The value.
    var value: Double
  }

  /// The option it was given for, for messages.
  let subject: String

  /// The whole text.
  let text: String

  /// The word in lower case, with hyphens as given.
  let word: String

  /// The arguments in order.
  let arguments: [Argument]

  /// Reads `word`, `word:arguments` or `word(arguments)`.
  ///
  /// - Throws: ``OptionError`` if brackets do not match or an argument is not a number.
  init(_ text: String, subject: String) throws(OptionError) {
    self.subject = subject
    self.text = text
    let trimmed = text.withoutBlanks
    var list: Substring = ""
    if let open = trimmed.firstIndex(of: "(") {
      guard trimmed.last == ")", trimmed.count(where: { $0 == "(" || $0 == ")" }) == 2 else {
        throw OptionError(
          subject, "expected NAME(NUMBER, NUMBER, …), found \"\(text)\"; close the bracket")
      }
      word = trimmed[..<open].lowercased()
      list = trimmed[trimmed.index(after: open)...].dropLast()
    } else if let colon = trimmed.firstIndex(of: ":") {
      word = trimmed[..<colon].lowercased()
      list = trimmed[trimmed.index(after: colon)...]
    } else {
      word = trimmed.lowercased()
    }
    var arguments: [Argument] = []
    for part in list.split(separator: ",", omittingEmptySubsequences: false) where !list.isEmpty {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let value = number(String(halves[halves.count - 1])) else {
        throw OptionError(
          subject,
          "expected numbers in \"\(text)\", found \"\(part)\"; write numbers like 2.5, 1e-3 or pi")
      }
      arguments.append(
        Argument(name: halves.count == 2 ? halves[0].lowercased() : nil, value: value))
    }
    self.arguments = arguments
  }

  /// Returns the arguments in the order of their names; positional ones fill the names from the left.
  ///
  /// - Parameters:
  ///   - names: The names, in order; each may have other spellings after a bar: `dof|nu`.
  ///   - required: The number of names, from the left, that must have a value.
  /// - Returns: The value of each name; nil for an optional one that is not given.
  /// - Throws: ``OptionError`` for an unknown name, a name given twice, a missing or a surplus argument.
  func values(_ names: [String], required: Int) throws(OptionError) -> [Double?] {
    var values = [Double?](repeating: nil, count: names.count)
    let shown = names.enumerated().map { index, name in
      let first = String(name.split(separator: "|")[0])
      return index < required ? first : "[\(first)]"
    }.joined(separator: ", ")
    guard !names.isEmpty || arguments.isEmpty else {
      throw OptionError(subject, "\(word): expected no arguments, found \"\(text)\"")
    }
    var place = 0
    for argument in arguments {
      var index = place
      if let name = argument.name {
        guard
          let found = names.firstIndex(where: { $0.split(separator: "|").contains { $0 == name } })
        else {
          throw OptionError(
            subject, "\(word): expected the arguments \(shown), found \"\(name)\" in \"\(text)\"")
        }
        index = found
      } else {
        place += 1
      }
      guard index < names.count else {
        throw OptionError(
          subject,
          "\(word): expected the arguments \(shown), found \(arguments.count) in \"\(text)\"")
      }
      guard values[index] == nil else {
        throw OptionError(subject, "\(word): an argument is given twice in \"\(text)\"")
      }
      values[index] = argument.value
    }
    guard values.prefix(required).allSatisfy({ $0 != nil }) else {
      throw OptionError(
        subject, "\(word): expected the arguments \(shown), found \(arguments.count) in \"\(text)\""
      )
    }
    return values
  }
}

/// Returns the two sides of `NAME=TEXT`.
///
/// - Throws: ``OptionError`` if there is no equals sign, or nothing on one side of it.
public func nameAndText(_ text: String, option: String, example: String) throws(OptionError)
  -> (name: String, text: String)
{
  let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
  guard halves.count == 2 else {
    throw OptionError(option, "expected NAME=VALUE such as \(example), found \"\(text)\"")
  }
  let (name, value) = (String(halves[0]).withoutBlanks, String(halves[1]).withoutBlanks)
  guard !name.isEmpty, !value.isEmpty else {
    throw OptionError(option, "expected NAME=VALUE such as \(example), found \"\(text)\"")
  }
  return (name, value)
}

/// Returns the values by name of options like `n=4`.
///
/// - Throws: ``OptionError`` for a text that is no such pair, or a name that comes twice.
public func namedNumbers(_ texts: [String], option: String) throws(OptionError) -> [String: Double]
{
  var result: [String: Double] = [:]
  for text in texts {
    let (name, value) = try nameAndText(text, option: option, example: "n=4")
    guard let number = number(value), number.isFinite else {
      throw OptionError(option, "expected a finite number for \(name), found \"\(value)\"")
    }
    guard result.updateValue(number, forKey: name) == nil else {
      throw OptionError(option, "\(name) is given twice; give it once")
    }
  }
  return result
}

/// Returns the number that a text stands for: a decimal number, or a multiple or a part of pi; nil for anything else.
func number(_ text: String) -> Double? {
  if let value = Double(text) { return value }
  guard let pi = text.firstRange(of: "pi") else { return nil }
  var before = text[..<pi.lowerBound]
  if before.hasSuffix("*") { before = before.dropLast() }
  let after = text[pi.upperBound...]
  let factor: Double? =
    switch before {
    case "", "+": 1
    case "-": -1
    default: Double(before)
    }
  guard let factor else { return nil }
  if after.isEmpty { return factor * .pi }
  guard after.hasPrefix("/"), let divisor = Double(after.dropFirst()), divisor != 0 else {
    return nil
  }
  return factor * .pi / divisor
}

extension String {
  /// The text without blanks anywhere.
  var withoutBlanks: String { filter { $0 != " " && $0 != "\t" } }
}
