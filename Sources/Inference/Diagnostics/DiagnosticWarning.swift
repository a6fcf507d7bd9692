// SPDX-License-Identifier: MIT
//
// A reason not to trust draws or an estimate, in words, with what to do next.

/// A reason not to trust draws, or not all of them, or an estimate.
public struct DiagnosticWarning: Sendable, Hashable, CustomStringConvertible {
  /// The reasons.
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    /// There are too few draws to judge anything.
    case fewDraws = "few-draws"
    /// One chain has nothing to be compared with.
    case oneChain = "one-chain"
    /// The run was ended early.
    case cancelled
    /// The run has something to say: a doubtful start, a checkpoint that could not be written.
    case run
    /// Some draws are NaN or infinite.
    case notFinite = "not-finite"
    /// All draws of a quantity are the same.
    case constant
    /// All draws of a chain are the same.
    case frozenChain = "frozen-chain"
    /// One chain stays apart from the others.
    case stuckChain = "stuck-chain"
    /// One chain came late to where the others are, or not at all.
    case lateChain = "late-chain"
    /// The chains fall into groups that do not meet.
    case separateModes = "separate-modes"
    /// The chains do not agree.
    case rHat = "r-hat"
    /// The centre of a distribution is poorly known.
    case lowBulkESS = "low-ess-bulk"
    /// The tails of a distribution are poorly known.
    case lowTailESS = "low-ess-tail"
    /// The integrator left the path in places.
    case divergences
    /// Trajectories were cut off.
    case treeDepth = "tree-depth"
    /// The energies are explored slowly.
    case lowEnergyFraction = "low-energy-fraction"
    /// An angle is not determined by the data.
    case angleUndetermined = "angle-undetermined"
    /// A guide misses part of the posterior: the weights that would correct it have too heavy a tail.
    case paretoK = "pareto-k"
    /// A search for a maximum stopped short of it.
    case notConverged = "not-converged"
    /// A value lies at a bound of its support.
    case atBound = "at-bound"
    /// A density rises for ever: it has no maximum.
    case noMaximum = "no-maximum"
    /// A density is level at its maximum in some direction.
    case flat
    /// Another maximum is nearly as high.
    case severalModes = "several-modes"
  }

  /// The reason.
  public let code: Code

  /// The site, the scalar or the chain it is about; `run` for all of them.
  public let subject: String

  /// What is wrong, what it means, and what to do.
  public let message: String

  /// Creates a warning.
  public init(_ code: Code, _ subject: String, _ message: String) {
    self.code = code
    self.subject = subject
    self.message = message
  }

  /// The code and the message.
  public var description: String { "\(code.rawValue): \(message)" }
}
