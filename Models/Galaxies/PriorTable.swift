// SPDX-License-Identifier: MIT
//
// What a user knows of each parameter of a stock model: a distribution or a value, and where to start.

import Numerics
package import Distributions

/// The priors, fixed values and starting values of parameters, by site.
///
/// It is the memory of a ``ModelPrior``, which knows the sites.
public struct PriorTable: Sendable {
  /// The distributions, by site.
  var distributions: [String: any Distribution]

  /// The values of the parameters that are held, by site.
  var fixed: [String: Double] = [:]

  /// Where a fit may start, by site.
  var guesses: [String: Double] = [:]

  /// The loss whose parameters of the noise are among the sites; nil for none.
  private(set) var loss: ImageLoss?

  /// The parameters of the noise that have the default prior of their loss.
  private var defaultNoise: Set<String> = []

  /// Creates a table of distributions.
  package init(_ distributions: [String: any Distribution] = [:]) {
    self.distributions = distributions
  }

  /// The distribution of a site; nil where none has been set.
  subscript(site: String) -> (any Distribution)? {
    get { distributions[site] }
    set {
      distributions[site] = newValue
      defaultNoise.remove(site)
    }
  }

  /// The sites that have a distribution or a value.
  var given: Set<String> { Set(distributions.keys).union(fixed.keys) }

  /// Takes the parameters of the noise of a loss into the table, those of an earlier loss out of it.
  mutating func include(_ loss: ImageLoss) {
    for site in defaultNoise { distributions[site] = nil }
    defaultNoise = []
    self.loss = loss
    for site in loss.sites where distributions[site] == nil && fixed[site] == nil {
      distributions[site] = ImageLoss.defaultPrior(site)
      defaultNoise.insert(site)
    }
  }

  /// Returns the distribution from which a model draws a site; a point mass at a fixed value.
  ///
  /// - Precondition: The site has a prior or a value, as `validate()` of the priors checks.
  func distribution(_ site: String) -> any Distribution {
    if let value = fixed[site] { return Delta(value) }
    guard let prior = distributions[site] else {
      stop("prior: expected a distribution for \"\(site)\"; call validate() first")
    }
    return prior
  }
}
