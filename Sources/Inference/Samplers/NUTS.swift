// SPDX-License-Identifier: MIT
//
// The no-U-turn sampler: multinomial sampling of a trajectory that stops before it turns back.
//
// Source: Hoffman and Gelman 2014, JMLR 15, 1593; Betancourt 2017, arXiv 1701.02434, appendix A; the checks across
// subtrees are those that Stan added in version 2.21.

public import Numerics

/// The no-U-turn sampler.
///
/// Multinomial weights within a trajectory, biased progressive sampling between its two halves, and the generalised
/// U-turn criterion with extra checks across subtrees.
public struct NUTS: TunableKernel {
  public typealias State = HamiltonianState

  /// The step size of the leapfrog integrator.
  public var stepSize: Double {
    didSet { KernelSettings.check(stepSize: stepSize, of: "NUTS") }
  }

  /// The metric; of dimension 0 stands for the identity.
  public var metric: Metric { didSet { prepared = PreparedMetric(metric) } }

  /// The acceptance that the step size is tuned to.
  public var targetAcceptance: Double {
    didSet { KernelSettings.check(targetAcceptance: targetAcceptance, of: "NUTS") }
  }

  /// The largest depth of the tree: a trajectory has at most 2^depth − 1 leapfrog steps; at most 18.
  public var maximumDepth: Int {
    didSet { demand(NUTS.depths.contains(maximumDepth), NUTS.depthMessage(maximumDepth)) }
  }

  /// The energy error beyond which a trajectory has diverged.
  public var divergenceThreshold: Double

  /// The metric made ready.
  private var prepared: PreparedMetric

  /// The depths that trees can have: their points must find places in one machine word of flags.
  private static let depths = 1...18

  /// Returns what is wrong with a depth.
  private static func depthMessage(_ depth: Int) -> String {
    "NUTS: expected a maximum depth in \(depths), got \(depth)"
  }

  /// Creates the sampler; step size and metric are where a warm-up begins.
  public init(
    stepSize: Double = 0.1, metric: Metric = .identity(0), targetAcceptance: Double = 0.8,
    maximumDepth: Int = 10, divergenceThreshold: Double = 1000
  ) {
    demand(NUTS.depths.contains(maximumDepth), NUTS.depthMessage(maximumDepth))
    KernelSettings.check(stepSize: stepSize, of: "NUTS")
    KernelSettings.check(targetAcceptance: targetAcceptance, of: "NUTS")
    self.stepSize = stepSize
    self.metric = metric
    self.targetAcceptance = targetAcceptance
    self.maximumDepth = maximumDepth
    self.divergenceThreshold = divergenceThreshold
    prepared = PreparedMetric(metric)
  }

  /// The parts that are saved; the prepared metric is made anew.
  private enum CodingKeys: String, CodingKey {
    case stepSize, metric, targetAcceptance, maximumDepth, divergenceThreshold
  }

  public init(from decoder: any Decoder) throws {
    let parts = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      stepSize: try parts.decode(Double.self, forKey: .stepSize),
      metric: try parts.decode(Metric.self, forKey: .metric),
      targetAcceptance: try parts.decode(Double.self, forKey: .targetAcceptance),
      maximumDepth: try parts.decode(Int.self, forKey: .maximumDepth),
      divergenceThreshold: try parts.decode(Double.self, forKey: .divergenceThreshold))
  }

  /// What a step tells.
  public struct Info: StepInfo {
    public var acceptance: Double
    public var diverged: Bool
    public var gradients: Int
    public var treeDepth: Int
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
    PhaseSpace.over(
      target, prepared, places: TrajectoryTree.places(maximumDepth),
      others: TrajectoryTree.totals(maximumDepth)
    ) { space in
      TrajectoryTree.move(
        &state, in: space, target, stepSize: stepSize, maximumDepth: maximumDepth,
        threshold: divergenceThreshold, key: key)
    }
  }
}
