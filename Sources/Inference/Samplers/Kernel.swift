// SPDX-License-Identifier: MIT
//
// A Markov kernel: how one draw follows another. A new algorithm is one small file that conforms to it.

public import Numerics

/// What a chain carries from one draw to the next.
public protocol ChainState: Sendable, Codable {
  /// The point, unconstrained.
  var position: [Double] { get }

  /// The log density there.
  var logDensity: Double { get }
}

/// What is worth knowing about one step.
public protocol StepInfo: Sendable {
  /// The acceptance probability, averaged over the step.
  var acceptance: Double { get }

  /// Whether the step left the region where the integration can be trusted.
  var diverged: Bool { get }

  /// The number of gradients of the step.
  var gradients: Int { get }

  /// The depth of the trajectory tree; 0 for kernels without one.
  var treeDepth: Int { get }

  /// The energy at the start of the step; NaN for kernels without one.
  var energy: Double { get }

  /// Further numbers of each step that a run keeps; empty for most kernels, and the same whenever it is asked for.
  static var extras: [StepExtra<Self>] { get }
}

extension StepInfo {
  public var gradients: Int { 1 }
  public var treeDepth: Int { 0 }
  public var energy: Double { .nan }
  public static var extras: [StepExtra<Self>] { [] }
}

/// A Markov kernel that leaves a log density invariant: a value with `start` and `step`.
///
/// A kernel is saved with the chain that it moves, so that a run can be resumed: for a structure of numbers Swift writes
/// the coding by itself. ``run(_:chains:warmUp:draws:thinning:key:initial:adaptation:sites:keepsUnconstrained:threads:progress:checkpoint:isCancelled:)``
/// makes draws with it; by hand, a chain is a loop:
///
/// ```swift
/// let density = try model.logDensity()
/// let target = density.makeEvaluator()
/// let kernel = NUTS(stepSize: 0.2)
/// let start = try density.initialPoint(key: 1)
/// var state = kernel.start(at: start, target, key: 2)
/// for iteration in 0..<1000 {
///   let info = kernel.step(&state, target, key: RandomKey(3).folding(in: iteration))
///   print(state.logDensity, info.acceptance, density.constrain(state.position))
/// }
/// ```
///
/// A step depends on kernel, state, target and key alone; the target is that of one thread.
public protocol Kernel: Sendable, Codable {
  associatedtype State: ChainState
  associatedtype Info: StepInfo

  /// What tunes the kernel during a warm-up, unless the caller of a run has another wish.
  associatedtype Adaptation: ChainAdaptation<Self> = NoAdaptation<Self>

  /// The adaptation with its usual options.
  var adaptation: Adaptation { get }

  /// The step size that progress and statistics show; NaN for kernels without one.
  var shownStepSize: Double { get }

  /// The depth at which trajectories are cut off, for diagnostics; nil for kernels without one.
  var maximumTreeDepth: Int? { get }

  /// Returns the state of a chain that begins at a point.
  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State

  /// Moves a chain by one draw; all randomness comes from the key.
  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info
}

extension Kernel where Adaptation == NoAdaptation<Self> {
  public var adaptation: NoAdaptation<Self> { NoAdaptation() }
}

extension Kernel {
  public var shownStepSize: Double { .nan }
  public var maximumTreeDepth: Int? { nil }
}

/// A kernel whose step size and metric a warm-up can adapt.
public protocol TunableKernel: Kernel {
  associatedtype Adaptation = WindowedAdaptation<Self>

  /// The step size of the integrator.
  var stepSize: Double { get set }

  /// The metric, given by the inverse of the mass matrix: an estimate of the posterior's covariance.
  var metric: Metric { get set }

  /// The acceptance that the step size is tuned to.
  var targetAcceptance: Double { get }

  /// Returns a step size of the right order at a state, to begin tuning with.
  func reasonableStepSize(_ state: State, _ target: some LogDensity, key: RandomKey) -> Double
}

extension TunableKernel {
  public var shownStepSize: Double { stepSize }
}

extension TunableKernel where Adaptation == WindowedAdaptation<Self> {
  public var adaptation: WindowedAdaptation<Self> { .automatic }
}
