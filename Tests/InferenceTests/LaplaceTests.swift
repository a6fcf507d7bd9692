// SPDX-License-Identifier: MIT
//
// The Laplace approximation: exact where the posterior is normal, honest where it is not.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Laplace approximation")
struct LaplaceTests {
  /// The exact posterior of `line`: mean, covariance and log evidence, by the normal equations.
  private static func exact() -> (mean: [Double], covariance: [Double], logEvidence: Double) {
    let w = 1 / (0.7 * 0.7)
    let (sx, sxx) = (abscissae.reduce(0, +), abscissae.reduce(0) { $0 + $1 * $1 })
    let n = Double(abscissae.count)
    // Precision = prior + XᵀX / σ².
    let (a, b, d) = (0.25 + w * sxx, w * sx, 1.0 / 9 + w * n)
    let right = [
      0.25 * 1 + w * zip(abscissae, ordinates).reduce(0) { $0 + $1.0 * $1.1 },
      1.0 / 9 * -1 + w * ordinates.reduce(0, +),
    ]
    let det = a * d - b * b
    let covariance = [d / det, -b / det, -b / det, a / det]
    let mean = [
      covariance[0] * right[0] + covariance[1] * right[1],
      covariance[2] * right[0] + covariance[3] * right[1],
    ]
    // log p(y) = log p(y | mean) + log p(mean) − log N(mean; mean, covariance).
    var joint = logNormal(mean[0], 1, 2) + logNormal(mean[1], -1, 3)
    for (x, value) in zip(abscissae, ordinates) {
      joint += logNormal(value, mean[0] * x + mean[1], 0.7)
    }
    let evidence = joint + 2 * 0.9189385332046727 - 0.5 * plain(det) { log($0) }
    return (mean, covariance, evidence)
  }

