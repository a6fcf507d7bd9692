// SPDX-License-Identifier: MIT
//
// The compiled log density of a model against formulas written by hand.

import AllocationCounter
import Distributions
import Inference
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("Log density")
struct LogDensityTests {
  /// A point of the ten coordinates of eight schools: mu, log tau, and eight more.
  static let point: [Double] = [1.3, 0.4, -0.5, 1.1, 0.2, -1.4, 0.8, 0, 2.1, -0.7]

  @Test("centred eight schools has the density of the formula, Jacobian included")
  func centred() throws {
    let density = try eightSchools.logDensity()
    #expect(density.dimension == 10 && density.layout.names == ["mu", "tau", "theta"])
    #expect(density.layout["theta"]?.range == 2..<10 && density.layout["theta"]?.shape == [8])
    #expect(!density.isDynamic)
    let q = Self.point
    let tau = plain(q[1]) { exp($0) }
    var joint = logNormal(q[0], 0, 5) + logHalfCauchy(tau, 5)
    for k in 0..<8 {
      joint += logNormal(q[2 + k], q[0], tau) + logNormal(effects[k], q[2 + k], errors[k])
    }
    #expect(near(density.makeEvaluator().value(at: q), joint + q[1]))
    #expect(near(density.makeJointEvaluator().value(at: q), joint))
  }

  @Test("non-centred eight schools has the density of the formula, and the same authored joint")
  func noncentredDensity() throws {
    let density = try noncentred.logDensity()
    #expect(density.layout.names == ["mu", "tau", "theta_base"])
    #expect(density.authoredNames == ["mu", "tau", "theta"])
    let q = Self.point
    let tau = plain(q[1]) { exp($0) }
    var total = logNormal(q[0], 0, 5) + logHalfCauchy(tau, 5) + q[1]
    for k in 0..<8 {
      total += logNormal(q[2 + k], 0, 1) + logNormal(effects[k], q[0] + tau * q[2 + k], errors[k])
    }
    #expect(near(density.makeEvaluator().value(at: q), total))
    // The authored joint is that of the centred model at the same values.
    let values = density.constrain(q)
    let centred = try eightSchools.logDensity()
    let joint = centred.makeJointEvaluator().value(at: try centred.unconstrain(values))
    #expect(near(density.makeJointEvaluator().value(at: q), joint))
  }

  @Test("gradient and Hessian agree with finite differences")
  func derivatives() throws {
    for model in [eightSchools, noncentred] {
      let density = try model.logDensity()
      let function = density.function
      let names = density.layout.names.joined(separator: " ")
      let body = function
      checkDensity(names, density.makeEvaluator(), at: Self.point)
      checkDensity(names + " joint", density.makeJointEvaluator(), at: Self.point)
      #expect(body.inputCount == 10)
    }
  }

  @Test("the log joint density of a trace can itself be recorded and differentiated")
  func recordedTrace() throws {
    let joint = { @Sendable (q: Tensor) -> Tensor in
      let values = ["mu": q[0], "tau": exp(q[1]), "theta": q[2..<10]]
      return (try? eightSchools.substituting(values).trace().logJoint) ?? Tensor(.nan)
    }
    checkGradient("trace of eight schools", at: [Tensor(Self.point)]) { joint($0[0]) }
    let density = try eightSchools.logDensity().makeJointEvaluator()
    let slopes = gradient(at: Tensor(Self.point), of: joint).elements
    for (a, b) in zip(derivative(density, Self.point).gradient, slopes) { #expect(near(a, b)) }
  }

  /// Checks gradient, Hessian-vector products and Hessian against five-point differences.
  private func checkDensity(_ name: String, _ evaluator: DensityEvaluator, at q: [Double]) {
    let n = q.count
    let (_, g) = derivative(evaluator, q)
    let hessian = evaluator.hessian(at: q)
    let h = 1e-3
    for k in 0..<n {
      let at = { (steps: Double) -> (value: Double, gradient: [Double]) in
        var moved = q
        moved[k] += steps * h
        return derivative(evaluator, moved)
      }
      let (a, b, c, d) = (at(-2), at(-1), at(1), at(2))
      let slope = (8 * (c.value - b.value) - (d.value - a.value)) / (12 * h)
      // Rounding: 1e-16 of a value near 50, over 1e-3; truncation: h⁴ of a fifth derivative.
      #expect(near(g[k], slope, 1e-9), "\(name): derivative \(k): \(g[k]), \(slope)")
      for j in 0..<n {
        let bend =
          (8 * (c.gradient[j] - b.gradient[j]) - (d.gradient[j] - a.gradient[j])) / (12 * h)
        #expect(
          near(hessian[k * n + j], bend, 1e-9),
          "\(name): second derivative \(k) \(j): \(hessian[k * n + j]), \(bend)")
      }
    }
  }

