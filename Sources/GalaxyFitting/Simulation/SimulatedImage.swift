// SPDX-License-Identifier: MIT
//
// A simulated image of sources with known parameters: what `sersic simulate` writes, and `sersic fit` and `sersic multi` read.

internal import FITS
public import GalaxyModels
public import Numerics
public import Rendering
internal import Tensors

/// A recipe for a simulated image of one source, or of several.
public struct ImageSimulation: Sendable {
  /// The sources, in order.
  public let sources: [SimulatedSource]

  /// Whether the sources are numbered: a scene, even if of one source.
  public let isScene: Bool

  /// The parameters of sources and sky, by site; in a scene those of source 2 end in `_2`.
  public let parameters: [String: Double]

  /// The form of the sky.
  public let sky: SkyKind

  /// The number of columns.
  public let width: Int

  /// The number of rows.
  public let height: Int

  /// The point-spread function; nil for none.
  public let psf: PointSpreadFunction?

  /// Whether the point-spread function contains the pixel response.
  public let pixelResponse: PixelResponse

  /// The noise.
  public let noise: ImageNoise

  /// The largest side of a simulated image, in pixels: 800 MB for each image at most.
  private static let largestSide = 10_000

  /// Creates a recipe for one source, and checks it.
  ///
  /// - Parameters:
  ///   - profile: The profile of the source.
  ///   - parameters: The parameters of the source, by site; theta may be any angle.
  ///   - sky: The sky.
  ///   - width: The number of columns.
  ///   - height: The number of rows.
  ///   - psf: The point-spread function; nil for none.
  ///   - pixelResponse: Whether it contains the pixel response; with no PSF the profile is always integrated over pixels.
  ///   - noise: The noise.
  /// - Throws: ``OptionError`` for unknown, missing and impossible parameters, and for impossible sizes.
  public init(
    _ profile: GalaxyProfile, parameters: [String: Double], sky: SkyLevel, width: Int, height: Int,
    psf: PointSpreadFunction?, pixelResponse: PixelResponse? = nil, noise: ImageNoise = .none
  ) throws(OptionError) {
    try self.init(
      [SimulatedSource(profile, parameters)], isScene: false, sky: sky, width: width,
      height: height, psf: psf, pixelResponse: pixelResponse, noise: noise)
  }

  /// Creates a recipe for several sources, and checks it.
  ///
  /// - Parameters:
  ///   - sources: The sources, at least one.
  ///   - sky: The sky.
  ///   - width: The number of columns.
  ///   - height: The number of rows.
  ///   - psf: The point-spread function; nil for none.
  ///   - pixelResponse: Whether it contains the pixel response; with no PSF profiles are always integrated over pixels.
  ///   - noise: The noise.
  /// - Throws: ``OptionError`` for no source, and for impossible sizes.
  public init(
    scene sources: [SimulatedSource], sky: SkyLevel, width: Int, height: Int,
    psf: PointSpreadFunction?, pixelResponse: PixelResponse? = nil, noise: ImageNoise = .none
  ) throws(OptionError) {
    try self.init(
      sources, isScene: true, sky: sky, width: width, height: height, psf: psf,
      pixelResponse: pixelResponse, noise: noise)
  }

  /// Creates a recipe, and checks it.
  private init(
    _ sources: [SimulatedSource], isScene: Bool, sky: SkyLevel, width: Int, height: Int,
    psf: PointSpreadFunction?, pixelResponse: PixelResponse?, noise: ImageNoise
  ) throws(OptionError) {
    guard !sources.isEmpty else {
      throw OptionError("--source", "expected at least one source, found none; add some")
    }
    guard (1...Self.largestSide).contains(width), (1...Self.largestSide).contains(height) else {
      throw OptionError(
        "--size", "expected sides from 1 to \(Self.largestSide) pixels, found \(width) × \(height)")
    }
    guard psf != nil || !sources.contains(where: { $0.profile.hasPointSource }) else {
      throw OptionError("--psf", "expected a PSF for a point source, found none; add --psf")
    }
    guard psf != nil || pixelResponse != .included else {
      throw OptionError(
        "--pixel-response",
        "expected a PSF that includes the pixel response, found none; add --psf, or use integrated")
    }
    var parameters = sky.parameters
    for (number, source) in sources.enumerated() {
      for (site, value) in source.parameters {
        parameters[Self.site(site, number, isScene: isScene)] = value
      }
    }
    self.sources = sources
    self.isScene = isScene
    self.parameters = parameters
    self.sky = sky.kind
    self.width = width
    self.height = height
    self.psf = psf
    self.pixelResponse = psf == nil ? .integrated : pixelResponse ?? .included
    self.noise = noise
  }

  /// Returns the site of the whole image for one of a source.
  private static func site(_ name: String, _ number: Int, isScene: Bool) -> String {
    isScene ? "\(name)_\(number)" : name
  }

