// SPDX-License-Identifier: MIT
//
// The examples of Models/WritingModels.md: their text, their densities by hand, and what they recover from simulated data.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("Writing models") struct WritingModelsTests {
  @Test("the lines of every Swift block occur, in order, in the compiled examples")
  func text() throws {
    try checkSwiftBlocks(
      of: "Models/WritingModels.md",
      in: [
        "Tests/ReferenceModelsTests/WritingModelsExamples.swift",
        "Tests/InferenceTests/OwnKernel.swift",
      ], atLeast: 28)
  }

  /// A small design: an intercept and two columns.
  private static let design = Tensor(
    [1, 0.3, -1, 1, 1.2, 0.4, 1, -0.7, 0.9, 1, 0.1, 2, 1, -1.5, -0.2], shape: [5, 3])

  /// All programs of the article on small data.
  static let programs: [(String, Model<Void>)] = [
    ("line", line(x: [0, 1, 2], y: [0.1, 2, 4.2])),
    ("priors", Model { m in m.call(priors(n: 3)) }),
    ("vectors", Model { m in m.call(vectors()) }),
    (
      "Poisson",
      poissonRegression(design: design, exposure: [1, 2, 1, 3, 1], counts: [0, 3, 1, 9, 0])
    ),
    ("logistic", logisticRegression(design: design, y: [0, 1, 1, 1, 0])),
    ("grades", grades(x: [0.1, -1, 2, 0.4], grade: [0, 1, 3, 2])),
    (
      "intercepts",
      varyingIntercepts(group: [0, 0, 1, 2], groups: 3, x: [0, 1, 2, 3], y: [1, 2, 0, 5])
    ),
    (
      "slopes", varyingSlopes(group: [0, 0, 1, 2], groups: 3, x: [0, 1, 2, 3], y: [1, 2, 0, 5])
    ),
    ("two kinds", twoKinds(y: [-1, 0.2, 4, 5])),
    ("capture", captureRecapture(seen: [2, 0, 1, 0, 0], occasions: 4)),
    ("change", changePoint(counts: [1, 0, 2, 5, 6, 4])),
    (
      "topics",
      topics(word: [0, 2, 3, 1], document: [0, 0, 1, 1], documents: 2, words: 4, count: 2)
    ),
    ("orthogonal", orthogonalRegression(design: design, y: [0, 1, 0.5, 2, -1])),
    ("volatility", stochasticVolatility(y: [0.1, -0.5, 1.2])),
    (
      "map",
      diseaseMap(
        node1: [0, 1], node2: [1, 2], exposure: [3, 1, 2], x: [0.1, 0, -1], counts: [2, 0, 3],
        scaling: 0.6)
    ),
    ("arma", arma(y: [0.1, 0.4, -0.3, 1])),
    (
      "Lotka–Volterra",
      lotkaVolterra(times: [0, 1, 2], counts: Tensor([30, 4, 47, 6, 70, 10], shape: [3, 2]))
    ),
    ("one compartment", oneCompartment(times: [1, 3, 9], concentrations: [9, 11, 7])),
    ("process", poissonProcess(x: [0, 1, 2, 3], counts: [1, 2, 2, 0])),
    ("missing", missingResponses(x: [1, 2, 3], y: [1.1, nil, 2.9])),
  ]

  @Test("every program has a fixed density with a finite gradient", arguments: programs.indices)
  func densities(_ index: Int) throws {
    let (name, model) = Self.programs[index]
    let density = try model.logDensity()
    #expect(!density.isDynamic, "\(name)")
    let evaluator = density.makeEvaluator()
    // Three starting points, at which the search has found both finite.
    for seed in 0..<3 {
      let q = try density.initialPoint(key: RandomKey(UInt64(seed)))
      var g = [Double](repeating: 0, count: density.dimension)
      let value = evaluator.valueAndGradient(at: q, into: &g)
      let direction = (0..<q.count).map { 0.3 - 0.2 * Double($0 % 3) }
      let along = zip(g, direction).reduce(0.0) { $0 + $1.0 * $1.1 }
      let h = 1e-5
      let moved = { (step: Double) in
        evaluator.value(at: zip(q, direction).map { $0 + step * $1 })
      }
      let slope = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
      // Five-point differences: rounding of the value over the step.
      #expect(abs(along - slope) <= 1e-6 * max(1, abs(slope)) + 1e-10 * abs(value), "\(name)")
    }
  }

  /// Returns log(e^a + e^b + …).
  private func logSum(_ terms: [Double]) -> Double {
    let top = terms.max() ?? 0
    return top + log(terms.reduce(0) { $0 + exp($1 - top) })
  }

  /// Returns the log probability of a Poisson count.
  private func poisson(_ k: Double, _ rate: Double) -> Double {
    k * log(rate) - rate - lgamma(k + 1)
  }

  @Test("sums over discrete variables are those over all their values")
  func discreteSums() throws {
    let seen: [Double] = [2, 0, 1, 0, 0]
    let (omega, p) = (0.6, 0.3)
    let choose = [1.0, 4, 6]
    let expected = seen.reduce(0.0) { total, s in
      let caught = choose[Int(s)] * pow(p, s) * pow(1 - p, 4 - s)
      return total + log(omega * caught + (s == 0 ? 1 - omega : 0))
    }
    let value = logJoint(
      captureRecapture(seen: seen, occasions: 4), ["omega": Tensor(omega), "p": Tensor(p)])
    // Sums of a dozen terms of size one.
    #expect(abs(value.item() - expected) < 1e-13)

    let counts: [Double] = [1, 0, 2, 5, 6, 4]
    let (early, late) = (1.2, 4.5)
    let terms = counts.indices.map { switched -> Double in
      counts.indices.reduce(0.0) { total, t in
        total + poisson(counts[t], t <= switched ? early : late)
      } - log(6)
    }
    let change = logJoint(
      changePoint(counts: counts), ["early": Tensor(early), "late": Tensor(late)])
    #expect(abs(change.item() - (logSum(terms) - early - late)) < 1e-12)
  }

  @Test("the recursion of the moving average is that of its definition")
  func movingAverage() {
    let y: [Double] = [0.1, 0.4, -0.3, 1]
    let (mu, phi, theta, sigma) = (0.2, 0.5, -0.4, 0.7)
    var error = y[0] - (mu + phi * mu)
    var expected = normal(error, 0, sigma)
    for t in 1..<4 {
      error = y[t] - (mu + phi * y[t - 1] + theta * error)
      expected += normal(error, 0, sigma)
    }
    expected += normal(mu, 0, 10) + normal(phi, 0, 2) + normal(theta, 0, 2)
    expected += halfCauchy(sigma, 2.5)
    let value = logJoint(
      arma(y: y),
      ["mu": Tensor(mu), "phi": Tensor(phi), "theta": Tensor(theta), "sigma": Tensor(sigma)])
    #expect(abs(value.item() - expected) < 1e-13)
  }

  // MARK: - Recovery

  /// Samples a model and checks the truth against the posterior's means and standard deviations.
  ///
  /// - Parameters:
  ///   - name: The name in messages.
  ///   - model: The model, with simulated data.
  ///   - truth: The values from which the data were simulated, by scalar.
  /// - Throws: What compiling and sampling throw.
  private func recover(
    _ name: String, _ model: Model<Void>, truth: [String: Double]
  ) throws {
    let draws = try NUTS().run(model.logDensity(), chains: 4, warmUp: 500, draws: 500, key: 3)
    for (scalar, value) in truth {
      let found = draws.scalar(scalar)
      // Fixed data and key; 4.5 posterior sds for some twenty scalars: a false failure in 1 of 7000 simulations.
      #expect(
        abs(found.mean - value) < 4.5 * found.standardDeviation,
        "\(name): \(scalar) is \(found.mean) ± \(found.standardDeviation), truth \(value)")
      // 2000 draws: a hundred independent ones know the mean to a tenth of a standard deviation. Short chains of a scale
      // parameter come near 200, for one key above and for another below.
      #expect(found.rHat < 1.05, "\(name): \(scalar) has R-hat \(found.rHat)")
      #expect(found.bulkESS > 100, "\(name): \(scalar) has bulk ESS \(found.bulkESS)")
    }
    #expect(Double(draws.statistics?.divergences ?? 0) <= 2, "\(name)")
  }

  /// A careless regression, of condition number above 10^11: the year and its square as they are, a predictor in a large unit.
  private static func careless() -> (design: Tensor, y: [Double]) {
    let n = 400
    let key = RandomKey(5)
    let year = (0..<n).map { 1960 + 60 * key.uniform(UInt64($0)) }
    let columns = [
      Tensor.ones([n]), Tensor(year) / 1000, square(Tensor(year)) / 1e6 * 20,
      Tensor(key.folding(in: "other").normals(n)) * 3e4,
    ]
    let design = Tensor.stack(columns, axis: 1)
    let noise = Tensor(key.folding(in: "noise").normals(n)) * 0.3
    return (design, (design.matmul(Tensor([1.5, -0.4, 0.05, 2e-4])) + noise).elements)
  }

  /// Checks the coefficients of the careless regression against least squares with its prior, in closed form.
  private func checkCareless(_ draws: Draws, _ design: Tensor, _ y: [Double]) {
    let sigma = draws.scalar("sigma").mean
    let precision = design.transposed().matmul(design) / (sigma * sigma) + Tensor.identity(4)
    let factor = precision.cholesky()
    // The largest and the smallest pivot of the factor bound the condition number from below.
    let pivots = square(factor.diagonal()).elements
    #expect((pivots.max() ?? 0) / (pivots.min() ?? 1) > 1e11)
    let mean = factor.choleskySolve(Tensor(y).matmul(design) / (sigma * sigma)).elements
    let sds = sqrt(factor.choleskySolve(Tensor.identity(4)).diagonal()).elements
    for k in 0..<4 {
      let found = draws.scalar("beta[\(k)]")
      // The posterior given the mean of sigma: that of the coefficients hardly depends on it, with 400 data. Errors of a mean
      // of 400 draws at least: 0.05 sd, five of them.
      #expect(abs(found.mean - mean[k]) < 0.25 * sds[k], "\(found.mean), \(mean[k]) ± \(sds[k])")
      #expect(abs(found.standardDeviation / sds[k] - 1) < 0.15, "\(found.standardDeviation)")
      #expect(found.rHat < 1.01 && found.bulkESS > 400, "\(found.rHat), \(found.bulkESS)")
    }
  }

  @Test("a regression of condition number 10^11 is sampled with defaults on orthogonal predictors")
  func orthogonal() throws {
    let (design, y) = Self.careless()
    let draws = try NUTS().run(
      orthogonalRegression(design: design, y: y).logDensity(), chains: 4, warmUp: 500, draws: 500,
      key: 3, sites: .all)
    checkCareless(draws, design, y)
  }

  @Test(
    "the same regression as it stands is sampled with defaults, and with the metric of its curvature"
  )
  func asItStands() throws {
    let (design, y) = Self.careless()
    let model = Model { m in
      let beta = m.sample("beta", Normal(0, 1).expanded(to: [4]))
      let sigma = m.sample("sigma", HalfCauchy(2.5))
      m.observe("y", Normal(design.matmul(beta), sigma), y)
    }
    let density = try model.logDensity()
    checkCareless(try NUTS().run(density, chains: 4, warmUp: 1000, draws: 500, key: 1), design, y)
    checkCareless(try sampleByCurvature(density), design, y)
  }

  @Test("a line through years, with a condition number of 10^11, is sampled with defaults")
  func years() throws {
    // Summers of 62 years, taken as they are: slope and intercept are correlated to 0.99996, and their conditional standard
    // deviations differ by a factor of 2000.
    let x = (0..<62).map { 1952 + Double($0) }
    let noise = RandomKey(4).normals(62)
    let y = zip(x, noise).map { 9.3 + 0.02 * ($0 - 1982) + 1.1 * $1 }
    let model = Model { m in
      let alpha = m.sample("alpha", Normal(9.3, 100))
      let beta = m.sample("beta", Normal(0, 0.0333))
      let sigma = m.sample("sigma", ImproperUniform(.positive))
      m.observe("y", Normal(alpha + beta * Tensor(x), sigma), y)
    }
    let draws = try NUTS().run(model.logDensity(), chains: 4, warmUp: 1000, draws: 1000, key: 2)
    let (alpha, beta) = (draws.scalar("alpha"), draws.scalar("beta"))
    // The least-squares line with the slope's prior, in closed form: the intercept's hardly matters.
    let center = x.reduce(0, +) / 62
    let spread = x.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    let slope = zip(x, y).reduce(0) { $0 + ($1.0 - center) * $1.1 } / spread
    let variance = 1.1 * 1.1
    let shrunk = slope * (spread / variance) / (spread / variance + 1 / (0.0333 * 0.0333))
    #expect(abs(beta.mean - shrunk) < 0.15 * beta.standardDeviation + 5 * beta.meanError)
    #expect(alpha.rHat < 1.01 && beta.rHat < 1.01)
    #expect(alpha.bulkESS > 400 && beta.bulkESS > 400)
    let height = alpha.values.enumerated().map { $1 + center * beta.values[$0] }
    let mean = height.reduce(0, +) / Double(height.count)
    let observed = y.reduce(0, +) / 62
    // The line's height in the middle has a standard deviation of 1.1 / √62.
    #expect(abs(mean - observed) < 0.3 * 1.1 / 62.0.squareRoot())
  }

  @Test("switching of wells is recovered")
  func wells() throws {
    let n = 1500
    let key = RandomKey(8)
    let distance = (0..<n).map { 0.5 + key.folding(in: "d").uniform(UInt64($0)) }
    let arsenic = key.folding(in: "a").normals(n).map { exp(0.5 * $0) }
    let design = Tensor.stack([Tensor.ones([n]), Tensor(distance), Tensor(arsenic)], axis: 1)
    let beta: [Double] = [0.2, -0.9, 0.5]
    let logits = design.matmul(Tensor(beta)).elements
    let y = logits.enumerated().map { k, eta in
      key.folding(in: "y").uniform(UInt64(k)) < 1 / (1 + exp(-eta)) ? 1.0 : 0
    }
    try recover(
      "wells", logisticRegression(design: design, y: y),
      truth: ["beta[0]": 0.2, "beta[1]": -0.9, "beta[2]": 0.5])
  }

  @Test("predator and prey are recovered through their equations")
  func predatorAndPrey() throws {
    let times = (0..<16).map { Double($0) * 1.25 }
    let rates: [Double] = [0.55, 0.028, 0.80, 0.024]
    let path = rungeKutta(from: Tensor([33, 6]), times: times, stepsPerInterval: 40) { _, y in
      Tensor.stack([(rates[0] - rates[1] * y[1]) * y[0], (rates[3] * y[0] - rates[2]) * y[1]])
    }
    let noise = Tensor(RandomKey(3).normals(32), shape: [16, 2]) * 0.1
    let counts = exp(log(path) + noise)
    try recover(
      "predator and prey", lotkaVolterra(times: times, counts: counts),
      truth: [
        "rates[0]": 0.55, "rates[1]": 0.028, "rates[2]": 0.80, "rates[3]": 0.024,
        "start[0]": 33, "start[1]": 6, "sigma[0]": 0.1, "sigma[1]": 0.1,
      ])
  }

  @Test("absorption and elimination of a drug are recovered")
  func drug() throws {
    let times = (1...20).map(Double.init)
    let truth = [0.8, 2, 3].map { Tensor($0) }
    let path = solveDifferentialEquation(
      from: Tensor(0), times: [0] + times, parameters: truth, method: .kennedyCarpenter
    ) { t, y, p in exp(-p[0] * t) * p[0] * 15 - p[1] / 2 * y / (p[2] + y) }
    let noise = Tensor(RandomKey(5).normals(20)) * 0.1
    let concentrations = (path[1...] * exp(noise)).elements
    try recover(
      "one compartment", oneCompartment(times: times, concentrations: concentrations),
      truth: ["k_a": 0.8, "V_m": 2, "K_m": 3, "sigma": 0.1])
  }

  @Test("groups with correlated intercepts and slopes are recovered, non-centred")
  func correlatedGroups() throws {
    let (groups, each) = (30, 8)
    let key = RandomKey(2)
    let effects = MultivariateNormal(
      [1.0, -0.5], cholesky: Tensor([0.8, 0, 0.3, 0.4], shape: [2, 2])
    ).sample(key: key, sampleShape: [groups])
    let group = (0..<(groups * each)).map { $0 / each }
    let x = key.folding(in: "x").normals(groups * each)
    let noise = key.folding(in: "noise").normals(groups * each)
    let y = group.indices.map { k in
      effects[group[k], 0].item() + effects[group[k], 1].item() * x[k] + 0.5 * noise[k]
    }
    try recover(
      "groups", varyingSlopes(group: group, groups: groups, x: x, y: y),
      truth: [
        "mean[0]": 1, "mean[1]": -0.5, "scales[0]": 0.8, "scales[1]": 0.5, "L[1,0]": 0.6,
        "sigma": 0.5,
      ])
  }

  @Test("the sums over topics and over pairs of neighbours are those of their definitions")
  func sumsOverPairs() {
    let theta = [[0.3, 0.7], [0.6, 0.4]]
    let phi = [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]]
    let (words, documents) = ([0, 2, 3, 1], [0, 0, 1, 1])
    let likelihood = words.indices.reduce(0.0) { total, k in
      let (w, d) = (words[k], documents[k])
      return total + log(theta[d][0] * phi[0][w] + theta[d][1] * phi[1][w])
    }
    let prior =
      theta.reduce(0.0) { $0 + dirichlet($1, 0.5) } + phi.reduce(0.0) { $0 + dirichlet($1, 0.3) }
    let model = topics(word: words, document: documents, documents: 2, words: 4, count: 2)
    let value = logJoint(model, ["theta": theta.tensor, "phi": phi.tensor])
    // Sums of a dozen terms.
    #expect(abs(value.item() - likelihood - prior) < 1e-12)

    let (p, exposure, x) = ([0.3, -0.1, 0.2], [3.0, 1, 2], [0.1, 0, -1])
    let (counts, z) = ([2.0, 0, 3], [0.5, -0.4, 0.1])
    let (a, b, s, rho) = (0.2, -0.3, 0.7, 0.4)
    var expected = normal(a, 0, 1) + normal(b, 0, 1) + normal(s, 0, 1) + log(2.0)
    expected += lgamma(1) - 2 * lgamma(0.5) - 0.5 * log(rho) - 0.5 * log(1 - rho)
    expected += -0.5 * (pow(p[0] - p[1], 2) + pow(p[1] - p[2], 2)) + normal(0.4, 0, 0.003)
    for k in 0..<3 {
      let effect = (1 - rho).squareRoot() * z[k] + (rho / 0.6).squareRoot() * p[k]
      let rate = exposure[k] * exp(a + b * x[k] + s * effect)
      expected += normal(z[k], 0, 1) + poisson(counts[k], rate)
    }
    let map = logJoint(
      diseaseMap(
        node1: [0, 1], node2: [1, 2], exposure: exposure, x: x, counts: counts, scaling: 0.6),
      [
        "intercept": Tensor(a), "slope": Tensor(b), "sigma": Tensor(s), "rho": Tensor(rho),
        "theta": Tensor(z), "phi": Tensor(p),
      ])
    #expect(abs(map.item() - expected) < 1e-9 * abs(expected))
  }

  /// Returns the log density of a simplex under a Dirichlet distribution with equal concentrations.
  private func dirichlet(_ x: [Double], _ a: Double) -> Double {
    lgamma(a * Double(x.count)) - Double(x.count) * lgamma(a) + (a - 1)
      * x.reduce(0) { $0 + log($1) }
  }

  @Test("data are read from a file")
  func reading() throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "writing-models-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = #"{"x": [1, 2], "y": [3, 4.5], "X": [[1, 2], [3, 4]], "group": [1, 2], "J": 2}"#
    try Data(text.utf8).write(to: URL(filePath: path))
    let (model, design, groups) = try readLine(path)
    #expect(try model.trace()["y"].value.elements == [3, 4.5])
    #expect(design.shape == [2, 2] && groups == [0, 1, 2])
  }

  @Test("the first example samples, predicts and starts where it is told to")
  func firstExample() throws {
    let x = (0..<20).map { Double($0) * 0.3 }
    let noise = RandomKey(6).normals(20)
    let y = zip(x, noise).map { 1 + 2 * $0 + 0.4 * $1 }
    let draws = try sampleLine(x: x, y: y)
    #expect(abs(draws.scalar("beta").mean - 2) < 4.5 * draws.scalar("beta").standardDeviation)
    let predicted = try predictLine(draws, at: [10, 20])
    #expect(predicted.shape == [4, 1000, 2])
    #expect(abs(predicted[..., 1].mean().item() - 41) < 2)
    let started = try startedLine(x: x, y: y)
    #expect(started["sigma"].shape == [4, 1000])
  }
}
