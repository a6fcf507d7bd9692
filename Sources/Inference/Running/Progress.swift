// SPDX-License-Identifier: MIT
//
// How far a long computation has come: what algorithms report, and to whom.

/// What an algorithm tells while it runs.
public struct ProgressUpdate: Sendable {
  /// What is being done, in one or two words: `warm-up`, `sampling`, `optimising`.
  public var stage: String

  /// The number of units that are done, over all chains.
  public var completed: Int

  /// The number of units in all.
  public var total: Int

  /// The time since the beginning, in seconds.
  public var seconds: Double

  /// What the units are, in the plural: `draws`, `steps`.
  public var unit: String

  /// Further numbers worth showing, in order: `step size`, `divergences`, `ELBO`.
  public var details: [(name: String, value: Double)]

  /// Whether this is the last update.
  public var isLast: Bool

  /// Creates an update.
  public init(
    stage: String, completed: Int, total: Int, seconds: Double, unit: String = "steps",
    details: [(name: String, value: Double)] = [], isLast: Bool = false
  ) {
    self.stage = stage
    self.completed = completed
    self.total = total
    self.seconds = seconds
    self.unit = unit
    self.details = details
    self.isLast = isLast
  }
}

/// Where progress goes: nowhere, to the terminal (``terminal``), or to a function.
///
/// Algorithms report at most some ten times a second, and once more at the end.
public struct Progress: Sendable {
  /// Takes an update, for algorithms of one's own; nil where nobody listens.
  public let report: (@Sendable (ProgressUpdate) -> Void)?

  /// Sends updates to a function, which may be called from any thread, one call at a time.
  public init(_ report: @escaping @Sendable (ProgressUpdate) -> Void) { self.report = report }

  /// Returns a progress that sends updates to a function; it needs no name of a type, which Foundation has, too.
  public static func reporting(to report: @escaping @Sendable (ProgressUpdate) -> Void) -> Progress
  {
    Progress(report)
  }

  /// Creates a progress that nobody listens to.
  private init() { report = nil }

  /// Nobody listens.
  public static let none = Progress()

  /// The progress of a part that is worth a word only where it takes longer than a second.
  var forLongWork: Progress {
    guard let report else { return .none }
    return Progress { if $0.seconds > 1 { report($0) } }
  }
}
