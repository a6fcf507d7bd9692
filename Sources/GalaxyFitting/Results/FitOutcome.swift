// SPDX-License-Identifier: MIT
//
// What all results of a fit can tell: summaries, quantiles, statistics of any function, derived quantities.

import GalaxyModels
public import Inference
public import Numerics
import Tensors

/// What comes out of a fit: a maximum, a posterior, a whole result, or the record of one read from a file.
public protocol FitOutcome: Sendable {
  /// The outcome as plain values; computed anew each time by a maximum and a posterior, which know no provenance.
  var record: FitRecord { get }
}

extension MAPFit: FitOutcome {
  public var record: FitRecord { FitResult(self).record }
}

extension PosteriorFit: FitOutcome {
  public var record: FitRecord { FitResult(self).record }

  /// Returns the summary table of the draws: mean, sd, interval, Monte Carlo errors, effective sample sizes, R-hat.
  ///
  /// - Parameter interval: The interval; by default the highest-density one of 94 %, as in ArviZ.
  /// - Returns: A row to each parameter.
  public func summary(interval: SummaryInterval = .highestDensity(0.94)) -> PosteriorSummary {
    draws.summary(interval: interval)
  }

  /// Returns quantiles of every free parameter, by its name; an angle's may leave [0, period).
  public func quantiles(_ probabilities: [Double]) -> [String: [Double]] {
    draws.quantiles(probabilities)
  }

  /// Returns another posterior from the same guide or approximation, with more draws, or other ones.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key; that of the fit gives the same draws, continued.
  /// - Returns: The posterior with these draws, examined anew.
  /// - Throws: ``FitRecordError`` where Markov chains made the draws: there is nothing to draw from without going on.
  public func redrawn(_ count: Int, key: RandomKey) throws(FitRecordError) -> PosteriorFit {
    demand(count > 1, "redrawn: expected at least two draws, got \(count)")
    let sites = best.fit.prior.freeSites
    /// Returns draws of the sites, which are those of the model.
    func named(_ draws: () throws -> Draws) throws(FitRecordError) -> Draws {
      do { return try draws() } catch { throw FitRecordError("posterior", "\(error)") }
    }
    let sample: Draws
    if let approximation {
      sample = try named {
        try weighting?.sample(count, key: key, sites: sites)
          ?? approximation.sample(count, key: key, sites: sites)
      }
    } else if let variational {
      sample = try named { try variational.sample(count, key: key, sites: sites) }
    } else {
      throw FitRecordError(
        "posterior",
        "expected a Laplace approximation or a trained guide to draw from, found draws of Markov chains; run fit.sample with more draws, or with a checkpoint go on"
      )
    }
    return PosteriorFit(
      best: best, method: method, draws: sample, approximation: approximation,
      weighting: weighting, variational: variational, seconds: seconds)
  }
}

extension FitOutcome {
  /// Returns the summary table of the draws.
  ///
  /// - Parameters:
  ///   - parameters: The parameters and derived quantities; by default all free parameters.
  ///   - interval: The interval; by default the highest-density one of 94 %, as in ArviZ.
  /// - Returns: A row to each quantity.
  /// - Throws: ``FitRecordError`` where there are no draws, or no quantity of a name.
  public func summary(
    _ parameters: [String]? = nil, interval: SummaryInterval = .highestDensity(0.94)
  ) throws(FitRecordError) -> PosteriorSummary {
    let record = record
    let draws = try record.drawsWithDerived(parameters)
    return draws.summary(sites: parameters ?? record.draws?.names, interval: interval)
  }

  /// Returns quantiles of every free parameter and derived quantity, by its name; an angle's may leave [0, period).
  ///
  /// - Throws: ``FitRecordError`` where there are no draws.
  public func quantiles(_ probabilities: [Double]) throws(FitRecordError) -> [String: [Double]] {
    try record.drawsWithDerived(nil).quantiles(probabilities)
  }

  /// The median and the standard deviation of every free parameter and derived quantity, by its name.
  ///
  /// - Throws: ``FitRecordError`` where there are no draws.
  public func mediansAndDeviations() throws(FitRecordError)
    -> [String: (median: Double, standardDeviation: Double)]
  {
    let scalars = try record.drawsWithDerived(nil).scalars
    return Dictionary(
      scalars.map {
        ($0.name, (median: $0.quantiles([0.5])[0], standardDeviation: $0.standardDeviation))
      }
    ) { $1 }
  }

  /// Returns the draws of a parameter or a derived quantity.
  ///
  /// - Throws: ``FitRecordError`` where there are no draws, or none of that name.
  public func scalar(_ name: String) throws(FitRecordError) -> ScalarDraws {
    try record.drawsWithDerived([name]).scalar(name)
  }

  /// Returns what a function makes of the draws of a parameter or a derived quantity.
  ///
  /// ```swift
  /// let tail = try samples.statistic("flux") { fluxes in fluxes.count { $0 > 2000 } }
  /// ```
  ///
  /// - Parameters:
  ///   - name: The parameter or derived quantity.
  ///   - body: The function of its draws, chain after chain; an angle's lie within half a period of their mean direction.
  /// - Returns: What the function returns.
  /// - Throws: ``FitRecordError`` where there are no draws, or none of that name, and what the function throws.
  public func statistic<Value>(
    _ name: String, _ body: ([Double]) throws -> Value
  ) throws -> Value {
    try body(scalar(name).unwrapped)
  }

  /// Returns what a function makes of the draws of several parameters or derived quantities.
  ///
  /// ```swift
  /// let r = try samples.statistic(["flux", "r_eff"]) { correlation($0[0], $0[1]) }
  /// ```
  ///
  /// - Parameters:
  ///   - names: The parameters and derived quantities.
  ///   - body: The function of their draws, in the order of the names.
  /// - Returns: What the function returns.
  /// - Throws: ``FitRecordError`` where there are no draws, or none of a name, and what the function throws.
  public func statistic<Value>(
    _ names: [String], _ body: ([[Double]]) throws -> Value
  ) throws -> Value {
    let draws = try record.drawsWithDerived(names)
    return try body(names.map { draws.scalar($0).unwrapped })
  }
}

extension FitRecord {
  /// Returns the draws of the free parameters and of the derived quantities.
  ///
  /// - Parameter names: Names that must be among them.
  /// - Returns: The draws.
  /// - Throws: ``FitRecordError`` where there are no draws, or none of a name.
  func drawsWithDerived(_ names: [String]?) throws(FitRecordError) -> Draws {
    guard let draws else {
      throw FitRecordError(
        "draws",
        report.posterior == nil
          ? "expected a posterior, found the maximum alone; fit with --method laplace, svi-mvn, svi-flow, nuts or neutra (estimatePosterior, sample)"
          : "expected the draws, found only their summary; read posterior.asdf, or the folder with it"
      )
    }
    let quantities = DerivedQuantities(
      sources: report.sources,
      noise: pixels.map { report.loss.parameters(for: $0.image) } ?? [],
      calibration: report.calibration, sky: SkyFrame.of(report.image))
    let own = Set(draws.names)
    let more = quantities.sites(draws, values: report.values).filter { !own.contains($0.name) }
    let all = Draws(chains: draws.chains, draws: draws.draws, sites: draws.sites + more)
    let known = all.scalars.map(\.name)
    for name in names ?? [] where !known.contains(name) {
      throw report.unknown(name, among: known)
    }
    return all
  }
}
