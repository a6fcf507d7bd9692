// SPDX-License-Identifier: MIT
//
// The maximum of any model's joint density in one call: starts, searches, verdict.

public import Numerics
import PPL
import Tensors

/// Where searches for a maximum start.
public enum SearchStarts: Sendable {
  /// Points of the unconstrained space.
  case points([[Double]])
  /// A number of points proposed by a strategy.
  case strategy(InitialStrategy, count: Int = 1)
}

extension CompiledDensity {
  /// Returns the points from which searches start.
  ///
  /// - Parameters:
  ///   - starts: Where searches start.
  ///   - key: The key of random starts.
  /// - Returns: The points, in order.
  /// - Throws: `ModelError` if a strategy finds no point with a finite density.
  public func searchPoints(_ starts: [SearchStarts], key: RandomKey) throws -> [[Double]] {
    try starts.enumerated().flatMap { number, kind -> [[Double]] in
      switch kind {
      case .points(let points): return points
      case .strategy(let strategy, let count):
        return try (0..<count).map {
          try initialPoint(strategy, key: key.folding(in: number).folding(in: $0))
        }
      }
    }
  }

  /// Finds the maximum of the joint density of the sites as their author wrote them.
  ///
  /// The unconstrained coordinates only carry the search: there is no Jacobian, and reparameterisations are undone, so the
  /// values found do not depend on them.
  ///
  /// ```swift
  /// let best = try density.findMAP()
  /// best["tau"];  best.isConverged;  best.warnings
  /// let posterior = try LaplaceApproximation(density, from: best.interiorPoint)
  /// ```
  ///
  /// - Parameters:
  ///   - starts: Where searches start, best guess first; by default the median of the prior and three draws from it.
  ///   - optimizer: The optimiser of each search.
  ///   - key: The key of random starts.
  ///   - progress: Told of each search that has ended.
  ///   - isCancelled: Asked between steps, from several threads; the best point so far is returned.
  /// - Returns: The best of the searches, with a verdict.
  /// - Throws: `ModelError` if no start has a finite density.
  public func findMAP(
    starts: [SearchStarts] = [.strategy(.median(draws: 15)), .strategy(.prior, count: 3)],
    optimizer: some Optimizer = StandardOptimizer(), key: RandomKey = 0,
    progress: Progress = .none, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> MAPEstimate {
    let points = try searchPoints(starts, key: key.folding(in: "starts"))
    let result = MultiStart(optimizer).search(
      from: points, progress: progress, isCancelled: isCancelled
    ) { makeJointEvaluator() }
    // A prior without draws has no middle: values near single bounds are then not found.
    let middle = try? initialPoint(.median(draws: 15), key: key.folding(in: "middle"))
    return MAPEstimate(self, result, reference: middle)
  }
}
