// SPDX-License-Identifier: MIT
//
// Hamiltonian Monte Carlo with trajectories of a fixed length.
//
// Source: Duane, Kennedy, Pendleton and Roweth 1987, Phys. Lett. B 195, 216; Neal 2011, Handbook of MCMC, chapter 5.

public import Numerics

/// Hamiltonian Monte Carlo: a trajectory of a fixed integration time, whose end is accepted or not.
///
/// Where the metric is right, coordinates have unit variance in units of it and the time π/2 carries a normal posterior's draws to
/// independent ones. ``NUTS`` finds the length of each trajectory itself; prefer it unless you know better.
public struct HMC: TunableKernel {
  public typealias State = HamiltonianState

  /// The step size of the leapfrog integrator.
  public var stepSize: Double {
    didSet { KernelSettings.check(stepSize: stepSize, of: "HMC") }
  }

  /// The metric; of dimension 0 stands for the identity.
  public var metric: Metric { didSet { prepared = PreparedMetric(metric) } }

  /// The acceptance that the step size is tuned to.
  public var targetAcceptance: Double {
    didSet { KernelSettings.check(targetAcceptance: targetAcceptance, of: "HMC") }
  }

  /// The time of a trajectory: its number of steps is this over the step size, rounded up.
  public var integrationTime: Double

  /// The share of the integration time by which a trajectory may be shorter or longer, drawn anew for each; 0 for none.
  ///
  /// Trajectories of one length may come back to where they began, in directions whose period divides it; some jitter prevents that.
  public var jitter: Double

  /// The largest number of steps of a trajectory.
  public var maximumSteps: Int

  /// The energy error beyond which a trajectory has diverged.
  public var divergenceThreshold: Double

  /// The metric made ready.
  private var prepared: PreparedMetric

  /// Creates the sampler; step size and metric are where a warm-up begins.
  public init(
    integrationTime: Double = .pi / 2, jitter: Double = 0.2, stepSize: Double = 0.1,
    metric: Metric = .identity(0), targetAcceptance: Double = 0.8, maximumSteps: Int = 1023,
    divergenceThreshold: Double = 1000
  ) {
    demand(
      integrationTime > 0 && integrationTime.isFinite && jitter >= 0 && jitter < 1
        && maximumSteps > 0,
      "HMC: expected integrationTime > 0, 0 ≤ jitter < 1, maximumSteps > 0, got \(integrationTime), \(jitter), \(maximumSteps)"
    )
    self.integrationTime = integrationTime
    self.jitter = jitter
    KernelSettings.check(stepSize: stepSize, of: "HMC")
    KernelSettings.check(targetAcceptance: targetAcceptance, of: "HMC")
    self.stepSize = stepSize
    self.metric = metric
    self.targetAcceptance = targetAcceptance
    self.maximumSteps = maximumSteps
    self.divergenceThreshold = divergenceThreshold
    prepared = PreparedMetric(metric)
  }

  /// The parts that are saved; the prepared metric is made anew.
  private enum CodingKeys: String, CodingKey {
    case integrationTime, jitter, stepSize, metric, targetAcceptance, maximumSteps
    case divergenceThreshold
  }

  public init(from decoder: any Decoder) throws {
    let parts = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      integrationTime: try parts.decode(Double.self, forKey: .integrationTime),
      jitter: try parts.decode(Double.self, forKey: .jitter),
      stepSize: try parts.decode(Double.self, forKey: .stepSize),
      metric: try parts.decode(Metric.self, forKey: .metric),
      targetAcceptance: try parts.decode(Double.self, forKey: .targetAcceptance),
      maximumSteps: try parts.decode(Int.self, forKey: .maximumSteps),
      divergenceThreshold: try parts.decode(Double.self, forKey: .divergenceThreshold))
  }

  /// What a step tells.
  public struct Info: StepInfo {
    public var acceptance: Double
    public var diverged: Bool
    public var gradients: Int
    public var energy: Double
  }

  public func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    State(at: q, target)
  }

  public func reasonableStepSize(_ state: State, _ target: some LogDensity, key: RandomKey)
    -> Double
  {
    PhaseSpace.reasonableStepSize(stepSize, state, prepared, target, key)
  }

  public func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    PhaseSpace.over(target, prepared, places: 3) { space in
      var (behind, present, ahead) = (space.place(0), space.place(1), space.place(2))
      space.load(state, into: behind)
      space.drawMomentum(behind, key)
      let start = space.kineticEnergy(behind) - state.logDensity
      // The indices of the uniform numbers lie behind those of the momentum.
      let time = integrationTime * (1 + jitter * (2 * key.uniform(1 << 32) - 1))
      let steps = Int(min(max(1, (time / stepSize).rounded(.up)), Double(maximumSteps)))
      var (value, error) = (state.logDensity, 0.0)
      for made in 1...steps {
        if made == 1 || !space.beginsNext { space.begin(from: behind, to: present, stepSize) }
        (value, error) = space.leap(present, next: ahead, stepSize, target, from: start)
        if !(error <= divergenceThreshold && error > -.infinity) {
          return Info(acceptance: 0, diverged: true, gradients: made, energy: start)
        }
        (behind, present, ahead) = (present, ahead, behind)
      }
      let acceptance = error > 0 ? exponential(-error) : 1
      if key.uniform(1 << 32 + 1) < acceptance { space.store(behind, value, into: &state) }
      return Info(acceptance: acceptance, diverged: false, gradients: steps, energy: start)
    }
  }
}
