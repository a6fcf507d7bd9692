// SPDX-License-Identifier: MIT
//
// The maximum for several sources: each by itself on a stamp, after the brighter ones around it, then all together.

import Distributions
import GalaxyModels
import Inference
import Tensors

extension FitMulti {
  /// The number of times that every source is fitted by itself before all are fitted together.
  private static let sweeps = 2

  /// The steps of the first search for all together: where the stamps have shown the right curvatures ten to thirty do.
  private static let firstSteps = 100

  /// Finds the maximum of the joint density of the parameters of all sources.
  ///
  /// The fluxes of all sources and the sky are scaled to the image, a linear problem.
  /// Each source is then fitted by itself on a stamp from which the present light of the others has been taken: after the
  /// brighter ones whose stamps meet its own, at the same time as others, and from several starts in the first of two sweeps.
  /// Then all are fitted together, by L-BFGS with the curvatures that the stamps have shown; where that does not converge soon, or a
  /// source has come out round, from which no search by gradients leads away, each is fitted once more by itself, round ones from flat
  /// shapes, and all together again; with ``MAPOptimizer/levenbergMarquardt`` damped steps of all at once take over where that does not converge, up to 80 parameters; and
  /// where the model found does not describe the pixels they also search from the guesses, and the higher maximum is the result.
  /// The result does not depend on the number of processors.
  public func findMAP(
    start: [String: Double] = [:], optimizer: MAPOptimizer = .levenbergMarquardt,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> MAPFit {
    let clock = ContinuousClock()
    let begin = clock.now
    try checkStarts(start)
    var scene = SceneState(self, start)
    try scene.scaleToImage()
    let first = scene.values
    var blocks = CurvatureBlocks()
    var evaluations = 0
    /// Fits the sources by themselves, round ones from flat shapes.
    func sweep(_ beginning: SceneState.Beginning) throws {
      for numbers in scene.rounds where !isCancelled() {
        let round = beginning == .guesses ? [] : numbers.filter { scene.isRound($0) }
        let others = numbers.filter { !round.contains($0) }
        let ends =
          try scene.improve(others, from: beginning, isCancelled)
          + scene.improve(round, from: .flattened, isCancelled)
        for end in ends {
          evaluations += end.evaluations
          if let block = end.block { blocks.take(block) }
        }
      }
    }
    for number in 0..<Self.sweeps { try sweep(number == 0 ? .guesses : .present) }
    let evaluator = density.makeJointEvaluator()
    var joint = searchJointly(
      evaluator, from: try density.unconstrain(scene.values), blocks.list, optimizer,
      steps: Self.firstSteps, isCancelled)
    evaluations += joint.evaluations
    // A source that took the light of its neighbours may have come out round, or far from where its stamp had shown its curvature.
    scene.adopt(
      density.constrain(joint.position, sites: prior.freeSites).compactMapValues { $0.item() })
    let hasRound = prior.sources.indices.contains { scene.isRound($0) }
    if hasRound || !joint.isConverged, optimizer != .trustRegion, !isCancelled() {
      try sweep(.present)
      // A source that no stamp shows may lie at its bound, from which no search starts.
      let point = (try? density.unconstrain(scene.values)) ?? joint.position
      let again = searchJointly(
        evaluator, from: point, blocks.list, optimizer, steps: LBFGS().maximumIterations,
        isCancelled)
      evaluations += again.evaluations
      if again.value > joint.value { joint = again }
    }
    /// Returns the fit at a maximum.
    func fit(_ optimum: Optimum, _ evaluations: Int) -> MAPFit {
      MAPFit(
        self, optimum,
        modes: optimum.isConverged ? [SearchResult.Mode(optimum: optimum, searches: [0])] : [],
        evaluations: evaluations, seconds: (clock.now - begin).seconds)
    }
    let found = fit(joint, evaluations)
    // A source that has taken the light of its neighbour for its own does not give it back; all together find it more often.
    guard optimizer == .levenbergMarquardt, density.dimension <= GalaxyFitSearch.fullCurvatureLimit,
      found.findings.contains(where: { $0.fitCode == .poorFit }), !isCancelled()
    else { return found }
    let other = LevenbergMarquardt().maximize(
      evaluator, from: try density.unconstrain(first), isCancelled: isCancelled)
    return fit(other.value > joint.value ? other : joint, evaluations + other.evaluations)
  }

  /// Searches for all sources together.
  private func searchJointly(
    _ evaluator: DensityEvaluator, from point: [Double], _ blocks: [CurvatureBlock],
    _ optimizer: MAPOptimizer, steps: Int, _ isCancelled: @escaping @Sendable () -> Bool
  ) -> Optimum {
    guard optimizer != .trustRegion else {
      return NewtonTrustRegion().maximize(evaluator, from: point, isCancelled: isCancelled)
    }
    var search = LBFGS()
    search.memory = 30
    search.maximumIterations = steps
    search.curvature = curvature(evaluator, point, blocks)
    // Where sources run to bounds damped steps of all at once took two to ten times as long, and came no higher.
    return optimizer == .levenbergMarquardt
      && density.dimension <= GalaxyFitSearch.fullCurvatureLimit
      ? search.fallingBack(on: LevenbergMarquardt()).maximize(
        evaluator, from: point, isCancelled: isCancelled)
      : search.maximize(evaluator, from: point, isCancelled: isCancelled)
  }

  /// Returns the curvatures of the stamps, bordered by the coordinates that no stamp has shown: those of the sky and of the
  /// noise, which have to do with every source, and those of lost sources.
  private func curvature(
    _ evaluator: DensityEvaluator, _ point: [Double], _ blocks: [CurvatureBlock]
  ) -> ArrowCurvature {
    let covered = Set(blocks.flatMap(\.coordinates))
    let border = point.indices.filter { !covered.contains($0) }
    var columns = border.map { k in
      var direction = [Double](repeating: 0, count: point.count)
      direction[k] = 1
      var product = direction
      _ = evaluator.hessianVectorProduct(at: point, direction, into: &product)
      return product.map { -$0 }
    }
    for k in density.anglePairs {
      guard let i = border.firstIndex(of: k), let j = border.firstIndex(of: k + 1) else { continue }
      let outward = outwardCurvature(
        point[k], point[k + 1], columns[i][k], columns[i][k + 1], columns[j][k + 1])
      columns[i][k] += outward.xx
      columns[i][k + 1] += outward.xy
      columns[j][k] += outward.xy
      columns[j][k + 1] += outward.yy
    }
    return ArrowCurvature(blocks, border: border, columns: columns)
  }
}

/// Returns a curvature for the distance from the centre of an angle's circle, as that of its two coordinates: the one that the angle
/// has along the circle, or 1 where that is less.
///
/// The joint density does not know that distance. Left flat, it would take steps without end as soon as the angle turns, since what
/// was outward before is then in part along the circle.
///
/// - Parameters:
///   - u: The first coordinate.
///   - v: The second.
///   - uu: The second derivatives of −log density: by the first coordinate,
///   - uv: by both,
///   - vv: by the second.
/// - Returns: What is to be added to each of the three.
func outwardCurvature(
  _ u: Double, _ v: Double, _ uu: Double, _ uv: Double, _ vv: Double
) -> (xx: Double, xy: Double, yy: Double) {
  let square = u * u + v * v
  guard square > 0 else { return (1, 0, 1) }
  let along = max(1, (v * v * uu - 2 * u * v * uv + u * u * vv) / square) / square
  return (along * u * u, along * u * v, along * v * v)
}

/// The latest curvature of each source.
private struct CurvatureBlocks {
  /// The curvatures.
  private(set) var list: [CurvatureBlock] = []

  /// Takes a curvature in place of an earlier one of the same coordinates.
  mutating func take(_ block: CurvatureBlock) {
    list.removeAll { $0.coordinates == block.coordinates }
    list.append(block)
  }
}
