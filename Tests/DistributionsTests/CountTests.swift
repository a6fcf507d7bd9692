// SPDX-License-Identifier: MIT
//
// The laws of distributions of whole numbers, and golden log probabilities of those with arrays for parameters.

import Distributions
import Foundation
import Numerics
import Tensors
import TestSupport
import Testing

/// The distributions of one whole number under test.
let countCases: [CountCase] = [
  CountCase("Bernoulli", [Tensor(0.4)], top: 1, points: [0, 1], outside: [-1, 0.5, 2]) {
    Bernoulli(logits: $0[0])
  },
  CountCase("Bernoulli, probability", [Tensor(0.7)], top: 1, points: [0, 1]) {
    Bernoulli(probability: $0[0])
  },
  CountCase("Poisson", [Tensor(4.5)], top: 60, points: [0, 3, 9]) { Poisson($0[0]) },
  CountCase("Poisson log", [Tensor(1.3)], top: 60, points: [0, 3, 9]) { Poisson(logRate: $0[0]) },
  CountCase("Poisson log, large", [Tensor(6)], top: 800, points: [390]) { Poisson(logRate: $0[0]) },
  CountCase("Binomial", [Tensor(-0.8)], top: 12, points: [0, 5, 12], outside: [-1, 1.5, 13]) {
    Binomial(12, logits: $0[0])
  },
  CountCase("Binomial, many trials", [Tensor(0.3)], top: 500, points: [0, 250, 500]) {
    Binomial(500, logits: $0[0])
  },
  CountCase("Binomial, probability", [Tensor(0.03)], top: 40, points: [0, 2]) {
    Binomial(40, probability: $0[0])
  },
  CountCase(
    "BetaBinomial", [Tensor(2.2), Tensor(0.6)], top: 15, points: [0, 6, 15], outside: [-1, 2.5, 16]
  ) { BetaBinomial(15, $0[0], $0[1]) },
  // On both sides of the argument from which on ratios of gamma functions come from a series.
  CountCase("BetaBinomial, concentrated", [Tensor(70), Tensor(50)], top: 30, points: [0, 12]) {
    BetaBinomial(30, $0[0], $0[1])
  },
  CountCase("NegativeBinomial", [Tensor(4), Tensor(1.7)], top: 400, points: [0, 3, 20]) {
    NegativeBinomial(mean: $0[0], concentration: $0[1])
  },
  CountCase("NegativeBinomial, narrow", [Tensor(1.2), Tensor(150)], top: 80, points: [0, 3, 20]) {
    NegativeBinomial(logMean: $0[0], concentration: $0[1])
  },
  CountCase("NegativeBinomial, rate", [Tensor(2.5), Tensor(0.8)], top: 400, points: [0, 3]) {
    NegativeBinomial(concentration: $0[0], rate: $0[1])
  },
  CountCase("NegativeBinomial, probability", [Tensor(0.4)], top: 300, points: [0, 3]) {
    NegativeBinomial(count: 3, probability: $0[0])
  },
  CountCase("Geometric", [Tensor(-0.6)], top: 120, points: [0, 1, 7]) { Geometric(logits: $0[0]) },
  CountCase("Geometric, probability", [Tensor(0.3)], top: 120, points: [0, 4]) {
    Geometric(probability: $0[0])
  },
  CountCase(
    "Categorical", [Tensor([0.3, -1, 0.8, 0])], top: 3, points: [0, 2], outside: [-1, 0.5, 4]
  ) {
    Categorical(logits: $0[0])
  },
  CountCase("Categorical, probabilities", [Tensor([0.2, 0.5, 0.3])], top: 2, points: [0, 2]) {
    Categorical(probabilities: exp(log($0[0])))
  },
  CountCase("DiscreteUniform", [Tensor(0)], top: 9, points: [2, 9], outside: [-3, 2.5, 10]) { _ in
    DiscreteUniform(0, 9)
  },
  CountCase(
    "OrderedLogistic", [Tensor(0.4), Tensor([-1, 0.3, 2])], top: 3, points: [0, 1, 3],
    outside: [-1, 0.5, 4]
  ) { OrderedLogistic($0[0], $0[1]) },
  CountCase("ZeroInflated", [Tensor(0.3), Tensor(2.5)], top: 50, points: [0, 3]) {
    ZeroInflated(Poisson($0[1]), gate: $0[0])
  },
  CountCase(
    "mixture of counts", [Tensor([1.0, 8]), Tensor([-0.4, -1.1])], top: 60, points: [0, 5]
  ) {
    MixtureSameFamily(logWeights: $0[1].logSoftmax(), Poisson($0[0]))
  },
]

