// SPDX-License-Identifier: MIT
//
// The laws of distributions of one number, and the laws of bijectors.

internal import Foundation
internal import Numerics
public import Distributions
public import Tensors
public import Testing

/// A continuous distribution of one number under test.
public struct DistributionCase: Sendable, CustomTestStringConvertible {
  /// The name in messages.
  public let name: String

  /// The values of the parameters.
  public let parameters: [Double]

  /// Points inside the support at which derivatives are checked.
  public let points: [Double]

  /// Points outside the support.
  public let outside: [Double]

  /// How densely, and how far, the density is integrated, in the unconstrained coordinate.
  public let steps: (width: Double, count: Int)

  /// Makes the distribution from its parameters.
  public let make: @Sendable ([Tensor]) -> any Distribution

  /// Creates a case.
  public init(
    _ name: String, _ parameters: [Double], points: [Double], outside: [Double] = [],
    steps: (width: Double, count: Int) = (0.01, 70_000),
    make: @escaping @Sendable ([Tensor]) -> any Distribution
  ) {
    self.name = name
    self.parameters = parameters
    self.points = points
    self.outside = outside
    self.steps = steps
    self.make = make
  }

  /// The name with the parameters.
  public var testDescription: String { "\(name)(\(parameters))" }

  /// The distribution at its parameters.
  public var distribution: any Distribution { make(parameters.map { Tensor($0) }) }
}

/// Checks the laws of a continuous distribution of one number.
///
/// Shapes and expansion; the density integrates to 1 and its moments are those stated; quantiles invert the cumulative
/// distribution; draws follow it and depend on the key and the element alone; derivatives; −∞ with zero derivatives
/// outside the support.
public func checkDistribution(_ item: DistributionCase) {
  let d = item.distribution
  checkShapes(d, item)
  checkIntegral(d, item)
  checkCumulative(d, item)
  checkDraws(d, item)
  for x in item.points {
    checkGradient(item.testDescription, at: [Tensor(x)] + item.parameters.map { Tensor($0) }) {
      item.make(Array($0.dropFirst())).logProbability(of: $0[0])
    }
  }
  for x in item.outside {
    #expect(d.logProbability(of: Tensor(x)).item() == -.infinity, "\(item.testDescription) at \(x)")
    let point = Tensor([x] + item.parameters)
    let g = gradient(at: point) { all in
      item.make((1..<all.count).map { all[$0] }).logProbability(of: all[0])
    }
    #expect(g.elements.allSatisfy { $0 == 0 }, "\(item.testDescription) at \(x): \(g)")
  }
}

/// Checks shapes of densities, draws and expansions.
private func checkShapes(_ d: any Distribution, _ item: DistributionCase) {
  let name = item.testDescription
  #expect(d.batchShape == [] && d.eventShape == [], "\(name)")
  let wide = d.expanded(to: [2, 3])
  #expect(wide.batchShape == [2, 3], "\(name)")
  let x = Tensor(item.points[0])
  let one = d.logProbability(of: x).item()
  let many = wide.logProbability(of: x)
  #expect(many.shape == [2, 3], "\(name)")
  #expect(many.elements.allSatisfy { $0 == one }, "\(name)")
  let sum = wide.logProbabilitySum(of: x.broadcast(to: [2, 3]))
  // Six equal terms in another order.
  #expect(sum.shape == [] && abs(sum.item() - 6 * one) <= 1e-14 * abs(6 * one), "\(name)")
  #expect(wide.sample(key: 1, sampleShape: [4]).shape == [4, 2, 3], "\(name)")
  #expect(d.logProbability(of: Tensor(item.points)).shape == [item.points.count], "\(name)")
  #expect(d.support.contains(d.feasibleValue).isTrue, "\(name)")
  #expect(d.logProbability(of: d.feasibleValue).item().isFinite, "\(name)")
}

