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

  @Test(
    "Cholesky factors come from their coordinates and back, with the Jacobian of their free elements"
  )
  func choleskyFactors() throws {
    let cases: [(Constraint, Shape, [(Int, Int)])] = [
      (.lowerCholesky, [3, 3], [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]),
      (.correlationCholesky, [4, 4], [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]),
    ]
    let points = [
      Tensor([0.1, 0.2, -0.1, 0.1, 0.3, 0.2]), Tensor([0.3, -1, 0.6, 0.4, -0.2, 1.1]),
      Tensor([-2, 1.5, 0.1, -1.5, 2, 0.3]),
    ]
    for (constraint, shape, free) in cases {
      let map = try #require(bijector(to: constraint))
      #expect(map.eventRank == 2 && map.unconstrainedShape([5] + shape) == [5, 6])
      for u in points {
        let x = map.forward(u)
        #expect(x.shape == shape && constraint.contains(x).isTrue, "\(u) ↦ \(x)")
        let back = map.inverse(x)
        // Rounding, magnified where tanh is flat: e⁴ ε.
        #expect(zip(back.elements, u.elements).allSatisfy { abs($0 - $1) < 1e-12 }, "\(u), \(back)")
        // The free elements depend on the coordinates in triangular order: the determinant is the diagonal's product.
        var logDet = 0.0
        for (k, place) in free.enumerated() {
          let direction = Tensor((0..<6).map { $0 == k ? 1 : 0 })
          let column = jvp(at: u, direction) { map.forward($0) }.tangent
          logDet += Foundation.log(abs(column[place.0, place.1].item()))
          for earlier in free[..<k] { #expect(column[earlier.0, earlier.1].item() == 0) }
        }
        #expect(abs(map.logAbsDetJacobian(u, x).item() - logDet) < 1e-12)
        checkGradient("factor", at: [u]) { map.forward($0[0]) }
        checkGradient("factor log det", at: [u]) {
          map.logAbsDetJacobian($0[0], map.forward($0[0]))
        }
      }
      // Several at once.
      let all = Tensor.stack(points)
      let together = map.forward(all)
      #expect(together.shape == [3] + shape)
      #expect(map.logAbsDetJacobian(all, together).shape == [3])
      for (k, u) in points.enumerated() {
        #expect(together[k].elements == map.forward(u).elements)
        #expect(
          map.logAbsDetJacobian(all, together)[k].item()
            == map.logAbsDetJacobian(u, map.forward(u)).item())
      }
      #expect(constraint.contains(constraint.feasibleValue(shape: [2] + shape)).isTrue)
      #expect(!constraint.contains(Tensor.ones(shape)).isTrue)
    }
  }

  @Test("bounds are written with numbers, arrays and variables alike")
  func bounds() {
    let half = Tensor(0.5)
    #expect(Constraint.between(0, 1 - half).contains(Tensor([0.4, 0.6])).elements == [1, 0])
    #expect(Constraint.above(2).contains(Tensor([1, 3])).elements == [0, 1])
    #expect(Constraint.below([1.0, 4]).contains(Tensor([2, 2])).elements == [0, 1])
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
