// SPDX-License-Identifier: MIT
//
// A stamp around a source: where it lies in the frame, and the memory of its periodic image.

import Numerics

/// The periodic image of a stamp and its half spectrum, which the sources of a renderer share.
final class StampCanvas {
  /// The periodic image.
  private var image = FFTBuffer(count: 0)

  /// The half spectrum.
  private(set) var spectrum = FFTBuffer(count: 0)

  /// Makes room for a grid.
  func reserve(_ grid: FourierGrid) {
    guard image.count < grid.transforms.realCount else { return }
    image = FFTBuffer(count: grid.transforms.realCount)
    spectrum = FFTBuffer(count: grid.transforms.spectrumCount)
  }

  /// Adds the image of the spectrum, which is used up, to a frame of a given width.
  func add(
    _ grid: FourierGrid, _ place: EdgeRinging.Place, to frame: UnsafeMutablePointer<Double>,
    width: Int
  ) {
    guard !place.columns.isEmpty, !place.rows.isEmpty else { return }
    grid.transforms.inverse(spectrum.pointer, into: image.pointer)
    for y in place.rows {
      let from = image.pointer + (y - place.origin.y) * grid.columns - place.origin.x
      let to = frame + y * width
      for x in place.columns { to[x] += from[x] }
    }
  }

  /// Sets the spectrum to that of the stamp's part of a frame of a given width.
  func transform(
    _ grid: FourierGrid, _ place: EdgeRinging.Place, from frame: UnsafePointer<Double>, width: Int
  ) {
    image.pointer.update(repeating: 0, count: grid.transforms.realCount)
    for y in place.rows {
      let row = image.pointer + (y - place.origin.y) * grid.columns
      guard let first = place.columns.first else { break }
      (row + first - place.origin.x).update(
        from: frame + y * width + first, count: place.columns.count)
    }
    grid.transforms.forward(image.pointer, into: spectrum.pointer)
  }
}

extension EdgeRinging.Place {
  /// The frame's own grid.
  init(width: Int, height: Int) {
    self.init(origin: (0, 0), columns: 0..<width, rows: 0..<height)
  }

  /// The stamp of a grid whose middle is the pixel nearest a source.
  init(around geometry: ProfileGeometry, _ grid: FourierGrid, width: Int, height: Int) {
    let x = Int(geometry.xc.rounded()) - grid.columns / 2
    let y = Int(geometry.yc.rounded()) - grid.rows / 2
    /// Returns the part of a frame's axis that a stamp covers.
    func covered(_ first: Int, _ side: Int, _ pixels: Int) -> Range<Int> {
      let lower = min(max(first, 0), pixels)
      return lower..<max(min(first + side, pixels), lower)
    }
    self.init(
      origin: (x, y), columns: covered(x, grid.columns, width),
      rows: covered(y, grid.rows, height))
  }
}
