// SPDX-License-Identifier: MIT
//
// The sources of an image found by SEP: a catalogue, a map of segments and a mask.

public import GalaxyModels

#if canImport(CSEP)
  internal import CSEP
  import Synchronization
#endif

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The sources found in an image.
///
/// ```swift
/// let found = try SourceDetection(image)
/// print(found.catalog)
/// ```
public struct SourceDetection: Sendable {
  /// The sources, brightest first.
  public var catalog: SourceCatalog

  /// The number of columns of the image.
  public let width: Int

  /// The number of rows of the image.
  public let height: Int

  /// The place of each pixel's source in the catalogue, counted from 1, or 0 for none; row-major.
  public let segments: [Int]

  /// The background under each pixel, in image units; row-major.
  public let background: [Double]

  /// Returns the pixels of some sources, widened by a number of pixels, as a mask: true = bad.
  ///
  /// - Parameters:
  ///   - growth: The number of pixels by which each segment is widened, from 0.
  ///   - isMasked: Whether the source at a place of the catalogue, from 0, is to be masked.
  /// - Returns: The mask, row-major.
  public func mask(growth: Int = 2, _ isMasked: (Int) -> Bool) -> [Bool] {
    let chosen = Set(catalog.sources.indices.filter(isMasked))
    var mask = segments.map { $0 > 0 && chosen.contains($0 - 1) }
    guard growth > 0 else { return mask }
    let original = mask
    let reach = growth * growth
    for i in original.indices where original[i] {
      let (x, y) = (i % width, i / width)
      for v in max(0, y - growth)...min(height - 1, y + growth) {
        for u in max(0, x - growth)...min(width - 1, x + growth)
        where (u - x) * (u - x) + (v - y) * (v - y) <= reach {
          mask[v * width + u] = true
        }
      }
    }
    return mask
  }
}

