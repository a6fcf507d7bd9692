// SPDX-License-Identifier: MIT
//
// Distributions at the ends of their range: large locations, far tails, narrow intervals, many degrees of freedom.

import Distributions
import Foundation
import Numerics
import Tensors
import Testing

@Suite("Distributions at the ends of their range")
struct ExtremesTests {
  /// Fails unless two numbers agree to a relative error.
  private func near(_ a: Double?, _ b: Double, _ tolerance: Double, _ name: String) {
    let a = a ?? .nan
    #expect(abs(a - b) <= tolerance * abs(b), "\(name): \(a), expected \(b)")
  }

  @Test("the variance of a mixture far from zero is that around its mean")
  func mixtures() {
    // 1e-12: the distances of means of 1e8 are whole numbers, the rest is rounding.
    let same = MixtureSameFamily(weights: [0.5, 0.5], Normal([1e8, 1e8 + 1], [1, 1]))
    near(same.variance?.item(), 1.25, 1e-12, "one family")
    let general = MixtureGeneral(
      weights: [0.3, 0.7], [Normal(2_460_000.5, 0.01), Normal(2_460_000.5, 0.02)])
    near(general.variance?.item(), 0.3 * 1e-4 + 0.7 * 4e-4, 1e-12, "general")
    let vectors = MixtureSameFamily(
      weights: [0.25, 0.75],
      Independent(Normal([[1e6, 0], [1e6 + 4, 8]].tensor, [[1, 2], [3, 4]].tensor), 1))
    let variance = vectors.variance?.elements ?? []
    for (found, expected) in zip(variance, [0.25 + 0.75 * 9 + 3, 0.25 * 4 + 0.75 * 16 + 12.0]) {
      near(found, expected, 1e-12, "vectors")
    }
    #expect(variance.count == 2)
  }

  @Test("the divergence of Poisson distributions takes rates and their logarithms alike")
  func poisson() {
    // λ (log λ − log μ) + μ − λ.
    let (a, b) = (7.38905609893065, 2.718281828459045)
    let expected = a * 1 + b - a
    // A few roundings, of logarithms among them.
    let forms: [(any KullbackLeibler, any Distribution)] = [
      (Poisson(a), Poisson(b)), (Poisson(logRate: 2), Poisson(logRate: 1)),
      (Poisson(logRate: 2), Poisson(b)), (Poisson(a), Poisson(logRate: 1)),
    ]
    for (p, q) in forms { near(p.divergence(to: q)?.item(), expected, 1e-14, "\(p)") }
    #expect(Poisson(0).divergence(to: Poisson(1))?.item() == 1)
  }

  @Test("draws of truncated normals far out are finite and as far apart as the tail is long")
  func truncation() {
    for low in [39.0, 45, 400] {
      let draws = Normal(0, 1).truncated(below: low, above: nil)
        .sample(key: 1, sampleShape: [4000]).elements
      #expect(draws.allSatisfy { $0 >= low && $0.isFinite })
      // Beyond z the tail is exponential, of length 1/z (1 − 2/z²).
      let mean = draws.reduce(0) { $0 + ($1 - low) } / 4000
      // The mean of 4000 exponential numbers is good to 1.6 %: five of these.
      near(mean, (1 - 2 / (low * low)) / low, 0.08, "\(low)")
    }
    let logarithmic = LogNormal(0, 0.1).truncated(below: 49.4, above: nil)
    #expect(logarithmic.sample(key: 2, sampleShape: [100]).elements.allSatisfy { $0.isFinite })
  }

