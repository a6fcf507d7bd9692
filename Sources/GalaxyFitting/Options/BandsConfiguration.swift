// SPDX-License-Identifier: MIT
//
// The configuration of a joint fit of several bands: what `sersic bands` reads, in YAML.

public import GalaxyModels
import Rendering

/// The configuration of a joint fit of several bands.
///
/// Paths in it are relative to its own folder. Every key but `bands` has a default, and in a band all but `name`, `image` and one
/// map of the noise.
public struct BandsConfiguration: Sendable {
  /// A text with its place in the file.
  struct Entry: Sendable {
    /// The name of the parameter.
    let name: String
    /// The text.
    let text: String
    /// Where it stands, for messages.
    let place: String
  }

  /// One band.
  struct BandEntry: Sendable {
    /// The name.
    let name: String
    /// The science image.
    let image: String
    /// The map of the noise: its form, and its file.
    let noise: (form: String, file: String)
    /// The PSF.
    var psf: String?
    /// The mask.
    var mask: String?
    /// The value of good pixels in the mask.
    var maskGoodValue: Double?
    /// Whether to divide the PSF by its sum.
    var normalizesPSF = false
    /// The number of PSF pixels along an image pixel.
    var oversampling = 1
    /// The position of the star in the PSF.
    var psfCenter: ImagePoint?
    /// Whether the PSF contains the pixel response.
    var pixelResponse: PixelResponse?
    /// The magnitude of one image unit.
    var zeroPoint: Double?
    /// The wavelength.
    var wavelength: Double?
    /// The sky.
    var sky: SkyKind
    /// The loss.
    var loss: ImageLoss
    /// Where the joint frame lies.
    var map: PlaneMap?
    /// Where it stands, for messages.
    let place: String
  }

  /// The file.
  public let file: String

  /// The bands.
  let bands: [BandEntry]

  /// The profile of one source.
  public private(set) var profile = GalaxyProfile.sersic

  /// The catalogue of several sources; nil for one source.
  private(set) var catalog: String?

  /// Where one source is, roughly, on the first band.
  private(set) var center: ImagePoint?

  /// The links, in the order of the file.
  private(set) var links: [(entry: Entry, link: WavelengthLink)] = []

  /// The priors.
  private(set) var priors: [Entry] = []

  /// The fixed values.
  private(set) var fixed: [(entry: Entry, value: Double)] = []

  /// The starting values.
  private(set) var starts: [(entry: Entry, value: Double)] = []

  /// The standard deviation of the displacements of bands; nil for none.
  private(set) var offsets: Double?

  /// The wavelengths at which linked parameters are told.
  public private(set) var wavelengths: [Double] = []

  /// Whose default priors.
  public private(set) var priorStyle = PriorStyle.default

  /// How the sources are rendered.
  public private(set) var renderer = RenderingMethod.fourier

  /// The way of fitting.
  public var method = FitMethod.map

  /// The number of draws, with nuts of each chain; nil for the default.
  public private(set) var draws: Int?

  /// The number of chains.
  public private(set) var chains = 2

  /// The iterations that tune a chain.
  public private(set) var warmUp = 1000

  /// The acceptance that the steps of nuts are tuned to; nil where the fit chooses.
  public var targetAcceptance: Double?

  /// The seed of all draws.
  public var seed: UInt64 = 0

  /// The folder of the results; nil for no files.
  public private(set) var output: String?

  /// Whether to draw pictures.
  public private(set) var plots = true

  /// The most draws, as for a fit of one image.
  private static let mostDraws = 10_000_000

  /// The keys of a configuration.
  private static let keys = [
    "bands", "profile", "catalog", "center", "sky", "loss", "links", "priors", "fix", "start",
    "offsets", "wavelengths", "prior_style", "renderer", "method", "draws", "chains", "warmup",
    "target_acceptance", "seed", "output", "plots",
  ]

  /// The keys of a band.
  private static let bandKeys = [
    "name", "image", "rms", "variance", "weight", "psf", "mask", "mask_good_value", "normalize_psf",
    "psf_oversampling", "psf_center", "pixel_response", "zero_point", "wavelength", "sky", "loss",
    "map",
  ]

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - text: The document.
  ///   - file: The file it comes from: paths are relative to its folder.
  /// - Throws: ``OptionError`` that names file, key and line, says what was expected and found, and what to do.
  public init(reading text: String, file: String) throws(OptionError) {
    self.file = file
    let root = try ConfigurationNode(reading: text, file: file)
    let keys = try root.members(among: Self.keys)
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    /// Returns a path relative to the folder of the configuration.
    func path(_ node: ConfigurationNode) throws(OptionError) -> String {
      let text = try node.text()
      return text.hasPrefix("/") ? text : folder + text
    }
    let sky = try keys["sky"]?.word(SkyKind.self) ?? .flat
    let loss =
      try keys["loss"].map { (node) throws(OptionError) in
        try node.read(GalaxyFitting.loss(from:))
      } ?? .gaussian
    guard let list = keys["bands"] else {
      throw root.error("expected the key bands with a list of bands, found none; add it")
    }
    var bands: [BandEntry] = []
    for node in try list.elements() {
      bands.append(try Self.band(node, sky, loss, path))
    }
    guard !bands.isEmpty else {
      throw list.error("expected at least one band, found none; add some")
    }
    self.bands = bands
    catalog = try keys["catalog"].map(path)
    output = try keys["output"].map(path)
    try readModel(keys)
    try readMethod(keys)
  }

