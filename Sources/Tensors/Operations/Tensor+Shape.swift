// SPDX-License-Identifier: MIT
//
// Reshaping, broadcasting, transposing, joining: views where the elements lie in a row, gathers elsewhere.

import Numerics

extension Tensor {
  /// Returns the same elements under another shape.
  ///
  /// - Parameter shape: The new extents; one of them may be −1, and is then computed.
  /// - Returns: The array; no copy is recorded.
  public func reshaped(_ shape: Shape) -> Tensor {
    var target = shape
    if let free = shape.firstIndex(of: -1) {
      target[free] = 1
      target[free] = Swift.max(1, count) / Swift.max(1, target.elementCount)
    }
    demand(
      target.elementCount == count,
      "reshaped: expected a shape of \(count) elements, got \(shape) for \(self.shape)")
    if case .elements(let values) = storage { return Tensor(values, shape: target) }
    if case .scalar(let value) = storage {
      return target.isEmpty ? self : Tensor([value], shape: target)
    }
    return Tensor(shape: target, storage: storage)
  }

  /// Returns the array as a vector.
  public func flattened() -> Tensor { reshaped([count]) }

  /// Returns the elements at given places, as an array of `shape`.
  func gathered(_ indices: [Int32], shape: Shape) -> Tensor {
    if let values = constantElements {
      return Tensor(indices.map { values[Int($0)] }, shape: shape)
    }
    var i = Instruction(operation: .gather)
    i.n = Int32(indices.count)
    i.outer = Int32(count)
    return Application(instruction: i, operands: [self], shape: shape, integers: indices)()
  }

  /// Returns a part that lies in a row, as a view: no instruction is recorded.
  func view(start: Int, shape: Shape) -> Tensor {
    switch storage {
    case .scalar: return reshaped(shape)
    case .elements(let values):
      return Tensor(Array(values[start..<(start + shape.elementCount)]), shape: shape)
    case .traced(let place):
      let moved = TapePlace(tape: place.tape, offset: place.offset + Int32(start))
      return Tensor(shape: shape, storage: .traced(moved))
    }
  }

  /// Returns the array repeated along axes of length 1 until it has the given shape.
  ///
  /// - Precondition: `shape` is what the array's own shape broadcasts to.
  public func broadcast(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    demand(
      broadcastShape([self.shape, shape]) == shape,
      "broadcast: expected a shape that \(self.shape) broadcasts to, got \(shape)")
    if count == shape.elementCount { return reshaped(shape) }
    return gathered(broadcastIndices(from: self.shape, to: shape), shape: shape)
  }

  /// Returns the array with its axes in another order; all reversed when none is given.
  public func transposed(_ order: [Int]? = nil) -> Tensor {
    let order = order ?? Array((0..<rank).reversed())
    demand(
      order.sorted() == Array(0..<rank),
      "transposed: expected an order of the axes 0..<\(rank), got \(order)")
    let target = order.map { shape[$0] }
    if rank < 2 || order == Array(0..<rank) { return self }
    let strides = shape.rowMajorStrides
    return gathered(
      stridedIndices(shape: target, strides: order.map { strides[$0] }, start: 0), shape: target)
  }

  /// Returns the array with a new axis of length 1.
  public func expandingAxis(_ axis: Int) -> Tensor {
    var target = shape
    target.insert(1, at: axis < 0 ? axis + rank + 1 : axis)
    return reshaped(target)
  }

  /// Returns the arrays one after the other along an existing axis.
  public static func concatenate(_ parts: [Tensor], axis: Int = 0) -> Tensor {
    demand(!parts.isEmpty, "concatenate: expected at least one tensor")
    let axis = parts[0].shape.axis(axis, in: "concatenate")
    var target = parts[0].shape
    for part in parts.dropFirst() {
      var other = part.shape
      demand(
        other.count == target.count, "concatenate: shapes \(target) and \(part.shape) differ")
      other[axis] = target[axis]
      demand(
        other == target, "concatenate: shapes \(target) and \(part.shape) differ off axis \(axis)")
      target[axis] += part.shape[axis]
    }
    if axis == 0 { return joined(parts.map { $0 }, shape: target) }
    // Off the first axis: join as rows of pieces, then put the elements in order.
    let inner = parts.map { $0.shape[axis...].reduce(1, *) }
    let outer = target[..<axis].reduce(1, *)
    var starts: [Int] = []
    var start = 0
    for size in inner {
      starts.append(start)
      start += size * outer
    }
    var indices: [Int32] = []
    indices.reserveCapacity(target.elementCount)
    for o in 0..<outer {
      for (k, size) in inner.enumerated() {
        indices.append(contentsOf: (0..<size).map { Int32(starts[k] + o * size + $0) })
      }
    }
    return joined(parts, shape: [target.elementCount]).gathered(indices, shape: target)
  }

  /// Returns arrays of one shape stacked along a new axis.
  public static func stack(_ parts: [Tensor], axis: Int = 0) -> Tensor {
    if parts.isEmpty { return Tensor([], shape: [0]) }
    return concatenate(parts.map { $0.expandingAxis(axis) }, axis: axis)
  }

  /// Returns the elements of all parts in a row.
  private static func joined(_ parts: [Tensor], shape: Shape) -> Tensor {
    guard let recorder = parts.lazy.compactMap(\.owner).first else {
      return Tensor(parts.flatMap(\.elements), shape: shape)
    }
    if parts.count == 1 { return parts[0].reshaped(shape) }
    let start = recorder.allocate(shape.elementCount)
    var next = start
    for part in parts {
      let (offset, active) = recorder.operand(part)
      var i = Instruction(operation: .copy)
      i.active = active ? 1 : 0
      i.strides = 1
      i.n = Int32(part.count)
      i.a = offset
      i.out = next
      if !active { recorder.deactivate(next, count: part.count) }
      recorder.append(i)
      next += Int32(part.count)
    }
    return recorder.tensor(start, shape: shape)
  }

  /// The recording that a traced tensor belongs to; nil for a value.
  var owner: Recorder? {
    if case .traced(let place) = storage { return Recorder.owner(of: place) }
    return nil
  }
}
