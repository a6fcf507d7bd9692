// SPDX-License-Identifier: MIT
//
// The points of an importance sample while it grows, and the Student-t distributions that they come from.

import Distributions
import Numerics
import PPL

/// Points around the centre of a normal approximation, with their densities under posterior and proposals.
///
/// They are kept as steps from the centre, whose part along an angle is an arc. Steps of more than half a turn are not proposed, so that
/// each angle is reached by one step only; what this leaves of a proposal is taken from the share of its steps that were possible.
final class ProposalCloud {
  /// The approximation at whose centre steps begin.
  private let approximation: LaplaceApproximation

  /// The number of coordinates.
  let dimension: Int

  /// The steps, one after the other.
  private(set) var steps: [Double] = []

  /// The log density of the posterior at each, by the measure of steps.
  private var targets: [Double] = []

  /// The logarithm of the sum of the densities of all proposals at each.
  private var mixtures: [Double] = []

  /// The proposals so far.
  private var proposals: [StudentProposal] = []

  /// The logarithms of the weights: posterior over the mean of the proposals.
  var logWeights: [Double] {
    let share = logarithm(Double(max(1, proposals.count)))
    return zip(targets, mixtures).map { $0 - ($1 - share) }
  }

  /// The number of points.
  var count: Int { targets.count }

  /// The points in unconstrained space, one after the other.
  var points: [Double] { approximation.points(at: steps) }

  /// Creates a cloud without points.
  init(_ approximation: LaplaceApproximation) {
    self.approximation = approximation
    dimension = approximation.density.dimension
  }

  /// Adds points of a further proposal.
  func add(_ number: Int, from new: StudentProposal, key: RandomKey) {
    let n = dimension
    let old = count
    var trials = StepTrials()
    for draw in 0..<number {
      steps += new.step(key: key.folding(in: draw), &trials) { approximation.logVolume($0) != nil }
    }
    var proposal = new
    proposal.logShare = logarithm(trials.share)
    targets += approximation.logDensities(at: Array(steps[(old * n)...]))
    for place in 0..<old {
      let density = proposal.logDensity(steps[(place * n)..<((place + 1) * n)])
      mixtures[place] = logSumExp([mixtures[place], density])
    }
    proposals.append(proposal)
    for place in old..<count {
      let step = steps[(place * n)..<((place + 1) * n)]
      mixtures.append(logSumExp(proposals.map { $0.logDensity(step) }))
    }
  }
}

/// How many steps of a proposal were tried, and how many of them were possible.
struct StepTrials {
  /// The steps that were tried.
  var tried = 0

  /// Those of them that were possible.
  var possible = 0

  /// The share of possible ones; of a step more than there are, so that it is never nothing.
  var share: Double { possible == tried ? 1 : (Double(possible) + 1) / (Double(tried) + 1) }
}

/// A multivariate Student-t distribution of steps, whose tails are heavier than those of most posteriors.
struct StudentProposal {
  /// The degrees of freedom.
  private static let degreesOfFreedom = 5.0

  /// The factor of the covariance of weighted points in the scale of a proposal.
  ///
  /// Points that are cut off or not yet reached make their covariance too small: with a factor of one deviations came out up to a
  /// quarter too small from some keys, and k up to 0.7; with three that of the parameter at the bound is within a few per cent, that of
  /// another with a long tail up to a sixth short, and k is below 0.4, for half of the effective points.
  private static let inflation = 3.0

  /// The centre.
  private let center: [Double]

  /// The factor of the scale matrix or of its inverse.
  private let scale: Scale

  /// The logarithm of the density at the centre.
  private let height: Double

  /// A factor of a scale matrix or of its inverse.
  private enum Scale {
    case covariance(CholeskyFactor)
    case precision(CholeskyFactor)
  }

  /// The logarithm of the share of its steps that are possible.
  var logShare = 0.0

  /// Takes the covariance of a normal approximation as the scale.
  init(_ approximation: LaplaceApproximation) {
    self.init(
      [Double](repeating: 0, count: approximation.density.dimension),
      .precision(approximation.precision))
  }

  /// Creates a distribution.
  private init(_ center: [Double], _ scale: Scale) {
    self.center = center
    self.scale = scale
    let (n, nu) = (Double(center.count), Self.degreesOfFreedom)
    let logDeterminant =
      switch scale {
      case .covariance(let factor): factor.logDeterminant
      case .precision(let factor): -factor.logDeterminant
      }
    height =
      logGamma(0.5 * (nu + n)) - logGamma(0.5 * nu) - 0.5 * n * logarithm(nu * Double.pi)
      - 0.5 * logDeterminant
  }

