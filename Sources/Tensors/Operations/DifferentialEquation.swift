// SPDX-License-Identifier: MIT
//
// Ordinary differential equations by the classical Runge–Kutta method with fixed steps, recorded on the tape.
//
// Source: Hairer, Nørsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.1, table 1.2.

import Numerics

/// Returns the solution of dy/dt = f(t, y) at given times, by the classical method of fourth order with fixed steps.
///
/// An explicit method of fixed steps: halve them and see whether the result moves (the error falls by 16); stiff systems need
/// many. Each step records four evaluations of `f`, and the derivatives are those of the computed solution.
///
/// - Parameters:
///   - start: The state at `times[0]`, shape `[n]` or any other.
///   - times: The times, in order; the first is that of `start`.
///   - stepsPerInterval: The number of steps from one time to the next.
///   - f: The right-hand side, given time and state; it returns the shape of the state.
/// - Returns: The states, shape `[times.count] + start.shape`.
/// - Precondition: There are at least one time and one step.
public func rungeKutta(
  from start: Tensor, times: [Double], stepsPerInterval: Int = 10,
  _ f: (_ time: Double, _ state: Tensor) -> Tensor
) -> Tensor {
  demand(
    !times.isEmpty && stepsPerInterval > 0,
    "rungeKutta: expected at least one time and one step, got \(times.count), \(stepsPerInterval)")
  var state = start
  var states = [state]
  for (from, to) in zip(times, times.dropFirst()) {
    let h = (to - from) / Double(stepsPerInterval)
    for step in 0..<stepsPerInterval {
      let t = from + Double(step) * h
      let k1 = f(t, state)
      demand(
        k1.shape == state.shape,
        "rungeKutta: expected a derivative of shape \(state.shape), got \(k1.shape)")
      let k2 = f(t + h / 2, state + k1 * (h / 2))
      let k3 = f(t + h / 2, state + k2 * (h / 2))
      let k4 = f(t + h, state + k3 * h)
      state += (k1 + k4 + (k2 + k3) * 2) * (h / 6)
    }
    states.append(state)
  }
  return Tensor.stack(states)
}
