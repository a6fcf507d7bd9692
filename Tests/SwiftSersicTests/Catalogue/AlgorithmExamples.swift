// SPDX-License-Identifier: MIT
//
// The Swift of the catalogue's articles on samplers, guides and what comes after a run, line by line: change both together.

import Foundation
import SwiftSersic

// MARK: - Samplers

/// A run with what it may be given.
func sampleSchools(_ density: CompiledDensity, _ folder: String) throws -> Draws {
  let draws = try NUTS(targetAcceptance: 0.9).run(
    density, chains: 4, warmUp: 1000, draws: 1000, key: 1, progress: .terminal,
    checkpoint: Checkpoint("\(folder)/schools.chains"))
  print(draws.diagnostics)
  if let statistics = draws.statistics {
    print(statistics.divergences, statistics.stepSizes, statistics.gradients.reduce(0, +))
  }
  return draws
}

/// Other samplers and other tunings.
func otherSamplers(_ density: CompiledDensity) throws -> [Draws] {
  let curved = try NUTS(maximumDepth: 12).run(
    density, key: 1, initial: .laplace(), adaptation: .lowRank, sites: .all)
  let fixed = try HMC(integrationTime: 2).run(density, key: 2, adaptation: .dense)
  let walks = try RandomWalkMetropolis().run(
    density, draws: 5000, thinning: 5, key: 3, adaptation: ScaleAdaptation(targetAcceptance: 0.3))
  return [curved, fixed, walks]
}

/// A chain as a loop of one's own.
func chainByHand(_ density: CompiledDensity) throws -> [Double] {
  let target = density.makeEvaluator()
  let kernel = NUTS(stepSize: 0.3)
  let start = try density.initialPoint(key: 1)
  var state = kernel.start(at: start, target, key: 2)
  var trace: [Double] = []
  var divergences = 0
  for iteration in 0..<500 {
    let info = kernel.step(&state, target, key: RandomKey(3).folding(in: iteration))
    trace.append(state.logDensity)
    if info.diverged { divergences += 1 }
  }
  print(divergences)
  return trace
}

/// A log density written by hand.
final class Banana: LogDensity {
  let dimension = 2

  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    let d = (q[1] - q[0] * q[0]) / 0.25
    gradient[0] = -q[0] + 2 * q[0] * d
    gradient[1] = -d
    return -0.5 * (q[0] * q[0] + 0.25 * d * d)
  }
}

/// Draws from it.
func sampleBanana() throws -> Draws {
  let target = LogDensityFactory(dimension: 2, name: "x") { Banana() }
  let draws = try NUTS().run(target, chains: 2, warmUp: 500, draws: 500, key: 1)
  print(draws.summary())
  return draws
}

/// A random walk whose steps have heavy tails: most are short, some lead far away.
struct CauchyWalk: Kernel {
  var width: Double

  struct State: ChainState {
    var position: [Double]
    var logDensity: Double
  }

  struct Info: StepInfo {
    var acceptance: Double
    var diverged: Bool { false }
    var gradients: Int { 0 }
  }

  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    State(position: q, logDensity: target.value(at: q))
  }

  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    // A normal vector over the modulus of another normal number: Cauchy in any dimension, and symmetric.
    let length = width / abs(key.folding(in: "length").normal(0))
    let noise = key.folding(in: "noise").normals(state.position.count)
    let proposal = start(at: zip(state.position, noise).map { $0 + length * $1 }, target, key: key)
    let logRatio = proposal.logDensity - state.logDensity
    let acceptance = logRatio.isNaN ? 0 : min(1, exp(logRatio))
    if key.folding(in: "accept").uniform(0) < acceptance { state = proposal }
    return Info(acceptance: acceptance)
  }
}

/// Draws by it, of any model.
func sampleByCauchyWalk(_ density: CompiledDensity) throws -> Draws {
  let draws = try CauchyWalk(width: 0.5).run(density, chains: 4, draws: 10_000, key: 1)
  print(draws.summary())
  return draws
}

// MARK: - Replica exchange

/// Replica exchange: powers of the density, each followed by a random walk, whose neighbours change places.
struct ReplicaExchange: Kernel {
  var powers: [Double]
  var width: Double

  struct State: ChainState {
    var points: [[Double]]
    var values: [Double]
    var position: [Double] { points[0] }
    var logDensity: Double { values[0] }
  }

  struct Info: StepInfo {
    var acceptance, exchanged: Double
    var diverged: Bool { false }
    var gradients: Int { 0 }

