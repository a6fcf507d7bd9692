// SPDX-License-Identifier: MIT
//
// The memory of a periodic image, of the whole frame or of a stamp around a source, and where that lies in the frame.

import Numerics

/// A periodic image and its half spectrum, with room for the largest grid that was asked for.
final class PeriodicCanvas {
  /// The rows of the periodic image that lie in the frame.
  private(set) var image = FFTBuffer(count: 0)

  /// The half spectrum.
  private(set) var spectrum = FFTBuffer(count: 0)

  /// The array between the transforms of rows and columns.
  private var between = FFTBuffer(count: 0)

  /// Makes room for a grid.
  func reserve(_ grid: FourierGrid) {
    let plan = grid.transforms
    if image.count < plan.frameCount { image = FFTBuffer(count: plan.frameCount) }
    if spectrum.count < plan.spectrumCount { spectrum = FFTBuffer(count: plan.spectrumCount) }
    // A smaller grid may need it where a larger one does not.
    if between.count < plan.betweenCount { between = FFTBuffer(count: plan.betweenCount) }
  }

  /// Sets the image to that of the spectrum, which is used up.
  func toImage(_ grid: FourierGrid) {
    grid.transforms.inverse(spectrum.pointer, between: between.pointer, into: image.pointer)
  }

  /// Sets the spectrum to that of the image, which is used up.
  func toSpectrum(_ grid: FourierGrid) {
    grid.transforms.forward(image.pointer, between: between.pointer, into: spectrum.pointer)
  }

  /// Adds the image of the spectrum, which is used up, to a frame of a given width.
  func add(
    _ grid: FourierGrid, _ place: EdgeRinging.Place, to frame: UnsafeMutablePointer<Double>,
    width: Int
  ) {
    guard !place.columns.isEmpty, !place.rows.isEmpty else { return }
    toImage(grid)
    for y in place.rows {
      let from = image.pointer + (y - place.origin.y) * grid.columns - place.origin.x
      let to = frame + y * width
      for x in place.columns { to[x] += from[x] }
    }
  }

  /// Sets the spectrum to that of a place's part of a frame of a given width.
  func transform(
    _ grid: FourierGrid, _ place: EdgeRinging.Place, from frame: UnsafePointer<Double>, width: Int
  ) {
    image.pointer.update(repeating: 0, count: grid.transforms.frameCount)
    for y in place.rows {
      let row = image.pointer + (y - place.origin.y) * grid.columns
      guard let first = place.columns.first else { break }
      (row + first - place.origin.x).update(
        from: frame + y * width + first, count: place.columns.count)
    }
    toSpectrum(grid)
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
