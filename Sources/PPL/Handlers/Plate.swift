// SPDX-License-Identifier: MIT
//
// Plate: independent elements along an axis of the batch shape.

import Distributions
import Numerics
import Tensors

/// Declares the sites inside it independent along one axis, broadcasts their distributions to it, and scales subsampled ones.
public struct Plate: Handler {
  /// The name of the plate.
  public let name: String
  /// The number of elements.
  public let size: Int
  /// The number of elements in use.
  public let subsampleSize: Int
  /// The axis it holds, counted from the back.
  public let axis: Int

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.kind == .sample || site.kind == .factor || site.kind == .deterministic else {
      return
    }
    let frame = PlateFrame(name: name, size: size, subsampleSize: subsampleSize, axis: axis)
    if site.plates.contains(where: { $0.axis == frame.axis }) {
      context.report(
        ModelError(
          .invalidPlate, site: site.name, plates: [name] + site.plates.map(\.name),
          "expected an axis of its own for plate \"\(name)\", found axis \(frame.axis) held by another; give axis: explicitly"
        ))
      return
    }
    site.plates.insert(frame, at: 0)
    if site.kind != .deterministic && subsampleSize < size {
      site.scale *= Double(size) / Double(subsampleSize)
    }
    guard let distribution = site.distribution else { return }
    var batch = distribution.batchShape
    while batch.count < -frame.axis { batch.insert(1, at: 0) }
    let place = batch.count + frame.axis
    if batch[place] == 1 { batch[place] = subsampleSize }
    if batch[place] != subsampleSize {
      context.report(
        ModelError(
          .plateMismatch(batchShape: distribution.batchShape), site: site.name,
          plates: site.plates.map(\.name),
          "expected a batch shape with \(subsampleSize) or 1 at axis \(frame.axis), found \(distribution.batchShape); check the parameters' shapes, or use .toEvent(…) for a joint variable"
        ))
      return
    }
    if batch != distribution.batchShape { site.distribution = distribution.expanded(to: batch) }
  }

  /// Draws `count` of `size` indices without replacement, in random order.
  static func draw(_ count: Int, of size: Int, key: RandomKey) -> Tensor {
    var indices = Array(0..<size)
    for k in 0..<count {
      // A partial Fisher–Yates shuffle; the bias of the remainder is below size / 2⁶⁴.
      let other = k + Int(key.bits(UInt64(k)) % UInt64(size - k))
      indices.swapAt(k, other)
    }
    return Tensor(indices[..<count].map(Double.init))
  }
}
