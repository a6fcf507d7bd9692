// SPDX-License-Identifier: MIT
//
// Convergence diagnostics and Monte Carlo errors agree with ArviZ on stored draws, and mean something for angles.

import Foundation
import Inference
import Numerics
import Testing

/// Draws with the diagnostics that ArviZ gives of them.
struct DiagnosticCase: Decodable, Sendable, CustomTestStringConvertible {
  /// What is hard about the draws.
  let name: String
  /// The number of chains.
  let chains: Int
  /// The draws, chain after chain.
  let values: [Double]
  /// What ArviZ says; nil for NaN.
  let expected: [String: Double?]

  var testDescription: String { name }

  /// The cases of `Golden/diagnostics.json`.
  static let all: [DiagnosticCase] = {
    struct File: Decodable { let cases: [DiagnosticCase] }
    let url = Bundle.module.bundleURL.appendingPathComponent("Golden/diagnostics.json")
    let file = try? JSONDecoder().decode(File.self, from: Data(contentsOf: url))
    return file?.cases ?? []
  }()

  /// The draws as those of one quantity.
  var draws: ScalarDraws { ScalarDraws(name: name, chains: chains, values: values) }
}

@Suite("Convergence diagnostics")
struct DiagnosticsTests {
  @Test("the golden draws are there")
  func golden() { #expect(DiagnosticCase.all.count > 15) }

  @Test(
    "R-hat, effective sample sizes and errors are those of ArviZ", arguments: DiagnosticCase.all)
  func agrees(with item: DiagnosticCase) {
    let draws = item.draws
    let ours: [String: Double] = [
      "r_hat": draws.rHat, "ess_bulk": draws.bulkESS, "ess_tail": draws.tailESS,
      "ess_mean": draws.meanESS, "ess_sd": draws.standardDeviationESS,
      "ess_median": draws.medianESS, "ess_quantile_0.2": draws.quantileESS(0.2),
      "ess_local_0.3_0.6": draws.localESS(from: 0.3, to: 0.6),
      "mcse_mean": draws.meanError, "mcse_sd": draws.standardDeviationError,
      "mcse_median": draws.medianError, "mcse_q0.05": draws.quantileError(0.05),
      "mcse_q0.95": draws.quantileError(0.95),
      "autocorrelation_3": draws.autocorrelation(maximumLag: 3)[0].last ?? .nan,
    ]
    for (name, value) in ours {
      guard let known = item.expected[name] else { continue }
      guard let known else {
        #expect(value.isNaN, "\(name): \(value), ArviZ NaN")
        continue
      }
      // Chains that stand still have no scatter but rounding: R-hat is as good as infinite in both.
      if known > 1e12 {
        #expect(value > 1e12, "\(name): \(value), ArviZ \(known)")
        continue
      }
      // Sums of a thousand terms in another order; far from zero, their rounding is 1e-10 of the spread. 1e-6 is the promise.
      #expect(
        abs(value - known) <= 1e-7 * max(abs(known), 1e-3), "\(name): \(value), ArviZ \(known)")
    }
  }

  @Test("errors of quantiles of many independent draws are those of their normal approximation")
  func manyDraws() throws {
    let draws = Draws(
      chains: 4, draws: 5000,
      sites: [Draws.Site(name: "x", shape: [], values: RandomKey(1).normals(20_000))])
    let x = try #require(draws.scalars.first)
    for (p, quantile) in [(0.05, -1.6448536), (0.5, 0), (0.95, 1.6448536)] {
      let density = Foundation.exp(-0.5 * quantile * quantile) / (2 * Double.pi).squareRoot()
      let expected = (p * (1 - p) / x.quantileESS(p)).squareRoot() / density
      // Two order statistics some n^½ apart: a spacing's scatter is n^−¼ of it, 8 %.
      #expect(abs(x.quantileError(p) / expected - 1) < 0.3, "\(p)")
    }
  }

