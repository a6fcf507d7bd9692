// SPDX-License-Identifier: MIT
//
// Stochastic variational inference: ascent of an ELBO along noisy gradients.
//
// Source: Hoffman, Blei, Wang & Paisley 2013, "Stochastic variational inference"; Kingma & Welling 2014.

public import Numerics
public import PPL

/// The state of a fit, from which it can be continued.
public struct SVIState: Sendable, Codable, Equatable {
  /// The unconstrained parameters.
  public var parameters: [Double]

  /// The memory of the optimiser.
  public var optimizer: OptimizerState

  /// The number of steps done; each has a key of its own.
  public var step = 0

  /// The number of steps without a move, because the ELBO or its gradient was not finite.
  public var skipped = 0

  /// The key of the fit.
  public let key: RandomKey

  /// Creates a state.
  init(parameters: [Double], optimizer: OptimizerState, key: RandomKey) {
    self.parameters = parameters
    self.optimizer = optimizer
    self.key = key
  }
}

/// A fit of a guide to the posterior of a model.
///
/// ```swift
/// let result = try SVI(model, guide, optimizer: .adam(0.01), loss: TraceELBO(particles: 1))
///   .run(steps: 2000, key: 1)
/// result.parameters["auto_loc"]
/// ```
///
/// Or step by step, for a loop of one's own:
///
/// ```swift
/// let svi = try SVI(model, guide)
/// let evaluator = svi.makeEvaluator()
/// var state = svi.start(key: 1)
/// while state.step < 2000 { let loss = svi.update(&state, evaluator) }
/// ```
public struct SVI: Sendable {
  /// The objective.
  public let objective: CompiledELBO

  /// The rule of the steps.
  public let optimizer: any StochasticOptimizer

  /// Compiles the fit of a guide to a model.
  ///
  /// - Parameters:
  ///   - model: The model; subsampled plates are welcome.
  ///   - guide: A program with a site for every latent site of the model, and `param` sites.
  ///   - optimizer: The rule of the steps.
  ///   - loss: The estimate of the evidence lower bound.
  /// - Throws: `ModelError` where the two do not fit; see ``CompiledELBO``.
  public init(
    _ model: Model<some Any>, _ guide: Model<some Any>,
    optimizer: some StochasticOptimizer = .adam(0.01), loss: some ELBO = TraceELBO()
  ) throws {
    objective = try CompiledELBO(model, guide, loss: loss)
    self.optimizer = optimizer
  }

  /// Returns an evaluator with its own memory; one to each thread.
  public func makeEvaluator() -> ELBOEvaluator { objective.makeEvaluator() }

  /// Returns the state before the first step.
  ///
  /// - Parameters:
  ///   - key: The key of all noise.
  ///   - parameters: The unconstrained parameters to start from; by default those that the programs give.
  /// - Returns: The state.
  public func start(key: RandomKey = 0, parameters: [Double]? = nil) -> SVIState {
    let first = parameters ?? objective.initial
    demand(
      first.count == objective.dimension,
      "SVI: expected \(objective.dimension) parameters, got \(first.count)")
    return SVIState(
      parameters: first, optimizer: optimizer.start(dimension: objective.dimension), key: key)
  }

  /// Makes one step, and returns the loss before it: the negative ELBO, an estimate.
  ///
  /// Where the loss or its gradient is not finite nothing moves. A step depends on the state alone.
  ///
  /// - Parameters:
  ///   - state: What is moved.
  ///   - evaluator: The memory of this thread.
  ///   - factor: What the step size is multiplied with.
  /// - Returns: The loss.
  @discardableResult
  public func update(_ state: inout SVIState, _ evaluator: ELBOEvaluator, factor: Double = 1)
    -> Double
  {
    let key = state.key.folding(in: state.step)
    let value = evaluator.valueAndGradient(
      at: state.parameters, key: key, into: &evaluator.gradient)
    state.step += 1
    var isFinite = value.isFinite
    for k in evaluator.gradient.indices {
      isFinite = isFinite && evaluator.gradient[k].isFinite
      evaluator.gradient[k] = -evaluator.gradient[k]
    }
    guard isFinite else {
      state.skipped += 1
      return -value
    }
    optimizer.step(
      &state.parameters, against: evaluator.gradient, &state.optimizer, factor: factor)
    return -value
  }
}
