// SPDX-License-Identifier: MIT
//
// The Swift of Models/WritingModels.md, line by line, so that it compiles and runs: change both together.

import Dispatch
import Distributions
import Foundation
import Inference
import Numerics
import PPL
import ReferenceModels
import Synchronization
import Tensors

// MARK: - Data

/// Reads data of every kind and returns a model of them.
func readLine(_ path: String) throws -> (line: Model<Void>, design: Tensor, groups: [Int]) {
  let data = try ModelData(contentsOf: path)
  let x = try data.vector("x")
  let y = try data.vector("y")
  let design = try data.tensor("X")
  let group = try data.indices("group")
  let groups = try data.integer("J")
  return (line(x: x, y: y), design, group + [groups])
}

// MARK: - A regression from beginning to end

/// A straight line with errors.
func line(x: [Double], y: [Double]?) -> Model<Void> {
  Model { m in
    let alpha = m.sample("alpha", Normal(0, 10))
    let beta = m.sample("beta", Normal(0, 10))
    let sigma = m.sample("sigma", HalfCauchy(2.5))
    m.observe("y", Normal(alpha + beta * Tensor(x), sigma), y)
  }
}

/// Samples the line and looks at what came out.
func sampleLine(x: [Double], y: [Double]) throws -> Draws {
  let model = line(x: x, y: y)
  let trace = try model.substituting(["alpha": 1, "beta": 2, "sigma": 0.5]).trace()
  print(trace.logJoint.item(), trace["y"].logProbability.item())

  let density = try model.logDensity()
  let draws = try NUTS().run(density, chains: 4, warmUp: 1000, draws: 1000, key: 1)
  print(draws.summary())
  print(draws.diagnostics)
  let slopes = draws["beta"]
  print(slopes.shape, slopes.mean().item())
  return draws
}

// MARK: - Priors

/// Every kind of prior that is not simply a distribution.
func priors(n: Int) -> Model<Tensor> {
  Model { m in
    let beta = m.sample("beta", ImproperUniform(.real, [n]))
    let scale = m.sample("scale", ImproperUniform(.positive))
    let sigma = m.sample("sigma", Normal(0, 10).truncated(below: 0))
    let tau = m.sample("tau", StudentT(3, 0, 10).restricted(to: .positive))
    let a = m.sample("a", Uniform(0, 1))
    let b = m.sample("b", ImproperUniform(.between(0, 1 - a)))
    let c = m.sample("c", Normal(0, 1).truncated(below: a))
    let lambda = m.sample("lambda", HalfCauchy(1).expanded(to: [n]))
    let matrix = m.sample("matrix", Normal(0, 1).expanded(to: [n, 2]).toEvent(2))
    m.factor("jeffreys", -log(scale))
    return beta.sum() + sigma + tau + b + c + lambda.sum() + matrix.sum()
  }
}

/// Vectors with a structure.
func vectors() -> Model<Tensor> {
  Model { m in
    let weights = m.sample("weights", Dirichlet([2.0, 2.0, 2.0]))
    let cutpoints = m.sample("cutpoints", Normal(0, 5).expanded(to: [4]).restricted(to: .ordered))
    let rates = m.sample("rates", ImproperUniform(.positiveOrdered, [3]))
    let correlation = m.sample("L", LKJCholesky(2, concentration: 2))
    let scales = m.sample("scales", HalfNormal([1.0, 1.0]).toEvent(1))
    let effects = m.sample(
      "effects", MultivariateNormal(0, cholesky: scales.expandingAxis(-1) * correlation))
    m.deterministic("correlation", correlation.matmul(correlation.transposed()))
    return weights.sum() + cutpoints.sum() + rates.sum() + effects.sum()
  }
}

// MARK: - Generalised linear models

/// Counts with a logarithmic link.
func poissonRegression(design: Tensor, exposure: [Double], counts: [Double]?) -> Model<Void> {
  Model { m in
    let beta = m.sample("beta", Normal(0, 5).expanded(to: [design.shape[1]]))
    let eta = design.matmul(beta) + log(Tensor(exposure))
    m.observe("counts", Poisson(logRate: eta), counts)
  }
}

/// Switching of wells: a logistic regression with flat priors.
func logisticRegression(design: Tensor, y: [Double]?) -> Model<Void> {
  Model { m in
    let beta = m.sample("beta", ImproperUniform(.real, [design.shape[1]]))
    m.observe("y", Bernoulli(logits: design.matmul(beta)), y)
  }
}

