// SPDX-License-Identifier: MIT
//
// The points of a trajectory on plain memory, and the leapfrog step from one to another.

import CKernels
import Numerics

/// Places for points of phase space (position, gradient, whitened momentum), and the leapfrog step between them.
///
/// A step reads one place and writes another: nothing is copied, since trees and proposals hold the addresses of places.
/// Nothing is counted either: the memory is valid inside ``over(_:_:places:others:_:)`` only.
struct PhaseSpace {
  /// A vector, padded with zeros.
  typealias Vector = UnsafeMutablePointer<Double>

  /// A place: the address of its position; gradient, momentum and force follow.
  typealias Place = UnsafeMutablePointer<Double>

  /// The vectors of a place: position, gradient, whitened momentum r, and for metrics that are not diagonal the force Fᵀ ∇ log π.
  private static let vectorsPerPlace = 4

  /// The length of a vector, with its zeros.
  let length: Int

  private let dimension: Int
  private let metric: MetricView
  private let isDiagonal: Bool
  private let base: Vector
  private let scratch: Vector

  /// The vectors that are not part of a place, for the algorithm's own use.
  let others: Vector

  /// Runs `body` on the memory of a log density, with a number of places and of further vectors.
  @inline(__always)
  static func over<Result>(
    _ target: some LogDensity, _ prepared: PreparedMetric, places: Int, others: Int = 0,
    _ body: (PhaseSpace) -> Result
  ) -> Result {
    let metric = prepared.sized(target.dimension)
    let vectors = vectorsPerPlace * places
    let memory = target.workspace(vectors: vectors + 1 + others)
    defer {
      withExtendedLifetime(metric) {}
      withExtendedLifetime(memory) {}
    }
    return body(PhaseSpace(metric.view, memory, vectors))
  }

  /// Divides memory into places that take a number of its vectors, and the rest.
  private init(_ metric: MetricView, _ memory: Workspace, _ vectors: Int) {
    self.metric = metric
    isDiagonal = metric.shape == .diagonal
    dimension = metric.dimension
    length = metric.length
    base = memory[0]
    scratch = memory[vectors]
    others = memory[vectors + 1]
  }

  /// Returns the place of a number.
  @inline(__always)
  func place(_ number: Int) -> Place { base + PhaseSpace.vectorsPerPlace &* number &* length }

  /// Returns the number of a place.
  func number(_ place: Place) -> Int { (place - base) / (PhaseSpace.vectorsPerPlace * length) }

  /// Returns the gradient at a place.
  @inline(__always)
  private func gradient(_ place: Place) -> Vector { place + length }

  /// Returns the whitened momentum of a place.
  @inline(__always)
  func momentum(_ place: Place) -> Vector { place + 2 &* length }

  /// Returns the force on the whitened momentum at a place, kept for metrics that are not diagonal.
  @inline(__always)
  private func force(_ place: Place) -> Vector { place + 3 &* length }

  // MARK: - In and out

  /// Puts position and gradient of a state into a place.
  func load(_ state: HamiltonianState, into place: Place) {
    demand(
      state.position.count == dimension && state.gradient.count == dimension,
      "kernel: expected a state of \(dimension) coordinates, got \(state.position.count) and \(state.gradient.count)"
    )
    state.position.withUnsafeBufferPointer { fill(place, $0) }
    state.gradient.withUnsafeBufferPointer { fill(gradient(place), $0) }
    if !isDiagonal { metric.pull(gradient(place), into: force(place), scratch: scratch) }
  }

  /// Copies numbers into a vector.
  @inline(__always)
  private func fill(_ vector: Vector, _ numbers: UnsafeBufferPointer<Double>) {
    guard let numbers = numbers.baseAddress else { return }
    vector.update(from: numbers, count: dimension)
    clearPadding(vector)
  }

  /// Sets the numbers behind a vector to zero again: a gradient that was not a number has left its like there.
  @inline(__always)
  private func clearPadding(_ vector: Vector) {
    for k in dimension..<length { vector[k] = 0 }
  }

  /// Sets the whitened momentum of a place.
  func setMomentum(_ place: Place, _ numbers: [Double]) {
    numbers.withUnsafeBufferPointer { fill(momentum(place), $0) }
  }

  /// Sets a state to position and gradient of a place.
  func store(_ place: Place, _ logDensity: Double, into state: inout HamiltonianState) {
    state.position.withUnsafeMutableBufferPointer {
      _ = $0.update(fromContentsOf: UnsafeBufferPointer(start: place, count: dimension))
    }
    state.gradient.withUnsafeMutableBufferPointer {
      _ = $0.update(fromContentsOf: UnsafeBufferPointer(start: gradient(place), count: dimension))
    }
    state.logDensity = logDensity
  }

