// SPDX-License-Identifier: MIT
//
// Starts around the modes that searches find, where a normal distribution describes what is around them.

import Numerics
import Tensors

/// The modes of a density that searches find, each with its normal approximation.
struct StartModes<Evaluator: LogDensity> {
  /// A mode that a normal distribution describes.
  struct Mode {
    /// The point.
    let position: [Double]
    /// The log density there.
    let value: Double
    /// The factor of the precision matrix there.
    let precision: CholeskyFactor
    /// The logarithm of the probability about it, up to a constant of the density.
    let logEvidence: Double

    /// Returns a draw from the normal distribution with deviations enlarged by a factor.
    func draw(_ key: RandomKey, spread: Double) -> [Double] {
      let step = precision.solveTransposed(key.normals(position.count))
      return zip(position, step).map { $0 + spread * $1 }
    }
  }

  /// The density.
  let evaluator: Evaluator

  /// The number of coordinates above which no curvature is taken: it costs as many products.
  static var largestDimension: Int { 200 }

  /// The steps of a search by gradients.
  private static var steps: Int { 150 }

  /// The steps by curvatures with which the highest search goes on.
  private static var curvatures: Int { 30 }

  /// The draws by which a normal distribution is judged.
  private static var draws: Int { 15 }

  /// Returns the modes that searches from some points find; none where the normal distributions at them are not most of the truth.
  ///
  /// - Parameters:
  ///   - starts: Where the searches start.
  ///   - key: The key of the draws by which modes are judged.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The modes, highest first.
  func modes(from starts: [[Double]], key: RandomKey, isCancelled: () -> Bool) -> [Mode] {
    guard evaluator.dimension <= Self.largestDimension else { return [] }
    var search = LBFGS()
    search.maximumIterations = Self.steps
    let result = MultiStart(search).search(evaluator, from: starts, isCancelled: isCancelled)
    // Gradients alone take long on a narrow ridge, curvatures do not.
    var newton = NewtonTrustRegion()
    newton.maximumIterations = Self.curvatures
    let ends = result.modes.map(\.optimum) + (result.best.isConverged ? [] : [result.best])
    let summits = ends.map {
      newton.maximize(evaluator, from: $0.position, isCancelled: isCancelled)
    }
    if isCancelled() { return [] }
    var doubtful = -Double.infinity
    var modes: [Mode] = []
    for (number, summit) in summits.enumerated() {
      if summit.isConverged, let mode = mode(at: summit, key.folding(in: number)) {
        modes.append(mode)
      } else {
        doubtful = max(doubtful, summit.value)
      }
    }
    // A search that climbs higher and does not arrive has found what no mode describes: the corner of a hierarchy, above all.
    guard let highest = modes.map(\.value).max(), !(doubtful > highest) else { return [] }
    return modes
  }

  /// Returns a maximum with its normal approximation, nil where that is far from the truth.
  private func mode(at optimum: Optimum, _ key: RandomKey) -> Mode? {
    let n = evaluator.dimension
    let curvature = evaluator.hessian(at: optimum.position, curvature: .full).map { -$0 }
    guard curvature.allSatisfy(\.isFinite), let precision = CholeskyFactor(curvature, n) else {
      return nil
    }
    let logTwoPi = 1.8378770664093453
    let mode = Mode(
      position: optimum.position, value: optimum.value, precision: precision,
      logEvidence: optimum.value + 0.5 * (Double(n) * logTwoPi - precision.logDeterminant))
    // By how much the density differs from the normal one, at draws from this.
    let differences = (0..<Self.draws).map { draw -> Double in
      let z = key.folding(in: draw).normals(n)
      let point = mode.draw(key.folding(in: draw), spread: 1)
      let difference =
        evaluator.value(at: point) - optimum.value + 0.5 * z.reduce(0) { $0 + $1 * $1 }
      return difference.isNaN ? .infinity : abs(difference)
    }.sorted()
    // Half of the draws within one unit: those of regressions are within 0.1 or 0.5, those of hierarchies off by 2 or by hundreds.
    return differences[Self.draws / 2] < 1 ? mode : nil
  }

  /// Returns one of several modes, each by its probability.
  static func choice(of modes: [Mode], key: RandomKey) -> Mode? {
    guard let highest = modes.map(\.logEvidence).max() else { return nil }
    let weights = modes.map { exponential($0.logEvidence - highest) }
    var rest = key.uniform(0) * weights.reduce(0, +)
    for (mode, weight) in zip(modes, weights) {
      rest -= weight
      if rest < 0 { return mode }
    }
    return modes.last
  }
}
