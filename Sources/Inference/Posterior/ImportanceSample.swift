// SPDX-License-Identifier: MIT
//
// Draws that follow a posterior itself, by importance weights on proposals that a normal approximation began.
//
// Source: Cornuet, Marin, Mira and Robert 2012, Scandinavian Journal of Statistics 39, 798 (adaptive multiple importance sampling);
// the smoothing of the weights is that of Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25(72), 1.

import Distributions
public import Numerics
import PPL

/// Points with importance weights, which together follow a posterior also where its shape is not that of a normal distribution.
///
/// Points come in rounds from multivariate Student-t distributions: in the first with centre and covariance of a Laplace
/// approximation, in each further one with those of the weighted points so far. All points are weighted by the mixture of all
/// rounds, so that none is lost. It serves posteriors of one mode and of some twenty dimensions at most; ``warnings`` say where the
/// weights are to be doubted. They cannot know of what no proposal has reached: another mode, or a ridge that bends away.
///
/// ```swift
/// let normal = try LaplaceApproximation(density, from: start)
/// let weighted = ImportanceSample(normal, key: 1)
/// if weighted.isReliable { print(try weighted.sample(4000, key: 2)["tau"].mean()) }
/// ```
/// Draws are points taken in proportion to their weights, so that some come more than once: they are worth ``effectiveCount``
/// independent ones, which a summary that takes them for independent does not know.
public struct ImportanceSample: Sendable {
  /// The density whose draws these are.
  public let density: CompiledDensity

  /// The points in unconstrained space, one after the other.
  private let points: [Double]

  /// The logarithms of the smoothed weights, which sum to one.
  public let logWeights: [Double]

  /// The shape of the tail of the weights: above 0.5, where they have no variance, the draws may miss part of the posterior.
  public let paretoK: Double

  /// The k up to which weights are used.
  private static let largestK = 0.5

  /// The effective number of points divided by their number.
  public let efficiency: Double

  /// The log of the evidence.
  public let logEvidence: Double

  /// The number of points, each of which took one value of the density.
  public var count: Int { logWeights.count }

  /// The number of independent draws that the points are worth.
  public var effectiveCount: Double { efficiency * Double(count) }

  /// The number of independent draws that was asked for.
  private let wanted: Double

  /// Whether the weights can be used: their tail is light, and they are worth half of the draws that were asked for at least.
  public var isReliable: Bool { paretoK < Self.largestK && effectiveCount >= 0.5 * wanted }

  /// What makes the sample doubtful, in words, with what to do; empty where nothing does.
  public var warnings: [DiagnosticWarning] {
    guard !isReliable else { return [] }
    let k = paretoK.isFinite ? decimalText(paretoK, decimals: 2) : "that cannot be measured"
    let share = efficiency.isFinite ? decimalText(100 * efficiency, decimals: 0) : "none"
    return [
      DiagnosticWarning(
        .paretoK, "weights",
        "weights of \(count) points have a Pareto k of \(k) (bad: above \(decimalText(Self.largestK, decimals: 1))) and leave \(share) % of them: the proposals may miss part of the posterior, whose deviations are then larger; compare with NUTS"
      )
    ]
  }

  /// Draws and weights points until they are worth a number of independent draws, or the rounds are over.
  ///
  /// - Parameters:
  ///   - approximation: Where the proposals begin.
  ///   - effective: The number of independent draws that are enough.
  ///   - count: The number of points of a round.
  ///   - rounds: The largest number of rounds.
  ///   - key: The key of the points, which do not depend on the number of threads.
  ///   - progress: Told of each round.
  ///   - isCancelled: Asked between rounds, of which there is one at least.
  public init(
    _ approximation: LaplaceApproximation, effective: Double = 1000, points count: Int = 1000,
    rounds: Int = 8, key: RandomKey = 0, progress: Progress = .none,
    isCancelled: () -> Bool = { false }
  ) {
    demand(
      count >= 100 && rounds > 0,
      "ImportanceSample: expected at least 100 points in each of at least one round, got \(count) points in \(rounds)"
    )
    let clock = ContinuousClock()
    let begin = clock.now
    let cloud = ProposalCloud(approximation)
    var proposal: StudentProposal? = StudentProposal(approximation)
    var smoothed = ParetoSmoothedWeights([])
    var efficiency = 0.0
    for round in 0..<rounds {
      guard let current = proposal else { break }
      cloud.add(count, from: current, key: key.folding(in: round))
      smoothed = ParetoSmoothedWeights(cloud.logWeights)
      let squares = smoothed.logWeights.reduce(0) { $0 + exponential(2 * $1) }
      efficiency = squares > 0 ? 1 / (squares * Double(cloud.count)) : 0
      // A tail that is too heavy may become lighter: centre and covariance are better known with each round, of which the first knows
      // nothing but the mode.
      let isEnough =
        round > 1 && efficiency * Double(cloud.count) >= effective
        && smoothed.paretoK < Self.largestK
      progress.report?(
        ProgressUpdate(
          stage: "weighting", completed: cloud.count, total: rounds * count,
          seconds: (clock.now - begin) / .seconds(1), unit: "points",
          details: [(name: "worth", value: efficiency * Double(cloud.count))],
          isLast: isEnough || round + 1 == rounds))
      guard !isEnough, !isCancelled() else { break }
      proposal = StudentProposal(fitting: cloud)
    }
    wanted = effective
    density = approximation.density
    points = cloud.points
    logWeights = smoothed.logWeights
    paretoK = smoothed.paretoK
    self.efficiency = efficiency
    logEvidence = logSumExp(cloud.logWeights) - logarithm(Double(cloud.count))
  }

  /// Draws sites: points in proportion to their weights, so that some come more than once.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key; draw i depends on it and on i alone.
  ///   - sites: The sites, latent or deterministic.
  /// - Returns: One chain of draws.
  /// - Throws: `ModelError` of kind `unknownSites` for a name that the model does not have, of kind `notFinite` where no point has a
  ///   finite weight.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0, sites: [String]) throws -> Draws {
    let names = try density.names(of: .named(sites))
    return density.draws(flat: try resampled(count, key), chains: 1, sites: names)
  }

  /// Draws all latent sites: points in proportion to their weights, so that some come more than once.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key; draw i depends on it and on i alone.
  /// - Returns: One chain of draws.
  /// - Throws: `ModelError` of kind `notFinite` where no point has a finite weight.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0) throws -> Draws {
    density.draws(flat: try resampled(count, key), chains: 1)
  }

  /// Returns draws in unconstrained space, one after the other.
  private func resampled(_ count: Int, _ key: RandomKey) throws -> [Double] {
    let n = density.dimension
    guard efficiency > 0 else {
      throw ModelError(
        .notFinite,
        "expected points with a finite log density around the mode, found none among \(self.count); look at the density, or use NUTS"
      )
    }
    var sum = 0.0
    let sums = logWeights.map { logWeight -> Double in
      sum += exponential(logWeight)
      return sum
    }
    var flat: [Double] = []
    flat.reserveCapacity(count * n)
    for uniform in key.uniforms(count) {
      // The first point whose sum of weights exceeds the number.
      var (low, high) = (0, sums.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if sums[middle] > uniform * sum { high = middle } else { low = middle + 1 }
      }
      flat += points[(low * n)..<((low + 1) * n)]
    }
    return flat
  }
}
