// SPDX-License-Identifier: MIT
//
// WholePlates: subsampled plates use all their elements.

/// Opens subsampled plates with all their elements, in order: for predictions, which are made for all of the data.
public struct WholePlates: Handler {
  /// Creates the handler.
  public init() {}

  public mutating func process(_ site: inout Site) {
    guard site.kind == .plate else { return }
    site.plates = site.plates.map { plate in
      PlateFrame(name: plate.name, size: plate.size, subsampleSize: plate.size, axis: plate.axis)
    }
  }
}
