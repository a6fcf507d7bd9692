// SPDX-License-Identifier: MIT
//
// The work of a fit from the command line, whatever is fitted: the search, the posterior, and Ctrl-C in between.

import GalaxyFitting
import GalaxyModels
import Inference
import Numerics

/// How a fit is made.
struct Estimation {
  /// The way of fitting.
  let method: FitMethod

  /// The number of draws: of each chain with nuts and neutra, else in all.
  let draws: Int

  /// The number of chains of nuts and neutra.
  let chains: Int

  /// The iterations of each chain of nuts and neutra that are not kept.
  let warmUp: Int

  /// The acceptance that nuts is tuned to; nil where the fit chooses.
  var targetAcceptance: Double?

  /// The seed of all draws.
  let seed: UInt64

  /// The options that play a part in the method, with their values, by the names on the command line.
  var values: [String: String] {
    var list = ["method": method.rawValue, "seed": "\(seed)"]
    guard method != .map else { return list }
    list["draws"] = "\(draws)"
    guard method.sampling != nil else { return list }
    list["chains"] = "\(chains)"
    list["warmup"] = "\(warmUp)"
    return list
  }

  /// Returns the number of draws where none was asked for.
  static func usualDraws(_ method: FitMethod) -> Int { method.sampling != nil ? 1000 : 10_000 }

  /// What a fit has come to.
  struct Outcome {
    /// The maximum.
    let best: MAPFit
    /// The posterior; nil where none was asked for, or it failed, or too little of it was done.
    let posterior: PosteriorFit?
    /// What went wrong, or was stopped.
    let remarks: [InputFinding]
  }

  /// Searches the maximum, and estimates the posterior where that is asked for and the search was not stopped.
  func run(
    _ fit: some GalaxyFit, starts: [String: Double], optimizer: MAPOptimizer = .levenbergMarquardt
  ) throws -> Outcome {
    let search = Patience("searching the maximum")
    let best = try fit.findMAP(start: starts, optimizer: optimizer, isCancelled: search.isOver)
    var remarks: [InputFinding] = []
    var posterior: PosteriorFit?
    if !Interruption.isRequested {
      do {
        posterior = try estimate(fit, best)
      } catch {
        remarks.append(
          InputFinding(
            .warning, FitFindingCode.posteriorFailed.rawValue, subject: "posterior",
            "\(error); the result is that of the maximum alone"))
      }
    }
    if Interruption.isRequested {
      // Complete draws of chains are draws of the posterior, if fewer than were asked for, and a guide knows what it is
      // worth; what is left of another estimate that was stopped would only look like one.
      let hasDraws = posterior?.sampler != nil && (posterior?.draws.draws ?? 0) >= 4
      let hasGuide = posterior?.variational != nil
      if !hasDraws && !hasGuide { posterior = nil }
      let left = hasDraws ? "draws" : hasGuide ? "best guide" : "best point"
      remarks.append(
        InputFinding(
          .warning, FitFindingCode.interrupted.rawValue, subject: "fit",
          "stopped on request; the numbers are those of the \(left) so far"))
    }
    return Outcome(best: best, posterior: posterior, remarks: remarks)
  }

  /// Estimates the posterior by the method that was asked for.
  private func estimate(_ fit: some GalaxyFit, _ best: MAPFit) throws -> PosteriorFit? {
    let key = RandomKey(seed)
    switch method {
    case .map: return nil
    case .laplace:
      return try fit.estimatePosterior(
        .laplace, from: best, draws: draws, key: key,
        isCancelled: Patience("estimating the posterior").isOver)
    case .sviMVN, .sviFlow:
      return try fit.estimatePosterior(
        method == .sviFlow ? .sviFlow : .sviMVN, from: best, draws: draws, key: key,
        progress: .terminal, isCancelled: { Interruption.isRequested })
    case .nuts, .neutra:
      var tuning: ChainTuning?
      if let targetAcceptance {
        tuning = try fit.tuning(from: best, isCancelled: { Interruption.isRequested })
        tuning?.targetAcceptance = targetAcceptance
      }
      return try fit.sample(
        method == .neutra ? .neutra : .nuts, chains: chains, warmUp: warmUp, draws: draws,
        from: best, tuning: tuning, key: key, progress: .terminal,
        isCancelled: { Interruption.isRequested })
    }
  }
}
