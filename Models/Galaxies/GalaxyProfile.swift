// SPDX-License-Identifier: MIT
//
// The stock profiles by name, with the sites each of them has.

import Numerics
public import PPL
public import Rendering

/// A stock profile of one source.
public enum GalaxyProfile: String, Sendable, Hashable, Codable, CaseIterable {
  /// One Sérsic profile.
  case sersic
  /// Two Sérsic profiles with a common centre and angle.
  case doublesersic
  /// A Sérsic profile and an exponential disk with a common centre and angle.
  case sersicExp = "sersic_exp"
  /// A Sérsic profile with a point source at its centre.
  case sersicPointsource = "sersic_pointsource"
  /// A point source.
  case pointsource
  /// An exponential disk: a Sérsic profile with n = 1.
  case exp
  /// A de Vaucouleurs profile: a Sérsic profile with n = 4.
  case dev
  /// One Spergel profile.
  case spergel

  /// The latent sites, in the order of the model.
  public var sites: [String] {
    typealias S = GalaxySite
    let place = [S.xc, S.yc, S.flux]
    switch self {
    case .sersic: return place + [S.rEff, S.n, S.ellip, S.theta]
    case .doublesersic:
      return place + [S.f1, S.rEff1, S.n1, S.ellip1, S.rEff2, S.n2, S.ellip2, S.theta]
    case .sersicExp: return place + [S.f1, S.rEff1, S.ellip1, S.rEff2, S.n, S.ellip2, S.theta]
    case .sersicPointsource: return place + [S.fPs, S.rEff, S.n, S.ellip, S.theta]
    case .exp, .dev: return place + [S.rEff, S.ellip, S.theta]
    case .pointsource: return place
    case .spergel: return place + [S.rEff, S.nu, S.ellip, S.theta]
    }
  }

  /// The names of the components, in the order of the model's light.
  public var componentNames: [String] {
    switch self {
    case .doublesersic: ["sersic_1", "sersic_2"]
    case .sersicExp: ["sersic_1", "exp_2"]
    case .sersicPointsource: ["sersic", "pointsource"]
    case .sersic, .pointsource, .exp, .dev, .spergel: [rawValue]
    }
  }

  /// The names of the components' fluxes, as derived quantities; empty where there is one component.
  public var fluxNames: [String] {
    switch self {
    case .doublesersic, .sersicExp: ["flux_1", "flux_2"]
    case .sersicPointsource: ["flux_sersic", "flux_ps"]
    case .sersic, .pointsource, .exp, .dev, .spergel: []
    }
  }

  /// Returns the fluxes of the components, in the order of `fluxNames`.
  ///
  /// - Parameter value: Returns the value of a site.
  /// - Returns: The fluxes in image units.
  public func fluxes(_ value: (String) -> Double) -> [Double] {
    let flux = value(GalaxySite.flux)
    switch self {
    case .doublesersic, .sersicExp:
      let first = flux * value(GalaxySite.f1)
      return [first, flux - first]
    case .sersicPointsource:
      let nucleus = flux * value(GalaxySite.fPs)
      return [flux - nucleus, nucleus]
    case .sersic, .pointsource, .exp, .dev, .spergel: return []
    }
  }

  /// Whether there is a point source, which cannot be drawn without a PSF.
  public var hasPointSource: Bool { self == .pointsource || self == .sersicPointsource }

  /// Whether there are two half-light radii, `r_eff_1` and `r_eff_2`.
  public var hasTwoRadii: Bool { self == .doublesersic || self == .sersicExp }

  /// Returns the model of a source of this profile under given priors.
  public func model(_ prior: GalaxyPrior) -> Model<LightProfile> {
    switch self {
    case .sersic: sersicSource(prior)
    case .doublesersic: doubleSersicSource(prior)
    case .sersicExp: sersicExponentialSource(prior)
    case .sersicPointsource: sersicPointSource(prior)
    case .exp: exponentialSource(prior)
    case .dev: deVaucouleursSource(prior)
    case .pointsource: pointSource(prior)
    case .spergel: spergelSource(prior)
    }
  }

  /// Returns the light of a source of this profile with given parameters.
  ///
  /// - Parameter parameters: A value for each site of the profile; others are ignored.
  /// - Returns: The light, its components in order.
  /// - Throws: ``GalaxyModelError`` where a site has no value.
  public func light(_ parameters: [String: Double]) throws -> LightProfile {
    var prior = GalaxyPrior(self)
    let missing = sites.filter { parameters[$0] == nil }
    guard missing.isEmpty else {
      throw GalaxyModelError(.missingValues(missing, model: rawValue))
    }
    for site in sites { prior.fix(site, at: parameters[site] ?? .nan) }
    return try model(prior).intervened(on: prior.fixed)(key: 0)
  }
}

extension SkyKind {
  /// The latent sites, in the order of the model.
  public var sites: [String] {
    switch self {
    case .none: []
    case .flat: [GalaxySite.skyBack]
    case .tiltedPlane: [GalaxySite.skyBack, GalaxySite.skyXSl, GalaxySite.skyYSl]
    }
  }
}
