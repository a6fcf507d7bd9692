// SPDX-License-Identifier: MIT
//
// One source of a scene on a stamp of the image, the light of all others taken off.

import Distributions
import GalaxyModels
import Inference
import PPL
import Rendering

/// The pixels around a source that tell of it.
struct StampRegion: Sendable {
  /// The pixels along x.
  let columns: Range<Int>

  /// The pixels along y.
  let rows: Range<Int>

  /// Chooses the pixels: four half-light radii and the PSF's core hold most of what tells of a source.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - position: Where the source is; outside of the frame the pixels next to it are chosen.
  ///   - radius: Its half-light radius, pixels.
  init(_ image: ObservedImage, around position: ImagePoint, radius: Double) {
    let blur = PointSpreadShape(image).halfLightRadius
    let half = Int((4 * radius + 6 * blur + 8).rounded(.up))
    /// Returns the pixels of an axis around a position, at least some at the frame's edge.
    func range(_ center: Double, _ size: Int) -> Range<Int> {
      let middle = Int(min(max(center.rounded(), 0), Double(size - 1)))
      return max(0, middle - half)..<min(size, middle + half + 1)
    }
    columns = range(position.x, image.width)
    rows = range(position.y, image.height)
  }

  /// Returns whether two stamps have a pixel in common.
  func meets(_ other: StampRegion) -> Bool {
    columns.overlaps(other.columns) && rows.overlaps(other.rows)
  }
}

/// A source of a scene on a stamp of the image: its density given all other sources.
struct StampFit {
  /// The compiled density; its sites have no number.
  let density: CompiledDensity

  /// Compiles the density of a source.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - source: The source.
  ///   - remainder: The image less sky and all other sources, row-major.
  ///   - region: The stamp.
  ///   - loss: The density of the pixels.
  ///   - method: How the source is rendered.
  /// - Throws: `ObservedImageError` where the stamp has no good pixel; `ModelError` where it cannot be fitted.
  init(
    _ image: ObservedImage, _ source: SourcePrior, remainder: [Double], region: StampRegion,
    loss: ImageLoss, method: RenderingMethod
  ) throws {
    let (columns, rows) = (region.columns, region.rows)
    let stamp = try image.stamp(columns: columns, rows: rows, science: remainder)
    let shift = (x: Double(-columns.lowerBound), y: Double(-rows.lowerBound))
    let part = source.profile.model(source.prior)
    // What a counting loss would count has had light of others subtracted.
    let loss = loss.isCounting ? .gaussian : loss
    density = try Model<Void> { m in
      let light = m.call(part)
      m.observe(stamp, light.translated(x: shift.x, y: shift.y), loss: loss, method: method)
    }.intervened(on: source.prior.fixed).logDensity()
  }
}