  @Test("effective sample sizes do not depend on the unit")
  func units() throws {
    let item = try #require(DiagnosticCase.all.first { $0.name == "autocorrelated" })
    let plain = item.draws
    // ArviZ takes draws whose range is below 1e-15 for constant.
    let tiny = ScalarDraws(
      name: "x", chains: item.chains, values: item.values.map { $0 * 0x1p-80 })
    #expect(
      tiny.meanESS == plain.meanESS && tiny.standardDeviationESS == plain.standardDeviationESS)
    #expect(tiny.meanError == plain.meanError * 0x1p-80)
    #expect(tiny.rHat == plain.rHat && tiny.tailESS == plain.tailESS)
  }

  @Test("one draw that is not a number makes every diagnostic one that is not")
  func notANumber() {
    var values = (0..<400).map { RandomKey(1).normal(UInt64($0)) }
    values[137] = .nan
    let draws = ScalarDraws(name: "x", chains: 4, values: values)
    for value in [
      draws.rHat, draws.bulkESS, draws.tailESS, draws.meanESS, draws.standardDeviationESS,
      draws.medianESS, draws.meanError, draws.standardDeviationError, draws.medianError,
    ] { #expect(value.isNaN) }
  }

  @Test("the Monte Carlo errors are the scatter of repeated runs")
  func honest() {
    // Four autoregressive chains of 400 draws, 200 times over; an error of 200 repetitions is known to 5 %, and its mean
    // estimate better: a deviation of 20 % happens once in 10 000 times.
    let repetitions = 200
    var summaries: [[Double]] = Array(repeating: [], count: 4)
    var claims = [Double](repeating: 0, count: 4)
    for repetition in 0..<repetitions {
      let draws = Self.autoregressive(
        0.6, chains: 4, draws: 400, key: RandomKey(UInt64(repetition)))
      let values = [draws.mean, draws.standardDeviation] + draws.quantiles([0.5, 0.95])
      let errors = [
        draws.meanError, draws.standardDeviationError, draws.medianError, draws.quantileError(0.95),
      ]
      for k in 0..<4 {
        summaries[k].append(values[k])
        claims[k] += errors[k] * errors[k] / Double(repetitions)
      }
    }
    for (k, name) in ["mean", "sd", "median", "q95"].enumerated() {
      let scatter = ScalarDraws(name: name, values: summaries[k]).standardDeviation
      let claim = claims[k].squareRoot()
      #expect(abs(claim / scatter - 1) < 0.2, "\(name): claimed \(claim), scatter \(scatter)")
    }
  }

  /// Returns standard normal autoregressive chains.
  static func autoregressive(
    _ coefficient: Double, chains: Int, draws: Int, key: RandomKey, mean: Double = 0,
    sd: Double = 1, period: Double? = nil
  ) -> ScalarDraws {
    var values: [Double] = []
    for chain in 0..<chains {
      let own = key.folding(in: chain)
      var x = own.normal(0)
      for draw in 0..<draws {
        if draw > 0 {
          x =
            coefficient * x + (1 - coefficient * coefficient).squareRoot()
            * own.normal(UInt64(draw))
        }
        values.append(mean + sd * x)
      }
    }
    if let period { values = values.map { $0 - period * ($0 / period).rounded(.down) } }
    return ScalarDraws(name: "x", chains: chains, values: values, period: period)
  }
}

@Suite("Convergence of angles")
struct AngleDiagnosticsTests {
  /// The period of the angles.
  let period = Double.pi

  @Test("a sharp angle at the cut of its interval has the diagnostics of a number on a line")
  func atTheCut() {
    let angle = DiagnosticsTests.autoregressive(
      0.5, chains: 4, draws: 300, key: 3, sd: 0.05, period: period)
    #expect(angle.values.contains { $0 < 0.1 } && angle.values.contains { $0 > 3 })
    let line = DiagnosticsTests.autoregressive(0.5, chains: 4, draws: 300, key: 3, sd: 0.05)
    // Taken modulo π and back: rounding only, which leaves all ranks alone.
    #expect(near(angle.rHat, line.rHat, 1e-12) && near(angle.bulkESS, line.bulkESS, 1e-9))
    #expect(near(angle.tailESS, line.tailESS, 1e-9))
    #expect(near(angle.standardDeviationError, line.standardDeviationError, 1e-9))
    #expect(near(angle.quantileError(0.05), line.quantileError(0.05), 1e-9))
    // The mean direction is not the mean; at 0.1 rad of phase they differ by a part in a hundred.
    #expect(abs(angle.meanError / line.meanError - 1) < 0.02)
    #expect(line.rHat < 1.02 && line.bulkESS > 200)
    // Naively, half the draws lie at 0 and half at π.
    let naive = ScalarDraws(name: "x", chains: 4, values: angle.values)
    #expect(naive.standardDeviation > 1)
  }

