// SPDX-License-Identifier: MIT
//
// Importance samples begun by a Laplace approximation, against posteriors whose moments are known.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Importance samples")
struct ImportanceSampleTests {
  @Test("a normal posterior keeps its moments and evidence")
  func normal() throws {
    let plain = try LaplaceApproximation(line.logDensity(), from: [0, 0])
    let weighted = ImportanceSample(plain, effective: 4000, points: 2000, key: 1)
    #expect(weighted.isReliable && weighted.paretoK < 0.5 && weighted.efficiency > 0.5)
    #expect(weighted.effectiveCount >= 4000)
    // The log evidence of weights has an error of √((1/efficiency − 1) / count) = 0.01.
    #expect(abs(weighted.logEvidence - plain.logEvidence) < 0.05)
    let exact = plain.sample(40_000, key: 2)
    let found = try weighted.sample(40_000, key: 3)
    for name in exact.sites.map(\.name) {
      let (a, b) = (exact.scalar(name), found.scalar(name))
      // Four errors of a mean of 4000 draws; deviations have an error of 1 / √(2 · 4000).
      #expect(abs(a.mean - b.mean) < 0.063 * a.standardDeviation)
      #expect(abs(a.standardDeviation / b.standardDeviation - 1) < 0.045)
    }
  }

  @Test("a share of nearly nothing has the mean of its beta posterior", arguments: [1.0, 0.4])
  func bound(shape: Double) throws {
    // No success in 20 trials: Beta(shape, 22), whose density is highest at the bound, where the coordinate is −∞.
    let model = Model<Void> { m in
      let p = m.sample("p", Beta(shape, 2))
      m.observe("y", Binomial(20, probability: p), 0)
    }
    let plain = try LaplaceApproximation(model.logDensity(), from: [-2])
    let weighted = ImportanceSample(plain, effective: 4000, points: 2000, key: 1)
    #expect(weighted.warnings.isEmpty && weighted.effectiveCount >= 4000)
    // ∫ p^(a−1) (1−p)^21 / B(a, 2) dp.
    let logEvidence = logBeta(shape, 22) - logBeta(shape, 2)
    #expect(abs(weighted.logEvidence - logEvidence) < 0.05)
    let p = try weighted.sample(20_000, key: 1).scalar("p")
    let mean = shape / (shape + 22)
    let sd = (mean * (1 - mean) / (shape + 23)).squareRoot()
    #expect(abs(p.mean - mean) < 0.063 * sd)
    #expect(abs(p.standardDeviation / sd - 1) < 0.1)
    // The normal approximation itself is off by more than that.
    #expect(abs(plain.sample(20_000, key: 1).scalar("p").mean - mean) > 0.1 * sd)
  }

  @Test(
    "a polar pair near its pole has the right radius, angle and evidence",
    arguments: [0.0, 1.9], [false, true])
  func pole(theta: Double, isBroad: Bool) throws {
    // A point in the plane, seen with errors of 1 at a distance of 1, under a prior that is flat in radius and angle:
    // p(r, φ) ∝ exp(−|x − y|²/2), by a sum over a fine grid.
    let model = Model<Void> { m in
      let radius = m.sample("r", Uniform(0, 100))
      let angle = m.sample("theta", CircularUniform(period: .pi))
      m.observe("x", Normal(radius * cos(2 * angle), 1), cos(Tensor(2 * theta)))
      m.observe("y", Normal(radius * sin(2 * angle), 1), sin(Tensor(2 * theta)))
    }
    var (total, first, second, resultant) = (0.0, 0.0, 0.0, 0.0)
    for i in 0..<2000 {
      let r = (Double(i) + 0.5) * 0.004
      for j in 0..<200 {
        let angle = Double(j) * .pi / 100
        let weight = exp(-0.5 * (r * r - 2 * r * cos(angle)))
        total += weight
        first += weight * r
        second += weight * r * r
        resultant += weight * cos(angle)
      }
    }
    let (mean, length) = (first / total, resultant / total)
    let sd = (second / total - mean * mean).squareRoot()
    let density = try model.logDensity(broadAngles: isBroad ? ["theta"] : [])
    let plain = try LaplaceApproximation(
      density, from: density.unconstrain(["r": 1, "theta": theta]))
    let weighted = ImportanceSample(plain, effective: 8000, points: 5000, key: 2)
    #expect(weighted.warnings.isEmpty && weighted.effectiveCount >= 8000)
    // Steps of 0.004 in r and of a two-hundredth of a turn; both priors are densities, 1/100 and that of the circle.
    let evidence = total * exp(-0.5) / (2 * .pi) * 0.004 / 200 / 100
    #expect(abs(weighted.logEvidence - log(evidence)) < 0.04)
    let draws = try weighted.sample(40_000, key: 1)
    let r = draws.scalar("r")
    // Five errors of a mean of 8000 draws.
    #expect(abs(r.mean - mean) < 0.056 * sd)
    #expect(abs(r.standardDeviation / sd - 1) < 0.05)
    let angle = draws.scalar("theta")
    #expect(abs(try #require(angle.concentration) - length) < 0.04)
    var off = angle.mean - theta
    off -= .pi * (off / .pi).rounded()
    #expect(abs(off) < 0.05)
  }

  @Test("weights that leave next to nothing are told, and those of no finite point are no draws")
  func unreliable() throws {
    let dimension = 60
    let wide = Model<Void> { m in
      m.plate("i", dimension) { _ = m.sample("x", StudentT(3, 0, 1)) }
    }
    let start = (0..<dimension).map { 0.1 + 0.001 * Double($0) }
    let plain = try LaplaceApproximation(wide.logDensity(), from: start)
    let weighted = ImportanceSample(plain, rounds: 1)
    #expect(!weighted.isReliable && weighted.warnings.map(\.code) == [.paretoK])
    // Finite at the mode alone.
    let needle = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.factor("needle", select(square(x).isLess(than: 1e-20), Tensor(0), Tensor(-.infinity)))
    }
    let thin = ImportanceSample(
      try LaplaceApproximation(needle.logDensity(), from: [0]), rounds: 2)
    #expect(!thin.isReliable)
    #expect(throws: ModelError.self) { try thin.sample(10) }
  }

  @Test("draws depend on their key and number alone")
  func keys() throws {
    let plain = try LaplaceApproximation(line.logDensity(), from: [0, 0])
    let (a, b) = (ImportanceSample(plain, key: 4), ImportanceSample(plain, key: 4))
    #expect(a.logWeights == b.logWeights)
    let few = try a.sample(10, key: 1).sites.map(\.values)
    let many = try b.sample(20, key: 1).sites.map { Array($0.values.prefix(10)) }
    #expect(few == many)
    #expect(ImportanceSample(plain, key: 5).logWeights != a.logWeights)
    // Stopped at once there is one round all the same.
    let short = ImportanceSample(
      plain, effective: 1e9, points: 200, rounds: 9, isCancelled: { true })
    #expect(short.count == 200)
  }
}

/// Returns the log of the beta function.
private func logBeta(_ a: Double, _ b: Double) -> Double { lgamma(a) + lgamma(b) - lgamma(a + b) }