  @Test(
    "a replayed gradient of eight schools allocates nothing", .enabled(if: allocation_count() >= 0))
  func allocations() throws {
    for model in [eightSchools, noncentred] {
      let evaluator = try model.logDensity().makeEvaluator()
      let q = Self.point
      var g = q
      _ = evaluator.valueAndGradient(at: q, into: &g)
      let before = allocation_count()
      for _ in 0..<1000 { _ = evaluator.valueAndGradient(at: q, into: &g) }
      #expect(allocation_count() - before == 0)
      #expect(evaluator.recordings == 0 && evaluator.evaluations == 1001)
    }
  }

  @Test("a support may depend on another latent site")
  func dependentSupport() throws {
    let model = Model { m in
      let low = m.sample("low", Normal(0, 1))
      let width = m.sample("width", Exponential(1))
      let x = m.sample("x", Uniform(low, low + width))
      m.sample("above", TruncatedNormal(0, 1, low: x))
    }
    let density = try model.logDensity()
    #expect(density.dimension == 4)
    let q = [0.3, -0.5, 0.8, 0.1]
    let values = density.constrain(q)
    let (low, width) = (0.3, plain(-0.5) { exp($0) })
    let x = low + width * plain(0.8) { sigmoid($0) }
    #expect(near(values["x"]?.item() ?? .nan, x))
    #expect(near(values["above"]?.item() ?? .nan, x + plain(0.1) { exp($0) }))
    let s = plain(0.8) { sigmoid($0) }
    let above = x + plain(0.1) { exp($0) }
    let mass = plain(x) { log(1 - normalCDF($0)) }
    let expected =
      logNormal(low, 0, 1) - width + (-0.5) + plain(s * (1 - s)) { log($0) }
      + logNormal(above, 0, 1) - mass + 0.1
    // The formula's 1 − Φ cancels to some 1e-15.
    #expect(near(density.makeEvaluator().value(at: q), expected, 1e-12))
    checkDensity("dependent", density.makeEvaluator(), at: q)
    for (a, b) in zip(try density.unconstrain(values), q) { #expect(near(a, b, 1e-12)) }
  }

  @Test("constrain and unconstrain are inverse for every kind of support")
  func roundTrips() throws {
    let model = Model { m in
      m.sample("real", Normal(Tensor([0, 1]), 1))
      m.sample("positive", Gamma(2, 1))
      m.sample("unit", Beta(2, 3))
      m.sample("interval", Uniform(-3, 7))
      m.sample("above", TruncatedNormal(0, 1, low: -2))
      m.sample("below", TruncatedNormal(0, 1, high: 2))
      m.sample("angle", CircularUniform(period: Double.pi))
      m.plate("p", 3) { m.sample("angles", WrappedNormal(1, 0.5, period: 2 * Double.pi)) }
    }
    let density = try model.logDensity()
    // 2 + 1 + 1 + 1 + 1 + 1 + 2 + 6.
    #expect(density.dimension == 15)
    for run in 0..<20 {
      let key = RandomKey(UInt64(run))
      let q = (0..<15).map { 2 * key.normal(UInt64($0)) }
      let values = density.constrain(q)
      let back = try density.unconstrain(values)
      let again = density.constrain(back)
      for (name, value) in values {
        for (a, b) in zip(value.elements, again[name]?.elements ?? []) {
          // Near a bound the coordinate loses digits, the value does not.
          #expect(near(a, b, 1e-12), "\(name): \(a), \(b)")
        }
      }
      for name in ["angle", "angles"] {
        let period = density.period(of: name) ?? .nan
        #expect(values[name]?.elements.allSatisfy { $0 >= 0 && $0 < period } ?? false)
      }
    }
  }

  @Test("a reparameterised site is given by its own name or by its base's")
  func reparameterizedValues() throws {
    let density = try noncentred.scoped("s").logDensity()
    #expect(density.layout["s/theta_base"]?.origin == "s/theta")
    let values = density.constrain(Self.point)
    #expect(values.keys.sorted() == ["s/mu", "s/tau", "s/theta"])
    for (a, b) in zip(try density.unconstrain(values), Self.point) { #expect(near(a, b, 1e-12)) }
    let base: [String: any TensorConvertible] = [
      "s/mu": Self.point[0], "s/tau": Tensor(Self.point[1]),
      "s/theta_base": Array(Self.point[2...]),
    ]
    #expect(throws: ModelError.self) {
      _ = try density.unconstrain(base.merging(["s/tau": -1.0]) { $1 })
    }
    let q = try density.unconstrain(base.merging(["s/tau": 2.0]) { $1 })
    #expect(q[2...] == Self.point[2...])
  }

  @Test("values that do not fit are refused with their site")
  func badValues() throws {
    let density = try eightSchools.logDensity()
    let theta = [Double](repeating: 0, count: 8)
    let refuse = { (values: [String: any TensorConvertible]) in
      mistake { _ = try density.unconstrain(values) }
    }
    #expect(refuse(["mu": 0, "tau": 1])?.kind == .unknownSites(["theta"]))
    #expect(
      refuse(["mu": 0, "tau": 1, "theta": theta, "phi": 2])?.kind == .unknownSites(["phi"]))
    let negative = refuse(["mu": 0, "tau": -1, "theta": theta])
    #expect(negative?.kind == .outsideSupport && negative?.site == "tau")
    let bound = refuse(["mu": 0, "tau": 0, "theta": theta])
    #expect(bound?.kind == .outsideSupport && bound?.site == "tau")
    let short = refuse(["mu": 0, "tau": 1, "theta": [1.0, 2.0]])
    #expect(short?.kind == .shapeMismatch(expected: [8], found: [2]) && short?.site == "theta")
    #expect(refuse(["mu": Double.nan, "tau": 1, "theta": theta])?.site == "mu")
    let base = try noncentred.logDensity()
    let wrong = mistake { _ = try base.unconstrain(["mu": 0, "tau": 1, "theta": [1.0, 2.0]]) }
    #expect(wrong?.kind == .shapeMismatch(expected: [8], found: [2]) && wrong?.site == "theta")
  }

