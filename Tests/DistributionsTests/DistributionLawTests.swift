// SPDX-License-Identifier: MIT
//
// The laws of distributions over a table of all continuous ones, and golden log probabilities of all.

import Distributions
import Numerics
import Tensors
import TestSupport
import Testing

/// The continuous distributions under test.
let distributionCases: [DistributionCase] = [
  DistributionCase("Normal", [1.5, 0.7], points: [1.5, 0.2, 3]) { Normal($0[0], $0[1]) },
  DistributionCase("HalfNormal", [2.5], points: [0.3, 2, 6], outside: [-0.1, -5]) {
    HalfNormal($0[0])
  },
  DistributionCase("LogNormal", [0.4, 0.6], points: [0.5, 1.5, 6], outside: [0, -2]) {
    LogNormal($0[0], $0[1])
  },
  DistributionCase("Uniform", [-1, 3], points: [-0.9, 0.5, 2.5], outside: [-1.1, 3.1]) {
    Uniform($0[0], $0[1])
  },
  DistributionCase("StudentT", [4.5, 1, 0.7], points: [1.1, -2, 4]) {
    StudentT($0[0], $0[1], $0[2])
  },
  DistributionCase("Cauchy", [1, 0.5], points: [1.2, -4, 3]) { Cauchy($0[0], $0[1]) },
  DistributionCase("HalfCauchy", [2], points: [0.1, 1.5, 30], outside: [-1]) { HalfCauchy($0[0]) },
  DistributionCase("Gamma", [2.5, 1.5], points: [0.1, 1, 5], outside: [-1]) { Gamma($0[0], $0[1]) },
  DistributionCase("Gamma", [0.3, 2], points: [0.01, 0.2, 1], outside: [-1]) {
    Gamma($0[0], $0[1])
  },
  DistributionCase("InverseGamma", [3.5, 2], points: [0.2, 0.8, 4], outside: [0, -1]) {
    InverseGamma($0[0], $0[1])
  },
  DistributionCase("Beta", [2, 3.5], points: [0.1, 0.4, 0.9], outside: [-0.1, 1.1]) {
    Beta($0[0], $0[1])
  },
  DistributionCase("Beta", [0.4, 1.5], points: [0.05, 0.5], outside: [-0.1, 1.1]) {
    Beta($0[0], $0[1])
  },
  DistributionCase("Exponential", [1.7], points: [0.1, 1, 4], outside: [-1e-3]) {
    Exponential($0[0])
  },
  DistributionCase("Laplace", [1, 0.6], points: [1.3, -1, 3]) { Laplace($0[0], $0[1]) },
  DistributionCase("Logistic", [-1, 0.6], points: [-1.3, 0.5, 2]) { Logistic($0[0], $0[1]) },
  DistributionCase("TruncatedNormal", [1, 2, 0.5], points: [0.6, 2, 5], outside: [0.4]) {
    TruncatedNormal($0[0], $0[1], low: $0[2])
  },
  DistributionCase("TruncatedNormal", [1, 2, -0.5], points: [-0.6, -4], outside: [0]) {
    TruncatedNormal($0[0], $0[1], high: $0[2])
  },
  DistributionCase(
    "TruncatedNormal", [0, 1.5, -1, 2], points: [-0.9, 0.3, 1.9], outside: [-1.1, 2.1]
  ) {
    TruncatedNormal($0[0], $0[1], low: $0[2], high: $0[3])
  },
  // Twelve standard deviations up: only the tail's own form has digits left there.
  DistributionCase(
    "TruncatedNormal", [0, 1, 12, 13], points: [12.1, 12.4], outside: [11.9, 13.5]
  ) {
    TruncatedNormal($0[0], $0[1], low: $0[2], high: $0[3])
  },
  // Beyond 38 standard deviations the probability itself underflows.
  DistributionCase("TruncatedNormal", [0, 1, 45], points: [45.1, 45.4], outside: [44]) {
    TruncatedNormal($0[0], $0[1], low: $0[2])
  },
  DistributionCase("ChiSquared", [3.5], points: [0.2, 2, 9], outside: [-1]) { ChiSquared($0[0]) },
  DistributionCase("HalfStudentT", [4.5, 0.7], points: [0.1, 1, 4], outside: [-1]) {
    HalfStudentT($0[0], $0[1])
  },
  DistributionCase("Weibull", [1.6, 2], points: [0.2, 2, 5], outside: [-1]) {
    Weibull($0[0], $0[1])
  },
  DistributionCase("Weibull", [0.7, 2], points: [0.2, 2, 5], outside: [-1]) {
    Weibull($0[0], $0[1])
  },
  DistributionCase("Pareto", [1.5, 4.5], points: [1.6, 3, 20], outside: [1.4, -1]) {
    Pareto($0[0], $0[1])
  },
  DistributionCase("Gumbel", [1, 0.6], points: [0.2, 1.1, 5]) { Gumbel($0[0], $0[1]) },
  DistributionCase("Kumaraswamy", [2, 3.5], points: [0.1, 0.4, 0.9], outside: [-0.1, 1.1]) {
    Kumaraswamy($0[0], $0[1])
  },
  DistributionCase("SkewNormal", [1, 0.7, 3], points: [0.4, 1.2, 3]) {
    SkewNormal($0[0], $0[1], $0[2])
  },
  DistributionCase("AsymmetricLaplace", [1, 0.6, 1.7], points: [0.3, 1.3, 3]) {
    AsymmetricLaplace($0[0], $0[1], $0[2])
  },
  DistributionCase("VonMises", [1, 2.5], points: [-2, 0.9, 3]) { VonMises($0[0], $0[1]) },
  DistributionCase("VonMises", [1, 40], points: [0.8, 1.1]) {
    VonMises($0[0], $0[1], low: 0, period: .pi)
  },
  DistributionCase("Cauchy, truncated", [1, 2, -0.5, 6], points: [-0.4, 1, 5], outside: [-1, 7]) {
    Cauchy($0[0], $0[1]).truncated(below: $0[2], above: $0[3])
  },
  DistributionCase("Exponential, truncated", [0.7, 3], points: [0.1, 2.5], outside: [-1, 3.1]) {
    Exponential($0[0]).truncated(above: $0[1])
  },
  DistributionCase("Normal, truncated", [0.5, 2], points: [0.1, 2, 6], outside: [-0.1]) {
    Normal($0[0], $0[1]).truncated(below: 0)
  },
  DistributionCase(
    "LogNormal, truncated", [0.4, 0.6, 1.2], points: [1.3, 2, 6], outside: [1.1, -2]
  ) {
    LogNormal($0[0], $0[1]).truncated(below: $0[2])
  },
  // The cumulative distribution of a gamma variable has no derivative by its parameters.
  DistributionCase("Gamma, truncated", [0.7], points: [0.8, 2, 5], outside: [0.6, -1]) {
    Gamma(2.5, 1.5).truncated(below: $0[0])
  },
  DistributionCase(
    "Uniform, truncated", [-1, 3, 0.5], points: [0.6, 1.5, 2.9], outside: [0.4, 3.1]
  ) {
    Uniform($0[0], $0[1]).truncated(below: $0[2])
  },
  // Nine standard deviations up: only the normal's own tail has digits left there.
  DistributionCase("Normal, truncated", [0, 1, 9], points: [9.05, 9.4], outside: [8.9]) {
    TruncatedDistribution(Normal($0[0], $0[1]), low: $0[2], high: nil)
  },
  DistributionCase("Gumbel, truncated", [0.5, 2, 1], points: [1.1, 2, 6], outside: [0.9]) {
    Gumbel($0[0], $0[1]).truncated(below: $0[2])
  },
  DistributionCase("mixture of two", [0.3, -1, 2, 0.5, 1.5], points: [-1.2, 0.4, 3]) {
    let means = Tensor.stack([$0[1], $0[2]])
    return MixtureSameFamily(
      weights: [$0[0], 1 - $0[0]], Normal(means, Tensor.stack([$0[3], $0[4]])))
  },
  DistributionCase("mixture of three", [0.3, -0.5, 2, 0.5], points: [0.2, 1.4, 3], outside: [-1]) {
    let shapes = Tensor.stack([$0[2], $0[2] + 1, $0[2] * 3])
    let logits = Tensor.stack([$0[0], $0[1], Tensor(0)])
    return MixtureSameFamily(logWeights: logits.logSoftmax(), Gamma(shapes, $0[3]))
  },
  DistributionCase("mixture of families", [0.2, 1, 0.5], points: [-0.5, 1.1, 3]) {
    MixtureGeneral(
      weights: [$0[0], 1 - $0[0]], [Normal($0[1], $0[2]), Logistic(0, $0[2])])
  },
  DistributionCase("CircularUniform", [], points: [0.5, 2]) { _ in CircularUniform(period: .pi) },
  DistributionCase("WrappedNormal", [3, 0.4], points: [0.2, 1.1, 2.9]) {
    WrappedNormal($0[0], $0[1], period: .pi)
  },
  DistributionCase("WrappedNormal", [1, 2], points: [0.2, 1.1, 2.9]) {
    WrappedNormal($0[0], $0[1], period: .pi)
  },
]

