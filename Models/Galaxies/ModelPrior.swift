// SPDX-License-Identifier: MIT
//
// The priors of a stock model, of one source or of many: one distribution or value for each site, checked before a fit.

public import Distributions
public import Rendering

/// The priors of all parameters of a stock model.
///
/// ``GalaxyPrior`` is that of one source, ``ScenePrior`` that of several in one image.
public protocol ModelPrior: Sendable, CustomStringConvertible {
  /// The sources, in the order of the model.
  var sources: [SourcePrior] { get }

  /// The sky under them.
  var sky: SkyKind { get }

  /// The sources in words: the profile of one, the number of several.
  var title: String { get }

  /// Distributions, fixed values and guesses, by site.
  var table: PriorTable { get set }

  /// Returns the site of a single source that a site stands for: `n` for `n_2` of source 2; others are themselves.
  func parameter(_ site: String) -> String

  /// The sites that need a prior, in order: those of the sources, of the sky, of the noise.
  var sites: [String] { get }

  /// The model in words.
  var name: String { get }

  /// The priors as text, by site.
  var texts: [String: String] { get }

  /// Whether a source has two components with a radius each.
  var hasTwoRadii: Bool { get }

  /// The prior of a site; nil where none has been set.
  subscript(site: String) -> (any Distribution)? { get set }

  /// Holds a parameter at a value: it has no prior and is not fitted.
  mutating func fix(_ site: String, at value: Double)
}

/// One source of a stock model: its priors, and how its sites are named.
public struct SourcePrior: Sendable {
  /// The number of the source; nil where there is only one, whose sites have no number.
  public let number: Int?

  /// The priors of its parameters, by sites without number.
  public let prior: GalaxyPrior

  /// The profile.
  public var profile: GalaxyProfile { prior.profile }

  /// What follows the names of its sites: `_2` for source 2; nothing where there is only one.
  public var suffix: String { number.map { "_\($0)" } ?? "" }

  /// Returns the site of the whole model for one of the source.
  public func site(_ name: String) -> String { name + suffix }

  /// The sites of the source as the whole model names them, in order.
  public var sites: [String] { profile.sites.map(site) }
}

extension ModelPrior {
  public var sites: [String] { sources.flatMap(\.sites) + sky.sites + (loss?.sites ?? []) }

  public var hasTwoRadii: Bool { sources.contains { $0.profile.hasTwoRadii } }

  /// The sites that are not fixed, in order.
  public var freeSites: [String] { sites.filter { fixed[$0] == nil } }

  /// The sites that have a prior or a value although the model does not have them, sorted.
  public var extraSites: [String] { table.given.subtracting(sites).sorted() }

  /// The parameters held at a value, by site.
  public var fixed: [String: Double] { table.fixed }

  /// Where a fit may start, by site; the prior's own median where there is none.
  public var guesses: [String: Double] {
    get { table.guesses }
    set { table.guesses = newValue }
  }

  public subscript(site: String) -> (any Distribution)? {
    get { table[site] }
    set { table[site] = newValue }
  }

  /// The loss whose parameters of the noise are among the sites; nil for none.
  public var loss: ImageLoss? { table.loss }

  /// Takes the parameters of the noise of a loss among the sites, those of an earlier loss out of them.
  ///
  /// A fit does this for its loss: it is needed only to see or check the priors before. Where no prior has been set, the
  /// parameter has the default prior of the loss.
  public mutating func include(_ loss: ImageLoss) { table.include(loss) }

  /// The priors of the parameters of the noise, by site.
  package var noise: [String: any Distribution] {
    Dictionary((loss?.sites ?? []).map { ($0, table.distribution($0)) }) { $1 }
  }

  public mutating func fix(_ site: String, at value: Double) { table.fixed[site] = value }

  /// Lets a fixed parameter vary again.
  public mutating func release(_ site: String) { table.fixed[site] = nil }

  public var name: String { "\(title) with sky \(sky.rawValue)" }

  /// Returns the unit of a site; empty for pure numbers.
  public func unit(of site: String) -> String { GalaxySite.unit(of: parameter(site)) }

  // MARK: - Checks

  /// Checks that each parameter has a prior or a value, and that there are no others.
  ///
  /// - Throws: ``GalaxyModelError`` with all that is missing or extra.
  public func validate() throws(GalaxyModelError) {
    guard extraSites.isEmpty else {
      throw GalaxyModelError(.unknownParameters(extraSites, known: sites, model: name))
    }
    let given = table.given
    let missing = sites.filter { !given.contains($0) }
    guard missing.isEmpty else { throw GalaxyModelError(.missingPriors(missing, model: name)) }
    let held = fixed.sorted { $0.key < $1.key }
    for (site, value) in held where !value.isFinite {
      throw GalaxyModelError(.invalidValue(site, value, expected: "a finite number"))
    }
    for (site, value) in held {
      if let bounds = meaningfulRange(of: parameter(site)), !bounds.contains(value) {
        throw GalaxyModelError(
          .invalidValue(
            site, value, expected: "a number from \(bounds.lowerBound) to \(bounds.upperBound)"))
      }
    }
    for source in sources where source.prior.isConfined(GalaxySite.rEff2) {
      let site = source.site(GalaxySite.rEff2)
      if let own = self[site], !TruncatedDistribution.canTruncate(own) {
        throw GalaxyModelError(.noOrder(site, "\(own)"))
      }
    }
    guard !freeSites.isEmpty else { throw GalaxyModelError(.nothingFree(model: name)) }
  }

  // MARK: - Text

  public var texts: [String: String] {
    var result: [String: String] = [:]
    for site in sites {
      result[site] = fixed[site].map { "fixed at \($0)" } ?? table[site].map { "\($0)" }
    }
    for source in sources where source.prior.isConfined(GalaxySite.rEff2) {
      let site = source.site(GalaxySite.rEff2)
      if let own = table[site] { result[site] = "\(own) above \(source.site(GalaxySite.rEff1))" }
    }
    return result
  }
}
