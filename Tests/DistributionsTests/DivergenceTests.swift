// SPDX-License-Identifier: MIT
//
// Kullback–Leibler divergences against numeric integrals, their derivatives, and how joint distributions combine them.

import Distributions
import Numerics
import Tensors
import TestSupport
import Testing

/// A pair of distributions with as many parameters as given numbers.
struct DivergenceCase: Sendable, CustomTestStringConvertible {
  let name: String
  let parameters: [Double]
  let make: @Sendable ([Tensor]) -> (any Distribution, any Distribution)

  init(
    _ name: String, _ parameters: [Double],
    make: @escaping @Sendable ([Tensor]) -> (any Distribution, any Distribution)
  ) {
    (self.name, self.parameters, self.make) = (name, parameters, make)
  }

  var testDescription: String { name }

  /// The pair at its parameters.
  var pair: (q: any Distribution, p: any Distribution) { make(parameters.map { Tensor($0) }) }
}

@Suite("Divergences")
struct DivergenceTests {
  static let continuous: [DivergenceCase] = [
    DivergenceCase("Normal, Normal", [0.3, 0.7, -0.5, 1.4]) {
      (Normal($0[0], $0[1]), Normal($0[2], $0[3]))
    },
    DivergenceCase("LogNormal, LogNormal", [0.3, 0.7, -0.5, 1.4]) {
      (LogNormal($0[0], $0[1]), LogNormal($0[2], $0[3]))
    },
    DivergenceCase("LogNormal, Gamma", [0.3, 0.7, 2.5, 1.4]) {
      (LogNormal($0[0], $0[1]), Gamma($0[2], $0[3]))
    },
    DivergenceCase("LogNormal, InverseGamma", [0.3, 0.7, 2.5, 1.4]) {
      (LogNormal($0[0], $0[1]), InverseGamma($0[2], $0[3]))
    },
    DivergenceCase("LogNormal, Exponential", [0.3, 0.7, 2.5]) {
      (LogNormal($0[0], $0[1]), Exponential($0[2]))
    },
    DivergenceCase("HalfNormal, HalfNormal", [0.7, 1.4]) { (HalfNormal($0[0]), HalfNormal($0[1])) },
    DivergenceCase("Gamma, Gamma", [2.3, 0.7, 1.2, 1.4]) {
      (Gamma($0[0], $0[1]), Gamma($0[2], $0[3]))
    },
    DivergenceCase("Gamma, Exponential", [2.3, 0.7, 1.2]) {
      (Gamma($0[0], $0[1]), Exponential($0[2]))
    },
    DivergenceCase("InverseGamma, InverseGamma", [4.3, 0.7, 3.2, 1.4]) {
      (InverseGamma($0[0], $0[1]), InverseGamma($0[2], $0[3]))
    },
    DivergenceCase("Exponential, Exponential", [0.7, 1.4]) {
      (Exponential($0[0]), Exponential($0[1]))
    },
    DivergenceCase("Exponential, Gamma", [0.7, 2.2, 1.4]) {
      (Exponential($0[0]), Gamma($0[1], $0[2]))
    },
    DivergenceCase("Beta, Beta", [2.3, 1.7, 1.2, 3.4]) { (Beta($0[0], $0[1]), Beta($0[2], $0[3])) },
    DivergenceCase("Laplace, Laplace", [0.3, 0.7, -0.5, 1.4]) {
      (Laplace($0[0], $0[1]), Laplace($0[2], $0[3]))
    },
    DivergenceCase("Uniform, Uniform", [0.3, 0.7, -0.5, 1.4]) {
      (Uniform($0[0], $0[1]), Uniform($0[2], $0[3]))
    },
    DivergenceCase("transformed", [0.3, 0.7, -0.5, 1.4]) {
      let map = IntervalBijector(low: Tensor(-1), high: Tensor(2))
      let support = Constraint.interval(Tensor(-1), Tensor(2))
      return (
        TransformedDistribution(Normal($0[0], $0[1]), map, support: support),
        TransformedDistribution(Normal($0[2], $0[3]), map, support: support)
      )
    },
  ]

