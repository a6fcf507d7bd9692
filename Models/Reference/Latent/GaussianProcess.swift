// SPDX-License-Identifier: MIT
//
// Regression by a Gaussian process with a squared-exponential kernel.
//
// Source: Rasmussen & Williams 2006, equations 2.16 and 2.20.

import Distributions
public import PPL
public import Tensors

/// Returns the regression of y on x by a Gaussian process of zero mean: sites rho, alpha, sigma, observed y.
///
/// The process itself is integrated out. **σ is the variance of the noise**, not its standard deviation: it stands on the diagonal as
/// it is.
///
/// - Parameters:
///   - x: Where the observations were made.
///   - y: The observations; nil to predict them.
/// - Returns: The model.
public func gaussianProcess(x: [Double], y: [Double]?) -> Model<Void> {
  Model { m in
    let rho = m.sample("rho", Gamma(25, 4))
    let alpha = m.sample("alpha", HalfNormal(2))
    let sigma = m.sample("sigma", HalfNormal(1))
    let kernel = squaredExponential(Tensor(x), amplitude: alpha, length: rho)
    let covariance = kernel + sigma * Tensor.identity(x.count)
    m.observe("y", MultivariateNormal(0, covariance: covariance), y)
  }
}

/// Returns the kernel α² exp(−½ (x_i − x_j)²/ρ²), `[N, N]` for points x of `[N]`.
public func squaredExponential(_ x: Tensor, amplitude: Tensor, length: Tensor) -> Tensor {
  let distances = square(x.expandingAxis(1) - x)
  return square(amplitude) * exp(distances * (-0.5 / square(length)))
}
