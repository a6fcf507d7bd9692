// SPDX-License-Identifier: MIT
//
// A source of a simulated image: profile and parameters, by themselves, as text, or as a row of a catalogue.

public import GalaxyModels

/// A source of a simulated image.
public struct SimulatedSource: Sendable, Hashable {
  /// The profile.
  public let profile: GalaxyProfile

  /// The parameters, by sites without number.
  public let parameters: [String: Double]

  /// Where it was given, for messages.
  let place: String

  /// Creates a source, and checks its parameters.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - parameters: The parameters, by sites without number; theta may be any angle.
  /// - Throws: ``OptionError`` for unknown, missing and impossible parameters.
  public init(_ profile: GalaxyProfile, _ parameters: [String: Double]) throws(OptionError) {
    try self.init(profile, parameters, place: "--param", advice: { "; add --param \($0)=VALUE" })
  }

  /// Creates a source that was given somewhere, and checks its parameters.
  private init(
    _ profile: GalaxyProfile, _ parameters: [String: Double], place: String,
    advice: (String) -> String
  ) throws(OptionError) {
    let unknown = parameters.keys.filter { !profile.sites.contains($0) }.sorted()
    guard unknown.isEmpty else {
      throw OptionError(
        place,
        "expected the parameters of \(profile.rawValue) (\(profile.sites.joined(separator: ", "))), found \(unknown.joined(separator: ", ")); the sky's go into --sky"
      )
    }
    let missing = profile.sites.filter { parameters[$0] == nil }
    guard missing.isEmpty else {
      throw OptionError(
        place,
        "expected a value for each parameter of \(profile.rawValue), found none for \(missing.joined(separator: ", "))\(advice(missing[0]))"
      )
    }
    for (site, value) in parameters.sorted(by: { $0.key < $1.key }) {
      guard value.isFinite, meaningfulRange(of: site)?.contains(value) ?? true else {
        let range = meaningfulRange(of: site).map {
          "a number from \($0.lowerBound) to \($0.upperBound)"
        }
        throw OptionError(place, "\(site): expected \(range ?? "a finite number"), found \(value)")
      }
    }
    self.profile = profile
    self.parameters = parameters
    self.place = place
  }

  /// Reads a source like `sersic:xc=24.3,yc=30.2,flux=400,r_eff=4,n=1.5,ellip=0.3,theta=0.6`.
  ///
  /// - Throws: ``OptionError`` for an unknown profile, and for unknown, missing and impossible parameters.
  public init(_ text: String) throws(OptionError) {
    let option = try OptionText(text, subject: "--source")
    let names = GalaxyProfile.allCases.map(\.rawValue)
    guard let profile = GalaxyProfile(rawValue: option.word) else {
      throw OptionError(
        "--source",
        "expected PROFILE:NAME=VALUE,… with one of the profiles \(names.joined(separator: ", ")), found \"\(text)\""
      )
    }
    var parameters: [String: Double] = [:]
    for argument in option.arguments {
      guard let name = argument.name else {
        throw OptionError(
          "--source",
          "expected NAME=VALUE for each parameter, found \(argument.value) in \"\(text)\"")
      }
      guard parameters.updateValue(argument.value, forKey: name) == nil else {
        throw OptionError("--source", "\(name) is given twice in \"\(text)\"; give it once")
      }
    }
    try self.init(
      profile, parameters, place: "--source",
      advice: { " in \"\(text)\"; add \($0)=VALUE" })
  }
}

extension SimulatedSource {
  /// The other names of columns of a parameter.
  private static let aliases = [
    GalaxySite.xc: "x", GalaxySite.yc: "y", GalaxySite.rEff: "r",
  ]

  /// Reads the sources of a catalogue.
  ///
  /// Columns are named by the parameters (`xc` or `x`, `yc` or `y`, `flux`, `r_eff` or `r`, `n`, `ellip`, `theta`, …), with `type` for
  /// the profile; a row may leave those empty that its profile does not have. Radii are those without the PSF.
  ///
  /// - Parameters:
  ///   - path: A FITS table or text, as for `SourceCatalog`.
  ///   - profile: The profile of sources whose type is not given.
  /// - Returns: The sources, in order.
  /// - Throws: ``OptionError`` or `FITSError` that name file, row and column.
  public static func list(
    reading path: String, profile: GalaxyProfile = .sersic
  ) throws -> [SimulatedSource] {
    let table = try CatalogTable.read(path)
    guard table.rows > 0 else {
      throw OptionError(path, "expected at least one source, found an empty catalogue")
    }
    return try (0..<table.rows).map { row -> SimulatedSource in
      let place = "\(path), row \(row + 1)"
      let type = table.cell("type", row).lowercased()
      guard let profile = type.isEmpty ? profile : GalaxyProfile(rawValue: type) else {
        throw OptionError(
          place,
          "expected one of \(GalaxyProfile.allCases.map(\.rawValue).joined(separator: ", ")), found \"\(type)\""
        )
      }
      var parameters: [String: Double] = [:]
      for site in profile.sites {
        let cells = [site, aliases[site] ?? site].map { (name: $0, text: table.cell($0, row)) }
        guard let cell = cells.first(where: { !$0.text.isEmpty }) else { continue }
        guard let value = Double(cell.text) else {
          throw OptionError(
            place, "column \(cell.name): expected a number, found \"\(cell.text)\"")
        }
        parameters[site] = value
      }
      return try SimulatedSource(
        profile, parameters, place: place, advice: { "; add a column \($0)" })
    }
  }

  /// The source as an entry of a catalogue: what one would guess of it.
  ///
  /// - Parameter blur: The half-light radius of the PSF, pixels.
  /// - Returns: The entry, its radius that of the light as the image shows it.
  func entry(blur: Double) -> CatalogSource {
    typealias S = GalaxySite
    /// Returns a parameter; 0 where there is none.
    func value(_ site: String) -> Double { parameters[site] ?? 0 }
    let share = value(S.f1)
    let radius =
      profile.hasTwoRadii ? share * value(S.rEff1) + (1 - share) * value(S.rEff2) : value(S.rEff)
    return CatalogSource(
      x: value(S.xc), y: value(S.yc), flux: value(S.flux),
      radius: (radius * radius + blur * blur).squareRoot(), profile: profile,
      ellip: parameters[S.ellip] ?? parameters[S.ellip2], theta: parameters[S.theta])
  }
}
