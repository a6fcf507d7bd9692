// SPDX-License-Identifier: MIT
//
// Variational posteriors of a compiled density in one call: the best normal approximation, and a flow that starts from it.

public import Numerics
import PPL
import Tensors

/// A variational approximation of the posterior of a compiled density, with what it is worth.
///
/// ```swift
/// let best = try density.findMAP()
/// let fit = try VariationalFit.multivariateNormal(density, from: best.interiorPoint, key: 1)
/// fit.diagnostics.paretoK                             // above 0.7: do not trust it
/// fit.sample(4000, key: 2).summary()
/// ```
public struct VariationalFit: Sendable {
  /// Why a fit stopped.
  public enum Reason: String, Sendable, Codable {
    /// The noise of the averaged steps is below the tolerance.
    case converged
    /// All steps of a flow are done; what it is worth, the diagnostics tell.
    case steps
    /// The steps of a normal distribution are used up before their noise was below the tolerance.
    case stepLimit = "step-limit"
    /// The flow was no better than the normal distribution that it started from, which is given instead.
    case noGain = "no-gain"
    /// The log density was not finite for most draws.
    case notFinite = "not-finite"
    /// The caller asked to stop.
    case cancelled
  }

  /// The guide.
  public let guide: any VectorAutoGuide

  /// The guide at its fitted parameters.
  public let posterior: VariationalPosterior

  /// The evidence bound, the weights' tail, and warnings in words.
  public let diagnostics: GuideDiagnostics

  /// Why the fit stopped.
  public let reason: Reason

  /// The number of gradients of the log density.
  public let gradients: Int

  /// The time, in seconds.
  public let seconds: Double

  /// What makes the fit doubtful, in words, with what to do; empty where nothing does.
  public var warnings: [DiagnosticWarning] {
    var list = diagnostics.warnings
    switch reason {
    case .converged, .steps: break
    case .stepLimit:
      list.append(
        DiagnosticWarning(
          .notConverged, "fit",
          "the fit used up its steps before mean and covariance were known to the tolerance asked for; the posterior is far from normal: use a flow, or NUTS"
        ))
    case .noGain:
      list.append(
        DiagnosticWarning(
          .notConverged, "fit",
          "the flow ended no better than the normal distribution it started from, which is given instead; lower its learning rate or add steps, or use NUTS"
        ))
    case .notFinite:
      list.append(
        DiagnosticWarning(
          .notFinite, "fit",
          "the log density was not finite at most draws of the guide; start from another point, or use NUTS"
        ))
    case .cancelled:
      list.append(
        DiagnosticWarning(
          .cancelled, "fit",
          "the fit was stopped on request; what is given is the best guide so far"
        ))
    }
    return list
  }