#if canImport(CSEP)
  /// The library keeps the state of an extraction in global variables: one at a time.
  private let libraryLock = Mutex<Void>(())

  extension SourceDetection {
    /// Finds the sources of an image.
    ///
    /// Positions, shapes and segments are SEP's; fluxes are those within 2.5 Kron radii, and radii hold half of them, both
    /// with masked pixels left out.
    ///
    /// - Parameters:
    ///   - image: The image; its masked pixels are not looked at.
    ///   - settings: How to look.
    /// - Throws: ``OptionError`` if a setting cannot be used, or the library's limits are met.
    public init(_ image: ObservedImage, _ settings: DetectionSettings = DetectionSettings())
      throws(OptionError)
    {
      try settings.check()
      let found = libraryLock.withLock { _ in
        Result<SourceDetection, OptionError> { () throws(OptionError) in
          try Extraction(image, settings).detection()
        }
      }
      self = try found.get()
    }
  }

  /// One extraction on buffers that the library reads.
  private struct Extraction {
    private let image: ObservedImage
    private let settings: DetectionSettings
    private let mask: [UInt8]

    /// Prepares an extraction.
    init(_ image: ObservedImage, _ settings: DetectionSettings) {
      self.image = image
      self.settings = settings
      mask = image.mask.map { $0 ? 1 : 0 }
    }

    /// Throws what the library says unless a call of it went well.
    private func check(_ status: Int32) throws(OptionError) {
      guard status != 0 else { return }
      var text = [CChar](repeating: 0, count: 61)
      sep_get_errmsg(status, &text)
      let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      let message = String(decoding: bytes, as: UTF8.self)
      throw OptionError(
        "detection",
        "the source extractor stopped: \(message); raise the threshold, or detect on a section of the image"
      )
    }

    /// Runs `body` with an image of the library, which is valid during the call.
    private func withImage<T>(
      _ data: [Double], _ body: (UnsafePointer<sep_image>) -> T
    ) -> T {
      data.withUnsafeBytes { data in
        image.rms.withUnsafeBytes { noise in
          mask.withUnsafeBytes { mask in
            var item = sep_image()
            item.data = data.baseAddress
            item.noise = noise.baseAddress
            item.mask = mask.baseAddress
            item.dtype = numericCast(SEP_TDOUBLE)
            item.ndtype = numericCast(SEP_TDOUBLE)
            item.mdtype = numericCast(SEP_TBYTE)
            item.w = numericCast(image.width)
            item.h = numericCast(image.height)
            item.noise_type = numericCast(SEP_NOISE_STDDEV)
            item.maskthresh = 0
            return body(&item)
          }
        }
      }
    }

    /// Returns the background of each pixel.
    private func background() throws(OptionError) -> [Double] {
      guard let tile = settings.backgroundTile else {
        return [Double](
          repeating: estimateSky(image).median, count: image.width * image.height)
      }
      var item: UnsafeMutablePointer<sep_bkg>?
      let status = withImage(image.science) {
        sep_background(
          $0, numericCast(tile), numericCast(tile), numericCast(settings.backgroundFilter),
          numericCast(settings.backgroundFilter), 0, &item)
      }
      defer { if let item { sep_bkg_free(item) } }
      try check(status)
      var values = [Double](repeating: 0, count: image.width * image.height)
      if let item { try check(sep_bkg_array(item, &values, numericCast(SEP_TDOUBLE))) }
      return values
    }

    /// Finds the sources.
    func detection() throws(OptionError) -> SourceDetection {
      let background = try background()
      let data = zip(image.science, background).map { $0 - $1 }
      let kernel: [Float] = [1, 2, 1, 2, 4, 2, 1, 2, 1]
      var item: UnsafeMutablePointer<sep_catalog>?
      let status = withImage(data) { picture in
        sep_extract(
          picture, Float(settings.threshold), numericCast(SEP_THRESH_REL),
          numericCast(settings.leastArea), settings.smooths ? kernel : nil, 3, 3,
          numericCast(SEP_FILTER_CONV), numericCast(settings.deblendLevels),
          settings.deblendContrast, settings.cleaning == nil ? 0 : 1, settings.cleaning ?? 1, &item)
      }
      defer { if let item { sep_catalog_free(item) } }
      try check(status)
      guard let found = item?.pointee else {
        throw OptionError("detection", "the source extractor returned no catalogue")
      }
      var list: [(source: CatalogSource, pixels: [Int])] = []
      for index in 0..<Int(found.nobj) {
        let pixels = (0..<Int(found.npix[index])).compactMap { k in
          found.pix[index].map { Int($0[k]) }
        }
        list.append((source(found, index, data), pixels))
      }
      list.sort { ($0.source.flux, $1.source.x) > ($1.source.flux, $0.source.x) }
      var segments = [Int](repeating: 0, count: data.count)
      for (place, entry) in list.enumerated() {
        for pixel in entry.pixels where segments.indices.contains(pixel) {
          segments[pixel] = place + 1
        }
      }
      return SourceDetection(
        catalog: SourceCatalog(list.map(\.source), name: image.names.science), width: image.width,
        height: image.height, segments: segments, background: background)
    }

    /// Returns a source: its Kron flux, the radius of half of it, its shape.
    private func source(_ found: sep_catalog, _ index: Int, _ data: [Double]) -> CatalogSource {
      let (x, y) = (found.x[index], found.y[index])
      let (a, b) = (Double(found.a[index]), Double(found.b[index]))
      // SEP's angle counts from +x; ours from +y, both counter-clockwise.
      let fromX = Double(found.theta[index])
      let (cxx, cyy, cxy) = (
        Double(found.cxx[index]), Double(found.cyy[index]), Double(found.cxy[index])
      )
      var flux = Double(found.flux[index])
      var radius = 0.0
      withImage(data) { picture in
        var kron = 0.0
        var flag: Int16 = 0
        // 6 and 2.5 are SExtractor's: how far the moments are taken, and how many Kron radii hold nearly all the light.
        _ = sep_kron_radius(picture, x, y, cxx, cyy, cxy, 6, 0, &kron, &flag)
        var (sum, error, area) = (0.0, 0.0, 0.0)
        if kron > 0,
          sep_sum_ellipse(
            picture, x, y, a, b, fromX, 2.5 * kron, 0, 5, 0, &sum, &error, &area, &flag) == 0,
          sum > 0
        {
          flux = sum
        }
        var half = 0.5
        var total = flux
        _ = sep_flux_radius(picture, x, y, 6 * a, 0, 5, 0, &total, &half, 1, &radius, &flag)
      }
      // A circle that holds half of the light of an ellipse has a radius near √(ab) of it: the major axis is longer.
      let ratio = a > 0 ? b / a : 1
      let major = ratio > 0 ? radius / ratio.squareRoot() : radius
      var theta = (fromX - .pi / 2).truncatingRemainder(dividingBy: .pi)
      if theta < 0 { theta += .pi }
      return CatalogSource(
        x: x, y: y, flux: flux, radius: major > 0 ? major : max(a, 0.5), ellip: 1 - ratio,
        theta: theta)
    }
  }
#else
  extension SourceDetection {
    /// Says that sources cannot be found here: the package was built without SEP.
    ///
    /// - Throws: ``OptionError``, always.
    public init(_ image: ObservedImage, _ settings: DetectionSettings = DetectionSettings())
      throws(OptionError)
    {
      throw OptionError(
        "detection",
        "expected the SEP library, found a build without it; give a catalogue instead, or build on Debian or Ubuntu with libsep-dev"
      )
    }
  }
#endif