  @Test("closed forms are the integrals ∫ q log(q/p)", arguments: continuous)
  func integrals(_ item: DivergenceCase) throws {
    let (q, p) = item.pair
    let value = try #require(klDivergence(q, p)).item()
    // The trapezium rule in the unconstrained coordinate, whose tails fall exponentially or faster in all cases: at 0.001
    // its error is below rounding for smooth integrands, and h² / 12 of the kink's jump (1e-7) for Laplace's.
    let map = try #require(bijector(to: q.support))
    let t = Tensor((-60_000...60_000).map { Double($0) * 1e-3 })
    let x = map.forward(t)
    let logQ = q.logProbability(of: x)
    let density = exp(logQ + map.logAbsDetJacobian(t, x))
    let terms = select(
      density.isGreater(than: 1e-290), density * (logQ - p.logProbability(of: x)), Tensor(0))
    let integral = terms.elements.reduce(0) { $0 + ($1.isNaN ? 0 : $1) } * 1e-3
    let tolerance = item.name.contains("Laplace") ? 1e-6 : 1e-10
    #expect(abs(value - integral) <= tolerance * max(1, value), "\(value), \(integral)")
    #expect(try #require(klDivergence(q, q)).item().magnitude < 1e-14)
    checkGradient(item.name, at: item.parameters.map { Tensor($0) }) { parameters in
      let (q, p) = item.make(parameters)
      return klDivergence(q, p) ?? Tensor(.nan)
    }
  }

  @Test("closed forms of counts are the sums Σ q log(q/p)")
  func sums() throws {
    let pairs: [(any Distribution, any Distribution, Int)] = [
      (Bernoulli(logits: 0.4), Bernoulli(logits: -1.3), 2), (Poisson(3.4), Poisson(1.3), 80),
    ]
    for (q, p, count) in pairs {
      let k = Tensor.arange(count)
      let logQ = q.logProbability(of: k)
      let sum = (exp(logQ) * (logQ - p.logProbability(of: k))).sum().item()
      let value = try #require(klDivergence(q, p)).item()
      #expect(abs(value - sum) < 1e-13)
    }
  }

  @Test("joint distributions add up, batches broadcast, point masses give −log p")
  func combinations() throws {
    let q = Normal(Tensor([0.1, 0.2, 0.3]), 0.5)
    let p = Normal(0, Tensor([1, 2, 3]))
    let parts = try #require(klDivergence(q, p))
    #expect(parts.shape == [3])
    let joint = try #require(klDivergence(q.toEvent(1), p.toEvent(1)))
    #expect(joint.shape == [] && abs(joint.item() - parts.sum().item()) < 1e-15)
    let wide = try #require(klDivergence(q.expanded(to: [2, 3]), Normal(0, 1).expanded(to: [3])))
    #expect(wide.shape == [2, 3])
    let deeper = try #require(
      klDivergence(
        Normal(Tensor.zeros([2, 3]), 1).toEvent(2), Normal(Tensor.ones([2, 3]), 1).toEvent(2)))
    #expect(deeper.shape == [] && abs(deeper.item() - 3) < 1e-15)
    let mass = try #require(klDivergence(Delta(Tensor([0.3, 1, 2])).toEvent(1), p.toEvent(1)))
    #expect(mass.item() == -p.logProbability(of: Tensor([0.3, 1, 2])).sum().item())
    #expect(try #require(klDivergence(Uniform(0, 3), Uniform(1, 4))).item() == .infinity)
  }

  @Test("pairs without a closed form, and events of other shapes, have none")
  func none() {
    #expect(klDivergence(Normal(0, 1), Cauchy(0, 1)) == nil)
    #expect(klDivergence(Normal(0, 1), Normal(Tensor.zeros([2]), 1).toEvent(1)) == nil)
    #expect(klDivergence(Cauchy(0, 1), Cauchy(0, 1)) == nil)
    #expect(klDivergence(Delta(2), Poisson(3)) == nil)
    let exponential = TransformedDistribution(Normal(0, 1), ExpBijector(), support: .positive)
    let interval = TransformedDistribution(
      Normal(0, 1), IntervalBijector(low: Tensor(0), high: Tensor(1)), support: .unitInterval)
    #expect(klDivergence(exponential, interval) == nil)
  }
}
