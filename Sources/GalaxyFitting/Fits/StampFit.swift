// SPDX-License-Identifier: MIT
//
// One source of a scene on a stamp of the image, the light of all others taken off.

import Distributions
import GalaxyModels
import Inference
import PPL
import Rendering

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
  ///   - position: Where the source is.
  ///   - radius: Its half-light radius, pixels.
  ///   - loss: The density of the pixels.
  ///   - method: How the source is rendered.
  /// - Throws: `ObservedImageError` where the stamp has no good pixel; `ModelError` where it cannot be fitted.
  init(
    _ image: ObservedImage, _ source: SourcePrior, remainder: [Double], position: ImagePoint,
    radius: Double, loss: ImageLoss, method: RenderingMethod
  ) throws {
    let half = Self.halfWidth(image, radius: radius)
    /// Returns the pixels of an axis around a position, at least some at the frame's edge.
    func range(_ center: Double, _ size: Int) -> Range<Int> {
      let middle = Int(min(max(center.rounded(), 0), Double(size - 1)))
      return max(0, middle - half)..<min(size, middle + half + 1)
    }
    let columns = range(position.x, image.width)
    let rows = range(position.y, image.height)
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

  /// The half-width of a stamp: four half-light radii and the PSF's core hold most of what tells of a source.
  private static func halfWidth(_ image: ObservedImage, radius: Double) -> Int {
    let blur = PointSpreadShape(image).halfLightRadius
    return Int((4 * radius + 6 * blur + 8).rounded(.up))
  }
}
