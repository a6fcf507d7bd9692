// SPDX-License-Identifier: MIT
//
// Optimisers in combination: one takes over where another stalls, and the combination that is used by default.

/// An optimiser that hands over to a second one where it stops short of a maximum.
public struct FallbackOptimizer<First: Optimizer, Second: Optimizer>: Optimizer {
  /// The optimiser that starts.
  public var first: First

  /// The optimiser that takes over.
  public var second: Second

  /// Creates the combination.
  public init(_ first: First, then second: Second) {
    self.first = first
    self.second = second
  }

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    let early = first.maximize(target, from: start, control: control)
    switch early.reason {
    case .converged, .roundingLimit, .notFinite, .cancelled, .merged: return early
    case .iterationLimit, .noProgress, .curvatureNotFinite: break
    }
    var late = second.maximize(target, from: early.position, control: control)
    // The better point counts; at the same height the verdict of the one that saw it last.
    guard late.value >= early.value else {
      var result = early
      result.gradientEvaluations += late.gradientEvaluations
      result.hessianProducts += late.hessianProducts
      return result
    }
    late.addCost(of: early)
    return late
  }
}

extension Optimizer {
  /// Returns this optimiser with another that takes over where it stops short of a maximum.
  public func fallingBack<Other: Optimizer>(on other: Other) -> FallbackOptimizer<Self, Other> {
    FallbackOptimizer(self, then: other)
  }
}

/// The optimiser for densities of which nothing is known.
///
/// Up to ``curvatureDimension`` coordinates Levenberg–Marquardt, else L-BFGS, which ask for n Hessian-vector products and
/// for one gradient at each step; where it stalls, the trust region takes over, which knows saddles and ridges, and
/// L-BFGS after that, which knows kinks.
public struct StandardOptimizer: Optimizer {
  /// The number of coordinates up to which a Hessian at each step pays.
  public var curvatureDimension = 100

  /// Creates the optimiser.
  public init() {}

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    let late = NewtonTrustRegion().fallingBack(on: LBFGS())
    return start.count <= curvatureDimension
      ? LevenbergMarquardt().fallingBack(on: late).maximize(target, from: start, control: control)
      : LBFGS().fallingBack(on: late).maximize(target, from: start, control: control)
  }
}
