// SPDX-License-Identifier: MIT
//
// The laws of distributions of vectors and matrices.

internal import Numerics
public import Distributions
public import Tensors
public import Testing

/// A distribution of a vector or a matrix under test.
public struct VectorCase: Sendable, CustomTestStringConvertible {
  /// The name in messages.
  public let name: String

  /// The parameters.
  public let parameters: [Tensor]

  /// The shape of one variable.
  public let eventShape: Shape

  /// Whether the score identities are checked, which need finite second moments of the score.
  public let hasScores: Bool

  /// Makes the distribution from its parameters.
  public let make: @Sendable ([Tensor]) -> any Distribution

  /// Creates a case.
  public init(
    _ name: String, _ parameters: [Tensor], event: Shape, hasScores: Bool = true,
    make: @escaping @Sendable ([Tensor]) -> any Distribution
  ) {
    self.name = name
    self.parameters = parameters
    eventShape = event
    self.hasScores = hasScores
    self.make = make
  }

  /// The name.
  public var testDescription: String { name }
}

/// Checks the laws of a continuous distribution of vectors.
///
/// Shapes and expansion; draws lie in the support, have the stated moments and depend on the key and their place alone;
/// derivatives in the unconstrained coordinates and the parameters; and that draws and density belong together: in unconstrained
/// coordinates u, E ∂ log p/∂u_i = 0 and E u_i ∂ log p/∂u_j = −δ_ij over the draws.
public func checkVectors(_ item: VectorCase) {
  let name = item.name
  let d = item.make(item.parameters)
  guard let map = bijector(to: d.support) else {
    Issue.record("\(name): no bijector")
    return
  }
  #expect(d.batchShape == [] && d.eventShape == item.eventShape, "\(name)")
  #expect(d.logProbability(of: d.feasibleValue).item().isFinite, "\(name)")
  let count = 20_000
  let draws = d.sample(key: 3, sampleShape: [count])
  #expect(draws.shape == [count] + item.eventShape, "\(name)")
  #expect(d.support.containsAll(draws), "\(name): a draw lies outside the support")
  #expect(draws[0..<5].elements != d.sample(key: 4, sampleShape: [5]).elements, "\(name)")
  checkShapes(d, item, draws)
  checkMoments(d, draws, name)

  let u = map.inverse(draws)
  let point = u[1]
  checkGradient(name, at: [point] + item.parameters) { all in
    let x = map.forward(all[0])
    let density = item.make(Array(all.dropFirst())).logProbability(of: x)
    return density + map.logAbsDetJacobian(all[0], x).sum()
  }
  if item.hasScores { checkScores(d, map, u, name) }
}

extension Constraint {
  /// Whether all events are allowed.
  fileprivate func containsAll(_ x: Tensor) -> Bool { contains(x).isTrue }
}

/// Checks shapes of densities, draws and expansions.
private func checkShapes(_ d: any Distribution, _ item: VectorCase, _ draws: Tensor) {
  let name = item.name
  let wide = d.expanded(to: [2, 3])
  #expect(wide.batchShape == [2, 3] && wide.eventShape == item.eventShape, "\(name)")
  #expect(wide.sample(key: 1, sampleShape: [4]).shape == [4, 2, 3] + item.eventShape, "\(name)")
  let one = d.logProbability(of: draws[0])
  #expect(one.shape == [], "\(name)")
  let near = { (x: Double, y: Double) in abs(x - y) <= 1e-12 * max(1, abs(y)) }
  let same = wide.logProbability(of: draws[0])
  #expect(same.shape == [2, 3], "\(name)")
  #expect(same.elements.allSatisfy { near($0, one.item()) }, "\(name): \(same), \(one)")
  let six = draws[0..<6].reshaped([2, 3] + item.eventShape)
  let each = (0..<6).map { d.logProbability(of: draws[$0]).item() }
  let together = wide.logProbability(of: six)
  #expect(together.shape == [2, 3], "\(name)")
  #expect(zip(together.elements, each).allSatisfy { near($0, $1) }, "\(name)")
  #expect(near(wide.logProbabilitySum(of: six).item(), each.reduce(0, +)), "\(name)")
  #expect(near(d.logProbabilitySum(of: six).item(), each.reduce(0, +)), "\(name)")
}

/// Checks the stated mean and variance against those of draws.
private func checkMoments(_ d: any Distribution, _ draws: Tensor, _ name: String) {
  let n = Double(draws.shape[0])
  guard let mean = d.mean else { return }
  #expect(mean.shape == d.eventShape, "\(name)")
  let average = draws.mean(axis: 0)
  let spread = square(draws - average).mean(axis: 0)
  // Five standard errors, estimated from the draws: below 1e-4 for a dozen elements, with a fixed key.
  for (found, wanted, v) in zip3(average.elements, mean.elements, spread.elements) {
    #expect(
      abs(found - wanted) <= 5 * (v / n).squareRoot() + 1e-14, "\(name): mean \(found), \(wanted)")
  }
  guard let variance = d.variance else { return }
  #expect(variance.shape == d.eventShape, "\(name)")
  let fourth = square(square(draws - average) - spread).mean(axis: 0)
  for (found, wanted, v) in zip3(spread.elements, variance.elements, fourth.elements) {
    #expect(
      abs(found - wanted) <= 5 * (v / n).squareRoot() + 1e-3 * wanted + 1e-14,
      "\(name): variance \(found), \(wanted)")
  }
}

/// Returns three sequences as one.
private func zip3(_ a: [Double], _ b: [Double], _ c: [Double]) -> [(Double, Double, Double)] {
  zip(a, zip(b, c)).map { ($0, $1.0, $1.1) }
}

/// Checks the score identities over draws.
private func checkScores(
  _ d: any Distribution, _ map: any Bijector, _ u: Tensor, _ name: String
) {
  let (count, k) = (4000, u.shape.dropFirst().reduce(1, *))
  let part = u[0..<count]
  let score = gradient(at: part) { all in
    let x = map.forward(all)
    return d.logProbability(of: x).sum() + map.logAbsDetJacobian(all, x).sum()
  }.reshaped([count, k])
  let flat = part.reshaped([count, k])
  let center = flat.mean(axis: 0)
  for i in 0..<k {
    check(score[..., i], 0, "\(name): E ∂ log p/∂u[\(i)]")
    for j in 0..<k {
      check(
        (flat[..., i] - center[i]) * score[..., j], i == j ? -1 : 0,
        "\(name): E u[\(i)] ∂ log p/∂u[\(j)]")
    }
  }
}

/// Checks that numbers have an expected mean within five standard errors of theirs.
private func check(_ values: Tensor, _ expected: Double, _ what: String) {
  let mean = values.mean().item()
  let error = (values.variance().item() / Double(values.count)).squareRoot()
  #expect(abs(mean - expected) <= 5 * error, "\(what) = \(mean) ± \(error), expected \(expected)")
}
