// SPDX-License-Identifier: MIT
//
// A linear model with normal errors and priors: all that inference should find is known in closed form.
//
// Source: Bishop 2006, equations 3.49–3.51 and 2.115.

import Numerics
import Distributions
public import PPL
public import Tensors

/// The linear model y ~ Normal(X w, noise) with w ~ Normal(0, prior) and its exact posterior and evidence.
public struct LinearGaussian: Sendable {
  /// The predictors X, shape `[N, D]`.
  public let design: Tensor
  /// The responses, N of them.
  public let y: [Double]
  /// The standard deviation of the errors.
  public let noise: Double
  /// The standard deviation of the weights' priors.
  public let prior: Double

  /// Creates the model; `noise` and `prior` are positive.
  ///
  /// - Precondition: There is one row of `design` for each response.
  public init(design: Tensor, y: [Double], noise: Double, prior: Double) {
    demand(
      design.rank == 2 && design.shape[0] == y.count && noise > 0 && prior > 0,
      "LinearGaussian: expected [N, D] and N responses, positive scales, got \(design.shape), \(y.count), \(noise), \(prior)"
    )
    self.design = design
    self.y = y
    self.noise = noise
    self.prior = prior
  }

  /// The model: site w, observed y.
  public var model: Model<Void> {
    Model { m in
      let w = m.plate("weights", design.shape[1]) { m.sample("w", Normal(0, prior)) }
      m.observe("y", Normal(design.matmul(w), noise), y)
    }
  }

  /// The Cholesky factor of the posterior's precision, Xᵀ X / noise² + I / prior².
  private var factor: Tensor {
    let d = design.shape[1]
    let information = design.transposed().matmul(design) / (noise * noise)
    return (information + Tensor.identity(d) / (prior * prior)).cholesky()
  }

  /// The posterior mean of the weights, `[D]`.
  public var posteriorMean: Tensor {
    factor.choleskySolve(Tensor(y).matmul(design) / (noise * noise))
  }

  /// The posterior covariance of the weights, `[D, D]`.
  public var posteriorCovariance: Tensor {
    factor.choleskySolve(Tensor.identity(design.shape[1]))
  }

  /// The log evidence, log ∫ p(y | w) p(w) dw: the density of y under its marginal normal distribution.
  public var logEvidence: Double {
    let covariance =
      design.matmul(design.transposed()) * (prior * prior)
      + Tensor.identity(y.count) * (noise * noise)
    return MultivariateNormal(0, covariance: covariance).logProbability(of: Tensor(y)).item()
  }
}
