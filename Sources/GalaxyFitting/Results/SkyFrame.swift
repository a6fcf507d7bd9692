// SPDX-License-Identifier: MIT
//
// Where pixels lie on the sky: by the world coordinates of an image, for positions of sources.

import FITS
import GalaxyModels
import Synchronization

/// The sky behind an image: positions in degrees from pixels.
final class SkyFrame: Sendable {
  /// The names of the coordinates: `ra` and `dec`, or `glon` and `glat`, `elon` and `elat`.
  let names: (longitude: String, latitude: String)

  /// The map.
  private let coordinates: WorldCoordinates

  /// The latest pixel and its position: longitude and latitude of one draw are asked for one after the other.
  private let latest = Mutex<(x: Double, y: Double, sky: SkyPosition)?>(nil)

  /// Reads world coordinates; nil where there are none on the sky.
  ///
  /// - Parameters:
  ///   - cards: The cards of the header.
  ///   - name: The image, for messages.
  /// - Throws: `FITSError` with kind `badWorldCoordinates` where they cannot be understood.
  init?(_ cards: [WorldCoordinateCard], name: String) throws(FITSError) {
    let header = FITSHeader(cards.map(\.card))
    // The side of a pixel on the sky is known just where the axes are celestial ones.
    guard Calibration.pixelScale(header) != nil else { return nil }
    coordinates = try WorldCoordinates(header, name: name)
    let system = coordinates.system
    names =
      system.hasPrefix("GLON")
      ? ("glon", "glat") : system.hasPrefix("ELON") ? ("elon", "elat") : ("ra", "dec")
  }

  /// Returns the sky behind a reported image; nil where it has none that can be understood, which the report of a fit notes.
  static func of(_ image: ImageReport) -> SkyFrame? {
    (try? SkyFrame(image.worldCoordinates, name: image.names.science)) ?? nil
  }

  /// Returns the position of a pixel; nil outside the projection.
  func position(x: Double, y: Double) -> SkyPosition? {
    if let known = latest.withLock({ $0 }), known.x == x, known.y == y { return known.sky }
    guard let sky = try? coordinates.sky(x: x, y: y) else { return nil }
    latest.withLock { $0 = (x, y, sky) }
    return sky
  }
}
