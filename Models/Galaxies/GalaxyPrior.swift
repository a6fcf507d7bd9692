// SPDX-License-Identifier: MIT
//
// The priors of one source and the sky under it.

public import Distributions
public import Rendering
import Tensors

/// The priors of all parameters of one source and the sky under it.
///
/// ```swift
/// var prior = autoprior(image, .sersic, sky: .flat)
/// prior["n"] = Uniform(0.5, 6)
/// print(prior)
/// ```
public struct GalaxyPrior: ModelPrior {
  /// The profile of the source.
  public let profile: GalaxyProfile

  /// The sky under it.
  public let sky: SkyKind

  public var table: PriorTable

  /// Whether of two components the first is the smaller one: the prior of `r_eff_2` counts above `r_eff_1` only.
  ///
  /// Without order the two components of a double Sérsic profile can change places, and a posterior has each mode twice.
  /// A fixed `r_eff_2` orders nothing.
  public var isOrdered = true

  /// Creates priors; `validate()` says what is missing or extra.
  public init(
    _ profile: GalaxyProfile, sky: SkyKind = .none,
    _ distributions: [String: any Distribution] = [:]
  ) {
    self.profile = profile
    self.sky = sky
    table = PriorTable(distributions)
  }

  public var sources: [SourcePrior] { [SourcePrior(number: nil, prior: self)] }

  public var title: String { profile.rawValue }

  public func parameter(_ site: String) -> String { site }

  /// Returns whether the prior of a site counts only above another site.
  func isConfined(_ site: String) -> Bool {
    site == GalaxySite.rEff2 && profile.hasTwoRadii && isOrdered && fixed[site] == nil
  }

  /// Returns the distribution from which a model draws the second radius, given the first.
  ///
  /// - Precondition: The site has a prior or a value, as `validate()` checks.
  func distribution(_ site: String, above first: Tensor) -> any Distribution {
    let own = distribution(site)
    return isConfined(site) ? own.truncated(below: first) : own
  }

  /// Returns the distribution from which a model draws a site; a point mass at a fixed value.
  ///
  /// - Precondition: The site has a prior or a value, as `validate()` checks.
  func distribution(_ site: String) -> any Distribution { table.distribution(site) }
}
