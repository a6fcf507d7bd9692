// SPDX-License-Identifier: MIT
//
// A point of phase space on plain memory, and the leapfrog step.

/// Position, momentum, gradient and velocity of a trajectory's present point.
struct PhasePoint {
  /// The number of coordinates.
  let n: Int
  /// The position.
  let q: UnsafeMutablePointer<Double>
  /// The momentum.
  let p: UnsafeMutablePointer<Double>
  /// The gradient of the log density.
  let g: UnsafeMutablePointer<Double>
  /// The velocity M⁻¹ p.
  let v: UnsafeMutablePointer<Double>
  /// The log density.
  var logDensity = 0.0

  /// Creates a point on four vectors of a memory.
  init(_ memory: Workspace, _ first: Int) {
    n = memory.dimension
    q = memory[first]
    p = memory[first + 1]
    g = memory[first + 2]
    v = memory[first + 3]
  }

  /// Copies another point of the same dimension.
  @inline(__always)
  mutating func copy(_ other: PhasePoint) {
    q.update(from: other.q, count: n)
    p.update(from: other.p, count: n)
    g.update(from: other.g, count: n)
    v.update(from: other.v, count: n)
    logDensity = other.logDensity
  }

  /// Moves by one leapfrog step; the velocity is that of the new momentum.
  @inline(__always)
  mutating func leapfrog(_ step: Double, _ metric: PreparedMetric, _ target: some LogDensity) {
    for k in 0..<n { p[k] += 0.5 * step * g[k] }
    metric.velocity(p, v)
    for k in 0..<n { q[k] += step * v[k] }
    logDensity = target.valueAndGradient(
      at: UnsafeBufferPointer(start: q, count: n),
      into: UnsafeMutableBufferPointer(start: g, count: n))
    for k in 0..<n { p[k] += 0.5 * step * g[k] }
    metric.velocity(p, v)
  }

  /// The energy −log density + ½ pᵀ M⁻¹ p; +∞ where it is NaN.
  @inline(__always)
  var energy: Double {
    var kinetic = 0.0
    for k in 0..<n { kinetic += p[k] * v[k] }
    let energy = 0.5 * kinetic - logDensity
    return energy.isNaN ? .infinity : energy
  }
}