  @Test("a normal far wider than its interval is uniform there")
  func narrow() {
    for scale in [1e3, 1e8, 1e12, 1e17] {
      let flat = TruncatedNormal(0, scale, low: 0, high: 1)
      // The density falls by 1/(2 scale²) from end to end; the mean of 1000 uniform numbers is good to 0.009, a fifth of the bound.
      #expect(abs(flat.logProbability(of: Tensor(0.5)).item()) < 1e-6, "\(scale)")
      let draws = flat.sample(key: 3, sampleShape: [1000]).elements
      #expect(Set(draws).count > 990 && draws.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(scale)")
      near(draws.reduce(0, +) / 1000, 0.5, 0.08, "\(scale)")
      near(flat.quantile(Tensor(0.25))?.item(), 0.25, 2e-3 / scale + 1e-10, "\(scale)")
    }
    // Both forms of the mass agree where one takes over: widths of 0.0299 and 0.0301 around 1 or less. A difference of distribution
    // functions of 0.01 is good to 1e-14.
    for width in [0.0299, 0.0301] {
      let d = TruncatedNormal(0, 1, low: 0.3, high: 0.3 + width)
      let middle = 0.3 + 0.5 * width
      let density = -0.5 * middle * middle - 0.9189385332046727
      let mass = normalCDF(0.3 + width) - normalCDF(0.3)
      #expect(
        abs(d.logProbability(of: middle.tensor).item() - density + Foundation.log(mass)) < 1e-12)
    }
  }

  @Test("the slope of a truncated normal far beside its interval keeps its digits")
  func slopes() {
    for loc in [1e4, 1e6] {
      // d/d loc log p at the middle is −1/2 + 1/loc, to 1/loc².
      let (_, slope) = valueAndGradient(at: loc.tensor) { x in
        TruncatedNormal(x, 1, low: 0, high: 1).logProbability(of: Tensor(0.5))
      }
      near(slope.item(), -0.5 + 1 / loc, 1e-3, "\(loc)")
    }
    let (_, tail) = valueAndGradient(at: Tensor(-1e6)) { logNormalCDF($0) }
    // Rounding.
    near(tail.item(), 1e6 + 1e-6, 1e-15, "log Φ")
  }

  @Test("Student's t of many degrees of freedom is the normal distribution")
  func student() {
    for dof in [1e8, 1e12] {
      // It differs by (x⁴ − 2 x² − 1) / (4 dof) in the logarithm, 16 / dof at 3.
      for x in [0.0, 1, 3] {
        let value = StudentT(dof, 0, 1).logProbability(of: x.tensor).item()
        #expect(abs(value - Normal(0, 1).logProbability(of: x.tensor).item()) < 40 / dof + 1e-14)
      }
      near(
        StudentT(dof, 0, 1).quantile(Tensor(0.025))?.item(), -1.959963984540054, 1e-7, "quantile")
    }
  }

  @Test("tails of Cauchy and half distributions keep their digits")
  func tails() {
    // Roundings of a few operations; 1 − 1e-12 itself is a number rounded to 1e-16.
    near(Cauchy(0, 1).cumulative(Tensor(-1e10))?.item(), 3.183098861837907e-11, 1e-14, "lower tail")
    near(
      Cauchy(0, 1).quantile(Tensor(1e-20))?.item(), -3.183098861837907e19, 1e-14, "lower quantile")
    near(
      HalfCauchy(1).quantile((1 - 1e-12).tensor)?.item(), 636_633_855_804, 1e-9, "upper quantile")
    near(
      HalfNormal(1).quantile(Tensor(1e-17))?.item(), 1.2533141373155003e-17, 1e-14, "half normal")
    near(
      HalfStudentT(3, 1).cumulative(Tensor(1e-17))?.item(), 7.351051938957228e-18, 1e-14, "half t")
    near(HalfStudentT(3, 1).quantile(Tensor(7.351051938957228e-18))?.item(), 1e-17, 1e-13, "half t")
  }

  @Test("angles of the smallest concentrations are drawn")
  func angles() {
    for kappa in [1.001e-8, 1.1e-8, 1e-6, 9.9e-5, 1.01e-4] {
      let draws = VonMises(0, kappa).sample(key: 4, sampleShape: [2000]).elements
      let mean = draws.reduce(0) { $0 + Foundation.cos($1) } / 2000
      // The mean cosine of 2000 uniform angles is good to 0.016: five of these.
      #expect(abs(mean) < 0.08, "\(kappa)")
    }
  }
}
