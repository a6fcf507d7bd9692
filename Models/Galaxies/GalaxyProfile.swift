// SPDX-License-Identifier: MIT
//
// The stock profiles by name, with the sites each of them has.

public import PPL
public import Rendering

/// A stock profile of one source.
public enum GalaxyProfile: String, Sendable, Hashable, Codable, CaseIterable {
  /// One Sérsic profile.
  case sersic
  /// An exponential disk: a Sérsic profile with n = 1.
  case exp
  /// A de Vaucouleurs profile: a Sérsic profile with n = 4.
  case dev
  /// A point source.
  case pointsource

  /// The latent sites, in the order of the model.
  public var sites: [String] {
    switch self {
    case .sersic:
      [
        GalaxySite.xc, GalaxySite.yc, GalaxySite.flux, GalaxySite.rEff, GalaxySite.n,
        GalaxySite.ellip, GalaxySite.theta,
      ]
    case .exp, .dev:
      [
        GalaxySite.xc, GalaxySite.yc, GalaxySite.flux, GalaxySite.rEff, GalaxySite.ellip,
        GalaxySite.theta,
      ]
    case .pointsource: [GalaxySite.xc, GalaxySite.yc, GalaxySite.flux]
    }
  }

  /// Returns the model of a source of this profile under given priors.
  public func model(_ prior: GalaxyPrior) -> Model<LightProfile> {
    switch self {
    case .sersic: sersicSource(prior)
    case .exp: exponentialSource(prior)
    case .dev: deVaucouleursSource(prior)
    case .pointsource: pointSource(prior)
    }
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
