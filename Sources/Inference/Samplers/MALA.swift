// SPDX-License-Identifier: MIT
//
// The Metropolis-adjusted Langevin algorithm: the smallest kernel that follows gradients and is tuned like NUTS.
//
// Source: Roberts and Tweedie 1996, Bernoulli 2, 341; the acceptance to aim for: Roberts and Rosenthal 1998, J. R. Stat. Soc. B 60,
// 255; as Hamiltonian motion of one step: Neal 2011, Handbook of MCMC, section 5.5.2.

public import Numerics

/// The Metropolis-adjusted Langevin algorithm.
///
/// A step follows the gradient by ½ ε² M⁻¹ g and adds noise of covariance ε² M⁻¹, which is one leapfrog step from a momentum
/// drawn afresh. An example of a tunable kernel; ``NUTS`` goes further for the same number of gradients.
public struct MALA: TunableKernel {
  public var stepSize: Double {
    didSet { KernelSettings.check(stepSize: stepSize, of: "MALA") }
  }

  /// The metric; of dimension 0 stands for the identity.
  public var metric: Metric

  public var targetAcceptance: Double {
    didSet { KernelSettings.check(targetAcceptance: targetAcceptance, of: "MALA") }
  }

  /// The energy error beyond which a step has diverged.
  private static let divergenceThreshold = 1000.0

  /// Creates the kernel; step size and metric are where a warm-up begins.
  public init(
    stepSize: Double = 0.1, metric: Metric = .diagonal([]), targetAcceptance: Double = 0.574
  ) {
    KernelSettings.check(stepSize: stepSize, of: "MALA")
    KernelSettings.check(targetAcceptance: targetAcceptance, of: "MALA")
    self.stepSize = stepSize
    self.metric = metric
    self.targetAcceptance = targetAcceptance
  }

  /// What a chain carries.
  public struct State: GradientState {
    public var position: [Double]
    public var gradient: [Double]
    public var logDensity: Double
  }

  /// What a step tells.
  public struct Info: StepInfo {
    public var acceptance: Double
    public var diverged: Bool
    public var energy: Double
  }

  public func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    var gradient = q
    let value = target.valueAndGradient(at: q, into: &gradient)
    return State(position: q, gradient: gradient, logDensity: value)
  }

  public func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    let (proposal, energy, error) = propose(state, stepSize, target, key)
    // An error that is NaN is not accepted.
    let acceptance = error.isNaN ? 0 : exponential(min(0, -error))
    if key.folding(in: "accept").uniform(0) < acceptance { state = proposal }
    return Info(
      acceptance: acceptance, diverged: !(error <= Self.divergenceThreshold), energy: energy)
  }

  /// Doubles or halves the step size until one step crosses the acceptance to reach.
  public func reasonableStepSize(_ state: State, _ target: some LogDensity, key: RandomKey)
    -> Double
  {
    var size = stepSize
    var direction = 0.0
    // A hundred doublings or halvings lead from any size to any other.
    for attempt in 0..<100 {
      let (_, _, error) = propose(state, size, target, key.folding(in: attempt))
      let isGood = exponential(-error) > targetAcceptance
      if direction == 0 { direction = isGood ? 1 : -1 }
      if isGood != (direction > 0) || !size.isFinite || size < 1e-300 { break }
      size *= direction > 0 ? 2 : 0.5
    }
    return size
  }

  /// Returns a proposal, the energy before it and the change of energy.
  private func propose(
    _ state: State, _ size: Double, _ target: some LogDensity, _ key: RandomKey
  ) -> (proposal: State, energy: Double, error: Double) {
    let n = state.position.count
    let metric = metric.dimension == n ? metric : .identity(n)
    var momentum = metric.momentum(key: key.folding(in: "momentum"))
    let energy = 0.5 * dot(momentum, metric.velocity(momentum)) - state.logDensity
    add(0.5 * size, state.gradient, to: &momentum)
    var position = state.position
    add(size, metric.velocity(momentum), to: &position)
    let proposal = start(at: position, target, key: key)
    add(0.5 * size, proposal.gradient, to: &momentum)
    let after = 0.5 * dot(momentum, metric.velocity(momentum)) - proposal.logDensity
    return (proposal, energy, after - energy)
  }
}
