// SPDX-License-Identifier: MIT
//
// Automatic guides that are normal in unconstrained coordinates: diagonal, of full covariance, of low rank.

public import Numerics
public import PPL

/// A guide with independent normal coordinates; params `auto_loc` and `auto_scale`.
///
/// The cheapest of the guides over one vector; it underestimates deviations where coordinates are correlated.
public struct AutoDiagonalNormal: VectorAutoGuide {
  public let core: VectorGuide

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - start: Where the guide starts; with `.laplace` at the mode, in coordinates that the curvature there has made
  ///     independent, which are then those of the params.
  ///   - scale: The deviation of every coordinate at the start; 1 with `.laplace`.
  ///   - key: The key of the search for a start.
  ///   - prefix: The name before those of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, start: InitialStrategy = .median(draws: 15), scale: Double = 0.1,
    key: RandomKey = 0, prefix: String = "auto"
  ) throws {
    core = try VectorGuide(model, start: start, scale: scale, key: key, prefix: prefix) {
      DiagonalNormalFamily(location: $0, scale: $1)
    }
  }
}

/// A guide that is one normal distribution with a full covariance; params `auto_loc`, `auto_scale` and `auto_lower`.
///
/// The guide to take where nothing speaks against it: exact for normal posteriors, with n²/2 parameters. Started with
/// `.laplace` it converges in a few hundred steps.
public struct AutoMultivariateNormal: VectorAutoGuide {
  public let core: VectorGuide

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - start: Where the guide starts; with `.laplace` it starts as the Laplace approximation, and its params are those
  ///     of coordinates in which that is the standard normal distribution.
  ///   - scale: The deviation of every coordinate at the start; 1 with `.laplace`.
  ///   - key: The key of the search for a start.
  ///   - prefix: The name before those of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, start: InitialStrategy = .median(draws: 15), scale: Double = 0.1,
    key: RandomKey = 0, prefix: String = "auto"
  ) throws {
    core = try VectorGuide(model, start: start, scale: scale, key: key, prefix: prefix) {
      MultivariateNormalFamily(location: $0, scale: $1)
    }
  }

  /// Creates the guide over a space.
  init(_ space: GuideSpace, prefix: String = "auto") {
    core = VectorGuide(space, scale: 1, prefix: prefix) {
      MultivariateNormalFamily(location: $0, scale: $1)
    }
  }
}

/// A guide with a covariance of low rank plus a diagonal; params `auto_loc`, `auto_scale` and `auto_cov_factor`.
///
/// For posteriors of many dimensions with a few strong directions.
public struct AutoLowRankMultivariateNormal: VectorAutoGuide {
  public let core: VectorGuide

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - rank: The rank; by default the square root of the number of coordinates.
  ///   - start: Where the guide starts; with `.laplace` in coordinates in which the approximation there is standard.
  ///   - scale: The deviation of every coordinate at the start; 1 with `.laplace`.
  ///   - key: The key of the search for a start.
  ///   - prefix: The name before those of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, rank: Int? = nil, start: InitialStrategy = .median(draws: 15),
    scale: Double = 0.1, key: RandomKey = 0, prefix: String = "auto"
  ) throws {
    core = try VectorGuide(model, start: start, scale: scale, key: key, prefix: prefix) {
      let usual = Int(Double($0.count).squareRoot().rounded())
      return LowRankNormalFamily(location: $0, scale: $1, rank: rank ?? max(1, usual))
    }
  }
}
