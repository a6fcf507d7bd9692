// SPDX-License-Identifier: MIT
//
// The warm-up of Hamiltonian kernels: dual averaging of the step size, the metric from the draws of windows.

public import Numerics
import PPL

/// How a warm-up estimates the metric.
public enum MetricAdaptation: String, Sendable, Codable, CaseIterable {
  /// The variances of the draws, or their covariance where correlations are strong.
  case automatic
  /// The variances of the draws.
  case diagonal
  /// The covariance of the draws.
  case dense
  /// √(var(draws) / var(gradients)) of each coordinate, the diagonal metric of the smallest Fisher divergence.
  case fisherDiagonal
  /// That, and the directions in which the posterior is wider or narrower, from draws and gradients.
  case lowRank
  /// None: the kernel's metric is kept.
  case none
}

/// The tuning of step size and metric during the warm-up of one chain.
///
/// Variances and covariances come from Stan's windows, 75 | 25 50 100 200 500 | 50 for 1000 iterations. The two that also use gradients
/// learn within tens of draws, in windows that overlap.
///
/// If unsure, keep `.automatic`: it is `.diagonal`, and `.dense` where the draws and gradients of a window of at least a hundred draws,
/// and at least twice as many as there are coordinates, promise trajectories of half the length or less, and do not contradict a
/// normal posterior. Where a fifth or more of the trajectories of a window are cut off at the largest depth, moments learn too little
/// of the posterior to get better: it goes on as `.lowRank` for the rest of the warm-up, as raw powers of a predictor need it.
/// Correlations of many coordinates call for `.lowRank`. `.fisherDiagonal` tunes sooner where warm-ups are short.
public struct WindowedAdaptation<Tuned: TunableKernel>: ChainAdaptation {
  /// How the metric is estimated.
  public var metric: MetricAdaptation

  /// The largest number of directions of a metric of low rank.
  public var maximumRank: Int

  /// The factor by which the variance along a direction must differ from that of the diagonal metric to be treated apart.
  public var cutoff: Double

  /// The tuning of the step size.
  private var tuning = DualAveraging(initial: 1, target: 0.8)

  /// The windows of variances and covariances.
  private var moments: MomentWindows?

  /// The windows of draws and gradients.
  private var fisher: FisherWindows?

  /// The iteration at which the windows of draws and gradients began.
  private var fisherStart = 0

  /// The iterations of the warm-up.
  private var iterations = 0

  /// The trajectories of the present window that were cut off at the largest depth.
  private var cutOff = 0

  /// The share of a window's trajectories that are cut off from which moments are given up.
  private static var largestShare: Double { 0.2 }

  /// The iterations that a metric of low rank needs to be learnt and the step size to settle.
  private static var fewestIterations: Int { 100 }

  /// Creates the adaptation; rank and cutoff are for metrics of low rank.
  public init(metric: MetricAdaptation = .automatic, maximumRank: Int = 100, cutoff: Double = 2) {
    demand(
      maximumRank > 0 && cutoff > 1,
      "WindowedAdaptation: expected maximumRank > 0, cutoff > 1, got \(maximumRank), \(cutoff)")
    self.metric = metric
    self.maximumRank = maximumRank
    self.cutoff = cutoff
  }

  /// The variances of each window, or the covariance where correlations are strong.
  public static var automatic: Self { Self(metric: .automatic) }

  /// The variances of each window.
  public static var diagonal: Self { Self(metric: .diagonal) }

  /// The covariance of each window.
  public static var dense: Self { Self(metric: .dense) }

  /// The diagonal metric of the smallest Fisher divergence.
  public static var fisherDiagonal: Self { Self(metric: .fisherDiagonal) }

  /// The metric of diagonal and low rank of the smallest Fisher divergence.
  public static var lowRank: Self { Self(metric: .lowRank) }

  /// The step size alone; the kernel's metric is kept.
  public static var stepSizeOnly: Self { Self(metric: .none) }

  public var learnsMetric: Bool { metric != .none }

  public var warnings: [String] { [moments?.doubt].compactMap { $0 } }

