// SPDX-License-Identifier: MIT
//
// An ELBO as a compiled function of the unconstrained parameters of a guide and its model.

import Distributions
public import Numerics
public import PPL
import Synchronization
public import Tensors

/// The evidence lower bound of a pair of model and guide: Sendable, one for all threads; each makes its own evaluator.
public struct CompiledELBO: Sendable {
  /// The pair.
  let pair: GuidedPair

  /// The estimate.
  public let loss: any ELBO

  /// The places of the parameters, those of the guide first, in one unconstrained vector.
  public let parameters: ParameterLayout

  /// The values that the programs give their parameters, unconstrained.
  public let initial: [Double]

  /// Whether the guide is a point: all its sites are point masses, and it has no density to weigh against the model's.
  public let isPointEstimate: Bool

  /// The estimate of one draw as a function of the unconstrained parameters.
  let function: CompiledFunction

  /// Compiles the objective.
  ///
  /// - Throws: `ModelError` if either program makes a mistake, if their latent sites do not match, if the guide has a
  ///   discrete site or draws that no gradient can follow, or if the objective is not finite at the initial parameters.
  public init(_ model: Model<some Any>, _ guide: Model<some Any>, loss: some ELBO = TraceELBO())
    throws
  {
    let pair = GuidedPair(model: model.erased, guide: guide.erased)
    let (first, second) = try pair.run([:])
    try Self.check(first, second, loss)
    let (layout, start) = try Self.layout(first, second)
    self.pair = pair
    self.loss = loss
    parameters = layout
    initial = start
    let latents = first.trace.sites.filter(\.isLatent)
    isPointEstimate =
      !latents.contains(where: \.isGuideAuxiliary) && latents.allSatisfy(\.isPointMass)
    let mistakes = FirstMistake()
    function = CompiledFunction(at: [Tensor(start)], resamples: true) { inputs in
      do {
        let run = try pair.guidedRun(Self.values(inputs[0], layout))
        mistakes.keep(Self.frozenDraw(run.guide))
        return [loss.estimate(run).sum()]
      } catch {
        // The pair ran without a mistake before; what it does wrong only at some values gives NaN here.
        mistakes.keep(error as? ModelError)
        return [Tensor(.nan)]
      }
    }
    if let mistake = mistakes.first { throw mistake }
    try checkFinite()
  }

  /// The first mistake that a recording makes.
  private final class FirstMistake: Sendable {
    private let kept = Mutex<ModelError?>(nil)

    /// The mistake.
    var first: ModelError? { kept.withLock { $0 } }

    /// Keeps a mistake, where it is the first.
    func keep(_ error: ModelError?) { kept.withLock { $0 = $0 ?? error } }
  }

  /// The number of parameters.
  public var dimension: Int { parameters.dimension }

  /// Returns an evaluator with its own memory; one to each thread.
  public func makeEvaluator() -> ELBOEvaluator { ELBOEvaluator(self) }

  /// Returns the constrained values of the parameters at an unconstrained vector.
  public func constrain(_ vector: [Double]) -> [String: Tensor] {
    Self.values(Tensor(vector), parameters)
  }

  // MARK: - Parameters

