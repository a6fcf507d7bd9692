// SPDX-License-Identifier: MIT
//
// The modes that searches find, where normal distributions describe what is around them: where chains start.

import Numerics
import Tensors

/// The modes of a density that searches find, each with its normal approximation.
struct StartModes<Evaluator: LogDensity> {
  /// A maximum with a curvature that is definite.
  struct Mode {
    /// The point.
    let position: [Double]
    /// The log density there.
    let value: Double
    /// The factor of the precision matrix there.
    let precision: CholeskyFactor
    /// The logarithm of the probability about it, up to a constant of the density, by Laplace's formula.
    let logEvidence: Double
    /// Whether a normal distribution describes what is around it.
    var isNormal = false

    /// Creates the normal approximation at a maximum.
    init(_ optimum: Optimum, _ precision: CholeskyFactor) {
      position = optimum.position
      value = optimum.value
      self.precision = precision
      logEvidence = optimum.logEvidence(precision)
    }

    /// Returns a draw from the normal distribution with deviations enlarged by a factor.
    func draw(_ key: RandomKey, spread: Double) -> [Double] {
      let step = precision.solveTransposed(key.normals(position.count))
      return zip(position, step).map { $0 + spread * $1 }
    }

    /// Returns half the squared distance of a point in standard deviations: how much lower it should lie.
    func depth(of point: [Double]) -> Double {
      0.5 * precision.squaredLength(difference(point, position))
    }

    /// Whether a search that stopped short stands on this hill: as high as the curvature says, but for a factor of five.
    func explains(_ end: Optimum) -> Bool {
      let (expected, found) = (depth(of: end.position), value - end.value)
      return expected < 2 || found > 0.2 * expected && found < 5 * expected
    }
  }

  /// The density.
  let evaluator: Evaluator

  /// The number of coordinates above which no curvature is taken: it costs as many products.
  static var largestDimension: Int { 200 }

  /// The steps of a search by gradients.
  private static var steps: Int { 150 }

  /// The steps by curvatures with which a search goes on: gradients alone take long on a narrow ridge.
  private static var curvatures: Int { 30 }

  /// The draws by which a normal distribution is judged: with half as many one in twenty is judged wrongly that is off by 0.6 units.
  private static var draws: Int { 31 }

  /// Returns the modes that searches from some points find; none where normal distributions at them may not be most of the truth.
  ///
  /// - Parameters:
  ///   - starts: Where the searches start.
  ///   - key: The key of the draws by which modes are judged.
  ///   - progress: Told of each search.
  ///   - isCancelled: Asked between steps; none are then returned.
  /// - Returns: The modes with normal surroundings.
  func modes(
    from starts: [[Double]], key: RandomKey, progress: Progress, isCancelled: () -> Bool
  ) -> [Mode] {
    var search = LBFGS()
    search.maximumIterations = Self.steps
    var newton = NewtonTrustRegion()
    newton.maximumIterations = Self.curvatures
    // One after the other: each search ends where it comes to a maximum that is known.
    let result = MultiStart(search, roundSize: 1, threads: 1).search(
      evaluator, from: starts, progress: progress, isCancelled: isCancelled)
    let ends = result.modes.map(\.optimum) + (result.best.isConverged ? [] : [result.best])
    var modes: [Mode] = []
    // What is not a maximum: the corner of a hierarchy, a ridge without an end.
    var doubtful = result.searches.filter { !$0.isConverged && $0.reason != .merged }
    for (number, end) in ends.enumerated() {
      let summit = newton.maximize(evaluator, from: end.position, isCancelled: isCancelled)
      if isCancelled() { return [] }
      // Two ends on one ridge come to the same summit, within a tenth of a standard deviation.
      if modes.contains(where: { $0.depth(of: summit.position) < 0.005 }) { continue }
      guard summit.isConverged, let mode = mode(at: summit, key.folding(in: number)) else {
        doubtful.append(summit)
        continue
      }
      modes.append(mode)
    }
    let normal = modes.filter(\.isNormal)
    guard let highest = normal.map(\.value).max(), let largest = normal.map(\.logEvidence).max()
    else { return [] }
    // Laplace's formula may be wrong by some units about a mode that is not normal.
    let isOutweighed = modes.contains { !$0.isNormal && $0.logEvidence > largest - 7 }
    // What is wider than any hill may lie lower: a unit for each coordinate, and some.
    let floor = highest - 20 - Double(evaluator.dimension)
    let isUnexplained = doubtful.contains { end in
      end.value > floor && !normal.contains { $0.explains(end) }
    }
    return isOutweighed || isUnexplained ? [] : normal
  }

  /// Returns a maximum with its normal approximation; nil where its curvature is not definite.
  private func mode(at optimum: Optimum, _ key: RandomKey) -> Mode? {
    let n = evaluator.dimension
    let curvature = evaluator.hessian(at: optimum.position, curvature: .full).map { -$0 }
    guard curvature.allSatisfy(\.isFinite), let precision = CholeskyFactor(curvature, n) else {
      return nil
    }
    var mode = Mode(optimum, precision)
    // By how much the density differs from the normal one, at draws from this.
    let differences = (0..<Self.draws).map { draw -> Double in
      let point = mode.draw(key.folding(in: draw), spread: 1)
      let difference = evaluator.value(at: point) - optimum.value + mode.depth(of: point)
      return difference.isNaN ? .infinity : abs(difference)
    }.sorted()
    // Half of the draws within one unit: those of regressions are within 0.1 or 0.5, those of hierarchies off by 2 or by hundreds.
    mode.isNormal = differences[Self.draws / 2] < 1
    return mode
  }

  /// Returns one of several modes, each by its probability.
  ///
  /// - Precondition: There is at least one.
  static func choice(of modes: [Mode], key: RandomKey) -> Mode {
    let highest = modes.reduce(-.infinity) { max($0, $1.logEvidence) }
    let weights = modes.map { exponential($0.logEvidence - highest) }
    var rest = key.uniform(0) * weights.reduce(0, +)
    for (mode, weight) in zip(modes, weights) {
      rest -= weight
      if rest < 0 { return mode }
    }
    return modes[modes.count - 1]
  }
}
