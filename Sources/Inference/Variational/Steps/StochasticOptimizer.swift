// SPDX-License-Identifier: MIT
//
// Descent along noisy gradients: the protocol, and the simplest of its members.

import Numerics

/// What an optimiser carries from step to step.
public struct OptimizerState: Sendable, Codable, Equatable {
  /// The number of steps done.
  public var steps = 0

  /// Running averages and the like: vectors as long as that of the parameters.
  public var memory: [[Double]]

  /// Creates the state before the first step.
  public init(dimension: Int, vectors: Int) {
    memory = [[Double]](
      repeating: [Double](repeating: 0, count: dimension), count: vectors)
  }
}

/// A rule for steps against a noisy gradient.
///
/// Rules are values, and their memory is a value too: a run can be stored and continued. A new rule is one small type; only
/// ``step(_:against:_:factor:)`` is its own.
public protocol StochasticOptimizer: Sendable {
  /// Returns the state before the first step.
  func start(dimension: Int) -> OptimizerState

  /// Moves parameters by one step that makes a loss smaller.
  ///
  /// - Parameters:
  ///   - parameters: What is moved.
  ///   - gradient: The gradient of the loss, an estimate.
  ///   - state: The memory; its count of steps is raised by one.
  ///   - factor: What the step size of the rule's own schedule is multiplied with.
  func step(
    _ parameters: inout [Double], against gradient: [Double], _ state: inout OptimizerState,
    factor: Double)
}

/// Stochastic gradient descent with momentum.
///
/// v ← μ v + g, x ← x − rate · v; with Nesterov's variant x ← x − rate · (g + μ v).
///
/// ### Source
///
/// Sutskever, Martens, Dahl & Hinton 2013, "On the importance of initialization and momentum in deep learning", in the form of
/// optax and PyTorch, where the step size multiplies the whole velocity.
public struct SGD: StochasticOptimizer, Codable {
  /// The step size.
  public var learningRate: Schedule
  /// μ, the share of the velocity that is kept, in [0, 1).
  public var momentum: Double
  /// Whether the step looks ahead along the velocity.
  public var isNesterov: Bool

  /// Creates the rule.
  public init(_ learningRate: Schedule = 0.01, momentum: Double = 0, isNesterov: Bool = false) {
    demand(
      momentum >= 0 && momentum < 1, "SGD: expected a momentum in [0, 1), got \(momentum)")
    self.learningRate = learningRate
    self.momentum = momentum
    self.isNesterov = isNesterov
  }

  public func start(dimension: Int) -> OptimizerState {
    OptimizerState(dimension: dimension, vectors: 1)
  }

  public func step(
    _ parameters: inout [Double], against gradient: [Double], _ state: inout OptimizerState,
    factor: Double
  ) {
    let rate = factor * learningRate(state.steps)
    state.steps += 1
    for k in parameters.indices {
      let velocity = momentum * state.memory[0][k] + gradient[k]
      state.memory[0][k] = velocity
      parameters[k] -= rate * (isNesterov ? gradient[k] + momentum * velocity : velocity)
    }
  }
}

extension StochasticOptimizer where Self == SGD {
  /// Stochastic gradient descent, with momentum where asked for.
  public static func sgd(
    _ learningRate: Schedule = 0.01, momentum: Double = 0, isNesterov: Bool = false
  ) -> SGD {
    SGD(learningRate, momentum: momentum, isNesterov: isNesterov)
  }
}
