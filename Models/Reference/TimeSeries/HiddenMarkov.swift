// SPDX-License-Identifier: MIT
//
// A hidden Markov chain whose states are summed out by the forward algorithm.
//
// Source: Rabiner 1989, "A tutorial on hidden Markov models", equations 19 and 20.

import Distributions
public import PPL
public import Tensors

/// Returns the model of two hidden states with normal emissions of unit scale: sites theta1, theta2, mu, observed by a factor.
///
/// θ_j are the transition probabilities out of state j, μ the emission means in rising order. The first step has no state
/// probability: each state enters with weight one.
///
/// - Parameter series: The emissions in order of time.
/// - Returns: The model.
public func hiddenMarkovChain(series: [Double]) -> Model<Void> {
  Model { m in
    let theta1 = m.sample("theta1", Dirichlet([1.0, 1.0]))
    let theta2 = m.sample("theta2", Dirichlet([1.0, 1.0]))
    let mu = m.sample("mu", Normal([3.0, 10.0], 1).restricted(to: .positiveOrdered))
    let transition = log(Tensor.stack([theta1, theta2]))
    let emission = Normal(mu, 1).logProbability(of: Tensor(series).expandingAxis(1))
    m.factor("y", forwardAlgorithm(transition: transition, emission: emission))
  }
}

/// Returns the log probability of a hidden Markov chain with its states summed out.
///
/// - Parameters:
///   - initial: The log probabilities of the first state, `[K]`; by default each enters with weight one.
///   - transition: The log probabilities of the step from state j (row) to state k, `[K, K]`.
///   - emission: The log probabilities of the data in each state, `[T, K]`.
/// - Returns: The log probability, a scalar.
/// - Complexity: O(T · K²).
public func forwardAlgorithm(
  initial: Tensor = Tensor(0), transition: Tensor, emission: Tensor
) -> Tensor {
  // state[k]: the log probability of the data so far, with the chain in state k.
  var state = initial + emission[0]
  for t in 1..<emission.shape[0] {
    state = (state.expandingAxis(1) + transition).logSumExp(axis: 0) + emission[t]
  }
  return state.logSumExp()
}
