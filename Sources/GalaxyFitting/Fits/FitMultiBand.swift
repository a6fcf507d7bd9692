// SPDX-License-Identifier: MIT
//
// The stock fit of several bands together: one structure on the sky, seen through the optics of each band.

public import GalaxyModels
public import Inference
public import PPL
public import Rendering
import Distributions
import Tensors

/// A fit of one source, or of several, in several bands together.
///
/// ```swift
/// let bands = [
///   Band("g", try ObservedImage(science: "g.fits", rms: "g_rms.fits", psf: "g_psf.fits"), wavelength: 480),
///   Band("r", try ObservedImage(science: "r.fits", rms: "r_rms.fits", psf: "r_psf.fits"), wavelength: 620),
/// ]
/// var prior = try autoprior(bands, .sersic)
/// try prior.link("r_eff", .polynomial(degree: 1))
/// let fit = try FitMultiBand(bands, prior: prior)
/// let result = try BandsResult(fit.estimatePosterior(.laplace))
/// print(result.table)
/// ```
/// Bands may differ in shape, PSF, pixel scale, orientation, zero point, sky and loss. Positions, radii and angles are those on
/// the pixels of the first band; where the others lie is told by the world coordinates of their headers, or by a map.
public struct FitMultiBand: GalaxyFit {
  /// The bands.
  public let bands: [Band]

  public let prior: BandsPrior
  public let method: RenderingMethod
  public let model: Model<LightProfile>
  public let density: CompiledDensity

  /// For each band and each source the map from the joint frame to the band's pixels around the source.
  public let maps: [[PlaneMap]]

  /// What is worth knowing about how the bands lie.
  public let findings: [InputFinding]

  public var image: ObservedImage { bands[0].image }
  public var sky: SkyKind { bands[0].sky }
  public var loss: ImageLoss { bands[0].loss }
  public var exposures: [Exposure] {
    bands.map { Exposure($0.image, loss: $0.loss, band: $0.name) }
  }

  /// Creates a fit, and compiles its model.
  ///
  /// - Parameters:
  ///   - bands: The bands, as the priors were made of.
  ///   - prior: The priors of all parameters.
  ///   - method: How the sources are rendered.
  /// - Throws: `GalaxyModelError` where priors are missing or extra, or nothing says how the bands lie on each other;
  ///   `FITSError` where world coordinates cannot be used; `ModelError` where the model cannot be fitted.
  public init(
    _ bands: [Band], prior: BandsPrior, method: RenderingMethod = .fourier
  ) throws {
    try prior.validate()
    try prior.check(bands)
    let positions = prior.profiles.indices.map { prior.position(of: $0) }
    try self.init(
      bands, prior: prior, maps: BandFrames(bands).maps(around: positions), method: method)
  }

  /// Creates a fit of bands whose places are known.
  init(_ bands: [Band], prior: BandsPrior, maps: [[PlaneMap]], method: RenderingMethod) throws {
    self.bands = bands
    self.prior = prior
    self.maps = maps
    self.method = method
    findings = try Self.examine(bands, prior, maps)
    model = bandsModel(bands, maps: maps, prior: prior, method: method)
    density = try model.fitDensity()
  }

  /// Says which sources lie outside which bands, and which band squeezes their shapes.
  ///
  /// - Throws: `GalaxyModelError` where a band shows none of them.
  private static func examine(
    _ bands: [Band], _ prior: BandsPrior, _ maps: [[PlaneMap]]
  ) throws -> [InputFinding] {
    var list: [InputFinding] = []
    for (b, band) in bands.enumerated() {
      let places = zip(maps[b], prior.profiles.indices).map { $0(prior.position(of: $1)) }
      let outside = places.indices.filter { !band.image.shows(places[$0]) }
      guard outside.count < places.count else {
        throw GalaxyModelError(
          .invalidBands(
            "\(band.name): expected \(places.count == 1 ? "the source" : "a source") on the frame of \(band.image.width) × \(band.image.height) pixels, found \(places.count == 1 ? "it" : "the first") at (\(shortened(places[0].x)), \(shortened(places[0].y))); check the world coordinates, the map and the position"
          ))
      }
      for k in outside {
        list.append(
          InputFinding(
            .note, "outside-band", subject: "band \(band.name)",
            "source \(k) lies outside the frame, at (\(shortened(places[k].x)), \(shortened(places[k].y))): its flux there is that of the prior"
          ))
      }
      // Two components have one angle in the results of a band, which a shear would turn by different amounts.
      let shear = maps[b].reduce(0) { max($0, $1.shear) }
      if shear > 1e-3, prior.hasTwoRadii {
        list.append(
          InputFinding(
            .note, "sheared-band", subject: "band \(band.name)",
            "the pixels are sheared by \(shortened(shear)) against those of the first band: the components' angles differ in its own results, which have that of the first"
          ))
      }
    }
    return list
  }
}

extension ObservedImage {
  /// Whether a position lies on the frame.
  fileprivate func shows(_ point: ImagePoint) -> Bool {
    (-0.5...Double(width) - 0.5).contains(point.x)
      && (-0.5...Double(height) - 0.5).contains(point.y)
  }
}

extension BandsPrior {
  /// Checks that the priors were made of these bands.
  fileprivate func check(_ given: [Band]) throws(GalaxyModelError) {
    let own = bandIndices.map { bandDescription($0) }
    let found = given.map { "\($0.name) (sky \($0.sky.rawValue), loss \($0.loss))" }
    guard own == found else {
      throw GalaxyModelError(
        .invalidBands(
          "expected the bands that the priors were made of, \(own.joined(separator: ", ")), found \(found.joined(separator: ", ")); give the same"
        ))
    }
  }

  /// Returns where a source is thought to be, in the joint frame.
  func position(of source: Int) -> ImagePoint {
    /// Returns the guess of a coordinate, at its first site.
    func coordinate(_ quantity: String) -> Double {
      guard let site = parameters(of: source).first(where: { $0.quantity == quantity })?.sites[0]
      else { return 0 }
      return fixed[site] ?? guesses[site] ?? feasible(self[site]?.median?.item(), under: self[site])
    }
    return ImagePoint(x: coordinate(GalaxySite.xc), y: coordinate(GalaxySite.yc))
  }
}
