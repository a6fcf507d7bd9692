// SPDX-License-Identifier: MIT
//
// Dual averaging of the step size towards a target acceptance.
//
// Source: Hoffman and Gelman 2014, JMLR 15, 1593, section 3.2.1 and algorithm 6.

/// The tuning of a step size: noisy acceptances in, a step size out.
///
/// ```swift
/// var tuning = DualAveraging(initial: kernel.stepSize, target: 0.8)
/// for iteration in 0..<1000 {
///   kernel.stepSize = tuning.stepSize
///   tuning.update(kernel.step(&state, target, key: key.folding(in: iteration)).acceptance)
/// }
/// kernel.stepSize = tuning.averagedStepSize
/// ```
public struct DualAveraging: Sendable, Codable {
  /// The acceptance to reach.
  public var target: Double
  /// The strength of the pull towards `center`.
  public var gamma = 0.05
  /// The weight of the first iterations: higher is steadier.
  public var t0 = 10.0
  /// The forgetting of early iterates in the average.
  public var kappa = 0.75

  /// log of ten times the initial step size, towards which iterates shrink: large steps are cheap to try.
  private var center: Double
  private var count = 0.0
  private var errorMean = 0.0
  private var logStep: Double
  private var logStepMean = 0.0

  /// Starts from an initial step size.
  ///
  /// - Parameters:
  ///   - stepSize: The step size, positive and finite.
  ///   - target: The acceptance to reach, between 0 and 1.
  public init(initial stepSize: Double, target: Double) {
    KernelSettings.check(stepSize: stepSize, of: "DualAveraging")
    KernelSettings.check(targetAcceptance: target, of: "DualAveraging")
    self.target = target
    center = logarithm(10 * stepSize)
    logStep = logarithm(stepSize)
  }

  /// Takes the acceptance of one step, in [0, 1]; NaN counts as 0.
  public mutating func update(_ acceptance: Double) {
    count += 1
    let accepted = acceptance.isNaN ? 0 : min(1, acceptance)
    let weight = 1 / (count + t0)
    errorMean = (1 - weight) * errorMean + weight * (target - accepted)
    logStep = center - errorMean * count.squareRoot() / gamma
    let share = exponential(-kappa * logarithm(count))
    logStepMean = share * logStep + (1 - share) * logStepMean
  }

  /// The step size to try next, positive and finite.
  public var stepSize: Double { KernelSettings.possible(exponential(logStep)) }

  /// The averaged step size, to be used after the warm-up; positive and finite.
  public var averagedStepSize: Double {
    KernelSettings.possible(exponential(count > 0 ? logStepMean : logStep))
  }
}
