// SPDX-License-Identifier: MIT
//
// Automatic guides that are points: the maximum of the joint density, and the mode that a Laplace approximation expands at.

import Distributions
public import Numerics
public import PPL
import Tensors

/// A guide that is a point: its ELBO is the log joint density, and its best point the MAP; params `SITE_auto_loc`.
///
/// The maximum is that of the density of the sites as the model samples them, without Jacobians.
public struct AutoDelta: AutoGuide {
  /// The sites with their starting values.
  private let sites: [(name: String, value: Tensor, constraint: Constraint)]

  /// What stands between a site's name and `loc`.
  private let prefix: String

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - start: Where the guide starts.
  ///   - key: The key of the search for a start.
  ///   - prefix: What stands between a site's name and `loc` in the names of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one, one in a subsampled plate or one whose bounds
  ///   depend on other sites, or no start is found.
  public init(
    _ model: Model<some Any>, start: InitialStrategy = .median(draws: 15), key: RandomKey = 0,
    prefix: String = "auto"
  ) throws {
    let space = try GuideSpace(model.erased, start: start, key: key)
    let other = try CompiledDensity(model.erased.seeded(1), isEstimate: true)
    for (here, there) in zip(space.density.layout.entries, other.layout.entries) {
      guard "\(here.constraint)" == "\(there.constraint)" else {
        throw ModelError(
          .misuse, site: here.name,
          "expected a support that does not depend on other sites, found \(here.constraint), and \(there.constraint) at another draw; use AutoLaplace, or the MAP"
        )
      }
    }
    let point = space.coordinates.point(space.origin)
    let values = space.density.constrain(point, sites: space.density.layout.names)
    sites = space.density.layout.entries.map { entry in
      (entry.name, values[entry.name] ?? Tensor(.nan), entry.constraint)
    }
    self.prefix = prefix
  }

  public var program: Model<Void> {
    let (sites, prefix) = (sites, prefix)
    return Model<Void> { m in
      for (name, start, constraint) in sites {
        let value = m.param("\(name)_\(prefix)_loc", start, constraint: constraint)
        m.sample(name, Delta(value).toEvent(value.rank))
      }
    }
  }
}

/// A guide that is a point of the unconstrained space, where a normal approximation is then made; param `auto_loc`.
///
/// ```swift
/// let guide = try AutoLaplace(model)
/// let result = try SVI(model, guide, optimizer: .adam(0.05)).run(steps: 500)
/// let posterior = try guide.posterior(model, at: result)
/// ```
///
/// The steps may be few, or none: ``posterior(_:at:isCancelled:)`` searches for the mode itself, from where they ended.
public struct AutoLaplace: AutoGuide {
  /// The space of the latent sites.
  private let space: GuideSpace

  /// The name before that of the param.
  private let prefix: String

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - start: Where the guide starts.
  ///   - key: The key of the search for a start.
  ///   - prefix: The name before that of the param.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, start: InitialStrategy = .median(draws: 15), key: RandomKey = 0,
    prefix: String = "auto"
  ) throws {
    space = try GuideSpace(model.erased, start: start, key: key)
    self.prefix = prefix
  }

  public var program: Model<Void> {
    let (space, prefix) = (space, prefix)
    return Model<Void> { m in
      let y = m.param("\(prefix)_loc", Tensor(space.origin))
      space.place(y, logDensity: Tensor(0), in: m, prefix)
    }
  }

  /// Returns the normal approximation at the mode near a point, as the posterior of a guide of full covariance.
  ///
  /// - Parameters:
  ///   - model: The model that the guide was made for.
  ///   - result: A fit of the guide, which ends near the mode; nil: the guide's own start.
  ///   - isCancelled: Asked between the steps of the search.
  /// - Returns: The Laplace approximation.
  /// - Throws: `ModelError` if the model's density is not fixed, or the curvature at the mode cannot be inverted.
  public func posterior(
    _ model: Model<some Any>, at result: SVIResult? = nil, isCancelled: () -> Bool = { false }
  ) throws -> VariationalPosterior {
    let density = try model.logDensity()
    let y = result?.parameters["\(prefix)_loc"]?.elements ?? space.origin
    let found = try GuideSpace(
      density, at: space.coordinates.point(y), isWhitened: true, isCancelled: isCancelled)
    return try VariationalPosterior(model, AutoMultivariateNormal(found, prefix: prefix).program)
  }
}
