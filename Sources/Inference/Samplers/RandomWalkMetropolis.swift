// SPDX-License-Identifier: MIT
//
// Random-walk Metropolis: the smallest kernel, which needs no gradient.
//
// Source: Metropolis et al. 1953, J. Chem. Phys. 21, 1087.

public import Numerics

/// Random-walk Metropolis with normal proposals.
///
/// An example of a kernel, and a yardstick: it needs some hundred times the evaluations of ``NUTS`` in ten dimensions, and
/// far more beyond. Use it where there is no gradient, in few dimensions.
public struct RandomWalkMetropolis: Kernel {
  /// The standard deviation of the proposals, in units of `widths`.
  public var scale: Double {
    didSet { KernelSettings.check(stepSize: scale, of: "RandomWalkMetropolis") }
  }

  /// The width of each coordinate; empty: all 1.
  public var widths: [Double]

  /// Creates the kernel; scale and widths are where a warm-up begins.
  public init(scale: Double = 1, widths: [Double] = []) {
    KernelSettings.check(stepSize: scale, of: "RandomWalkMetropolis")
    self.scale = scale
    self.widths = widths
  }

  /// What a chain carries.
  public struct State: ChainState {
    public var position: [Double]
    public var logDensity: Double
  }

  /// What a step tells.
  public struct Info: StepInfo {
    public var acceptance: Double
    public var diverged: Bool { false }
    public var gradients: Int { 0 }
  }

  public var adaptation: ScaleAdaptation { ScaleAdaptation() }

  public var shownStepSize: Double { scale }

  public func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    State(position: q, logDensity: target.value(at: q))
  }

  public func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    let n = state.position.count
    demand(
      widths.isEmpty || widths.count == n, "step: expected \(n) widths, got \(widths.count)")
    var proposal = state.position
    for k in 0..<n {
      proposal[k] += scale * (widths.isEmpty ? 1 : widths[k]) * key.normal(UInt64(k))
    }
    let value = target.value(at: proposal)
    // Outside the support the ratio is 0 or NaN: neither is accepted.
    let ratio = exponential(min(0, value - state.logDensity))
    if key.uniform(UInt64(n)) < ratio { state = State(position: proposal, logDensity: value) }
    return Info(acceptance: ratio.isNaN ? 0 : ratio)
  }
}
