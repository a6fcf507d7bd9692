// SPDX-License-Identifier: MIT
//
// How a step size changes from step to step.

/// A step size as a function of the number of steps done.
///
/// A plain number is a constant step size: `.adam(0.01)`.
public indirect enum Schedule: Sendable, Codable, Equatable {
  /// The same at every step.
  case constant(Double)
  /// initial · rate^(step / steps).
  case exponential(initial: Double, rate: Double, steps: Int)
  /// From `initial` along half a cosine to `final` in a number of steps, and constant from there on.
  case cosine(initial: Double, final: Double, steps: Int)
  /// The value of the last piece that has begun; the first begins at step 0.
  case piecewise(initial: Double, [Piece])
  /// A rise in proportion to the step from 0 to where the other schedule begins, which then takes over.
  case warmUp(steps: Int, then: Schedule)

  /// A piece of a schedule: from a step on, a value.
  public struct Piece: Sendable, Codable, Equatable {
    /// The first step.
    public var from: Int
    /// The step size from there on.
    public var value: Double

    /// Creates a piece.
    public init(from: Int, value: Double) {
      self.from = from
      self.value = value
    }
  }

  /// Returns the step size of a step, counted from 0.
  public func callAsFunction(_ step: Int) -> Double {
    switch self {
    case .constant(let value): return value
    case .exponential(let initial, let rate, let steps):
      return initial * power(rate, Double(step) / Double(max(1, steps)))
    case .cosine(let initial, let final, let steps):
      let share = min(1.0, Double(step) / Double(max(1, steps)))
      // cos x = sin(x + π/2); the case of the same name hides the function.
      let height: Double = 0.5 + 0.5 * sine(Double.pi * (share + 0.5))
      return final + (initial - final) * height
    case .piecewise(let initial, let pieces):
      return pieces.last { $0.from <= step }?.value ?? initial
    case .warmUp(let steps, let next):
      if step >= steps { return next(step - steps) }
      return next(0) * Double(step + 1) / Double(steps + 1)
    }
  }
}

extension Schedule: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Double) { self = .constant(value) }
  public init(integerLiteral value: Int) { self = .constant(Double(value)) }
}
