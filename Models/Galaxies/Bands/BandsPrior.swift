// SPDX-License-Identifier: MIT
//
// The priors of a joint model of several bands: one structure, linked over the bands, and what each band has of its own.

public import Distributions
public import Rendering
import Tensors

/// The priors of all parameters of a joint model of several bands.
///
/// ```swift
/// var prior = try autoprior(bands, .sersic)
/// prior["n"] = Uniform(0.5, 6)
/// try prior.link("r_eff", .polynomial(degree: 1))
/// try prior.link("ellip", .free)
/// prior["ellip_g"] = Uniform(0, 0.5)
/// ```
/// Positions, radii and angles are those in the frame of the joint model: the pixels of the first band. A prior given under
/// the name of a linked parameter (`r_eff`) is that of each of its sites. Fluxes are free; skies and the parameters of the
/// noise belong to a band and end in its name.
public struct BandsPrior: ModelPrior {
  /// What the priors know of a band.
  struct BandPart: Sendable {
    /// The name.
    let name: String
    /// The wavelength, if it is known.
    let wavelength: Double?
    /// The sky.
    let sky: SkyKind
    /// The loss.
    let loss: ImageLoss

    /// The sites of sky and noise, without the name of the band.
    var sites: [String] { sky.sites + loss.sites }
  }

  /// The bands, in order.
  let bands: [BandPart]

  /// The profiles of the sources, in order.
  public let profiles: [GalaxyProfile]

  /// Whether the sources are numbered: a scene, even if of one source.
  public let isScene: Bool

  /// For each source, whether of two components the first is the smaller one, as in ``GalaxyPrior``.
  public let isOrdered: [Bool]

  /// The links of parameters that are neither constant nor a flux, by name without a band.
  private var links: [String: WavelengthLink] = [:]

  /// Whether the bands after the first may be displaced: sites `dx_r`, `dy_r`.
  public private(set) var hasOffsets = false

  public var table = PriorTable()

  /// The parameters of the sources, in order; remade when a link changes.
  public private(set) var parameters: [LinkedParameter] = []

  /// Creates the priors of one source from those of its structure: its flux and its sky are left out.
  public init(_ structure: GalaxyPrior, bands: [Band]) {
    self.init([structure], isScene: false, bands: bands)
  }

  /// Creates the priors of several sources from those of their structures: their fluxes and their sky are left out.
  public init(_ structure: ScenePrior, bands: [Band]) {
    self.init(structure.sources.map(\.prior), isScene: true, bands: bands)
  }

  /// Creates priors from structures without numbers.
  private init(_ structures: [GalaxyPrior], isScene: Bool, bands: [Band]) {
    self.init(
      profiles: structures.map(\.profile), isOrdered: structures.map(\.isOrdered),
      isScene: isScene,
      bands: bands.map {
        BandPart(name: $0.name, wavelength: $0.wavelength, sky: $0.sky, loss: $0.loss)
      })
    for (number, structure) in structures.enumerated() {
      for parameter in parameters where (parameter.source ?? 0) == number {
        guard parameter.quantity != GalaxySite.flux else { continue }
        self[parameter.name] = structure[parameter.quantity]
        if let value = structure.fixed[parameter.quantity] { fix(parameter.name, at: value) }
        guess(parameter.name, structure.guesses[parameter.quantity])
      }
    }
    for band in self.bands {
      for site in band.loss.sites {
        table[site + "_" + band.name] = ImageLoss.defaultPrior(site)
      }
    }
  }

  /// Creates priors without distributions.
  init(
    profiles: [GalaxyProfile], isOrdered: [Bool], isScene: Bool, bands: [BandPart]
  ) {
    self.profiles = profiles
    self.isOrdered = isOrdered
    self.isScene = isScene
    self.bands = bands
    makeParameters()
  }

  /// Makes the parameters anew.
  private mutating func makeParameters() {
    let names = bands.map(\.name)
    let wavelengths = bands.compactMap(\.wavelength)
    parameters = profiles.enumerated().flatMap { number, profile in
      profile.sites.map { site in
        let source = isScene ? number : nil
        let name = site + (source.map { "_\($0)" } ?? "")
        return LinkedParameter(
          site, source: source, link: link(of: name, site), bands: names, wavelengths: wavelengths)
      }
    }
  }

  /// Returns the link of a parameter.
  private func link(of name: String, _ quantity: String) -> WavelengthLink {
    quantity == GalaxySite.flux ? .free : links[name] ?? .constant
  }

  // MARK: - Links

  /// Returns a parameter by its name without a band; nil where there is none.
  public func parameter(named name: String) -> LinkedParameter? {
    parameters.first { $0.name == name }
  }

