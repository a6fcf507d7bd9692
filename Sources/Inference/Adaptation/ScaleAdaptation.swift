// SPDX-License-Identifier: MIT
//
// The tuning of random-walk proposals: the scale to an acceptance, the widths to the draws; the smallest adaptation.
//
// Source: Andrieu and Thoms 2008, Stat. Comput. 18, 343, algorithm 4, with the widths set once rather than at each step.

public import Numerics

/// The tuning of ``RandomWalkMetropolis``.
///
/// The second quarter of the warm-up measures the widths of the coordinates, which are set at its middle; before and after
/// that the scale is led to the acceptance that is best for a normal target.
public struct ScaleAdaptation: ChainAdaptation {
  /// The acceptance to reach; nil: 0.44 in one dimension, else 0.234 (Roberts, Gelman and Gilks 1997).
  public var targetAcceptance: Double?

  private var iterations = 0
  private var moments = RunningMoments(dimension: 0)
  private var logScale = 0.0
  private var steps = 0.0
  private var logScaleSum = 0.0
  private var summed = 0.0

  /// Creates the adaptation.
  public init(targetAcceptance: Double? = nil) { self.targetAcceptance = targetAcceptance }

  public mutating func begin(
    _ kernel: inout RandomWalkMetropolis, _ state: inout RandomWalkMetropolis.State,
    _ target: some LogDensity, iterations: Int, key: RandomKey
  ) {
    self.iterations = iterations
    moments = RunningMoments(dimension: state.position.count)
    logScale = logarithm(kernel.scale)
  }

  public mutating func update(
    _ kernel: inout RandomWalkMetropolis, _ state: inout RandomWalkMetropolis.State,
    _ info: RandomWalkMetropolis.Info, iteration: Int, _ target: some LogDensity, key: RandomKey
  ) {
    let n = state.position.count
    steps += 1
    // Steps that fall off like t^−0.6: their sum diverges, that of their squares does not.
    let gain = exponential(-0.6 * logarithm(steps))
    logScale += gain * (info.acceptance - (targetAcceptance ?? (n == 1 ? 0.44 : 0.234)))
    if iteration >= iterations / 4 && iteration < iterations / 2 { moments.add(state.position) }
    // Fewer draws than ten tell nothing of a width.
    if iteration == iterations / 2 && moments.count >= 10 {
      kernel.widths = moments.variances(towards: nil).map { $0.squareRoot() }
      logScale = logarithm(2.38 / Double(n).squareRoot())
      steps = 0
    }
    if iteration >= iterations * 3 / 4 {
      logScaleSum += logScale
      summed += 1
    }
    kernel.scale = KernelSettings.possible(exponential(logScale))
  }

  public mutating func end(_ kernel: inout RandomWalkMetropolis) {
    kernel.scale = KernelSettings.possible(
      exponential(summed > 0 ? logScaleSum / summed : logScale))
  }
}