  /// Returns the constrained values of parameters, by name.
  static func values(_ vector: Tensor, _ layout: ParameterLayout) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for entry in layout.entries {
      guard let map = bijector(to: entry.constraint) else { continue }
      result[entry.name] = map.forward(
        vector[entry.range].reshaped(entry.unconstrainedShape))
    }
    return result
  }

  /// Returns the places of all params, and where they start.
  private static func layout(_ guide: GuidancePass, _ model: GuidancePass) throws -> (
    ParameterLayout, [Double]
  ) {
    var entries: [LayoutEntry] = []
    var start: [Double] = []
    for site in guide.trace.sites + model.trace.sites where site.kind == .param {
      if entries.contains(where: { $0.name == site.name }) { continue }
      guard let value = site.value, let constraint = site.constraint else { continue }
      guard let map = bijector(to: constraint) else {
        throw ModelError(
          .misuse, site: site.name,
          "expected a parameter that varies continuously, found the constraint \(constraint)")
      }
      let u = map.inverse(value)
      guard u.elements.allSatisfy(\.isFinite), constraint.contains(value).isTrue else {
        throw ModelError(
          .outsideSupport, site: site.name,
          "expected an initial value inside \(constraint), found \(value); move it inside")
      }
      entries.append(
        LayoutEntry(
          name: site.name, range: start.count..<(start.count + u.count),
          unconstrainedShape: u.shape, shape: value.shape, constraint: constraint, origin: nil))
      start += u.elements
    }
    return (ParameterLayout(entries), start)
  }

  // MARK: - Checks

  /// Throws where guide and model do not fit each other.
  private static func check(_ guide: GuidancePass, _ model: GuidancePass, _ loss: any ELBO) throws {
    let own = guide.trace.sites.filter { $0.isLatent && !$0.isGuideAuxiliary }
    let latents = model.trace.sites.filter { $0.isLatent && !model.fixed.contains($0.name) }
    for site in guide.trace.sites where site.kind == .sample {
      if site.isObserved || site.isPredicted {
        throw ModelError(
          .misuse, site: site.name,
          "expected a guide without data, found an observed site; observe in the model")
      }
      if let distribution = site.distribution, distribution.isDiscrete {
        throw ModelError(
          .discreteLatent, site: site.name, plates: site.plates.map(\.name),
          "expected continuous sites in a guide, found \(distribution): no gradient can follow its draws; sum the variable out of the model by hand"
        )
      }
    }
    if let problem = model.problem { throw problem }
    if let site = model.missing.first {
      let isDiscrete = site.distribution?.isDiscrete ?? false
      throw ModelError(
        .unknownSites(model.missing.map(\.name)), site: site.name,
        plates: site.plates.map(\.name),
        isDiscrete
          ? "expected a model whose latent sites are continuous, found \(site.distribution.map { "\($0)" } ?? "a discrete one"), which no guide can have; sum it out by hand in a factor, or observe it"
          : "expected a guide with a site for every latent site of the model, found none for \(model.missing.map(\.name)); add sample statements of these names"
      )
    }
    let names = Set(latents.map(\.name))
    if let site = own.first(where: { !names.contains($0.name) }) {
      throw ModelError(
        .unknownSites([site.name]), site: site.name,
        "expected only sites that the model has, \(latents.map(\.name)), found \"\(site.name)\": its density would be subtracted without a counterpart; rename it, or draw it without a name"
      )
    }
    if own.isEmpty {
      throw ModelError(
        .noLatentSites,
        "expected at least one latent site, found none: nothing is left to infer; observe less")
    }
    if (loss as? TraceELBO)?.sticksTheLanding ?? false,
      let noise = guide.trace.sites.first(where: \.isGuideNoise),
      guide.trace.sites.count(where: \.isGuideNoise)
        > guide.trace.sites.count(where: \.isGuidePath)
    {
      throw ModelError(
        .misuse, site: noise.name,
        "expected a guide whose density has a known derivative along its draws, found a flow without; leave out sticksTheLanding, or use AutoIAF"
      )
    }
    if loss is MeanFieldELBO {
      // A point mass has no divergence in closed form; what it is made of was drawn earlier.
      let order = own.filter { !$0.isPointMass }.map(\.name)
      let expected = latents.map(\.name).filter { order.contains($0) }
      guard order == expected else {
        throw ModelError(
          .misuse,
          "expected a guide with its sites in the order of the model, \(expected), found \(order): divergences in closed form are right only then; reorder the guide, or use TraceELBO"
        )
      }
    }
  }

  /// Returns a mistake where a guide's draw is a constant of the tape, though it should be drawn anew.
  private static func frozenDraw(_ guide: Trace) -> ModelError? {
    let frozen = guide.sites.first { site in
      site.isLatent && !site.isPointMass && site.value.map { !$0.isTraced } ?? false
    }
    return frozen.map { site in
      ModelError(
        .misuse, site: site.name,
        "expected draws made from Tensor.standardNormal(key:shape:) or Tensor.standardUniform(key:shape:), found plain numbers from \(site.distribution.map { "\($0)" } ?? "a distribution"): they would stay the same at every step"
      )
    }
  }

  /// Throws where the objective is nowhere finite at the initial parameters.
  private func checkFinite() throws {
    let evaluator = makeEvaluator()
    var gradient = initial
    for attempt in 0..<10 {
      let value = evaluator.valueAndGradient(
        at: initial, key: RandomKey(0).folding(in: attempt), into: &gradient)
      if value.isFinite && gradient.allSatisfy(\.isFinite) { return }
    }
    let run = try pair.guidedRun([:])
    let bad = (run.guide.sites + run.model.sites).filter { site in
      (site.kind == .sample || site.kind == .factor) && !site.logProbability.item().isFinite
    }.map(\.name)
    throw ModelError(
      .notFinite,
      "expected a finite ELBO and gradient at the initial parameters, found none in 10 draws\(bad.isEmpty ? "" : ", the log density of \(bad) is not finite"); give other initial values, or a guide whose support is that of the model"
    )
  }
}

/// Runs a compiled ELBO; belongs to one thread.
public final class ELBOEvaluator {
  /// The objective.
  public let objective: CompiledELBO

  private let evaluator: FunctionEvaluator

  /// The gradient of one draw.
  private var part: [Double]

  /// The gradient that ``SVI/update(_:_:factor:)`` works with.
  var gradient: [Double]

  /// Creates an evaluator.
  init(_ objective: CompiledELBO) {
    self.objective = objective
    evaluator = objective.function.makeEvaluator()
    part = [Double](repeating: 0, count: objective.dimension)
    gradient = part
  }

  /// The number of draws evaluated so far.
  public var evaluations: Int { evaluator.evaluations }

  /// Draws the noise of one particle.
  private func redraw(_ particle: Int, _ key: RandomKey) {
    if objective.loss.isAntithetic {
      evaluator.redraw(key: key.folding(in: particle / 2), isMirrored: particle % 2 == 1)
    } else {
      evaluator.redraw(key: key.folding(in: particle))
    }
  }

  /// Returns the ELBO, averaged over the particles of a key, and sets its gradient; allocates nothing.
  public func valueAndGradient(
    at parameters: [Double], key: RandomKey, into gradient: inout [Double]
  ) -> Double {
    let particles = objective.loss.particles
    var total = 0.0
    for k in gradient.indices { gradient[k] = 0 }
    for particle in 0..<particles {
      redraw(particle, key)
      total += parameters.withUnsafeBufferPointer { point in
        part.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: point, into: $0) }
      }
      for k in gradient.indices { gradient[k] += part[k] }
    }
    let share = 1 / Double(particles)
    for k in gradient.indices { gradient[k] *= share }
    return total * share
  }

  /// Returns the estimates of single draws.
  public func estimates(at parameters: [Double], count: Int, key: RandomKey) -> [Double] {
    (0..<count).map { particle in
      redraw(particle, key)
      return parameters.withUnsafeBufferPointer { evaluator.scalarValue(at: $0) }
    }
  }
}
