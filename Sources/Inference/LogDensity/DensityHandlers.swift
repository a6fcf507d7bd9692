// SPDX-License-Identifier: MIT
//
// The handlers that turn a model into a function of one unconstrained vector.

import Distributions
import PPL
import Tensors

/// Finds the latent sites of a model, and what forbids a fixed density.
struct Discovery: Handler {
  /// The latent sites, in order.
  private(set) var latents: [Site] = []

  /// The first reason why there is no density that can be followed by gradients.
  private(set) var problem: ModelError?

  mutating func postprocess(_ site: inout Site) {
    if site.isLatent { latents.append(site) }
    guard problem == nil else { return }
    if site.isLatent, site.distribution?.support.isDiscrete ?? false {
      problem = ModelError(
        .discreteLatent, site: site.name, plates: site.plates.map(\.name),
        "expected a continuous latent variable, found \(site.distribution.map { "\($0)" } ?? "none"); observe it, or sum it out by hand in a factor"
      )
    } else if site.kind == .key {
      problem = ModelError(
        .noFixedDensity, site: site.name,
        "expected a model whose density depends on its latent sites alone, found a random key; draw with sample, or pass the key from outside"
      )
    } else if let plate = site.plates.first(where: { $0.subsampleSize < $0.size }) {
      problem = ModelError(
        .noFixedDensity, site: site.name, plates: site.plates.map(\.name),
        "expected full plates, found \"\(plate.name)\" subsampled to \(plate.subsampleSize) of \(plate.size): its density changes from one evaluation to the next; use the full plate here, or stochastic variational inference, which is made for subsamples"
      )
    }
  }
}

/// Gives latent sites the values of an unconstrained vector and adds up the log joint density.
struct DensityAccumulator: Handler {
  /// Which density is added up.
  enum Measure: Sendable {
    /// Of the unconstrained vector: with the Jacobian, of the sites that are sampled.
    case unconstrained
    /// Of the sites as their author wrote them: no Jacobian, reparameterisations undone.
    case authored
  }

  /// Which density is added up.
  let measure: Measure

  /// The unconstrained coordinates, by site.
  let coordinates: [String: Tensor]

  /// The terms so far.
  private(set) var terms: [Tensor] = []

  /// All sites that have a value, in order.
  private(set) var trace = Trace()

  /// Creates the handler for given coordinates.
  init(_ measure: Measure, _ coordinates: [String: Tensor]) {
    self.measure = measure
    self.coordinates = coordinates
  }

  mutating func process(_ site: inout Site) {
    guard site.isLatent, site.value == nil, let u = coordinates[site.name],
      let support = site.distribution?.support, let map = bijector(to: support)
    else { return }
    let x = map.forward(u)
    site.value = x
    if measure == .unconstrained { terms.append(map.logAbsDetJacobian(u, x).sum()) }
  }

  mutating func postprocess(_ site: inout Site) {
    trace.append(site)
    switch (site.kind, measure) {
    case (.factor, _): terms.append(site.logProbability)
    case (.sample, .unconstrained) where !site.isPredicted: terms.append(site.logProbability)
    case (.sample, .authored) where !site.isPredicted:
      terms.append(site.originalLogProbability)
    case (.deterministic, .authored) where site.original != nil:
      terms.append(site.originalLogProbability)
    default: break
    }
  }

  /// Makes the density NaN.
  mutating func fail() { terms.append(Tensor(.nan)) }

  /// The log density.
  var total: Tensor { terms.reduce(Tensor(0)) { $0 + $1 } }
}
