// SPDX-License-Identifier: MIT
//
// Estimates of the evidence lower bound from one run of guide and model.

import Numerics
import Distributions
import PPL
public import Tensors

/// An estimate of the evidence lower bound E_q[log p(x, z) − log q(z)].
///
/// A researcher's own objective is one small type: what it returns from a run is averaged over draws and maximised.
public protocol ELBO: Sendable {
  /// The number of draws from the guide that each step averages over.
  var particles: Int { get }

  /// Whether draws come in pairs of opposite noise, which cancels the part of the noise that is linear in it.
  var isAntithetic: Bool { get }

  /// Returns the estimate of one draw, a scalar.
  func estimate(_ run: GuidedRun) -> Tensor
}

extension ELBO {
  public var isAntithetic: Bool { false }
}

/// The plain estimate: log density of the model less that of the guide, at draws of the guide.
///
/// ### Source
///
/// Kingma & Welling 2014, "Auto-encoding variational Bayes", eq. 6; with `sticksTheLanding` the guide's density is
/// differentiated along the draws only (Roeder, Wu & Duvenaud 2017, "Sticking the landing", eq. 6).
public struct TraceELBO: ELBO, Codable {
  public var particles: Int
  public var isAntithetic: Bool

  /// Whether the gradient leaves out the guide's score, whose mean is zero; it needs guides with densities in closed form.
  public var sticksTheLanding: Bool

  /// Creates the estimate.
  public init(particles: Int = 1, isAntithetic: Bool = false, sticksTheLanding: Bool = false) {
    demand(particles > 0, "TraceELBO: expected at least one particle, got \(particles)")
    self.particles = particles
    self.isAntithetic = isAntithetic
    self.sticksTheLanding = sticksTheLanding
  }

  public func estimate(_ run: GuidedRun) -> Tensor {
    run.model.logJoint - (sticksTheLanding ? run.detachedGuideDensity : run.guide.logJoint)
  }
}

/// The estimate with the Kullback–Leibler divergence between each of the guide's sites and its prior in closed form,
/// where `Distributions.klDivergence(_:_:)` knows one; the other sites are sampled as in ``TraceELBO``.
///
/// Right where every site of guide and model depends on earlier sites only, in the same order in both; a mean-field guide
/// does. The order is checked when the objective is compiled.
public struct MeanFieldELBO: ELBO, Codable {
  public var particles: Int
  public var isAntithetic: Bool

  /// Creates the estimate.
  public init(particles: Int = 1, isAntithetic: Bool = false) {
    demand(particles > 0, "MeanFieldELBO: expected at least one particle, got \(particles)")
    self.particles = particles
    self.isAntithetic = isAntithetic
  }

  public func estimate(_ run: GuidedRun) -> Tensor {
    var total = Tensor(0)
    for site in run.model.sites where site.kind == .factor || site.kind == .sample {
      guard site.isLatent, let own = run.guide.site(site.name), own.isLatent else {
        total += site.logProbability
        continue
      }
      total += Self.divergence(own, site).map { -$0 } ?? site.logProbability - own.logProbability
    }
    for site in run.guide.sites where site.kind == .factor || site.isLatent {
      if site.kind == .factor || run.model.site(site.name) == nil { total -= site.logProbability }
    }
    return total
  }

  /// Returns the scaled divergence of a guide's site from its prior; nil where it has to be sampled.
  static func divergence(_ own: Site, _ prior: Site) -> Tensor? {
    // A point mass has no density to compare: its term is log p, which sampling gives.
    guard !own.isPointMass, own.mask == nil, prior.mask == nil,
      let scale = own.scale.constantElements, scale == prior.scale.constantElements,
      let q = own.distribution, let p = prior.distribution,
      q.batchShape + q.eventShape == p.batchShape + p.eventShape
    else { return nil }
    // Which axes count as one event does not matter to the sum, only what is joint inside.
    let (x, y) = (flattened(q), flattened(p))
    guard x.eventShape == y.eventShape, let parts = klDivergence(x, y) else { return nil }
    let repeats = Double((q.batchShape + q.eventShape).elementCount)
    let shown = Double((parts.shape + x.eventShape).elementCount)
    return parts.sum() * (scale[0] * repeats / shown)
  }

  /// Returns a distribution with the axes that were joined to events by independence given back to the batch.
  private static func flattened(_ distribution: any Distribution) -> any Distribution {
    var result = distribution
    while let joint = result as? Independent { result = joint.base }
    return result
  }
}
