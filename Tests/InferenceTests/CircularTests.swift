// SPDX-License-Identifier: MIT
//
// Angles: their two coordinates, their densities, their directional summaries.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Angles")
struct CircularTests {
  @Test("the density in the plane is the prior of the angle once the radius is integrated out")
  func marginal() throws {
    let density = try Model { m in m.sample("theta", WrappedNormal(0.4, 0.6, period: Double.pi)) }
      .logDensity()
    #expect(density.dimension == 2)
    let evaluator = density.makeEvaluator()
    for angle in [0.0, 0.4, 1.3, 2.0, 3.0] {
      // p(φ) = ∫ p(r cos φ, r sin φ) r dr with φ = 2θ, so p(θ) = 2 p(φ). In s = log r: r² ds; the trapezium rule on ten
      // standard deviations either side converges faster than any power of the step.
      var total = 0.0
      let step = 0.01
      for k in -100...100 {
        let s = Double(k) * step
        let r = plain(s) { exp($0) }
        let q = [r * plain(2 * angle) { cos($0) }, r * plain(2 * angle) { sin($0) }]
        total += plain(evaluator.value(at: q)) { exp($0) } * r * r * step
      }
      let prior = plain(angle) {
        exp(WrappedNormal(0.4, 0.6, period: Double.pi).logProbability(of: $0))
      }
      #expect(near(2 * total, prior, 1e-12), "\(angle): \(2 * total), \(prior)")
    }
  }