  /// The sites of sources and sky, in order.
  public var sites: [String] {
    sources.enumerated().flatMap { number, source in
      source.profile.sites.map { Self.site($0, number, isScene: isScene) }
    } + sky.sites
  }

  /// The sources in words: the profile of one, the number of several.
  public var title: String {
    isScene
      ? ScenePrior(sources.map { GalaxyPrior($0.profile) }).title : sources[0].profile.rawValue
  }

  /// Returns the image without noise, row-major.
  ///
  /// - Throws: `RenderingError` where the scene cannot be drawn.
  public func model() throws -> [Double] {
    let image = try rendered(sources)
    guard image.allSatisfy(\.isFinite) else {
      // Some source alone has no image either, unless all of them together are too bright.
      let culprit = try sources.first { try !rendered([$0]).allSatisfy(\.isFinite) }
      throw OptionError(
        culprit?.place ?? "--source",
        "no image can be drawn at these parameters; check their ranges")
    }
    return image
  }

  /// Returns the image of some of the sources over the sky, without noise.
  private func rendered(_ sources: [SimulatedSource]) throws -> [Double] {
    let light = LightProfile(
      try sources.flatMap { try $0.profile.light($0.parameters).components })
    var layout = light.layout
    layout.sky = sky
    let renderer: any SceneRenderer =
      psf != nil && pixelResponse == .included
      ? FourierRenderer(
        plan: try RendererPlan(width: width, height: height, psf: psf, planning: .estimate),
        layout: layout)
      : PixelRenderer(try PixelRendererPlan(width: width, height: height, psf: psf, layout: layout))
    let vector = light.parameterVector.elements + sky.sites.map { parameters[$0] ?? .nan }
    return [Double](unsafeUninitializedCapacity: width * height) { buffer, count in
      buffer.initialize(repeating: 0)
      vector.withUnsafeBufferPointer { renderer.render($0, into: buffer) }
      count = width * height
    }
  }

  /// Returns the image with its noise, and the rms of each pixel.
  ///
  /// - Parameter key: The key of the noise.
  /// - Returns: The image with what it was made of.
  /// - Throws: `RenderingError` where the scene cannot be drawn, ``OptionError`` where it has no finite image.
  public func run(key: RandomKey) throws -> SimulatedImage {
    let model = try model()
    return SimulatedImage(
      simulation: self, science: noise.applied(to: model, key: key), rms: noise.rms(of: model))
  }
}

/// A simulated image with what it was made of.
public struct SimulatedImage: Sendable {
  /// The recipe.
  public let simulation: ImageSimulation

  /// The pixels, row-major, x fastest, image units.
  public let science: [Double]

  /// One standard deviation of each pixel, from the model without noise.
  public let rms: [Double]

  /// The catalogue that one would make of the image: the true positions, fluxes and shapes, with radii as the image shows them.
  public var catalog: SourceCatalog {
    let image = try? ObservedImage(
      width: simulation.width, height: simulation.height, science: science, rms: rms,
      psf: simulation.psf, pixelResponse: simulation.pixelResponse)
    let moments = image.map { PointSpreadShape($0).moments }
    let blur = gaussianHalfLight * (moments?.majorVariance ?? 0).squareRoot()
    return SourceCatalog(simulation.sources.map { $0.entry(blur: blur) }, name: "catalog.csv")
  }

  /// Writes image.fits, rms.fits and psf.fits, of a scene catalog.csv; double precision where there is no noise or the image needs its
  /// digits.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - history: Lines for the headers.
  /// - Returns: The products with what each met.
  public func write(to folder: OutputFolder, history: [String]) -> [OutputProduct] {
    let cards = history.map { FITSCard.history($0) }
    // Single precision has seven digits: enough for noise, not for exact tests, nor outside its range of exponents.
    let largest = science.reduce(0) { max($0, abs($1)) }
    let isSmall = rms.contains { $0 < 1e-30 } || largest > 1e30
    let type: FITSOutputImage.PixelType =
      simulation.noise == .none || isSmall ? .float64 : .float32
    /// Returns an image of the frame's size as a primary HDU.
    func frame(_ values: [Double]) -> [FITSOutputImage] {
      [
        FITSOutputImage(
          name: "", width: simulation.width, height: simulation.height, values: values,
          pixelType: type, cards: cards)
      ]
    }
    var products = [
      folder.write("image.fits") { try FITSWriter.write(frame(science), to: $0) },
      folder.write("rms.fits") { try FITSWriter.write(frame(rms), to: $0) },
    ]
    if let psf = simulation.psf {
      products.append(
        folder.write("psf.fits") { path in
          try FITSWriter.write(
            [
              FITSOutputImage(
                name: "", width: psf.width, height: psf.height, values: psf.values, cards: cards)
            ], to: path)
        })
    }
    if simulation.isScene { products.append(folder.write(catalog.csv, to: "catalog.csv")) }
    return products
  }
}
