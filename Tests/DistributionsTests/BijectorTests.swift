// SPDX-License-Identifier: MIT
//
// Tests of the bijectors: round trips, Jacobians, limits, and the angle's plane.

import Distributions
import Foundation
import Numerics
import Tensors
import TestSupport
import Testing

@Suite("Bijectors") struct BijectorTests {
  /// Coordinates of one number, of both signs and sizes up to where rounding is still small.
  private let points = [0, 0.3, -2, 4, -6].map { Tensor($0) }

  /// Coordinates of vectors.
  private let vectors = [
    Tensor([0, 0, 0, 0]), Tensor([0.3, -1, 2, 0.4]), Tensor([-3, 2, 0.1, -1.5]),
  ]

  @Test("maps of one number invert, and their Jacobians are those of the map")
  func scalars() {
    checkTransform("real", .real, points: points)
    checkTransform("positive", .positive, points: points)
    checkTransform("unit interval", .unitInterval, points: points)
    checkTransform("greater than", .greaterThan(Tensor(-3)), points: points)
    checkTransform("less than", .lessThan(Tensor(2)), points: points)
    checkTransform("interval", .interval(Tensor(-1), Tensor(5)), points: points)
    checkTransform(
      "interval of vectors", .interval(Tensor([0, 1]), Tensor(5)), points: [Tensor([0.3, -1])])
  }

  @Test("maps of vectors invert, and their Jacobians are those of the map")
  func vectorMaps() {
    checkTransform("simplex", .simplex, points: vectors, free: 4)
    checkTransform("ordered", .ordered, points: vectors)
    checkTransform("positive ordered", .positiveOrdered, points: vectors)
    checkTransform("single", .ordered, points: [Tensor([0.4])])
  }

  @Test("zero is the centre of the simplex")
  func simplexCentre() {
    let x = SimplexBijector().forward(Tensor([0, 0, 0]))
    // 1 - 1/4 and so on by sums of logarithms: a few roundings.
    for element in x.elements { #expect(abs(element - 0.25) < 1e-15) }
  }

  @Test("bounds that depend on other variables carry derivatives")
  func dependentBounds() {
    checkGradient("interval", at: [Tensor(0.4), Tensor(-1), Tensor(2)]) { x in
      let map = IntervalBijector(low: x[1], high: x[2])
      let value = map.forward(x[0])
      return value * map.logAbsDetJacobian(x[0], value)
    }
  }

  @Test("far out the values stay in the closed set, and the log determinant stays finite")
  func saturation() throws {
    for constraint in [Constraint.unitInterval, .interval(Tensor(0.1), Tensor(0.7))] {
      let map = try #require(bijector(to: constraint))
      for u in [-800, -40, 40, 800.0] {
        let x = map.forward(Tensor(u))
        #expect(constraint.contains(x).isTrue, "\(u) ↦ \(x)")
        #expect(map.logAbsDetJacobian(Tensor(u), x).item().isFinite)
      }
    }
  }

  @Test("whole numbers have no bijector")
  func discrete() {
    for constraint in [Constraint.boolean, .nonNegativeInteger, .integerInterval(0, 3)] {
      #expect(bijector(to: constraint) == nil)
      #expect(constraint.isDiscrete)
    }
  }

  @Test("an angle comes back from the plane, at radius 1")
  func circularInverse() {
    let map = CircularBijector(low: 0, period: .pi)
    for angle in [0, 0.1, 1.5, 1.6, 3.1] {
      let point = map.inverse(Tensor(angle))
      #expect(point.shape == [2] && abs(square(point).sum().item() - 1) < 1e-15)
      let difference = map.forward(point).item() - angle
      // Equal up to a whole period, to rounding.
      #expect(abs(difference - .pi * (difference / .pi).rounded()) < 1e-15)
    }
    for u in [
      Tensor([0.3, -0.8]), Tensor([-1.2, 0.1]), Tensor([0.5, 0.5, -0.5, -1], shape: [2, 2]),
    ] {
      let x = map.forward(u)
      #expect(map.unconstrainedShape(x.shape) == u.shape)
      #expect(x.isGreaterOrEqual(to: 0).isTrue && x.isLess(than: Double.pi).isTrue)
      checkGradient("circular forward", at: [u]) { map.forward($0[0]) }
      checkGradient("circular density", at: [u]) {
        map.logAbsDetJacobian($0[0], map.forward($0[0]))
      }
    }
  }

  @Test("the plane's density integrates to 1 and gives the angle its own prior")
  func circularDensity() {
    let map = CircularBijector(low: 0, period: .pi)
    let prior = WrappedNormal(1, 0.4, period: .pi)
    // Polar grid: log r over ± 10 auxiliary widths, which is narrower than e^±1.5, and 720 directions.
    let (radii, directions) = (600, 720)
    let step = 3.0 / Double(radii)
    var total = 0.0
    var cosine = 0.0
    for i in 0..<radii {
      let r = Foundation.exp(-1.5 + (Double(i) + 0.5) * step)
      let points = Tensor(
        (0..<directions).flatMap { k in
          let phase = 2 * .pi * Double(k) / Double(directions)
          return [r * Foundation.cos(phase), r * Foundation.sin(phase)]
        }, shape: [directions, 2])
      let angle = map.forward(points)
      let logDensity = prior.logProbability(of: angle) + map.logAbsDetJacobian(points, angle)
      // du dv = r² d(log r) dφ.
      let mass = exp(logDensity) * (r * r * step * 2 * .pi / Double(directions))
      total += mass.sum().item()
      cosine += (mass * cos((angle - 1) * 2)).sum().item()
    }
    // Midpoint and periodic rules for Gaussians: exact to rounding and the cut tails.
    #expect(abs(total - 1) < 1e-10)
    // E cos 2(θ - 1) = e^(-2 σ²) of a wrapped normal with period π.
    #expect(abs(cosine - Foundation.exp(-2 * 0.16)) < 1e-10)
  }

  @Test("a composition's determinant sums over the elements of an event")
  func composition() {
    let map = ComposedBijector(OrderedBijector(), AffineBijector(Tensor(1), Tensor(3)))
    let u = Tensor([0.2, -0.4, 1])
    let x = map.forward(u)
    // Ordered: u₂ + u₃; scaling: 3 log 3.
    #expect(abs(map.logAbsDetJacobian(u, x).item() - (0.6 + 3 * Foundation.log(3))) < 1e-14)
    #expect(map.logAbsDetJacobian(u, x).shape == [])
  }
}
