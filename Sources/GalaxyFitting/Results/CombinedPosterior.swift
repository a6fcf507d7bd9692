// SPDX-License-Identifier: MIT
//
// Posteriors of independent data combined: products of normal approximations, each prior divided out, corrected by importance weights.

public import Distributions
public import GalaxyModels
public import Inference
public import Numerics
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The posterior of parameters that independent fits share, from the draws of each.
///
/// ```swift
/// let joint = try CombinedPosterior([g, r, i], parameters: ["n", "ellip", "theta"])
/// print(joint)
/// joint.draws.scalar("n").quantiles([0.16, 0.5, 0.84])
/// ```
/// Each fit has used a prior, which must count once: p(θ | all data) ∝ p(θ) ∏ p(θ | data k) / p_k(θ). Each fit's marginal posterior
/// is taken for a normal distribution in unconstrained coordinates, that of its draws; the priors are exact: draws from the
/// normal distribution that comes closest to the product are weighted by Pareto-smoothed importance sampling, then resampled.
/// What depends on this is measured: the tail of the weights, how normal each posterior is, whether the fits agree.
///
/// The parameters must mean the same in every fit: pixels of the same size and orientation for radii and angles, the same grid
/// for positions. The fits must share no data, and in the priors the parameters must not depend on others.
public struct CombinedPosterior: Sendable {
  /// How one fit's posterior of one parameter compares with the others and with a normal distribution.
  public struct Share: Sendable {
    /// The number of the fit, from 0.
    public let fit: Int
    /// The parameter.
    public let parameter: String
    /// How far its mean lies from that of all fits together, in standard deviations of the difference; NaN where there is none.
    public let pull: Double
    /// The largest distance of its distribution from the normal one, as a probability.
    public let departure: Double
    /// The largest distance that draws of a normal distribution would show by chance.
    public let expectedDeparture: Double
  }

  /// The draws of the shared parameters, one chain.
  public let draws: Draws

  /// The shape of the tail of the importance weights: above 0.7 the combination cannot be trusted.
  public let paretoK: Double

  /// The share of the weighted draws that count.
  public let efficiency: Double

  /// Σ (m_k − m)ᵀ S_k⁻¹ (m_k − m), m the mean of the product: how far the fits lie apart.
  public let chiSquared: Double

  /// Its degrees of freedom: parameters times fits less one.
  public let degreesOfFreedom: Int

  /// The chance of such a distance where all fits see the same parameters; too large where priors pull them together.
  public let pValue: Double

  /// Each fit's share in each parameter.
  public let shares: [Share]

  /// What makes the combination doubtful.
  public let findings: [InputFinding]

  /// Combines the posteriors of independent fits.
  ///
  /// - Parameters:
  ///   - fits: At least two posteriors.
  ///   - parameters: The parameters that they share, scalars.
  ///   - prior: Priors of the parameters that count once, by site; those of the first fit unless given.
  ///   - draws: The number of draws of the result.
  ///   - key: Their key.
  /// - Throws: ``FitRecordError`` where a fit lacks a parameter, or its prior depends on others; `ModelError` where a covariance
  ///   cannot be inverted.
  public init(
    _ fits: [PosteriorFit], parameters: [String], prior: [String: any Distribution] = [:],
    draws: Int = 4000, key: RandomKey = 0
  ) throws {
    var priors: [[String: any Distribution]] = []
    for (number, fit) in fits.enumerated() {
      var own: [String: any Distribution] = [:]
      for name in parameters {
        guard let distribution = fit.best.fit.prior[name], fit.draws.site(name) != nil else {
          throw FitRecordError(
            "fit \(number)",
            "expected the free parameter \(name), found \(fit.draws.names.joined(separator: ", ")); name what all fits share"
          )
        }
        guard fit.best.fit.prior.texts[name] == "\(distribution)" else {
          throw FitRecordError(
            "fit \(number), prior of \(name)",
            "expected a prior that depends on no other parameter, found \(fit.best.fit.prior.texts[name] ?? ""); set isOrdered to false, or leave the parameter out"
          )
        }
        own[name] = distribution
      }
      priors.append(own)
    }
    try self.init(
      fits.map(\.draws), priors: priors, parameters: parameters, prior: prior, draws: draws,
      key: key)
  }

