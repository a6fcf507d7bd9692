// SPDX-License-Identifier: MIT
//
// Linear regressions: of any design with normal priors, and with an interaction and flat priors.

import Distributions
public import PPL
public import Tensors

/// Returns the linear regression y ~ Normal(X β, σ) without intercept: sites beta, sigma, observed y.
///
/// - Parameters:
///   - design: The predictors X, shape `[N, D]`.
///   - y: The responses, N of them; nil to predict them.
///   - scale: The scale of the normal priors of β and σ.
/// - Returns: The model.
public func linearRegression(design: Tensor, y: [Double]?, scale: Double = 10) -> Model<Void> {
  Model { m in
    let beta = m.plate("predictors", design.shape[1]) { m.sample("beta", Normal(0, scale)) }
    let sigma = m.sample("sigma", HalfNormal(scale))
    m.observe("y", Normal(design.matmul(beta), sigma), y)
  }
}

/// Returns the regression of a child's test score on the mother's schooling and her own score, and on their product.
///
/// Sites beta (intercept, schooling, score, product) with flat priors, sigma, observed kid_score. The predictors are taken as they
/// are: scores about 100 and unscaled products make the four coefficients strongly correlated.
///
/// ### Source
///
/// Gelman & Hill 2007, section 3.4.
///
/// - Parameters:
///   - kidScore: The children's scores; nil to predict them.
///   - momSchooling: 1 where the mother finished high school, else 0.
///   - momScore: The mothers' scores.
/// - Returns: The model.
public func kidScoreRegression(
  kidScore: [Double]?, momSchooling: [Double], momScore: [Double]
) -> Model<Void> {
  let (schooling, score) = (Tensor(momSchooling), Tensor(momScore))
  let ones = Tensor.ones([momScore.count])
  let design = Tensor.stack([ones, schooling, score, schooling * score], axis: 1)
  return Model { m in
    let beta = m.sample("beta", ImproperUniform(.real, [4]))
    let sigma = m.sample("sigma", HalfCauchy(2.5))
    m.observe("kid_score", Normal(design.matmul(beta), sigma), kidScore)
  }
}
