// SPDX-License-Identifier: MIT
//
// The wish for a checkpoint, and what can be wrong with one.

/// A file in which a run keeps its state, so that it can be resumed.
///
/// The file is replaced as a whole now and then, when the run is cancelled and when it ends. A resumed run gives the draws of
/// an uninterrupted one, to the last bit and for any number of threads; with more draws than were asked for at first it goes
/// on where the first run ended. While the file is written, the stored draws are in memory twice, at the end those of one chain.
public struct Checkpoint: Sendable {
  /// The path of the file; its folder must exist.
  public var path: String

  /// The shortest time between two savings, in seconds.
  public var interval: Double

  /// Whether the run goes on from what the file holds, if there is one; else a file is replaced.
  public var resume: Bool

  /// Creates a wish for a checkpoint.
  public init(_ path: String, every interval: Double = 30, resume: Bool = true) {
    self.path = path
    self.interval = interval
    self.resume = resume
  }
}

/// What is wrong with a checkpoint.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Kind: Sendable, Equatable {
    /// The file cannot be read.
    case unreadable
    /// The file cannot be written.
    case unwritable
    /// The file is no checkpoint, or it is cut off or damaged.
    case damaged
    /// The file is of another version of the format.
    case version(UInt64)
    /// The file belongs to a run of another model or with other settings: their names.
    case mismatch([String])
  }

  /// What is wrong.
  public let kind: Kind

  /// The file.
  public let path: String

  /// What was expected, what was found and what to do.
  public let explanation: String

  public var description: String { "checkpoint \"\(path)\": \(explanation)" }
}