/// Grades between cutpoints.
func grades(x: [Double], grade: [Double]?) -> Model<Void> {
  Model { m in
    let beta = m.sample("beta", Normal(0, 2))
    let cutpoints = m.sample("c", Normal(0, 5).expanded(to: [3]).restricted(to: .ordered))
    m.observe("grade", OrderedLogistic(beta * Tensor(x), cutpoints), grade)
  }
}

/// A regression on predictors that are nearly collinear.
func orthogonalRegression(design: Tensor, y: [Double]?) -> Model<Void> {
  let count = Double(design.shape[0])
  let factor = (design.transposed().matmul(design) / count).cholesky()
  let orthogonal = factor.triangularSolve(design.transposed()).transposed()
  return Model { m in
    let theta = m.sample("theta", ImproperUniform(.real, [design.shape[1]]))
    let beta = m.deterministic("beta", factor.triangularSolve(theta, transposed: true))
    m.factor("prior", Normal(0, 1).logProbability(of: beta).sum())
    let sigma = m.sample("sigma", HalfCauchy(2.5))
    m.observe("y", Normal(orthogonal.matmul(theta), sigma), y)
  }
}

// MARK: - Groups

/// Varying intercepts, each group with one, non-centred, and a common slope.
func varyingIntercepts(group: [Int], groups: Int, x: [Double], y: [Double]?) -> Model<Void> {
  let model = Model { m in
    let mu = m.sample("mu", Normal(0, 10))
    let tau = m.sample("tau", HalfNormal(1))
    let alpha = m.plate("groups", groups) { m.sample("alpha", Normal(mu, tau)) }
    let beta = m.sample("beta", Normal(0, 10))
    let sigma = m.sample("sigma", HalfNormal(1))
    m.observe("y", Normal(alpha.take(group) + beta * Tensor(x), sigma), y)
  }
  return model.reparameterized(["alpha": LocScale()])
}

/// Intercepts and slopes of groups that are correlated.
func varyingSlopes(group: [Int], groups: Int, x: [Double], y: [Double]?) -> Model<Void> {
  let model = Model { m in
    let mean = m.sample("mean", Normal(0, 5).expanded(to: [2]).toEvent(1))
    let scales = m.sample("scales", HalfNormal(1).expanded(to: [2]).toEvent(1))
    let correlation = m.sample("L", LKJCholesky(2, concentration: 2))
    let factor = scales.expandingAxis(-1) * correlation
    let effects = m.plate("groups", groups) {
      m.sample("effects", MultivariateNormal(mean, cholesky: factor))
    }
    let sigma = m.sample("sigma", HalfNormal(1))
    let (intercept, slope) = (effects[..., 0], effects[..., 1])
    m.observe("y", Normal(intercept.take(group) + slope.take(group) * Tensor(x), sigma), y)
  }
  return model.reparameterized(["effects": TransformReparameterization()])
}

// MARK: - Sums over what is not observed

/// Two kinds of observations.
func twoKinds(y: [Double]) -> Model<Void> {
  Model { m in
    let theta = m.sample("theta", Beta(2, 2))
    let mu = m.sample("mu", Normal(0, 10).expanded(to: [2]).restricted(to: .ordered))
    m.observe("y", MixtureSameFamily(weights: [theta, 1 - theta], Normal(mu, 1)), y)
  }
}

/// Words of documents, each of one topic that is summed out.
func topics(word: [Int], document: [Int], documents: Int, words: Int, count: Int) -> Model<Void> {
  Model { m in
    let theta = m.plate("documents", documents) {
      m.sample("theta", Dirichlet([Double](repeating: 0.5, count: count)))
    }
    let phi = m.plate("topics", count) {
      m.sample("phi", Dirichlet([Double](repeating: 0.3, count: words)))
    }
    let terms = log(theta).take(document) + log(phi).transposed().take(word)
    m.factor("words", terms.logSumExp(axis: 1).sum())
  }
}

/// Animals caught or not: of those never seen some exist and some do not.
func captureRecapture(seen: [Double], occasions: Double) -> Model<Void> {
  Model { m in
    let omega = m.sample("omega", Uniform(0, 1))
    let p = m.sample("p", Uniform(0, 1))
    let caught = Binomial(occasions, probability: p)
    let exists = log(omega) + caught.logProbability(of: Tensor(seen))
    let never = logAddExp(exists, log1p(-omega))
    m.factor("seen", select(Tensor(seen).isGreater(than: 0), exists, never).sum())
  }
}

