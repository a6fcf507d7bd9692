// SPDX-License-Identifier: MIT
//
// Rules that give each parameter a step size of its own: Adam, Adagrad, RMSProp.

import Numerics

/// Adam: steps of about the same length for every parameter, by running means of the gradient and of its square.
///
/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², x ← x − rate · m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
///
/// ### Source
///
/// Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. With `clip` each element of the gradient is
/// first confined to ±clip: NumPyro's ClippedAdam, for objectives whose gradients have heavy tails.
public struct Adam: StochasticOptimizer, Codable {
  /// The step size.
  public var learningRate: Schedule
  /// β₁, the memory of the mean.
  public var beta1: Double
  /// β₂, the memory of the mean square.
  public var beta2: Double
  /// ε, which keeps the quotient finite.
  public var epsilon: Double
  /// The largest element of a gradient; infinite for none.
  public var clip: Double

  /// Creates the rule.
  public init(
    _ learningRate: Schedule = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, clip: Double = .infinity
  ) {
    demand(
      beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && clip > 0,
      "Adam: expected β in [0, 1) and clip > 0, got \(beta1), \(beta2), \(clip)")
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.clip = clip
  }

  public func start(dimension: Int) -> OptimizerState {
    OptimizerState(dimension: dimension, vectors: 2)
  }

  public func step(
    _ parameters: inout [Double], against gradient: [Double], _ state: inout OptimizerState,
    factor: Double
  ) {
    let rate = factor * learningRate(state.steps)
    state.steps += 1
    let first = 1 - power(beta1, Double(state.steps))
    let second = 1 - power(beta2, Double(state.steps))
    for k in parameters.indices {
      let g = min(max(gradient[k], -clip), clip)
      let mean = beta1 * state.memory[0][k] + (1 - beta1) * g
      let square = beta2 * state.memory[1][k] + (1 - beta2) * g * g
      state.memory[0][k] = mean
      state.memory[1][k] = square
      parameters[k] -= rate * (mean / first) / ((square / second).squareRoot() + epsilon)
    }
  }
}

/// Adagrad: step sizes that fall with the squares of all gradients so far.
///
/// s ← s + g², x ← x − rate · g / (√s + ε).
///
/// ### Source
///
/// Duchi, Hazan & Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization".
public struct Adagrad: StochasticOptimizer, Codable {
  /// The step size.
  public var learningRate: Schedule
  /// ε, which keeps the quotient finite.
  public var epsilon: Double

  /// Creates the rule.
  public init(_ learningRate: Schedule = 0.1, epsilon: Double = 1e-10) {
    self.learningRate = learningRate
    self.epsilon = epsilon
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
      let sum = state.memory[0][k] + gradient[k] * gradient[k]
      state.memory[0][k] = sum
      parameters[k] -= rate * gradient[k] / (sum.squareRoot() + epsilon)
    }
  }
}

/// RMSProp: step sizes by a running mean of squared gradients.
///
/// s ← ρ s + (1 − ρ) g², x ← x − rate · g / (√s + ε).
///
/// ### Source
///
/// Tieleman & Hinton 2012, "Neural networks for machine learning", lecture 6.5, with PyTorch's place for ε.
public struct RMSProp: StochasticOptimizer, Codable {
  /// The step size.
  public var learningRate: Schedule
  /// ρ, the memory of the mean square.
  public var decay: Double
  /// ε, which keeps the quotient finite.
  public var epsilon: Double

  /// Creates the rule.
  public init(_ learningRate: Schedule = 0.01, decay: Double = 0.99, epsilon: Double = 1e-8) {
    demand(decay >= 0 && decay < 1, "RMSProp: expected a decay in [0, 1), got \(decay)")
    self.learningRate = learningRate
    self.decay = decay
    self.epsilon = epsilon
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
      let mean = decay * state.memory[0][k] + (1 - decay) * gradient[k] * gradient[k]
      state.memory[0][k] = mean
      parameters[k] -= rate * gradient[k] / (mean.squareRoot() + epsilon)
    }
  }
}

extension StochasticOptimizer where Self == Adam {
  /// Adam.
  public static func adam(
    _ learningRate: Schedule = 0.001, beta1: Double = 0.9, beta2: Double = 0.999
  ) -> Adam {
    Adam(learningRate, beta1: beta1, beta2: beta2)
  }

  /// Adam on gradients whose elements are confined to ±clip.
  public static func clippedAdam(_ learningRate: Schedule = 0.001, clip: Double = 10) -> Adam {
    Adam(learningRate, clip: clip)
  }
}

extension StochasticOptimizer where Self == Adagrad {
  /// Adagrad.
  public static func adagrad(_ learningRate: Schedule = 0.1) -> Adagrad { Adagrad(learningRate) }
}

extension StochasticOptimizer where Self == RMSProp {
  /// RMSProp.
  public static func rmsProp(_ learningRate: Schedule = 0.01, decay: Double = 0.99) -> RMSProp {
    RMSProp(learningRate, decay: decay)
  }
}
