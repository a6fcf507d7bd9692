// SPDX-License-Identifier: MIT
//
// A kernel of one's own against the public interface: Barker's proposal, which cannot be led astray by steep gradients.
//
// Source: Livingstone and Zanella 2022, J. R. Stat. Soc. B 84, 496, algorithms 1 and 2.

import Foundation
import SwiftSersic

/// The Barker sampler: each coordinate takes a random step whose sign prefers the side to which the density rises.
///
/// The gradient sways the sign alone, so that a bad step size or a steep density makes it slow and not wrong. A tunable kernel:
/// the runner's warm-up finds step size and metric, of which it uses the diagonal.
struct Barker: TunableKernel {
  /// The scale of a step, in units of the metric's deviations.
  var stepSize = 0.5

  /// The metric; of dimension 0 stands for the identity.
  var metric = Metric.diagonal([])

  /// The acceptance rate that is best in many dimensions.
  var targetAcceptance = 0.4

  /// What a chain carries from draw to draw.
  struct State: GradientState {
    /// The point.
    var position: [Double]

    /// The gradient there.
    var gradient: [Double]

    /// The log density there.
    var logDensity: Double
  }

  /// What a step tells.
  struct Info: StepInfo {
    /// The probability with which the proposal was accepted.
    var acceptance: Double

    /// Never: the proposal is bounded wherever the gradient points.
    var diverged: Bool { false }
  }

  /// Returns the state of a chain that begins at a point.
  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    var gradient = q
    let value = target.valueAndGradient(at: q, into: &gradient)
    return State(position: q, gradient: gradient, logDensity: value)
  }

  /// Moves a chain by one draw.
  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    let (proposal, acceptance) = propose(state, stepSize, target, key)
    if key.folding(in: "accept").uniform(0) < acceptance { state = proposal }
    return Info(acceptance: acceptance)
  }

  /// Doubles or halves the step size until a step crosses the acceptance to reach.
  func reasonableStepSize(_ state: State, _ target: some LogDensity, key: RandomKey) -> Double {
    var size = stepSize
    let isSmall = propose(state, size, target, key).acceptance > targetAcceptance
    for attempt in 1..<50 {
      let next = isSmall ? size * 2 : size / 2
      let acceptance = propose(state, next, target, key.folding(in: attempt)).acceptance
      guard (acceptance > targetAcceptance) == isSmall else { break }
      size = next
    }
    return size
  }

  /// Returns a proposal and the probability to accept it.
  private func propose(
    _ state: State, _ size: Double, _ target: some LogDensity, _ key: RandomKey
  ) -> (state: State, acceptance: Double) {
    let n = state.position.count
    let scales = metric.dimension == n ? metric.variances.map { $0.squareRoot() } : []
    let steps = key.folding(in: "steps").normals(n)
    let signs = key.folding(in: "signs")
    var position = state.position
    for k in 0..<n {
      let step = size * (scales.isEmpty ? 1 : scales[k]) * steps[k]
      let isKept = signs.uniform(UInt64(k)) < 1 / (1 + exp(-step * state.gradient[k]))
      position[k] += isKept ? step : -step
    }
    let proposal = start(at: position, target, key: key)
    var logRatio = proposal.logDensity - state.logDensity
    for k in 0..<n {
      let step = position[k] - state.position[k]
      logRatio += softplus(-step * state.gradient[k]) - softplus(step * proposal.gradient[k])
    }
    // Outside the support the ratio is 0 or NaN: neither is accepted.
    return (proposal, logRatio.isNaN ? 0 : min(1, exp(logRatio)))
  }
}

/// Returns ln(1 + eˣ), without overflow.
private func softplus(_ x: Double) -> Double { max(x, 0) + log(1 + exp(-abs(x))) }
