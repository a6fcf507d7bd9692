// SPDX-License-Identifier: MIT
//
// What an optimiser returns: where it stopped, why, and whether that is a maximum.

/// The end of a search for the maximum of a log density.
public struct Optimum: Sendable {
  /// Why a search stopped.
  public enum Reason: String, Sendable, Codable, CaseIterable {
    /// The gain in log density that a further step promises is below the tolerance.
    case converged
    /// The gain that a further step promises is lost in the rounding of the log density.
    case roundingLimit = "rounding-limit"
    /// The number of iterations is used up.
    case iterationLimit = "iteration-limit"
    /// No step gains anything, though the gradient promises a gain.
    case noProgress = "no-progress"
    /// The log density or its gradient is not finite at the start.
    case notFinite = "not-finite"
    /// The second derivatives are not finite at a point where value and gradient are.
    case curvatureNotFinite = "curvature-not-finite"
    /// The caller asked to stop.
    case cancelled
    /// The caller's test of the point was met: the search comes to a place that is known.
    case merged
  }

  /// The best point found, unconstrained.
  public var position: [Double]

  /// The log density there.
  public var value: Double

  /// The gradient there.
  public var gradient: [Double]

  /// Why the search stopped.
  public var reason: Reason

  /// The number of steps, rejected ones included.
  public var iterations: Int

  /// The number of evaluations of the log density with its gradient.
  public var gradientEvaluations: Int

  /// The number of Hessian-vector products; a Hessian of n coordinates counts n.
  public var hessianProducts: Int

  /// Creates the end of a search.
  public init(
    position: [Double], value: Double, gradient: [Double], reason: Reason, iterations: Int,
    gradientEvaluations: Int, hessianProducts: Int = 0
  ) {
    self.position = position
    self.value = value
    self.gradient = gradient
    self.reason = reason
    self.iterations = iterations
    self.gradientEvaluations = gradientEvaluations
    self.hessianProducts = hessianProducts
  }

  /// The number of evaluations of the log density, of any kind.
  public var evaluations: Int { gradientEvaluations + hessianProducts }

  /// Whether the point is a maximum, as far as the search can tell.
  public var isConverged: Bool { reason == .converged || reason == .roundingLimit }

  /// The reason in words, with what to do.
  public var explanation: String {
    switch reason {
    case .converged: "converged after \(iterations) steps"
    case .roundingLimit: "converged to rounding after \(iterations) steps"
    case .iterationLimit:
      "stopped after \(iterations) steps without converging; raise the limit, or start nearer"
    case .noProgress:
      "stopped after \(iterations) steps where no step gains anything, though the gradient is not zero; the density may have a kink or a cliff there"
    case .notFinite:
      "found no finite log density and gradient at the start; give another starting point, or check data and priors"
    case .curvatureNotFinite:
      "stopped after \(iterations) steps where second derivatives are not finite; use LBFGS, which needs none"
    case .merged: "joined an earlier search after \(iterations) steps"
    case .cancelled: "stopped on request after \(iterations) steps"
    }
  }

  /// Adds the cost of an earlier search from which this one went on.
  mutating func addCost(of earlier: Optimum) {
    iterations += earlier.iterations
    gradientEvaluations += earlier.gradientEvaluations
    hessianProducts += earlier.hessianProducts
  }
}
