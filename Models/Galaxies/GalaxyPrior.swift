// SPDX-License-Identifier: MIT
//
// The priors of a stock model: one distribution for each site, checked before a fit starts.

public import Distributions
public import Rendering
import Tensors

/// The priors of all parameters of a stock model.
///
/// ```swift
/// var prior = autoprior(image, .sersic, sky: .flat)
/// prior["n"] = Uniform(0.5, 6)
/// print(prior)
/// ```
public struct GalaxyPrior: Sendable, CustomStringConvertible {
  /// The profile of the source.
  public let profile: GalaxyProfile

  /// The sky under it.
  public let sky: SkyKind

  /// The distributions, by site.
  private var distributions: [String: any Distribution]

  /// The parameters held at a value, by site.
  public private(set) var fixed: [String: Double] = [:]

  /// Where a fit may start, by site; the prior's own median where there is none.
  public var guesses: [String: Double] = [:]

  /// Whether of two components the first is the smaller one: the prior of `r_eff_2` counts above `r_eff_1` only.
  ///
  /// Without order the two components of a double Sérsic profile can change places, and a posterior has each mode twice.
  /// A fixed `r_eff_2` orders nothing.
  public var isOrdered = true

  /// Creates priors; ``validate()`` says what is missing or extra.
  public init(
    _ profile: GalaxyProfile, sky: SkyKind = .none,
    _ distributions: [String: any Distribution] = [:]
  ) {
    self.profile = profile
    self.sky = sky
    self.distributions = distributions
  }

  /// The loss whose parameters of the noise are among the sites; nil for none.
  public private(set) var loss: ImageLoss?

  /// The parameters of the noise that have the default prior of their loss.
  private var defaultNoise: Set<String> = []

  /// The sites that need a prior, in order.
  public var sites: [String] { profile.sites + sky.sites + (loss?.sites ?? []) }

  /// The sites that have a prior or a value although the model does not have them, sorted.
  public var extraSites: [String] {
    Set(distributions.keys).union(fixed.keys).subtracting(sites).sorted()
  }

  /// The sites that are not fixed, in order.
  public var freeSites: [String] { sites.filter { fixed[$0] == nil } }

  /// The prior of a site; nil where none has been set.
  public subscript(site: String) -> (any Distribution)? {
    get { distributions[site] }
    set {
      distributions[site] = newValue
      defaultNoise.remove(site)
    }
  }

  /// Takes the parameters of the noise of a loss among the sites, those of an earlier loss out of them.
  ///
  /// A fit does this for its loss: it is needed only to see or check the priors before. Where no prior has been set, the
  /// parameter has the default prior of the loss.
  public mutating func include(_ loss: ImageLoss) {
    for site in defaultNoise { distributions[site] = nil }
    defaultNoise = []
    self.loss = loss
    for site in loss.sites where distributions[site] == nil && fixed[site] == nil {
      distributions[site] = ImageLoss.defaultPrior(site)
      defaultNoise.insert(site)
    }
  }

  /// The priors of the parameters of the noise, by site.
  package var noise: [String: any Distribution] {
    Dictionary((loss?.sites ?? []).map { ($0, distribution($0)) }) { $1 }
  }

  /// Holds a parameter at a value: it has no prior and is not fitted.
  public mutating func fix(_ site: String, at value: Double) {
    fixed[site] = value
  }

  /// Lets a fixed parameter vary again.
  public mutating func release(_ site: String) { fixed[site] = nil }

  /// Checks that each parameter has a prior or a value, and that there are no others.
  ///
  /// - Throws: ``GalaxyModelError`` with all that is missing or extra.
  public func validate() throws(GalaxyModelError) {
    let given = Set(distributions.keys).union(fixed.keys)
    guard extraSites.isEmpty else {
      throw GalaxyModelError(.unknownParameters(extraSites, known: sites, model: name))
    }
    let missing = sites.filter { !given.contains($0) }
    guard missing.isEmpty else {
      throw GalaxyModelError(.missingPriors(missing, model: name))
    }
    for (site, value) in fixed.sorted(by: { $0.key < $1.key }) where !value.isFinite {
      throw GalaxyModelError(.invalidValue(site, value, expected: "a finite number"))
    }
    for (site, value) in fixed.sorted(by: { $0.key < $1.key }) {
      if let bounds = meaningfulRange(of: site), !bounds.contains(value) {
        throw GalaxyModelError(
          .invalidValue(
            site, value, expected: "a number from \(bounds.lowerBound) to \(bounds.upperBound)"))
      }
    }
    if isConfined(GalaxySite.rEff2), let own = distributions[GalaxySite.rEff2],
      !TruncatedDistribution.canTruncate(own)
    {
      throw GalaxyModelError(.noOrder(GalaxySite.rEff2, "\(own)"))
    }
    guard !freeSites.isEmpty else { throw GalaxyModelError(.nothingFree(model: name)) }
  }

