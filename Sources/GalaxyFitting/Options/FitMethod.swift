// SPDX-License-Identifier: MIT
//
// The ways of fitting by their words: those of the command line and of configurations.

/// A way of fitting.
public enum FitMethod: String, Sendable, CaseIterable {
  /// The maximum of the posterior.
  case map
  /// A normal approximation of the posterior at its mode.
  case laplace
  /// The normal distribution closest to the posterior.
  case sviMVN = "svi-mvn"
  /// A normalising flow.
  case sviFlow = "svi-flow"
  /// Markov chains: the no-U-turn sampler.
  case nuts
  /// Markov chains on the noise of a trained flow.
  case neutra

  /// The way of Markov chains; nil for the others.
  public var sampling: SamplingMethod? { SamplingMethod(rawValue: rawValue) }
}
