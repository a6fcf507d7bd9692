// SPDX-License-Identifier: MIT
//
// The end of a variational fit: parameters, losses, why it stopped, and the posterior it stands for.

public import Numerics
public import Tensors

/// What a variational fit found.
public struct SVIResult: Sendable {
  /// Why a fit stopped.
  public enum Reason: String, Sendable, Codable {
    /// All steps are done; whether more would help, the losses tell.
    case steps
    /// The loss no longer fell in the last round.
    case plateau
    /// The ELBO was not finite for many steps in a row.
    case notFinite = "not-finite"
    /// The caller asked to stop.
    case cancelled
  }

  /// The fitted posterior.
  public let posterior: VariationalPosterior

  /// The state after the last step, from which ``SVI/run(steps:rounds:decay:patience:averaging:key:from:progress:isCancelled:)`` continues.
  public let state: SVIState

  /// The negative ELBO before each step, an estimate.
  public let losses: [Double]

  /// Why the fit stopped.
  public let reason: Reason

  /// The time it took, in seconds.
  public let seconds: Double

  /// Creates the result.
  init(
    objective: CompiledELBO, state: SVIState, losses: [Double], reason: Reason, seconds: Double
  ) {
    posterior = VariationalPosterior(objective, at: state.parameters)
    self.state = state
    self.losses = losses
    self.reason = reason
    self.seconds = seconds
  }

  /// The constrained parameters, by site.
  public var parameters: [String: Tensor] { posterior.parameters }

  /// Returns draws of the latent sites from the fitted guide; see ``VariationalPosterior/sample(_:key:)``.
  public func sample(_ count: Int = 1000, key: RandomKey = 0) -> Draws {
    posterior.sample(count, key: key)
  }

  /// Returns draws of sites from the fitted guide; see ``VariationalPosterior/sample(_:key:sites:)``.
  public func sample(_ count: Int = 1000, key: RandomKey = 0, sites: [String]) throws -> Draws {
    try posterior.sample(count, key: key, sites: sites)
  }

  /// Returns the ELBO with its Monte Carlo error; see ``VariationalPosterior/elbo(draws:key:)``.
  public func elbo(draws: Int = 1000, key: RandomKey = 0) -> (value: Double, error: Double) {
    posterior.elbo(draws: draws, key: key)
  }

  /// The reason in words, with what to do.
  public var explanation: String {
    let count = losses.count
    return switch reason {
    case .steps:
      "stopped after \(count) steps; look at the losses, and add steps if they still fall"
    case .plateau: "stopped after \(count) steps, when the loss no longer fell"
    case .notFinite:
      "gave up after \(count) steps: the ELBO was not finite many times in a row; lower the step size, or give the guide a better start"
    case .cancelled: "stopped on request after \(count) steps"
    }
  }
}