/// Integrates the density by the trapezoid rule in the unconstrained coordinate, and compares the moments.
private func checkIntegral(_ d: any Distribution, _ item: DistributionCase) {
  let name = item.testDescription
  let (width, count) = item.steps
  var t = Tensor((-count...count).map { Double($0) * width })
  var weight = Tensor(width)
  var x = t
  var logDensity: Tensor
  if case .circular(let low, let period) = d.support {
    x = low + Tensor.arange(2000) * (period / 2000)
    weight = Tensor(period / 2000)
    logDensity = d.logProbability(of: x)
  } else if case .real = d.support {
    // x = loc + scale · sinh t reaches 1e14 scales, far enough for tails as heavy as Cauchy's.
    t = t.sliced(0..<t.count, axis: 0) * (33 / (Double(count) * width))
    weight = Tensor(width) * (33 / (Double(count) * width))
    let half = item.points.last ?? 1
    x = item.points[0] + (exp(t) - exp(-t)) * (0.5 * half)
    weight = weight * (exp(t) + exp(-t)) * (0.5 * half)
    logDensity = d.logProbability(of: x)
  } else if let transform = bijector(to: d.support) {
    x = transform.forward(t)
    logDensity = d.logProbability(of: x) + transform.logAbsDetJacobian(t, x)
  } else {
    return
  }
  let mass = exp(logDensity) * weight
  // The rule is exact to 1e-10 for smooth densities; a kink at a grid cell costs its square, below 1e-6.
  #expect(abs(mass.sum().item() - 1) < 2e-6, "\(name): integral \(mass.sum().item())")
  if case .circular = d.support { return }
  if let mean = d.mean?.item(), mean.isFinite {
    // Where the mass underflows the value may be too large to be squared.
    x = select(mass.isGreater(than: 0), x, Tensor(0))
    let numeric = (mass * x).sum().item()
    #expect(abs(numeric - mean) <= 1e-5 * max(1, abs(mean)), "\(name): mean \(mean), \(numeric)")
    if let variance = d.variance?.item(), variance.isFinite {
      let spread = (mass * square(x - mean)).sum().item()
      #expect(abs(spread - variance) <= 1e-4 * variance, "\(name): variance \(variance), \(spread)")
    }
  }
}

/// Checks that quantiles invert the cumulative distribution, whose derivative is the density.
private func checkCumulative(_ d: any Distribution, _ item: DistributionCase) {
  let name = item.testDescription
  for x in item.points {
    guard let p = d.cumulative(Tensor(x))?.item() else { continue }
    #expect(p >= 0 && p <= 1, "\(name): \(p) at \(x)")
    // Small against the value and against the scale of the density's decay.
    let decay = abs(gradient(at: Tensor(x)) { d.logProbability(of: $0) }.item())
    let h = min(1e-5 * max(abs(x), 1e-2), 1e-4 / max(decay, 1e-10))
    if let high = d.cumulative(Tensor(x + h))?.item(), let low = d.cumulative(Tensor(x - h))?.item()
    {
      let density = exp(d.logProbability(of: Tensor(x))).item()
      // Far out probabilities come from differences of logarithms up to 1e3, good to 1e-13.
      #expect(
        abs((high - low) / (2 * h) - density) <= 1e-6 * density + 1e-13 / h,
        "\(name): slope \((high - low) / (2 * h)), density \(density) at \(x)")
    }
  }
  for p in [1e-6, 0.03, 0.5, 0.8, 0.999] {
    guard let x = d.quantile(Tensor(p)), let back = d.cumulative(x)?.item() else { continue }
    // The quantile is rounded: its error is multiplied by the density.
    let rounding = 4 * x.item().ulp * exp(d.logProbability(of: x)).item()
    #expect(abs(back - p) <= 1e-10 * p + rounding, "\(name): F(quantile(\(p))) = \(back)")
  }
}

