// SPDX-License-Identifier: MIT
//
// The reference models against densities written by hand, on small data of these tests' own.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import ReferenceModels
import Tensors
import TestSupport
import Testing

@Suite("Reference models") struct ReferenceModelTests {
  /// A model at a point, and its log joint density by hand.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let model: Model<Void>
    let values: [String: Tensor]
    let byHand: Double

    /// Creates a case.
    init(_ name: String, _ model: Model<Void>, _ values: [String: Tensor], _ byHand: Double) {
      testDescription = name
      self.model = model
      self.values = values
      self.byHand = byHand
    }
  }

  /// A short series.
  static let series: [Double] = [1.3, 0.4, -0.8, 0.1, 1.9, 2.2, 0.7]

  static let cases: [Case] = [
    schools, schoolsNonCentred, regression, kidScores, lags, variances, chain, mixture, process,
    neal, correlated, linear,
  ]

  private static let effects: [Double] = [28, 8, -3]
  private static let errors: [Double] = [15, 10, 16]
  private static let theta: [Double] = [4, -1, 2.5]

  /// The density of the schools at the point of their cases.
  private static let schoolsByHand: Double = {
    var total = normal(1.5, 0, 5) + halfCauchy(2, 5)
    for k in 0..<3 {
      total += normal(theta[k], 1.5, 2) + normal(effects[k], theta[k], errors[k])
    }
    return total
  }()

  private static let schoolsPoint: [String: Tensor] = [
    "mu": Tensor(1.5), "tau": Tensor(2), "theta": Tensor(theta),
  ]

  private static let schools = Case(
    "eight schools", eightSchools(effects: effects, errors: errors), schoolsPoint, schoolsByHand)

  private static let schoolsNonCentred = Case(
    "non-centred eight schools", nonCentredEightSchools(effects: effects, errors: errors),
    schoolsPoint, schoolsByHand)

  private static let regression: Case = {
    let rows: [[Double]] = [[1, 0.3], [-2, 1], [0.5, 4]]
    let (y, beta, sigma): ([Double], [Double], Double) = ([0.2, 1, -3], [0.7, -0.4], 1.3)
    var total = beta.reduce(0) { $0 + normal($1, 0, 10) } + halfNormal(sigma, 10)
    for (row, y) in zip(rows, y) { total += normal(y, row[0] * beta[0] + row[1] * beta[1], sigma) }
    return Case(
      "linear regression", linearRegression(design: rows.tensor, y: y),
      ["beta": Tensor(beta), "sigma": Tensor(sigma)], total)
  }()

  private static let kidScores: Case = {
    let (score, schooling, mother): ([Double], [Double], [Double]) = (
      [65, 98, 85, 40], [1, 1, 0, 0], [121, 89, 115, 99]
    )
    let (beta, sigma): ([Double], Double) = ([20, 5, 0.6, -0.1], 12)
    var total = halfCauchy(sigma, 2.5)
    for k in 0..<4 {
      let mean =
        beta[0] + beta[1] * schooling[k] + beta[2] * mother[k]
        + beta[3] * schooling[k] * mother[k]
      total += normal(score[k], mean, sigma)
    }
    return Case(
      "kid scores",
      kidScoreRegression(kidScore: score, momSchooling: schooling, momScore: mother),
      ["beta": Tensor(beta), "sigma": Tensor(sigma)], total)
  }()

  private static let lags: Case = {
    let (alpha, beta, sigma): (Double, [Double], Double) = (0.2, [0.5, -0.3], 0.8)
    var total =
      normal(alpha, 0, 10) + beta.reduce(0) { $0 + normal($1, 0, 10) } + halfCauchy(sigma, 2.5)
    for t in 2..<series.count {
      let mean = alpha + beta[0] * series[t - 1] + beta[1] * series[t - 2]
      total += normal(series[t], mean, sigma)
    }
    return Case(
      "autoregression", autoregression(series: series, order: 2),
      ["alpha": Tensor(alpha), "beta": Tensor(beta), "sigma": Tensor(sigma)], total)
  }()

  private static let variances: Case = {
    let (mu, alpha0, alpha1, beta1) = (0.3, 0.5, 0.4, 0.35)
    var variance = 0.7 * 0.7
    var total = 0.0
    for t in series.indices {
      if t > 0 {
        let residual = series[t - 1] - mu
        variance = alpha0 + alpha1 * residual * residual + beta1 * variance
      }
      total += normal(series[t], mu, variance.squareRoot())
    }
    return Case(
      "garch", garch(series: series, firstScale: 0.7),
      [
        "mu": Tensor(mu), "alpha0": Tensor(alpha0), "alpha1": Tensor(alpha1),
        "beta1": Tensor(beta1),
      ], total)
  }()

  private static let chain: Case = {
    let y: [Double] = [3.2, 8.7, 9.9, 2.1, 4]
    let (theta, mu): ([[Double]], [Double]) = ([[0.7, 0.3], [0.2, 0.8]], [3.1, 8.5])
    var total = normal(mu[0], 3, 1) + normal(mu[1], 10, 1)
    // All 2⁵ paths, one by one.
    var sum = 0.0
    for path in 0..<32 {
      let state = { (t: Int) in (path >> t) & 1 }
      var log = (0..<5).reduce(0.0) { $0 + normal(y[$1], mu[state($1)], 1) }
      for t in 1..<5 { log += Foundation.log(theta[state(t - 1)][state(t)]) }
      sum += exp(log)
    }
    total += log(sum)
    return Case(
      "hidden Markov chain", hiddenMarkovChain(series: y),
      ["theta1": Tensor(theta[0]), "theta2": Tensor(theta[1]), "mu": Tensor(mu)], total)
  }()

  private static let mixture: Case = {
    let y: [Double] = [-3, 2.9, 0.1, 4, -2.2]
    let (mu, sigma, theta): ([Double], [Double], Double) = ([-2.5, 2], [0.8, 1.2], 0.6)
    // Beta(5, 5): Γ(10)/Γ(5)² = 630.
    var total = log(630 * pow(theta * (1 - theta), 4))
    for k in 0..<2 { total += normal(mu[k], 0, 2) + halfNormal(sigma[k], 2) }
    for y in y {
      total += logSum(
        log(theta) + normal(y, mu[0], sigma[0]), log(1 - theta) + normal(y, mu[1], sigma[1]))
    }
    return Case(
      "normal mixture", normalMixture(y: y),
      ["mu": Tensor(mu), "sigma": Tensor(sigma), "theta": Tensor(theta)], total)
  }()

  private static let process: Case = {
    let (x, y): ([Double], [Double]) = ([-2, 0, 1, 3], [0.4, 1.2, 0.9, -1])
    let (rho, alpha, sigma) = (2.5, 1.3, 0.6)
    let covariance = x.indices.map { i in
      x.indices.map { j -> Double in
        let d = (x[i] - x[j]) / rho
        return alpha * alpha * exp(-0.5 * d * d) + (i == j ? sigma : 0)
      }
    }
    var total = 25 * log(4) - lgamma(25) + 24 * log(rho) - 4 * rho
    total += halfNormal(alpha, 2) + halfNormal(sigma, 1)
    return Case(
      "Gaussian process", gaussianProcess(x: x, y: y),
      ["rho": Tensor(rho), "alpha": Tensor(alpha), "sigma": Tensor(sigma)],
      total + normalVector(y, covariance: covariance))
  }()

  private static let neal: Case = {
    let (v, x): (Double, [Double]) = (-1.2, [0.3, -0.5])
    let total = normal(v, 0, 3) + x.reduce(0) { $0 + normal($1, 0, exp(v / 2)) }
    return Case("funnel", funnel(dimension: 3), ["v": Tensor(v), "x": Tensor(x)], total)
  }()

  private static let correlated: Case = {
    let (x, scales): ([Double], [Double]) = ([0.5, -1, 6], [1, 2, 4])
    let covariance = (0..<3).map { i in
      (0..<3).map { j in scales[i] * scales[j] * (i == j ? 1 : 0.7) }
    }
    return Case(
      "correlated normal", correlatedNormal(dimension: 3, correlation: 0.7, spread: 4),
      ["x": Tensor(x)], normalVector(x, covariance: covariance))
  }()

  /// The linear model under test.
  static let gaussian = LinearGaussian(
    design: Tensor([1, 0.3, -2, 1, 0.5, 4, 1, 1], shape: [4, 2]), y: [0.2, 1, -3, 0.4],
    noise: 0.7, prior: 1.5)

  private static let linear: Case = {
    let w: [Double] = [0.3, -0.8]
    var total = w.reduce(0) { $0 + normal($1, 0, 1.5) }
    for k in 0..<4 {
      let row = gaussian.design[k].elements
      total += normal(gaussian.y[k], row[0] * w[0] + row[1] * w[1], 0.7)
    }
    return Case("linear Gaussian", gaussian.model, ["w": Tensor(w)], total)
  }()

  @Test("each log joint density is the one written by hand", arguments: cases)
  func byHand(_ item: Case) throws {
    let trace = try item.model.substituting(item.values).trace()
    // Some dozen terms of size 1 to 100, each good to a rounding.
    #expect(abs(trace.logJoint.item() - item.byHand) <= 1e-12 * max(1, abs(item.byHand)))
    let latent = Set(trace.sites.filter(\.isLatent).map(\.name))
    #expect(latent == Set(item.values.keys))
  }

  @Test(
    "each density compiles to a fixed tape, with the derivatives of its values", arguments: cases)
  func compiled(_ item: Case) throws {
    let density = try item.model.logDensity()
    #expect(!density.isDynamic)
    let q = try density.unconstrain(item.values)
    let evaluator = density.makeJointEvaluator()
    let value = evaluator.value(at: q)
    // Rounding of the coordinates, magnified by derivatives up to some hundred.
    #expect(abs(value - item.byHand) <= 1e-10 * max(1, abs(item.byHand)))
    // Moving one element of a simplex leaves it: such sites stay where they are.
    let names = density.layout.entries.filter {
      if case .simplex = $0.constraint { false } else { true }
    }.map { $0.origin ?? $0.name }
    checkGradient(item.testDescription, at: names.map { item.values[$0] ?? Tensor(0) }) { x in
      let moved = Dictionary(zip(names, x)) { $1 }
      return logJoint(item.model, item.values.merging(moved) { $1 })
    }
  }

  @Test("the closed form of the linear model is that of its density")
  func linearGaussian() throws {
    let item = Self.gaussian
    let (mean, covariance) = (item.posteriorMean, item.posteriorCovariance)
    // log p(y, w) − log p(w | y) is the evidence at any w.
    for w in [[0.0, 0], [0.3, -0.8], [-2, 5]] {
      let offset = (Tensor(w) - mean).elements
      let rows = (0..<2).map { covariance[$0].elements }
      let difference =
        logJoint(item.model, ["w": Tensor(w)]).item()
        - normalVector(offset, covariance: rows)
      #expect(abs(difference - item.logEvidence) < 1e-11 * abs(item.logEvidence))
    }
  }

  @Test("the forward algorithm takes the first state's probabilities")
  func firstState() {
    let emission = Tensor([-1, -2, -0.5, -3], shape: [2, 2])
    let transition = log(Tensor([0.9, 0.1, 0.4, 0.6], shape: [2, 2]))
    let value = forwardAlgorithm(
      initial: log(Tensor([0.25, 0.75])), transition: transition, emission: emission)
    var sum = 0.0
    for (i, p) in [0.25, 0.75].enumerated() {
      for j in 0..<2 {
        let step = exp(transition[i, j].item())
        sum += p * exp(emission[0, i].item()) * step * exp(emission[1, j].item())
      }
    }
    #expect(abs(value.item() - log(sum)) < 1e-15 * 10)
  }

  @Test("without data the models predict them")
  func predictions() throws {
    let models: [(Model<Void>, String, Shape)] = [
      (eightSchools(effects: nil, errors: [1, 2]), "y", [2]),
      (linearRegression(design: Tensor.ones([3, 2]), y: nil), "y", [3]),
      (normalMixture(y: nil), "y", []),
      (gaussianProcess(x: [0, 1, 2], y: nil), "y", [3]),
    ]
    for (model, name, shape) in models {
      let trace = try model.trace(key: 1)
      #expect(trace[name].value.shape == shape)
      #expect(trace[name].value.elements.allSatisfy { $0.isFinite })
    }
  }

  @Test("data that do not fit are named")
  func wrongData() throws {
    let posterior = try #require(ReferencePosterior.named("sblrc-blr"))
    let error = #expect(throws: ReferenceDataError.self) {
      _ = try posterior.model(["y": Tensor([1, 2]), "X": Tensor([1, 2])])
    }
    #expect(error?.name == "X" && error?.description.contains("a matrix") ?? false)
    #expect(throws: ReferenceDataError.self) { _ = try posterior.model(["y": Tensor([1, 2])]) }
    #expect(ReferencePosterior.named("none") == nil)
  }
}
