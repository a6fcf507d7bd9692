// SPDX-License-Identifier: MIT
//
// What all Fourier renderers of one image share: geometry, the PSF's transform, periodic grids, transforms.

public import Numerics
import Synchronization

/// The immutable part of a Fourier renderer: the frame, the PSF, periodic grids of several sizes.
///
/// A source inside the frame is drawn on the smallest grid, about 1.27 times the frame and wide enough for half a PSF. The
/// further a source lies outside, the larger the grid has to be for its periodic copies to stay off the frame; larger
/// grids are made when first needed.
public final class RendererPlan: Sendable {
  /// The number of columns of the image.
  public let width: Int

  /// The number of rows of the image.
  public let height: Int

  /// The point-spread function, used as given.
  public let psf: PointSpreadFunction

  /// The PSF's moments.
  let moments: PointSpreadMoments

  /// Node grids over the frame, by `ChebyshevFrame.counts`.
  let frames: [ChebyshevFrame]

  /// The periodic grids' sizes by level: as multiples of the frame, then of half a PSF beyond it.
  private static let margins: [(frame: Double, psf: Double)] = [
    (1.27, 1), (1.6, 1.5), (2.2, 2), (3.4, 3), (6, 4),
  ]

  /// The number of levels.
  static let levels = margins.count

  /// How far a PSF reaches from its centre, in image pixels, along x and y.
  let reach: (x: Double, y: Double)

  /// The periodic grids, by level.
  private let grids: Mutex<[FourierGrid?]>

  /// How sources are cut in two parts; nil where all are drawn on all frequencies of the frame.
  let split: SpectrumSplit?

  /// The effort of planning the smallest grid's transforms.
  private let planning: FFTPlanning

  /// Lays out the grids and transforms the PSF.
  ///
  /// - Parameters:
  ///   - width: Columns of the image, > 0.
  ///   - height: Rows of the image, > 0.
  ///   - psf: The effective PSF, which contains the pixel's response; nil is an error.
  ///   - planning: The effort of planning the transforms of the smallest grid; larger grids are estimated.
  /// - Throws: `RenderingError` with kind `emptyGrid`, `invalidPointSpread`, or `unsupportedScene` without a PSF.
  public convenience init(
    width: Int, height: Int, psf: PointSpreadFunction?, planning: FFTPlanning = .estimate
  ) throws(RenderingError) {
    try self.init(width: width, height: height, psf: psf, planning: planning, splits: true)
  }

  /// Lays out the grids and transforms the PSF, with or without splitting the sources of a large frame.
  package init(
    width: Int, height: Int, psf: PointSpreadFunction?, planning: FFTPlanning = .estimate,
    splits: Bool
  ) throws(RenderingError) {
    guard width > 0 && height > 0 else {
      throw RenderingError(
        .emptyGrid, expected: "an image with pixels", found: "\(width) × \(height)",
        advice: "check the image or its section")
    }
    guard let psf else {
      throw RenderingError(
        .unsupportedScene, expected: "a PSF for the Fourier renderer", found: "none",
        advice: "give a PSF, or use the pixel-integrated renderer")
    }
    try psf.validate()
    self.width = width
    self.height = height
    self.psf = psf
    self.planning = planning
    let moments = PointSpreadMoments(psf)
    self.moments = moments
    let counts = ChebyshevFrame.counts
    frames = counts.indices.map { i in
      ChebyshevFrame(
        count: counts[i], coarser: counts[max(i - 2, 0)], width: width, height: height,
        moments: moments)
    }
    reach = Self.reach(psf)
    let grid = FourierGrid(
      columns: Self.size(0, pixels: width, across: height, reach: reach.x),
      rows: Self.size(0, pixels: height, across: width, reach: reach.y), frameRows: height,
      psf: psf, planning: planning)
    grids = Mutex([grid] + [FourierGrid?](repeating: nil, count: Self.levels - 1))
    split =
      splits ? SpectrumSplit(grid, psf: psf, moments: moments, planning: planning) : nil
  }

  /// Whether sources are split between the frame's low frequencies and stamps.
  package var splitsSources: Bool { split != nil }

  /// The number of pixels of the image.
  var pixelCount: Int { width * height }

  /// Returns how far a PSF's pixels above 1e-7 of the largest lie from its centre, in image pixels.
  private static func reach(_ psf: PointSpreadFunction) -> (x: Double, y: Double) {
    let threshold = 1e-7 * (psf.values.lazy.map(abs).max() ?? 0)
    var (x, y) = (0.0, 0.0)
    for (i, value) in psf.values.enumerated() where abs(value) > threshold {
      x = max(x, abs(Double(i % psf.width) - psf.centerX))
      y = max(y, abs(Double(i / psf.width) - psf.centerY))
    }
    let side = 1 / Double(psf.oversampling)
    return (x * side, y * side)
  }

  /// Returns the size of a periodic grid along an axis with `pixels` of the frame, `across` along the other.
  ///
  /// Larger grids are not much longer than wide: the rings of copies are to surround sources far beyond the longer side.
  private static func size(_ level: Int, pixels: Int, across: Int, reach: Double) -> Int {
    let margin = margins[level]
    let side = level == 0 ? Double(pixels) : max(Double(pixels), 0.7 * Double(across))
    let least = max(margin.frame * side, Double(pixels) + margin.psf * reach + 2)
    let size = FFTSizes.good(atLeast: max(Int(least.rounded(.up)), 8))
    return size % 2 == 0 ? size : FFTSizes.good(atLeast: size + 1)
  }

  /// Returns the periods of a level's grid.
  func period(_ level: Int) -> (x: Int, y: Int) {
    (
      Self.size(level, pixels: width, across: height, reach: reach.x),
      Self.size(level, pixels: height, across: width, reach: reach.y)
    )
  }

  /// Returns the grid of a level, made at first use.
  func grid(_ level: Int) -> FourierGrid {
    grids.withLock { grids in
      if let known = grids[level] { return known }
      let period = period(level)
      let grid = FourierGrid(
        columns: period.x, rows: period.y, frameRows: height, psf: psf,
        planning: level == 0 ? planning : .estimate)
      grids[level] = grid
      return grid
    }
  }

  /// Returns the smallest level on which a source's copies stay off the frame; nil if there is none.
  ///
  /// A copy has to be 0.27 of the frame away from it, and as far as the PSF reaches plus the source's own core: what the
  /// PSF's wings throw into the frame is not in the copies' Taylor series.
  ///
  /// - Parameters:
  ///   - xc: The source's column.
  ///   - yc: The source's row.
  ///   - core: The half-sizes of the source's core along x and y, in pixels; capped at twice the PSF's reach.
  /// - Returns: The level, for `grid`.
  func level(xc: Double, yc: Double, core: (x: Double, y: Double)) -> Int? {
    func allows(_ period: Int, _ center: Double, _ pixels: Int, _ reach: Double, _ core: Double)
      -> Bool
    {
      let frame = Double(pixels)
      let gap = Double(period) - max(frame - 0.5 - center, center + 0.5)
      return gap >= max(0.27 * frame, reach + min(core, 2 * reach))
    }
    // The largest grids are for thin sources only, whose copies nearer by are not smooth.
    return (0..<Self.levels - 1).first {
      let period = period($0)
      return allows(period.x, xc, width, reach.x, core.x)
        && allows(period.y, yc, height, reach.y, core.y)
    }
  }
}