  /// Combines draws of independent posteriors.
  ///
  /// - Parameters:
  ///   - posteriors: The draws of at least two posteriors.
  ///   - priors: For each of them the priors of the parameters, by site.
  ///   - parameters: The parameters that they share, scalars.
  ///   - prior: Priors of the parameters that count once, by site; those of the first unless given.
  ///   - draws: The number of draws of the result.
  ///   - key: Their key.
  /// - Throws: ``FitRecordError`` where draws lie outside a prior, or a covariance cannot be inverted.
  /// - Precondition: There are at least two posteriors, each with priors and draws of every parameter.
  public init(
    _ posteriors: [Draws], priors: [[String: any Distribution]], parameters: [String],
    prior: [String: any Distribution] = [:], draws: Int = 4000, key: RandomKey = 0
  ) throws(FitRecordError) {
    demand(
      posteriors.count >= 2 && priors.count == posteriors.count && !parameters.isEmpty && draws > 1,
      "CombinedPosterior: expected two posteriors or more with their priors, a parameter and draws, got \(posteriors.count), \(priors.count), \(parameters.count), \(draws)"
    )
    var space: [CombinedCoordinate] = []
    for name in parameters {
      space.append(
        try CombinedCoordinate(
          name, posteriors.map { $0.scalar(name) }, own: priors.map { $0[name] },
          joint: prior[name] ?? priors[0][name]))
    }
    var normals: [NormalShare] = []
    for number in posteriors.indices {
      normals.append(try NormalShare(space.map { $0.unconstrained[number] }, number))
    }
    let proposal = try CombinedProposal(normals, space)
    // Four weighted draws for each that is kept, so that few are kept twice.
    let candidates = proposal.draws(max(4 * draws, 8000), key: key.folding(in: "proposal"))
    var logWeights = candidates.map { u in
      normals.reduce(-proposal.logDensity(u)) { $0 + $1.logDensity(u) }
    }
    for (k, coordinate) in space.enumerated() {
      let corrections = coordinate.logPriorCorrection(candidates.map { $0[k] })
      for (i, value) in corrections.enumerated() { logWeights[i] += value }
    }
    // Outside the support of a prior there is nothing.
    for i in logWeights.indices where !logWeights[i].isFinite {
      logWeights[i] = -.greatestFiniteMagnitude
    }
    let smoothed = ParetoSmoothedWeights(logWeights)
    let weights = smoothed.logWeights.map { exp($0) }
    let square = weights.reduce(0) { $0 + $1 * $1 }
    paretoK = smoothed.paretoK
    efficiency = 1 / (square * Double(weights.count))
    let chosen = Self.resampled(weights, draws, key: key.folding(in: "resampling"))
    self.draws = Draws(
      chains: 1, draws: draws,
      sites: space.enumerated().map { k, coordinate in
        Draws.Site(
          name: coordinate.name, shape: [], period: coordinate.period,
          values: coordinate.constrained(chosen.map { candidates[$0][k] }))
      })
    let agreement = Agreement(normals, space, parameters)
    chiSquared = agreement.chiSquared
    degreesOfFreedom = agreement.degreesOfFreedom
    pValue = agreement.pValue
    shares = agreement.shares
    findings = Self.findings(paretoK, efficiency, agreement)
  }

  /// Returns the places of draws by systematic resampling, in a random order.
  private static func resampled(_ weights: [Double], _ count: Int, key: RandomKey) -> [Int] {
    let start = key.uniform(0)
    var places: [Int] = []
    places.reserveCapacity(count)
    var (place, sum) = (0, weights[0])
    for k in 0..<count {
      let target = (Double(k) + start) / Double(count)
      while sum < target, place + 1 < weights.count {
        place += 1
        sum += weights[place]
      }
      places.append(place)
    }
    // Candidates are independent of each other, and so is their order.
    return places
  }

  /// Returns what makes a combination doubtful.
  private static func findings(
    _ paretoK: Double, _ efficiency: Double, _ agreement: Agreement
  ) -> [InputFinding] {
    var list: [InputFinding] = []
    /// Adds a warning.
    func warn(_ code: FitFindingCode, _ subject: String, _ message: String) {
      list.append(InputFinding(.warning, code.rawValue, subject: subject, message))
    }
    if paretoK > 0.7 || efficiency < 0.05 {
      warn(
        .paretoK, "combination",
        "expected importance weights with a Pareto k below 0.7, found \(decimal(paretoK, 2)), and \(decimal(100 * efficiency, 1)) % of the draws that count: the priors say more than the data; fit all data together"
      )
    }
    for share in agreement.shares where share.departure > 0.03 + 2 * share.expectedDeparture {
      warn(
        .notNormal, share.parameter,
        "expected a nearly normal posterior, found that of fit \(share.fit) off by a probability of \(decimal(share.departure, 2)): its product with the others is wrong in the tails; fit all data together, or leave the parameter out"
      )
    }
    if agreement.pValue < 0.005 {
      let worst = agreement.shares.filter { $0.pull.isFinite }.max { abs($0.pull) < abs($1.pull) }
      let place = worst.map {
        ", most of all \($0.parameter) of fit \($0.fit), which is \(decimal(abs($0.pull), 1)) standard deviations off"
      }
      warn(
        .disagreement, worst?.parameter ?? "combination",
        "expected fits that agree within their errors, found a distance with a chance of \(significant(agreement.pValue, 2))\(place ?? ""): they do not see the same parameters, or errors are too small; combine only what is one thing"
      )
    }
    return list
  }
}

extension CombinedPosterior: CustomStringConvertible {
  /// The table of the draws, what they are worth, and the findings.
  public var description: String {
    ([
      "\(draws.summary(interval: .quantiles([0.16, 0.5, 0.84])))",
      "importance weights with Pareto k \(decimal(paretoK, 2)), \(decimal(100 * efficiency, 0)) % efficient; agreement: chi2 \(decimal(chiSquared, 1)) for \(degreesOfFreedom) degrees of freedom, p = \(decimal(pValue, 3))",
    ] + findings.map(\.description)).joined(separator: "\n")
  }
}