/// A change of rate at an unknown time, summed over all times.
func changePoint(counts: [Double]) -> Model<Void> {
  let n = counts.count
  return Model { m in
    let early = m.sample("early", Exponential(1))
    let late = m.sample("late", Exponential(1))
    let before = Poisson(early).logProbability(of: Tensor(counts)).cumulativeSum()
    let after = Poisson(late).logProbability(of: Tensor(counts)).cumulativeSum()
    m.factor("counts", (before - after).logSumExp() + after[n - 1] - log(Tensor(Double(n))))
  }
}

// MARK: - Time

/// A moving average of first order with autoregression.
func arma(y: [Double]) -> Model<Void> {
  Model { m in
    let mu = m.sample("mu", Normal(0, 10))
    let phi = m.sample("phi", Normal(0, 2))
    let theta = m.sample("theta", Normal(0, 2))
    let sigma = m.sample("sigma", HalfCauchy(2.5))
    var errors = [y[0] - (mu + phi * mu)]
    for t in 1..<y.count {
      errors.append(y[t] - (mu + phi * y[t - 1] + theta * errors[t - 1]))
    }
    m.observe("errors", Normal(0, sigma), Tensor.stack(errors))
  }
}

/// A variance that wanders, by its steps.
func stochasticVolatility(y: [Double]) -> Model<Void> {
  Model { m in
    let mu = m.sample("mu", Cauchy(0, 10))
    let phi = m.sample("phi", Uniform(-1, 1))
    let sigma = m.sample("sigma", HalfCauchy(5))
    let steps = sigma * m.sample("steps", Normal(0, 1).expanded(to: [y.count]))
    var h = [mu + steps[0] / sqrt(1 - square(phi))]
    for t in 1..<y.count { h.append(mu + phi * (h[t - 1] - mu) + steps[t]) }
    m.observe("y", Normal(0, exp(0.5 * Tensor.stack(h))), y)
  }
}

// MARK: - Space

/// Counts in regions that resemble their neighbours: the model of Besag, York and Mollié.
func diseaseMap(
  node1: [Int], node2: [Int], exposure: [Double], x: [Double], counts: [Double]?, scaling: Double
) -> Model<Void> {
  let n = exposure.count
  return Model { m in
    let intercept = m.sample("intercept", Normal(0, 1))
    let slope = m.sample("slope", Normal(0, 1))
    let sigma = m.sample("sigma", HalfNormal(1))
    let rho = m.sample("rho", Beta(0.5, 0.5))
    let theta = m.sample("theta", Normal(0, 1).expanded(to: [n]))
    let phi = m.sample("phi", ImproperUniform(.real, [n]))
    m.factor("neighbours", -0.5 * square(phi.take(node1) - phi.take(node2)).sum())
    m.factor("centre", Normal(0, 0.001 * Double(n)).logProbability(of: phi.sum()))
    let effects = sqrt(1 - rho) * theta + sqrt(rho / scaling) * phi
    let eta = log(Tensor(exposure)) + intercept + slope * Tensor(x) + sigma * effects
    m.observe("counts", Poisson(logRate: eta), counts)
  }
}

// MARK: - Differential equations

/// Predator and prey.
func lotkaVolterra(times: [Double], counts: Tensor) -> Model<Void> {
  Model { m in
    let rates = m.sample(
      "rates",
      Normal([1, 0.05, 1, 0.05], [0.5, 0.05, 0.5, 0.05]).restricted(to: .positive).toEvent(1))
    let start = m.sample("start", LogNormal(Tensor([2.3, 2.3]), 1).toEvent(1))
    let sigma = m.sample("sigma", LogNormal(Tensor([-1.0, -1.0]), 1).toEvent(1))
    let path = rungeKutta(from: start, times: times, stepsPerInterval: 10) { _, state in
      let (prey, predator) = (state[0], state[1])
      return Tensor.stack([
        (rates[0] - rates[1] * predator) * prey, (rates[3] * prey - rates[2]) * predator,
      ])
    }
    m.observe("counts", LogNormal(log(path), sigma).toEvent(1), counts)
  }
}

