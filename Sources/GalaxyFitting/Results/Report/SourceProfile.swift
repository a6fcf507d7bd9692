// SPDX-License-Identifier: MIT
//
// The profile of a source in a result: a stock one, or one that only configurations of other programs have.

public import GalaxyModels
import Rendering
import Tensors

/// The profile of a source in a result.
public enum SourceProfile: Sendable, Hashable {
  /// A stock profile.
  case stock(GalaxyProfile)
  /// A Gaussian, a component of an imported scene.
  case gaussian
  /// A Moffat profile, a component of an imported scene.
  case moffat

  /// All profiles.
  static let all = GalaxyProfile.allCases.map { SourceProfile.stock($0) } + [.gaussian, .moffat]

  /// The name: that of the stock profile, as on the command line.
  public var name: String {
    switch self {
    case .stock(let profile): profile.rawValue
    case .gaussian, .moffat: kind?.name ?? ""
    }
  }

  /// The kind of light of a profile that is not among the stock ones; nil for those.
  private var kind: ProfileKind? {
    switch self {
    case .stock: nil
    case .gaussian: .gaussian
    case .moffat: .moffat
    }
  }

  /// The sites, in the order of the model.
  public var sites: [String] {
    switch self {
    case .stock(let profile): profile.sites
    case .gaussian, .moffat: kind?.parameterNames ?? []
    }
  }

  // MARK: - Components

  /// The names of the components, in the order of the model's light.
  var componentNames: [String] {
    switch self {
    case .stock(let profile): profile.componentNames
    case .gaussian, .moffat: [name]
    }
  }

  /// The names of the components' fluxes, as derived quantities; empty where there is one component.
  var fluxNames: [String] {
    switch self {
    case .stock(let profile): profile.fluxNames
    case .gaussian, .moffat: []
    }
  }

  /// Returns the fluxes of the components, in the order of ``fluxNames``, given the values of sites.
  func fluxes(_ value: (String) -> Double) -> [Double] {
    switch self {
    case .stock(let profile): profile.fluxes(value)
    case .gaussian, .moffat: []
    }
  }

  /// Whether there are two half-light radii, `r_eff_1` and `r_eff_2`.
  var hasTwoRadii: Bool {
    switch self {
    case .stock(let profile): profile.hasTwoRadii
    case .gaussian, .moffat: false
    }
  }

  /// The extended components, in the order of the model's light.
  var shapes: [ComponentShape] {
    if case .stock(let profile) = self { return profile.shapes }
    guard let kind else { return [] }
    return [
      ComponentShape(
        kind: kind, place: nil, radius: GalaxySite.rEff, index: kind.shapeNames.first,
        ellip: GalaxySite.ellip)
    ]
  }

  /// Returns the light of a source with given parameters, by site.
  ///
  /// - Throws: `GalaxyModelError` where a site has no value.
  func light(_ parameters: [String: Double]) throws -> LightProfile {
    if case .stock(let profile) = self { return try profile.light(parameters) }
    let missing = sites.filter { parameters[$0] == nil }
    guard let kind, missing.isEmpty else {
      throw GalaxyModelError(.missingValues(missing, model: name))
    }
    return LightProfile([
      LightProfile.Component(kind, sites.map { Tensor(parameters[$0] ?? .nan) })
    ])
  }
}

extension SourceProfile: CustomStringConvertible {
  public var description: String { name }
}

extension SourceProfile {
  /// The profile of a kind of light; nil for one that no configuration has.
  init?(_ kind: ProfileKind) {
    switch kind {
    case .sersic: self = .stock(.sersic)
    case .exponential: self = .stock(.exp)
    case .deVaucouleurs: self = .stock(.dev)
    case .spergel: self = .stock(.spergel)
    case .pointSource: self = .stock(.pointsource)
    case .gaussian: self = .gaussian
    case .moffat: self = .moffat
    case .radial: return nil
    }
  }

  /// Reads a profile by its name.
  ///
  /// - Throws: ``FitRecordError`` that says what there is.
  init(_ place: JSONPlace) throws(FitRecordError) {
    let name = try place.string()
    guard let found = Self.all.first(where: { $0.name == name }) else {
      throw place.error(
        expected: "one of \(Self.all.map(\.name).joined(separator: ", "))")
    }
    self = found
  }
}