/// The makers of distributions by their names in the golden file.
let makers: [String: @Sendable ([Tensor]) -> any Distribution] = [
  "Normal": { Normal($0[0], $0[1]) },
  "HalfNormal": { HalfNormal($0[0]) },
  "LogNormal": { LogNormal($0[0], $0[1]) },
  "Uniform": { Uniform($0[0], $0[1]) },
  "StudentT": { StudentT($0[0], $0[1], $0[2]) },
  "Cauchy": { Cauchy($0[0], $0[1]) },
  "HalfCauchy": { HalfCauchy($0[0]) },
  "Gamma": { Gamma($0[0], $0[1]) },
  "InverseGamma": { InverseGamma($0[0], $0[1]) },
  "Beta": { Beta($0[0], $0[1]) },
  "Exponential": { Exponential($0[0]) },
  "Laplace": { Laplace($0[0], $0[1]) },
  "Logistic": { Logistic($0[0], $0[1]) },
  "ChiSquared": { ChiSquared($0[0]) },
  "HalfStudentT": { HalfStudentT($0[0], $0[1]) },
  "Weibull": { Weibull($0[0], $0[1]) },
  "Pareto": { Pareto($0[0], $0[1]) },
  "Gumbel": { Gumbel($0[0], $0[1]) },
  "Kumaraswamy": { Kumaraswamy($0[0], $0[1]) },
  "SkewNormal": { SkewNormal($0[0], $0[1], $0[2]) },
  "AsymmetricLaplace": { AsymmetricLaplace($0[0], $0[1], $0[2]) },
  "VonMises": { VonMises($0[0], $0[1]) },
  "Binomial": { Binomial($0[0], probability: $0[1]) },
  "BetaBinomial": { BetaBinomial($0[0], $0[1], $0[2]) },
  "NegativeBinomial": { NegativeBinomial(mean: $0[0], concentration: $0[1]) },
  "Geometric": { Geometric(probability: $0[0]) },
  "Poisson": { Poisson($0[0]) },
  "Bernoulli": { Bernoulli(logits: $0[0]) },
  "TruncatedNormal": { TruncatedNormal($0[0], $0[1], low: $0[2], high: $0[3]) },
  "WrappedNormal": { WrappedNormal($0[0], $0[1], period: $0[2].item()) },
]

