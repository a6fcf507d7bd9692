// SPDX-License-Identifier: MIT
//
// The files of a detection: catalog.csv, segments.fits, mask.fits.

import FITS
public import GalaxyModels

extension SourceDetection {
  /// The place in the catalogue of the source nearest to a position; nil where there is none.
  public func nearest(to position: ImagePoint) -> Int? {
    catalog.sources.indices.min { a, b in
      distance(catalog.sources[a], position) < distance(catalog.sources[b], position)
    }
  }

  /// Returns the squared distance of a source from a position.
  private func distance(_ source: CatalogSource, _ position: ImagePoint) -> Double {
    let (dx, dy) = (source.x - position.x, source.y - position.y)
    return dx * dx + dy * dy
  }

  /// Writes the catalogue, the map of segments, and a mask of all sources but one.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - image: The image the sources were found in: its own mask is part of the one that is written.
  ///   - position: The source nearest to this position is not masked.
  ///   - growth: The number of pixels by which masked segments are widened.
  /// - Returns: The files, each with what kept it from being written, if anything did.
  public func write(
    to folder: OutputFolder, _ image: ObservedImage, keeping position: ImagePoint,
    growth: Int = 2
  ) -> [OutputProduct] {
    let kept = nearest(to: position)
    var mask = zip(self.mask(growth: growth) { $0 != kept }, image.mask).map { $0 || $1 }
    // A widened neighbour must not eat into the source that is to be fitted.
    if let kept {
      for i in mask.indices where segments[i] == kept + 1 { mask[i] = image.mask[i] }
    }
    let coordinates = image.header.worldCoordinates
    return [
      folder.write(catalog.csv, to: "catalog.csv"),
      folder.write("segments.fits") { path in
        let part = FITSOutputImage(
          name: "", width: width, height: height, values: segments.map(Double.init),
          pixelType: .int32, cards: coordinates)
        try FITSWriter.write([part], to: path)
      },
      folder.write("mask.fits") { path in
        let part = FITSOutputImage(
          name: "", width: width, height: height, mask: mask, cards: coordinates)
        try FITSWriter.write([part], to: path)
      },
    ]
  }
}