    static var extras: [StepExtra<Info>] { [StepExtra("exchanged") { $0.exchanged }] }
  }

  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    let value = target.value(at: q)
    return State(points: powers.map { _ in q }, values: powers.map { _ in value })
  }

  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    var (accepted, exchanged) = (0.0, 0.0)
    for (replica, power) in powers.enumerated() {
      let own = key.folding(in: replica)
      let noise = own.folding(in: "noise").normals(state.points[replica].count)
      let reach = width / power.squareRoot()
      let point = zip(state.points[replica], noise).map { $0 + reach * $1 }
      let value = target.value(at: point)
      // A ratio that is not a number is above no uniform number, and the point is rejected.
      let ratio = exp(power * (value - state.values[replica]))
      if own.folding(in: "accept").uniform(0) < ratio {
        state.points[replica] = point
        state.values[replica] = value
        accepted += 1
      }
    }
    for hot in powers.indices.dropFirst() {
      let gain = state.values[hot] - state.values[hot - 1]
      let ratio = exp((powers[hot - 1] - powers[hot]) * gain)
      if key.folding(in: "exchange").uniform(UInt64(hot)) < ratio {
        state.points.swapAt(hot - 1, hot)
        state.values.swapAt(hot - 1, hot)
        exchanged += 1
      }
    }
    return Info(
      acceptance: accepted / Double(powers.count),
      exchanged: exchanged / Double(max(1, powers.count - 1)))
  }
}

/// Draws of two modes far apart.
func sampleTwoModes() throws -> Draws {
  let model = Model { m in
    m.sample("x", MixtureSameFamily(weights: [0.3, 0.7], Normal([-6, 6], 1)))
  }
  let kernel = ReplicaExchange(powers: [1, 0.3, 0.1, 0.03], width: 2)
  let draws = try kernel.run(model.logDensity(), chains: 4, draws: 5000, key: 1)
  let exchanged = draws.statistics?.extras["exchanged"] ?? []
  print(draws.summary(), exchanged.reduce(0, +) / Double(exchanged.count))
  return draws
}

// MARK: - Variational inference

/// The normal distribution closest to a posterior, and a flow.
func fitGuides(_ density: CompiledDensity) throws -> (
  normal: VariationalFit, flow: VariationalFit
) {
  let normal = try VariationalFit.multivariateNormal(density, key: 1)
  print(normal.diagnostics.paretoK, normal.diagnostics.elbo, normal.reason)
  for warning in normal.warnings { print(warning) }
  print(normal.sample(4000, key: 2).summary())

  let flow = try VariationalFit.flow(density, key: 1)
  print(flow.diagnostics.paretoK, flow.gradients)
  return (normal, flow)
}

/// Points around a normal approximation, weighted to the posterior, and draws of them.
func weighPoints(_ density: CompiledDensity) throws -> (sample: ImportanceSample, draws: Draws) {
  let laplace = try LaplaceApproximation(density, from: density.initialPoint(key: 1))
  let weighted = ImportanceSample(laplace, key: 1)
  print(weighted.isReliable, weighted.paretoK, weighted.effectiveCount, weighted.logEvidence)
  for warning in weighted.warnings { print(warning) }
  let draws = try weighted.sample(4000, key: 2)
  print(draws.summary())
  return (weighted, draws)
}

/// An automatic guide of a model, fitted step by step.
func fitAutomaticGuide(_ model: Model<Void>) throws -> SVIResult {
  let guide = try AutoLowRankMultivariateNormal(model, rank: 2)
  let svi = try SVI(model, guide, optimizer: .adam(0.01), loss: TraceELBO(particles: 4))
  let result = svi.run(steps: 2000, rounds: 2, patience: 200, key: 1)
  print(result.reason, result.explanation, result.elbo())
  print(result.posterior.diagnostics().paretoK)
  print(result.sample(1000, key: 2).summary())
  return result
}

/// A guide written by hand.
func fitGuideByHand(y: [Double]) throws -> SVIResult {
  let model = Model { m in
    let mu = m.sample("mu", Normal(0, 5))
    let sigma = m.sample("sigma", HalfNormal(2))
    m.observe("y", Normal(mu, sigma), y)
  }
  let guide = Model<Void> { m in
    let width = m.param("width", 1, constraint: .positive)
    m.sample("mu", Normal(m.param("location", 0), width))
    m.sample("sigma", LogNormal(m.param("log scale", 0), 0.3))
  }
  let svi = try SVI(model, guide, optimizer: .adam(0.03), loss: TraceELBO(particles: 4))
  let result = svi.run(steps: 1000, rounds: 2, key: 1)
  print(result.parameters)
  return result
}

