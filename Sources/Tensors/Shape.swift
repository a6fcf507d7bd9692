// SPDX-License-Identifier: MIT
//
// Arithmetic on shapes: counts, strides, NumPy's broadcasting rule.

import Numerics

extension [Int] {
  /// The number of elements of an array of this shape.
  @inlinable
  public var elementCount: Int { reduce(1, *) }

  /// The distances, in elements, between neighbours along each axis of a row-major array.
  package var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    var step = 1
    for axis in indices.reversed() {
      strides[axis] = step
      step *= self[axis]
    }
    return strides
  }

  /// Returns the axis counted from the front; negative axes count from the back.
  ///
  /// - Precondition: The axis exists.
  package func axis(_ axis: Int, in operation: String) -> Int {
    let front = axis < 0 ? axis + count : axis
    demand(
      front >= 0 && front < count, "\(operation): expected an axis of shape \(self), got \(axis)")
    return front
  }
}

/// Returns the shape to which all given shapes broadcast, or nil where they do not (NumPy's rule).
public func broadcastShape(_ shapes: [Shape]) -> Shape? {
  var result: Shape = []
  for shape in shapes {
    if shape == result { continue }
    let rank = Swift.max(shape.count, result.count)
    var merged = Shape(repeating: 1, count: rank)
    for axis in 0..<rank {
      let x = axis - (rank - result.count)
      let y = axis - (rank - shape.count)
      let a = x >= 0 ? result[x] : 1
      let b = y >= 0 ? shape[y] : 1
      if a != b && a != 1 && b != 1 { return nil }
      merged[axis] = a == 1 ? b : a
    }
    result = merged
  }
  return result
}

/// Returns the source element of each element of an array broadcast from `shape` to `target`.
func broadcastIndices(from shape: Shape, to target: Shape) -> [Int32] {
  let offset = target.count - shape.count
  let sourceStrides = shape.rowMajorStrides
  var strides = [Int](repeating: 0, count: target.count)
  for axis in shape.indices where shape[axis] != 1 { strides[axis + offset] = sourceStrides[axis] }
  return stridedIndices(shape: target, strides: strides, start: 0)
}

/// Returns `start + Σ index · stride` for each element of an array of `shape`, row-major.
func stridedIndices(shape: Shape, strides: [Int], start: Int) -> [Int32] {
  let total = shape.elementCount
  var result = [Int32](repeating: 0, count: total)
  if total == 0 { return result }
  var index = [Int](repeating: 0, count: shape.count)
  var position = start
  for element in 0..<total {
    result[element] = Int32(position)
    var axis = shape.count - 1
    while axis >= 0 {
      index[axis] += 1
      position += strides[axis]
      if index[axis] < shape[axis] { break }
      position -= strides[axis] * shape[axis]
      index[axis] = 0
      axis -= 1
    }
  }
  return result
}
