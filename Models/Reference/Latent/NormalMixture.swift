// SPDX-License-Identifier: MIT
//
// A mixture of two normal distributions, told apart by the order of their means.

import Distributions
public import PPL
import Tensors

/// Returns the mixture θ Normal(μ₁, σ₁) + (1 − θ) Normal(μ₂, σ₂), μ₁ < μ₂: sites mu, sigma, theta, observed y.
///
/// The order breaks the symmetry of the labels; the assignments are summed out.
///
/// - Parameter y: The observations; nil to predict one.
/// - Returns: The model.
public func normalMixture(y: [Double]?) -> Model<Void> {
  Model { m in
    let mu = m.sample("mu", Normal([0.0, 0.0], 2).restricted(to: .ordered))
    let sigma = m.plate("components", 2) { m.sample("sigma", HalfNormal(2)) }
    let theta = m.sample("theta", Beta(5, 5))
    m.observe("y", MixtureSameFamily(weights: [theta, 1 - theta], Normal(mu, sigma)), y)
  }
}
