// SPDX-License-Identifier: MIT
//
// The family of optimisers: a search for a maximum is a value with one method, its options fields of the value.

/// A way to search for the maximum of a log density.
///
/// A search never throws: an ``Optimum`` says where it ended, why, and what it cost. Points at which the log density or a
/// derivative is not finite are outside the support, and no search moves there.
///
/// | optimiser | sees | use it |
/// |---|---|---|
/// | ``LevenbergMarquardt`` | Gauss–Newton curvature | likelihoods near a sum of squares; up to some hundred coordinates |
/// | ``NewtonTrustRegion`` | the true Hessian | saddles, ridges, densities far from any sum of squares |
/// | ``LBFGS`` | gradients | many coordinates; kinks |
/// | ``CurvedLBFGS`` | the curvature at the start, then gradients | many coordinates, near a maximum |
/// | ``StandardOptimizer`` | all of these | when in doubt: what `findMAP` does |
public protocol Optimizer: Sendable {
  /// Searches for the maximum of a log density from a point.
  ///
  /// - Parameters:
  ///   - target: The log density.
  ///   - start: The point.
  ///   - control: Who is told and asked between steps.
  /// - Returns: The best point of the search, and why it stopped.
  func maximize(_ target: some LogDensity, from start: [Double], control: SearchControl) -> Optimum
}

extension Optimizer {
  /// Searches for the maximum of a log density from a point.
  ///
  /// - Parameters:
  ///   - target: The log density.
  ///   - start: The point.
  ///   - progress: Told of the steps.
  ///   - isCancelled: Asked between steps; the best point so far is returned.
  ///   - joins: Asked at each new point, with its log density, whether the search has come to a place that is known.
  /// - Returns: The best point of the search, and why it stopped.
  public func maximize(
    _ target: some LogDensity, from start: [Double], progress: Progress = .none,
    isCancelled: () -> Bool = { false },
    joins: ([Double], Double) -> Bool = { _, _ in false }
  ) -> Optimum {
    withoutActuallyEscaping(isCancelled) { isCancelled in
      withoutActuallyEscaping(joins) { joins in
        maximize(
          target, from: start,
          control: SearchControl(progress: progress, isCancelled: isCancelled, joins: joins))
      }
    }
  }
}

/// Who is told and asked between the steps of a search.
public struct SearchControl {
  /// Told of the steps, some ten times a second.
  public var progress: Progress

  /// Asked whether to stop.
  public var isCancelled: () -> Bool

  /// Asked at each new point, with its log density, whether the search has come to a place that is known.
  public var joins: ([Double], Double) -> Bool

  /// Creates the control of a search that tells nobody and goes on to its end.
  public init(
    progress: Progress = .none, isCancelled: @escaping () -> Bool = { false },
    joins: @escaping ([Double], Double) -> Bool = { _, _ in false }
  ) {
    self.progress = progress
    self.isCancelled = isCancelled
    self.joins = joins
  }
}
