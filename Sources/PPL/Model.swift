// SPDX-License-Identifier: MIT
//
// A model: a function that makes statements, and what can be wrapped around it.

public import Distributions
public import Numerics
public import Tensors

/// A probabilistic program: an ordinary Swift function that makes its statements to a context.
///
/// ```swift
/// let eightSchools = Model { m in
///   let mu = m.sample("mu", Normal(0, 5))
///   let tau = m.sample("tau", HalfCauchy(5))
///   m.plate("schools", 8) {
///     let theta = m.sample("theta", Normal(mu, tau))
///     m.observe("y", Normal(theta, sigma), y)
///   }
/// }
/// ```
public struct Model<Output>: Sendable {
  /// The statements.
  let body: @Sendable (ModelContext) -> Output

  /// Creates a model from its statements.
  public init(_ body: @escaping @Sendable (ModelContext) -> Output) { self.body = body }

  /// Returns the model with its statements under a further handler, outside those it has.
  public func handled(by handler: some Handler) -> Model {
    Model { context in context.with(handler) { body(context) }.0 }
  }

  // MARK: - The handlers by name

  /// Returns the model with sites observed at given values.
  public func conditioned(on values: [String: any TensorConvertible]) -> Model {
    handled(by: Condition(values: values.mapValues(\.tensor)))
  }

  /// Returns the model with its data forgotten: they are predicted; only the named sites when given.
  public func unconditioned(_ names: Set<String>? = nil) -> Model {
    handled(by: Uncondition(names: names))
  }

  /// Returns the model with sites, or params, set to given values; they stay latent.
  public func substituting(_ values: [String: any TensorConvertible]) -> Model {
    handled(by: Substitute(values: values.mapValues(\.tensor)))
  }

  /// Returns the model under Pearl's do: what follows a site sees the given value, the site itself does not change.
  public func intervened(on values: [String: any TensorConvertible]) -> Model {
    handled(by: Intervene(values: values.mapValues(\.tensor)))
  }

  /// Returns the model with all draws from a given key.
  public func seeded(_ key: RandomKey) -> Model { handled(by: Seed(key: key)) }

  /// Returns the model with its latent sites set to those of a trace.
  public func replayed(_ trace: Trace) -> Model { handled(by: Replay(trace: trace)) }

  /// Returns the model with some sites hidden from the handlers outside.
  public func blocked(hiding names: Set<String>) -> Model {
    handled(by: Block { names.contains($0.name) })
  }

  /// Returns the model with all sites but some hidden from the handlers outside.
  public func blocked(exposing names: Set<String>) -> Model {
    handled(by: Block { !names.contains($0.name) })
  }

  /// Returns the model with its densities counted only where `mask` is not zero.
  public func masked(_ mask: some TensorConvertible) -> Model {
    handled(by: Mask(mask: mask.tensor))
  }

  /// Returns the model with its densities multiplied by a factor.
  public func scaled(by factor: some TensorConvertible) -> Model {
    handled(by: Scale(factor: factor.tensor))
  }

  /// Returns the model with its names prefixed.
  public func scoped(_ prefix: String) -> Model { handled(by: Scope(prefix: prefix)) }

  /// Returns the model with a suffix appended to its names.
  public func scoped(suffix: String) -> Model { handled(by: Scope(suffix: suffix)) }

  /// Returns the model with some of its sites expressed through others.
  public func reparameterized(_ strategies: [String: any Reparameterization]) -> Model {
    handled(by: Reparameterize(strategies: strategies))
  }

  /// Returns the model with params turned into latent sites with given priors.
  public func lifted(_ priors: [String: any Distribution]) -> Model {
    handled(by: Lift(priors: priors))
  }

  /// Returns the model with all elements of its subsampled plates in use.
  public func withWholePlates() -> Model { handled(by: WholePlates()) }

  /// Returns the model with hints attached to named sites.
  public func configured(_ hints: [String: [String: String]]) -> Model {
    handled(by: InferConfig(hints: hints))
  }

  // MARK: - Running

  /// Runs the model under a handler and returns its output and the handler's final state.
  public func run<H: Handler>(under handler: H, key: RandomKey = 0) throws -> (Output, H) {
    let context = ModelContext(key: key)
    let faults = ParameterFaults()
    let result = ParameterFaults.$current.withValue(faults) {
      context.with(handler) { body(context) }
    }
    if let error = context.errors.first { throw error }
    // A distribution that is no site's, made for its density or its quantiles.
    if let fault = faults.take() { throw ModelError(.outsideSupport, fault) }
    return result
  }

  /// Returns the model's output for one set of draws.
  public func callAsFunction(key: RandomKey = 0) throws -> Output {
    try run(under: Block { _ in false }, key: key).0
  }

  /// Runs the model and returns all its sites.
  ///
  /// - Parameter key: The key of all draws.
  /// - Returns: The sites with their values, in order.
  /// - Throws: ``ModelError`` for the first mistake the model makes.
  public func trace(key: RandomKey = 0) throws -> Trace {
    try run(under: Recording(), key: key).1.trace
  }
}
