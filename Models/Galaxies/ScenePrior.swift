// SPDX-License-Identifier: MIT
//
// The priors of several sources in one image and the sky under them.

public import Distributions
public import Rendering

/// The priors of all parameters of several sources and the sky under them: sites `xc_0`, `flux_0`, …, `xc_1`, …, `sky_back`.
///
/// ```swift
/// var prior = catalog.prior(in: image, sky: .flat)
/// prior["n_2"] = Uniform(0.5, 2)
/// prior.fix("ellip_0", at: 0)
/// ```
public struct ScenePrior: ModelPrior {
  /// The profiles of the sources, in order.
  public let profiles: [GalaxyProfile]

  public let sky: SkyKind

  public var table: PriorTable

  /// For each source, whether of two components the first is the smaller one, as in ``GalaxyPrior``.
  public var isOrdered: [Bool]

  /// Creates the priors of sources from those of each, and from those of the sky.
  ///
  /// - Parameters:
  ///   - sources: The priors of the sources; their skies are ignored.
  ///   - sky: The sky under them.
  ///   - background: The priors of the sky's parameters, by site.
  public init(
    _ sources: [GalaxyPrior], sky: SkyKind = .none,
    background: [String: any Distribution] = [:]
  ) {
    profiles = sources.map(\.profile)
    isOrdered = sources.map(\.isOrdered)
    self.sky = sky
    table = PriorTable(background)
    for (number, source) in sources.enumerated() {
      let part = SourcePrior(number: number, prior: source)
      for site in source.profile.sites {
        table[part.site(site)] = source[site]
        table.fixed[part.site(site)] = source.fixed[site]
        table.guesses[part.site(site)] = source.guesses[site]
      }
    }
  }

  public var sources: [SourcePrior] { profiles.indices.map(source) }

  /// Returns the priors of one source, by sites without number.
  ///
  /// - Precondition: There is a source of this number.
  public func source(_ number: Int) -> SourcePrior {
    var own = GalaxyPrior(profiles[number])
    own.isOrdered = isOrdered[number]
    for site in own.profile.sites {
      let name = "\(site)_\(number)"
      own[site] = table[name]
      own.table.fixed[site] = table.fixed[name]
      own.table.guesses[site] = table.guesses[name]
    }
    return SourcePrior(number: number, prior: own)
  }

  public func parameter(_ site: String) -> String {
    // A name ends in its number: `r_eff_1_0` is r_eff_1 of source 0, `r_eff_1` r_eff of source 1.
    guard let cut = site.lastIndex(of: "_"), let number = Int(site[site.index(after: cut)...]),
      profiles.indices.contains(number)
    else { return site }
    let name = String(site[..<cut])
    return profiles[number].sites.contains(name) ? name : site
  }

  public var title: String {
    let kinds = GalaxyProfile.allCases.compactMap { profile in
      let count = profiles.count { $0 == profile }
      return count > 0 ? "\(count) \(profile.rawValue)" : nil
    }
    let noun = profiles.count == 1 ? "source" : "sources"
    return "\(profiles.count) \(noun) (\(kinds.joined(separator: ", ")))"
  }
}
