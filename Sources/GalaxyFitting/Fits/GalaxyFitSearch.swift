// SPDX-License-Identifier: MIT
//
// The search of all parameters together, from points that are known to be good.

import Inference

/// What the searches of all parameters together have in common.
enum GalaxyFitSearch {
  /// The number of coordinates up to which the whole curvature is worth its time.
  static let fullCurvatureLimit = 80
}

extension GalaxyFit {
  /// Searches from all points, one after the other, for the maximum of the joint density.
  ///
  /// - Parameters:
  ///   - points: The points, unconstrained; one at least.
  ///   - optimizer: The optimiser; of many coordinates L-BFGS stands in for Levenberg–Marquardt.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The maxima.
  func searchTogether(
    from points: [[Double]], _ optimizer: MAPOptimizer, _ isCancelled: () -> Bool
  ) -> SearchResult {
    let target = density.makeJointEvaluator()
    /// Searches from all points, one after the other.
    func search(_ optimizer: some Optimizer) -> SearchResult {
      MultiStart(optimizer, roundSize: 1).search(target, from: points, isCancelled: isCancelled)
    }
    switch optimizer {
    case .levenbergMarquardt where density.dimension <= GalaxyFitSearch.fullCurvatureLimit:
      return search(LevenbergMarquardt().fallingBack(on: LBFGS()))
    case .trustRegion: return search(NewtonTrustRegion())
    case .levenbergMarquardt, .lbfgs:
      var descent = LBFGS()
      descent.memory = 30
      return search(descent)
    }
  }
}