@Suite("Laws of distributions") struct DistributionLawTests {
  @Test("each distribution keeps the laws", arguments: distributionCases)
  func laws(_ item: DistributionCase) { checkDistribution(item) }

  @Test(
    "log probabilities agree with SciPy in the middle, the tails and at the ends",
    arguments: makers.keys.sorted())
  func golden(_ name: String) throws {
    let make = try #require(makers[name])
    for row in try GoldenFile("log_probabilities", in: .module).rows(name) {
      let parameters = row[1..<(row.count - 1)].map { Tensor($0) }
      let value = make(parameters).logProbability(of: Tensor(row[0])).item()
      let expected = row[row.count - 1]
      // Roundings of the largest term: the parameters' logarithms and log-gammas, up to 1e5 here for Poisson(1e4), and up to
      // 1.3e7 for binomial coefficients of a million.
      let large = name == "Poisson" ? 1e-10 : name == "Binomial" ? 5e-9 : 0
      let tolerance = 1e-12 * max(1, abs(expected)) + large
      #expect(abs(value - expected) <= tolerance, "\(name) \(row): \(value)")
      let sum = make(parameters).logProbabilitySum(of: Tensor(row[0])).item()
      #expect(sum == value, "\(name) \(row)")
    }
  }

  @Test("descriptions read as the program does")
  func descriptions() {
    #expect(Normal(0, 5).description == "Normal(loc: 0.0, scale: 5.0)")
    #expect(
      TruncatedNormal(1, 2, low: 0.5).description
        == "TruncatedNormal(loc: 1.0, scale: 2.0, low: 0.5)")
  }

  @Test("impossible constants stop the program")
  func impossibleConstants() async {
    await #expect(processExitsWith: .failure) { _ = Normal(0, 0) }
    await #expect(processExitsWith: .failure) { _ = Gamma(-1, 2) }
    await #expect(processExitsWith: .failure) { _ = Uniform(2, 1) }
    await #expect(processExitsWith: .failure) { _ = TruncatedNormal(0, 1, low: 2, high: 1) }
    await #expect(processExitsWith: .failure) { _ = WrappedNormal(0, 1, period: 0) }
  }

  @Test("impossible parameters of a trace give no density, and no trap")
  func impossibleTraced() {
    let makers: [@Sendable (Tensor) -> any Distribution] = [
      { Normal(0, $0) }, { HalfNormal($0) }, { LogNormal(0, $0) }, { StudentT(3, 0, $0) },
      { Cauchy(0, $0) }, { HalfCauchy($0) }, { Gamma($0, 1) }, { Gamma(1, $0) },
      { InverseGamma($0, 1) }, { Beta($0, 1) }, { Exponential($0) }, { Laplace(0, $0) },
      { Logistic(0, $0) }, { TruncatedNormal(0, $0, low: 0) }, { Uniform(1, $0) },
      { WrappedNormal(0, $0, period: 3) },
    ]
    for make in makers {
      let value = valueAndGradient(at: Tensor(-1)) { make($0).logProbability(of: Tensor(0.5)) }
        .value
      #expect(!(value > -.infinity), "\(make(Tensor(1))): \(value)")
    }
  }
}