@Suite("Laws of counts") struct CountTests {
  @Test("each distribution keeps the laws", arguments: countCases)
  func laws(_ item: CountCase) { checkCounts(item) }

  @Test("binomial draws agree with their probabilities in all three ways of drawing")
  func binomialDraws() {
    // By gaps, by rejection, and by reflection; the third moment too, which a wrong tail would move.
    for (n, p) in [(30.0, 0.1), (400.0, 0.2), (400.0, 0.9), (1e6, 0.4)] {
      let draws = Binomial(n, probability: p).sample(key: 5, sampleShape: [40_000])
      let sd = (n * p * (1 - p)).squareRoot()
      let z = (draws - n * p) / sd
      let skewness = (1 - 2 * p) / sd
      // Standard errors 0.005, 0.0071 (more for the few successes) and 0.019; five of each.
      #expect(abs(z.mean().item()) < 0.025)
      #expect(abs(square(z).mean().item() - 1) < 0.04)
      #expect(abs(pow(z, 3).mean().item() - skewness) < 0.12)
      #expect(draws.elements.allSatisfy { $0 >= 0 && $0 <= n })
    }
  }

  @Test("a log-linear density over many elements is that of its elements one by one")
  func vectorKernels() {
    let eta = Tensor([-800, -40, -3, -0.2, 0, 0.7, 2, 12, 50, 700.0])
    let x = Tensor([0, 0, 1, 2, 0, 1, 3, 9, 1, 0.0])
    let rows: [(String, Tensor, @Sendable (Tensor) -> any Distribution)] = [
      ("Poisson", x, { Poisson(logRate: $0) }),
      ("Binomial", x, { Binomial(9, logits: $0) }),
      ("Bernoulli", minimum(x, 1), { Bernoulli(logits: $0) }),
    ]
    for (name, x, make) in rows {
      let all = make(eta).logProbability(of: x)
      let slopes = gradient(at: eta) { make($0).logProbabilitySum(of: x) }
      for k in 0..<eta.count {
        let one = valueAndGradient(at: eta[k]) { make($0).logProbability(of: x[k]) }
        // Vector and scalar functions agree to an ulp or two.
        let tolerance = 1e-14 * max(1, abs(one.value))
        #expect(
          abs(all[k].item() - one.value) <= tolerance || all[k].item() == one.value, "\(name) \(k)")
        #expect(
          abs(slopes[k].item() - one.gradient.item()) <= tolerance
            || slopes[k].item() == one.gradient.item(), "\(name) \(k)")
      }
    }
  }

  @Test("multinomial counts add up, have their moments, and nothing else has a probability")
  func multinomial() {
    let p = Tensor([0.2, 0.05, 0.6, 0.15])
    let d = Multinomial(20, probabilities: p)
    #expect(d.batchShape == [] && d.eventShape == [4] && d.isDiscrete)
    let draws = d.sample(key: 2, sampleShape: [20_000])
    #expect(draws.sum(axis: -1).isEqual(to: 20).isTrue)
    let (mean, variance) = (draws.mean(axis: 0).elements, draws.variance(axis: 0).elements)
    for k in 0..<4 {
      let v = 20 * p.elements[k] * (1 - p.elements[k])
      #expect(abs(mean[k] - 20 * p.elements[k]) < 5 * (v / 20_000).squareRoot())
      // The fourth moment of a count is at most that of a Poisson variable, 3 v² + v.
      #expect(abs(variance[k] - v) < 5 * ((2 * v * v + v) / 20_000).squareRoot())
    }
    #expect(d.logProbability(of: Tensor([20, 0, 1, 0])).item() == -.infinity)
    #expect(d.logProbability(of: Tensor([21, -1, 0, 0])).item() == -.infinity)
    #expect(d.logProbability(of: Tensor([19.5, 0.5, 0, 0])).item() == -.infinity)
    #expect(d.logProbability(of: d.feasibleValue).item() > -.infinity)
    // A category without probability that does not occur costs nothing.
    let two = Multinomial(3, probabilities: [0.5, 0.5, 0])
    #expect(
      abs(two.logProbability(of: Tensor([1, 2, 0])).item() - Foundation.log(3.0 / 8)) < 1e-14)
    #expect(d.expanded(to: [2, 3]).sample(key: 1, sampleShape: [5]).shape == [5, 2, 3, 4])
    for make in [
      { @Sendable (x: Tensor) -> any Distribution in Multinomial(6, logits: x) },
      { @Sendable (x: Tensor) -> any Distribution in DirichletMultinomial(6, exp(x)) },
    ] {
      checkGradient("multinomial", at: [Tensor([0.3, -1, 0.4])]) {
        make($0[0]).logProbability(of: Tensor([1, 0, 5]))
      }
      // All ways to spread six over three categories.
      let all = (0...6).flatMap { i in
        (0...(6 - i)).map { [Double(i), Double($0), Double(6 - i - $0)] }
      }
      let total = exp(make(Tensor([0.3, -1, 0.4])).logProbability(of: all.tensor)).sum().item()
      #expect(abs(total - 1) < 1e-12)
    }
    let uncertain = DirichletMultinomial(20, [2.0, 1, 5])
    let counts = uncertain.sample(key: 4, sampleShape: [20_000])
    for k in 0..<3 {
      let wanted = uncertain.variance?.elements[k] ?? .nan
      let found = counts[..., k].variance().item()
      #expect(abs(found - wanted) < 0.06 * wanted)
    }
  }

  @Test("what had to happen and did has a finite derivative, what could not happen is impossible")
  func certainty() {
    let probabilities = Tensor([1, 1, 0, 0.25, 0.5])
    let seen = Tensor([1.0, 1, 0, 1, 0])
    let slopes = gradient(at: probabilities) { p in
      Bernoulli(probability: p).logProbability(of: seen).sum()
    }
    #expect(slopes.elements == [1, 1, -1, 4, -2])
    let many = gradient(at: Tensor([1.0, 0])) { p in
      Binomial(3, probability: p).logProbability(of: Tensor([3.0, 0])).sum()
    }
    #expect(many.elements == [3, -3])
    for (p, x) in [(1.0, 0.0), (0, 1)] {
      #expect(Bernoulli(probability: p).logProbability(of: Tensor(x)).item() == -.infinity)
      let slope = gradient(at: Tensor(p)) {
        Bernoulli(probability: $0).logProbability(of: Tensor(x))
      }
      #expect(slope.item() == 0)
    }
    // A probability that rounds above 1 is impossible, not certain.
    let traced = gradient(at: Tensor(1 + 1e-15)) {
      Bernoulli(probability: $0).logProbability(of: Tensor(1))
    }
    #expect(traced.item() == 0)
    #expect(Bernoulli(probability: 0.25).logits.item() == logit(Tensor(0.25)).item())
  }

  @Test("impossible parameters stop the program, and say which")
  func impossible() async {
    await #expect(processExitsWith: .failure) { _ = Binomial(2.5, logits: 0) }
    await #expect(processExitsWith: .failure) { _ = Binomial(2, probability: 1.2) }
    await #expect(processExitsWith: .failure) { _ = Categorical(probabilities: [0.5, 0.6]) }
    await #expect(processExitsWith: .failure) { _ = NegativeBinomial(mean: 1, concentration: 0) }
    await #expect(processExitsWith: .failure) { _ = OrderedLogistic(0, [1.0, 0]) }
    await #expect(processExitsWith: .failure) { _ = ZeroInflated(Normal(0, 1), gate: 0.5) }
    await #expect(processExitsWith: .failure) { _ = DiscreteUniform(3, 2) }
    await #expect(processExitsWith: .failure) { _ = Multinomial(3, probabilities: [0.5, 0.2]) }
  }
}