  /// Takes the moments of weighted points; nil where they have no covariance.
  ///
  /// Weights are cut off at the mean weight times √count (Ionides 2008, J. Comput. Graph. Stat. 17, 295), so that no single point makes the
  /// covariance.
  init?(fitting cloud: ProposalCloud) {
    let n = cloud.dimension
    let logWeights = cloud.logWeights
    let total = logSumExp(logWeights)
    guard total.isFinite else { return nil }
    let largest = total - 0.5 * logarithm(Double(logWeights.count))
    var weights = logWeights.map { exponential(min($0, largest) - total) }
    let sum = weights.reduce(0, +)
    for place in weights.indices { weights[place] /= sum }
    var mean = [Double](repeating: 0, count: n)
    for (place, weight) in weights.enumerated() {
      for k in 0..<n { mean[k] += weight * cloud.steps[place * n + k] }
    }
    var covariance = [Double](repeating: 0, count: n * n)
    var offset = mean
    for (place, weight) in weights.enumerated() {
      for k in 0..<n { offset[k] = cloud.steps[place * n + k] - mean[k] }
      for r in 0..<n {
        for c in 0...r { covariance[r * n + c] += weight * offset[r] * offset[c] }
      }
    }
    for k in covariance.indices { covariance[k] *= Self.inflation }
    guard let factor = CholeskyFactor(covariance, n) else { return nil }
    self.init(mean, .covariance(factor))
  }

  /// Returns the log density of a step.
  func logDensity(_ step: ArraySlice<Double>) -> Double {
    let offset = zip(step, center).map { $0 - $1 }
    let square =
      switch scale {
      case .covariance(let factor): factor.solveLower(offset).reduce(0) { $0 + $1 * $1 }
      case .precision(let factor): factor.squaredLength(offset)
      }
    let nu = Self.degreesOfFreedom
    return height - logShare
      - 0.5 * (nu + Double(center.count)) * logarithmOfOnePlus(square / nu)
  }

  /// Returns a step that is possible.
  ///
  /// - Parameters:
  ///   - key: Its key.
  ///   - trials: Counts the steps that were tried.
  ///   - isPossible: Whether a step is.
  /// - Returns: The step; the last one tried where none of a thousand is possible, which has no weight.
  func step(
    key: RandomKey, _ trials: inout StepTrials, isPossible: ([Double]) -> Bool
  ) -> [Double] {
    let n = center.count
    var step = center
    for attempt in 0..<1000 {
      let own = key.folding(in: attempt)
      let normals = own.normals(n)
      let half = 0.5 * Self.degreesOfFreedom
      let stretch = (half / own.folding(in: "scale").gamma(0, shape: half)).squareRoot()
      let normal: [Double]
      switch scale {
      case .precision(let factor): normal = factor.solveTransposed(normals)
      case .covariance(let factor):
        normal = (0..<n).map { r in
          (0...r).reduce(0) { $0 + factor.lower[r * n + $1] * normals[$1] }
        }
      }
      for k in 0..<n { step[k] = center[k] + stretch * normal[k] }
      trials.tried += 1
      if isPossible(step) {
        trials.possible += 1
        break
      }
    }
    return step
  }
}

extension LaplaceApproximation {
  /// Returns the log of the volume of unconstrained space for a unit of steps; nil for a step that is not proposed.
  func logVolume(_ step: [Double]) -> Double? {
    var sum = 0.0
    for k in density.anglePairs {
      let (u, v) = (center[k], center[k + 1])
      let square = u * u + v * v
      guard square > 0 else { continue }
      let reach = 1 + (u * step[k] + v * step[k + 1]) / square
      let turn = (u * step[k + 1] - v * step[k]) / square
      // A thousandth is where the length of an angle's pair is cut off.
      guard abs(turn) <= Double.pi, reach > 1e-3 else { return nil }
      sum += logarithm(reach)
    }
    return sum
  }

  /// Returns the points to which steps lead, one after the other.
  func points(at steps: [Double]) -> [Double] {
    let n = density.dimension
    var points = steps
    for k in points.indices { points[k] += center[k % n] }
    turn(&points, points.count / max(1, n))
    return points
  }

  /// Returns the log density where steps lead, by the measure of steps; −∞ where it is not a number.
  func logDensities(at steps: [Double]) -> [Double] {
    let n = density.dimension
    let count = steps.count / max(1, n)
    let points = points(at: steps)
    // As many as an evaluator is worth; the values do not depend on it.
    let block = 125
    return concurrentMap((count + block - 1) / block, block: 1) { number -> [Double] in
      let evaluator = density.makeEvaluator()
      return (number * block..<min(count, (number + 1) * block)).map { place in
        let range = (place * n)..<((place + 1) * n)
        guard let volume = logVolume(Array(steps[range])) else { return -.infinity }
        let value = evaluator.value(at: Array(points[range])) + volume
        return value.isNaN ? -.infinity : value
      }
    }.flatMap { $0 }
  }
}
