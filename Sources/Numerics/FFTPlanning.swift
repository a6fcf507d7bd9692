// SPDX-License-Identifier: MIT
//
// How transforms are planned, and FFTW's plans, which only one thread may make at a time.

internal import CFFTW
internal import Synchronization

/// How much effort goes into choosing the fastest transform.
public enum FFTPlanning: String, Sendable, Hashable, Codable {
  /// Planned at once by a heuristic: for a single fit.
  case estimate
  /// Candidates are timed (0.3–0.8 s a shape, then up to 1.8 times faster in large frames); the choice is kept in the wisdom file.
  case measure
}

/// A plan of FFTW, destroyed with this.
final class FFTWPlan: @unchecked Sendable {
  // Proof for @unchecked: the address is immutable, FFTW executes a plan from several threads at a time as long as their
  // arrays differ, and plans are made and destroyed behind `planner`.

  /// FFTW's plan.
  let address: fftw_plan

  /// Whether candidates were timed for it, which are worth keeping.
  let isMeasured: Bool

  /// FFTW's planner; the value says whether the wisdom file was read.
  private static let planner = Mutex(false)

  /// Makes a plan.
  ///
  /// - Parameters:
  ///   - planning: With `.measure`, wisdom is read from the user's cache folder; ``keepWisdom()`` adds to it.
  ///   - what: The transform, for the message should FFTW have no plan.
  ///   - make: Returns FFTW's plan for flags, nil where these forbid making it.
  init(_ planning: FFTPlanning, _ what: String, _ make: (UInt32) -> fftw_plan?) {
    let flags = planning == .measure ? FFTW_MEASURE : FFTW_ESTIMATE
    let made = Self.planner.withLock { wisdomIsRead in
      if planning == .measure && !wisdomIsRead {
        FFTWisdom.read()
        wisdomIsRead = true
      }
      let known = make(flags | FFTW_WISDOM_ONLY)
      let plan = known ?? make(flags)
      return FFTPlanAddress(plan: plan, isMeasured: planning == .measure && known == nil)
    }
    guard let address = made.plan else { stop("FFTW has no plan for \(what)") }
    self.address = address
    isMeasured = made.isMeasured
  }

  /// Writes what was measured to the user's cache folder.
  static func keepWisdom() { planner.withLock { _ in FFTWisdom.write() } }

  deinit {
    let plan = FFTPlanAddress(plan: address, isMeasured: false)
    Self.planner.withLock { _ in fftw_destroy_plan(plan.plan) }
  }
}

/// A plan's address on its way through the planner's lock.
private struct FFTPlanAddress: @unchecked Sendable {
  // Proof for @unchecked: an address only; it is used behind the lock, or by the one owner it is handed to.

  /// The plan, or nil where FFTW has none.
  let plan: fftw_plan?

  /// Whether candidates were timed.
  let isMeasured: Bool
}
