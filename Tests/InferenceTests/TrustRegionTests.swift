// SPDX-License-Identifier: MIT
//
// The trust region at saddles, ridges, walls and kinks, and its steps against a brute-force maximum of the model.

import Inference
import Numerics
import Tensors
import Testing

@Suite("Newton trust region")
struct TrustRegionTests {
  /// Both ways to maximise the quadratic model.
  static let kinds: [NewtonTrustRegion.Subproblem] = [.exact, .conjugateGradient]

  /// Returns the optimiser of a kind.
  static func region(_ kind: NewtonTrustRegion.Subproblem) -> NewtonTrustRegion {
    var region = NewtonTrustRegion()
    region.subproblem = kind
    return region
  }

  @Test("a saddle with zero gradient is left, to either of the two maxima", arguments: kinds)
  func saddle(_ kind: NewtonTrustRegion.Subproblem) {
    // x² − x⁴/4 − y²/2 − z²: maxima 1 at (±√2, 0, 0), a saddle at the origin.
    let f = { @Sendable (x: Tensor) in
      square(x[0]) - 0.25 * square(square(x[0])) - 0.5 * square(x[1]) - square(x[2])
    }
    let best = Self.region(kind).maximize(Formula(3, f), from: [0, 0, 0])
    #expect(best.isConverged && abs(best.value - 1) < 1e-9, "\(best.explanation) \(best.position)")
    // Curvature −4 there: a loss of 1e-10 is a distance of 7e-6.
    #expect(abs(abs(best.position[0]) - 2.0.squareRoot()) < 1e-5)
    // Gradients alone cannot tell a saddle from a maximum.
    #expect(LBFGS().maximize(Formula(3, f), from: [0, 0, 0]).value == 0)
  }

  @Test("a saddle is left in many dimensions, where one curvature of 150 is upward")
  func manyDimensions() {
    let n = 150
    let weights = Tensor((0..<n).map { 1 + Double($0) / 10 })
    let f = { @Sendable (x: Tensor) in
      square(x[70]) * 20 - square(square(x[70])) - (weights * square(x)).sum()
    }
    let best = NewtonTrustRegion().maximize(
      Formula(n, f), from: [Double](repeating: 0, count: n))
    // 12 x² − x⁴: 36 at x² = 6.
    #expect(best.isConverged && abs(best.value - 36) < 1e-8, "\(best.explanation) \(best.value)")
  }

  @Test("a quadratic is maximised in a few steps, whatever its scales", arguments: [1, 2, 30, 90])
  func quadratic(n: Int) {
    let weights = Tensor((0..<n).map { 1e-3 * power(10, $0 % 9) })
    let center = Tensor((0..<n).map { Double($0) - 3 })
    let f = { @Sendable (x: Tensor) in -0.5 * (weights * square(x - center)).sum() }
    let best = NewtonTrustRegion().maximize(
      Formula(n, f), from: [Double](repeating: 0, count: n))
    #expect(best.isConverged && best.value > -1e-9, "\(best.explanation) \(best.value)")
    // Starts are up to 87 · 10^2.5 standard deviations away and the radius grows fourfold: 4⁷ > 3e4 / √90.
    #expect(best.iterations <= 10)
  }

  @Test(
    "steps of the exact model are no worse than the best of many on and in the sphere",
    arguments: 0..<24)
  func exactSteps(number: Int) {
    let key = RandomKey(7).folding(in: number)
    let n = 3
    let kind = number % 4
    // Curvatures of all signs; in the last kind the gradient has no part along the lowest: the hard case.
    let values = (0..<n).map { key.normal(UInt64($0)) - (kind == 0 ? 3 : 0) }
    var slopes = (0..<n).map { key.normal(UInt64(10 + $0)) }
    let highest = values.indices.max { values[$0] < values[$1] } ?? 0
    if kind == 3 { slopes[highest] = 0 }
    let (curvatures, gradient) = (Tensor(values), Tensor(slopes))
    let f = { @Sendable (x: Tensor) in
      0.5 * (curvatures * square(x)).sum() + (gradient * x).sum()
    }
    // One step, of the first radius √3 in units of the curvatures; as the function is its own model the step is taken.
    var region = NewtonTrustRegion()
    region.maximumIterations = 1
    let best = region.maximize(Formula(n, f), from: [Double](repeating: 0, count: n))
    let scales = values.map { abs($0).squareRoot() }
    let length = zip(best.position, scales).reduce(0) { $0 + $1.0 * $1.0 * $1.1 * $1.1 }
    // The secular equation is solved to 1e-3 of the radius.
    #expect(length.squareRoot() <= 3.0.squareRoot() * 1.002)
    var rival = 0.0
    for trial in 0..<20_000 {
      let own = key.folding(in: "sphere").folding(in: trial)
      var point = (0..<n).map { own.normal(UInt64($0)) }
      let size = point.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // Half of the trials on the sphere, half inside.
      let radius = 3.0.squareRoot() * (trial % 2 == 0 ? 1 : own.uniform(9))
      for k in 0..<n { point[k] *= radius / size / scales[k] }
      var value = 0.0
      for k in 0..<n { value += (0.5 * values[k] * point[k] + slopes[k]) * point[k] }
      rival = max(rival, value)
    }
    // A radius short by 1e-3 loses at most 2e-3 of the gain.
    #expect(best.value >= rival * (1 - 3e-3), "\(best.value) \(rival)")
  }

