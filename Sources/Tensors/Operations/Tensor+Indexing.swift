// SPDX-License-Identifier: MIT
//
// Elements, rows, slices and gathers.

extension Tensor {
  /// The part at one index of the first axis.
  public subscript(index: Int) -> Tensor {
    let start = shape.isEmpty ? -1 : index
    precondition(
      start >= 0 && start < shape[0], "index: expected 0..<\(shape.first ?? 0), got \(index)")
    let rest = Array(shape.dropFirst())
    return view(start: index * rest.elementCount, shape: rest)
  }

  /// The part at given indices of the first axes.
  public subscript(first: Int, second: Int, others: Int...) -> Tensor {
    others.reduce(self[first][second]) { $0[$1] }
  }

  /// The rows of a range of the first axis.
  public subscript(range: Range<Int>) -> Tensor { sliced(range, axis: 0) }

  /// Returns the part within a range of one axis.
  public func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    let axis = shape.axis(axis, in: "sliced")
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[axis],
      "sliced: expected a range within 0..<\(shape[axis]), got \(range)")
    let strides = shape.rowMajorStrides
    var target = shape
    target[axis] = range.count
    let start = range.lowerBound * strides[axis]
    if shape[..<axis].allSatisfy({ $0 == 1 }) { return view(start: start, shape: target) }
    return gathered(stridedIndices(shape: target, strides: strides, start: start), shape: target)
  }

  /// Returns the parts at given indices of one axis, in that order.
  public func take(_ indices: [Int], axis: Int = 0) -> Tensor {
    let axis = shape.axis(axis, in: "take")
    for index in indices {
      precondition(
        index >= 0 && index < shape[axis], "take: expected 0..<\(shape[axis]), got \(index)")
    }
    let outer = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(1, *)
    var target = shape
    target[axis] = indices.count
    var places: [Int32] = []
    places.reserveCapacity(target.elementCount)
    for o in 0..<outer {
      for index in indices {
        let start = (o * shape[axis] + index) * inner
        places.append(contentsOf: (0..<inner).map { Int32(start + $0) })
      }
    }
    return gathered(places, shape: target)
  }

  /// Returns the rows of the first axis at indices that may themselves be traced (whole numbers; no derivative in them).
  public func take(_ indices: Tensor) -> Tensor {
    precondition(rank >= 1, "take: expected an array with a first axis, got a scalar")
    if let values = indices.constantElements {
      return take(values.map { Int($0) }).reshaped(indices.shape + shape.dropFirst())
    }
    var i = Instruction(operation: .gatherRows)
    i.n = Int32(indices.count)
    i.outer = Int32(shape[0])
    i.inner = Int32(shape.dropFirst().reduce(1, *))
    return Application(
      instruction: i, operands: [self, indices], shape: indices.shape + shape.dropFirst())()
  }

  /// Returns the array with the order of one axis reversed.
  public func reversed(axis: Int = 0) -> Tensor {
    let axis = shape.axis(axis, in: "reversed")
    return take(Array((0..<shape[axis]).reversed()), axis: axis)
  }

  /// Returns the diagonal of a matrix, shape `[n]`.
  public func diagonal() -> Tensor {
    precondition(
      rank == 2 && shape[0] == shape[1], "diagonal: expected a square matrix, got \(shape)")
    return gathered((0..<shape[0]).map { Int32($0 * (shape[0] + 1)) }, shape: [shape[0]])
  }
}
