// SPDX-License-Identifier: MIT
//
// Simulation-based calibration: an algorithm is right if true values rank uniformly among its draws.
//
// Source: Talts, Betancourt, Simpson, Vehtari and Gelman 2018, arXiv 1804.06788; random breaking of ties and test quantities:
// Modrák and others 2023, Bayesian Analysis 20, 461.

import Dispatch
import Distributions
public import Numerics
public import PPL
import Synchronization
public import Tensors

/// Tests an algorithm on a model: draws true values from the prior, simulates data, fits them, and ranks the true values.
///
/// ```swift
/// let result = try simulationBasedCalibration(model, replicates: 500, key: 1) { density, key in
///   try NUTS().run(density, chains: 1, warmUp: 200, draws: 400, key: key, threads: 1)
/// }
/// print(result)
/// ```
///
/// A rank is that of the true value among draws that are thinned until they are as good as independent: at most half as many as
/// the smallest bulk effective sample size. An angle is ranked along the circle from the point opposite the mean direction of the
/// draws and the true value together; as that mean does not tell which of them is the true one, the ranks of a right algorithm are
/// exactly uniform, and turning the circle does not change them.
///
/// - Parameters:
///   - model: The model; its priors must be such that one can draw from them.
///   - data: The sites that are simulated; by default all that the model observes or predicts.
///   - replicates: The number of simulated data sets.
///   - draws: The number of independent draws that a rank is out of, at most.
///   - key: The key of everything.
///   - quantities: Adds quantities to the true values and to the draws, that are ranked too.
///   - threads: The number of replicates at a time; nil: as many as there are processors.
///   - progress: Who is told how far it is.
///   - isCancelled: Asked between replicates.
///   - algorithm: Returns draws from the posterior of a density, with all randomness from the key. It is called from several threads,
///     so it had better use one itself.
/// - Returns: The ranks with their tests.
/// - Throws: `ModelError` if the model has a flat prior, factors, or a prior confined to a set in which no draw is found, which
///   cannot be simulated; if a restriction depends on other variables, so that its density is not normalised; or if there are no
///   data. What else goes wrong in a replicate is kept in the result.
public func simulationBasedCalibration<Output>(
  _ model: Model<Output>, data: [String]? = nil, replicates: Int = 500, draws: Int = 99,
  key: RandomKey = 0, quantities: @Sendable @escaping (Draws) -> Draws = { $0 },
  threads: Int? = nil, progress: Progress = .none,
  isCancelled: @Sendable @escaping () -> Bool = { false },
  algorithm: @Sendable @escaping (CompiledDensity, RandomKey) throws -> Draws
) throws -> CalibrationResult {
  let calibration = try Calibration(
    model: model.withWholePlates().erased, data: data, draws: draws, key: key,
    quantities: quantities
  ) { model, data, key in try algorithm(model.conditioned(on: data).logDensity(), key) }
  return try calibration.run(replicates, threads, progress, isCancelled)
}

/// Tests a fit that makes its own density from the data: the whole of what a user calls, guesses from the data included.
///
/// ```swift
/// let result = try simulationBasedCalibration(dataFrom: model, replicates: 500, key: 1) { data, key in
///   try MyFit(observations: data["y"]?.elements ?? []).sample(key: key)
/// }
/// ```
///
/// The priors of the fit must be those of the model, in every replicate: where a fit guesses priors from the data, its posterior is
/// that of another model, and ranks need not be uniform. What the data tell may only choose where the fit starts.
///
/// - Parameters:
///   - model: The model; its priors must be such that one can draw from them.
///   - data: The sites that are simulated; by default all that the model observes or predicts.
///   - replicates: The number of simulated data sets.
///   - draws: The number of independent draws that a rank is out of, at most.
///   - key: The key of everything.
///   - quantities: Adds quantities to the true values and to the draws, that are ranked too.
///   - threads: The number of replicates at a time; nil: as many as there are processors.
///   - progress: Who is told how far it is.
///   - isCancelled: Asked between replicates.
///   - fit: Returns draws from the posterior of simulated data, given by site, with all randomness from the key. It is called from
///     several threads.
/// - Returns: The ranks with their tests.
/// - Throws: `ModelError` if the model has a flat prior, factors, or a prior confined to a set in which no draw is found, which
///   cannot be simulated; if a restriction depends on other variables, so that its density is not normalised; or if there are no
///   data. What else goes wrong in a replicate is kept in the result.
public func simulationBasedCalibration<Output>(
  dataFrom model: Model<Output>, data: [String]? = nil, replicates: Int = 500, draws: Int = 99,
  key: RandomKey = 0, quantities: @Sendable @escaping (Draws) -> Draws = { $0 },
  threads: Int? = nil, progress: Progress = .none,
  isCancelled: @Sendable @escaping () -> Bool = { false },
  fit: @Sendable @escaping ([String: Tensor], RandomKey) throws -> Draws
) throws -> CalibrationResult {
  let calibration = try Calibration(
    model: model.withWholePlates().erased, data: data, draws: draws, key: key,
    quantities: quantities
  ) { _, data, key in try fit(data, key) }
  return try calibration.run(replicates, threads, progress, isCancelled)
}

