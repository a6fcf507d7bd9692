// SPDX-License-Identifier: MIT
//
// Variational inference with guides written by hand: exact guides, subsamples, the evidence bound, what goes wrong.

import AllocationCounter
import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Synchronization
import Tensors
import Testing

/// Seven heads in ten throws of a coin with a beta prior.
private let coin = Model { m in
  let p = m.sample("p", Beta(2, 3))
  m.plate("throws", 10) {
    m.observe("y", Bernoulli(probability: p), [1.0, 1, 0, 1, 1, 0, 1, 1, 0, 1])
  }
}

/// The guide of the coin: a beta distribution of its own, the posterior's where a = 9 and b = 6.
private func coinGuide(_ a: Double, _ b: Double) -> Model<Void> {
  Model<Void> { m in
    m.sample(
      "p", Beta(m.param("a", a, constraint: .positive), m.param("b", b, constraint: .positive)))
  }
}

/// The log evidence of the coin: log B(9, 6) − log B(2, 3).
private let coinEvidence = logBeta(9, 6) - logBeta(2, 3)

/// Data of a normal mean with known scale.
private let lengths = (0..<200).map { RandomKey(17).normal(UInt64($0)) * 1.5 + 0.7 }

/// A normal mean with known scale, the data in a plate of which a part is used.
private func mean(subsample: Int) -> Model<Void> {
  Model<Void> { m in
    let mu = m.sample("mu", Normal(0, 2))
    m.plate("data", 200, subsample: subsample) { indices in
      m.observe("y", Normal(mu, 1.5), Tensor(lengths).take(indices))
    }
  }
}

/// The guide of the mean.
private let meanGuide = Model<Void> { m in
  m.sample("mu", Normal(m.param("loc", 0), m.param("scale", 0.5, constraint: .positive)))
}

/// The mean and standard deviation of the posterior of the mean.
private let meanPosterior: (mean: Double, deviation: Double) = {
  let precision = 1 / 4.0 + 200 / (1.5 * 1.5)
  return (lengths.reduce(0, +) / (1.5 * 1.5) / precision, 1 / precision.squareRoot())
}()

@Suite("Stochastic variational inference")
struct SVITests {
  @Test("a skipped step does not end a round for want of progress")
  func skippedStep() throws {
    // The square root of a negative number: NaN at draws of the guide below −1.5, some in a hundred at first.
    let model = Model { m in
      let x = m.sample("x", Normal(3, 1))
      m.factor("f", 0 * sqrt(x + 1.5))
    }
    let guide = Model<Void> { m in
      m.sample("x", Normal(m.param("loc", 0), m.param("scale", 0.9, constraint: .positive)))
    }
    let fit = try SVI(model, guide, optimizer: .adam(0.02)).run(
      steps: 3000, patience: 500, key: 1)
    #expect(fit.losses.contains { !$0.isFinite })
    #expect(fit.losses.count > 1000, "\(fit.losses.count) steps: \(fit.explanation)")
    // The exact guide is in the family: its ELBO is 0, and the step size leaves the location within some 0.1.
    #expect(abs((fit.parameters["loc"]?.item() ?? .nan) - 3) < 0.3)
  }