  @Test("turning an angle does not change its diagnostics", arguments: [0.05, 0.4, 2])
  func turned(sd: Double) {
    let runs = [0.0, 0.3, 1.5, 3.1].map { offset in
      DiagnosticsTests.autoregressive(
        0.5, chains: 4, draws: 300, key: 4, mean: offset, sd: sd, period: period)
    }
    for run in runs.dropFirst() {
      // Rounding may swap the two draws next to the median, which are equally far from it: the lowest two of 1200 ranks.
      #expect(near(run.rHat, runs[0].rHat, 1e-4), "\(run.rHat) \(runs[0].rHat)")
      #expect(near(run.bulkESS, runs[0].bulkESS, 1e-4))
      #expect(near(run.meanError, runs[0].meanError, 1e-9))
    }
  }

  @Test("an angle of which nothing is known converges: independent uniform draws")
  func uniform() {
    let values = RandomKey(5).uniforms(4000).map { $0 * period }
    let angle = ScalarDraws(name: "theta", chains: 4, values: values, period: period)
    #expect(angle.rHat < 1.01, "\(angle.rHat)")
    #expect(angle.bulkESS > 3200 && angle.tailESS > 3000, "\(angle.bulkESS) \(angle.tailESS)")
    // Its mean is as good as unknown, and its error says so.
    #expect(angle.meanError > 0.2 * period / 12.0.squareRoot())
    #expect(angle.meanError <= period / 12.0.squareRoot())
  }

  @Test("a slow turn around the circle has few effective draws")
  func slowTurn() {
    // A random walk on the circle with steps of 2 % of the period: the first harmonic decorrelates in
    // 1 / (½ (2π 0.02)²) = 127 steps, so 4000 draws are worth about 4000 / 254 = 16.
    var values: [Double] = []
    for chain in 0..<4 {
      let key = RandomKey(6).folding(in: chain)
      var x = key.uniform(0) * period
      for draw in 1...1000 {
        x += 0.02 * period * key.normal(UInt64(draw))
        values.append(x - period * (x / period).rounded(.down))
      }
    }
    let angle = ScalarDraws(name: "theta", chains: 4, values: values, period: period)
    #expect(angle.bulkESS > 5 && angle.bulkESS < 60, "\(angle.bulkESS)")
  }

  @Test(
    "a chain that is stuck at another angle is seen", arguments: [0.1, 0.4, 0.25, 0.5], [2, 4, 16])
  func stuck(turn: Double, chains: Int) {
    // The last chain stands at a share of the period from the others; at one half the directions are opposite, where a
    // branch has its cut in the midst of that chain's draws.
    var values: [Double] = []
    for chain in 0..<chains {
      let key = RandomKey(7).folding(in: chain)
      let center = chain == chains - 1 ? turn * period : 0
      for draw in 0..<500 {
        let x = center + 0.02 * period * key.normal(UInt64(draw))
        values.append(x - period * (x / period).rounded(.down))
      }
    }
    let angle = ScalarDraws(name: "theta", chains: chains, values: values, period: period)
    #expect(angle.rHat > 1.05, "\(angle.rHat)")
    #expect(angle.bulkESS < 100 * Double(chains), "\(angle.bulkESS)")
  }

  @Test(
    "the error of a mean direction is the scatter of repeated runs", arguments: [0.05, 0.3, 0.7])
  func meanError(sd: Double) {
    var (directions, claim) = ([Double](), 0.0)
    for repetition in 0..<200 {
      let run = DiagnosticsTests.autoregressive(
        0.5, chains: 4, draws: 200, key: RandomKey(UInt64(repetition)), mean: 0.1, sd: sd,
        period: period)
      directions.append(run.mean)
      claim += run.meanError * run.meanError / 200
    }
    let scatter = ScalarDraws(name: "theta", values: directions, period: period).standardDeviation
    // As for numbers: 20 % is crossed once in 10 000 times.
    #expect(abs(claim.squareRoot() / scatter - 1) < 0.2, "\(claim.squareRoot()) \(scatter)")
  }
}
