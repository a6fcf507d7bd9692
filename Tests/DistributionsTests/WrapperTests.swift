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

  @Test("a flat density is zero on its set and −∞ off it, and starts where Stan would")
  func improperUniform() {
    let flat = ImproperUniform(.real, [4])
    #expect(flat.batchShape == [] && flat.eventShape == [4] && flat.isImproper)
    #expect(flat.logProbability(of: Tensor([1e300, 0, -5, 2])).item() == 0)
    #expect(flat.expanded(to: [3]).logProbability(of: Tensor.zeros([4])).shape == [3])
    let start = flat.sample(key: 3, sampleShape: [1000])
    #expect(start.shape == [1000, 4])
    #expect(abs(start).max().item() <= 2 && abs(start).max().item() > 1.9)

    let ordered = ImproperUniform(.positiveOrdered, [3])
    #expect(ordered.logProbability(of: Tensor([1, 2, 5])).item() == 0)
    #expect(ordered.logProbability(of: Tensor([1, 5, 2])).item() == -.infinity)
    #expect(ordered.support.contains(ordered.sample(key: 1, sampleShape: [100])).isTrue)

    // Bounds that depend on other variables give the shape, and carry derivatives to a start.
    let width = ImproperUniform(.between(0, 1 - Tensor([0.2, 0.6])))
    #expect(width.eventShape == [2])
    #expect(width.logProbability(of: Tensor([0.7, 0.3])).item() == 0)
    #expect(width.logProbability(of: Tensor([0.7, 0.5])).item() == -.infinity)
    let positive = ImproperUniform(.positive, [2, 3])
    #expect(positive.logProbability(of: Tensor.ones([5, 2, 3])).elements == [0, 0, 0, 0, 0])
    #expect(positive.description == "ImproperUniform(.positive, [2, 3])")
  }

  @Test("a restricted density is the base's inside, and its draws are the base's inside")
  func restricted() {
    let d = Normal(0, 10).restricted(to: .positive)
    #expect(!d.isImproper && d.batchShape == [] && d.eventShape == [])
    let inside = Normal(0, 10).logProbability(of: Tensor(3)).item()
    #expect(d.logProbability(of: Tensor(3)).item() == inside)
    #expect(d.logProbability(of: Tensor(-3)).item() == -.infinity)
    let draws = d.sample(key: 1, sampleShape: [20_000])
    // Half-normal: mean 10 √(2/π), sd 6.03; 4.5 standard errors.
    #expect(abs(draws.mean().item() - 7.9788) < 4.5 * 6.03 / 20_000.0.squareRoot())
    #expect(d.sample(key: 1, sampleShape: [20_000]).elements == draws.elements)
    #expect(d.description == "Normal(loc: 0.0, scale: 10.0).restricted(to: .positive)")

    let ordered = Normal([0, 0, 0], 2).restricted(to: .ordered)
    #expect(ordered.eventShape == [3] && ordered.batchShape == [])
    #expect(ordered.logProbability(of: Tensor([1, 0, 2])).item() == -.infinity)
    let rising = Tensor([-1, 0, 2])
    #expect(
      ordered.logProbability(of: rising).item() == Normal(0, 2).logProbabilitySum(of: rising).item()
    )
    // Where no draw of the base is inside there is still a value to start from.
    let far = Normal(0, 1).restricted(to: .above(50))
    #expect(far.sample(key: 1, sampleShape: [2]).elements == [51, 51])
    #expect(far.holdsStandIn(far.sample(key: 1)))
    let two = far.expanded(to: [2]).toEvent(1)
    #expect(two.holdsStandIn(Tensor([60, 51])) && !two.holdsStandIn(Tensor([60, 52])))
    #expect(!ordered.holdsStandIn(ordered.sample(key: 1)))
    #expect(ordered.holdsStandIn(Tensor([1, 2, 3])) && !Normal(0, 1).holdsStandIn(Tensor(0)))
  }

  @Test("rising draws are sorted where order does not matter, and else those of the base that rise")
  func rising() {
    let n = 4000
    let ten = Normal(1, 2).expanded(to: [10]).restricted(to: .ordered)
    let draws = ten.sample(key: 1, sampleShape: [n])
    #expect(ten.support.contains(draws).isTrue && ten.hasFixedMass)
    // The largest of ten standard normal numbers: mean 1.53875, sd 0.5868 (Harter 1961); 4.5 standard errors of each mean.
    let error = 4.5 * 2 * 0.5868 / Double(n).squareRoot()
    #expect(abs(draws[..., 9].mean().item() - (1 + 2 * 1.53875)) < error)
    #expect(abs(draws[..., 0].mean().item() - (1 - 2 * 1.53875)) < error)
    #expect(abs(draws.mean().item() - 1) < 4.5 * 2 / Double(10 * n).squareRoot())

    let positive = Normal(0, 1).expanded(to: [2, 3]).restricted(to: .positiveOrdered)
    let halves = positive.sample(key: 2, sampleShape: [1000])
    #expect(halves.shape == [1000, 2, 3] && !positive.hasFixedMass)
    #expect(positive.support.contains(halves).isTrue)
    // Half-normal numbers: mean √(2/π), sd 0.6028.
    #expect(abs(halves.mean().item() - 0.79788) < 4.5 * 0.6028 / 6000.0.squareRoot())

    // A flat density has the same value at most swapped draws, and still may not be sorted: then the mean were 0.479.
    let flat = Uniform([0, 0.5], [1, 1.5]).restricted(to: .ordered)
    #expect(!flat.hasFixedMass)
    let first = flat.sample(key: 3, sampleShape: [5 * n])[..., 0]
    // E(x₁; x₁ < x₂) / P(x₁ < x₂) = (1/2 − 5/48) / (7/8), sd below 0.3.
    #expect(abs(first.mean().item() - 0.45238) < 4.5 * 0.3 / Double(5 * n).squareRoot())
  }

  @Test("a truncated distribution needs what its base can give, and has the bounds of both")
  func truncated() async {
    #expect(Normal(0, 2).truncated(below: 0).description.hasPrefix("TruncatedNormal"))
    let both = Exponential(1).truncated(below: -1, above: 4)
    guard case .interval(let low, let high) = both.support else {
      Issue.record("expected an interval, got \(both.support)")
      return
    }
    #expect(low.item() == 0 && high.item() == 4)
    #expect(
      Cauchy(0, 1).truncated(above: 2).description
        == "Cauchy(loc: 0.0, scale: 1.0).truncated(above: 2.0)")
    // A whole base stays what it is.
    let same = Cauchy(0, 1).truncated()
    #expect(
      same.logProbability(of: Tensor(3)).item() == Cauchy(0, 1).logProbability(of: Tensor(3)).item()
    )
    await #expect(processExitsWith: .failure) { _ = Dirichlet([1.0, 2]).truncated(below: 0) }
    await #expect(processExitsWith: .failure) { _ = Poisson(1).truncated(below: 0) }
    await #expect(processExitsWith: .failure) { _ = Cauchy(0, 1).truncated(below: 2, above: 1) }
    await #expect(processExitsWith: .failure) { _ = SkewNormal(0, 1, 2).truncated(below: 0) }
    // The cumulative distribution of Student's t has no derivatives here.
    await #expect(processExitsWith: .failure) {
      _ = gradient(at: Tensor(1)) {
        StudentT(3, 0, $0).truncated(below: 0).logProbability(of: Tensor(1))
      }
    }
  }

  @Test("mixtures take batches of weights and of components, and draw from both")
  func mixtures() async {
    let weights = Tensor([0.2, 0.8, 0.5, 0.5, 1, 0], shape: [3, 2])
    let components = Normal(Tensor([-1, 1]), [[0.5], [1.0], [2.0]].tensor)
    let d = MixtureSameFamily(weights: weights, components)
    #expect(d.batchShape == [3])
    let x = Tensor([0.3, -2, 4])
    for k in 0..<3 {
      let scale = [0.5, 1, 2][k]
      let one = MixtureSameFamily(weights: weights[k], Normal([-1, 1], scale))
      // The same terms by another instruction.
      #expect(abs(d.logProbability(of: x)[k].item() - one.logProbability(of: x[k]).item()) < 1e-13)
    }
    let draws = d.sample(key: 1, sampleShape: [20_000])
    #expect(draws.shape == [20_000, 3])
    for k in 0..<3 {
      let (mean, variance) = (d.mean?[k].item() ?? .nan, d.variance?[k].item() ?? .nan)
      #expect(abs(draws[..., k].mean().item() - mean) < 5 * (variance / 20_000).squareRoot())
      #expect(abs(draws[..., k].variance().item() - variance) < 0.06 * variance)
    }
    let general = MixtureGeneral(
      weights: [0.3, 0.7], [Poisson(2), Binomial(10, probability: 0.9)])
    #expect(general.isDiscrete)
    let total = exp(general.logProbability(of: Tensor.arange(60))).sum().item()
    #expect(abs(total - 1) < 1e-12)
    let counts = general.sample(key: 2, sampleShape: [20_000])
    let (mean, variance) = (general.mean?.item() ?? .nan, general.variance?.item() ?? .nan)
    #expect(abs(counts.mean().item() - mean) < 5 * (variance / 20_000).squareRoot())
    await #expect(processExitsWith: .failure) {
      _ = MixtureSameFamily(weights: [0.5, 0.5], Normal([0, 1, 2], 1))
    }
    await #expect(processExitsWith: .failure) {
      _ = MixtureSameFamily(weights: [0.5, 0.6], Normal([0, 1], 1))
    }
    await #expect(processExitsWith: .failure) {
      _ = MixtureGeneral(weights: [0.5, 0.5], [Normal(0, 1), Poisson(1)])
    }
  }

  @Test("joint variables keep the parts of their families")
  func jointParts() throws {
    let d = Normal(Tensor([1, 2, 3]), 0.5).toEvent(1)
    let parts = try #require(d.locationScale)
    #expect(parts.base.eventShape == [3] && parts.base.batchShape == [])
    #expect(parts.location.elements == [1, 2, 3])
    let log = LogNormal(Tensor([1, 2]), 1).toEvent(1)
    #expect(log.transformed?.base.eventShape == [2])
  }
}
