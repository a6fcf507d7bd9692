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
/// rounds, so that none is lost. It serves posteriors of one mode and of some twenty dimensions at most; ``paretoK`` says
/// where the weights cannot be trusted.
///
/// ```swift
/// let normal = try LaplaceApproximation(density, from: start)
/// let weighted = ImportanceSample(normal, key: 1)
/// if weighted.isReliable { print(weighted.sample(4000, key: 2).summary()) }
/// ```
public struct ImportanceSample: Sendable {
  /// The density whose draws these are.
  public let density: CompiledDensity

  /// The points in unconstrained space, one after the other.
  private let points: [Double]

  /// The logarithms of the smoothed weights, which sum to one.
  public let logWeights: [Double]

  /// The shape of the tail of the weights: above ``largestGoodK`` the draws miss part of the posterior.
  public let paretoK: Double

  /// The k up to which this number of points is enough: 1 − 1 / log₁₀ of it, at most 0.7.
  public let largestGoodK: Double

  /// The effective number of points divided by their number.
  public let efficiency: Double

  /// The log of the evidence.
  public let logEvidence: Double

  /// The number of points, each of which took one value of the density.
  public var count: Int { logWeights.count }

  /// The number of independent draws that the points are worth.
  public var effectiveCount: Double { efficiency * Double(count) }

  /// Whether the weights can be trusted: their tail is light enough for so many points.
  public var isReliable: Bool { paretoK <= largestGoodK }

  /// Draws and weights points until they are worth a number of independent draws, or the rounds are over.
  ///
  /// - Parameters:
  ///   - approximation: Where the proposals begin.
  ///   - effective: The number of independent draws that are enough.
  ///   - count: The number of points of a round.
  ///   - rounds: The largest number of rounds.
  ///   - key: The key of the points, which do not depend on the number of threads.
  ///   - isCancelled: Asked between rounds, of which there is one at least.
  public init(
    _ approximation: LaplaceApproximation, effective: Double = 1000, points count: Int = 1000,
    rounds: Int = 5, key: RandomKey = 0, isCancelled: () -> Bool = { false }
  ) {
    demand(
      count >= 100 && rounds > 0,
      "ImportanceSample: expected at least 100 points in each of at least one round, got \(count) points in \(rounds)"
    )
    let cloud = ProposalCloud(approximation)
    var proposal = StudentProposal(approximation)
    var smoothed = ParetoSmoothedWeights([])
    var efficiency = 0.0
    for round in 0..<rounds {
      guard let current = proposal else { break }
      cloud.add(count, from: current, key: key.folding(in: round))
      smoothed = ParetoSmoothedWeights(cloud.logWeights)
      let squares = smoothed.logWeights.reduce(0) { $0 + exponential(2 * $1) }
      efficiency = 1 / (squares * Double(cloud.count))
      // A tail that is too heavy may become lighter: centre and covariance are better known with each round.
      let isEnough = efficiency * Double(cloud.count) >= effective && smoothed.paretoK < 0.5
      guard !isEnough, !isCancelled() else { break }
      proposal = StudentProposal(fitting: cloud)
    }
    density = approximation.density
    points = cloud.points
    logWeights = smoothed.logWeights
    paretoK = smoothed.paretoK
    largestGoodK = GuideDiagnostics.largestGoodK(cloud.count)
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
  /// - Throws: `ModelError` of kind `unknownSites` for a name that the model does not have.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0, sites: [String]) throws -> Draws {
    density.draws(
      flat: resampled(count, key), chains: 1, sites: try density.names(of: .named(sites)))
  }

  /// Draws all latent sites: points in proportion to their weights, so that some come more than once.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key; draw i depends on it and on i alone.
  /// - Returns: One chain of draws.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0) -> Draws {
    density.draws(flat: resampled(count, key), chains: 1)
  }

  /// Returns draws in unconstrained space, one after the other.
  private func resampled(_ count: Int, _ key: RandomKey) -> [Double] {
    let n = density.dimension
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