/// One model and algorithm under test.
private struct Calibration: Sendable {
  /// The model with whole plates.
  private let model: Model<Void>
  /// The sites that are simulated.
  private let data: Set<String>
  /// The largest number of draws that a rank is out of.
  private let draws: Int
  /// The key of everything.
  private let key: RandomKey
  /// Whether a distribution is confined to a set, in which a draw may not be found.
  private let hasRestrictions: Bool
  /// Adds quantities.
  private let quantities: @Sendable (Draws) -> Draws
  /// What is tested: draws from the posterior of a model without data, given simulated data.
  private let fit: @Sendable (Model<Void>, [String: Tensor], RandomKey) throws -> Draws

  /// The rank of a scalar in one replicate.
  struct Rank: Sendable {
    /// The scalar.
    let name: String
    /// The number of draws below the true value.
    let rank: Int
    /// The number of draws.
    let draws: Int
    /// The rank with a random share, between 0 and 1.
    let uniform: Double
  }

  /// What a replicate gave.
  enum Outcome: Sendable {
    /// Ranks, and whether the chains had converged.
    case ranks([Rank], hasConverged: Bool)
    /// An error.
    case failure(String)
  }

  /// Finds out what is to be simulated.
  init(
    model: Model<Void>, data: [String]?, draws: Int, key: RandomKey,
    quantities: @Sendable @escaping (Draws) -> Draws,
    fit: @Sendable @escaping (Model<Void>, [String: Tensor], RandomKey) throws -> Draws
  ) throws {
    demand(
      draws > 0, "simulationBasedCalibration: expected a number of draws > 0, got \(draws)")
    // A flat prior, from which there are no true values, is refused here.
    let looks = ModelRuns(
      model, Draws(chains: 1, draws: 2, sites: []), drawable: nil, key: key.folding(in: "look"))
    let trace = try looks.trace(0)
    if let factor = trace.sites.first(where: { $0.kind == .factor }) {
      throw ModelError(
        .misuse, site: factor.name,
        "expected a model whose data can be simulated, found a factor; state it as a distribution with observe"
      )
    }
    let isRestricted = trace.sites.contains { $0.distribution?.restriction != nil }
    if isRestricted {
      let other = try looks.trace(1)
      if let site = trace.sites.first(where: { Self.isUnnormalized($0, other.site($0.name)) }) {
        throw ModelError(
          .misuse, site: site.name,
          "expected a density that is normalised, as draws are, found a restriction that depends on other variables: \(site.distribution.map { "\($0)" } ?? "none"); state it by truncated(below:above:), or make parameters and bounds constants"
        )
      }
    }
    let predicted = trace.sites.filter(\.isPredicted).map(\.name)
    let found = try data.map { Set($0) } ?? redrawnSites(of: model, named: nil).union(predicted)
    let unknown = found.filter { trace.site($0).map { $0.kind != .sample } ?? true }.sorted()
    guard !found.isEmpty, unknown.isEmpty else {
      throw ModelError(
        unknown.isEmpty ? .misuse : .unknownSites(unknown),
        "expected data to simulate, found \(unknown.isEmpty ? "no observed site" : "no random sites \(unknown)")"
      )
    }
    self.model = model.unconditioned(found)
    self.data = found
    hasRestrictions = isRestricted
    self.draws = draws
    self.key = key
    self.quantities = quantities
    self.fit = fit
  }

