// SPDX-License-Identifier: MIT
//
// Kernels, adaptations and a density of one's own, written against the public interface alone, as TypeCheckingTests checks.

import Inference
import Numerics
import Tensors

/// The Metropolis-adjusted Langevin algorithm (Roberts and Tweedie 1996), as a researcher would write it.
struct Langevin: Kernel {
  var stepSize: Double

  struct State: ChainState {
    var position, gradient: [Double]
    var logDensity: Double
  }

  struct Info: StepInfo {
    var acceptance: Double
    var diverged: Bool
  }

  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    var gradient = q
    let value = target.valueAndGradient(at: q, into: &gradient)
    return State(position: q, gradient: gradient, logDensity: value)
  }

  func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    let noise = key.folding(in: "noise").normals(state.position.count)
    let drift = 0.5 * stepSize * stepSize
    var proposal = state.position
    for k in proposal.indices { proposal[k] += drift * state.gradient[k] + stepSize * noise[k] }
    let new = start(at: proposal, target, key: key)
    // The log density of proposing `to` at `from`.
    func logProposal(_ to: State, _ from: State) -> Double {
      from.position.indices.reduce(0) { sum, k in
        let z = (to.position[k] - from.position[k] - drift * from.gradient[k]) / stepSize
        return sum - 0.5 * z * z
      }
    }
    let logRatio =
      new.logDensity - state.logDensity + logProposal(state, new) - logProposal(new, state)
    let acceptance = logRatio.isNaN ? 0 : min(1, exp(Tensor(logRatio)).item())
    if key.folding(in: "accept").uniform(0) < acceptance { state = new }
    return Info(acceptance: acceptance, diverged: !(logRatio > -1000))
  }
}

/// A tuning of the step size by the sign of the error alone: crude, short, and not the library's.
struct SignTuning: ChainAdaptation {
  var target: Double
  private var count = 0.0

  init(target: Double) { self.target = target }

  mutating func begin(
    _ kernel: inout Langevin, _ state: inout Langevin.State, _ density: some LogDensity,
    iterations: Int, key: RandomKey
  ) {}

  mutating func update(
    _ kernel: inout Langevin, _ state: inout Langevin.State, _ info: Langevin.Info,
    iteration: Int, _ density: some LogDensity, key: RandomKey
  ) {
    count += 1
    kernel.stepSize *= 1 + (info.acceptance - target) / (1 + 0.1 * count)
  }

  mutating func end(_ kernel: inout Langevin) {}
}

/// A banana (Haario, Saksman and Tamminen 1999): x₁ ~ N(0, 1), x₂ ~ N(x₁², 0.5²).
final class Banana: LogDensity {
  let dimension = 2

  func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    let d = (q[1] - q[0] * q[0]) / 0.25
    gradient[0] = -q[0] + 2 * q[0] * d
    gradient[1] = -d
    return -0.5 * (q[0] * q[0] + 0.25 * d * d)
  }
}

/// Hamiltonian Monte Carlo of one step that keeps most of its momentum (Horowitz 1991), of the library's pieces.
struct PersistentHMC: TunableKernel {
  typealias State = PhasePoint

  var stepSize = 0.1
  var targetAcceptance = 0.9
  var persistence = 0.7
  var leapfrog = Leapfrog()

  var metric: Metric {
    get { leapfrog.metric }
    set { leapfrog.metric = newValue }
  }

  struct Info: StepInfo {
    var acceptance, energy, energyError: Double
    var diverged: Bool { !(energyError < 1000) }

    static var extras: [StepExtra<Info>] { [StepExtra("energy_error") { $0.energyError }] }
  }

  func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> PhasePoint {
    PhasePoint(HamiltonianState(at: q, target), momentum: key.normals(q.count))
  }

  func step(_ state: inout PhasePoint, _ target: some LogDensity, key: RandomKey) -> Info {
    let noise = key.folding(in: "noise").normals(state.momentum.count)
    let share = (1 - persistence * persistence).squareRoot()
    for k in noise.indices {
      state.momentum[k] = persistence * state.momentum[k] + share * noise[k]
    }
    let energy = state.energy
    var proposal = state
    leapfrog.step(&proposal, target, stepSize: stepSize)
    let error = proposal.energy - energy
    let acceptance = error.isNaN ? 0 : min(1, exp(Tensor(-error)).item())
    if key.folding(in: "accept").uniform(0) < acceptance {
      state = proposal
    } else {
      // What makes the step right: a rejected one goes back the way it came.
      for k in noise.indices { state.momentum[k] = -state.momentum[k] }
    }
    return Info(acceptance: acceptance, energy: energy, energyError: error)
  }

  func reasonableStepSize(
    _ state: PhasePoint, _ target: some LogDensity, key: RandomKey
  ) -> Double {
    leapfrog.reasonableStepSize(stepSize, at: state, target, key: key)
  }
}

/// A tuning of step size and variances in Stan's windows, for any kernel that has both, of the library's pieces.
struct WindowTuning<Tuned: TunableKernel>: ChainAdaptation {
  private var stepSize = DualAveraging(initial: 1, target: 0.8)
  private var schedule = WarmUpSchedule(iterations: 0)
  private var moments = RunningMoments(dimension: 0)

  mutating func begin(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ density: some LogDensity,
    iterations: Int, key: RandomKey
  ) {
    schedule = WarmUpSchedule(iterations: iterations)
    renew(&kernel, .identity(state.position.count), state, density, key)
  }

  private mutating func renew(
    _ kernel: inout Tuned, _ metric: Metric, _ state: Tuned.State, _ density: some LogDensity,
    _ key: RandomKey
  ) {
    kernel.metric = metric
    kernel.stepSize = kernel.reasonableStepSize(state, density, key: key)
    stepSize = DualAveraging(initial: kernel.stepSize, target: kernel.targetAcceptance)
    moments = RunningMoments(dimension: metric.dimension)
  }

  mutating func update(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ info: Tuned.Info,
    iteration: Int, _ density: some LogDensity, key: RandomKey
  ) {
    stepSize.update(info.acceptance)
    kernel.stepSize = stepSize.stepSize
    guard let window = schedule.windows.first(where: { $0.contains(iteration) }) else { return }
    moments.add(state.position)
    if iteration == window.upperBound - 1 {
      let metric = Metric.diagonal(moments.variances(towards: kernel.metric.variances))
      renew(&kernel, metric, state, density, key.folding(in: iteration))
    }
  }

  mutating func end(_ kernel: inout Tuned) { kernel.stepSize = stepSize.averagedStepSize }
}
