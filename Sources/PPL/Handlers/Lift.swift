// SPDX-License-Identifier: MIT
//
// Lift: params become latent sites.

public import Distributions
import Tensors

/// Turns params into latent random variables with given priors.
public struct Lift: Handler {
  /// The priors, by param name.
  public let priors: [String: any Distribution]

  /// Creates the handler.
  public init(priors: [String: any Distribution]) { self.priors = priors }

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.kind == .param, let prior = priors[site.name] else { return }
    let shape = site.value?.shape ?? []
    let batch = Array(shape.dropLast(prior.eventShape.count))
    let fits =
      batch + prior.eventShape == shape && broadcastShape([prior.batchShape, batch]) == batch
    if !fits {
      context.report(
        ModelError(
          .shapeMismatch(expected: shape, found: prior.batchShape + prior.eventShape),
          site: site.name, plates: site.plates.map(\.name),
          "expected a prior for a parameter of shape \(shape), found batch shape \(prior.batchShape), event shape \(prior.eventShape)"
        ))
    }
    var lifted = Site(.sample, site.name)
    lifted.distribution = fits ? prior.expanded(to: batch) : prior
    lifted.key = site.key
    lifted.hints = site.hints
    lifted.plates = site.plates
    site = lifted
  }
}
