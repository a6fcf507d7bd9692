// SPDX-License-Identifier: MIT
//
// Parameters that no distribution can have: noted while a model runs, so that the run ends with an error and not the program.

import Numerics
import Synchronization
import Tensors

/// Where impossible parameters are noted while a model runs.
///
/// A model may come by them with no mistake of its author: the exponential of a draw that underflows to a scale of zero.
package final class ParameterFaults: Sendable {
  /// Where faults are noted at present; nil outside models.
  @TaskLocal package static var current: ParameterFaults?

  private let first = Mutex<String?>(nil)

  /// Creates an empty note.
  package init() {}

  /// Notes a fault; the first one counts.
  func note(_ text: String) { first.withLock { $0 = $0 ?? text } }

  /// Returns what was noted, and forgets it.
  package func take() -> String? {
    first.withLock { text in
      defer { text = nil }
      return text
    }
  }
}

/// Checks a constant parameter; a traced one gives a NaN density instead.
///
/// An impossible one ends the run of a model with an error, and outside models it stops the program.
func require(
  _ name: String, _ parameter: String, _ value: Tensor, _ expected: String,
  _ holds: (Double) -> Bool
) {
  guard !value.isTraced else { return }
  for element in value.elements where !holds(element) {
    let text = "\(name): expected \(parameter) \(expected), got \(element)"
    guard let faults = ParameterFaults.current else { stop(text) }
    return faults.note(text)
  }
}
