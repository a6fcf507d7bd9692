// SPDX-License-Identifier: MIT
//
// What the articles say of replica exchange and of weighted points, on posteriors that are known.

import SwiftSersic
import Testing

@Suite("Catalogue: modes and weights")
struct AlgorithmExampleTests {
  @Test("each chain of replicas finds both modes, with their weights")
  func twoModes() throws {
    let draws = try sampleTwoModes()
    #expect(draws["x"].shape == [4, 5000])
    // A chain's 5000 draws are worth some 770: an error of 0.0165 in a share of 0.7. Six of them, four numbers: a chance of 1e-8.
    for chain in 0..<4 {
      let x = draws["x"].elements[(chain * 5000)..<((chain + 1) * 5000)]
      let share = Double(x.count { $0 > 0 }) / 5000
      #expect(abs(share - 0.7) < 0.1, "chain \(chain): \(share)")
    }
    // 0.7 · 6 − 0.3 · 6; the deviation is √(1 + 36 − 2.4²) = 5.6, the error of all chains 0.1.
    #expect(abs(draws.scalar("x").mean - 2.4) < 0.6, "\(draws.scalar("x").mean)")
    let exchanged = try #require(draws.statistics?.extras["exchanged"])
    // Two thirds of the exchanges are accepted.
    #expect(abs(exchanged.reduce(0, +) / 20_000 - 0.66) < 0.05)
  }

  @Test("weighted points near a bound have the mean of a beta posterior, and come more than once")
  func weights() throws {
    // No success in 20 trials under a flat prior: Beta(1, 21), highest at the bound.
    let model = Model { m in
      let p = m.sample("p", Uniform(0, 1))
      m.observe("y", Binomial(20, probability: p), 0)
    }
    let (weighted, draws) = try weighPoints(model.logDensity())
    #expect(weighted.isReliable && weighted.effectiveCount >= 1000)
    let p = draws.scalar("p")
    // Mean 1/22, deviation 0.0434; a thousand independent draws know the mean to 0.0014, of which these are five.
    #expect(abs(p.mean - 1 / 22.0) < 0.007, "\(p.mean)")
    #expect(Set(p.values).count < 4000)
    // That they do the effective sample size does not see.
    #expect(p.bulkESS > 3000, "\(p.bulkESS)")
  }
}
