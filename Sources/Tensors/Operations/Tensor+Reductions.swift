// SPDX-License-Identifier: MIT
//
// Sums, products, extremes and log-sum-exp over all elements or along one axis.

import Numerics

extension Tensor {
  /// Returns a reduction over all elements, or along an axis.
  private func reduced(_ operation: Operation, _ axis: Int?, keepingAxis: Bool, _ name: String)
    -> Tensor
  {
    var i = Instruction(operation: operation)
    var result: Shape = []
    if let axis {
      let axis = shape.axis(axis, in: name)
      i.outer = Int32(shape[..<axis].reduce(1, *))
      i.n = Int32(shape[axis])
      i.inner = Int32(shape[(axis + 1)...].reduce(1, *))
      result = shape
      if keepingAxis { result[axis] = 1 } else { result.remove(at: axis) }
    } else {
      i.n = Int32(count)
      if keepingAxis { result = Shape(repeating: 1, count: rank) }
    }
    let needsElements =
      operation == .maximumOf || operation == .minimumOf || operation == .logSumExp
    demand(!needsElements || i.n > 0, "\(name): expected at least one element, got \(shape)")
    var application = Application(instruction: i, operands: [self], shape: result)
    if operation == .logSumExp {
      let count = count
      application.scratch = { _ in count }
    }
    return application()
  }

  /// Returns the sum of all elements, or of those along an axis.
  public func sum(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    axis == nil && shape.isEmpty
      ? self : reduced(.sum, axis, keepingAxis: keepingAxis, "sum")
  }

  /// Returns the product of all elements, or of those along an axis.
  public func product(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    reduced(.product, axis, keepingAxis: keepingAxis, "product")
  }

  /// Returns the mean of all elements, or of those along an axis.
  public func mean(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    let divisor = axis.map { shape[shape.axis($0, in: "mean")] } ?? count
    return sum(axis: axis, keepingAxis: keepingAxis) / Double(divisor)
  }

  /// Returns the mean squared deviation from the mean (divisor N), of all elements or along an axis.
  public func variance(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    square(self - mean(axis: axis, keepingAxis: axis != nil))
      .mean(axis: axis, keepingAxis: keepingAxis)
  }

  /// Returns the largest element, of all or along an axis; the first of equals receives the derivative.
  public func max(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    reduced(.maximumOf, axis, keepingAxis: keepingAxis, "max")
  }

  /// Returns the smallest element, of all or along an axis; the first of equals receives the derivative.
  public func min(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    reduced(.minimumOf, axis, keepingAxis: keepingAxis, "min")
  }

  /// Returns log Σ eˣ over all elements, or along an axis; −∞ where all are −∞.
  public func logSumExp(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    reduced(.logSumExp, axis, keepingAxis: keepingAxis, "logSumExp")
  }

  /// Returns the running sums along an axis.
  public func cumulativeSum(axis: Int = -1) -> Tensor {
    let axis = shape.axis(axis, in: "cumulativeSum")
    var i = Instruction(operation: .cumulativeSum)
    i.outer = Int32(shape[..<axis].reduce(1, *))
    i.n = Int32(shape[axis])
    i.inner = Int32(shape[(axis + 1)...].reduce(1, *))
    return Application(instruction: i, operands: [self], shape: shape)()
  }

  /// Returns eˣ / Σ eˣ along an axis.
  public func softmax(axis: Int = -1) -> Tensor { exp(logSoftmax(axis: axis)) }

  /// Returns log(eˣ / Σ eˣ) along an axis.
  public func logSoftmax(axis: Int = -1) -> Tensor {
    self - logSumExp(axis: axis, keepingAxis: true)
  }

  /// Returns the differences of neighbours along an axis, which is shorter by one.
  public func differences(axis: Int = -1) -> Tensor {
    let axis = shape.axis(axis, in: "differences")
    let n = shape[axis]
    demand(n > 0, "differences: expected at least one element, got \(shape)")
    return sliced(1..<n, axis: axis) - sliced(0..<(n - 1), axis: axis)
  }
}
