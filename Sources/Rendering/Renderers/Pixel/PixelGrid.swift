// SPDX-License-Identifier: MIT
//
// The cells over which a profile is integrated: where they lie in the image and how they lie in memory.

/// A rectangle of square cells in image coordinates, stored in the first columns and rows of a larger canvas.
struct PixelGrid: Sendable, Hashable {
  /// The left edge of the first cell, in image pixels.
  var left: Double

  /// The lower edge of the first cell, in image pixels.
  var bottom: Double

  /// The side of a cell, in image pixels.
  var side: Double

  /// The number of cells in x.
  var columns: Int

  /// The number of cells in y.
  var rows: Int

  /// The number of columns of the canvas, ≥ `columns`.
  var canvasColumns: Int

  /// The number of rows of the canvas, ≥ `rows`.
  var canvasRows: Int

  /// The number of elements of a canvas.
  var canvasCount: Int { canvasColumns * canvasRows }
}
