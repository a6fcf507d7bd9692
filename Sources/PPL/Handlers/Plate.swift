// SPDX-License-Identifier: MIT
//
// Plate: independent elements along an axis of the batch shape.

import Distributions
import Numerics
import Tensors

/// Declares the sites inside it independent along one axis, broadcasts their distributions to it, and scales subsampled ones.
public struct Plate: StructuralHandler {
  /// The name of the plate.
  public let name: String
  /// The number of elements.
  public let size: Int
  /// The number of elements in use.
  public let subsampleSize: Int
  /// The axis it holds, counted from the back.
  public let axis: Int

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.isWeighted || site.kind == .deterministic else { return }
    let frame = PlateFrame(name: name, size: size, subsampleSize: subsampleSize, axis: axis)
    let path = context.outerPlates + [name] + site.plates.map(\.name)
    if site.plates.contains(where: { $0.axis == axis || $0.name == name }) {
      context.report(
        ModelError(
          .invalidPlate, site: site.name, plates: path,
          "expected a name and an axis of its own for plate \"\(name)\", found axis \(axis) or the name taken by a plate inside it; give axis: explicitly"
        ))
      return
    }
    site.plates.insert(frame, at: 0)
    if site.isWeighted && subsampleSize < size {
      site.scale *= Double(size) / Double(subsampleSize)
    }
    if site.kind == .factor, let value = site.value {
      // A term inside a plate is one for each element, as a random variable would be.
      let batch = spread(value.shape, of: site, path, in: context)
      site.value =
        broadcastShape([value.shape, batch]) == batch ? value.broadcast(to: batch) : .zeros(batch)
    }
    if let inner = site.distribution {
      let batch = spread(inner.batchShape, of: site, path, in: context)
      if broadcastShape([inner.batchShape, batch]) == batch {
        site.distribution = inner.expanded(to: batch)
      } else {
        // The run goes on to its end with something of the right shape, and then throws.
        let feasible = inner.feasibleValue.elements.first ?? 0
        site.distribution = Delta(Tensor(repeating: feasible, shape: batch + inner.eventShape))
          .toEvent(inner.eventShape.count)
        site.value = nil
      }
    }
    if let inner = site.original {
      let batch = spread(inner.batchShape, of: site, path, in: context)
      if broadcastShape([inner.batchShape, batch]) == batch {
        site.original = inner.expanded(to: batch)
      }
    }
  }

  /// Returns a batch shape with the plate's elements along its axis; keeps a mistake where other elements are there.
  private func spread(
    _ shape: Shape, of site: Site, _ path: [String], in context: ModelContext
  ) -> Shape {
    var batch = [Int](repeating: 1, count: max(0, -axis - shape.count)) + shape
    let place = batch.count + axis
    if batch[place] != 1 && batch[place] != subsampleSize {
      context.report(
        ModelError(
          .plateMismatch(batchShape: shape), site: site.name, plates: path,
          "expected a batch shape with \(subsampleSize) or 1 at axis \(axis), found \(shape); check the parameters' shapes, or use .toEvent(…) for a joint variable"
        ))
    }
    batch[place] = subsampleSize
    return batch
  }
}
