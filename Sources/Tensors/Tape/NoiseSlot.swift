// SPDX-License-Identifier: MIT
//
// Random numbers on a tape: places that are filled anew for each evaluation, instead of constants.

import Numerics

/// The kinds of random numbers that a tape leaves open.
enum NoiseKind: Sendable, Hashable {
  /// Standard normal numbers.
  case normal
  /// Numbers uniform in (0, 1).
  case uniform
  /// Distinct whole numbers below a size, in random order.
  case subset(of: Int)
  /// The key itself in four parts, for primitives that draw.
  case key
}

/// Which random numbers an evaluation sees.
struct Redraw: Sendable, Hashable {
  /// The key that is folded into that of each slot.
  var key: RandomKey = 0

  /// Whether normal numbers change their sign and uniform ones are reflected at ½.
  var isMirrored = false
}

/// A region of the value slab that holds random numbers.
struct NoiseSlot: Sendable {
  /// What the numbers are.
  let kind: NoiseKind

  /// The key with which they were asked for.
  let key: RandomKey

  /// Where they lie.
  let range: Range<Int>

  /// Where memory to shuffle in begins; nil where none is needed.
  let scratch: Int?

  /// Fills the region of a slab.
  func fill(_ slab: UnsafeMutablePointer<Double>, _ redraw: Redraw) {
    let own = key.folding(key: redraw.key)
    let start = slab + range.lowerBound
    let buffer = UnsafeMutableBufferPointer(start: start, count: range.count)
    switch kind {
    case .normal:
      own.fillNormal(buffer)
      if redraw.isMirrored { for k in buffer.indices { buffer[k] = -buffer[k] } }
    case .uniform:
      own.fillUniform(buffer)
      if redraw.isMirrored { for k in buffer.indices { buffer[k] = 1 - buffer[k] } }
    case .subset(let size):
      own.fillSubset(buffer, of: size, scratch: scratch.map { slab + $0 })
    case .key: own.store(into: start)
    }
  }
}

extension Recorder {
  /// Returns a new region of random numbers, or nil where the recording keeps them as constants.
  func noise(_ kind: NoiseKind, _ key: RandomKey, _ shape: Shape) -> Tensor? {
    guard let redraw else { return nil }
    let start = Int(allocate(shape.elementCount))
    var scratch: Int?
    if case .subset(let size) = kind, RandomKey.needsScratch(subset: shape.elementCount, of: size) {
      scratch = Int(allocate(size))
    }
    let slot = NoiseSlot(
      kind: kind, key: key, range: start..<start + shape.elementCount, scratch: scratch)
    keep(slot)
    slot.fill(values, redraw)
    return tensor(Int32(start), shape: shape)
  }
}