  /// Reads a band.
  private static func band(
    _ node: ConfigurationNode, _ sky: SkyKind, _ loss: ImageLoss,
    _ path: (ConfigurationNode) throws(OptionError) -> String
  ) throws(OptionError) -> BandEntry {
    let keys = try node.members(among: bandKeys)
    /// Returns the value of a key that must be there.
    func required(_ key: String) throws(OptionError) -> ConfigurationNode {
      guard let value = keys[key] else {
        throw node.error("expected the key \(key), found none; add it")
      }
      return value
    }
    let forms = ["rms", "variance", "weight"].filter { keys[$0] != nil }
    guard forms.count == 1 else {
      throw node.error(
        "expected one of the keys rms, variance and weight, found \(forms.isEmpty ? "none" : forms.joined(separator: " and ")); give exactly one"
      )
    }
    var entry = BandEntry(
      name: try required("name").text(), image: try path(required("image")),
      noise: (forms[0], try path(required(forms[0]))),
      sky: try keys["sky"]?.word(SkyKind.self) ?? sky,
      loss: try keys["loss"]?.read(GalaxyFitting.loss(from:)) ?? loss,
      place: "\(node.file): \(node.path)")
    entry.psf = try keys["psf"].map(path)
    entry.mask = try keys["mask"].map(path)
    entry.maskGoodValue = try keys["mask_good_value"]?.number()
    entry.normalizesPSF = try keys["normalize_psf"]?.flag() ?? false
    entry.oversampling = try keys["psf_oversampling"]?.integer(1...100) ?? 1
    if let center = try keys["psf_center"]?.numbers(2) {
      entry.psfCenter = ImagePoint(x: center[0], y: center[1])
    }
    entry.pixelResponse = try keys["pixel_response"]?.word(PixelResponse.self)
    entry.zeroPoint = try keys["zero_point"]?.number()
    entry.wavelength = try keys["wavelength"]?.number()
    if let map = keys["map"] { entry.map = try Self.map(map) }
    for key in ["normalize_psf", "psf_oversampling", "psf_center"] where entry.psf == nil {
      if let value = keys[key] {
        throw value.error("expected a PSF to go with it, found none; add psf")
      }
    }
    if entry.mask == nil, let value = keys["mask_good_value"] {
      throw value.error("expected a mask to go with it, found none; add mask")
    }
    return entry
  }

  /// Reads a map: `pixels` for the pixels of the joint frame, or six coefficients.
  private static func map(_ node: ConfigurationNode) throws(OptionError) -> PlaneMap {
    if let text = try? node.text() {
      guard text == "pixels" else {
        throw node.error(
          "expected pixels (those of the first band) or a list [xx, xy, yx, yy, x0, y0], found \"\(text)\""
        )
      }
      return PlaneMap()
    }
    let c = try node.numbers(6)
    let map = PlaneMap(xx: c[0], xy: c[1], yx: c[2], yy: c[3], x0: c[4], y0: c[5])
    guard map.determinant != 0 else {
      throw node.error("expected a map with xx·yy − xy·yx ≠ 0, found 0; mend the coefficients")
    }
    return map
  }

  /// Reads what is fitted: profile, place, links, priors, values.
  private mutating func readModel(_ keys: [String: ConfigurationNode]) throws(OptionError) {
    profile = try keys["profile"]?.word(GalaxyProfile.self) ?? .sersic
    for key in ["profile", "center"] where catalog != nil {
      if let value = keys[key] {
        throw value.error("expected none beside a catalogue, which has them, found one; drop it")
      }
    }
    if let place = try keys["center"]?.numbers(2) {
      center = ImagePoint(x: place[0], y: place[1])
    }
    for (name, node) in try keys["links"]?.members() ?? [] {
      links.append((entry(name, node, try node.text()), try node.read(link(from:))))
    }
    for (name, node) in try keys["priors"]?.members() ?? [] {
      priors.append(entry(name, node, try node.text()))
    }
    for (name, node) in try keys["fix"]?.members() ?? [] {
      fixed.append((entry(name, node, try node.text()), try node.number()))
    }
    for (name, node) in try keys["start"]?.members() ?? [] {
      starts.append((entry(name, node, try node.text()), try node.number()))
    }
    if let node = keys["offsets"] {
      let deviation = try node.number()
      guard deviation > 0 else {
        throw node.error(
          "expected the standard deviation of displacements in pixels, above 0, found \(deviation); drop the key for none"
        )
      }
      offsets = deviation
    }
    wavelengths = try keys["wavelengths"]?.numbers() ?? []
    priorStyle = try keys["prior_style"]?.word(PriorStyle.self) ?? .default
  }

  /// Returns a text with its place.
  private func entry(_ name: String, _ node: ConfigurationNode, _ text: String) -> Entry {
    Entry(name: name, text: text, place: node.error("").subject)
  }

  /// Reads how it is fitted: method, draws, seed.
  private mutating func readMethod(_ keys: [String: ConfigurationNode]) throws(OptionError) {
    renderer = try keys["renderer"]?.word(RenderingMethod.self) ?? .fourier
    method = try keys["method"]?.word(FitMethod.self) ?? .map
    // Split R-hat needs two draws in each half of a chain.
    draws = try keys["draws"]?.integer(4...Self.mostDraws)
    chains = try keys["chains"]?.integer(1...1000) ?? 2
    warmUp = try keys["warmup"]?.integer(0...Self.mostDraws) ?? 1000
    if let node = keys["target_acceptance"] {
      let acceptance = try node.number()
      guard acceptance > 0, acceptance < 1 else {
        throw node.error("expected a number between 0 and 1 such as 0.95, found \(acceptance)")
      }
      targetAcceptance = acceptance
    }
    seed = UInt64(try keys["seed"]?.integer(0...Int.max) ?? 0)
    plots = try keys["plots"]?.flag() ?? true
  }
}
