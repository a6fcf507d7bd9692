// SPDX-License-Identifier: MIT
//
// Pareto smoothing, leave-one-out cross-validation and comparison agree with ArviZ, and with exact answers where they are known.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Tensors
import Testing

/// What ArviZ says about stored log likelihoods.
struct LeaveOneOutGolden: Decodable, Sendable {
  /// Raw weights and their smoothed form.
  struct Smoothing: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let log_weights: [Double]
    let efficiency: Double
    let k: Number
    let largest: Number
    let sum_of_squares: Number
    let mean: Number?
    var testDescription: String { name }
  }

  /// One model's estimates.
  struct Estimates: Decodable, Sendable {
    let log_likelihood: [Double]
    let efficiency, elpd, se, p, good_k, waic, waic_se, p_waic: Double
    let pointwise, k: [Double]
  }

  /// One model's place.
  struct Place: Decodable, Sendable {
    let name: String
    let elpd_diff, dse, weight: Double
  }

  /// A number, or the text "inf".
  struct Number: Decodable, Sendable {
    let value: Double
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      value = (try? container.decode(Double.self)) ?? .infinity
    }
  }

  let smoothing: [Smoothing]
  let chains, draws: Int
  let mu: [Double]
  let models: [String: Estimates]
  let comparison: [Place]

  /// The file beside the script that made it.
  static func read() throws -> LeaveOneOutGolden {
    let url = Bundle.module.bundleURL.appendingPathComponent("Golden/leave_one_out.json")
    return try JSONDecoder().decode(LeaveOneOutGolden.self, from: Data(contentsOf: url))
  }

  /// Returns the stored log likelihood of a model, with the efficiency of the posterior.
  func likelihood(_ name: String) throws -> LogLikelihood {
    let model = try #require(models[name])
    let site = Draws.Site(
      name: "y", shape: [model.log_likelihood.count / (chains * draws)],
      values: model.log_likelihood)
    return LogLikelihood(
      Draws(chains: chains, draws: draws, sites: [site]), relativeEfficiency: model.efficiency)
  }
}

