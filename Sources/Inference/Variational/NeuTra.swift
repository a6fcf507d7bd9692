// SPDX-License-Identifier: MIT
//
// Neural transport: a model expressed through the noise of a trained guide, in which it is nearly a standard normal.
//
// Source: Hoffman, Sountsov, Dillon, Langmore, Tran & Vasudevan 2019, "NeuTra-lizing bad geometry in Hamiltonian Monte
// Carlo using neural transport".

import Distributions
public import PPL
public import Tensors

/// A trained guide as a reparameterisation of its model.
///
/// ```swift
/// let fit = try VariationalFit.flow(model.logDensity(), key: 1)
/// let easy = model.reparameterized(by: try NeuTra(fit))
/// let draws = try NUTS().run(easy.logDensity(), key: 2)
/// draws["tau"]                                        // under the author's names
/// ```
///
/// The new model has one latent site, the guide's noise; its density is the old one, whatever the guide: a poor guide makes
/// it hard to sample, not wrong. Look at `fit.diagnostics.paretoK` first: above 0.7 the flow has missed part of the posterior,
/// and where it has, as at the neck of a funnel that it cannot fit, the transported model diverges as the old one did, or more.
/// It helps with curved posteriors in one piece. Train on the model as it is to be sampled, with its data and conditions.
public struct NeuTra: Sendable {
  /// The name of the latent site that the others are computed from.
  public static let siteName = "neutra_noise"

  /// The guide.
  private let guide: VectorGuide

  /// The values of the family's parameters.
  private let parameters: [Tensor]

  /// The values of all params of the guide, by name.
  private let values: [String: Tensor]

  /// What makes the guide doubtful, as the fit that trained it says; empty where it was not told.
  public let warnings: [DiagnosticWarning]

  /// Takes a guide at given values of its params.
  ///
  /// - Parameters:
  ///   - guide: The guide; as many noise numbers as coordinates.
  ///   - values: The values of its params, by name; those left out keep their initial values.
  /// - Throws: `ModelError` of kind `misuse` if the guide's draws have more noise than coordinates.
  public init(_ guide: some VectorAutoGuide, _ values: [String: Tensor] = [:]) throws {
    try self.init(guide, values, warnings: [])
  }

  /// Takes a guide with what makes it doubtful.
  private init(
    _ guide: some VectorAutoGuide, _ values: [String: Tensor], warnings: [DiagnosticWarning]
  ) throws {
    self.warnings = warnings
    let core = guide.core
    guard core.family.noiseCount == core.family.dimension else {
      throw ModelError(
        .misuse,
        "expected a guide with one noise number for each coordinate, found \(core.family.noiseCount) for \(core.family.dimension); use AutoMultivariateNormal, AutoIAF or AutoBNAF"
      )
    }
    self.guide = core
    self.values = values
    parameters = core.family.parameters.map { values["\(core.prefix)_\($0.name)"] ?? $0.initial }
  }

  /// Takes a guide as a fit left it.
  public init(_ guide: some VectorAutoGuide, _ result: SVIResult) throws {
    try self.init(guide, result.parameters)
  }

  /// Takes the guide of a fit, with its warnings.
  public init(_ fit: VariationalFit) throws {
    try self.init(fit.guide, fit.posterior.parameters, warnings: fit.warnings)
  }

  /// The number of coordinates.
  var dimension: Int { guide.family.dimension }

  /// The guide's sites, with their places.
  var entries: [GuideCoordinates.Entry] { guide.space.coordinates.entries }

  /// Returns the unconstrained coordinates of the sites at given noise, and the logarithm of what the density is multiplied with.
  func transport(_ noise: Tensor) -> (coordinates: [String: Tensor], logJacobian: Tensor) {
    let draw = guide.family.transform(noise, parameters)
    let y = guide.space.whitening?.apply(draw.value) ?? draw.value
    let base = Normal(Tensor.zeros([dimension]), 1).logProbabilitySum(of: noise)
    // log |dy/dε| is the density of the noise less that of the draw. The site of the noise has its own density, log N(ε):
    // it is taken out again, so that what is left is the model's.
    let turns = guide.turns(y, parameters) { name, start, _ in
      values["\(guide.prefix)_\(name)"] ?? start
    }
    let constant =
      (guide.space.whitening?.logDeterminant ?? 0) + guide.space.coordinates.logRadialCorrection
    let logJacobian = base - draw.logDensity + turns + constant - base
    return (guide.space.coordinates.unconstrained(y), logJacobian)
  }
}

extension Model {
  /// Returns the model with its latent sites expressed through the noise of a trained guide.
  ///
  /// Sites keep their names, their densities and their values for those outside; only what is sampled changes.
  public func reparameterized(by neutra: NeuTra) -> Model {
    handled(by: Transport(neutra: neutra))
  }
}

/// Replaces the latent sites of a guide by its noise.
private struct Transport: Handler {
  /// The guide.
  let neutra: NeuTra

  /// The unconstrained coordinates of the sites, once the noise is known.
  private var coordinates: [String: Tensor]?

  /// Creates the handler.
  init(neutra: NeuTra) { self.neutra = neutra }

  mutating func process(_ site: inout Site, in context: ModelContext) {
    let name = site.name
    guard site.isLatent, site.value == nil, let distribution = site.distribution,
      neutra.entries.contains(where: { $0.site.name == name }),
      let map = bijector(to: distribution.support)
    else { return }
    guard !context.isProvidedOutside(site) else {
      context.report(
        ModelError(
          .misuse, site: site.name, plates: site.plates.map(\.name),
          "expected the sites of the guide to be left to it, found a value given from outside; condition the model first, train a guide for that, and reparameterise by it"
        ))
      return
    }
    if coordinates == nil {
      let base = Normal(Tensor.zeros([neutra.dimension]), 1).toEvent(1)
      let moved = neutra.transport(context.emitAuxiliary(NeuTra.siteName, base))
      context.emitAuxiliaryFactor(NeuTra.siteName + "_jacobian", moved.logJacobian)
      coordinates = moved.coordinates
    }
    guard let u = coordinates?[site.name] else { return }
    let value = map.forward(u)
    context.emitAuxiliaryFactor(
      "\(NeuTra.siteName)_\(site.name)", map.logAbsDetJacobian(u, value).sum())
    site.value = value
    // It stays a random variable of the author's, whose density counts; `original` says that it is computed.
    site.original = distribution
  }
}