  /// Whether a site is a restriction whose parameters or bounds differ between two runs, and with them the mass of its set.
  private static func isUnnormalized(_ site: Site, _ other: Site?) -> Bool {
    guard site.kind == .sample, let value = site.value, let first = site.distribution,
      let second = other?.distribution, let restriction = first.restriction
    else { return false }
    let isSame =
      first.batchShape == second.batchShape && first.description == second.description
      && first.feasibleValue.elements == second.feasibleValue.elements
      && first.logProbability(of: value).elements == second.logProbability(of: value).elements
    return !isSame && !restriction.hasFixedMass
  }

  // MARK: - One replicate

  /// Draws the true values and simulates data.
  private func simulate(_ index: Int) throws -> Substitution {
    try model.run(
      under: Substitution(values: [:], drawable: nil),
      key: key.folding(in: index).folding(in: "truth")
    ).1
  }

  /// Refuses true values that are no draws, before the first fit.
  private func check(_ count: Int) throws {
    guard hasRestrictions else { return }
    for index in 0..<count {
      // A model that makes a mistake here makes it in its replicate too, where it is kept.
      guard let site = (try? simulate(index))?.missed else { continue }
      throw ModelRuns.noDraw(site)
    }
  }

  /// Simulates data and fits them.
  private func replicate(_ index: Int) -> Outcome {
    do {
      let own = key.folding(in: index)
      // Latent sites named as data are simulated too: they are then given, like any other data.
      let run = try simulate(index)
      if let site = run.missed { throw ModelRuns.noDraw(site) }
      let truth = run.trace
      let simulated = truth.values.filter { data.contains($0.key) }
      let fitted = try fit(model, simulated, own.folding(in: "fit"))
      return try ranks(fitted, truth, own.folding(in: "ranks"))
    } catch {
      return .failure("\(error)")
    }
  }

  /// Ranks the true values among draws.
  private func ranks(_ fit: Draws, _ truth: Trace, _ key: RandomKey) throws -> Outcome {
    guard fit.count > 0 else {
      throw DrawsError(location: "draws", explanation: "expected draws, found none")
    }
    let values = try fit.sites.compactMap { site -> Draws.Site? in
      guard let value = truth.site(site.name)?.value else { return nil }
      guard value.shape == site.shape else {
        throw ModelError(
          .shapeMismatch(expected: value.shape, found: site.shape), site: site.name,
          "expected draws of the shape of the site, \(value.shape), found \(site.shape)")
      }
      return Draws.Site(
        name: site.name, shape: site.shape, period: site.period, values: value.elements)
    }
    let known = values.map(\.name)
    let all = quantities(fit.selecting(known)).scalars
    let trueValues = quantities(Draws(chains: 1, draws: 1, sites: values)).scalars
    guard all.map(\.name) == trueValues.map(\.name) else {
      throw DrawsError(
        location: "quantities",
        explanation:
          "expected the same scalars of draws and true values, found \(all.map(\.name)) and \(trueValues.map(\.name))"
      )
    }
    guard all.allSatisfy({ $0.values.allSatisfy(\.isFinite) }) else {
      throw DrawsError(
        location: "draws", explanation: "expected finite draws, found NaN or infinity")
    }
    let effective = all.map(\.bulkESS).filter { !$0.isNaN }.min() ?? 2
    let count = max(1, min(draws, fit.count, Int(effective / 2)))
    // Evenly spread over all chains.
    let places = (0..<count).map { ($0 * 2 + 1) * fit.count / (2 * count) }
    let ranks = zip(all, trueValues).map { scalar, truth in
      let own = key.folding(in: scalar.name)
      let order = Self.order(
        places.map { scalar.values[$0] }, truth.values[0], period: scalar.period)
      // A tie is broken by a fair choice of the places that the true value may take among its equals.
      let rank = order.below + Int(own.uniform(0) * Double(order.equal + 1))
      return Rank(
        name: scalar.name, rank: rank, draws: count,
        uniform: (Double(rank) + own.uniform(1)) / Double(count + 1))
    }
    return .ranks(ranks, hasConverged: all.allSatisfy { !($0.rHat > 1.1) })
  }

