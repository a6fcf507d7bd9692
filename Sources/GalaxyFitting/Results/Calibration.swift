// SPDX-License-Identifier: MIT
//
// What turns image units and pixels into magnitudes and arcseconds: zero point, pixel scale, cards of world coordinates.

import Numerics
import FITS
public import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What turns image units into magnitudes and pixels into arcseconds.
public struct Calibration: Sendable, Hashable {
  /// The magnitude of one image unit of flux; nil where it is not known.
  public var zeroPoint: Double?

  /// The side of a pixel in arcseconds; nil where it is not known.
  public var pixelScale: Double?

  /// Creates a calibration.
  ///
  /// - Precondition: The pixel scale is positive.
  public init(zeroPoint: Double? = nil, pixelScale: Double? = nil) {
    demand(
      pixelScale.map { $0 > 0 && $0.isFinite } ?? true,
      "Calibration: expected a pixel scale > 0, got \(pixelScale ?? 0)")
    self.zeroPoint = zeroPoint
    self.pixelScale = pixelScale
  }

  /// Takes what an image says: its zero point, and the pixel scale of its header's world coordinates.
  public init(_ image: ObservedImage) {
    self.init(zeroPoint: image.zeroPoint, pixelScale: Self.pixelScale(image.header))
  }

  /// Returns this calibration with what another one knows in place of its own.
  public func replaced(by other: Calibration) -> Calibration {
    Calibration(
      zeroPoint: other.zeroPoint ?? zeroPoint, pixelScale: other.pixelScale ?? pixelScale)
  }

  /// Returns the square root of the area of the reference pixel on the sky, arcseconds; nil without celestial axes.
  ///
  /// The matrix is CDi_j, or CDELTi · PCi_j (FITS Standard 4.0, section 8.1), in degrees unless CUNIT says otherwise.
  static func pixelScale(_ header: FITSHeader) -> Double? {
    let types = [1, 2].map { header["CTYPE\($0)"]?.text ?? "" }
    let celestial = ["RA--", "DEC-", "GLON", "GLAT", "ELON", "ELAT"]
    guard types.allSatisfy({ type in celestial.contains { type.hasPrefix($0) } }) else {
      return nil
    }
    /// Returns a number of the header.
    func number(_ keyword: String) -> Double? { header[keyword]?.number }
    /// Returns an element of the matrix in degrees.
    func element(_ i: Int, _ j: Int) -> Double {
      let unit = (header["CUNIT\(i)"]?.text ?? "deg").lowercased()
      let factor = unit == "arcsec" ? 1.0 / 3600 : unit == "arcmin" ? 1.0 / 60 : 1
      if hasCD { return factor * (number("CD\(i)_\(j)") ?? 0) }
      return factor * (number("CDELT\(i)") ?? .nan) * (number("PC\(i)_\(j)") ?? (i == j ? 1 : 0))
    }
    let hasCD = ["CD1_1", "CD1_2", "CD2_1", "CD2_2"].contains { number($0) != nil }
    let area = abs(element(1, 1) * element(2, 2) - element(1, 2) * element(2, 1))
    return area > 0 && area.isFinite ? 3600 * area.squareRoot() : nil
  }
}

/// One card of a header's world coordinates, as a plain value.
public struct WorldCoordinateCard: Sendable, Hashable {
  /// The keyword.
  public let keyword: String

  /// The value.
  let value: FITSValue

  /// The comment.
  public let comment: String

  /// Takes a card of a header.
  init(_ card: FITSCard) {
    keyword = card.keyword
    value = card.value
    comment = card.comment
  }

  /// Creates a card.
  init(_ keyword: String, _ value: FITSValue, comment: String) {
    self.keyword = keyword
    self.value = value
    self.comment = comment
  }

  /// The card for a header.
  var card: FITSCard { FITSCard(keyword, value, comment: comment) }
}
