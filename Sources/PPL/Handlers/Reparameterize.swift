// SPDX-License-Identifier: MIT
//
// Reparameterize: a site expressed through another one that is easier to sample.
//
// Source: Gorinova, Moore and Hoffman 2020, "Automatic reparameterisation of probabilistic programs".

public import Distributions
public import Tensors

/// A way to express a random variable through another one.
public protocol Reparameterization: Sendable {
  /// Returns the variable's value, having made the sites it is computed from; nil where the strategy does not apply.
  ///
  /// - Parameters:
  ///   - site: The site to replace.
  ///   - distribution: Its distribution, with the shape of its plates.
  ///   - context: Where the new sites are made, by ``ModelContext/emit(_:_:derivedFrom:inverse:)``.
  /// - Returns: The value, or nil.
  func apply(_ site: Site, _ distribution: any Distribution, in context: ModelContext) -> Tensor?
}

/// Replaces named latent sites by a reparameterisation; the site itself becomes deterministic.
public struct Reparameterize: Handler {
  /// The strategies, by site name.
  public let strategies: [String: any Reparameterization]

  /// Creates the handler.
  public init(strategies: [String: any Reparameterization]) { self.strategies = strategies }

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.isLatent, site.value == nil, let strategy = strategies[site.name],
      let distribution = site.distribution, !context.isProvidedOutside(site)
    else { return }
    guard let value = strategy.apply(site, distribution, in: context) else {
      context.report(
        ModelError(
          .misuse, site: site.name, plates: site.plates.map(\.name),
          "expected a distribution that \(type(of: strategy)) can take apart, found \(distribution)"
        ))
      return
    }
    var replaced = Site(.deterministic, site.name)
    replaced.value = value
    replaced.original = distribution
    replaced.origin = site.origin
    replaced.scale = site.scale
    replaced.mask = site.mask
    replaced.plates = site.plates
    replaced.hints = site.hints
    site = replaced
  }
}