  /// Returns the numbers of draws below and equal to a true value; on the circle, from the cut opposite the mean direction.
  private static func order(
    _ draws: [Double], _ truth: Double, period: Double?
  ) -> (below: Int, equal: Int) {
    guard let period else {
      return (draws.count { $0 < truth }, draws.count { $0 == truth })
    }
    let branch = ScalarDraws(name: "", values: draws + [truth], period: period).unwrapped
    let own = branch[draws.count]
    return (branch.dropLast().count { $0 < own }, branch.dropLast().count { $0 == own })
  }

  // MARK: - All replicates

  /// Runs the replicates on threads.
  func run(
    _ count: Int, _ threads: Int?, _ progress: Progress,
    _ isCancelled: @Sendable @escaping () -> Bool
  ) throws -> CalibrationResult {
    demand(
      count > 0 && threads ?? 1 > 0,
      "simulationBasedCalibration: expected replicates and threads > 0, got \(count) and \(threads ?? 1)"
    )
    try check(count)
    let threads = min(count, threads ?? RunPlan.processors)
    let began = DispatchTime.now().uptimeNanoseconds
    let outcomes = Mutex([Int: Outcome](minimumCapacity: count))
    let next = Mutex(0)
    let report = Mutex(began)
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while !isCancelled() {
        let index = next.withLock { place in
          defer { place += 1 }
          return place
        }
        guard index < count else { return }
        let outcome = replicate(index)
        let done = outcomes.withLock { all in
          all[index] = outcome
          return all.count
        }
        report.withLock { due in
          let now = DispatchTime.now().uptimeNanoseconds
          guard now >= due, done < count else { return }
          due = now + 100_000_000
          progress.report?(Self.update(done, count, began, now, isLast: false))
        }
      }
    }
    let all = outcomes.withLock { $0 }
    progress.report?(
      Self.update(all.count, count, began, DispatchTime.now().uptimeNanoseconds, isLast: true))
    return result(all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, all.count < count)
  }

  /// Returns what is reported.
  private static func update(
    _ done: Int, _ count: Int, _ began: UInt64, _ now: UInt64, isLast: Bool
  ) -> ProgressUpdate {
    ProgressUpdate(
      stage: "calibration", completed: done, total: count, seconds: Double(now - began) * 1e-9,
      unit: "replicates", isLast: isLast)
  }

  /// Returns the result of all replicates, in order.
  private func result(_ outcomes: [(Int, Outcome)], _ wasCancelled: Bool) -> CalibrationResult {
    var failures: [CalibrationResult.Failure] = []
    var ranks: [[Rank]] = []
    var unconverged = 0
    for (index, outcome) in outcomes {
      switch outcome {
      case .ranks(let own, let hasConverged):
        // A scalar that is not there in every replicate has no distribution of ranks.
        guard own.map(\.name) == (ranks.first ?? own).map(\.name) else {
          failures.append(
            CalibrationResult.Failure(
              replicate: index, message: "expected the same scalars as before, found others"))
          continue
        }
        ranks.append(own)
        if !hasConverged { unconverged += 1 }
      case .failure(let message):
        failures.append(CalibrationResult.Failure(replicate: index, message: message))
      }
    }
    let quantities = (ranks.first ?? []).indices.map { k in
      CalibrationResult.Quantity(
        name: ranks[0][k].name, ranks: ranks.map { $0[k].rank }, draws: ranks.map { $0[k].draws },
        uniforms: ranks.map { $0[k].uniform })
    }
    let sizes = (quantities.first?.draws ?? []).sorted()
    return CalibrationResult(
      quantities: quantities, replicates: ranks.count, failures: failures,
      unconverged: unconverged, medianDraws: sizes.isEmpty ? 0 : sizes[sizes.count / 2],
      wasCancelled: wasCancelled)
  }
}
