// SPDX-License-Identifier: MIT
//
// Trajectories of NUTS are those of Stan's recursion, step by step; HMC goes as far as it says.

import Foundation
import Inference
import Numerics
import TestSupport
import Testing

/// The trajectory of the no-U-turn sampler as Stan writes it, by recursion, with vectors of their own for every point.
private struct RecursiveTrajectory {
  let target = CorrelatedNormal()
  let metric: Metric
  let stepSize: Double
  let maximumDepth: Int
  var leapfrogs = 0
  var acceptanceSum = 0.0
  var startEnergy = 0.0
  var hasDiverged = false
  var points: [[Double]] = []

  /// A point with its momentum p.
  struct Point {
    var q: [Double], g: [Double], p: [Double]
    var energy = 0.0
  }

  /// A subtree: its ends in the direction of integration, and the sum of its momenta.
  struct Subtree {
    var first: Point, last: Point
    var total: [Double]
  }

  /// Returns x · y.
  func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Returns x + factor y.
  func sum(_ x: [Double], _ factor: Double, _ y: [Double]) -> [Double] {
    zip(x, y).map { $0 + factor * $1 }
  }

  /// Returns whether two ends still move apart, given the sum of the momenta between them.
  func goesOn(_ first: Point, _ last: Point, _ total: [Double]) -> Bool {
    product(metric.velocity(first.p), total) > 0 && product(metric.velocity(last.p), total) > 0
  }

  /// Returns whether two neighbours together have not turned back, by the three checks of Stan since 2.21.
  func goOn(_ a: Subtree, _ b: Subtree) -> Bool {
    goesOn(a.first, b.last, sum(a.total, 1, b.total))
      && goesOn(a.first, b.first, sum(a.total, 1, b.first.p))
      && goesOn(a.last, b.last, sum(b.total, 1, a.last.p))
  }

  /// Returns the point a step away.
  func leap(_ point: Point, _ step: Double) -> Point {
    var next = point
    next.p = sum(point.p, 0.5 * step, point.g)
    next.q = sum(point.q, step, metric.velocity(next.p))
    let value = target.valueAndGradient(at: next.q, into: &next.g)
    next.p = sum(next.p, 0.5 * step, next.g)
    next.energy = 0.5 * product(next.p, metric.velocity(next.p)) - value
    return next
  }

  /// Returns the subtree that follows a point; nil where it turned back or diverged.
  mutating func subtree(_ depth: Int, after point: Point, _ step: Double) -> Subtree? {
    guard depth > 0 else {
      let next = leap(point, step)
      leapfrogs += 1
      let error = next.energy - startEnergy
      acceptanceSum += min(1, exp(-error))
      points.append(next.q)
      if !(error <= 1000) {
        hasDiverged = true
        return nil
      }
      return Subtree(first: next, last: next, total: next.p)
    }
    guard let a = subtree(depth - 1, after: point, step),
      let b = subtree(depth - 1, after: a.last, step), goOn(a, b)
    else { return nil }
    return Subtree(first: a.first, last: b.last, total: sum(a.total, 1, b.total))
  }

  /// Runs from a position and momentum, and returns the depth; bit d of `directions` is 1 where doubling d goes back.
  mutating func run(from q: [Double], momentum p: [Double], directions: UInt32) -> Int {
    var origin = Point(q: q, g: q, p: p)
    let value = target.valueAndGradient(at: q, into: &origin.g)
    startEnergy = 0.5 * product(p, metric.velocity(p)) - value
    points = [q]
    var whole = Subtree(first: origin, last: origin, total: p)
    var isBackward = false
    var depth = 0
    while depth < maximumDepth {
      let backward = directions >> UInt32(depth) & 1 == 1
      if backward != isBackward { swap(&whole.first, &whole.last) }
      isBackward = backward
      let step = backward ? -stepSize : stepSize
      guard let new = subtree(depth, after: whole.last, step) else { break }
      let stays = goOn(whole, new)
      whole = Subtree(
        first: whole.first, last: new.last, total: sum(whole.total, 1, new.total))
      depth += 1
      if !stays { break }
    }
    return depth
  }
}

@Suite("Trajectories")
struct TrajectoryTests {
  @Test(
    "depth, leapfrogs and acceptance are those of Stan's recursion, and the draw is one of its points"
  )
  func recursion() throws {
    let metrics = [.identity(3)] + (try MetricTests.forms())
    for (form, metric) in metrics.enumerated() {
      for (stepSize, maximumDepth) in [
        (0.9, 10), (0.25, 10), (0.05, 10), (0.05, 3), (0.1, 1), (0.004, 18), (3.5, 5),
      ] {
        var moved = 0
        for trial in 0..<60 {
          let key = RandomKey(5).folding(in: form).folding(in: trial)
          let q = CorrelatedNormal.draw(key.folding(in: "draw"))
          let kernel = NUTS(stepSize: stepSize, metric: metric, maximumDepth: maximumDepth)
          let target = CorrelatedNormal()
          var state = kernel.start(at: q, target, key: key)
          let info = kernel.step(&state, target, key: key)
          var slow = RecursiveTrajectory(
            metric: metric, stepSize: stepSize, maximumDepth: maximumDepth)
          let depth = slow.run(
            from: q, momentum: metric.whitenedMomentum(key),
            directions: UInt32(truncatingIfNeeded: key.bits(1 << 32)))
          let name = "metric \(form), step \(stepSize), depth \(maximumDepth), trial \(trial)"
          #expect(info.treeDepth == depth, "\(name)")
          #expect(info.gradients == slow.leapfrogs, "\(name)")
          #expect(info.diverged == slow.hasDiverged, "\(name)")
          let acceptance = slow.acceptanceSum / Double(slow.leapfrogs)
          // Rounding of trajectories of up to a thousand steps; unstable ones double it at each.
          #expect(abs(info.acceptance - acceptance) < (stepSize > 2 ? 1e-3 : 1e-9), "\(name)")
          let distance =
            slow.points.map { point in
              zip(point, state.position).reduce(0) { max($0, abs($1.0 - $1.1)) }
            }.min() ?? .infinity
          #expect(distance < 1e-9, "\(name): \(distance) from the nearest point")
          if state.position != q { moved += 1 }
        }
        // The identity is unstable beyond a step of twice the narrowest scale, 0.17.
        if stepSize < (form == 0 ? 0.2 : 1) {
          #expect(moved > 20, "metric \(form), step \(stepSize): \(moved) of 60")
        }
      }
    }
  }

