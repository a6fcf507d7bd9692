// SPDX-License-Identifier: MIT
//
// Tests of tail probabilities, and of observations of which only a bound is known.

import Distributions
import Foundation
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

/// The families with tails in closed form, by their names in the golden file.
private let families: [String: @Sendable ([Tensor]) -> any Distribution] = [
  "Normal": { Normal($0[0], $0[1]) }, "LogNormal": { LogNormal($0[0], $0[1]) },
  "HalfNormal": { HalfNormal($0[0]) }, "Exponential": { Exponential($0[0]) },
  "Weibull": { Weibull($0[0], $0[1]) }, "Pareto": { Pareto($0[0], $0[1]) },
  "Logistic": { Logistic($0[0], $0[1]) }, "Laplace": { Laplace($0[0], $0[1]) },
  "Gumbel": { Gumbel($0[0], $0[1]) }, "Cauchy": { Cauchy($0[0], $0[1]) },
  "HalfCauchy": { HalfCauchy($0[0]) },
]

@Suite("Tails and censored observations") struct TailTests {
  @Test(
    "logarithms of both tails agree with exact ones, far out too", arguments: families.keys.sorted()
  )
  func golden(_ name: String) throws {
    let make = try #require(families[name])
    for row in try GoldenFile("tails", in: .module).rows(name) {
      let d = make(row[1..<(row.count - 2)].map { Tensor($0) })
      let (x, lower, upper) = (Tensor(row[0]), row[row.count - 2], row[row.count - 1])
      let found = (try #require(d.logCumulative(x)).item(), try #require(d.logSurvival(x)).item())
      #expect(
        abs(found.0 - lower) <= 1e-13 * max(1, abs(lower)),
        "\(d) at \(row[0]): \(found.0), \(lower)")
      #expect(
        abs(found.1 - upper) <= 1e-13 * max(1, abs(upper)),
        "\(d) at \(row[0]): \(found.1), \(upper)")
    }
  }

  @Test("derivatives of tails are differences", arguments: families.keys.sorted())
  func derivatives(_ name: String) throws {
    let make = try #require(families[name])
    let row = try #require(try GoldenFile("tails", in: .module).rows(name).dropFirst().first)
    let point = Array(row[..<(row.count - 2)])
    for isUpper in [false, true] {
      /// Returns the logarithm of a tail of value and parameters.
      @Sendable func tail(_ p: Tensor) -> Tensor {
        let d = make((1..<point.count).map { p[$0] })
        return (isUpper ? d.logSurvival(p[0]) : d.logCumulative(p[0])) ?? Tensor(.nan)
      }
      let slopes = gradient(at: Tensor(point)) { tail($0) }.elements
      for k in point.indices {
        let h = 1e-5 * max(1e-3, abs(point[k]))
        var (ahead, behind) = (point, point)
        ahead[k] += h
        behind[k] -= h
        let expected = (tail(Tensor(ahead)).item() - tail(Tensor(behind)).item()) / (2 * h)
        #expect(
          abs(slopes[k] - expected) <= 1e-6 * max(1, abs(expected)),
          "\(name), \(isUpper ? "upper" : "lower"), \(k): \(slopes[k]), \(expected)")
      }
    }
  }

  @Test("quantiles of Laplace variables invert their cumulative distribution")
  func laplace() throws {
    let d = Laplace(0.5, 2)
    for p in [1e-12, 0.2, 0.5, 0.7, 1 - 1e-9] {
      let x = try #require(d.quantile(Tensor(p)))
      let back = try #require(d.cumulative(x)).item()
      #expect(abs(back - p) < 1e-15)
    }
  }

  @Test("a censored density is that of the value, or the probability beyond the bound")
  func densities() {
    let base = Weibull(1.6, 3)
    let x = Tensor([0.5, 2, 4, 7])
    let d = base.censored(above: [0, 0, 1, 0], below: [1, 0, 0, 0])
    #expect(d.batchShape == [4] && d.eventShape == [])
    let found = d.logProbability(of: x).elements
    let expected = [
      base.logCumulative(x[0]), base.logProbability(of: x[1]), base.logSurvival(x[2]),
      base.logProbability(of: x[3]),
    ].map { $0?.item() ?? .nan }
    #expect(found == expected)
    #expect(d.sample(key: 3, sampleShape: [5]).shape == [5, 4])
    #expect(d.sample(key: 3).elements == base.expanded(to: [4]).sample(key: 3).elements)
    #expect(d.expanded(to: [2, 4]).batchShape == [2, 4])
    // A bound far out, beside a value at which its own tail has no finite logarithm.
    let slope = gradient(at: Tensor([0.0, 1])) { p in
      Normal(p[0], p[1]).censored(above: [1, 0]).logProbability(of: Tensor([1e4, 0.5])).sum()
    }
    #expect(!slope.elements.contains { !$0.isFinite })
    let wide = gradient(at: Tensor([1.5, 1])) { p in
      Exponential(p[0]).censored(below: [0, 1]).logProbability(of: Tensor([0, 1])).sum()
    }
    #expect(!wide.elements.contains { !$0.isFinite })
  }

  @Test("a censored exponential sample has the posterior that is known")
  func conjugate() throws {
    // Gamma(a, b) prior, k events, total time t: Gamma(a + k, b + t).
    let times = [0.3, 2.5, 1.1, 4.0, 4.0, 0.7]
    let alive = [0.0, 0, 0, 1, 1, 0]
    let model = Model { m in
      let rate = m.sample("rate", Gamma(2, 1.5))
      m.observe("times", Exponential(rate).censored(above: alive), times)
    }
    let exact = Gamma(2 + 4, 1.5 + times.reduce(0, +))
    /// Returns the log joint less the exact log posterior at a rate: a constant.
    func difference(_ rate: Double) throws -> Double {
      let joint = try model.conditioned(on: ["rate": rate]).trace(key: 0).logJoint.item()
      return joint - exact.logProbability(of: Tensor(rate)).item()
    }
    let constant = try difference(1)
    for rate in [0.05, 0.4, 2.0, 9.0] {
      let change = try difference(rate) - constant
      #expect(abs(change) < 1e-12)
    }
  }
}