  @Test("deterministic sites are computed from the vector")
  func deterministic() throws {
    let model = Model { m in
      let x = m.sample("x", LogNormal(0, 1))
      m.deterministic("magnitude", log(x) * -2.5)
      m.deterministic("constant", 3)
    }
    let density = try model.logDensity()
    #expect(density.deterministicNames == ["magnitude", "constant"])
    let values = density.constrain([0.4], sites: ["magnitude", "constant", "x", "nothing"])
    #expect(near(values["magnitude"]?.item() ?? .nan, -1))
    #expect(values["constant"]?.item() == 3)
    #expect(values["nothing"]?.item().isNaN ?? false)
    let constrainer = density.makeConstrainer(sites: ["magnitude"])
    #expect(near(constrainer.tangent([0.4], [1], site: 0)[0], -2.5))
  }

  @Test("a dynamic model is right everywhere, and counted")
  func dynamic() throws {
    let model = Model { m in
      let x = m.sample("x", Normal(0, 2))
      // Control flow on a value: the likelihood is another one on either side.
      if x.isGreater(than: 1).isTrue {
        m.observe("y", Normal(x, 1), 2)
      } else {
        m.observe("y", StudentT(3, x * 2, 1), 2)
      }
    }
    let density = try model.logDensity()
    #expect(density.isDynamic)
    let evaluator = density.makeEvaluator()
    for (round, x) in [0.5, 1.5, -3, 4, 0.99].enumerated() {
      let likelihood =
        x > 1
        ? logNormal(2, x, 1)
        : StudentT(3, x * 2, 1).logProbability(of: Tensor(2)).item()
      #expect(near(evaluator.value(at: [x]), logNormal(x, 0, 2) + likelihood))
      #expect(evaluator.recordings == round + 1)
    }
    checkDensity("dynamic above", density.makeEvaluator(), at: [2.0])
    checkDensity("dynamic below", density.makeEvaluator(), at: [-0.5])
    #expect(try !eightSchools.logDensity().isDynamic)
  }

  @Test("where control flow changes the latent sites the density is NaN, not wrong")
  func changingSites() throws {
    let model = Model { m in
      let x = m.sample("x", Normal(0, 1))
      if x.isGreater(than: 50).isTrue { m.sample("a", Normal(0, 1)) }
      if x.isLess(than: 40).isTrue { m.sample("b", Normal(0, 1)) }
    }
    let density = try model.logDensity()
    #expect(density.layout.names == ["x", "b"])
    let evaluator = density.makeEvaluator()
    #expect(near(evaluator.value(at: [1, 2]), logNormal(1, 0, 1) + logNormal(2, 0, 1)))
    #expect(evaluator.value(at: [45, 2]).isNaN)
    #expect(evaluator.value(at: [60, 2]).isNaN)
  }

