// SPDX-License-Identifier: MIT
//
// The laws of distributions of one whole number.

internal import Foundation
internal import Numerics
public import Distributions
public import Tensors
public import Testing

/// A distribution of one whole number under test.
public struct CountCase: Sendable, CustomTestStringConvertible {
  /// The name in messages.
  public let name: String

  /// The values of the parameters, each an array.
  public let parameters: [Tensor]

  /// The count above which no probability is left, to 1e-13.
  public let top: Int

  /// Counts at which derivatives are checked.
  public let points: [Double]

  /// Numbers that have no probability.
  public let outside: [Double]

  /// Makes the distribution from its parameters.
  public let make: @Sendable ([Tensor]) -> any Distribution

  /// Creates a case.
  public init(
    _ name: String, _ parameters: [Tensor], top: Int, points: [Double],
    outside: [Double] = [-1, 1.5],
    make: @escaping @Sendable ([Tensor]) -> any Distribution
  ) {
    self.name = name
    self.parameters = parameters
    self.top = top
    self.points = points
    self.outside = outside
    self.make = make
  }

  /// The name with the parameters.
  public var testDescription: String { "\(name)(\(parameters))" }
}

/// Checks the laws of a distribution of one whole number.
///
/// Shapes and expansion; probabilities add up to 1 and give the stated moments; draws follow them and depend on the key and the
/// element alone; derivatives in the parameters; −∞ with zero derivatives where there is no probability.
public func checkCounts(_ item: CountCase) {
  let name = item.testDescription
  let d = item.make(item.parameters)
  #expect(d.isDiscrete && d.support.isDiscrete && !d.isImproper, "\(name)")
  #expect(d.batchShape == [] && d.eventShape == [], "\(name)")

  let counts = Tensor.arange(item.top + 1)
  let p = exp(d.logProbability(of: counts))
  // Up to some thousand terms, each good to 1e-12 or better.
  #expect(abs(p.sum().item() - 1) < 1e-10, "\(name): total \(p.sum().item())")
  let mean = (p * counts).sum().item()
  if let stated = d.mean?.item() {
    #expect(abs(stated - mean) < 1e-8 * max(1, abs(mean)), "\(name): mean \(stated), \(mean)")
  }
  if let stated = d.variance?.item() {
    let spread = (p * square(counts - mean)).sum().item()
    #expect(abs(stated - spread) < 1e-7 * max(1, spread), "\(name): variance \(stated), \(spread)")
  }
  checkShapes(d, item)
  checkDraws(d, p.elements, name)
  for x in item.points {
    checkGradient("\(name) at \(x)", at: item.parameters) {
      item.make($0).logProbability(of: Tensor(x))
    }
  }
  // Many at once: the densities of generalised linear models have loops of their own for that.
  let many = Tensor((0..<9).map { item.points[$0 % item.points.count] })
  checkGradient("\(name), many", at: item.parameters) { parameters in
    item.make(parameters).expanded(to: [9]).logProbabilitySum(of: many)
  }
  let sizes = item.parameters.map(\.count)
  for x in item.outside {
    #expect(d.logProbability(of: Tensor(x)).item() == -.infinity, "\(name) at \(x)")
    let shapes = item.parameters.map(\.shape)
    let g = gradient(at: Tensor(item.parameters.flatMap(\.elements))) { all in
      var next = 0
      let parts = zip(sizes, shapes).map { size, shape -> Tensor in
        defer { next += size }
        return all[next..<(next + size)].reshaped(shape)
      }
      return item.make(parts).logProbability(of: Tensor(x))
    }
    #expect(g.elements.allSatisfy { $0 == 0 }, "\(name) at \(x): \(g)")
  }
}

/// Checks shapes of densities, draws and expansions.
private func checkShapes(_ d: any Distribution, _ item: CountCase) {
  let name = item.testDescription
  let wide = d.expanded(to: [2, 3])
  #expect(wide.batchShape == [2, 3], "\(name)")
  let x = Tensor(item.points[0])
  let one = d.logProbability(of: x).item()
  let many = wide.logProbability(of: x)
  // The vector kernels may round the last digit the other way.
  #expect(
    many.shape == [2, 3] && many.elements.allSatisfy { abs($0 - one) <= 1e-13 * max(1, abs(one)) },
    "\(name): \(many), \(one)")
  let sum = wide.logProbabilitySum(of: x)
  #expect(sum.shape == [] && abs(sum.item() - 6 * one) <= 1e-13 * max(1, abs(6 * one)), "\(name)")
  #expect(wide.sample(key: 1, sampleShape: [4]).shape == [4, 2, 3], "\(name)")
  #expect(d.logProbability(of: Tensor(item.points)).shape == [item.points.count], "\(name)")
  #expect(d.support.contains(d.feasibleValue).isTrue, "\(name)")
  #expect(d.logProbability(of: d.feasibleValue).item() > -.infinity, "\(name)")
}

/// Checks that draws follow the probabilities and depend on the key and their place alone.
private func checkDraws(_ d: any Distribution, _ p: [Double], _ name: String) {
  let count = 20_000
  let draws = d.sample(key: 3, sampleShape: [count])
  #expect(d.support.contains(draws).isTrue, "\(name): a draw lies outside the support")
  #expect(
    Array(draws.elements.prefix(5)) == d.sample(key: 3, sampleShape: [5]).elements, "\(name)")
  #expect(draws.elements != d.sample(key: 4, sampleShape: [count]).elements, "\(name)")
  var seen = [Double](repeating: 0, count: p.count)
  for draw in draws.elements where Int(draw) < p.count { seen[Int(draw)] += 1 }
  // Cells of at least 20 expected draws, neighbours put together.
  var (chiSquared, cells, expected, found) = (0.0, 0.0, 0.0, 0.0)
  for k in p.indices {
    expected += p[k] * Double(count)
    found += seen[k]
    if expected >= 20 {
      chiSquared += (found - expected) * (found - expected) / expected
      (cells, expected, found) = (cells + 1, 0, 0)
    }
  }
  // Mean cells − 1, sd √(2 cells); five of them are passed by chance in some 1e-5 of keys, and the key is fixed.
  #expect(
    chiSquared < cells - 1 + 5 * (2 * cells).squareRoot(),
    "\(name): χ² = \(chiSquared) for \(cells) cells")
}