  /// Draws the whitened momentum of a place.
  func drawMomentum(_ place: Place, _ key: RandomKey) {
    key.fillZiggurat(UnsafeMutableBufferPointer(start: momentum(place), count: dimension))
    clearPadding(momentum(place))
  }

  // MARK: - Dynamics

  /// Returns the kinetic energy ½ pᵀ M⁻¹ p = ½ |r|² of a place.
  func kineticEnergy(_ place: Place) -> Double {
    0.5 * ss_inner(momentum(place), momentum(place), length)
  }

  /// Begins a leapfrog step from one place to another.
  @inline(__always)
  func begin(from old: Place, to new: Place, _ step: Double) {
    if isDiagonal {
      ss_leap_begin(
        old, momentum(old), gradient(old), metric.scales, 0.5 * step, step, new, momentum(new),
        length)
    } else {
      beginAny(old, new, step)
    }
  }

  /// Evaluates the log density at a place where a leapfrog step has begun, ends the step, and begins the next one.
  ///
  /// - Parameters:
  ///   - place: Where the step has begun.
  ///   - next: Where the next one begins, should there be one.
  ///   - step: The step size, negative for steps back in time.
  ///   - target: The log density.
  ///   - start: The energy where the trajectory began.
  /// - Returns: The log density at the place, and by how much its energy −log π + ½ |r|² exceeds the first, which may be infinite
  ///   or not a number.
  @inline(__always)
  func leap(
    _ place: Place, next: Place, _ step: Double, _ target: some LogDensity, from start: Double
  ) -> (logDensity: Double, error: Double) {
    let value = target.valueAndGradient(
      at: UnsafeBufferPointer(start: place, count: dimension),
      into: UnsafeMutableBufferPointer(start: gradient(place), count: dimension))
    let error =
      isDiagonal
      ? ss_leap_on(
        place, momentum(place), gradient(place), metric.scales, 0.5 * step, step, next,
        momentum(next), length, value, start)
      : endAny(place, 0.5 * step, value, start)
    return (value, error)
  }

  /// Whether a step that has ended has begun the next; it is not worth its while where the metric is costly.
  var beginsNext: Bool { isDiagonal }

  /// Begins a leapfrog step with a metric that is not diagonal.
  @inline(never)
  private func beginAny(_ old: Place, _ new: Place, _ step: Double) {
    ss_add_scaled(momentum(old), 0.5 * step, force(old), momentum(new), length)
    metric.push(momentum(new), into: scratch)
    ss_add_scaled(old, step, scratch, new, length)
  }

  /// Ends a leapfrog step with a metric that is not diagonal.
  @inline(never)
  private func endAny(_ place: Place, _ half: Double, _ value: Double, _ start: Double) -> Double {
    metric.pull(gradient(place), into: force(place), scratch: scratch)
    return ss_kick(momentum(place), force(place), half, length, value, start)
  }

  /// Returns a step size of the right order: doubles or halves one until a leapfrog step crosses an acceptance of 0.8.
  ///
  /// ### Source
  ///
  /// Hoffman and Gelman 2014, algorithm 4, with Stan's threshold of 0.8 in place of ½ and a new momentum for each attempt.
  ///
  /// - Parameters:
  ///   - first: The step size to begin with.
  ///   - state: Where the step begins.
  ///   - metric: The metric.
  ///   - target: The log density.
  ///   - key: The key of the momenta.
  /// - Returns: The step size.
  static func reasonableStepSize(
    _ first: Double, _ state: HamiltonianState, _ metric: PreparedMetric,
    _ target: some LogDensity, _ key: RandomKey
  ) -> Double {
    over(target, metric, places: 3) { space in
      let (origin, place, unused) = (space.place(0), space.place(1), space.place(2))
      space.load(state, into: origin)
      let logThreshold = -0.2231435513142097  // log 0.8
      var size = first
      var direction = 0.0
      for attempt in 0..<100 {
        space.drawMomentum(origin, key.folding(in: UInt64(attempt)))
        let before = space.kineticEnergy(origin) - state.logDensity
        space.begin(from: origin, to: place, size)
        let error = space.leap(place, next: unused, size, target, from: before).error
        let isGood = -error > logThreshold
        if direction == 0 { direction = isGood ? 1 : -1 }
        let next = size * (direction > 0 ? 2 : 0.5)
        if isGood != (direction > 0) || !(next > 1e-300 && next < 1e300) { break }
        size = next
      }
      return size
    }
  }
}
