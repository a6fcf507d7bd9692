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

    /// Judges the draws of a scalar.
    init(_ draws: ScalarDraws, site: String) {
      name = draws.name
      self.site = site
      rHat = draws.rHat
      bulkESS = draws.bulkESS
      tailESS = draws.tailESS
      relativeMeanError = draws.meanError / draws.standardDeviation
      concentration = draws.concentration
      notFinite = draws.values.count { !$0.isFinite }
      isConstant = draws.values.allSatisfy { $0 == draws.values.first }
    }
  }

  /// The number of chains.
  public let chains: Int

  /// The number of draws of each chain.
  public let draws: Int

  /// The scalars, in the order of the sites; arrays of more than 1000 elements are left out.
  public let scalars: [Scalar]

  /// The number of draws that diverged; nil for draws that no Markov chain made.
  public let divergences: Int?

  /// The E-BFMI of each chain; empty where the sampler told no energies.
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

  /// The largest number of elements of a site that is judged.
  private static let largestSite = 1000

  /// Judges draws.
  init(_ draws: Draws) {
    chains = draws.chains
    self.draws = draws.draws
    let parts = draws.sites.filter { $0.shape.elementCount <= Self.largestSite }
      .flatMap { site in draws.scalars(of: site).map { (site.name, $0) } }
    scalars = parts.map { Scalar($0.1, site: $0.0) }
    divergences = draws.statistics.map(\.divergences)
    let energy = draws.statistics?.energy ?? []
    energyFractions =
      energy.isEmpty || energy.contains(where: \.isNaN)
      ? [] : Inference.energyFractions(energy, chains: draws.chains)
    let examiner = DrawsExaminer(
      draws: draws, parts: parts.map(\.1), scalars: scalars, energyFractions: energyFractions)
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
  /// - Complexity: Some milliseconds to a scalar of 4000 draws; keep the result.
  public var diagnostics: PosteriorDiagnostics { PosteriorDiagnostics(self) }
}