  @Test("NaN, −∞ and cliffs on the way only cost steps", arguments: kinds)
  func walls(_ kind: NewtonTrustRegion.Subproblem) {
    // NaN left of 0, −∞ right of 3; the maximum 2 log 2 − 2 at 2 is close to both for a first step of 1 from 0.01.
    let f = { @Sendable (x: Tensor) in
      2 * log(x[0]) - x[0] + select(x[0].isLess(than: 3), Tensor(0), Tensor(-.infinity))
    }
    for start in [0.01, 1.5, 2.999] {
      let best = Self.region(kind).maximize(Formula(1, f), from: [start])
      #expect(best.isConverged, "\(start): \(best.explanation)")
      // Curvature ½: 1e-10 in value is 2e-5.
      #expect(abs(best.position[0] - 2) < 3e-5, "\(start): \(best.position)")
    }
    // A cliff as the best place: no maximum in the interior, so no convergence is claimed.
    let cliff = { @Sendable (x: Tensor) in
      x[0] + select(x[0].isLess(than: 3), Tensor(0), Tensor(-.infinity))
    }
    let stuck = Self.region(kind).maximize(Formula(1, cliff), from: [0])
    #expect(stuck.reason == .noProgress && abs(stuck.position[0] - 3) < 1e-6, "\(stuck)")
  }

  @Test("the top of a kink is found and not called a maximum that was converged to")
  func kink() {
    let data = Tensor([-1, 0.4, 0.7, 2, 9])
    let f = { @Sendable (x: Tensor) in -abs(data - x[0]).sum() }
    for kind in Self.kinds {
      let stuck = Self.region(kind).maximize(Formula(1, f), from: [5])
      #expect(stuck.reason == .noProgress, "\(stuck.explanation)")
      // The median.
      #expect(abs(stuck.position[0] - 0.7) < 1e-6, "\(stuck.position)")
    }
    // The combination ends with the one that needs no curvature, at the same place.
    let standard = StandardOptimizer().maximize(Formula(1, f), from: [5])
    #expect(abs(standard.position[0] - 0.7) < 1e-6, "\(standard)")
  }

  @Test("flat directions are no obstacle, and are not walked along", arguments: kinds)
  func flat(_ kind: NewtonTrustRegion.Subproblem) {
    let f = { @Sendable (x: Tensor) in -0.5 * square(x[0] + x[1] - 4) - square(x[3] - 1) }
    let best = Self.region(kind).maximize(Formula(4, f), from: [1, 2, 7, 0])
    #expect(best.isConverged && best.value > -1e-9)
    // The start differs from the ridge by (½, ½); the third coordinate does not matter at all.
    #expect(abs(best.position[0] - 1.5) < 1e-4 && abs(best.position[1] - 2.5) < 1e-4)
    #expect(best.position[2] == 7)
  }

  @Test("second derivatives that are not finite are a reason of their own")
  func noCurvature() {
    // x^1.5 has slope 0 and an infinite curvature at 0.
    let f = { @Sendable (x: Tensor) in x[0] - pow(x[0], 1.5) - square(x[1] - 1) }
    let best = NewtonTrustRegion().maximize(Formula(2, f), from: [0, 0])
    #expect(best.reason == .curvatureNotFinite && !best.isConverged, "\(best)")
    #expect(
      LevenbergMarquardt().maximize(Formula(2, f), from: [0, 0]).reason == .curvatureNotFinite)
    #expect(best.explanation.contains("LBFGS"))
  }
}

/// Returns a whole power of ten.
private func power(_ base: Double, _ exponent: Int) -> Double {
  (0..<exponent).reduce(1) { product, _ in product * base }
}
