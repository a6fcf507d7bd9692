// SPDX-License-Identifier: MIT
//
// Elements, rows, slices and gathers.

import Numerics

extension Tensor {
  /// The part at one index of the first axis.
  public subscript(index: Int) -> Tensor {
    let start = shape.isEmpty ? -1 : index
    demand(
      start >= 0 && start < shape[0], "index: expected 0..<\(shape.first ?? 0), got \(index)")
    let rest = Array(shape.dropFirst())
    return view(start: index * rest.elementCount, shape: rest)
  }

  /// The part at given indices of the first axes.
  public subscript(first: Int, second: Int, others: Int...) -> Tensor {
    others.reduce(self[first][second]) { $0[$1] }
  }

  /// The rows of a range of the first axis, as in `x[2..<5]` and `x[1...]`.
  public subscript(range: some RangeExpression<Int>) -> Tensor { sliced(range, axis: 0) }

  /// The block of a range of rows and a range of columns, the first two axes.
  public subscript(rows: some RangeExpression<Int>, columns: some RangeExpression<Int>) -> Tensor {
    sliced(rows, axis: 0).sliced(columns, axis: 1)
  }

  /// The part of a range of rows in one column, the first two axes.
  public subscript(rows: some RangeExpression<Int>, column: Int) -> Tensor {
    let part = sliced(rows, axis: 0).sliced(column..<(column + 1), axis: 1)
    return part.reshaped([part.shape[0]] + part.shape.dropFirst(2))
  }

  /// The part of one row in a range of columns, the first two axes.
  public subscript(row: Int, columns: some RangeExpression<Int>) -> Tensor {
    self[row].sliced(columns, axis: 0)
  }

  /// The part at one index of the last axis, as in `x[..., 2]`: of a matrix, a column.
  public subscript(all: UnboundedRange, index: Int) -> Tensor {
    sliced(index..<(index + 1), axis: -1).reshaped(Array(shape.dropLast()))
  }

  /// The part within a range of the last axis, as in `x[..., 1..<3]`.
  public subscript(all: UnboundedRange, range: some RangeExpression<Int>) -> Tensor {
    sliced(range, axis: -1)
  }

  /// Returns the part within a range of one axis.
  public func sliced(_ range: some RangeExpression<Int>, axis: Int) -> Tensor {
    let axis = shape.axis(axis, in: "sliced")
    let range = range.relative(to: 0..<shape[axis])
    demand(
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
      demand(
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
    demand(rank >= 1, "take: expected an array with a first axis, got a scalar")
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

  /// Returns the elements of a matrix at pairs of a row and a column, shape `[pairs]`.
  public func take(rows: [Int], columns: [Int]) -> Tensor {
    demand(
      rank == 2 && rows.count == columns.count,
      "take: expected a matrix and as many rows as columns, got \(shape), \(rows.count), \(columns.count)"
    )
    for (row, column) in zip(rows, columns) {
      demand(
        row >= 0 && row < shape[0] && column >= 0 && column < shape[1],
        "take: expected a place within \(shape), got row \(row), column \(column)")
    }
    let width = shape[1]
    return flattened().take(zip(rows, columns).map { $0 * width + $1 })
  }

  /// Returns, for each row of the last axis, the element at an index of its own (whole numbers; no derivative in them).
  ///
  /// - Parameter indices: One index for each row; its shape and that of the array without its last axis broadcast.
  /// - Returns: The elements, in the shape to which they broadcast.
  public func takeLast(_ indices: Tensor) -> Tensor {
    demand(rank >= 1, "takeLast: expected an array with a last axis, got a scalar")
    let width = shape[rank - 1]
    guard let target = broadcastShape([indices.shape, Array(shape.dropLast())]) else {
      stop(
        "takeLast: expected indices that broadcast with \(shape.dropLast()), got \(indices.shape)")
    }
    let rows = broadcast(to: target + [width]).flattened()
    let starts = (Tensor.arange(target.elementCount) * Double(width)).reshaped(target)
    return rows.take(starts + indices)
  }

  /// Returns the array with the order of one axis reversed.
  public func reversed(axis: Int = 0) -> Tensor {
    let axis = shape.axis(axis, in: "reversed")
    return take(Array((0..<shape[axis]).reversed()), axis: axis)
  }
}
