// SPDX-License-Identifier: MIT
//
// Predictions, typed outputs and log likelihoods under draws.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Predictions")
struct PredictiveTests {
  /// Independent draws from the posterior of `line`, which is normal.
  static func lineDraws(_ count: Int = 4000) throws -> Draws {
    try LaplaceApproximation(line.logDensity(), from: [1, 1]).sample(count, key: 2)
  }

  /// Draws of the centred sites of eight schools, as a run of the non-centred form stores them.
  static let schools = Draws(
    chains: 2, draws: 3,
    sites: [
      Draws.Site(name: "mu", shape: [], values: [1, 2, 3, 4, 5, 6]),
      Draws.Site(name: "tau", shape: [], values: [1, 1, 2, 2, 3, 3]),
      Draws.Site(name: "theta", shape: [8], values: (0..<48).map { Double($0) * 100 }),
    ])

  @Test("replicated data scatter as the posterior and the noise together")
  func replicated() throws {
    let draws = try Self.lineDraws()
    let predictions = try Predictive(line, draws).sample(key: 3)
    #expect(predictions.names == ["y"] && predictions["y"].shape == [1, 4000, 6])
    for (k, scalar) in predictions.scalars.enumerated() {
      let lines = draws.map { $0["slope"].item() * abscissae[k] + $0["height"].item() }
      let mean = ScalarDraws(name: "line", values: lines)
      let variance = mean.standardDeviation * mean.standardDeviation + 0.49
      // Four thousand draws: five standard errors of a mean, and of a standard deviation.
      #expect(abs(scalar.mean - mean.mean) < 5 * 0.7 / 4000.0.squareRoot())
      #expect(
        abs(scalar.standardDeviation / variance.squareRoot() - 1) < 5 / 8000.0.squareRoot())
    }
  }

  @Test("a value depends on the key, its draw and its site alone")
  func keyed() throws {
    let draws = try Self.lineDraws(200)
    let all = try Predictive(line, draws).sample(key: 3)
    #expect(try Predictive(line, draws).sample(key: 3)["y"].elements == all["y"].elements)
    #expect(try Predictive(line, draws).sample(key: 4)["y"].elements != all["y"].elements)
    let few = try Predictive(line, draws.selecting(draws: 0..<50)).sample(key: 3)
    #expect(few["y"].elements == Array(all["y"].elements.prefix(300)))
    // A further site does not move the others.
    let longer = Model<Void> { m in
      m.call(line)
      m.sample("z", Normal(0, 1))
    }
    let more = try Predictive(longer, draws).sample(key: 3, sites: ["z", "y"])
    #expect(more["y"].elements == all["y"].elements)
    #expect(Set(more["z"].elements).count == 200)
  }

  @Test("draws of the original sites serve a reparameterised model, and the other way round")
  func reparameterized() throws {
    for model in [eightSchools, noncentred] {
      let y = try Predictive(model, Self.schools).sample(key: 1)["y"]
      #expect(y.shape == [2, 3, 8])
      // theta runs up in steps of 100, the errors are below 20.
      for (k, value) in y.elements.enumerated() {
        #expect(abs(value - Double(k) * 100) < 6 * errors[k % 8])
      }
    }
    let base = Draws(
      chains: 1, draws: 1,
      sites: [
        Draws.Site(name: "mu", shape: [], values: [7]),
        Draws.Site(name: "tau", shape: [], values: [2]),
        Draws.Site(name: "theta_base", shape: [8], values: (0..<8).map { Double($0) * 1000 }),
      ])
    let theta = try Predictive(noncentred, base).sample(sites: ["theta"])["theta"]
    #expect(theta.elements == (0..<8).map { 7 + 2000 * Double($0) })
  }

  @Test("a latent site without draws is a mistake, unless it is asked for")
  func missing() throws {
    let some = Self.schools.selecting(["mu", "tau"])
    for model in [eightSchools, noncentred] {
      let error = mistake { _ = try Predictive(model, some).sample() }
      #expect(error?.kind == .unknownSites(["theta"]), "\(String(describing: error))")
      let drawn = try Predictive(model, some).sample(key: 1, sites: ["theta", "y"])
      #expect(drawn.names == ["theta", "y"])
      #expect(drawn["theta"].elements.allSatisfy { abs($0) < 6 + 6 * 3 })
    }
    let unknown = mistake { _ = try Predictive(eightSchools, Self.schools).sample(sites: ["z"]) }
    #expect(unknown?.kind == .unknownSites(["z"]))
  }

  @Test("a parameter that was conditioned keeps its value, conditioned data are drawn anew")
  func conditioned() throws {
    let stated = Model<Void> { m in
      let mu = m.sample("mu", Normal(0, 5))
      let tau = m.sample("tau", HalfNormal(1))
      m.sample("y", Normal(mu + Tensor.zeros([3]), tau))
    }
    let model = stated.conditioned(on: ["mu": 100, "y": [1.0, 2, 3]])
    let draws = Draws(
      chains: 1, draws: 20,
      sites: [Draws.Site(name: "tau", shape: [], values: (0..<20).map { 0.5 + 0.01 * Double($0) })])
    let predictions = try Predictive(model, draws).sample(key: 2)
    #expect(predictions.names == ["y"])
    #expect(predictions["y"].elements.allSatisfy { abs($0 - 100) < 6 })
    let both = try Predictive(model, draws).sample(key: 2, sites: ["mu", "y"])
    #expect(both["mu"].elements.allSatisfy { abs($0) < 30 })
    // In the prior too.
    let prior = try Predictive(model, prior: 20).sample(key: 2)
    #expect(prior.names == ["tau", "y"])
    #expect(prior["y"].elements.allSatisfy { abs($0 - 100) < 30 })
  }

  @Test("the prior predictive holds every site, angles as angles, with the priors' moments")
  func prior() throws {
    let model = Model<Void> { m in
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      let rate = m.sample("rate", Gamma(4, 2))
      m.deterministic("twice", 2 * rate)
      m.plate("p", 3) { m.observe("n", Poisson(rate), [1.0, 2, 3]) }
      m.observe("u", Normal(cos(2 * theta), 0.1), 0.3)
      m.factor("f", rate)
    }
    // What the term of a factor is, a prior or a likelihood, cannot be told.
    let refused = mistake { _ = try Predictive(model, prior: 10).sample() }
    #expect(refused?.kind == .misuse && refused?.site == "f", "\(String(describing: refused))")
    let draws = try Predictive(model, prior: 4000, ignoresFactors: true).sample(key: 5)
    #expect(draws.names == ["theta", "rate", "twice", "n", "u"])
    #expect(draws.site("theta")?.period == Double.pi && draws.chains == 1)
    #expect(zip(draws["rate"].elements, draws["twice"].elements).allSatisfy { 2 * $0 == $1 })
    let rate = draws.scalar("rate")
    // Mean 2, standard deviation 1; counts have variance E rate + Var rate = 3. Five standard errors each.
    #expect(abs(rate.mean - 2) < 5 / 4000.0.squareRoot())
    #expect(abs(draws.scalar("n[1]").mean - 2) < 5 * 3.0.squareRoot() / 4000.0.squareRoot())
    #expect(abs(draws.scalar("n[1]").standardDeviation - 3.0.squareRoot()) < 0.15)
    #expect((draws.scalar("theta").concentration ?? 1) < 5 / 4000.0.squareRoot())
    let centred = try Predictive(noncentred, prior: 50).sample(key: 1)
    #expect(centred.names == ["mu", "tau", "theta", "y"])
  }

  @Test(
    "a flat prior serves predictions under draws; where it would have to be drawn from it is refused"
  )
  func flat() throws {
    let model = Model<Void> { m in
      let mu = m.sample("mu", ImproperUniform(.real))
      m.observe("y", Normal(mu, 1), 0)
    }
    let draws = Draws(
      chains: 1, draws: 3, sites: [Draws.Site(name: "mu", shape: [], values: [0, 100, 200])])
    let y = try Predictive(model, draws).sample(key: 1)["y"].elements
    #expect(zip(y, [0, 100, 200]).allSatisfy { abs($0 - $1) < 6 })
    let empty = Draws(chains: 1, draws: 3, sites: [])
    for predictive in [Predictive(model, prior: 10), Predictive(model, empty)] {
      let error = mistake { _ = try predictive.sample(sites: ["mu", "y"]) }
      #expect(error?.kind == .misuse && error?.site == "mu", "\(String(describing: error))")
    }
    let fixed = try Predictive(model.substituting(["mu": 50]), prior: 10).sample(sites: ["y"])
    #expect(fixed["y"].elements.allSatisfy { abs($0 - 50) < 6 })
  }

  @Test("a site confined to a set in which no draw is found is refused where it would be drawn")
  func missed() throws {
    let model = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1).restricted(to: .above(50)))
      m.observe("y", Normal(x, 1), 0)
    }
    let error = mistake { _ = try Predictive(model, prior: 10).sample() }
    #expect(error?.kind == .misuse && error?.site == "x", "\(String(describing: error))")
    let draws = Draws(
      chains: 1, draws: 2, sites: [Draws.Site(name: "x", shape: [], values: [51, 60])])
    #expect(try Predictive(model, draws).sample(key: 1)["y"].shape == [1, 2])
    // A value that was given is no stand-in, even where it is the same.
    let fixed = try Predictive(model.substituting(["x": 51]), prior: 10).sample(sites: ["y"])
    #expect(fixed["y"].elements.allSatisfy { abs($0 - 51) < 6 })
    // Rejection would find one rising vector of ten in three million.
    let rising = Model<Void> { m in
      m.sample("c", Normal(0, 1).expanded(to: [10]).restricted(to: .ordered))
    }
    let c = try Predictive(rising, prior: 20).sample(key: 1)["c"]
    #expect(Set(c.elements).count == 200)
  }

  @Test("deterministic sites are computed, those among the draws are left alone")
  func deterministic() throws {
    let model = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.deterministic("square", x * x)
      m.deterministic("cube", x * x * x)
    }
    let draws = Draws(
      chains: 1, draws: 3,
      sites: [
        Draws.Site(name: "x", shape: [], values: [1, 2, 3]),
        Draws.Site(name: "cube", shape: [], values: [0, 0, 0]),
      ])
    let more = try Predictive(model, draws).sample()
    #expect(more.names == ["square"] && more["square"].elements == [1, 4, 9])
    let both = try Predictive(model, draws).sample(sites: ["cube"])
    #expect(both["cube"].elements == [1, 8, 27])
  }

  @Test("a plate that is subsampled in the fit is whole in predictions and likelihoods")
  func wholePlates() throws {
    let data = (0..<10).map { Double($0) }
    let model = Model<Void> { m in
      let mu = m.sample("mu", Normal(0, 1))
      m.plate("p", 10, subsample: 3) { (indices: Tensor) in
        m.observe("y", Normal(mu, 1), Tensor(data).take(indices))
      }
    }
    let draws = Draws(
      chains: 1, draws: 2, sites: [Draws.Site(name: "mu", shape: [], values: [0, 100])])
    let y = try Predictive(model, draws).sample(key: 1)["y"]
    #expect(y.shape == [1, 2, 10])
    let likelihood = try logLikelihood(model, draws)
    #expect(likelihood["y"].shape == [1, 2, 10])
    // Not scaled up, in the order of the data.
    for (k, value) in likelihood["y"].elements.enumerated() {
      #expect(near(value, logNormal(data[k % 10], k < 10 ? 0 : 100, 1)))
    }
  }

  @Test("a model's own output under the draws is a list of typed values")
  func outputs() throws {
    struct Line: Sendable {
      var slope: Tensor
      var height: Tensor
      func callAsFunction(_ x: Double) -> Double { (slope * x + height).item() }
    }
    let model = Model<Line> { m in
      let slope = m.sample("slope", Normal(1, 2))
      let height = m.sample("height", Normal(-1, 3))
      m.observe("y", Normal(slope * Tensor(abscissae) + height, 0.7), ordinates)
      return Line(slope: slope, height: height)
    }
    let draws = try Self.lineDraws(100)
    let lines = try model.outputs(under: draws)
    #expect(lines.map { $0(2) } == draws.map { ($0["slope"] * 2 + $0["height"]).item() })
    let error = mistake { _ = try model.outputs(under: draws.selecting(["slope"])) }
    #expect(error?.kind == .unknownSites(["height"]))
  }

  @Test(
    "log likelihoods are those of each observation; masked ones do not count, scales are left out")
  func likelihoods() throws {
    let model = Model<Void> { m in
      let mu = m.sample("mu", Normal(0, 1))
      m.scale(0.1) {
        m.mask(Tensor([1, 0, 1])) { m.observe("a", Normal(mu, 2), [1.0, .nan, 3]) }
      }
      m.observe("b", Normal(mu * Tensor.ones([2]), 1).toEvent(1), [1.0, 2])
      m.factor("f", mu)
    }
    let draws = Draws(
      chains: 2, draws: 2, sites: [Draws.Site(name: "mu", shape: [], values: [0, 1, 2, 3])])
    let likelihood = try logLikelihood(model, draws)
    #expect(likelihood.draws.names == ["a", "b"])
    #expect(likelihood["a"].shape == [2, 2, 3] && likelihood["b"].shape == [2, 2])
    #expect(near(likelihood["a"].elements[5], logNormal(3, 1, 2)))
    #expect(likelihood["a"].elements[4] == 0)
    #expect(near(likelihood["b"].elements[3], logNormal(1, 3, 1) + logNormal(2, 3, 1)))
    #expect(likelihood.observations.map(\.name) == ["a[0]", "a[2]", "b"])
    let none = Model<Void> { m in m.factor("f", m.sample("mu", Normal(0, 1))) }
    #expect(mistake { _ = try logLikelihood(none, draws) }?.kind == .misuse)
  }

  @Test("a mistake that shows at one draw only is thrown, the first one")
  func failures() throws {
    let model = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      if x.item() > 50 { m.deterministic("y", x) }
      m.deterministic("y", x)
    }
    let draws = Draws(
      chains: 1, draws: 100,
      sites: [Draws.Site(name: "x", shape: [], values: (0..<100).map(Double.init))])
    let error = mistake { _ = try Predictive(model, draws).sample(sites: ["y"]) }
    #expect(error?.kind == .duplicateSite && error?.site == "y")
  }
}