@Suite("Leave-one-out")
struct LeaveOneOutTests {
  @Test("smoothed weights and their Pareto k are those of ArviZ")
  func smoothing() throws {
    let golden = try LeaveOneOutGolden.read()
    #expect(golden.smoothing.count > 10)
    for item in golden.smoothing {
      let ours = ParetoSmoothedWeights(item.log_weights, relativeEfficiency: item.efficiency)
      let squares = ours.logWeights.reduce(0) { sum, w in sum + plain(2 * w) { exp($0) } }
      let mean = ours.logWeights.enumerated().reduce(0) { sum, item in
        sum + Double(item.offset) * plain(item.element) { exp($0) }
      }
      // The order of ties is not defined, so their mean is not stored. The promise is 1e-6.
      for (name, value, known) in [
        ("k", ours.paretoK, item.k.value),
        ("largest", ours.logWeights.max() ?? .nan, item.largest.value),
        ("squares", squares, item.sum_of_squares.value),
        ("mean", mean, item.mean?.value ?? mean),
      ] {
        #expect(
          value == known || abs(value - known) <= 1e-8 * max(1, abs(known)),
          "\(item.name), \(name): \(value), ArviZ \(known)")
      }
    }
  }

  @Test("weights of which one is NaN give no answer")
  func notANumber() {
    let weights = ParetoSmoothedWeights([0, .nan, 1, 2, 3, 4, 5, 6])
    #expect(weights.paretoK.isNaN && weights.logWeights.allSatisfy(\.isNaN))
  }

  @Test("the estimates of both models are those of ArviZ", arguments: ["normal", "cauchy"])
  func estimates(name: String) throws {
    let golden = try LeaveOneOutGolden.read()
    let known = try #require(golden.models[name])
    let loo = LeaveOneOut(try golden.likelihood(name))
    for (value, expected) in [
      (loo.elpd, known.elpd), (loo.standardError, known.se), (loo.effectiveParameters, known.p),
      (loo.largestGoodK, known.good_k),
    ] + Array(zip(loo.pointwise, known.pointwise)) + Array(zip(loo.paretoK, known.k)) {
      #expect(near(value, expected, 1e-8), "\(value), ArviZ \(expected)")
    }
    #expect(loo.pointwise.count == known.pointwise.count && loo.names[3] == "y[3]")
    let waic = LeaveOneOut.widelyApplicable(try golden.likelihood(name))
    #expect(near(waic.elpd, known.waic, 1e-8) && near(waic.standardError, known.waic_se, 1e-8))
    #expect(near(waic.effectiveParameters, known.p_waic, 1e-8))
    // The last observation is an outlier, which only a normal likelihood minds.
    #expect(loo.influential.map(\.name) == (name == "normal" ? ["y[11]"] : []))
    #expect(loo.warnings.isEmpty == (name == "cauchy"))
    #expect(waic.warnings.isEmpty == (name == "cauchy"))
  }

  @Test("models are ranked as ArviZ ranks them")
  func comparison() throws {
    let golden = try LeaveOneOutGolden.read()
    let comparison = ModelComparison([
      "normal": LeaveOneOut(try golden.likelihood("normal")),
      "cauchy": LeaveOneOut(try golden.likelihood("cauchy")),
    ])
    #expect(comparison.rows.map(\.name) == golden.comparison.map(\.name))
    for (row, known) in zip(comparison.rows, golden.comparison) {
      #expect(near(row.difference, known.elpd_diff, 1e-8))
      #expect(near(row.differenceError, known.dse, 1e-8))
      // ArviZ's optimiser stops at a change of 1e-6 of the score, which is flat at its top.
      #expect(abs(row.weight - known.weight) < 2e-3, "\(row.weight), ArviZ \(known.weight)")
    }
    #expect(comparison.description.contains("doubtful"), "\(comparison)")
  }

  @Test("a model that is better everywhere takes all the weight")
  func dominant() throws {
    let golden = try LeaveOneOutGolden.read()
    let cauchy = try golden.likelihood("cauchy")
    let worse = LogLikelihood(
      Draws(
        chains: cauchy.draws.chains, draws: cauchy.draws.draws,
        sites: cauchy.draws.sites.map { site in
          Draws.Site(name: site.name, shape: site.shape, values: site.values.map { $0 - 0.5 })
        }))
    let rows = ModelComparison(["a": LeaveOneOut(worse), "b": LeaveOneOut(cauchy)]).rows
    #expect(rows[0].name == "b" && rows[0].weight > 0.9999)
    #expect(rows[1].difference > 5.9 && rows[1].differenceError < 0.2)
  }

  @Test("the estimate is the exact one where that is known: a straight line with known errors")
  func exact() throws {
    let approximation = try LaplaceApproximation(line.logDensity(), from: [1, 1])
    // The posterior is normal, so these draws are independent ones of it.
    let draws = approximation.sample(20_000, key: 1)
    let loo = try leaveOneOut(line, draws)
    /// Returns the exact log density of a point given all others, or given all.
    func exact(_ k: Int, without isLeftOut: Bool) -> Double {
      // The posterior of slope and height by its normal equations.
      var (a, b, c, u, v) = (1 / 4.0, 0.0, 1 / 9.0, 1 / 4.0, -1 / 9.0)
      for j in abscissae.indices where j != k || !isLeftOut {
        let (x, weight) = (abscissae[j], 1 / 0.49)
        a += weight * x * x
        b += weight * x
        c += weight
        u += weight * x * ordinates[j]
        v += weight * ordinates[j]
      }
      let det = a * c - b * b
      let (slope, height) = ((c * u - b * v) / det, (a * v - b * u) / det)
      let x = abscissae[k]
      let variance = 0.49 + (c * x * x - 2 * b * x + a) / det
      return logNormal(ordinates[k], slope * x + height, variance.squareRoot())
    }
    let (left, all) = (
      abscissae.indices.map { exact($0, without: true) },
      abscissae.indices.map { exact($0, without: false) }
    )
    for (k, value) in left.enumerated() {
      // Importance weights of 20 000 draws: an error of some hundredths where k is large.
      #expect(abs(loo.pointwise[k] - value) < 0.05, "\(k): \(loo.pointwise[k]), exact \(value)")
    }
    let total = left.reduce(0, +)
    #expect(abs(loo.elpd - total) < 0.1, "\(loo)")
    #expect(abs(loo.effectiveParameters - (all.reduce(0, +) - total)) < 0.1)
  }

  @Test("one observation alone is said to say nothing")
  func alone() throws {
    let model = Model<Void> { m in
      let mu = m.sample("mu", Normal(0, 1))
      m.observe("y", Normal(mu * Tensor([1, 2]), 1).toEvent(1), [1.0, 2])
    }
    let draws = Draws(
      chains: 1, draws: 50,
      sites: [Draws.Site(name: "mu", shape: [], values: RandomKey(1).normals(50))])
    let loo = try leaveOneOut(model, draws)
    #expect(loo.pointwise.count == 1 && loo.warnings.count == 1)
  }
}
