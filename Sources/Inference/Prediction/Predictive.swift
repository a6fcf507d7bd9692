// SPDX-License-Identifier: MIT
//
// Predictions: data drawn anew under draws from the posterior, or under draws from the prior.

public import Numerics
public import PPL
import Distributions
import Tensors

/// Draws from the predictive distribution of a model.
///
/// ```swift
/// let replicated = try Predictive(model, draws).sample(key: 1)["y"]      // [chains, draws] + shape of y
/// let prior = try Predictive(model, prior: 1000).sample(key: 1)          // every site, data too
/// ```
///
/// Data are forgotten and drawn anew; plates that the model subsamples are whole. A latent site that was conditioned on a value
/// (`conditioned(on: ["mu": 3])`) and depends on no other keeps it.
public struct Predictive<Output>: Sendable {
  /// The model, with or without its data.
  public let model: Model<Output>

  /// The draws under which it runs; for the prior predictive they hold no site.
  private let draws: Draws

  /// Whether latent sites are drawn from their priors.
  private let isPrior: Bool

  /// Whether factors may be left out of account.
  private let ignoresFactors: Bool

  /// Prepares predictions under draws from the posterior.
  ///
  /// - Parameters:
  ///   - model: The model; what it observes is drawn anew.
  ///   - draws: Draws of its latent sites.
  public init(_ model: Model<Output>, _ draws: Draws) {
    self.model = model
    self.draws = draws
    isPrior = false
    ignoresFactors = true
  }

  /// Prepares predictions under draws from the prior.
  ///
  /// - Parameters:
  ///   - model: The model; what it observes is drawn anew.
  ///   - count: The number of draws.
  ///   - ignoresFactors: Whether factors of the model are likelihoods, which the prior does without; where it is false a model
  ///     with factors is refused, as draws of site after site know nothing of them.
  public init(_ model: Model<Output>, prior count: Int, ignoresFactors: Bool = false) {
    demand(count > 0, "Predictive: expected a number of draws > 0, got \(count)")
    self.model = model
    draws = Draws(chains: 1, draws: count, sites: [])
    isPrior = true
    self.ignoresFactors = ignoresFactors
  }

  /// Draws sites.
  ///
  /// - Parameters:
  ///   - key: The key; a value depends on it, the number of its draw and the name of its site alone.
  ///   - sites: The sites. By default the data, those that are to be predicted, and the deterministic sites that the draws do not
  ///     hold; for the prior the latent sites too. An observed site that is named is drawn anew, a latent one that is named and
  ///     not among the draws is drawn from its prior.
  /// - Returns: The sites, as many chains and draws as there were.
  /// - Throws: `ModelError` of kind `unknownSites` if the model has no such site or the draws lack a latent one, of kind `misuse` if
  ///   a site would have to be drawn from a flat density or from a set in which no draw is found, or a prior has factors that are
  ///   not to be ignored, and whatever mistakes the model makes.
  public func sample(key: RandomKey = 0, sites: [String]? = nil) throws -> Draws {
    guard draws.count > 0 else { return Draws(chains: draws.chains, draws: draws.draws, sites: []) }
    let whole = model.withWholePlates().erased
    let redrawn = try redrawnSites(of: whole, under: draws, named: sites)
    let runs = ModelRuns(
      whole.unconditioned(redrawn), draws, drawable: isPrior ? nil : Set(sites ?? []), key: key)
    let first = try runs.trace(0)
    if !ignoresFactors, let factor = first.sites.first(where: { $0.kind == .factor }) {
      throw ModelError(
        .misuse, site: factor.name,
        "expected a prior that can be drawn site after site, found a factor, whose term is no part of such draws; state it as a distribution, or pass ignoresFactors: true where it is a likelihood"
      )
    }
    let names = sites ?? defaultSites(first)
    let unknown = names.filter { name in
      first.site(name).map { $0.kind == .param || $0.kind == .factor || $0.value == nil } ?? true
    }
    guard unknown.isEmpty else {
      throw ModelError(
        .unknownSites(unknown),
        "expected sites of the model, found unknown \(unknown); it has \(first.sites.filter { $0.kind == .sample || $0.kind == .deterministic }.map(\.name))"
      )
    }
    let periods = names.compactMap { name -> (String, Double)? in
      let site = first.site(name)
      if case .circular(_, let period)? = (site?.original ?? site?.distribution)?.support {
        return (name, period)
      }
      return draws.site(name)?.period.map { (name, $0) }
    }
    return try runs.collect(names, periods: Dictionary(periods) { $1 }) { trace in
      try names.map { name in
        guard let value = trace.site(name)?.value else {
          throw ModelError(
            .misuse, site: name,
            "expected the same sites at every draw, found it missing; leave it out of sites:")
        }
        return value
      }
    }
  }

  /// Returns the sites that are worth keeping: what is drawn, and what is computed and not among the draws.
  private func defaultSites(_ trace: Trace) -> [String] {
    trace.sites.filter { site in
      guard !site.isAuxiliary, draws.site(site.name) == nil else { return false }
      switch site.kind {
      case .sample: return site.isPredicted || (isPrior && site.isLatent)
      case .deterministic: return site.original == nil || isPrior
      default: return false
      }
    }.map(\.name)
  }
}

extension Model where Output: Sendable {
  /// Returns what the model returns at every draw: typed posterior draws, with no further code.
  ///
  /// ```swift
  /// let profiles = try model.outputs(under: draws)          // [LightProfile], chain after chain
  /// ```
  ///
  /// - Parameters:
  ///   - draws: Draws of all latent sites.
  ///   - key: The key of what the model draws besides, such as data to be predicted.
  /// - Returns: An output to each draw, chain after chain.
  /// - Throws: `ModelError` of kind `unknownSites` if a latent site has no draws, and whatever mistakes the model makes.
  public func outputs(under draws: Draws, key: RandomKey = 0) throws -> [Output] {
    try ModelRuns.concurrently(draws.count) { place in
      let own = key.folding(in: place / draws.draws).folding(in: place % draws.draws)
      return try ModelRuns.run(self, draws, place, [], own).0
    }
  }
}
