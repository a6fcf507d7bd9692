// SPDX-License-Identifier: MIT
//
// The leapfrog integrator on arrays, and the products of metrics: by formula, reversible, of second order, without allocation.

import AllocationCounter
import Inference
import Numerics
import Tensors
import TestSupport
import Testing

/// Returns the largest difference of two vectors.
private func distance(_ x: [Double], _ y: [Double]) -> Double {
  zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Returns A x for a square matrix, row-major.
private func product(_ a: [Double], _ x: [Double]) -> [Double] {
  x.indices.map { r in x.indices.reduce(0) { $0 + a[r * x.count + $1] * x[$1] } }
}

/// Returns x · y.
private func inner(_ x: [Double], _ y: [Double]) -> Double {
  zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
}

@Suite("Leapfrog")
struct LeapfrogTests {
  /// Metrics of each form in the three coordinates of the correlated normal, and the one that stands for the identity.
  private static func metrics() throws -> [Metric] { [.identity(0)] + (try MetricTests.forms()) }

  /// Returns a point of the correlated normal with a momentum.
  private static func point(_ key: RandomKey) -> PhasePoint {
    let state = HamiltonianState(at: CorrelatedNormal.draw(key), CorrelatedNormal())
    return PhasePoint(state, momentum: key.folding(in: "momentum").normals(3))
  }

  @Test("steps are those of the textbook, with the momentum p and the inverse mass matrix in full")
  func textbook() throws {
    let target = CorrelatedNormal()
    for (form, metric) in try Self.metrics().enumerated() {
      let full = metric.dimension == 0 ? Metric.identity(3) : metric
      let (prepared, memory) = (
        PreparedMetric(full), Workspace(dimension: 3, vectors: PreparedMetric.scratchVectors)
      )
      for (steps, size) in [(1, 0.2), (7, 0.1), (4, -0.15)] {
        var point = Self.point(RandomKey(3).folding(in: form))
        var (q, g) = (point.position, point.gradient)
        var p = q
        prepared.momentum(whitened: point.momentum, into: &p, memory)
        let energy = 0.5 * inner(p, product(full.covariance, p)) - target.value(at: q)
        // Sums of a few products of numbers up to ten.
        #expect(near(point.energy, energy, 1e-12), "\(form): \(point.energy), \(energy)")
        Leapfrog(metric: metric).step(&point, target, stepSize: size, steps: steps)
        var value = 0.0
        for _ in 0..<steps {
          for k in 0..<3 { p[k] += 0.5 * size * g[k] }
          let velocity = product(full.covariance, p)
          for k in 0..<3 { q[k] += size * velocity[k] }
          value = target.valueAndGradient(at: q, into: &g)
          for k in 0..<3 { p[k] += 0.5 * size * g[k] }
        }
        var r = p
        prepared.whiten(p, into: &r, memory)
        // Rounding of a few steps, with gradients up to some tens.
        #expect(distance(point.position, q) < 1e-11, "\(form), \(steps) steps")
        #expect(distance(point.momentum, r) < 1e-10, "\(form), \(steps) steps")
        #expect(distance(point.gradient, g) < 1e-9, "\(form), \(steps) steps")
        #expect(near(point.logDensity, value, 1e-10), "\(form), \(steps) steps")
        let after = 0.5 * inner(p, product(full.covariance, p)) - value
        #expect(near(point.energy, after, 1e-10), "\(form): \(point.energy), \(after)")
      }
    }
  }

  @Test("steps back lead back, by the negative size and by the opposite momentum")
  func reversible() throws {
    let target = CorrelatedNormal()
    for (form, metric) in try Self.metrics().enumerated() {
      let leapfrog = Leapfrog(metric: metric)
      let start = Self.point(RandomKey(5).folding(in: form))
      var point = start
      leapfrog.step(&point, target, stepSize: 0.1, steps: 20)
      #expect(distance(point.position, start.position) > 0.1)
      var back = point
      leapfrog.step(&back, target, stepSize: -0.1, steps: 20)
      // Rounding of forty stable steps.
      #expect(distance(back.position, start.position) < 1e-11, "\(form)")
      #expect(distance(back.momentum, start.momentum) < 1e-10, "\(form)")
      point.momentum = point.momentum.map { -$0 }
      leapfrog.step(&point, target, stepSize: 0.1, steps: 20)
      #expect(distance(point.position, start.position) < 1e-11, "\(form)")
      #expect(distance(point.momentum, start.momentum.map { -$0 }) < 1e-10, "\(form)")
    }
  }

  @Test("the error at a fixed time falls with the square of the step size")
  func secondOrder() throws {
    // With its covariance L Lᵀ for the metric, z = L⁻¹ q and r go round a circle: after a quarter z is what r was.
    let metric = try Metric.dense(CorrelatedNormal.covariance, dimension: 3)
    let start = Self.point(7)
    let expected = product(CorrelatedNormal.factor, start.momentum)
    let errors = [16, 32, 64].map { steps -> Double in
      var point = start
      Leapfrog(metric: metric).step(
        &point, CorrelatedNormal(), stepSize: 0.5 * .pi / Double(steps), steps: steps)
      return distance(point.position, expected)
    }
    #expect(errors[2] > 1e-6, "\(errors)")
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      // Four to leading order; the next order is (π/2/16)² = 1 % of it.
      #expect(abs(coarse / fine - 4) < 0.1, "\(errors)")
    }
  }

  @Test("a trajectory is that of HMC for the same key, to the last bit")
  func sameAsHMC() throws {
    let target = CorrelatedNormal()
    for (form, metric) in try Self.metrics().enumerated() {
      let kernel = HMC(integrationTime: 0.75, jitter: 0, stepSize: 0.125, metric: metric)
      var moved = 0
      for trial in 0..<20 {
        let key = RandomKey(9).folding(in: form).folding(in: trial)
        var state = kernel.start(at: CorrelatedNormal.draw(key), target, key: key)
        var point = PhasePoint(state, momentum: [0, 0, 0])
        point.drawMomentum(key: key)
        let before = point.energy
        Leapfrog(metric: metric).step(&point, target, stepSize: 0.125, steps: 6)
        let start = state.position
        let info = kernel.step(&state, target, key: key)
        #expect(info.gradients == 6 && near(info.energy, before, 1e-12))
        // Energies are sums in another order.
        #expect(near(info.acceptance, min(1, exp(Tensor(before - point.energy)).item()), 1e-11))
        if state.position == start { continue }
        moved += 1
        #expect(state.position == point.position && state.gradient == point.gradient, "\(form)")
        #expect(state.logDensity == point.logDensity)
      }
      #expect(moved > 10, "\(form): \(moved) of 20")
    }
  }

  @Test("the step size to begin with is that of HMC, and it is saved with its metric")
  func settings() throws {
    let target = CorrelatedNormal()
    for metric in try Self.metrics() {
      let leapfrog = try saved(Leapfrog(metric: metric))
      #expect(leapfrog.metric == metric)
      let state = HamiltonianState(at: CorrelatedNormal.draw(2), target)
      for first in [0.01, 30] {
        let size = leapfrog.reasonableStepSize(first, at: state, target, key: 6)
        let kernel = HMC(stepSize: first, metric: metric)
        #expect(size == kernel.reasonableStepSize(state, target, key: 6))
      }
    }
    // Tuning may lead out of the range of numbers: the answer is a step size all the same.
    let state = HamiltonianState(at: [0, 0, 0], target)
    let size = Leapfrog().reasonableStepSize(.infinity, at: state, target, key: 1)
    #expect(size > 0 && size.isFinite)
  }

  @Test(
    "steps on a model's density allocate nothing, nor do products of a metric",
    .enabled(if: allocation_count() >= 0))
  func allocations() throws {
    let target = try noncentred.logDensity().makeEvaluator()
    let n = target.dimension
    let unit = Metric.identity(n).covariance
    for metric in [Metric.identity(n), try .dense(unit, dimension: n)] {
      let (leapfrog, prepared) = (Leapfrog(metric: metric), PreparedMetric(metric))
      let state = HamiltonianState(at: [Double](repeating: 0.1, count: n), target)
      var point = PhasePoint(state, momentum: RandomKey(1).normals(n))
      var velocity = point.momentum
      leapfrog.step(&point, target, stepSize: 0.01)
      let before = allocation_count()
      for _ in 0..<100 {
        leapfrog.step(&point, target, stepSize: 0.01)
        point.drawMomentum(key: 3)
        let memory = target.workspace(vectors: PreparedMetric.scratchVectors)
        prepared.velocity(of: point.momentum, into: &velocity, memory)
        prepared.velocity(whitened: point.momentum, into: &velocity, memory)
      }
      #expect(allocation_count() - before == 0)
      #expect(velocity == point.momentum)
    }
  }

  @Test("products of a prepared metric are those of its matrix, of any size")
  func products() throws {
    // 160² elements are beyond the size from which BLAS takes over.
    let n = 160
    let directions: [[Double]] = (0..<130).map { j in
      var unit = [Double](repeating: 0, count: n)
      unit[j] = 1
      return unit
    }
    let variances: [Double] = (0..<n).map { 0.5 + Double($0 % 3) }
    let eigenvalues: [Double] = (0..<130).map { 0.1 + Double($0 % 5) }
    let large: [Metric] = [
      try .dense(autoregressive(n, 0.7), dimension: n),
      .lowRank(variances: variances, directions: directions, eigenvalues: eigenvalues),
    ]
    for metric in try MetricTests.forms() + large {
      let n = metric.dimension
      let prepared = try saved(PreparedMetric(metric))
      #expect(prepared.metric == metric)
      let memory = Workspace(dimension: n, vectors: 4)
      let p = RandomKey(8).normals(n)
      var (v, r, again) = (p, p, p)
      prepared.velocity(of: p, into: &v, memory)
      // Sums of up to 160 products.
      #expect(distance(v, product(metric.covariance, p)) < 1e-12, "\(n)")
      #expect(distance(v, metric.velocity(p)) < 1e-13, "\(n)")
      prepared.whiten(p, into: &r, memory)
      // pᵀ M⁻¹ p = |r|².
      #expect(near(inner(r, r), inner(p, v), 1e-12), "\(n)")
      prepared.velocity(whitened: r, into: &again, memory)
      #expect(distance(again, v) < 1e-13, "\(n)")
      prepared.momentum(whitened: r, into: &again, memory)
      // Solving by a factor of a condition number of ten or so.
      #expect(distance(again, p) < 1e-11, "\(n)")
    }
  }

  @Test("vectors and memory of another size trap")
  func traps() async {
    await #expect(processExitsWith: .failure) {
      _ = PhasePoint(HamiltonianState(at: [0, 0, 0], CorrelatedNormal()), momentum: [0])
    }
    await #expect(processExitsWith: .failure) {
      let target = CorrelatedNormal()
      var point = PhasePoint(HamiltonianState(at: [0, 0, 0], target), momentum: [0, 0, 0])
      point.momentum = [1]
      Leapfrog().step(&point, target, stepSize: 0.1)
    }
    await #expect(processExitsWith: .failure) {
      let target = CorrelatedNormal()
      var point = PhasePoint(HamiltonianState(at: [0, 0, 0], target), momentum: [0, 0, 0])
      Leapfrog().step(&point, target, stepSize: 0.1, steps: 0)
    }
    await #expect(processExitsWith: .failure) {
      var velocity = [0.0]
      PreparedMetric(.identity(2)).velocity(
        of: [0, 0], into: &velocity, Workspace(dimension: 2, vectors: 3))
    }
    await #expect(processExitsWith: .failure) {
      var velocity = [0.0, 0]
      PreparedMetric(.identity(2)).velocity(
        of: [0, 0], into: &velocity, Workspace(dimension: 2, vectors: 2))
    }
  }
}
