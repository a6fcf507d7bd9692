// SPDX-License-Identifier: MIT
//
// The log density of each observation at each posterior draw.

import Distributions
public import PPL
public import Tensors

/// The log density of each observation at each draw.
public struct LogLikelihood: Sendable {
  /// One observation: an element of the batch shape of an observed site.
  public struct Observation: Sendable {
    /// What it is called: `y[3]`.
    public let name: String
    /// Its log density at each draw, chain after chain.
    public let values: [Double]
  }

  /// The log densities as draws: for each observed site `[chains, draws] + batch shape`, zero where it is masked.
  public let draws: Draws

  /// The effective draws of a draw, averaged over the scalars of the posterior; 1 for a single chain.
  public let relativeEfficiency: Double

  /// For each site, which elements count; nil for all.
  private let masks: [[Bool]?]

  /// Creates log densities from an array for each observed site.
  ///
  /// - Parameters:
  ///   - draws: The log densities, a site to each observed site.
  ///   - relativeEfficiency: The effective draws of a draw of the posterior they belong to.
  public init(_ draws: Draws, relativeEfficiency: Double = 1) {
    self.init(draws, relativeEfficiency, masks: draws.sites.map { _ in nil })
  }

  /// Creates log densities of which some do not count.
  init(_ draws: Draws, _ relativeEfficiency: Double, masks: [[Bool]?]) {
    self.draws = draws
    self.relativeEfficiency = relativeEfficiency
    self.masks = masks
  }

  /// The number of draws.
  public var count: Int { draws.count }

  /// The log densities of a site, shape `[chains, draws] + batch shape`.
  ///
  /// - Precondition: There is such a site.
  public subscript(name: String) -> Tensor { draws[name] }

  /// The observations that count, site after site.
  public var observations: [Observation] {
    zip(draws.sites, masks).flatMap { site, mask in
      draws.scalars(of: site).enumerated().filter { mask?[$0.offset] ?? true }.map {
        Observation(name: $0.element.name, values: $0.element.values)
      }
    }
  }

  /// Returns the leave-one-out estimate of the predictive density.
  public func leaveOneOut() -> LeaveOneOut { LeaveOneOut(self) }
}

/// Returns the log density of each observation of a model at each draw from its posterior.
///
/// An observation is an element of the batch shape of an observed site; scales (a tempered likelihood) are left out, masked
/// elements do not count. Factors are no observations.
///
/// - Parameters:
///   - model: The model, with its data.
///   - draws: Draws of all its latent sites.
/// - Returns: For each observed site an array `[chains, draws] + batch shape`.
/// - Throws: `ModelError` of kind `unknownSites` if a latent site has no draws, of kind `misuse` if the model observes nothing,
///   and whatever mistakes the model makes.
public func logLikelihood<Output>(_ model: Model<Output>, _ draws: Draws) throws -> LogLikelihood {
  let runs = ModelRuns(model.withWholePlates().erased, draws)
  let first = try runs.trace(0)
  let observed = first.sites.filter { $0.kind == .sample && $0.isObserved }
  guard !observed.isEmpty else {
    throw ModelError(
      .misuse,
      "expected at least one observed site, found none: a log likelihood is that of observe statements (or of sites that were conditioned), not of factors"
    )
  }
  let names = observed.map(\.name)
  let result = try runs.collect(names) { trace in
    try names.map { name -> Tensor in
      guard let site = trace.site(name), let value = site.value,
        let distribution = site.distribution
      else {
        throw ModelError(
          .misuse, site: name, "expected the same observed sites at every draw, found it missing")
      }
      let density = distribution.logProbability(of: value)
      guard let mask = site.mask else { return density }
      return select(mask, density, Tensor(0)).broadcast(to: density.shape)
    }
  }
  let masks = zip(observed, result.sites).map { site, result in
    site.mask.map { $0.broadcast(to: result.shape).elements.map { $0 != 0 } }
  }
  // The average that ArviZ takes; a constant site counts with all its draws.
  let efficiencies = draws.scalars.map { $0.meanESS / Double(draws.count) }.filter(\.isFinite)
  let efficiency =
    draws.chains > 1 && !efficiencies.isEmpty ? ChainStatistics.mean(efficiencies) : 1
  return LogLikelihood(result, efficiency, masks: masks)
}