  @Test("with the exact guide every draw gives the log evidence")
  func exact() throws {
    for loss in [TraceELBO(), TraceELBO(sticksTheLanding: true)] {
      let objective = try CompiledELBO(coin, coinGuide(9, 6), loss: loss)
      let draws = objective.makeEvaluator().estimates(at: objective.initial, count: 200, key: 1)
      // Some twenty terms of size up to 10, and a division by the density's own rounding near the ends.
      for value in draws { #expect(near(value, coinEvidence, 1e-12)) }
    }
    let posterior = try VariationalPosterior(coin, coinGuide(9, 6))
    let (value, error) = posterior.elbo(draws: 100)
    #expect(near(value, coinEvidence) && error < 1e-13)
  }

  @Test(
    "sticking the landing leaves no gradient at the exact guide, the plain estimate only on average"
  )
  func landing() throws {
    var noise: [Double] = []
    for loss in [TraceELBO(), TraceELBO(sticksTheLanding: true)] {
      let objective = try CompiledELBO(coin, coinGuide(9, 6), loss: loss)
      let evaluator = objective.makeEvaluator()
      var gradient = [0.0, 0]
      var largest = 0.0
      for step in 0..<100 {
        _ = evaluator.valueAndGradient(
          at: objective.initial, key: RandomKey(UInt64(step)), into: &gradient)
        largest = max(largest, gradient.map(abs).max() ?? 0)
      }
      noise.append(largest)
    }
    #expect(noise[0] > 0.1)
    // Terms of size 10 cancel to rounding.
    #expect(noise[1] < 1e-12)
  }

  @Test(
    "values that follow from others by a matrix product count as drawn when the landing is stuck to"
  )
  func landingOnProducts() throws {
    // The whitening matrix is constant, and its product with the draws is computed once with derivatives and once without:
    // the two may differ in their last bits.
    let guide = try AutoIAF(noncentred, hidden: [4], start: .laplace())
    let plain = try CompiledELBO(noncentred, guide.program, loss: TraceELBO())
    let stuck = try CompiledELBO(
      noncentred, guide.program, loss: TraceELBO(sticksTheLanding: true))
    let ours = plain.makeEvaluator().estimates(at: plain.initial, count: 20, key: 1)
    let theirs = stuck.makeEvaluator().estimates(at: stuck.initial, count: 20, key: 1)
    for (x, y) in zip(ours, theirs) { #expect(near(x, y, 1e-10), "\(x) and \(y)") }
  }

  @Test("a guide with params finds the posterior of a Beta–Bernoulli model")
  func betaBernoulli() throws {
    let svi = try SVI(
      coin, coinGuide(1, 1), optimizer: .adam(0.05), loss: TraceELBO(particles: 4))
    let result = svi.run(steps: 2000, rounds: 2, averaging: 0.5, key: 3)
    let (a, b) = (
      try #require(result.parameters["a"]).item(), try #require(result.parameters["b"]).item()
    )
    // The gradient of the coin's objective is noise of order one in the logarithms; averaged over the last 1000 steps of
    // size 0.005 it leaves some per cent. Mean and deviation are what the evidence bound resolves.
    #expect(abs(a / (a + b) - 0.6) < 0.005, "\(a), \(b)")
    let deviation = (a * b / ((a + b) * (a + b) * (a + b + 1))).squareRoot()
    #expect(abs(deviation / (9 * 6 / (225.0 * 16)).squareRoot() - 1) < 0.03, "\(a), \(b)")
    let (value, error) = result.elbo(draws: 4000)
    // An ELBO never exceeds the evidence, but for its Monte Carlo error; the gap is the divergence of the two betas.
    #expect(value < coinEvidence + 5 * error && value > coinEvidence - 1e-3 - 5 * error)
    #expect(result.reason == .steps && result.losses.count == 4000)
    let draws = result.sample(5000, key: 5)
    #expect(draws.names == ["p"])
    // Standard error 0.00173 of 5000 draws; five of them.
    #expect(abs(draws.scalars[0].mean - 0.6) < 0.009)
  }

  @Test("an ELBO with divergences in closed form has the same mean")
  func meanField() throws {
    let values = try [TraceELBO() as any ELBO, MeanFieldELBO()].map { loss -> [Double] in
      let objective = try makeObjective(loss)
      return objective.makeEvaluator().estimates(at: objective.initial, count: 4000, key: 2)
    }
    let means = values.map { $0.reduce(0, +) / 4000 }
    let variances = zip(values, means).map { values, mean in
      values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3999
    }
    // Five standard errors of the difference; the draws are the same, so it is smaller than that of independent ones.
    #expect(abs(means[0] - means[1]) < 5 * ((variances[0] + variances[1]) / 4000).squareRoot())
    // By hand: the likelihood at a draw, less the divergence of the betas.
    let objective = try makeObjective(MeanFieldELBO())
    let value = objective.makeEvaluator().estimates(at: objective.initial, count: 1, key: 9)[0]
    let p = VariationalPosterior(objective, at: objective.initial)
      .sample(1, key: RandomKey(9)).sites[0].values[0]
    let divergence = try #require(klDivergence(Beta(4, 3), Beta(2, 3))).item()
    #expect(near(value, 7 * Foundation.log(p) + 3 * Foundation.log(1 - p) - divergence))
  }

  /// Returns the objective of the coin at an inexact guide.
  private func makeObjective(_ loss: any ELBO) throws -> CompiledELBO {
    /// Opens the existential.
    func compiled(_ loss: some ELBO) throws -> CompiledELBO {
      try CompiledELBO(coin, coinGuide(4, 3), loss: loss)
    }
    return try compiled(loss)
  }

  @Test("a subsampled plate converges to the answer of all data")
  func subsample() throws {
    let svi = try SVI(
      mean(subsample: 20), meanGuide, optimizer: .adam(0.02), loss: TraceELBO(particles: 2))
    let result = svi.run(steps: 3000, rounds: 2, averaging: 0.5, key: 1)
    let (mu, sd) = (
      try #require(result.parameters["loc"]).item(), try #require(result.parameters["scale"]).item()
    )
    // A subsample of 20 of 200 moves the mean it sees by 1.5/√20 · √0.9 = 0.32, three posterior deviations of 0.106; averaged
    // over 1500 steps of two particles, correlated over some 30, it leaves 0.3 deviations.
    #expect(abs(mu - meanPosterior.mean) < meanPosterior.deviation, "\(mu), \(meanPosterior)")
    #expect(abs(sd / meanPosterior.deviation - 1) < 0.1, "\(sd), \(meanPosterior)")
    // The estimate's own mean is that of all data: the scale is right.
    let whole = try CompiledELBO(mean(subsample: 200), meanGuide)
    let exact = whole.makeEvaluator().estimates(at: result.state.parameters, count: 2000, key: 4)
    let parts = svi.makeEvaluator().estimates(at: result.state.parameters, count: 20_000, key: 4)
    let (x, y) = (exact.reduce(0, +) / 2000, parts.reduce(0, +) / 20_000)
    let scatter = parts.reduce(0) { $0 + ($1 - y) * ($1 - y) } / 20_000
    #expect(abs(x - y) < 5 * (scatter / 20_000).squareRoot() + 0.1, "\(x), \(y)")
  }

  @Test(
    "a plate subsampled in guide and model has the same elements in both, and is scaled in both")
  func localVariables() throws {
    let data = (0..<40).map { RandomKey(5).normal(UInt64($0)) }
    let model = Model<Void> { m in
      m.plate("objects", 40, subsample: 8) { indices in
        let z = m.sample("z", Normal(0, 1))
        m.observe("y", Normal(z, 1), Tensor(data).take(indices))
      }
    }
    // The posterior of z is N(y/2, 1/√2), so that every subsample's estimate is its own log evidence, scaled.
    let guide = Model<Void> { m in
      let loc = m.param("loc", Tensor(data.map { $0 / 2 }))
      m.plate("objects", 40, subsample: 8) { indices in
        m.sample("z", Normal(loc.take(indices), 0.5.squareRoot()))
      }
    }
    let objective = try CompiledELBO(model, guide)
    let estimates = objective.makeEvaluator().estimates(
      at: objective.initial, count: 400, key: 1)
    let evidence = data.map { logNormal($0, 0, 2.0.squareRoot()) }
    let total = evidence.reduce(0, +)
    let average = estimates.reduce(0, +) / 400
    let variance = estimates.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 399
    #expect(abs(average - total) < 5 * (variance / 400).squareRoot())
    // Each estimate is five times the evidence of eight distinct elements: one of the sums that exist.
    let mean = total / 40
    let spread = evidence.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 39
    // Sampling without replacement: variance 40² s² / 8 · (1 − 8/40).
    #expect(abs(variance / (1600 * spread / 8 * 0.8) - 1) < 0.4)
    let closed = try CompiledELBO(model, guide, loss: MeanFieldELBO())
    let other = closed.makeEvaluator().estimates(at: objective.initial, count: 4000, key: 1)
    #expect(abs(other.reduce(0, +) / 4000 - total) < 2)
  }

  @Test("the same key gives the same losses, other steps other noise, and a run can be continued")
  func keyed() throws {
    let svi = try SVI(coin, coinGuide(2, 2), optimizer: .adam(0.02))
    let whole = svi.run(steps: 60, key: 7)
    #expect(svi.run(steps: 60, key: 7).losses == whole.losses)
    #expect(svi.run(steps: 60, key: 8).losses != whole.losses)
    #expect(Set(whole.losses).count == 60)
    let first = svi.run(steps: 25, key: 7)
    let stored = try JSONDecoder().decode(
      SVIState.self, from: JSONEncoder().encode(first.state))
    #expect(stored == first.state)
    let second = svi.run(steps: 35, from: stored)
    #expect(first.losses + second.losses == whole.losses)
    #expect(second.state == whole.state)
    // Step by step, with a new evaluator at each.
    var state = svi.start(key: 7)
    let losses = (0..<60).map { _ in svi.update(&state, svi.makeEvaluator()) }
    #expect(losses == whole.losses)
  }

  @Test("a step allocates nothing", .enabled(if: allocation_count() >= 0))
  func allocations() throws {
    let svi = try SVI(
      mean(subsample: 20), meanGuide, loss: TraceELBO(particles: 2, isAntithetic: true))
    let evaluator = svi.makeEvaluator()
    var state = svi.start(key: 1)
    svi.update(&state, evaluator)
    let before = allocation_count()
    for _ in 0..<50 { svi.update(&state, evaluator) }
    #expect(allocation_count() - before == 0)
  }

  @Test("antithetic pairs cancel the noise of a linear objective")
  func antithetic() throws {
    let model = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.factor("f", 3 * x + 0.5 * square(x))
    }
    let guide = Model<Void> { m in m.sample("x", Normal(m.param("loc", 0.4), 1)) }
    let objective = try CompiledELBO(
      model, guide, loss: TraceELBO(particles: 2, isAntithetic: true))
    let evaluator = objective.makeEvaluator()
    var gradient = [0.0]
    for step in 0..<20 {
      _ = evaluator.valueAndGradient(
        at: objective.initial, key: RandomKey(UInt64(step)), into: &gradient)
      #expect(near(gradient[0], 3))
    }
  }

  @Test("rounds end on a plateau, and patience sees through the noise")
  func rounds() throws {
    let svi = try SVI(coin, coinGuide(2, 2), optimizer: .adam(0.05))
    let result = svi.run(steps: 5000, rounds: 3, patience: 100, key: 2)
    #expect(result.reason == .plateau)
    #expect(result.losses.count < 6000 && result.losses.count >= 600)
    #expect(result.losses.count % 100 == 0)
    let cancelled = svi.run(steps: 5000, key: 2, isCancelled: { true })
    #expect(cancelled.reason == .cancelled && cancelled.losses.isEmpty)
    #expect(cancelled.state.parameters == svi.objective.initial)
  }

  @Test("progress tells the ELBO and ends with a last update")
  func progress() throws {
    let last = Mutex<ProgressUpdate?>(nil)
    let svi = try SVI(coin, coinGuide(2, 2))
    let result = svi.run(
      steps: 200, key: 2, progress: Progress { update in last.withLock { $0 = update } })
    let update = try #require(last.withLock { $0 })
    #expect(update.isLast && update.completed == 200 && update.total == 200)
    #expect(update.details.map(\.name) == ["ELBO"])
    #expect(result.seconds >= 0)
  }

  @Test("guides that do not fit are refused with the reason")
  func mistakes() throws {
    /// Returns the kind of the mistake that a pair makes.
    func kind(_ model: Model<Void>, _ guide: @escaping @Sendable (ModelContext) -> Void)
      -> ModelError.Kind?
    {
      mistake { _ = try CompiledELBO(model, Model<Void>(guide)) }?.kind
    }
    let pair = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.sample("y", Normal(x, 1))
    }
    #expect(kind(pair) { m in m.sample("x", Normal(0, 1)) } == .unknownSites(["y"]))
    #expect(
      kind(pair) { m in for n in ["x", "y", "z"] { m.sample(n, Normal(0, 1)) } }
        == .unknownSites(["z"]))
    #expect(
      kind(pair) { m in
        m.sample("x", Normal(0, 1)); m.observe("y", Normal(0, 1), 1)
      } != nil)
    #expect(
      kind(pair) { m in
        m.sample("x", Normal(Tensor.zeros([2]), 1))
        m.sample("y", Normal(0, 1))
      } == .shapeMismatch(expected: [], found: [2]))
    let counts = Model<Void> { m in m.sample("k", Poisson(3)) }
    #expect(
      kind(counts) { m in m.sample("k", Poisson(m.param("r", 2, constraint: .positive))) }
        == .discreteLatent)
    #expect(kind(counts) { m in m.param("r", 2) } == .unknownSites(["k"]))
    #expect(
      kind(coin.erasedForTests) { m in m.sample("p", Normal(m.param("loc", 40), 1)) }
        == .outsideSupport)
    #expect(
      kind(pair) { m in
        let x = m.sample("x", Normal(m.param("loc", 0), 1))
        m.sample("y", Normal(x / 0.0, 1))
      } == .notFinite)
    #expect(
      kind(coin.erasedForTests) { m in
        m.sample("p", Normal(m.param("a", -2, constraint: .positive), 1))
      } == .outsideSupport)
    let reversed = Model<Void> { m in
      m.sample("y", Normal(0, 1))
      m.sample("x", Normal(0, 1))
    }
    #expect(
      mistake { _ = try CompiledELBO(pair, reversed, loss: MeanFieldELBO()) }?.kind == .misuse)
    #expect(mistake { _ = try CompiledELBO(pair, reversed) } == nil)
  }

  @Test("a distribution whose draws are plain numbers is refused")
  func frozenDraws() {
    let model = Model<Void> { m in m.sample("x", Normal(0, 1)) }
    let guide = Model<Void> { m in m.sample("x", Frozen(base: Normal(m.param("loc", 0), 1))) }
    #expect(mistake { _ = try CompiledELBO(model, guide) }?.kind == .misuse)
  }

  @Test("a model that makes its own random choices is drawn anew at each step")
  func ownKey() throws {
    let model = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.factor("f", x * m.key("noise").normal(0))
    }
    let guide = Model<Void> { m in m.sample("x", Normal(m.param("loc", 0), 1)) }
    let objective = try CompiledELBO(model, guide)
    let evaluator = objective.makeEvaluator()
    var gradient = [0.0]
    let slopes = (0..<50).map { step -> Double in
      _ = evaluator.valueAndGradient(at: [0], key: RandomKey(UInt64(step)), into: &gradient)
      return gradient[0]
    }
    #expect(Set(slopes).count == 50)
  }

  @Test("params in the model are fitted with those of the guide")
  func modelParameters() throws {
    // Empirical Bayes: with z ~ N(0, s) and y ~ N(z, 1) the evidence is largest where s² + 1 is the mean of y².
    let data = (0..<300).map { RandomKey(9).normal(UInt64($0)) * 2 }
    let model = Model<Void> { m in
      let s = m.param("s", 1, constraint: .positive)
      m.plate("objects", 300) {
        let z = m.sample("z", Normal(0, s))
        m.observe("y", Normal(z, 1), data)
      }
    }
    let guide = Model<Void> { m in
      let shrink = m.param("shrink", 0.5, constraint: .unitInterval)
      m.plate("objects", 300) { m.sample("z", Normal(shrink * Tensor(data), sqrt(shrink))) }
    }
    let svi = try SVI(model, guide, optimizer: .adam(0.02), loss: TraceELBO(particles: 2))
    #expect(svi.objective.parameters.names == ["shrink", "s"])
    let result = svi.run(steps: 1500, rounds: 2, averaging: 0.5, key: 1)
    let square = data.reduce(0) { $0 + $1 * $1 } / 300
    let s = try #require(result.parameters["s"]).item()
    // The evidence's own width in s is 10 %; 1 % of noise is left.
    #expect(abs(s / (square - 1).squareRoot() - 1) < 0.02, "\(s), \(square)")
  }
}

/// A distribution whose draws nothing can follow.
private struct Frozen: Distribution {
  let base: Normal
  var batchShape: Shape { [] }
  var eventShape: Shape { [] }
  var support: Constraint { .real }
  var description: String { "Frozen" }
  func logProbability(of value: Tensor) -> Tensor { base.logProbability(of: value) }
  func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    Tensor(key.normals(sampleShape.elementCount), shape: sampleShape)
  }
  func expanded(to batchShape: Shape) -> any Distribution { self }
}

extension Model {
  /// The model without its output.
  fileprivate var erasedForTests: Model<Void> { Model<Void> { m in m.call(self) } }
}
