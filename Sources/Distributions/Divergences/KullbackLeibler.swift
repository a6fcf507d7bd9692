// SPDX-License-Identifier: MIT
//
// The Kullback–Leibler divergence where it has a closed form.

public import Tensors

/// A distribution that knows its divergence to some others.
///
/// A type conforms to take part in ``klDivergence(_:_:)``: it tries the families it has a rule for.
public protocol KullbackLeibler: Distribution {
  /// Returns ∫ q log(q / p) of each variable, where q is the distribution itself and p another one.
  ///
  /// - Parameter other: The distribution p, with the same event shape and a batch shape that broadcasts with its own.
  /// - Returns: The divergences, in a shape that broadcasts to the batch shape; nil where no closed form is known.
  func divergence(to other: any Distribution) -> Tensor?
}

/// Returns the Kullback–Leibler divergence KL(q ‖ p) = ∫ q log(q / p) of each variable.
///
/// Joint events are sums over their independent parts, and a map that both distributions share changes nothing. A point
/// mass has −log p at its value, up to the infinite constant of its own density.
///
/// - Parameters:
///   - q: The distribution that is averaged over.
///   - p: The distribution it is compared with, of the same event shape.
/// - Returns: The divergences, in the shape that both batch shapes broadcast to; nil where no closed form is known.
public func klDivergence(_ q: any Distribution, _ p: any Distribution) -> Tensor? {
  guard q.eventShape == p.eventShape, let batch = broadcastShape([q.batchShape, p.batchShape])
  else { return nil }
  return divergence(q, p)?.broadcast(to: batch)
}

/// Returns the divergence in a shape that broadcasts to the batch shape.
private func divergence(_ q: any Distribution, _ p: any Distribution) -> Tensor? {
  if let value = pointMass(q) { return p.isDiscrete ? nil : -p.logProbability(of: value) }
  if let q = q as? Independent, let p = p as? Independent {
    let axes = min(q.axes, p.axes)
    guard axes > 0 else { return divergence(q.axes == 0 ? q.base : q, p.axes == 0 ? p.base : p) }
    let (inner, outer) = (peeled(q, axes), peeled(p, axes))
    guard let parts = klDivergence(inner, outer) else { return nil }
    return (0..<axes).reduce(parts) { total, _ in total.sum(axis: -1) }
  }
  if let q = q as? TransformedDistribution, let p = p as? TransformedDistribution {
    guard isSameMap(q.transform, p.transform) else { return nil }
    return klDivergence(q.base, p.base)
  }
  return (q as? any KullbackLeibler)?.divergence(to: p)
}

/// Returns a joint distribution with some of its event axes given back to the batch.
private func peeled(_ d: Independent, _ axes: Int) -> any Distribution {
  d.axes == axes ? d.base : Independent(d.base, d.axes - axes)
}

/// Returns the value of a point mass, also of a joint one; nil for other distributions.
private func pointMass(_ d: any Distribution) -> Tensor? {
  if let d = d as? Delta { return d.feasibleValue }
  return (d as? Independent).flatMap { pointMass($0.base) }
}

/// Whether two maps are known to be the same: of one kind, with equal constants.
private func isSameMap(_ x: any Bijector, _ y: any Bijector) -> Bool {
  /// Whether two parameters are constants and equal.
  func same(_ a: Tensor, _ b: Tensor) -> Bool {
    guard let a = a.constantElements, let b = b.constantElements else { return false }
    return a == b
  }
  switch (x, y) {
  case (is IdentityBijector, is IdentityBijector), (is ExpBijector, is ExpBijector),
    (is SimplexBijector, is SimplexBijector), (is OrderedBijector, is OrderedBijector):
    return true
  case (let x as AffineBijector, let y as AffineBijector):
    return same(x.loc, y.loc) && same(x.scale, y.scale)
  case (let x as IntervalBijector, let y as IntervalBijector):
    return same(x.low, y.low) && same(x.high, y.high)
  case (let x as ComposedBijector, let y as ComposedBijector):
    return isSameMap(x.first, y.first) && isSameMap(x.second, y.second)
  default: return false
  }
}