/// A mean of many data, a few at a time.
func fitSubsamples(y: [Double]) throws -> SVIResult {
  let model = Model<Void> { m in
    let mu = m.sample("mu", Normal(0, 2))
    m.plate("data", y.count, subsample: 20) { rows in
      m.observe("y", Normal(mu, 1.5), Tensor(y).take(rows))
    }
  }
  let guide = try AutoDiagonalNormal(model)
  let result = try SVI(model, guide, optimizer: .adam(0.02))
    .run(steps: 2000, rounds: 2, averaging: 0.5, key: 1)
  print(result.parameters, result.elbo())
  return result
}

/// An objective of one's own: the entropy of the guide counts for a part only.
struct TemperedELBO: ELBO {
  var particles = 4
  var temperature: Double
  func estimate(_ run: GuidedRun) -> Tensor {
    run.model.logJoint - temperature * run.guide.logJoint
  }
}

/// A guide under that objective.
func fitTempered(_ model: Model<Void>) throws -> SVIResult {
  let svi = try SVI(model, AutoDiagonalNormal(model), loss: TemperedELBO(temperature: 0.5))
  let result = svi.run(steps: 500, key: 1)
  return result
}

/// Chains in the coordinates of a trained flow.
func sampleTransported(_ model: Model<Void>) throws -> Draws {
  let flow = try VariationalFit.flow(model.logDensity(), key: 1)
  let transported = try model.reparameterized(by: NeuTra(flow)).logDensity()
  let draws = try NUTS().run(transported, key: 2, initial: .prior)
  print(draws.summary(), draws.diagnostics)
  return draws
}

// MARK: - After the run

/// What draws tell.
func examineDraws(_ draws: Draws) -> Draws {
  print(draws.names, draws["theta"].shape)  // [chains, draws] + the shape of the site
  print(draws.summary(sites: ["mu", "tau"], interval: .quantiles([0.05, 0.5, 0.95])))
  let tau = draws.scalar("tau")
  print(tau.mean, tau.meanError, tau.rHat, tau.bulkESS, tau.tailESS)
  print(tau.highestDensityInterval(0.9), tau.quantiles([0.16, 0.5, 0.84]))

  let diagnostics = draws.diagnostics
  print(diagnostics.isGood, diagnostics.worstRHat?.name ?? "none", diagnostics.energyFractions)
  for warning in diagnostics.warnings { print(warning.code, warning.subject, warning.message) }

  let derived = draws.deriving("largest") { $0["theta"].max() }
  print(derived.scalar("largest").mean, derived.thinned(by: 10).count)
  return derived
}

/// Data drawn anew under the posterior and under the prior.
func predict(_ model: Model<Void>, _ draws: Draws) throws -> (replicated: Draws, prior: Draws) {
  let replicated = try Predictive(model, draws).sample(key: 2)
  let prior = try Predictive(model, prior: 1000).sample(key: 3)
  print(replicated["y"].shape, prior["mu"].shape, prior["y"].shape)
  return (replicated, prior)
}

/// Two models of the same data, by leave-one-out cross-validation.
func compare(
  _ model: Model<Void>, _ draws: Draws, y: [Double], sigma: [Double]
) throws -> ModelComparison {
  let score = try leaveOneOut(model, draws)
  print(score, score.largestGoodK, score.influential.map { $0.name })

  let pooled = Model<Void> { m in
    let mu = m.sample("mu", Normal(0, 5))
    m.observe("y", Normal(mu, sigma), y)
  }
  let pooledDraws = try NUTS().run(pooled.logDensity(), key: 4)
  let comparison = try ModelComparison([
    "each school its own": score, "one for all": leaveOneOut(pooled, pooledDraws),
  ])
  print(comparison)
  return comparison
}

/// Whether an algorithm is right for a model.
func calibrate(_ model: Model<Void>) throws -> CalibrationResult {
  let calibration = try simulationBasedCalibration(model, replicates: 20, draws: 19, key: 5) {
    density, key in
    try NUTS().run(density, chains: 2, warmUp: 300, draws: 300, key: key, threads: 1)
  }
  print(calibration, calibration.isCalibrated())
  return calibration
}

/// Draws in a file.
func keepDraws(_ draws: Draws, _ folder: String) throws -> Draws {
  try draws.save(to: "\(folder)/schools.asdf")
  let again = try Draws(contentsOf: "\(folder)/schools.asdf")
  print(again.names, again.count)
  return again
}
