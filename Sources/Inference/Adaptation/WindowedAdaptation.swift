// SPDX-License-Identifier: MIT
//
// Stan's warm-up: dual averaging of the step size, the metric from the draws of doubling windows.

public import Numerics

/// How a warm-up estimates the metric.
public enum MetricAdaptation: String, Sendable, Codable {
  /// The variances of the draws of each window.
  case diagonal
  /// The covariance of the draws of each window.
  case dense
  /// None: the kernel's metric is kept.
  case none
}

/// The tuning of step size and metric during the warm-up of one chain.
public struct WindowedAdaptation<Tuned: TunableKernel>: ChainAdaptation {
  /// How the metric is estimated.
  public var metric: MetricAdaptation

  /// The windows of the warm-up.
  private var schedule = WarmUpSchedule(iterations: 0)

  /// The window that is being filled, or is next.
  private var window = 0

  /// The tuning of the step size.
  private var tuning = DualAveraging(initial: 1, target: 0.8)

  /// The moments of the draws of the window.
  private var variances = RunningMoments(0)

  /// The covariance of the draws of the window.
  private var covariance = RunningCovariance(0)

  /// Creates the adaptation.
  public init(metric: MetricAdaptation = .diagonal) { self.metric = metric }

  /// The variances of each window.
  public static var diagonal: Self { Self(metric: .diagonal) }

  /// The covariance of each window.
  public static var dense: Self { Self(metric: .dense) }

  /// The step size alone; the kernel's metric is kept.
  public static var stepSizeOnly: Self { Self(metric: .none) }

  public mutating func begin(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ target: some LogDensity, iterations: Int,
    key: RandomKey
  ) {
    if kernel.metric.dimension != state.position.count {
      kernel.metric = .identity(state.position.count)
    }
    schedule = WarmUpSchedule(iterations: iterations)
    startWindow(&kernel, state, target, key)
  }

  /// Forgets the draws and the step sizes so far.
  private mutating func startWindow(
    _ kernel: inout Tuned, _ state: Tuned.State, _ target: some LogDensity, _ key: RandomKey
  ) {
    let n = state.position.count
    switch metric {
    case .diagonal: variances = RunningMoments(n)
    case .dense: covariance = RunningCovariance(n)
    case .none: break
    }
    kernel.stepSize = kernel.reasonableStepSize(state, target, key: key)
    tuning = DualAveraging(initial: kernel.stepSize, target: kernel.targetAcceptance)
  }

  public mutating func update(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ info: Tuned.Info, iteration: Int,
    _ target: some LogDensity, key: RandomKey
  ) {
    tuning.update(info.acceptance)
    kernel.stepSize = tuning.stepSize
    guard window < schedule.windows.count, schedule.windows[window].contains(iteration) else {
      return
    }
    switch metric {
    case .diagonal: variances.add(state.position)
    case .dense: covariance.add(state.position)
    case .none: break
    }
    guard iteration == schedule.windows[window].upperBound - 1 else { return }
    window += 1
    switch metric {
    case .diagonal: kernel.metric = .diagonal(variances.regularizedVariances)
    case .dense:
      kernel.metric = .dense(covariance.regularized, dimension: state.position.count)
    case .none: break
    }
    startWindow(&kernel, state, target, key.folding(in: iteration))
  }

  public mutating func end(_ kernel: inout Tuned) { kernel.stepSize = tuning.averagedStepSize }
}
