// SPDX-License-Identifier: MIT
//
// The mean-field guide: a normal distribution for each site, in the site's own coordinates.

import Distributions
public import Numerics
public import PPL
import Tensors

/// A guide with independent sites, each normal in its unconstrained coordinates; params `SITE_auto_loc`, `SITE_auto_scale`.
///
/// Sites of real numbers are normal, of positive ones log-normal, angles wrapped normal distributions, so that
/// ``MeanFieldELBO`` has their divergences in closed form; other supports are normal before their bijector.
public struct AutoNormal: AutoGuide {
  /// The space of the latent sites.
  private let space: GuideSpace

  /// The deviation at the start.
  private let scale: Double

  /// What stands between a site's name and `loc`.
  private let prefix: String

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - start: Where the guide starts.
  ///   - scale: The deviation of every coordinate at the start.
  ///   - key: The key of the search for a start.
  ///   - prefix: What stands between a site's name and `loc` in the names of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, start: InitialStrategy = .median(draws: 15), scale: Double = 0.1,
    key: RandomKey = 0, prefix: String = "auto"
  ) throws {
    demand(scale > 0, "AutoNormal: expected scale > 0, got \(scale)")
    var start = start
    // The covariance of a Laplace approximation is of no use here: its mode is.
    if case .laplace(let from, _) = start { start = .map(from: from, jitter: 0) }
    space = try GuideSpace(model.erased, start: start, key: key)
    self.scale = scale
    self.prefix = prefix
  }

  /// The name of the auxiliary site of a site whose distribution is made by a bijector.
  private static func latent(_ site: String, _ prefix: String) -> String {
    "\(site)_\(prefix)_latent"
  }

  public var program: Model<Void> {
    let (space, scale, prefix) = (space, scale, prefix)
    let hints = Dictionary(
      space.coordinates.entries.map {
        (Self.latent($0.site.name, prefix), Site.auxiliaryHint)
      }
    ) { $1 }
    return Model<Void> { m in
      // Sites in the order of the model, those with a bijector after the run of the model that knows their bounds; the
      // model sees values only, and MeanFieldELBO's order is that of the statements: so all are stated at the end.
      var statements: [(name: String, distribution: (any Distribution)?)] = []
      var coordinates: [String: Tensor] = [:]
      for entry in space.coordinates.entries {
        let site = entry.site
        let shape = entry.isAngle ? site.shape : site.unconstrainedShape
        let loc = m.param(
          "\(site.name)_\(prefix)_loc", Tensor(Array(space.origin[entry.range]), shape: shape))
        let deviation = m.param(
          "\(site.name)_\(prefix)_scale", Tensor(repeating: scale, shape: shape),
          constraint: .positive)
        switch site.constraint {
        case .real: statements.append((site.name, Normal(loc, deviation).toEvent(shape.count)))
        case .positive:
          statements.append((site.name, LogNormal(loc, deviation).toEvent(shape.count)))
        case .circular(let low, let period):
          let factor = period / (2 * Double.pi)
          let wrapped = WrappedNormal(loc * factor, deviation * factor, low: low, period: period)
          statements.append((site.name, wrapped.toEvent(shape.count)))
        default:
          let base = Normal(loc, deviation).toEvent(shape.count)
          coordinates[site.name] = m.sample(Self.latent(site.name, prefix), base)
          statements.append((site.name, nil))
        }
      }
      Self.state(statements, coordinates, space, m, prefix)
    }.configured(hints)
  }

  /// States the sites of the model: drawn from their distributions, or point masses at mapped coordinates.
  private static func state(
    _ statements: [(name: String, distribution: (any Distribution)?)],
    _ coordinates: [String: Tensor], _ space: GuideSpace, _ m: ModelContext, _ prefix: String
  ) {
    var values: [String: Tensor] = [:]
    guard !coordinates.isEmpty else {
      for (name, distribution) in statements {
        if let distribution { m.sample(name, distribution) }
      }
      return
    }
    // Bounds may depend on sites that are drawn here: these are drawn first, and given to the run of the model.
    let order =
      statements.filter { $0.distribution != nil } + statements.filter { $0.distribution == nil }
    for (name, distribution) in order {
      if let distribution { values[name] = m.sample(name, distribution) }
    }
    let model = space.density.model.handled(by: Substitute(values: values))
    let pass = CompiledDensity.run(model, coordinates, .unconstrained)
    for (name, distribution) in order where distribution == nil {
      guard let value = pass.trace.site(name)?.value else { continue }
      m.sample(name, Delta(value).toEvent(value.rank))
    }
    let jacobian = pass.logJacobians.reduce(Tensor(0)) { $0 + $1 }
    m.factor(GuideSpace.densityName(prefix), pass.isComplete ? -jacobian : Tensor(.nan))
  }
}
