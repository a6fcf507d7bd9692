// SPDX-License-Identifier: MIT
//
// The radial forms of light, with the parameters that a component of each takes.

/// The radial form of a light component, with the parameters it takes.
///
/// A point source has xc, yc, flux. All others have xc, yc, flux, r_eff, then the parameters of their shape, then ellip
/// and theta.
public enum ProfileKind: Sendable, Hashable {
  /// Sérsic profile: shape n.
  case sersic
  /// Sérsic profile with n = 1: no shape.
  case exponential
  /// Sérsic profile with n = 4: no shape.
  case deVaucouleurs
  /// Gaussian, a Sérsic profile with n = 1/2: no shape.
  case gaussian
  /// Spergel profile: shape nu.
  case spergel
  /// Moffat profile: shape beta.
  case moffat
  /// Point source.
  case pointSource
  /// A profile by its own radial function or transform: its shape.
  case radial(RadialProfile)

  /// The name, for messages and files.
  public var name: String {
    switch self {
    case .sersic: "sersic"
    case .exponential: "exp"
    case .deVaucouleurs: "dev"
    case .gaussian: "gaussian"
    case .spergel: "spergel"
    case .moffat: "moffat"
    case .pointSource: "pointsource"
    case .radial(let profile): profile.name
    }
  }

  /// The names of the parameters of the shape, in order.
  public var shapeNames: [String] {
    switch self {
    case .sersic: ["n"]
    case .spergel: ["nu"]
    case .moffat: ["beta"]
    case .exponential, .deVaucouleurs, .gaussian, .pointSource: []
    case .radial(let profile): profile.shapeNames
    }
  }

  /// The names of all parameters of one component, in order.
  public var parameterNames: [String] {
    let place = ["xc", "yc", "flux"]
    return isExtended ? place + ["r_eff"] + shapeNames + ["ellip", "theta"] : place
  }

  /// Whether the light has an extent: it is no point.
  public var isExtended: Bool { self != .pointSource }

  /// The number of parameters of the shape.
  public var shapeCount: Int {
    switch self {
    case .sersic, .spergel, .moffat: 1
    case .exponential, .deVaucouleurs, .gaussian, .pointSource: 0
    case .radial(let profile): profile.shapeNames.count
    }
  }

  /// The number of parameters of one component.
  public var parameterCount: Int { isExtended ? 6 + shapeCount : 3 }

  /// The Sérsic index of a profile that has a fixed one.
  public var fixedIndex: Double? {
    switch self {
    case .exponential: 1
    case .deVaucouleurs: 4
    case .gaussian: 0.5
    case .sersic, .spergel, .moffat, .pointSource, .radial: nil
    }
  }
}

/// Where the parameters of an extended component lie in its list.
public enum ProfileParameter {
  /// The centre's column.
  public static let xc = 0
  /// The centre's row.
  public static let yc = 1
  /// The flux.
  public static let flux = 2
  /// The half-light radius.
  public static let rEff = 3
  /// The first parameter of the shape.
  public static let shape = 4

  /// Returns the place of the ellipticity.
  public static func ellip(_ kind: ProfileKind) -> Int { shape + kind.shapeCount }

  /// Returns the place of the angle.
  public static func theta(_ kind: ProfileKind) -> Int { shape + kind.shapeCount + 1 }
}