  /// Returns draws of the latent sites; see ``VariationalPosterior/sample(_:key:)``.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0) -> Draws {
    posterior.sample(count, key: key)
  }

  /// Returns draws of sites; see ``VariationalPosterior/sample(_:key:sites:)``.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0, sites: [String]) throws -> Draws {
    try posterior.sample(count, key: key, sites: sites)
  }

  // MARK: - Normal

  /// Fits a normal distribution with a full covariance, starting from the Laplace approximation.
  ///
  /// Natural-gradient steps with antithetic draws, first of constant length, then averaged, until their noise is below a
  /// hundredth of a standard deviation. A few hundred gradients where the posterior is nearly normal.
  ///
  /// - Parameters:
  ///   - density: The log density.
  ///   - start: Where the search for the mode starts; by default the median of the prior. The MAP is a good place.
  ///   - key: The key of all noise.
  ///   - tolerance: The noise of the mean, in deviations, and of the logarithms of deviations at which the fit stops.
  ///   - maximumGradients: The gradients after which it stops in any case.
  ///   - progress: Where progress goes.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The fit.
  /// - Throws: `ModelError` if no start is found, or the curvature at the mode cannot be inverted.
  public static func multivariateNormal(
    _ density: CompiledDensity, from start: [Double]? = nil, key: RandomKey = 0,
    tolerance: Double = 0.01, maximumGradients: Int = 6000, progress: Progress = .none,
    isCancelled: () -> Bool = { false }
  ) throws -> VariationalFit {
    let normal = try NormalFit(
      density, from: start, key: key, tolerance: tolerance, maximumGradients: maximumGradients,
      progress: progress, isCancelled: isCancelled)
    return try VariationalFit(normal, key: key)
  }

  /// Takes a normal distribution as it was fitted.
  private init(_ normal: NormalFit, key: RandomKey) throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let guide = AutoMultivariateNormal(normal.space)
    let posterior = try VariationalPosterior(normal.space.density.model, guide.program)
    self.init(
      guide: guide, posterior: posterior,
      diagnostics: posterior.diagnostics(key: key.folding(in: "diagnostics")),
      reason: normal.reason, gradients: normal.gradients,
      seconds: normal.seconds + (clock.now - begin).inSeconds)
  }

  /// Gathers a fit.
  private init(
    guide: any VectorAutoGuide, posterior: VariationalPosterior, diagnostics: GuideDiagnostics,
    reason: Reason, gradients: Int, seconds: Double
  ) {
    self.guide = guide
    self.posterior = posterior
    self.diagnostics = diagnostics
    self.reason = reason
    self.gradients = gradients
    self.seconds = seconds
  }

  // MARK: - Flow

  /// Fits an inverse autoregressive flow, starting from the best normal distribution.
  ///
  /// The flow works in coordinates in which that is standard, and starts near the identity: it has to learn only what the
  /// normal distribution misses. Where it ends lower than that, or is stopped before it is better, the normal distribution
  /// is the result, and the reason says so.
  ///
  /// - Parameters:
  ///   - density: The log density.
  ///   - start: Where the search for the mode starts; by default the median of the prior. The MAP is a good place.
  ///   - layers: The number of layers.
  ///   - hidden: The hidden units of each layer's network; by default two layers of twice the number of coordinates.
  ///   - steps: The number of steps of the flow.
  ///   - particles: The draws of each step.
  ///   - learningRate: Adam's first step size, which falls to a hundredth of it.
  ///   - key: The key of all noise and of the first weights.
  ///   - progress: Where progress goes.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The fit.
  /// - Throws: `ModelError` if no start is found, or the curvature at the mode cannot be inverted.
  public static func flow(
    _ density: CompiledDensity, from start: [Double]? = nil, layers: Int = 3,
    hidden: [Int]? = nil, steps: Int = 2000, particles: Int = 4, learningRate: Double = 0.01,
    key: RandomKey = 0, progress: Progress = .none, isCancelled: () -> Bool = { false }
  ) throws -> VariationalFit {
    demand(
      steps > 0 && particles > 0 && learningRate > 0,
      "VariationalFit: expected steps, particles and learning rate > 0, got \(steps), \(particles), \(learningRate)"
    )
    let clock = ContinuousClock()
    let begin = clock.now
    let normal = try NormalFit(
      density, from: start, key: key, tolerance: 0.02, maximumGradients: 2000,
      progress: progress, isCancelled: isCancelled)
    let basis = try VariationalFit(normal, key: key)
    if normal.reason == .cancelled { return basis }
    let guide = AutoIAF(
      normal.space, layers: layers, hidden: hidden, key: key.folding(in: "flow"))
    let schedule = Schedule.cosine(
      initial: learningRate, final: 0.01 * learningRate, steps: steps)
    // In coordinates in which the normal guide is standard the elements of a gradient are of the order of one; larger ones
    // come from draws far outside, and would throw the flow off its path.
    let svi = try SVI(
      density.model, guide, optimizer: .clippedAdam(schedule, clip: 1),
      loss: TraceELBO(particles: particles, isAntithetic: true, sticksTheLanding: true))
    let result = svi.run(
      steps: steps, averaging: 0.1, key: key.folding(in: "steps"), progress: progress,
      isCancelled: isCancelled)
    let diagnostics = result.posterior.diagnostics(key: key.folding(in: "diagnostics"))
    let gradients = normal.gradients + result.losses.count * particles
    let seconds = (clock.now - begin).inSeconds
    let noise = max(diagnostics.elboError, basis.diagnostics.elboError)
    let isWorse = !(diagnostics.elbo > basis.diagnostics.elbo - 2 * noise)
    let reason: Reason =
      switch result.reason {
      case .steps, .plateau: isWorse ? .noGain : .steps
      case .notFinite: .notFinite
      case .cancelled: .cancelled
      }
    return VariationalFit(
      guide: isWorse ? basis.guide : guide, posterior: isWorse ? basis.posterior : result.posterior,
      diagnostics: isWorse ? basis.diagnostics : diagnostics, reason: reason,
      gradients: gradients, seconds: seconds)
  }
}
