// SPDX-License-Identifier: MIT
//
// Tests of masks, joint events, transformed distributions, point masses and counts.

import Distributions
import Foundation
import Numerics
import Tensors
import TestSupport
import Testing

@Suite("Wrappers and counts") struct WrapperTests {
  @Test("batch axes taken as the event are summed")
  func independent() {
    let base = Normal(Tensor.arange(6).reshaped([2, 3]), 2)
    let joint = base.toEvent(1)
    #expect(joint.batchShape == [2] && joint.eventShape == [3])
    let x = Tensor([0.5, 1, 1, 2, 2, 2], shape: [2, 3])
    let expected = base.logProbability(of: x).sum(axis: -1)
    #expect(joint.logProbability(of: x).elements == expected.elements)
    #expect(joint.logProbability(of: x).shape == [2])
    #expect(joint.expanded(to: [4, 2]).eventShape == [3])
    #expect(joint.sample(key: 1, sampleShape: [7]).shape == [7, 2, 3])
    #expect(joint.description == "\(base).toEvent(1)")
  }

  @Test("masked elements count nothing and pass no derivative, even where the density is infinite")
  func masked() {
    let mask = Tensor([1, 0, 1])
    let x = Tensor([0.5, -1, 2])
    let masked = Gamma(2, 1).expanded(to: [3]).masked(by: mask)
    let values = masked.logProbability(of: x)
    #expect(values.elements[1] == 0)
    #expect(values.elements[0] == Gamma(2, 1).logProbability(of: Tensor(0.5)).item())
    let g = gradient(at: Tensor([2, 1])) { p in
      Gamma(p[0], p[1]).expanded(to: [3]).masked(by: mask).logProbabilitySum(of: x)
    }
    let without = gradient(at: Tensor([2, 1])) { p in
      Gamma(p[0], p[1]).logProbabilitySum(of: Tensor([0.5, 2]))
    }
    for (a, b) in zip(g.elements, without.elements) { #expect(abs(a - b) < 1e-14) }
    let nan = Normal(0, 1).expanded(to: [3]).masked(by: mask)
    let toData = gradient(at: Tensor([0.5, .nan, 2])) { nan.logProbabilitySum(of: $0) }
    #expect(toData.elements == [-0.5, 0, -2])
  }

  @Test("a transformed normal is the log-normal, and nothing outside its support")
  func transformed() {
    let base = Normal(0.3, 0.7)
    let d = TransformedDistribution(base, ExpBijector(), support: .positive)
    let reference = LogNormal(0.3, 0.7)
    for x in [0.1, 1, 4.0] {
      let difference =
        d.logProbability(of: Tensor(x)).item() - reference.logProbability(of: Tensor(x)).item()
      // The same terms in another order.
      #expect(abs(difference) < 1e-14)
    }
    #expect(d.logProbability(of: Tensor(-1)).item() == -.infinity)
    let slope = gradient(at: Tensor(-1)) { d.logProbability(of: $0) }
    #expect(slope.item() == 0)
    #expect(
      d.sample(key: 5, sampleShape: [3]).elements
        == exp(base.sample(key: 5, sampleShape: [3])).elements)
  }

  @Test("a map of vectors makes the batch axis an event")
  func transformedVectors() {
    let d = TransformedDistribution(
      Normal(Tensor([0, 0, 0]), 1), OrderedBijector(), support: .ordered)
    #expect(d.batchShape == [] && d.eventShape == [3])
    let u = Tensor([0.3, -0.2, 0.5])
    let x = OrderedBijector().forward(u)
    let expected = Normal(0, 1).logProbability(of: u).sum().item() - (0.5 - 0.2)
    #expect(abs(d.logProbability(of: x).item() - expected) < 1e-13)
    #expect(d.logProbability(of: Tensor([1, 0, 2])).item() == -.infinity)
  }

  @Test("a point mass is at its value alone")
  func delta() {
    let d = Delta(Tensor([1, 2]))
    #expect(d.logProbability(of: Tensor([1, 3])).elements == [0, -.infinity])
    #expect(d.sample(key: 1, sampleShape: [2]).elements == [1, 2, 1, 2])
  }

  @Test("draws carry derivatives to location and scale")
  func reparameterised() {
    let makers: [@Sendable ([Tensor]) -> any Distribution] = [
      { Normal($0[0], $0[1]) }, { StudentT(4, $0[0], $0[1]) }, { Cauchy($0[0], $0[1]) },
      { Laplace($0[0], $0[1]) }, { Logistic($0[0], $0[1]) }, { LogNormal($0[0], $0[1]) },
      { TruncatedNormal($0[0], $0[1], low: 0) }, { TruncatedNormal($0[0], $0[1], low: 60) },
    ]
    for make in makers {
      checkGradient("draw", at: [Tensor(0.4), Tensor(1.3)]) {
        make($0).sample(key: 2, sampleShape: [3])
      }
    }
  }

  @Test("counts follow their probabilities")
  func counts() throws {
    let n = 20_000
    let p = Bernoulli(probability: 0.3)
    let ones = p.sample(key: 1, sampleShape: [n]).sum().item()
    // 4.5 sd of a binomial count: 7e-6 for a false failure, with a fixed key.
    #expect(abs(ones - 0.3 * Double(n)) < 4.5 * (0.21 * Double(n)).squareRoot())
    for rate in [0.4, 6, 300.0] {
      let draws = Poisson(rate).sample(key: 2, sampleShape: [n])
      #expect(Poisson(rate).support.contains(draws).isTrue)
      let mean = draws.mean().item()
      #expect(abs(mean - rate) < 4.5 * (rate / Double(n)).squareRoot())
      // The variance of a sample variance of nearly normal counts is about 2 rate² / n + rate / n.
      let spread = ((2 * rate * rate + rate) / Double(n)).squareRoot()
      #expect(abs(draws.variance().item() - rate) < 4.5 * spread + rate / Double(n))
      #expect(Poisson(rate).logProbability(of: Tensor(1.5)).item() == -.infinity)
      #expect(Poisson(rate).logProbability(of: Tensor(-1)).item() == -.infinity)
    }
    #expect(Poisson(0).logProbability(of: Tensor([0, 1])).elements == [0, -.infinity])
    // Sums over all counts are 1, to rounding.
    let all = exp(Poisson(7.5).logProbability(of: Tensor.arange(200))).sum().item()
    #expect(abs(all - 1) < 1e-12)
  }
}
