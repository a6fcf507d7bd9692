// SPDX-License-Identifier: MIT
//
// Eight schools: effects that share a distribution, centred and non-centred.
//
// Source: Rubin 1981, "Estimation in parallel randomized experiments"; Gelman et al. 2013, section 5.5.

import Distributions
public import PPL
import Tensors

/// Returns the model of effects with known errors and a common normal distribution: sites mu, tau, theta, observed y.
///
/// This is the centred form. Where tau is small the effects are confined to a narrow region that a sampler's steps cannot enter: it
/// diverges. Use ``nonCentredEightSchools(effects:errors:)`` to sample.
///
/// - Parameters:
///   - effects: The estimated effects; nil to predict them, for as many schools as there are errors.
///   - errors: Their standard errors, positive.
/// - Returns: The model.
public func eightSchools(effects: [Double]?, errors: [Double]) -> Model<Void> {
  Model { m in
    let mu = m.sample("mu", Normal(0, 5))
    let tau = m.sample("tau", HalfCauchy(5))
    m.plate("schools", errors.count) {
      let theta = m.sample("theta", Normal(mu, tau))
      m.observe("y", Normal(theta, errors), effects)
    }
  }
}

/// Returns the same model, non-centred: theta = mu + tau · theta_base with standard normal theta_base.
public func nonCentredEightSchools(effects: [Double]?, errors: [Double]) -> Model<Void> {
  eightSchools(effects: effects, errors: errors).reparameterized(["theta": LocScale()])
}