  @Test("a trajectory that leaves the region of trust has diverged, and the chain stays")
  func divergence() {
    let kernel = NUTS(stepSize: 50)
    let target = CorrelatedNormal()
    var state = kernel.start(at: [0.1, 0.2, 0.05], target, key: 0)
    let info = kernel.step(&state, target, key: 3)
    #expect(info.diverged && info.gradients == 1 && info.acceptance < 1e-100)
    #expect(state.position == [0.1, 0.2, 0.05])
    let fixed = HMC(integrationTime: 500, stepSize: 50)
    #expect(fixed.step(&state, target, key: 3).diverged)
    #expect(state.position == [0.1, 0.2, 0.05])
  }

  @Test(
    "HMC takes as many steps as its time holds, more or less by the jitter, and no more than allowed"
  )
  func steps() {
    let target = CorrelatedNormal()
    /// Returns the numbers of steps of many trajectories.
    func steps(_ kernel: HMC) -> [Int] {
      (0..<300).map { k in
        var state = kernel.start(at: [0.1, 0.2, 0.05], target, key: 0)
        return kernel.step(&state, target, key: RandomKey(7).folding(in: k)).gradients
      }
    }
    #expect(steps(HMC(integrationTime: 1, jitter: 0, stepSize: 0.03)).allSatisfy { $0 == 34 })
    let jittered = steps(HMC(integrationTime: 1, jitter: 0.5, stepSize: 0.02))
    // 25 to 75 steps, all equally likely: of 300 the least and the largest are near.
    #expect(jittered.min() ?? 0 >= 25 && jittered.min() ?? 99 < 30)
    #expect(jittered.max() ?? 99 <= 75 && jittered.max() ?? 0 > 70)
    #expect(
      steps(HMC(integrationTime: 1, stepSize: 0.001, maximumSteps: 17)).allSatisfy { $0 == 17 })
    #expect(steps(HMC(integrationTime: 0.01, stepSize: 0.1)).allSatisfy { $0 == 1 })
  }

  @Test("HMC leaves a correlated normal invariant, whatever the metric")
  func hmc() throws {
    for (form, metric) in try MetricTests.forms().enumerated() {
      try checkKernel(
        "HMC, metric \(form)", HMC(integrationTime: 1.2, stepSize: 0.4, metric: metric),
        chains: 6000)
    }
  }

  @Test(
    "NUTS leaves a correlated normal invariant, whatever the metric, and where trees are cut off")
  func nuts() throws {
    for (form, metric) in try MetricTests.forms().enumerated() {
      try checkKernel("metric \(form)", NUTS(stepSize: 0.6, metric: metric), chains: 6000)
    }
    try checkKernel("small steps", NUTS(stepSize: 0.15), chains: 4000)
    try checkKernel("depth 2", NUTS(stepSize: 0.1, maximumDepth: 2), chains: 4000)
  }

  @Test("a warm-up tunes HMC as it does NUTS")
  func tuned() throws {
    let draws = try HMC().run(noncentred.logDensity(), chains: 4, warmUp: 1000, draws: 3000, key: 2)
    // posteriordb's reference draws: mu 4.42 ± 3.30, tau 3.60 ± 3.13 (mean ± sd), known to 0.03.
    for (name, mean, deviation) in [("mu", 4.42, 3.30), ("tau", 3.60, 3.13)] {
      let scalar = try #require(draws.scalars.first { $0.name == name })
      #expect(scalar.rHat < 1.01 && scalar.bulkESS > 1000, "\(name): \(scalar.rHat)")
      // Five Monte Carlo errors and the reference's own; deviations of a heavy tail to a tenth.
      #expect(abs(scalar.mean - mean) < 5 * scalar.meanError + 0.1)
      #expect(abs(scalar.standardDeviation / deviation - 1) < 0.1)
    }
    let statistics = try #require(draws.statistics)
    #expect(statistics.divergences <= 12, "\(statistics.divergences)")
  }
}

extension Metric {
  /// Returns the momentum that a trajectory draws with a key.
  fileprivate func whitenedMomentum(_ key: RandomKey) -> [Double] {
    var normals = [Double](repeating: 0, count: dimension)
    normals.withUnsafeMutableBufferPointer { key.fillZiggurat($0) }
    return momentum(whitened: normals)
  }
}
