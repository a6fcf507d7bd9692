// SPDX-License-Identifier: MIT
//
// Lift: params become latent sites.

public import Distributions

/// Turns params into latent random variables with given priors.
public struct Lift: Handler {
  /// The priors, by param name.
  public let priors: [String: any Distribution]

  /// Creates the handler.
  public init(priors: [String: any Distribution]) { self.priors = priors }

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.kind == .param, let prior = priors[site.name] else { return }
    var lifted = Site(.sample, site.name)
    lifted.distribution = prior
    lifted.key = site.key
    lifted.plates = site.plates
    site = lifted
  }
}
