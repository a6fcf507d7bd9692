// SPDX-License-Identifier: MIT
//
// Where the frame of a joint model lies on the pixels of each band, around each source.

import FITS
import GalaxyModels

/// The maps from the frame of a joint model, the first band's pixels unless a map was given, to the bands.
struct BandFrames {
  /// The bands.
  private let bands: [Band]

  /// The world coordinates of each band, where its header has them.
  private let coordinates: [WorldCoordinates?]

  /// Reads the world coordinates of the bands.
  ///
  /// - Throws: `FITSError` where those of a header contradict themselves.
  init(_ bands: [Band]) throws {
    self.bands = bands
    coordinates = try bands.map { band in
      do {
        return try WorldCoordinates(band.image.header, name: band.image.names.science)
      } catch let error as FITSError where error.kind == .noWorldCoordinates {
        return nil
      }
    }
  }

  /// Returns the map to a band around a position in the joint frame.
  ///
  /// - Throws: ``GalaxyModelError`` where nothing says how the band lies; `FITSError` where the position is outside a
  ///   projection.
  func map(to band: Int, around position: ImagePoint) throws -> PlaneMap {
    if let given = bands[band].givenMap { return given }
    if band == 0 { return PlaneMap() }
    let first = bands[0].map
    if let from = coordinates[0], let to = coordinates[band] {
      return try PlaneMap(from: from, to: to, around: first(position)).following(first)
    }
    let (reference, image) = (bands[0].image, bands[band].image)
    guard coordinates[0] == nil, coordinates[band] == nil else {
      let (without, with) = coordinates[0] == nil ? (0, band) : (band, 0)
      throw GalaxyModelError(
        .invalidBands(
          "\(bands[without].name): expected world coordinates in the header of \(bands[without].image.names.science), found none, while \(bands[with].name) has them; add them, or say by a map how the pixels lie"
        ))
    }
    guard image.width == reference.width, image.height == reference.height else {
      throw GalaxyModelError(
        .invalidBands(
          "\(bands[band].name): expected world coordinates in the headers, or the shape of the first band (\(reference.width) × \(reference.height) pixels), found none and \(image.width) × \(image.height); add them, or say by a map how the pixels lie"
        ))
    }
    return first
  }

  /// Returns the maps of all bands around given positions: for each band one for each position.
  func maps(around positions: [ImagePoint]) throws -> [[PlaneMap]] {
    try bands.indices.map { band in try positions.map { try map(to: band, around: $0) } }
  }
}

extension PlaneMap {
  /// Returns the map that does another first.
  fileprivate func following(_ first: PlaneMap) -> PlaneMap {
    let origin = self(ImagePoint(x: first.x0, y: first.y0))
    return PlaneMap(
      xx: xx * first.xx + xy * first.yx, xy: xx * first.xy + xy * first.yy,
      yx: yx * first.xx + yy * first.yx, yy: yx * first.xy + yy * first.yy, x0: origin.x,
      y0: origin.y)
  }
}