  public func validate() throws {
    guard metric == .fisherDiagonal || metric == .lowRank,
      !(Tuned.State.self is any GradientState.Type)
    else { return }
    throw ModelError(
      .misuse,
      "expected a kernel whose state is a GradientState for the adaptation .\(metric), which learns from gradients, found \(Tuned.State.self); let the state conform to it, or use .automatic, .diagonal or .dense"
    )
  }

  public mutating func begin(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ target: some LogDensity, iterations: Int,
    key: RandomKey
  ) {
    let n = state.position.count
    self.iterations = iterations
    let isInformed = kernel.metric.dimension == n
    if !isInformed { kernel.metric = .identity(n) }
    switch metric {
    case .automatic, .diagonal, .dense:
      moments = MomentWindows(
        iterations: iterations, dimension: n, form: metric, isInformed: isInformed)
    case .fisherDiagonal, .lowRank:
      let gradient = gradient(state)
      fisher = FisherWindows(
        iterations: iterations, position: state.position, gradient: gradient,
        maximumRank: metric == .lowRank ? maximumRank : nil, cutoff: cutoff)
      if !isInformed { kernel.metric = FisherWindows.first(gradient) }
    case .none: break
    }
    findStepSize(&kernel, state, target, key)
  }

  /// Returns the gradient of a state, which adaptations from gradients need.
  private func gradient(_ state: Tuned.State) -> [Double] {
    guard let state = state as? any GradientState else {
      stop(
        "WindowedAdaptation.\(metric): expected a kernel whose state is a GradientState, got \(Tuned.State.self)"
      )
    }
    return state.gradient
  }

  /// Begins the tuning of the step size anew.
  private mutating func findStepSize(
    _ kernel: inout Tuned, _ state: Tuned.State, _ target: some LogDensity, _ key: RandomKey
  ) {
    kernel.stepSize = KernelSettings.possible(
      kernel.reasonableStepSize(state, target, key: key))
    tuning = DualAveraging(initial: kernel.stepSize, target: kernel.targetAcceptance)
  }

  public mutating func update(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ info: Tuned.Info, iteration: Int,
    _ target: some LogDensity, key: RandomKey
  ) {
    tuning.update(info.acceptance)
    kernel.stepSize = KernelSettings.possible(tuning.stepSize)
    let slope = metric == .automatic ? (state as? any GradientState)?.gradient : nil
    if let slope, let length = moments?.length(at: iteration),
      let largest = kernel.maximumTreeDepth, info.treeDepth >= largest
    {
      cutOff += 1
      if Double(cutOff) >= Self.largestShare * Double(length),
        iterations - iteration > Self.fewestIterations
      {
        giveUpMoments(&kernel, state.position, slope, iteration)
        findStepSize(&kernel, state, target, key.folding(in: iteration))
        return
      }
    }
    if let learnt = moments?.learn(
      state.position, slope, iteration: iteration, present: kernel.metric)
    {
      kernel.metric = learnt
      cutOff = 0
      findStepSize(&kernel, state, target, key.folding(in: iteration))
      return
    }
    let gradient = fisher == nil ? [] : gradient(state)
    if let learnt = fisher?.learn(
      state.position, gradient, iteration: iteration - fisherStart, present: kernel.metric)
    {
      kernel.metric = learnt.metric
      if learnt.isNew { findStepSize(&kernel, state, target, key.folding(in: iteration)) }
    }
  }

  /// Goes on with draws and gradients, once it is certain that too many trajectories of a window are cut off.
  ///
  /// A chain that cannot cross the posterior shows moments of the part that it has seen, and the next window's are hardly
  /// better. Gradients tell the narrow directions wherever the chain is.
  private mutating func giveUpMoments(
    _ kernel: inout Tuned, _ position: [Double], _ gradient: [Double], _ iteration: Int
  ) {
    moments = nil
    fisherStart = iteration + 1
    fisher = FisherWindows(
      iterations: iterations - fisherStart, position: position, gradient: gradient,
      maximumRank: maximumRank, cutoff: cutoff)
    kernel.metric = FisherWindows.first(gradient)
  }

  public mutating func end(_ kernel: inout Tuned) {
    kernel.stepSize = KernelSettings.possible(tuning.averagedStepSize)
  }
}
