// SPDX-License-Identifier: MIT
//
// Signs of life from work that takes longer than two seconds.

import Synchronization

/// Says on standard error that work goes on: after two seconds, and then each time twice as late; any thread may ask.
final class Patience: Sendable {
  /// What is being done.
  private let task: String

  /// When it began.
  private let begin = ContinuousClock().now

  /// After how many seconds the next line is due.
  private let due = Mutex(2.0)

  /// Starts the clock.
  init(_ task: String) { self.task = task }

  /// Returns whether the work is to stop; says that it goes on where a line is due.
  func isOver() -> Bool {
    let time = ContinuousClock().now - begin
    let seconds =
      Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
    let isDue = due.withLock { due in
      guard seconds >= due else { return false }
      due *= 2
      return true
    }
    if isDue {
      Terminal.report("still \(task) after \(Int(seconds)) s; Ctrl-C keeps the best so far")
    }
    return Interruption.isRequested
  }
}
