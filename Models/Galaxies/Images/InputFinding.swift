// SPDX-License-Identifier: MIT
//
// One thing worth saying about the inputs of a fit, as data: what, about which input, how bad, what to do.

/// A remark about an input: warnings and notes are data, which results carry and the command prints.
public struct InputFinding: Sendable, Hashable, Codable {
  /// How much a finding matters.
  public enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Worth knowing; nothing to mend.
    case note
    /// The fit runs, but its result may be wrong.
    case warning
    /// The fit would be meaningless.
    case error

    /// Orders notes before warnings before errors.
    public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }

    /// The place in the order.
    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  /// How much it matters.
  public var severity: Severity

  /// A stable word for programs: lower case, with hyphens.
  public var code: String

  /// The file, or the name of the array, that it is about.
  public var subject: String

  /// What was expected, what was found, what to do.
  public var message: String

  /// Creates a finding.
  public init(_ severity: Severity, _ code: String, subject: String, _ message: String) {
    self.severity = severity
    self.code = code
    self.subject = subject
    self.message = message
  }
}

extension InputFinding: CustomStringConvertible {
  /// One line: severity, code, subject, message.
  public var description: String { "\(severity.rawValue) [\(code)] \(subject): \(message)" }
}