/// A drug that is absorbed at one rate and eliminated by enzymes that saturate.
func oneCompartment(times: [Double], concentrations: [Double]?) -> Model<Void> {
  let (dose, volume) = (30.0, 2.0)  // mg, L
  return Model { m in
    let ka = m.sample("k_a", HalfCauchy(1))
    let vm = m.sample("V_m", HalfCauchy(1))
    let km = m.sample("K_m", HalfCauchy(1))
    let sigma = m.sample("sigma", HalfCauchy(1))
    let path = solveDifferentialEquation(
      from: Tensor(0), times: [0] + times, parameters: [ka, vm, km]
    ) { t, y, p in
      let (ka, vm, km) = (p[0], p[1], p[2])
      return exp(-ka * t) * ka * (dose / volume) - vm / volume * y / (km + y)
    }
    m.observe("concentrations", LogNormal(log(path[1...]), sigma), concentrations)
  }
}

// MARK: - Gaussian processes

/// Counts along a line, their logarithm a Gaussian process.
func poissonProcess(x: [Double], counts: [Double]?) -> Model<Void> {
  Model { m in
    let rho = m.sample("rho", Gamma(25, 4))
    let alpha = m.sample("alpha", HalfNormal(2))
    let z = m.sample("z", Normal(0, 1).expanded(to: [x.count]))
    let distances = square(Tensor(x).expandingAxis(1) - Tensor(x))
    let kernel = square(alpha) * exp(distances * (-0.5 / square(rho)))
    let factor = (kernel + 1e-10 * Tensor.identity(x.count)).cholesky()
    let f = m.deterministic("f", factor.matmul(z))
    m.observe("counts", Poisson(logRate: f), counts)
  }
}

// MARK: - What is missing, what follows

/// Some responses are missing: they are variables like any other.
func missingResponses(x: [Double], y: [Double?]) -> Model<Void> {
  let known = y.indices.filter { y[$0] != nil }
  let missing = y.indices.filter { y[$0] == nil }
  return Model { m in
    let beta = m.sample("beta", Normal(0, 10))
    let sigma = m.sample("sigma", HalfNormal(1))
    let mean = beta * Tensor(x)
    m.observe("y", Normal(mean.take(known), sigma), known.compactMap { y[$0] })
    m.sample("y_missing", Normal(mean.take(missing), sigma))
    m.deterministic("snr", beta / sigma)
  }
}

/// Predictions at other places.
func predictLine(_ draws: Draws, at x: [Double]) throws -> Tensor {
  let predictions = try Predictive(line(x: x, y: nil), draws).sample(key: 2)
  return predictions["y"]
}

/// Chains that start where they are told to.
func startedLine(x: [Double], y: [Double]) throws -> Draws {
  let density = try line(x: x, y: y).logDensity()
  return try NUTS().run(
    density, key: 1, initial: .values(["alpha": 0, "beta": 1, "sigma": 2]))
}

/// Chains with the metric of the curvature at the mode.
func sampleByCurvature(_ density: CompiledDensity) throws -> Draws {
  try NUTS().run(
    density, key: 1, initial: .laplace(), adaptation: .stepSizeOnly, sites: .all)
}

// MARK: - Other tools

/// A guide written by hand, with its parameters.
func fittedMean(y: [Double]) throws -> SVIResult {
  let model = Model { m in
    let mu = m.sample("mu", Normal(0, 5))
    m.observe("y", Normal(mu, 1), y)
  }
  let guide = Model<Void> { m in
    let location = m.param("location", 0)
    let width = m.param("width", 1, constraint: .positive)
    m.sample("mu", Normal(location, width))
  }
  return try SVI(model, guide, optimizer: .adam(0.05)).run(steps: 500, rounds: 2, key: 1)
}

/// Trajectories of fixed length, a metric from draws and gradients, and every second draw.
func hamiltonian(_ density: CompiledDensity) throws -> Draws {
  try HMC().run(density, draws: 500, thinning: 2, key: 1, adaptation: .lowRank)
}

/// Whether NUTS is right for a model.
func calibrated(_ model: Model<Void>) throws -> CalibrationResult {
  let result = try simulationBasedCalibration(model, replicates: 20, draws: 19, key: 1) {
    density, key in
    try NUTS().run(density, chains: 2, warmUp: 300, draws: 300, key: key, threads: 1)
  }
  print(result)
  return result
}

/// What Ctrl-C asks for.
final class Interruption: Sendable {
  let isRequested = Atomic(false)
}

/// A run that Ctrl-C ends, with the draws so far.
func interruptible(_ density: CompiledDensity) throws -> Draws {
  let interruption = Interruption()
  signal(SIGINT, SIG_IGN)
  let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
  source.setEventHandler { interruption.isRequested.store(true, ordering: .relaxed) }
  source.resume()
  defer { source.cancel() }
  return try NUTS().run(density, key: 1) { interruption.isRequested.load(ordering: .relaxed) }
}
