// SPDX-License-Identifier: MIT
//
// How the posterior of an imported scene is estimated.

import Inference
import GalaxyModels
import Numerics

/// How the posterior of an imported scene is estimated.
public struct ImportedEstimate: Sendable {
  /// The way: none (``FitMethod/map``), or any but ``FitMethod/neutra``.
  public var method: FitMethod

  /// The number of draws, of Markov chains those of each chain.
  public var draws: Int

  /// The number of Markov chains.
  public var chains: Int

  /// The iterations of each chain that tune the sampler and are not kept.
  public var warmUp: Int

  /// The acceptance that Markov chains are tuned to.
  public var targetAcceptance: Double

  /// Creates the settings.
  public init(
    _ method: FitMethod = .laplace, draws: Int = 4000, chains: Int = 2, warmUp: Int = 1000,
    targetAcceptance: Double = 0.8
  ) {
    self.method = method
    self.draws = draws
    self.chains = chains
    self.warmUp = warmUp
    self.targetAcceptance = targetAcceptance
  }

  /// Draws from the posterior of a density.
  ///
  /// - Returns: The draws, nil where none are wanted; and what makes them doubtful.
  /// - Throws: `ModelError` where the curvature at the mode is not finite, or no chain finds a starting point; ``OptionError`` for
  ///   a way that there is not.
  func posterior(
    _ density: CompiledDensity, from mode: [Double], sites: [String], key: RandomKey,
    progress: Progress, isCancelled: @escaping @Sendable () -> Bool
  ) throws -> (draws: Draws?, findings: [InputFinding]) {
    /// Returns warnings of an algorithm as findings.
    func findings(_ warnings: [DiagnosticWarning]) -> [InputFinding] {
      warnings.map { InputFinding(.warning, $0.code.rawValue, subject: $0.subject, $0.message) }
    }
    let noise = key.folding(in: "guide")
    switch method {
    case .map: return (nil, [])
    case .laplace:
      let normal = try LaplaceApproximation(density, from: mode, isCancelled: isCancelled)
      let flat = normal.flatDirections
      return (
        try normal.sample(draws, key: key, sites: sites),
        flat == 0
          ? []
          : [
            InputFinding(
              .warning, "laplace-flat", subject: "fit",
              "the log density does not curve down in \(flat) direction(s): errors cannot be trusted there"
            )
          ]
      )
    case .sviMVN, .sviFlow:
      let guide =
        method == .sviMVN
        ? try VariationalFit.multivariateNormal(
          density, from: mode, key: noise, progress: progress, isCancelled: isCancelled)
        : try VariationalFit.flow(
          density, from: mode, key: noise, progress: progress, isCancelled: isCancelled)
      return (try guide.sample(draws, key: key, sites: sites), findings(guide.warnings))
    case .nuts:
      let sample = try NUTS(targetAcceptance: targetAcceptance).run(
        density, chains: chains, warmUp: warmUp, draws: draws, key: key,
        initial: .laplace(from: .unconstrained([mode]), spread: 2), sites: .named(sites),
        progress: progress, isCancelled: isCancelled)
      return (sample, findings(sample.diagnostics.warnings))
    case .neutra:
      throw OptionError(
        "--method", "expected map, laplace, svi-mvn, svi-flow or nuts here, found neutra")
    }
  }
}
