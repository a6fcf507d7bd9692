// SPDX-License-Identifier: MIT
//
// What the stock fits have in common: one image or several bands, priors, a model, its compiled density.

public import GalaxyModels
public import Inference
public import PPL
public import Rendering
import Tensors

/// A stock fit: ``FitSingle`` of one source in one image, ``FitMulti`` of several, ``FitMultiBand`` of several bands together,
/// ``ImportedFit`` of what another program's configuration describes.
public protocol GalaxyFit: Sendable {
  /// The sort of priors.
  associatedtype Prior: ModelPrior

  /// The image; of several bands that of the first.
  var image: ObservedImage { get }

  /// The images that are fitted together, each with its loss: one, or one of each band.
  var exposures: [Exposure] { get }

  /// The priors, those of the noise's parameters included.
  var prior: Prior { get }

  /// The sources as results tell of them, in the order of the model; none of several bands.
  var sources: [FitReport.Source] { get }

  /// All parameters in the order of the model: those that are fitted, held, or follow from others.
  var sites: [String] { get }

  /// The parameters that follow from others, by site; none but in imported scenes.
  var ties: [String: ImportedScene.Tie] { get }

  /// Whether what ``sources`` lists may be components of one galaxy, at one place.
  var listsComponents: Bool { get }

  /// The sky under the sources; of several bands that of the first.
  var sky: SkyKind { get }

  /// The density of the pixels around the model image; of several bands that of the first.
  var loss: ImageLoss { get }

  /// How the scene is rendered.
  var method: RenderingMethod { get }

  /// The model: an ordinary program, sources, sky and observed image.
  var model: Model<LightProfile> { get }

  /// The compiled log density of the model.
  var density: CompiledDensity { get }

  /// Finds the maximum of the joint density of the parameters: no Jacobian, whatever the coordinates of the search.
  ///
  /// - Parameters:
  ///   - start: Starting values of some parameters; the others start at guesses from the image or the prior's median.
  ///   - optimizer: The optimiser; L-BFGS takes over where Levenberg–Marquardt does not converge.
  ///   - isCancelled: Asked between steps, from any thread; the best point so far is returned.
  /// - Returns: The best of several searches, with a verdict.
  /// - Throws: `ModelError` or `GalaxyModelError` if the starting values cannot be used.
  func findMAP(
    start: [String: Double], optimizer: MAPOptimizer,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws -> MAPFit
}

extension GalaxyFit {
  public var exposures: [Exposure] { [Exposure(image, loss: loss)] }

  public var sources: [FitReport.Source] {
    prior.sources.map { FitReport.Source(number: $0.number, profile: .stock($0.profile)) }
  }

  public var sites: [String] { prior.sites }

  public var ties: [String: ImportedScene.Tie] { [:] }

  public var listsComponents: Bool { false }

  public var sky: SkyKind { prior.sky }

  /// Whether the pixels are integrated over, or the PSF brings the pixel response.
  public var pixelResponse: PixelResponse { image.pixelResponse }

  /// Returns the model image at given parameters, row-major.
  ///
  /// - Parameter parameters: A value for each free parameter.
  /// - Returns: The pixels, `width · height` of them, in image units.
  /// - Throws: `ModelError` if a parameter is missing, unknown, or outside its support.
  public func modelImage(_ parameters: [String: Double]) throws -> [Double] {
    let q = try density.unconstrain(parameters)
    return density.constrain(q, sites: [GalaxySite.model])[GalaxySite.model]?.elements ?? []
  }

  /// Returns draws of the free parameters with those of the parameters that follow from them.
  func completed(_ draws: Draws) -> Draws {
    guard !ties.isEmpty else { return draws }
    var all = draws.sites
    for site in sites {
      // What follows from a parameter that is held does not vary.
      guard let tie = ties[site], let reference = all.first(where: { $0.name == tie.reference })
      else { continue }
      all.append(
        Draws.Site(
          name: site, shape: [], period: reference.period,
          values: reference.values.map { tie.value(of: $0, period: reference.period) }))
    }
    return draws.replacingSites(all)
  }

  /// Checks that starting values are those of free parameters.
  ///
  /// - Throws: `GalaxyModelError` that names the others.
  func checkStarts(_ given: [String: Double]) throws {
    let unknown = given.keys.filter { density.layout[$0] == nil }.sorted()
    guard unknown.isEmpty else {
      throw GalaxyModelError(
        .unknownParameters(unknown, known: density.layout.names, model: prior.name))
    }
  }

  /// Returns the model of sources, sky and image under checked priors.
  static func model(
    _ image: ObservedImage, _ prior: Prior, _ loss: ImageLoss, _ method: RenderingMethod
  ) -> Model<LightProfile> {
    let sources = sourcesModel(prior)
    let sky = skyModel(prior)
    let noise = prior.noise
    let model = Model<LightProfile> { m in
      let light = m.call(sources)
      m.observe(
        image, light, sky: m.call(sky), loss: loss, lossPriors: noise, method: method)
      return light
    }
    // A fixed parameter is an intervention: it has no density and is no site of the posterior.
    return model.intervened(on: prior.fixed)
  }
}