  /// Says how a parameter depends on the wavelength; its prior, value and guess stay, now those of each of its sites.
  ///
  /// - Parameters:
  ///   - name: The name without a band: `r_eff`; in a scene also `r_eff` for all sources, or `r_eff_1`.
  ///   - link: The link.
  /// - Throws: ``GalaxyModelError`` for an unknown parameter, a flux, or a link that these bands cannot have.
  public mutating func link(_ name: String, _ link: WavelengthLink) throws(GalaxyModelError) {
    let exact = parameters.filter { $0.name == name }
    let chosen = exact.isEmpty ? parameters.filter { $0.quantity == name } : exact
    guard !chosen.isEmpty else {
      throw GalaxyModelError(
        .unknownParameters([name], known: parameters.map(\.name), model: title))
    }
    guard link == .free || chosen.allSatisfy({ $0.quantity != GalaxySite.flux }) else {
      throw GalaxyModelError(
        .invalidBands(
          "\(name): expected a flux of its own in each band, found \(link); drop the link"))
    }
    if let problem = link.problem(bandCount: bands.count) {
      throw GalaxyModelError(.invalidBands("\(name): \(link): \(problem)"))
    }
    if link.needsWavelengths {
      let wavelengths = bands.compactMap(\.wavelength)
      guard wavelengths.count == bands.count, wavelengths.allSatisfy(\.isFinite),
        Set(wavelengths).count == bands.count
      else {
        throw GalaxyModelError(
          .invalidBands(
            "\(name): \(link): expected a wavelength for each band, all different, found \(bands.map { $0.wavelength.map { "\($0)" } ?? "none" }.joined(separator: ", ")); give them"
          ))
      }
    }
    for old in chosen {
      let (prior, value, guess) = (
        table[old.sites[0]], table.fixed[old.sites[0]], table.guesses[old.sites[0]]
      )
      for site in old.sites {
        table[site] = nil
        table.fixed[site] = nil
        table.guesses[site] = nil
      }
      links[old.name] = link
      makeParameters()
      self[old.name] = prior
      if let value { fix(old.name, at: value) }
      self.guess(old.name, guess)
    }
  }

  /// Lets the bands after the first be displaced: their positions have priors of zero mean.
  ///
  /// - Parameter standardDeviation: The standard deviation in x and y, in pixels of the first band, positive.
  public mutating func allowOffsets(_ standardDeviation: Double) {
    hasOffsets = true
    for band in bands.dropFirst() {
      for site in [GalaxySite.dx, GalaxySite.dy] {
        table["\(site)_\(band.name)"] = Normal(0, standardDeviation)
        table.guesses["\(site)_\(band.name)"] = 0
      }
    }
  }

  // MARK: - Sites

  /// None: the sources of a joint model have other parameters in each band; ``profiles`` and ``parameters`` tell of them.
  public var sources: [SourcePrior] { [] }

  /// None of the whole model: each band has its own.
  public var sky: SkyKind { .none }

  public var sites: [String] {
    parameters.flatMap(\.sites) + offsetSites
      + bands.flatMap { band in band.sites.map { "\($0)_\(band.name)" } }
  }

  /// The sites of the displacements, in order.
  private var offsetSites: [String] {
    guard hasOffsets else { return [] }
    return bands.dropFirst().flatMap { band in
      [GalaxySite.dx, GalaxySite.dy].map { "\($0)_\(band.name)" }
    }
  }

  public var hasTwoRadii: Bool { profiles.contains(where: \.hasTwoRadii) }

  public func parameter(_ site: String) -> String {
    if let parameter = parameters.first(where: {
      $0.name == site || $0.sites.contains(site) || $0.bandNames.contains(site)
    }) {
      return parameter.quantity
    }
    for band in bands {
      let suffix = "_" + band.name
      guard site.hasSuffix(suffix) else { continue }
      let own = String(site.dropLast(suffix.count))
      if band.sites.contains(own) || own == GalaxySite.dx || own == GalaxySite.dy { return own }
    }
    return site
  }

  public var title: String {
    let what =
      isScene ? ScenePrior(profiles.map { GalaxyPrior($0) }).title : profiles[0].rawValue
    return "\(what) in \(bands.map(\.name).joined(separator: ", "))"
  }

  public var name: String { title }

  // MARK: - Priors

  /// The prior of a site, or of a linked parameter under its own name: setting it sets that of each of its sites.
  public subscript(site: String) -> (any Distribution)? {
    get { table[named(site)[0]] }
    set { for own in named(site) { table[own] = newValue } }
  }