  @Test(
    "on a wide ring the density is that of the narrow one but for the width, of the angle alone that is named"
  )
  func wideRing() throws {
    let model = Model { m in
      m.sample("a", WrappedNormal(0.4, 0.6, period: Double.pi))
      m.sample("b", CircularUniform(period: 1))
    }
    let narrow = try model.logDensity().makeEvaluator()
    let density = try model.logDensity(broadAngles: ["b"])
    #expect(density.broadAngles == ["b"])
    let wide = density.makeEvaluator()
    for s in [-0.2, 0, 0.15] {
      let r = plain(s) { exp($0) }
      // a lies off the ring by another distance, which makes no difference between the two.
      let q = [1.1 * plain(0.3) { cos($0) }, 1.1 * plain(0.3) { sin($0) }, 0.6 * r, 0.8 * r]
      // log N(s; 0, 0.3) − log N(s; 0, 0.1).
      let expected = -0.5 * s * s * (1 / 0.09 - 1 / 0.01) - plain(3) { log($0) }
      #expect(near(wide.value(at: q) - narrow.value(at: q), expected, 1e-12), "\(s)")
    }
    for wrong in ["c", "theta"] {
      let error = mistake { _ = try model.logDensity(broadAngles: [wrong, "b"]) }
      #expect(error?.kind == .unknownSites([wrong]))
    }
    let number = Model { m in m.sample("x", Normal(0, 1)) }
    #expect(
      mistake { _ = try number.logDensity(broadAngles: ["x"]) }?.kind == .unknownSites(["x"]))
  }

  @Test("an angle that the data leave open is sampled on a wide ring with half the work")
  func openAngle() throws {
    // The strength of the direction is as uncertain as large: the angle is known at times, at others not at all.
    let model = Model { m in
      let strength = m.sample("strength", Normal(0, 1))
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      m.observe("u", Normal(strength * cos(2 * theta), 0.5), 0.5)
      m.observe("v", Normal(strength * sin(2 * theta), 0.5), 0.2)
    }
    let choices: [Set<String>] = [[], ["theta"]]
    let work = try choices.map { broad -> Double in
      let density = try model.logDensity(broadAngles: broad)
      // One run tells the ratio to 15 %: it is 0.43 on the average.
      return try (1...8).reduce(0.0) { (sum: Double, key: UInt64) -> Double in
        let draws = try NUTS().run(density, chains: 4, draws: 2000, key: RandomKey(key))
        let theta = draws.scalar("theta")
        #expect(theta.rHat < 1.02, "\(theta.rHat)")
        let gradients = try #require(draws.statistics).gradients.reduce(0, +)
        return sum + Double(gradients) / theta.bulkESS
      }
    }
    #expect(work[1] < 0.5 * work[0], "\(work)")
  }

  @Test("the joint density of an angle knows nothing of the radius")
  func authored() throws {
    let density = try Model { m in m.sample("theta", WrappedNormal(0.4, 0.6, period: Double.pi)) }
      .logDensity()
    let joint = density.makeJointEvaluator()
    let prior = plain(0.7) { WrappedNormal(0.4, 0.6, period: Double.pi).logProbability(of: $0) }
    for radius in [0.5, 1, 3] {
      let q = [radius * plain(1.4) { cos($0) }, radius * plain(1.4) { sin($0) }]
      #expect(near(joint.value(at: q), prior))
    }
  }

  @Test("an angle has neither wall nor pole: the search passes the end of its interval")
  func throughTheWall() throws {
    // The mode lies at π − 0.05 on a circle of period π, the start just above 0.
    let model = Model { m in
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      m.observe("u", Normal(cos(2 * theta), 0.1), plain(-0.1) { cos($0) })
      m.observe("v", Normal(sin(2 * theta), 0.1), plain(-0.1) { sin($0) })
    }
    let density = try model.logDensity()
    let start = try density.unconstrain(["theta": 0.1])
    for joint in [false, true] {
      let evaluator = joint ? density.makeJointEvaluator() : density.makeEvaluator()
      for best in [
        LBFGS().maximize(evaluator, from: start),
        LevenbergMarquardt().maximize(evaluator, from: start),
      ] {
        #expect(best.isConverged, "\(best.explanation)")
        let theta = density.constrain(best.position)["theta"]?.item() ?? .nan
        // The tolerance of the search is 1e-10 in log density, 1.4e-5 of the standard deviation 0.05.
        #expect(near(theta, Double.pi - 0.05, 1e-5), "\(theta), joint \(joint)")
      }
    }
  }

  @Test("angles that lie on both sides of the end have a directional mean, deviation and quantiles")
  func summaries() {
    let period = Double.pi
    // Symmetric about 0.02, so the mean is known; some draws lie just below π.
    let offsets = (-500...500).map { Double($0) * 0.0004 }
    let values = offsets.map { offset -> Double in
      let x = 0.02 + offset
      return x < 0 ? x + period : x
    }
    let site = ScalarDraws(name: "theta", chains: 1, values: values, period: period)
    #expect(near(site.mean, 0.02, 1e-10))
    let spread = (offsets.reduce(0) { $0 + $1 * $1 } / 1000).squareRoot()
    #expect(near(site.standardDeviation, spread, 1e-12))
    let quantiles = site.quantiles([0, 0.5, 1])
    // On the branch around the mean they may leave [0, π).
    #expect(near(quantiles[0], -0.18, 1e-12) && near(quantiles[2], 0.22, 1e-12))
    #expect(near(quantiles[1], 0.02, 1e-12))
    #expect((site.concentration ?? 0) > 0.9)
    let all = ScalarDraws(
      name: "theta", chains: 1, values: (0..<1000).map { Double($0) * period / 1000 },
      period: period)
    // An even spread has no direction; rounding only is left.
    #expect((all.concentration ?? 1) < 1e-12)
  }

  @Test("a mean a rounding error below zero is reported inside the interval")
  func meanAtZero() {
    let site = ScalarDraws(
      name: "theta", chains: 1, values: [1e-17, Double.pi - 4e-16, 0, 0], period: Double.pi)
    #expect(site.mean >= 0 && site.mean < Double.pi)
  }

  @Test("plain draws have the mean, deviation and quantiles of NumPy")
  func plainSummaries() {
    let site = ScalarDraws(name: "x", chains: 1, values: [4, 1, 3, 2])
    #expect(site.mean == 2.5)
    #expect(near(site.standardDeviation, (5.0 / 3).squareRoot()))
    #expect(site.quantiles([0, 0.25, 0.5, 1]) == [1, 1.75, 2.5, 4])
    #expect(site.concentration == nil)
    let empty = ScalarDraws(name: "x", chains: 1, values: [])
    #expect(empty.quantiles([0.5])[0].isNaN)
  }
}