  /// The model in words.
  public var name: String { "\(profile.rawValue) with sky \(sky.rawValue)" }

  /// The priors as text, by site.
  public var texts: [String: String] {
    var result: [String: String] = [:]
    for site in sites {
      if let value = fixed[site] {
        result[site] = "fixed at \(value)"
      } else {
        result[site] = text(of: site)
      }
    }
    return result
  }

  /// Whether the prior of a site counts only above another site.
  private func isConfined(_ site: String) -> Bool {
    site == GalaxySite.rEff2 && profile.hasTwoRadii && isOrdered && fixed[site] == nil
  }

  /// Returns the prior of a site as text; nil where there is none.
  private func text(of site: String) -> String? {
    distributions[site].map { own in
      "\(own)" + (isConfined(site) ? " above \(GalaxySite.rEff1)" : "")
    }
  }

  /// The distribution from which a model draws the second radius, given the first.
  ///
  /// - Precondition: The site has a prior or a value, as ``validate()`` checks.
  func distribution(_ site: String, above first: Tensor) -> any Distribution {
    let own = distribution(site)
    return isConfined(site) ? own.truncated(below: first) : own
  }

  /// The distribution from which a model draws a site; a point mass at a fixed value.
  ///
  /// - Precondition: The site has a prior or a value, as ``validate()`` checks.
  func distribution(_ site: String) -> any Distribution {
    if let value = fixed[site] { return Delta(value) }
    guard let prior = distributions[site] else {
      preconditionFailure("prior: expected a distribution for \"\(site)\"; call validate() first")
    }
    return prior
  }
}

/// The range in which a parameter of the stock models has a meaning; nil where any number will do.
///
/// The index goes from 0.25 to 12 where renderers are tested well beyond the promised 0.3 to 10; an ellipticity of 1 is
/// a line.
public func meaningfulRange(of site: String) -> ClosedRange<Double>? {
  switch GalaxySite.quantity(of: site) {
  case GalaxySite.rEff: 1e-3...1e5
  case GalaxySite.n: 0.25...12
  case GalaxySite.nu: -0.9...10
  case GalaxySite.f1, GalaxySite.fPs: 0...1
  case GalaxySite.ellip: 0...0.99
  // A noise of a hundredth of the rms and less is no noise.
  case GalaxySite.fracScatterIncrease, GalaxySite.sigFrac: -0.99...1e5
  case GalaxySite.sysScatterBase: 0...1e5
  // In units of 1/20: from no pixel to all.
  case GalaxySite.outlierFracBase: 0...20
  default: nil
  }
}

/// A mistake in the use of the stock models.
public struct GalaxyModelError: Error, Sendable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Kind: Sendable, Equatable {
    /// Parameters that the model does not have.
    case unknownParameters([String], known: [String], model: String)
    /// Parameters without a prior or a value.
    case missingPriors([String], model: String)
    /// Parameters of a light without a value.
    case missingValues([String], model: String)
    /// A parameter held at an impossible value.
    case invalidValue(String, Double, expected: String)
    /// All parameters are held at values.
    case nothingFree(model: String)
    /// A prior that cannot be confined to values above another parameter.
    case noOrder(String, String)
    /// A way of rendering that an image does not allow.
    case unsupportedRendering(String, found: String)
  }

  /// What went wrong.
  public let kind: Kind

  /// Creates an error.
  public init(_ kind: Kind) { self.kind = kind }

  public var description: String {
    switch kind {
    case .unknownParameters(let names, let known, let model):
      "prior: expected parameters of \(model) (\(known.joined(separator: ", "))), found \(names.joined(separator: ", ")); remove or rename them"
    case .missingPriors(let names, let model):
      "prior: expected a prior or a fixed value for each parameter of \(model), found none for \(names.joined(separator: ", ")); set them, or start from autoprior"
    case .missingValues(let names, let model):
      "\(model): expected a value for each parameter, found none for \(names.joined(separator: ", ")); give them"
    case .invalidValue(let name, let value, let expected):
      "prior: \(name): expected \(expected), found \(value)"
    case .noOrder(let name, let found):
      "prior: \(name): expected a distribution with quantiles, to be cut at the first radius, found \(found); use another one, or set isOrdered to false"
    case .unsupportedRendering(let way, let found):
      "renderer: expected a PSF that includes the pixel response for \(way), found \(found); use another renderer"
    case .nothingFree(let model):
      "prior: expected at least one free parameter of \(model), found all fixed; release one, or render the model instead"
    }
  }
}
