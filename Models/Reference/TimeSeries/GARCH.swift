// SPDX-License-Identifier: MIT
//
// A GARCH(1,1) process: a variance that remembers.
//
// Source: Bollerslev 1986, "Generalized autoregressive conditional heteroskedasticity".

import Distributions
public import PPL
import Tensors

/// Returns the GARCH(1,1) model: sites mu, alpha0, alpha1, beta1, observed y.
///
/// σ_t² = α₀ + α₁ (y_{t−1} − μ)² + β₁ σ_{t−1}², y_t ~ Normal(μ, σ_t). The priors are flat, β₁ on (0, 1 − α₁): its support depends on
/// another variable.
///
/// - Parameters:
///   - series: The values in order of time.
///   - firstScale: The first standard deviation σ₁, positive.
/// - Returns: The model.
public func garch(series: [Double], firstScale: Double) -> Model<Void> {
  Model { m in
    let mu = m.sample("mu", ImproperUniform(.real))
    let alpha0 = m.sample("alpha0", ImproperUniform(.positive))
    let alpha1 = m.sample("alpha1", Uniform(0, 1))
    let beta1 = m.sample("beta1", ImproperUniform(.between(0, 1 - alpha1)))
    // What the past values add to the variances is computed for all steps at once; the recursion is a loop.
    let driven = alpha0 + alpha1 * square(Tensor(series) - mu)
    var variances = [Tensor(firstScale * firstScale)]
    for t in 1..<series.count { variances.append(driven[t - 1] + beta1 * variances[t - 1]) }
    m.observe("y", Normal(mu, sqrt(Tensor.stack(variances))), series)
  }
}
