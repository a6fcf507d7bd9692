// SPDX-License-Identifier: MIT
//
// Truncated conjugate gradients in a trust region: a quadratic model that only needs Hessian-vector products.
//
// Source: Steihaug 1983, SIAM J. Numer. Anal. 20, 626; Toint 1981; Nocedal and Wright 2006, algorithm 7.2.

import Numerics

/// A quadratic model maximised along the path of conjugate gradients, which ends at the radius or where the density curves up.
///
/// The iterates grow in length, so a smaller radius cuts the same path short and costs no further product.
struct KrylovModel: QuadraticModel {
  /// A point of the path: the step so far, its length, and the gain that the model predicts.
  private struct Corner {
    var step: [Double]
    var length: Double
    var gain: Double
  }

  /// The iterates of the present point, from the empty step on.
  private var path: [Corner] = []

  /// Directions from the corners onward, with their curvatures and slopes.
  private var directions: [(direction: [Double], curvature: Double, slope: Double)] = []

  /// The part of the gradient that the path has not used up.
  private var residual: [Double] = []

  /// A unit direction along which the density curves up though the gradient does not show it, with that curvature.
  private var ridge: (direction: [Double], curvature: Double)?

  /// Whether the path has come to its end: the model's maximum, to the accuracy asked for.
  private var isComplete = false

  /// Whether a search without a gradient for upward curvature has found none at this point.
  private var isExamined = false

  private let dimension: Int

  // Steps that no longer change the coordinates end the search.
  let smallestRadius = 0.0

  /// Creates the model of no point yet.
  init(dimension: Int) { self.dimension = dimension }

  mutating func move<T>(to ascent: inout Ascent<T>) -> Bool {
    path = [Corner(step: [Double](repeating: 0, count: dimension), length: 0, gain: 0)]
    directions = []
    residual = ascent.gradient
    (ridge, isComplete, isExamined) = (nil, false, false)
    return true
  }

  mutating func step<T>(within radius: Double, _ ascent: inout Ascent<T>) -> ModelStep {
    if let ridge { return along(ridge, radius, ascent.gradient) }
    // The accuracy rises as the gradient falls, so that the last steps are Newton's.
    let size = dot(ascent.gradient, ascent.gradient).squareRoot()
    let wanted = min(0.1, size.squareRoot()) * size
    var k = 0
    while true {
      let here = path[k]
      if k == directions.count && !isComplete { extend(&ascent, wanted) }
      guard k < directions.count else {
        return ModelStep(
          direction: here.step, length: here.length, gain: here.gain, promise: here.gain)
      }
      guard k + 1 < path.count, path[k + 1].length < radius else {
        return edge(from: here, directions[k], radius)
      }
      k += 1
    }
  }

  mutating func escapes<T>(_ ascent: inout Ascent<T>) -> Bool {
    guard !isExamined && ridge == nil else { return false }
    isExamined = true
    // Conjugate gradients on a random right-hand side see every eigenvector; some twenty products see a ridge that
    // stands out, and what is flatter than that cannot be told from a maximum.
    let key = RandomKey(17)
    var residual = (0..<dimension).map { key.normal(UInt64($0)) }
    var direction = residual
    var square = dot(residual, residual)
    let first = square
    for _ in 0..<min(dimension, 20) {
      let product = ascent.curvature(along: direction)
      let curvature = dot(direction, product)
      let length = dot(direction, direction).squareRoot()
      guard curvature.isFinite else { return false }
      if curvature < -1e-10 * length * dot(product, product).squareRoot() {
        ridge = (direction.map { $0 / length }, curvature / (length * length))
        return true
      }
      guard curvature > 0 else { return false }
      add(-square / curvature, product, to: &residual)
      let next = dot(residual, residual)
      if next < 1e-20 * first { return false }
      for k in direction.indices { direction[k] = residual[k] + next / square * direction[k] }
      square = next
    }
    return false
  }

  // MARK: - Path

  /// Adds a direction to the path, and its end where the density curves down along it.
  private mutating func extend<T>(_ ascent: inout Ascent<T>, _ wanted: Double) {
    let last = path.count - 1
    let square = dot(residual, residual)
    guard square.squareRoot() > wanted || last == 0, square > 0, last < 2 * dimension else {
      isComplete = true
      return
    }
    var direction = residual
    if let last = directions.last {
      // The slope along the last direction is the square of the residual before: the new one is conjugate to it.
      add(square / last.slope, last.direction, to: &direction)
    }
    let product = ascent.curvature(along: direction)
    let curvature = dot(direction, product)
    directions.append((direction, curvature, square))
    guard curvature > 0 else {
      isComplete = true
      return
    }
    let length = square / curvature
    var step = path[last].step
    add(length, direction, to: &step)
    add(-length, product, to: &residual)
    path.append(
      Corner(
        step: step, length: dot(step, step).squareRoot(),
        gain: path[last].gain + 0.5 * length * square))
  }

  /// Returns the step to where the path leaves the radius.
  private func edge(
    from corner: Corner, _ next: (direction: [Double], curvature: Double, slope: Double),
    _ radius: Double
  ) -> ModelStep {
    let (direction, curvature, slope) = next
    let a = dot(direction, direction)
    let b = dot(corner.step, direction)
    let c = radius * radius - corner.length * corner.length
    // The positive root of a t² + 2 b t = c, without cancellation.
    let root = (b * b + a * c).squareRoot()
    let t = b > 0 ? c / (b + root) : (root - b) / a
    var step = corner.step
    add(t, direction, to: &step)
    return ModelStep(
      direction: step, length: radius, gain: corner.gain + t * (slope - 0.5 * t * curvature),
      promise: .infinity)
  }

  /// Returns the step along a ridge to the edge, upwards.
  private func along(
    _ ridge: (direction: [Double], curvature: Double), _ radius: Double, _ gradient: [Double]
  ) -> ModelStep {
    let slope = dot(ridge.direction, gradient)
    let length = slope < 0 ? -radius : radius
    return ModelStep(
      direction: ridge.direction.map { $0 * length }, length: radius,
      gain: slope * length - 0.5 * ridge.curvature * length * length, promise: 0)
  }
}