/// Checks that draws follow the distribution and depend on the key and their place alone.
private func checkDraws(_ d: any Distribution, _ item: DistributionCase) {
  let name = item.testDescription
  let count = 20_000
  let draws = d.sample(key: 3, sampleShape: [count])
  #expect(d.support.contains(draws).isTrue, "\(name): a draw lies outside the support")
  #expect(
    Array(draws.elements.prefix(5)) == d.sample(key: 3, sampleShape: [5]).elements, "\(name)")
  #expect(draws.elements != d.sample(key: 4, sampleShape: [count]).elements, "\(name)")
  guard let p = d.cumulative(Tensor(draws.elements.sorted())) else { return }
  var distance = 0.0
  for (i, p) in p.elements.enumerated() {
    distance = max(
      distance, abs(Double(i + 1) / Double(count) - p), abs(p - Double(i) / Double(count)))
  }
  // Kolmogorov: P(√n D > 2.2) = 1.2e-4; the key is fixed, so a pass stays a pass.
  #expect(
    distance * Double(count).squareRoot() < 2.2,
    "\(name): √n D = \(distance * Double(count).squareRoot())")
}

/// Checks a bijector at points of its coordinates: inverse, Jacobian, constraint, derivatives.
///
/// - Parameters:
///   - name: The name in messages.
///   - constraint: The set that it maps onto.
///   - points: Coordinates.
///   - free: The number of leading elements of the value that are free; all where nil.
///   - sourceLocation: Where failures are reported.
public func checkTransform(
  _ name: String, _ constraint: Constraint, points: [Tensor], free: Int? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let transform = bijector(to: constraint) else {
    Issue.record("\(name): no bijector", sourceLocation: sourceLocation)
    return
  }
  for u in points {
    let x = transform.forward(u)
    #expect(
      constraint.contains(x).isTrue, "\(name): \(u) ↦ \(x)", sourceLocation: sourceLocation)
    #expect(
      transform.unconstrainedShape(x.shape) == u.shape, "\(name)", sourceLocation: sourceLocation)
    let back = transform.inverse(x)
    for (a, b) in zip(back.elements, u.elements) {
      // Rounding of the value, magnified where the map is flat: e^|u| ε, some 1e-11 at the points used.
      #expect(
        abs(a - b) <= 1e-9 * max(1, abs(b)), "\(name): \(u) ↦ \(x) ↦ \(back)",
        sourceLocation: sourceLocation)
    }
    // One column of the Jacobian for each coordinate, then elimination.
    let n = u.count
    let rows = free ?? x.count
    var matrix = [Double](repeating: 0, count: n * n)
    for k in 0..<n {
      let direction = Tensor((0..<n).map { $0 == k ? 1 : 0 }, shape: u.shape)
      let column = jvp(at: u, direction) { transform.forward($0) }.tangent.elements
      for i in 0..<rows { matrix[i * n + k] = column[i] }
    }
    let numeric = logAbsDeterminant(&matrix, n)
    let stated = transform.logAbsDetJacobian(u, x).sum().item()
    // Elimination of well-scaled matrices of at most five rows.
    #expect(
      abs(numeric - stated) <= 1e-9 * max(1, abs(stated)),
      "\(name) at \(u): log det \(stated), from the Jacobian \(numeric)",
      sourceLocation: sourceLocation)
    checkGradient(name + " forward", at: [u], sourceLocation: sourceLocation) {
      transform.forward($0[0])
    }
    checkGradient(name + " log det", at: [u], sourceLocation: sourceLocation) {
      transform.logAbsDetJacobian($0[0], transform.forward($0[0]))
    }
  }
}

/// Returns log |det| of a matrix by elimination with row exchanges, which destroys it.
private func logAbsDeterminant(_ a: inout [Double], _ n: Int) -> Double {
  var result = 0.0
  for k in 0..<n {
    let pivot = (k..<n).max { abs(a[$0 * n + k]) < abs(a[$1 * n + k]) } ?? k
    for j in 0..<n { a.swapAt(k * n + j, pivot * n + j) }
    result += Foundation.log(abs(a[k * n + k]))
    for i in (k + 1)..<n {
      let factor = a[i * n + k] / a[k * n + k]
      for j in k..<n { a[i * n + j] -= factor * a[k * n + j] }
    }
  }
  return result
}
