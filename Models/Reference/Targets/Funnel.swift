// SPDX-License-Identifier: MIT
//
// Distributions whose shape is a test of samplers: Neal's funnel and a correlated normal.

import Distributions
public import PPL
import Tensors

/// Returns Neal's funnel: v ~ Normal(0, 3), and x ~ Normal(0, e^(v/2)) for each of the others; sites v, x.
///
/// No single step size suits both its mouth and its neck. `reparameterized(["x": LocScale()])` makes it a standard normal.
///
/// ### Source
///
/// Neal 2003, "Slice sampling", section 8.
///
/// - Parameter dimension: The number of variables, v included; at least two.
/// - Returns: The model.
public func funnel(dimension: Int = 10) -> Model<Void> {
  Model { m in
    let v = m.sample("v", Normal(0, 3))
    m.plate("others", dimension - 1) { m.sample("x", Normal(0, exp(v / 2))) }
  }
}

/// Returns a normal vector x of zero mean with standard deviations 1 … `spread` and one correlation for all pairs; site x.
///
/// - Parameters:
///   - dimension: The length of the vector, at least two.
///   - correlation: The correlation of every pair, in (−1/(dimension − 1), 1).
///   - spread: The largest standard deviation; the others rise to it in equal ratios.
/// - Returns: The model.
public func correlatedNormal(
  dimension: Int = 5, correlation: Double = 0.9, spread: Double = 10
) -> Model<Void> {
  let scales = exp(
    Tensor.arange(dimension) * (log(Tensor(spread)).item() / Double(max(1, dimension - 1))))
  let shared = correlation * Tensor.ones([dimension, dimension])
  let correlations = shared + (1 - correlation) * Tensor.identity(dimension)
  let covariance = correlations * scales.outer(scales)
  return Model { m in m.sample("x", MultivariateNormal(0, covariance: covariance)) }
}
