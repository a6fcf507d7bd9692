// SPDX-License-Identifier: MIT
//
// Autoregression of any order on a series whose first values are given.

import Numerics
import Distributions
public import PPL
import Tensors

/// Returns the autoregression y_t ~ Normal(α + Σ_k β_k y_{t−k}, σ) for t > K: sites alpha, beta, sigma, observed y.
///
/// All lagged values are data, so the mean of every step is one product with the matrix of lags: no loop is needed.
///
/// - Parameters:
///   - series: The values in order of time.
///   - order: The number K of lags, fewer than the values.
/// - Returns: The model; its data are the values from K on.
/// - Precondition: `series` is longer than `order`.
public func autoregression(series: [Double], order: Int) -> Model<Void> {
  demand(
    order > 0 && series.count > order,
    "autoregression: expected more values than lags, got \(series.count) and \(order)")
  let later = Array(series[order...])
  // Row t holds y_{t−1}, …, y_{t−K}.
  let lags = Tensor(
    (order..<series.count).flatMap { t in (1...order).map { series[t - $0] } },
    shape: [later.count, order])
  return Model { m in
    let alpha = m.sample("alpha", Normal(0, 10))
    let beta = m.plate("lags", order) { m.sample("beta", Normal(0, 10)) }
    let sigma = m.sample("sigma", HalfCauchy(2.5))
    m.observe("y", Normal(alpha + lags.matmul(beta), sigma), later)
  }
}