  /// Holds a site, or a linked parameter with all its sites, at a value.
  public mutating func fix(_ site: String, at value: Double) {
    for own in named(site) { table.fixed[own] = value }
  }

  /// Sets where a fit may start a parameter with all its sites; nil: at the median of its prior.
  public mutating func guess(_ site: String, _ value: Double?) {
    for own in named(site) { table.guesses[own] = value }
  }

  /// Returns the sites that a name stands for: those of a linked parameter, else the site itself.
  public func named(_ name: String) -> [String] {
    guard !parameters.contains(where: { $0.sites.contains(name) }) else { return [name] }
    return parameter(named: name)?.sites ?? [name]
  }

  /// All names under which priors may be given: sites, and linked parameters.
  public var names: [String] {
    let own = sites
    return own + parameters.map(\.name).filter { !own.contains($0) }
  }

  // MARK: - Checks

  /// Checks that each parameter has a prior or a value, that there are no others, and that the sites of a link agree.
  ///
  /// - Throws: ``GalaxyModelError`` with what is wrong.
  public func validate() throws(GalaxyModelError) {
    try checkNames()
    guard extraSites.isEmpty else {
      throw GalaxyModelError(.unknownParameters(extraSites, known: names, model: title))
    }
    let given = table.given
    let missing = sites.filter { !given.contains($0) }
    guard missing.isEmpty else { throw GalaxyModelError(.missingPriors(missing, model: title)) }
    for (site, value) in fixed.sorted(by: { $0.key < $1.key }) {
      let bounds = meaningfulRange(of: parameter(site))
      guard value.isFinite, bounds?.contains(value) ?? true else {
        throw GalaxyModelError(
          .invalidValue(
            site, value,
            expected: bounds.map { "a number from \($0.lowerBound) to \($0.upperBound)" }
              ?? "a finite number"))
      }
    }
    for parameter in parameters where parameter.link.needsWavelengths {
      let supports = Set(parameter.sites.compactMap { table[$0].map { "\($0.support)" } })
      guard supports.count <= 1 else {
        throw GalaxyModelError(
          .invalidBands(
            "\(parameter.name): \(parameter.link): expected priors with one support, found \(supports.sorted().joined(separator: " and ")); a link runs on the scale of the support, so give all its sites the same bounds"
          ))
      }
      guard
        supports.isEmpty
          || parameter.sites.allSatisfy({ table.fixed[$0] == nil || table[$0] != nil })
      else {
        throw GalaxyModelError(
          .invalidBands(
            "\(parameter.name): \(parameter.link): expected a prior also for the sites that are held, found none; set that of \(parameter.name)"
          ))
      }
    }
    for site in sites where isConfined(site) {
      if let own = table[site], !TruncatedDistribution.canTruncate(own) {
        throw GalaxyModelError(.noOrder(site, "\(own)"))
      }
    }
    guard !freeSites.isEmpty else { throw GalaxyModelError(.nothingFree(model: title)) }
  }

  /// Checks the names of the bands.
  private func checkNames() throws(GalaxyModelError) {
    let all = bands.map(\.name)
    for name in all {
      let isPlain =
        !name.isEmpty
        && name.unicodeScalars.allSatisfy {
          $0.isASCII
            && ($0.properties.isAlphabetic || $0.properties.numericType != nil
              || "_-.".unicodeScalars
                .contains($0))
        }
      guard isPlain else {
        throw GalaxyModelError(
          .invalidBands(
            "expected names of letters, digits and _ - . for bands, found \"\(name)\"; rename it"))
      }
    }
    let names = sites
    var seen: Set<String> = []
    let twice = names.filter { !seen.insert($0).inserted }
    guard twice.isEmpty else {
      throw GalaxyModelError(
        .invalidBands(
          "expected names of bands that tell all parameters apart, found \(all.joined(separator: ", ")), with which \(twice.joined(separator: ", ")) would be two; rename a band"
        ))
    }
  }

  /// Returns whether the prior of a site counts only above the first radius.
  func isConfined(_ site: String) -> Bool {
    parameters.contains { parameter in
      parameter.quantity == GalaxySite.rEff2 && parameter.sites.contains(site)
        && isOrdered[parameter.source ?? 0] && fixed[site] == nil
    }
  }

  /// The priors as text, by site.
  public var texts: [String: String] {
    var result: [String: String] = [:]
    for site in sites {
      result[site] =
        fixed[site].map { "fixed at \($0)" }
        ?? table[site].map { isConfined(site) ? "\($0) above the first radius" : "\($0)" }
    }
    return result
  }
}
