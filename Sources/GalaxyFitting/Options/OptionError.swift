// SPDX-License-Identifier: MIT
//
// A mistake in an option of a fit given as text: what was expected, what was found, what to do.

/// An option that cannot be understood, or that contradicts another.
public struct OptionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The option or the parameter it is about.
  public let subject: String

  /// What was expected, what was found, what to do.
  public let explanation: String

  /// Creates an error.
  public init(_ subject: String, _ explanation: String) {
    self.subject = subject
    self.explanation = explanation
  }

  public var description: String { "\(subject): \(explanation)" }
}
