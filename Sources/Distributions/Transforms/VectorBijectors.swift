// SPDX-License-Identifier: MIT
//
// Maps onto simplices and ordered vectors, along the last axis.

public import Tensors

/// A vector of n positive numbers that add up to one, from n − 1 coordinates, by stick breaking.
///
/// Source: Stan Reference Manual, "Unit simplex": z_k = logistic(u_k − log(n − k)), x_k = (1 − Σ_{j<k} x_j) z_k; the offset puts
/// the centre of the simplex at zero.
public struct SimplexBijector: Bijector {
  /// Creates the map.
  public init() {}

  public var eventRank: Int { 1 }

  public func unconstrainedShape(_ shape: Shape) -> Shape {
    shape.dropLast() + [(shape.last ?? 1) - 1]
  }

  /// Returns the logits of the breaks and log(1 − Σ x) before each.
  private func breaks(_ u: Tensor) -> (logits: Tensor, logRemaining: Tensor) {
    let n = u.shape[u.rank - 1]
    let offsets = Tensor((0..<n).map { logarithm(Double(n - $0)) })
    let logits = u - offsets
    let logRest = -softplus(logits)
    return (logits, logRest.cumulativeSum(axis: -1) - logRest)
  }

  public func forward(_ u: Tensor) -> Tensor {
    let n = u.shape[u.rank - 1]
    guard n > 0 else { return .ones(u.shape.dropLast() + [1]) }
    let (logits, remaining) = breaks(u)
    let parts = exp(remaining - softplus(-logits))
    let last = exp(
      (remaining - softplus(logits)).sliced((n - 1)..<n, axis: -1))
    return .concatenate([parts, last], axis: -1)
  }

  public func inverse(_ x: Tensor) -> Tensor {
    let n = x.shape[x.rank - 1] - 1
    // What is left after each break, summed from the small end, so that it does not cancel.
    let rest = x.reversed(axis: -1).cumulativeSum(axis: -1).reversed(axis: -1)
    let after = rest.sliced(1..<(n + 1), axis: -1)
    let offsets = Tensor((0..<n).map { logarithm(Double(n - $0)) })
    return log(x.sliced(0..<n, axis: -1)) - log(after) + offsets
  }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    guard u.shape[u.rank - 1] > 0 else { return .zeros(Array(u.shape.dropLast())) }
    let (logits, remaining) = breaks(u)
    return (remaining - softplus(logits) - softplus(-logits)).sum(axis: -1)
  }
}

/// A rising vector: x₁ = u₁, x_k = x_{k−1} + e^{u_k}.
public struct OrderedBijector: Bijector {
  /// Creates the map.
  public init() {}

  public var eventRank: Int { 1 }

  public func forward(_ u: Tensor) -> Tensor {
    let n = u.shape[u.rank - 1]
    guard n > 1 else { return u }
    let first = u.sliced(0..<1, axis: -1)
    return Tensor.concatenate([first, exp(u.sliced(1..<n, axis: -1))], axis: -1)
      .cumulativeSum(axis: -1)
  }

  public func inverse(_ x: Tensor) -> Tensor {
    let n = x.shape[x.rank - 1]
    guard n > 1 else { return x }
    let steps = x.sliced(1..<n, axis: -1) - x.sliced(0..<(n - 1), axis: -1)
    return .concatenate([x.sliced(0..<1, axis: -1), log(steps)], axis: -1)
  }

  public func logAbsDetJacobian(_ u: Tensor, _ x: Tensor) -> Tensor {
    let n = u.shape[u.rank - 1]
    return u.sliced(1..<max(1, n), axis: -1).sum(axis: -1)
  }
}
