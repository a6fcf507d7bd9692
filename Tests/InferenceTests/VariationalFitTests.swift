// SPDX-License-Identifier: MIT
//
// Fits in one call: exact on normal posteriors, right on skew ones, honest on those no normal guide follows.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Synchronization
import Tensors
import Testing

/// Neal's funnel with two branches, whose scale is far from normal given nothing else.
private let funnel = Model<Void> { m in
  let v = m.sample("v", Normal(0, 1.5))
  m.sample("x", Normal(Tensor.zeros([2]), exp(0.5 * v)).toEvent(1))
}

/// A skew posterior of two dimensions in unconstrained coordinates, whose moments are known: gamma variables.
private let skew = Model<Void> { m in
  let a = m.sample("a", Gamma(12, 3))
  m.sample("b", Gamma(20, a))
}

@Suite("Variational fits")
struct VariationalFitTests {
  @Test("a linear Gaussian model is fitted exactly, at once")
  func exact() throws {
    let fit = try VariationalFit.multivariateNormal(line.logDensity(), key: 1)
    #expect(fit.reason == .converged && fit.warnings.isEmpty)
    // Ten steps and the twenty that the verdict asks for, sixteen gradients each.
    #expect(fit.gradients == 480)
    let laplace = try LaplaceApproximation(line.logDensity(), from: [0, 0])
    // Every weight is the evidence: rounding alone is left after thirty steps.
    #expect(near(fit.diagnostics.elbo, laplace.logEvidence, 1e-9))
    #expect(fit.diagnostics.elboError < 1e-9 && fit.diagnostics.paretoK < 0)
    #expect(near(fit.diagnostics.logEvidence, laplace.logEvidence, 1e-9))
    #expect(fit.sample(20).names == ["slope", "height"])
  }

