// SPDX-License-Identifier: MIT
//
// A check of what a caller must hold to, whose message is seen in every build.

/// Stops the program where a condition does not hold, with a message on standard error.
///
/// `precondition` says what is wrong in debug builds only: in optimised ones, which is how numbers are computed, the program would
/// end without a word.
///
/// - Parameters:
///   - condition: What the caller must hold to.
///   - message: What was expected, and what was found.
///   - file: Where the check stands.
///   - line: Its line.
@inlinable
package func demand(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { fatalError(message(), file: file, line: line) }
}

/// Stops the program at a place that a caller who holds to the rules never reaches, with a message on standard error.
@inlinable
package func stop(
  _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message(), file: file, line: line)
}
