// SPDX-License-Identifier: MIT
//
// Newton's method in a trust region, from Hessian-vector products: it leaves saddles and follows ridges.
//
// Source: Moré 1983, "Recent developments in algorithms and software for trust region methods"; Conn, Gould and Toint
// 2000, "Trust-Region Methods", algorithm 6.1.1 with the rounding rule of section 17.4.2.

import Numerics

/// A maximiser that uses the true Hessian and needs it neither definite nor regular.
///
/// Each step maximises the quadratic model of the log density within a radius, which grows where the model predicts the
/// gain well and shrinks where it does not. With few coordinates the model is maximised exactly, from the eigenvectors of
/// the Hessian, and a point at which the gradient vanishes is a maximum or is left along the steepest curvature; with
/// many by truncated conjugate gradients (Steihaug and Toint), of which each iteration costs one Hessian-vector product.
public struct NewtonTrustRegion: Optimizer {
  /// How the quadratic model is maximised.
  public enum Subproblem: Sendable {
    /// Exactly up to ``exactDimension`` coordinates, by conjugate gradients above.
    case automatic
    /// From the eigenvectors of the Hessian.
    case exact
    /// By truncated conjugate gradients.
    case conjugateGradient
  }

  /// The number of coordinates up to which the model is maximised exactly.
  ///
  /// A Hessian of n coordinates costs n products, which conjugate gradients often need as well; from some hundred on the
  /// O(n³) of its eigenvectors is the larger part.
  public static let exactDimension = 100

  /// How the quadratic model is maximised.
  public var subproblem = Subproblem.automatic

  /// The largest number of steps, rejected ones included.
  public var maximumIterations = 300

  /// The promised gain in log density below which the search stops; 1e-10 is some 1e-5 of a standard deviation.
  public var tolerance = 1e-10

  /// Creates the optimiser.
  public init() {}

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    var ascent = Ascent(target, from: start, control)
    guard ascent.isFinite else { return ascent.end(.notFinite) }
    let isExact =
      switch subproblem {
      case .automatic: start.count <= NewtonTrustRegion.exactDimension
      case .exact: true
      case .conjugateGradient: false
      }
    return isExact
      ? climb(&ascent, ExactModel(dimension: start.count))
      : climb(&ascent, KrylovModel(dimension: start.count))
  }

  /// Climbs with one kind of quadratic model.
  private func climb<T>(_ ascent: inout Ascent<T>, _ kind: some QuadraticModel) -> Optimum {
    var model = kind
    guard model.move(to: &ascent) else { return ascent.end(.curvatureNotFinite) }
    // One standard deviation of each coordinate, where the scales of the curvature hold.
    var radius = Double(ascent.position.count).squareRoot()
    var promise: Double?
    while true {
      if let reason = ascent.beginStep(of: maximumIterations, promise: promise) {
        return ascent.end(reason)
      }
      let step = model.step(within: radius, &ascent)
      guard step.gain.isFinite else { return ascent.end(.curvatureNotFinite) }
      promise = step.gain
      // A small radius alone can make a gain small: that says nothing.
      let limit = max(tolerance, ascent.rounding)
      if step.gain <= limit && (step.promise <= limit || radius >= 1) {
        if model.escapes(&ascent) { continue }
        ascent.withdrawStep()
        return ascent.end(step.gain <= tolerance ? .converged : .roundingLimit)
      }
      let position = zip(ascent.position, step.direction).map { $0 + $1 }
      // In a small radius every gain is small: what counts is what the gradient promises beyond it.
      let stalled: Optimum.Reason =
        step.promise <= 16 * ascent.rounding ? .roundingLimit : .noProgress
      // A step too short for its gain to be seen, or to change the coordinates at all.
      if step.gain <= ascent.rounding || position == ascent.position { return ascent.end(stalled) }
      let trial = ascent.evaluate(position)
      let gain = trial.value - ascent.value
      // Where both gains drown in the rounding of the values, their ratio tends to one.
      let ratio = (gain + ascent.rounding) / (step.gain + ascent.rounding)
      if trial.value.isFinite && ratio > acceptedRatio {
        if ascent.move(to: trial) { return ascent.end(.merged) }
        if ratio < poorRatio {
          radius = 0.25 * step.length
        } else if ratio > goodRatio && step.length > 0.8 * radius {
          radius = (abs(ratio - 1) < 0.1 ? 4 : 2) * step.length
        }
        guard model.move(to: &ascent) else { return ascent.end(.curvatureNotFinite) }
      } else {
        radius = 0.25 * step.length
        if radius < model.smallestRadius { return ascent.end(stalled) }
      }
    }
  }
}

/// The share of the predicted gain above which a step is taken.
private let acceptedRatio = 1e-4

/// The share of the predicted gain below which the radius shrinks.
private let poorRatio = 0.25

/// The share of the predicted gain above which the radius grows, where it held the step back.
private let goodRatio = 0.75

/// A step that a quadratic model proposes.
struct ModelStep {
  /// The step, in coordinates.
  var direction: [Double]

  /// Its length in the norm of the radius.
  var length: Double

  /// The gain in log density that the model predicts.
  var gain: Double

  /// The gain that the gradient promises, as far as it is known, if there were no radius.
  var promise: Double
}

/// A quadratic model of a log density around the point of a search.
protocol QuadraticModel {
  /// The radius at which a search gives up.
  var smallestRadius: Double { get }

  /// Takes up the gradient and curvature at the point; false where the curvature is not finite.
  mutating func move<T>(to ascent: inout Ascent<T>) -> Bool

  /// Returns the step that maximises the model within a radius.
  mutating func step<T>(within radius: Double, _ ascent: inout Ascent<T>) -> ModelStep

  /// Looks for an upward curvature that the last step has not seen; true where the next step will use one.
  mutating func escapes<T>(_ ascent: inout Ascent<T>) -> Bool
}
