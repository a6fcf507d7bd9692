// SPDX-License-Identifier: MIT
//
// An image to fit: pixels, noise, mask and PSF of one cutout, checked once when it is made.

public import FITS
public import Numerics
public import Rendering

/// A position in pixels: x is the column, y the row, pixel centres are integers, the first pixel is 0.
public struct ImagePoint: Sendable, Hashable, Codable {
  /// The column.
  public var x: Double

  /// The row.
  public var y: Double

  /// Creates a position.
  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// The names of the inputs, for messages and results: file names, or names of arrays.
public struct InputNames: Sendable, Hashable, Codable {
  /// The science image.
  public var science: String

  /// The map of the noise.
  public var noise: String

  /// The mask, if there is one.
  public var mask: String?

  /// The PSF, if there is one.
  public var psf: String?

  /// Creates the names; those of arrays unless given.
  public init(
    science: String = "science", noise: String = "rms", mask: String? = nil, psf: String? = nil
  ) {
    self.science = science
    self.noise = noise
    self.mask = mask
    self.psf = psf
  }
}

/// A map of the noise in one of three common forms, row-major, x fastest.
public enum NoiseMap: Sendable, Hashable {
  /// One standard deviation of each pixel, in image units.
  case rms([Double])
  /// The square of the rms.
  case variance([Double])
  /// One over the variance; 0 marks a pixel without data.
  case weight([Double])

  /// The numbers, whatever their form.
  package var values: [Double] {
    switch self {
    case .rms(let values), .variance(let values), .weight(let values): values
    }
  }

  /// The word for the form.
  package var word: String {
    switch self {
    case .rms: "rms"
    case .variance: "variance"
    case .weight: "weight"
    }
  }
}

/// An image to fit, with its noise, mask and PSF; all arrays are row-major, x fastest, `width · height` long.
///
/// Every check of the inputs is done when it is made: what no fit can use throws `ObservedImageError`; pixels that
/// cannot be used are masked; everything else that looks wrong is in `findings`.
public struct ObservedImage: Sendable {
  /// The number of columns.
  public let width: Int

  /// The number of rows.
  public let height: Int

  /// The pixels in image units, all finite; 0 where the input has no number.
  public let science: [Double]

  /// One standard deviation of each pixel, all finite and positive; the median where the input is unusable.
  public let rms: [Double]

  /// True where a pixel is bad: by the mask given, or because its value or rms cannot be used.
  public let mask: [Bool]

  /// True where the input has no number in `science`; all of these are masked too.
  package let isMissing: [Bool]

  /// The PSF, used as given; nil when the image has none.
  public let psf: PointSpreadFunction?

  /// Whether the PSF contains the pixel response.
  public let pixelResponse: PixelResponse

  /// The first pixel of this image in its parent, first pixel 0: not (0, 0) for a section of a larger image.
  public let origin: ImagePoint

  /// The header of the science image, for the WCS and for output; empty for arrays.
  public let header: FITSHeader

  /// The names of the inputs.
  public let names: InputNames

  /// The magnitude of one image unit of flux, when known.
  public let zeroPoint: Double?

  /// What was found when the inputs were checked: notes and warnings.
  public let findings: [InputFinding]

  /// How much effort goes into the Fourier transforms of models of this image; change it with ``planned(_:)``.
  public private(set) var planning: FFTPlanning = .estimate

  /// The tape operations of models of this image, made when first needed.
  let operators = ImageOperators()

  /// The centre of the frame: ((width − 1)/2, (height − 1)/2).
  public var center: ImagePoint {
    ImagePoint(x: Double(width - 1) / 2, y: Double(height - 1) / 2)
  }

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { findings.filter { $0.severity >= .warning } }

  /// The number of pixels that a fit uses.
  public var goodCount: Int { mask.reduce(0) { $0 + ($1 ? 0 : 1) } }

  /// Creates an image from arrays, and checks them.
  ///
  /// - Parameters:
  ///   - width: The number of columns.
  ///   - height: The number of rows.
  ///   - science: The pixels, `width · height` of them, row-major, x fastest, image units.
  ///   - noise: The noise of each pixel in one of the forms of `NoiseMap`, of the same length.
  ///   - mask: True where a pixel is bad, of the same length; no pixel is bad unless given.
  ///   - psf: The PSF; none unless given.
  ///   - normalizePSF: Whether to divide the PSF by its sum; it is used as given otherwise.
  ///   - pixelResponse: Whether the PSF contains the pixel response: `.included` with a PSF, `.integrated` without.
  ///   - origin: The first pixel of this image in its parent.
  ///   - header: The header of the science image.
  ///   - names: The names that messages and results use.
  ///   - zeroPoint: The magnitude of one image unit of flux.
  ///   - remarks: What is known about the inputs already; it comes first in `findings`.
  /// - Throws: `ObservedImageError` where lengths differ, no pixel is good, or the PSF has no use.
  public init(
    width: Int, height: Int, science: [Double], noise: NoiseMap, mask: [Bool]? = nil,
    psf: PointSpreadFunction? = nil, normalizePSF: Bool = false,
    pixelResponse: PixelResponse? = nil, origin: ImagePoint = ImagePoint(x: 0, y: 0),
    header: FITSHeader = FITSHeader(), names: InputNames? = nil, zeroPoint: Double? = nil,
    remarks: [InputFinding] = []
  ) throws(ObservedImageError) {
    let names =
      names
      ?? InputNames(
        noise: noise.word, mask: mask == nil ? nil : "mask", psf: psf == nil ? nil : "psf")
    var checks = ObservedImageChecks(width: width, height: height, names: names)
    let pixels = try checks.pixels(science: science, noise: noise, mask: mask)
    checks.examineMask(mask, pixels: pixels)
    checks.examineNoise(pixels)
    self.psf = try checks.pointSpread(psf, normalize: normalizePSF)
    self.pixelResponse = checks.response(pixelResponse, hasPSF: psf != nil)
    self.width = width
    self.height = height
    self.science = pixels.science
    self.rms = pixels.rms
    self.mask = pixels.mask
    self.isMissing = pixels.isMissing
    self.origin = origin
    self.header = header
    self.names = names
    self.zeroPoint = zeroPoint
    self.findings = remarks + checks.findings
  }

  /// Creates an image from arrays with the rms of each pixel; the parameters are those of the other initialiser.
  ///
  /// - Throws: `ObservedImageError` where lengths differ, no pixel is good, or the PSF has no use.
  public init(
    width: Int, height: Int, science: [Double], rms: [Double], mask: [Bool]? = nil,
    psf: PointSpreadFunction? = nil, normalizePSF: Bool = false,
    pixelResponse: PixelResponse? = nil
  ) throws(ObservedImageError) {
    try self.init(
      width: width, height: height, science: science, noise: .rms(rms), mask: mask, psf: psf,
      normalizePSF: normalizePSF, pixelResponse: pixelResponse)
  }

  /// Returns the image with another effort for its Fourier transforms: `.measure` pays where a model runs many times.
  ///
  /// Measuring takes 0.3–0.8 s for each new shape, once per machine; the last bits of an image may depend on it.
  public func planned(_ planning: FFTPlanning) -> ObservedImage {
    var image = self
    image.planning = planning
    return image
  }

  /// Returns the position in the parent image, first pixel 0, of a position in this one.
  public func inParent(_ point: ImagePoint) -> ImagePoint {
    ImagePoint(x: point.x + origin.x, y: point.y + origin.y)
  }
}
