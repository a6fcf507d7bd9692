// SPDX-License-Identifier: MIT
//
// Value and gradient of a compiled log density, its gradient asserted by central differences.

import SwiftSersic

/// An evaluator with the memory that a sampler would hold.
final class DensityCase {
  private let evaluator: DensityEvaluator
  private let position: [Double]
  private var gradient: [Double]
  private var value = Double.nan

  /// Creates the case at a point.
  init(_ density: CompiledDensity, at position: [Double]) {
    evaluator = density.makeEvaluator()
    self.position = position
    gradient = position.map { _ in 0 }
  }

  /// Evaluates value and gradient.
  func run() { value = evaluator.valueAndGradient(at: position, into: &gradient) }

  /// Compares the gradient with central differences of the value.
  ///
  /// With a step h the differences are off by h² times a third derivative, and by the rounding of the value over h: with
  /// h = 1e-5 and values of 1e4 both stay below 1e-6 of the largest element of the gradient.
  func check(step: Double = 1e-5, tolerance: Double = 1e-5) throws {
    try require(value.isFinite, "expected a finite log density, found \(value)")
    let scale = gradient.map(abs).max() ?? 0
    for k in position.indices {
      var (above, below) = (position, position)
      above[k] += step
      below[k] -= step
      let difference = (evaluator.value(at: above) - evaluator.value(at: below)) / (2 * step)
      try require(
        abs(difference - gradient[k]) <= tolerance * scale,
        "expected the derivative \(difference) by differences, found \(gradient[k])")
    }
  }

  /// The work of this case.
  var work: Work {
    Work(
      asserted: "gradient = central differences to 1e-5", body: { self.run() },
      check: { try self.check() })
  }
}
