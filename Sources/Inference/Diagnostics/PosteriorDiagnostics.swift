// SPDX-License-Identifier: MIT
//
// Whether draws can be trusted: numbers for each scalar and for the sampler, and warnings in words.

import Tensors

/// Whether draws can be trusted: numbers to each scalar, what the sampler met, and warnings with what to do.
///
/// ```swift
/// let diagnostics = draws.diagnostics
/// if diagnostics.warnings.isEmpty { … }
/// for warning in diagnostics.warnings { print(warning.message) }
/// ```
public struct PosteriorDiagnostics: Sendable {
  /// The diagnostics of one scalar.
  public struct Scalar: Sendable {
    /// The name: `tau`, `theta[0]`.
    public let name: String
    /// The site it belongs to.
    public let site: String
    /// The rank-normalised split R-hat.
    public let rHat: Double
    /// The effective sample size of the centre.
    public let bulkESS: Double
    /// The effective sample size of the tails.
    public let tailESS: Double
    /// The Monte Carlo error of the mean, in standard deviations.
    public let relativeMeanError: Double
    /// The length of the mean direction of an angle; nil for other quantities.
    public let concentration: Double?
    /// The number of draws that are NaN or infinite.
    public let notFinite: Int
    /// Whether all draws are the same.
    public let isConstant: Bool
    /// The chains in which all draws are the same.
    let stillChains: [Int]

    /// Judges the draws of a scalar by the scores of their ranks.
    init(_ draws: ScalarDraws, site: String, _ scores: RankScores) {
      name = draws.name
      self.site = site
      let convergence = Convergence(draws, scores)
      rHat = convergence.rHat
      bulkESS = convergence.bulkESS
      tailESS = convergence.tailESS
      relativeMeanError = draws.meanError / draws.standardDeviation
      concentration = draws.concentration
      notFinite = draws.values.count { !$0.isFinite }
      isConstant = draws.values.allSatisfy { $0 == draws.values.first }
      let length = draws.values.count / max(1, draws.chains)
      stillChains = (0..<draws.chains).filter { chain in
        let own = draws.values[(chain * length)..<((chain + 1) * length)]
        return own.allSatisfy { $0 == own.first }
      }
    }
  }

  /// The number of chains.
  public let chains: Int

  /// The number of draws of each chain.
  public let draws: Int

  /// The scalars, in the order of the sites.
  public let scalars: [Scalar]

  /// The number of draws that diverged; nil for draws that no Markov chain made.
  public let divergences: Int?

  /// The E-BFMI of each chain, of all its steps; empty where the sampler told no energies, or not those of all steps.
  public let energyFractions: [Double]

  /// The reasons not to trust the draws; none when all is well.
  public let warnings: [DiagnosticWarning]

  /// Whether there is no warning.
  public var isGood: Bool { warnings.isEmpty }

  /// Returns the diagnostics of a scalar, or nil.
  public subscript(name: String) -> Scalar? { scalars.first { $0.name == name } }

  /// The largest R-hat, with its scalar; nil where none is known.
  public var worstRHat: Scalar? {
    scalars.filter { !$0.rHat.isNaN }.max { $0.rHat < $1.rHat }
  }

  /// The smallest bulk effective sample size, with its scalar; nil where none is known.
  public var worstBulkESS: Scalar? {
    scalars.filter { !$0.bulkESS.isNaN }.min { $0.bulkESS < $1.bulkESS }
  }

  /// The smallest tail effective sample size, with its scalar; nil where none is known.
  public var worstTailESS: Scalar? {
    scalars.filter { !$0.tailESS.isNaN }.min { $0.tailESS < $1.tailESS }
  }

  /// Judges draws.
  init(_ draws: Draws) {
    chains = draws.chains
    self.draws = draws.draws
    let scores = draws.rankScores
    scalars = draws.concurrentMap(draws.sites) { Scalar($1, site: $0.name, scores) }
    divergences = draws.statistics.map(\.divergences)
    let energy = draws.statistics?.energy ?? []
    let known = draws.statistics?.energyFractions ?? []
    energyFractions =
      energy.isEmpty || energy.contains(where: \.isNaN)
      ? []
      : known.count == draws.chains
        ? known
        // Draws that leave steps out do not tell how the energy changes from step to step.
        : draws.statistics?.thinning == 1
          ? Inference.energyFractions(energy, chains: draws.chains) : []
    let examiner = DrawsExaminer(
      draws: draws, scalars: scalars, energyFractions: energyFractions)
    warnings = examiner.warnings()
  }
}

extension PosteriorDiagnostics: CustomStringConvertible {
  /// The warnings, or that there is none; then the worst numbers.
  public var description: String {
    var lines =
      isGood
      ? ["The chains agree; no warning."] : warnings.map { "\($0.code.rawValue): \($0.message)" }
    lines.append("\(chains) × \(draws) draws")
    if let worst = worstRHat {
      lines.append("largest R-hat \(decimalText(worst.rHat, decimals: 3)) (\(worst.name))")
    }
    if let worst = worstBulkESS {
      lines.append("smallest bulk ESS \(decimalText(worst.bulkESS, decimals: 0)) (\(worst.name))")
    }
    if let worst = worstTailESS {
      lines.append("smallest tail ESS \(decimalText(worst.tailESS, decimals: 0)) (\(worst.name))")
    }
    if let divergences { lines.append("divergences \(divergences)") }
    if let smallest = energyFractions.filter({ !$0.isNaN }).min() {
      lines.append("smallest E-BFMI \(decimalText(smallest, decimals: 2))")
    }
    return lines.joined(separator: "\n")
  }
}

extension Draws {
  /// Whether the draws can be trusted: R-hat, effective sample sizes, E-BFMI, divergences, and warnings in words.
  ///
  /// - Complexity: The draws of each scalar are sorted once, on all processors; keep the result.
  public var diagnostics: PosteriorDiagnostics { PosteriorDiagnostics(self) }
}