  @Test("mean, covariance and evidence of a linear Gaussian model are exact")
  func linear() throws {
    let (mean, covariance, evidence) = Self.exact()
    let approximation = try LaplaceApproximation(try line.logDensity(), from: [0, 0])
    #expect(approximation.mode.isConverged && approximation.flatDirections == 0)
    // The search stops 1e-10 below the maximum: 1.4e-5 of the standard deviations, which are 0.16 and 0.28.
    for (a, b) in zip(approximation.mode.position, mean) { #expect(near(a, b, 4e-6)) }
    for (a, b) in zip(approximation.covariance, covariance) { #expect(near(a, b, 1e-10)) }
    #expect(near(approximation.logEvidence, evidence, 1e-10))
    // The same evidence when the sites are written in another way.
    let other = try LaplaceApproximation(
      try line.reparameterized(["slope": LocScale(), "height": LocScale()]).logDensity(),
      from: [0, 0])
    #expect(near(other.logEvidence, evidence, 1e-10))
  }

  @Test("a direction that rounding alone bounds is flat; a condition of 10^11 is not")
  func roundedDirection() throws {
    for scale in [1.0, 0.3, 7.1] {
      let level = try Model { m in
        let a = m.sample("a", ImproperUniform(.real))
        let b = m.sample("b", ImproperUniform(.real))
        m.observe("y", Normal(a + b, scale), 0.5)
      }.logDensity()
      let flat = try LaplaceApproximation(level, from: [0.3, 0.1])
      #expect(flat.flatDirections == 1 && flat.warnings.contains { $0.code == .flat })
      #expect(flat.covariance[0] < 1e3, "\(flat.covariance)")
    }
    // Pivots 1 and 1 − r², where (1 + r) / (1 − r) is the condition of the scaled matrix.
    let r = 1 - 2e-11
    let sound = try Model { m in
      let a = m.sample("a", ImproperUniform(.real))
      let b = m.sample("b", ImproperUniform(.real))
      m.factor("f", -0.5 * (a * a + b * b + 2 * r * a * b))
    }.logDensity()
    #expect(try LaplaceApproximation(sound, from: [0, 0]).flatDirections == 0)
  }

  @Test("sites that the model does not have are refused with those it has")
  func unknownSites() throws {
    let approximation = try LaplaceApproximation(try line.logDensity(), from: [0, 0])
    let wrong = mistake { _ = try approximation.sample(10, sites: ["slop"]) }
    #expect(wrong?.kind == .unknownSites(["slop"]))
    #expect(wrong?.explanation.contains("slope") ?? false)
    let posterior = try VariationalPosterior(
      line,
      Model<Void> { m in
        m.sample("slope", Normal(m.param("a", 0), 1))
        m.sample("height", Normal(m.param("b", 0), 1))
      })
    let other = mistake { _ = try posterior.sample(10, sites: ["slop"]) }
    #expect(other?.kind == .unknownSites(["slop"]))
    #expect(other?.explanation.contains("slope") ?? false)
    #expect(try posterior.sample(10, sites: ["height"]).names == ["height"])
  }

  @Test("draws have the mean and covariance of the approximation")
  func moments() throws {
    let (mean, covariance, _) = Self.exact()
    let approximation = try LaplaceApproximation(try line.logDensity(), from: [0, 0])
    let draws = approximation.sample(20_000, key: 7)
    #expect(draws["slope"].shape == [1, 20_000] && draws.names == ["slope", "height"])
    let scalars = draws.scalars
    for k in 0..<2 {
      let sd = covariance[3 * k].squareRoot()
      // Standard errors sd/√20000 = 0.7 % and sd/√40000 = 0.5 %; five of them: one false failure in 10⁶ keys.
      #expect(abs(scalars[k].mean - mean[k]) < 5 * 0.0071 * sd)
      #expect(abs(scalars[k].standardDeviation / sd - 1) < 5 * 0.005)
    }
    let correlation =
      zip(scalars[0].values, scalars[1].values).reduce(0) {
        $0 + ($1.0 - mean[0]) * ($1.1 - mean[1])
      } / 20_000 / (covariance[0] * covariance[3]).squareRoot()
    // Standard error below 1/√20000.
    #expect(
      abs(correlation - covariance[1] / (covariance[0] * covariance[3]).squareRoot()) < 5 * 0.0071)
  }

  @Test("a draw depends on the key and its number alone")
  func keyed() throws {
    let approximation = try LaplaceApproximation(
      try eightSchools.conditioned(on: ["tau": 3]).logDensity(), from: .init(repeating: 0, count: 9)
    )
    let few = approximation.unconstrainedDraws(5, key: 1)
    let many = approximation.unconstrainedDraws(50, key: 1)
    #expect(few == Array(many[..<5]))
    #expect(approximation.unconstrainedDraws(5, key: 2) != few)
    let draws = try approximation.sample(50, key: 1, sites: ["theta", "mu"])
    #expect(draws["theta"].shape == [1, 50, 8])
    #expect(draws["mu"][0, 3].item() == many[3][0])
    #expect(draws.scalars.map(\.name).prefix(2) == ["theta[0]", "theta[1]"])
  }

  @Test("a direction without curvature is counted, and given unit variance")
  func flat() throws {
    let model = Model { m in
      let x = m.sample("x", Normal(0, 1))
      let z = m.sample("z", Normal(0, 1))
      // Takes the prior of z off: nothing is known of it.
      m.factor("f", 0.5 * square(z))
      m.observe("y", Normal(x, 1), 1)
    }
    let approximation = try LaplaceApproximation(try model.logDensity(), from: [0.2, 0.3])
    #expect(approximation.flatDirections == 1)
    #expect(near(approximation.covariance[0], 0.5) && near(approximation.covariance[3], 1))
  }

  @Test("an angle's approximation is that of the angle, far from the ends or at them")
  func angle() throws {
    for center in [1.0, 0.0] {
      let density = try Model { m in
        m.sample("theta", WrappedNormal(center, 0.05, period: Double.pi))
      }.logDensity()
      let start = try density.unconstrain(["theta": center + 0.1])
      let draws = try LaplaceApproximation(density, from: start).sample(10_000, key: 3)
      guard let theta = draws.scalars.first else { return }
      // Standard error 0.05/√10000; deviation within 1.5 % (the radius, see CircularBijector) and five standard errors.
      let distance = abs(theta.mean - center)
      #expect(min(distance, Double.pi - distance) < 5 * 0.0005)
      #expect(abs(theta.standardDeviation / 0.05 - 1) < 0.015 + 5 * 0.0071)
      #expect(theta.period == Double.pi)
    }
  }

  @Test("exact for a chain of any length", arguments: [1, 2, 30, 500])
  func dimensions(n: Int) throws {
    // x₀ ~ N(0, 1), x_k ~ N(0.8 x_(k−1), 0.6): a stationary chain of variance 1, each element observed with error 0.5.
    let key = RandomKey(8)
    let data = key.normals(n)
    let chain = Model<Void> { m in
      let x = m.plate("n", n) { m.sample("x", Normal(0, 1)) }
      if n > 1 {
        let steps = x[1..<n] - 0.8 * x[0..<(n - 1)]
        // The steps' density in place of the independent ones'.
        m.factor(
          "chain",
          Tensor.logDensity(.normal, steps, [Tensor(0), Tensor(0.6)]).sum()
            - Tensor.logDensity(.normal, x[1..<n], [Tensor(0), Tensor(1)]).sum())
      }
      m.observe("y", Normal(x, 0.5), data)
    }
    let density = try chain.logDensity()
    let start = [Double](repeating: 0.1, count: n)
    let approximation = try LaplaceApproximation(density, from: start)
    #expect(approximation.warnings.isEmpty, "\(approximation.warnings)")
    // Kalman filter: evidence, and mean and variance of the last element.
    var (mean, variance, evidence) = (0.0, 1.0, 0.0)
    for k in 0..<n {
      if k > 0 { (mean, variance) = (0.8 * mean, 0.64 * variance + 0.36) }
      let total = variance + 0.25
      evidence += logNormal(data[k], mean, total.squareRoot())
      mean += variance / total * (data[k] - mean)
      variance *= 0.25 / total
    }
    #expect(near(approximation.logEvidence, evidence, 1e-9), "\(approximation.logEvidence)")
    // 1e-10 in log density is 1.4e-5 of a standard deviation; L-BFGS guesses curvatures.
    #expect(abs(approximation.mode.position[n - 1] - mean) < 1e-4)
    #expect(near(approximation.covariance[n * n - 1], variance, 1e-10))
    let draws = approximation.unconstrainedDraws(4000, key: 1)
    let last = draws.map { $0[n - 1] }
    let center = last.reduce(0, +) / 4000
    let spread = last.reduce(0) { $0 + ($1 - center) * ($1 - center) } / 3999
    // Standard errors 1.6 % of the deviation and 2.2 % of the variance; five of them: 1e-6.
    #expect(abs(center - mean) < 5 * 0.016 * variance.squareRoot())
    #expect(abs(spread / variance - 1) < 5 * 0.0224)
    #expect(approximation.unconstrainedDraws(3, key: 1) == Array(draws[..<3]))
  }

  @Test("it says in words what makes it doubtful, and where")
  func words() throws {
    let model = Model { m in
      let x = m.sample("x", Normal(0, 1))
      let z = m.sample("z", Normal(0, 1))
      m.factor("f", 0.5 * square(z))
      m.observe("y", Normal(x, 1), 1)
    }
    let density = try model.logDensity()
    let flat = try LaplaceApproximation(density, from: [0.2, 0.3])
    #expect(flat.flatSites == ["z"] && flat.warnings.map(\.code) == [.flat])
    #expect(flat.warnings[0].message.contains("1 direction(s)") && flat.warnings[0].subject == "z")
    var hasty = LBFGS()
    hasty.maximumIterations = 1
    let early = try LaplaceApproximation(
      try eightSchools.conditioned(on: ["tau": 3]).logDensity(),
      from: .init(repeating: 9, count: 9),
      optimizer: hasty)
    #expect(early.mode.reason == .iterationLimit)
    #expect(early.warnings.first?.code == .notConverged)
    // A mode that is known needs no second search.
    let known = try LaplaceApproximation(
      density, at: LevenbergMarquardt().maximize(density.makeEvaluator(), from: [0.2, 0.3]))
    #expect(known.precision.lower == flat.precision.lower)
  }

  @Test("draws of an angle that nothing determines are uniform on the circle")
  func flatAngle() throws {
    let model = Model<Void> { m in
      m.sample("x", Normal(0, 1))
      m.sample("theta", CircularUniform(period: Double.pi))
    }
    let density = try model.logDensity()
    let start = try density.initialPoint(.values(["theta": Tensor(1)]))
    let draws = try LaplaceApproximation(density, from: start).sample(4000, key: 5)
    let theta = try #require(draws.scalars.first { $0.name == "theta" })
    // Counts in eight equal parts: χ² with 7 degrees of freedom exceeds 29.9 once in 10 000.
    var counts = [Double](repeating: 0, count: 8)
    for value in theta.values { counts[min(7, Int(value / Double.pi * 8))] += 1 }
    let chi = counts.reduce(0) { $0 + ($1 - 500) * ($1 - 500) / 500 }
    #expect(chi < 29.9, "\(counts)")
  }
}
