// SPDX-License-Identifier: MIT
//
// The choice of step sizes from error estimates.
//
// Source: Hairer, Nørsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.4; Gustafsson 1991.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A controller with proportional and integral part, which proposes the size of the next step.
struct StepControl {
  /// The exponent of the present error.
  private let exponent: Double

  /// The error of the last accepted step, not below `smallestError`.
  private var lastError = StepControl.smallestError

  /// Whether the step before was rejected: the next one does not grow then.
  private var wasRejected = false

  /// The exponent of the last error; Hairer & Wanner's choice for their code DOPRI5.
  private static let stabilization = 0.04

  /// The part of the step that would just meet the tolerance which is taken.
  private static let safety = 0.9

  /// The bounds of the change of the step size.
  static let (smallestFactor, largestFactor) = (0.2, 10.0)

  /// The change where there is no error estimate: a number that is not finite, or an iteration that does not converge.
  private static let factorOfFailure = 0.25

  /// The error below which a step tells nothing of the next one.
  private static let smallestError = 1e-4

  /// Creates the controller of a method whose error estimate is of a given order in the step size.
  init(errorOrder: Double) { exponent = 1 / errorOrder - 0.75 * StepControl.stabilization }

  /// Returns the factor of the step size after a step with a scaled error of at most 1.
  mutating func factorAfterAccepting(_ error: Double) -> Double {
    let wanted =
      StepControl.safety * pow(lastError, StepControl.stabilization) / pow(error, exponent)
    lastError = max(error, StepControl.smallestError)
    let largest = wasRejected ? 1 : StepControl.largestFactor
    wasRejected = false
    return min(largest, max(StepControl.smallestFactor, wanted))
  }

  /// Returns the factor of the step size after a step with a scaled error above 1, or NaN.
  mutating func factorAfterRejecting(_ error: Double) -> Double {
    wasRejected = true
    guard error.isFinite else { return StepControl.factorOfFailure }
    return max(StepControl.smallestFactor, StepControl.safety / pow(error, exponent))
  }

  /// Returns the size of a first step, by the algorithm at the end of Hairer, Nørsett & Wanner's section II.4.
  ///
  /// - Parameters:
  ///   - state: The norm of the state, in units of its tolerance.
  ///   - slope: That of its derivative, per unit of time.
  ///   - order: The order of the error estimate in the step size.
  ///   - span: The length of time to be covered, `> 0`.
  ///   - secondDerivative: Returns the norm of the second derivative, from an Euler step of the size it is given.
  /// - Returns: The size, `> 0` where all is finite.
  static func firstStep(
    state: Double, slope: Double, order: Double, span: Double,
    secondDerivative: (Double) -> Double
  ) -> Double {
    let tiny = 1e-5
    let trial = min(span, state < tiny || slope < tiny ? 1e-6 * span : 0.01 * state / slope)
    let second = secondDerivative(trial)
    // A trial step into a region where f is not finite tells nothing: begin with less than it.
    guard second.isFinite, slope.isFinite else { return 0.01 * trial }
    let largest = max(slope, second)
    let step = largest <= 1e-15 ? max(1e-6 * span, 1e-3 * trial) : pow(0.01 / largest, 1 / order)
    return min(100 * trial, step, span)
  }
}
