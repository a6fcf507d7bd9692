// SPDX-License-Identifier: MIT
//
// What step sizes and acceptances kernels take: checks at construction, with the value in words.

import Numerics

/// The checks of the settings of kernels.
enum KernelSettings {
  /// Stops the program where a step size is not positive and finite.
  static func check(stepSize: Double, of kernel: String) {
    demand(
      stepSize > 0 && stepSize.isFinite,
      "\(kernel): expected a positive, finite step size, got \(stepSize)")
  }

  /// Stops the program where an acceptance does not lie between 0 and 1.
  static func check(targetAcceptance: Double, of kernel: String) {
    demand(
      targetAcceptance > 0 && targetAcceptance < 1,
      "\(kernel): expected a target acceptance between 0 and 1, got \(targetAcceptance)")
  }

  /// Returns the nearest step size that kernels take: tuning may lead out of the range of numbers.
  static func possible(_ stepSize: Double) -> Double {
    // NaN counts as the smallest.
    min(max(.leastNormalMagnitude, stepSize), .greatestFiniteMagnitude)
  }
}