  @Test(
    "handlers with values: condition and substitute fix a site, mask and scale change the density")
  func handlers() throws {
    let held = try eightSchools.conditioned(on: ["tau": 2]).logDensity()
    let fixed = try eightSchools.substituting(["tau": 2]).logDensity()
    #expect(held.layout.names == ["mu", "theta"] && fixed.layout.names == ["mu", "theta"])
    #expect(fixed.authoredNames == ["mu", "theta"])
    let q = [1.3] + Self.point[2...]
    let free = try eightSchools.logDensity()
    let full = q[..<1] + [plain(2) { log($0) }] + q[1...]
    let joint = free.makeJointEvaluator().value(at: Array(full))
    #expect(near(held.makeEvaluator().value(at: q), joint))
    #expect(near(fixed.makeEvaluator().value(at: q), joint))
    let scaled = try noncentred.scaled(by: 0.5).logDensity()
    #expect(
      near(
        2 * scaled.makeJointEvaluator().value(at: Self.point),
        try noncentred.logDensity().makeJointEvaluator().value(at: Self.point)))
    let blocked = try eightSchools.blocked(hiding: ["y"]).logDensity()
    #expect(
      near(
        blocked.makeJointEvaluator().value(at: Self.point),
        free.makeJointEvaluator().value(at: Self.point)
          - (0..<8).reduce(0) {
            $0 + logNormal(effects[$1], Self.point[2 + $1], errors[$1])
          }))
  }

  @Test("models without a fixed continuous density are refused, and told what to do")
  func refused() {
    let kind = { (model: Model<Void>) in mistake { _ = try model.logDensity() } }
    let subsampled = kind(
      Model { m in
        let x = m.sample("x", Normal(0, 1))
        m.plate("data", 100, subsample: 10) { (_: Tensor) in
          m.observe("y", Normal(x, 1), Tensor.zeros([10]))
        }
      })
    #expect(subsampled?.kind == .noFixedDensity)
    #expect(subsampled.map { "\($0)".contains("stochastic variational") } ?? false)
    // Even where nothing stands in the plate: its indices are used elsewhere.
    let indices = kind(
      Model { m in
        let x = m.sample("x", Normal(0, 1))
        let chosen = m.plate("data", 100, subsample: 10) { $0 }
        m.observe("y", Normal(x, 1), chosen)
      })
    #expect(indices?.kind == .noFixedDensity && indices?.site == "data")
    let discrete = kind(
      Model { m in
        m.sample("k", Poisson(3)); m.sample("x", Normal(0, 1))
      })
    #expect(discrete?.kind == .discreteLatent && discrete?.site == "k")
    let key = kind(
      Model { m in m.factor("f", m.sample("x", Normal(0, 1)) * m.key("k").uniform(0)) })
    #expect(key?.kind == .noFixedDensity && key?.site == "k")
    let empty = kind(Model { m in m.observe("y", Normal(0, 1), 1) })
    #expect(empty?.kind == .noLatentSites)
    let nothing: Double? = nil
    let chained = kind(
      Model { m in
        let x = m.observe("x", Normal(m.sample("mu", Normal(0, 1)), 1), nothing)
        m.observe("y", Normal(x, 1), 2)
      })
    #expect(chained?.kind == .noFixedDensity)
    let shape = mistake { _ = try eightSchools.conditioned(on: ["theta": [1, 2]]).logDensity() }
    #expect(shape?.kind == .shapeMismatch(expected: [8], found: [2]))
    #expect(shape?.plates == ["schools"])
  }

  @Test("data to be predicted cost nothing and change nothing")
  func predicted() throws {
    let nothing: [Double]? = nil
    let model = { (shape: Double) in
      Model { m in
        let x = m.sample("x", LogNormal(0, 1))
        m.observe("seen", Normal(x, 1), 2)
        m.observe("unseen", Gamma(x * shape, Tensor([1, 2, 3])), nothing)
      }
    }
    let density = try model(1).logDensity()
    // Drawing a gamma variable reads its parameter: the density must not draw it.
    #expect(!density.isDynamic)
    let z = 0.3
    let x = plain(z) { exp($0) }
    #expect(near(density.makeEvaluator().value(at: [z]), logNormal(z, 0, 1) + logNormal(2, x, 1)))
    #expect(density.constrain([z], sites: ["unseen"])["unseen"]?.item().isNaN ?? false)
  }
}