  @Test("the best normal guide has no gradient left, and is not the Laplace approximation")
  func best() throws {
    let density = try skew.logDensity()
    let fit = try VariationalFit.multivariateNormal(
      density, key: 2, tolerance: 0.003, maximumGradients: 40_000)
    #expect(fit.reason == .converged && fit.warnings.isEmpty, "\(fit.gradients)")
    // The evidence is one: there are no data. The bound is close, as the skewness of log-gamma variables is small.
    #expect(fit.diagnostics.elbo < 5 * fit.diagnostics.elboError)
    #expect(fit.diagnostics.elbo > -0.03, "\(fit.diagnostics.elbo)")
    // Left tails of log-gamma variables are heavier than the guide's, whose k is then above any bound in a few of the draws:
    // so little weight lies there that it is no reason to warn.
    #expect(fit.diagnostics.efficiency > 0.9 && abs(fit.diagnostics.logEvidence) < 0.05)
    // The exact mean of log a is ψ(12) − log 3; the mode of the density of log a, at which Laplace expands, is lower.
    let draws = fit.sample(40_000, key: 3)
    let logs = draws["a"].elements.map { Foundation.log($0) }
    let mean = logs.reduce(0, +) / 40_000
    let expected = digamma(Tensor(12)).item() - Foundation.log(3)
    #expect(abs(mean - expected) < 0.01, "\(mean), \(expected)")
    // Gradients of an independent objective at the fitted params: zero to the tolerance of the fit.
    let objective = try CompiledELBO(
      skew, fit.guide.program, loss: TraceELBO(particles: 2000, sticksTheLanding: true))
    var gradient = objective.initial
    _ = objective.makeEvaluator().valueAndGradient(
      at: objective.initial, key: 9, into: &gradient)
    for slope in gradient { #expect(abs(slope) < 0.02, "\(gradient)") }
  }

  @Test("the same key gives the same fit, and a cancelled one says so")
  func keyed() throws {
    let density = try skew.logDensity()
    let fits = try [RandomKey(1), 1, 2].map {
      try VariationalFit.multivariateNormal(density, key: $0).diagnostics.elbo
    }
    #expect(fits[0] == fits[1] && fits[0] != fits[2])
    let cancelled = try VariationalFit.multivariateNormal(density, isCancelled: { true })
    #expect(cancelled.reason == .cancelled && cancelled.gradients == 0)
    #expect(cancelled.warnings.contains { $0.code == .cancelled })
  }

  @Test("a fit that is stopped gives the best guide so far, and progress is told")
  func stopped() throws {
    let density = try InferenceTests.banana.logDensity()
    let told = Mutex<[ProgressUpdate]>([])
    let normal = try VariationalFit.multivariateNormal(density, key: 1)
    // Twice as many questions as the normal fit asks: the flow has then begun, and is far from its end.
    var questions = 0
    let fit = try VariationalFit.flow(
      density, steps: 1_000_000, key: 1,
      progress: .reporting { update in told.withLock { $0.append(update) } },
      isCancelled: {
        questions += 1
        return questions > 1200
      })
    #expect(fit.reason == .cancelled && fit.warnings.contains { $0.code == .cancelled })
    #expect(fit.diagnostics.elbo > normal.diagnostics.elbo - 0.1)
    #expect(fit.sample(100, key: 1).names == ["x", "y"])
    told.withLock { updates in
      #expect(updates.count { $0.isLast } == 2, "one for the normal distribution, one for the flow")
      #expect(updates.allSatisfy { $0.completed <= $0.total })
    }
  }

  @Test("a hierarchy without a maximum is fitted from where the search began, and doubted in words")
  func noMaximum() throws {
    let fit = try VariationalFit.multivariateNormal(eightSchools.logDensity(), key: 2)
    #expect(fit.diagnostics.elbo.isFinite)
    #expect(!fit.warnings.isEmpty, "\(fit.diagnostics)")
  }

  @Test("a banana: the normal fit warns, the flow comes close to the evidence")
  func banana() throws {
    let density = try InferenceTests.banana.logDensity()
    let normal = try VariationalFit.multivariateNormal(density, key: 1)
    #expect(normal.diagnostics.efficiency < 0.5, "\(normal.diagnostics)")
    #expect(normal.warnings.contains { $0.code == .paretoK })
    let flow = try VariationalFit.flow(density, hidden: [16, 16], steps: 4000, key: 1)
    let bound = flow.diagnostics.elbo
    #expect(flow.reason == .steps)
    #expect(bound > -0.06 && bound < 5 * flow.diagnostics.elboError, "\(flow.diagnostics)")
    #expect(bound > normal.diagnostics.elbo + 0.3)
    let draws = flow.sample(20_000, key: 2)
    #expect(abs(draws.scalar("x").standardDeviation - 1) < 0.1)
    #expect(abs(draws.scalar("y").mean - 1) < 0.2)
  }

  @Test("angles of every width are fitted, and their evidence is that of the model")
  func angles() throws {
    for deviation in [0.005, 0.3, 3] {
      let model = Model<Void> { m in
        let theta = m.sample("theta", WrappedNormal(3.1, deviation, period: Double.pi))
        m.sample("x", Normal(0.5 * sin(2 * theta), 0.1 + deviation))
      }
      let density = try model.logDensity()
      let start = try density.unconstrain(["theta": 3, "x": 0])
      let fit = try VariationalFit.multivariateNormal(density, from: start, key: 1)
      // x depends on an angle of a third of a turn and more in a way that is not linear: the bound is below the evidence 0.
      #expect(fit.diagnostics.elbo < 5 * fit.diagnostics.elboError + 1e-9)
      #expect(fit.diagnostics.elbo > (deviation < 0.1 ? -0.001 : -0.1), "\(fit.diagnostics)")
      let theta = fit.sample(10_000, key: 2).scalar("theta")
      if deviation < 0.1 {
        #expect(abs(theta.mean - 3.1) < 5 * deviation / 100)
        #expect(abs(theta.standardDeviation / deviation - 1) < 0.03)
      }
      if deviation > 1 { #expect((theta.concentration ?? 1) < 0.1) }
    }
  }

  @Test("a funnel is sampled well after neural transport: the density is the model's")
  func transport() throws {
    let fit = try VariationalFit.flow(funnel.logDensity(), hidden: [12, 12], steps: 3000, key: 1)
    let easy = funnel.reparameterized(by: try NeuTra(fit))
    let density = try easy.logDensity()
    #expect(density.layout.names == [NeuTra.siteName])
    #expect(density.authoredNames == ["v", "x"])
    // The density of the noise is that of the model at the transported point, times the determinant: integrated, one.
    let draws = try NUTS().run(density, chains: 4, warmUp: 500, draws: 1000, key: 2)
    let v = draws.scalar("v")
    #expect(v.rHat < 1.01 && v.bulkESS > 800, "\(v.rHat), \(v.bulkESS)")
    // Five Monte Carlo errors.
    #expect(abs(v.mean) < 5 * v.meanError)
    #expect(abs(v.standardDeviation / 1.5 - 1) < 5 / (2 * v.bulkESS).squareRoot() + 0.02)
    let statistics = try #require(draws.statistics)
    #expect(Double(statistics.divergences) < 0.01 * 4000)
    // Without transport the neck is not reached, or diverges.
    let hard = try NUTS().run(
      funnel.logDensity(), chains: 4, warmUp: 500, draws: 1000, key: 2)
    #expect(hard.scalar("v").bulkESS < 0.7 * v.bulkESS)
  }

  @Test("a banana's moments are right after transport by a flow, and by a normal guide")
  func transportedBanana() throws {
    let density = try InferenceTests.banana.logDensity()
    let fits = [
      try VariationalFit.flow(density, hidden: [16, 16], steps: 3000, key: 1),
      try VariationalFit.multivariateNormal(density, key: 1),
    ]
    for fit in fits {
      let easy = try InferenceTests.banana.reparameterized(by: NeuTra(fit)).logDensity()
      // A normal guide leaves a banana as it is, and its bend asks for short steps.
      let draws = try NUTS(targetAcceptance: 0.99).run(
        easy, chains: 4, warmUp: 1000, draws: 5000, key: 3)
      let (x, y) = (draws.scalar("x"), draws.scalar("y"))
      #expect(x.rHat < 1.01 && y.rHat < 1.01, "\(x.rHat), \(y.rHat)")
      // x ~ N(0, 1), y = x² + N(0, ½): mean 1, variance 2¼, fourth central moment 75.94: relative error of its deviation
      // √((75.94/2.25² − 1)/(4 ess)). Five Monte Carlo errors.
      #expect(abs(x.mean) < 5 * x.meanError && abs(y.mean - 1) < 5 * y.meanError)
      #expect(abs(x.standardDeviation - 1) < 5 / (2 * x.tailESS).squareRoot())
      #expect(abs(y.standardDeviation / 1.5 - 1) < 5 * (3.5 / y.tailESS).squareRoot())
    }
  }

  @Test("a transported model has its author's joint density, sites, and periods of angles")
  func transportedDensity() throws {
    let model = Model<Void> { m in
      let a = m.sample("a", Gamma(3, 2))
      let theta = m.sample("theta", WrappedNormal(1, 0.5, period: Double.pi))
      m.plate("p", 2) { m.sample("z", Normal(a, 1)) }
      m.observe("y", Normal(sin(theta), 1), 0.3)
      m.deterministic("twice", 2 * a)
    }
    for guide in [
      try AutoMultivariateNormal(model, scale: 1.5) as any VectorAutoGuide,
      try AutoIAF(model, scale: 1.5), try AutoBNAF(model, scale: 1.5),
    ] {
      /// Opens the existential.
      func transported(_ guide: some VectorAutoGuide) throws -> Model<Void> {
        model.reparameterized(by: try NeuTra(guide))
      }
      let density = try transported(guide).logDensity()
      let plain = try model.logDensity()
      let noise = [0.3, -0.4, 0.8, -1.1]
      let values = density.constrain(noise, sites: ["a", "theta", "z", "twice"])
      #expect(near(values["twice"]?.item() ?? 0, 2 * (values["a"]?.item() ?? 1)))
      // The authored density is that of the model at the same values.
      let q = try plain.unconstrain(values.filter { $0.key != "twice" })
      let joint = density.makeJointEvaluator().value(at: noise)
      #expect(near(joint, plain.makeJointEvaluator().value(at: q), 1e-10))
      #expect(density.period(of: "theta") == Double.pi && density.period(of: "a") == nil)
      // The density of the noise divided by N(0, 1) is the guide's weight p / q: both have the evidence as their mean.
      let evaluator = density.makeEvaluator()
      let count = 20_000
      let own = (0..<count).map { k in
        let z = RandomKey(3).folding(in: k).normals(4)
        let base = z.reduce(0) { $0 - 0.5 * $1 * $1 - 0.9189385332046727 }
        return Foundation.exp(evaluator.value(at: z) - base)
      }
      let weights = try VariationalPosterior(model, guide.program).logWeights(count, key: 4)
        .map { Foundation.exp($0) }
      let means = [own, weights].map { $0.reduce(0, +) / Double(count) }
      let errors = zip([own, weights], means).map { values, mean in
        (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }).squareRoot() / Double(count)
      }
      #expect(abs(means[0] - means[1]) < 5 * (errors[0] + errors[1]), "\(means), \(errors)")
      #expect(errors.allSatisfy { $0 < 0.05 * means[0] }, "\(errors)")
    }
    // A guide for another model, or a value from outside, is a mistake with a message.
    let guide = try AutoMultivariateNormal(model)
    let given = model.reparameterized(by: try NeuTra(guide)).conditioned(on: ["a": 1])
    #expect(mistake { _ = try given.logDensity() }?.kind == .misuse)
    let low = try AutoLowRankMultivariateNormal(model)
    #expect(mistake { _ = try NeuTra(low) }?.kind == .misuse)
  }

  @Test("diagnostics tell good guides from bad ones, and points from guides")
  func diagnostics() throws {
    let model = Model<Void> { m in m.sample("x", Normal(0, 1)) }
    /// Returns the diagnostics of a normal guide of a given scale.
    func of(_ scale: Double) throws -> GuideDiagnostics {
      try VariationalPosterior(model, Model<Void> { m in m.sample("x", Normal(0, scale)) })
        .diagnostics(draws: 4000, key: 1)
    }
    // A narrower guide's weights have k = 1 − s² for normal tails.
    #expect(try of(0.4).paretoK > 0.7 && of(0.4).warnings.map(\.code) == [.paretoK])
    // So narrow that a fit of its tail has nothing to hold on to.
    #expect(try of(1e-3).warnings.map(\.code) == [.paretoK])
    #expect(try of(0.95).paretoK < 0.5 && of(0.95).warnings.isEmpty)
    let exact = try of(1)
    #expect(exact.paretoK == -.infinity && exact.efficiency == 1 && exact.logEvidence == 0)
    let wide = try of(1.3)
    #expect(wide.efficiency > 0.5 && wide.efficiency < 1 && abs(wide.logEvidence) < 0.05)
    let point = try VariationalPosterior(model, AutoDelta(model).program).diagnostics()
    #expect(point.paretoK.isNaN && point.warnings.isEmpty)
  }
}
