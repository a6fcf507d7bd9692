// SPDX-License-Identifier: MIT
//
// The leapfrog integrator of Hamiltonian motion, on plain arrays: what HMC and NUTS go by, for kernels of one's own.
//
// Source: Neal 2011, Handbook of MCMC, section 5.2.3; section 5.4.1 for the metric as a change of coordinates.

public import Numerics

/// A point of phase space: a state of a chain with a momentum.
///
/// The momentum is whitened: r = Fᵀ p, where F Fᵀ = M⁻¹ is the metric and p the momentum proper. It is a standard normal vector
/// whatever the metric, also when a warm-up changes that, and the kinetic energy ½ pᵀ M⁻¹ p is ½ |r|². ``PreparedMetric`` leads
/// from one to the other.
///
/// A kernel that keeps its momentum from step to step takes it for its state.
public struct PhasePoint: GradientState {
  /// The position, with log density and gradient there.
  public var state: HamiltonianState

  /// The whitened momentum.
  public var momentum: [Double]

  /// Creates a point.
  ///
  /// - Parameters:
  ///   - state: The position, with log density and gradient there.
  ///   - momentum: The whitened momentum, as many elements as the position has.
  public init(_ state: HamiltonianState, momentum: [Double]) {
    demand(
      momentum.count == state.position.count,
      "PhasePoint: expected a momentum of \(state.position.count) elements, got \(momentum.count)")
    self.state = state
    self.momentum = momentum
  }

  public var position: [Double] { state.position }
  public var gradient: [Double] { state.gradient }
  public var logDensity: Double { state.logDensity }

  /// The kinetic energy ½ |r|².
  public var kineticEnergy: Double { 0.5 * dot(momentum, momentum) }

  /// The energy ½ |r|² − log π, which motion leaves as it is, but for the errors of the integrator.
  public var energy: Double { kineticEnergy - state.logDensity }

  /// Draws the momentum anew: the same numbers as ``HMC`` and ``NUTS`` for a key.
  public mutating func drawMomentum(key: RandomKey) {
    momentum.withUnsafeMutableBufferPointer { key.fillZiggurat($0) }
  }
}

/// The leapfrog integrator: half a kick, a drift and half a kick, of second order, reversible, and it keeps volumes.
///
/// With the whitened momentum r, the metric M⁻¹ = F Fᵀ and a step size ε: r += ½ ε Fᵀ ∇ log π, q += ε F r, r += ½ ε Fᵀ ∇ log π.
/// A trajectory of Hamiltonian Monte Carlo is then
///
/// ```swift
/// var point = PhasePoint(state, momentum: key.normals(target.dimension))
/// let before = point.energy
/// leapfrog.step(&point, target, stepSize: 0.1, steps: 20)
/// let error = point.energy - before      // infinite or NaN where the trajectory left the support
/// let acceptance = error.isNaN ? 0 : min(1, exp(-error))
/// ```
///
/// A kernel keeps it beside its other settings, with which it is saved. A step takes no memory of its own where the density lends
/// the same again at each call (``LogDensity/workspace(vectors:)``), as that of a model does, and where the metric has the dimension of the
/// density.
public struct Leapfrog: Sendable, Codable {
  /// The metric made ready.
  private var prepared: PreparedMetric

  /// The name under which the metric is saved.
  private enum CodingKeys: String, CodingKey {
    case prepared = "metric"
  }

  /// Creates the integrator; a metric of dimension 0 stands for the identity.
  public init(metric: Metric = .identity(0)) { prepared = PreparedMetric(metric) }

  /// The metric; of dimension 0 stands for the identity.
  public var metric: Metric {
    get { prepared.metric }
    set { prepared = PreparedMetric(newValue) }
  }

  /// Moves a point by a number of steps.
  ///
  /// Steps of the negative size lead back, to rounding. At a point whose log density is −∞ or NaN the trajectory ends, and with it the
  /// energy is infinite or not a number: such a trajectory is rejected from both of its ends.
  ///
  /// - Parameters:
  ///   - point: The point, with as many coordinates as the density.
  ///   - target: The log density.
  ///   - stepSize: The step size, negative for steps back in time.
  ///   - steps: The number of steps, positive; each takes a gradient.
  public func step(
    _ point: inout PhasePoint, _ target: some LogDensity, stepSize: Double, steps: Int = 1
  ) {
    let n = target.dimension
    demand(steps > 0, "Leapfrog: expected a positive number of steps, got \(steps)")
    demand(stepSize.isFinite, "Leapfrog: expected a finite step size, got \(stepSize)")
    demand(
      point.momentum.count == n,
      "Leapfrog: expected a momentum of \(n) elements, got \(point.momentum.count)")
    PhaseSpace.over(target, prepared, places: 3) { space in
      var (behind, present, ahead) = (space.place(0), space.place(1), space.place(2))
      space.load(point.state, into: behind)
      space.setMomentum(behind, point.momentum)
      var value = point.state.logDensity
      for made in 1...steps {
        if made == 1 || !space.beginsNext { space.begin(from: behind, to: present, stepSize) }
        value = space.leap(present, next: ahead, stepSize, target, from: 0).logDensity
        (behind, present, ahead) = (present, ahead, behind)
        guard value.isFinite else { break }
      }
      space.store(behind, value, into: &point.state)
      point.momentum.withUnsafeMutableBufferPointer {
        _ = $0.update(
          fromContentsOf: UnsafeBufferPointer(start: space.momentum(behind), count: n))
      }
    }
  }

  /// Returns a step size of the right order: doubles or halves one until a step crosses an acceptance of 0.8.
  ///
  /// ### Source
  ///
  /// Hoffman and Gelman 2014, algorithm 4, with Stan's threshold of 0.8 in place of ½ and a new momentum for each attempt.
  ///
  /// - Parameters:
  ///   - first: The step size to begin with; the nearest positive, finite one is taken.
  ///   - state: Where the steps begin.
  ///   - target: The log density.
  ///   - key: The key of the momenta.
  /// - Returns: The step size.
  public func reasonableStepSize(
    _ first: Double, at state: some GradientState, _ target: some LogDensity, key: RandomKey
  ) -> Double {
    let begin = HamiltonianState(
      position: state.position, gradient: state.gradient, logDensity: state.logDensity)
    return PhaseSpace.reasonableStepSize(
      KernelSettings.possible(first), begin, prepared, target, key)
  }
}
