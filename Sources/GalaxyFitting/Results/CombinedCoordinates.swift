// SPDX-License-Identifier: MIT
//
// The parts of a combination: unconstrained coordinates with their priors, normal shares, the proposal, the agreement of fits.

import Distributions
import Inference
import Numerics
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One shared parameter: its unconstrained coordinate, the draws of each fit in it, and the priors.
struct CombinedCoordinate {
  /// The parameter.
  let name: String

  /// The period of an angle; nil for other parameters.
  let period: Double?

  /// The draws of each fit in the coordinate.
  let unconstrained: [[Double]]

  /// The prior of each fit.
  private let own: [any Distribution]

  /// The prior that counts once.
  private let joint: any Distribution

  /// The map from the coordinate to the parameter; nil for an angle, whose coordinate is itself on a branch.
  private let map: (any Bijector)?

  /// Takes the draws of a parameter.
  ///
  /// - Throws: ``FitRecordError`` where draws lie outside the support of the prior that counts once.
  /// - Precondition: There is a prior for each fit and one for all.
  init(
    _ name: String, _ draws: [ScalarDraws], own: [(any Distribution)?], joint: (any Distribution)?
  ) throws(FitRecordError) {
    let given = own.compactMap { $0 }
    guard let joint, given.count == draws.count else {
      stop("CombinedPosterior: expected a prior of \(name) for each posterior")
    }
    self.name = name
    self.own = given
    self.joint = joint
    period = draws[0].period
    if let period {
      map = nil
      let center = draws[0].mean
      unconstrained = draws.map { scalar in
        let shift = period * ((scalar.mean - center) / period).rounded()
        return scalar.unwrapped.map { $0 - shift }
      }
      return
    }
    guard let map = bijector(to: joint.support) else {
      throw FitRecordError(
        "prior of \(name)", "expected a continuous parameter, found \(joint); leave it out")
    }
    self.map = map
    unconstrained = draws.map { map.inverse(Tensor($0.values)).elements }
    for (number, values) in unconstrained.enumerated() where !values.allSatisfy(\.isFinite) {
      throw FitRecordError(
        "fit \(number), \(name)",
        "expected draws inside the support of \(joint), found others; give the combination a prior as wide as that of every fit"
      )
    }
  }

  /// Returns the parameter at coordinates; an angle in [0, period).
  func constrained(_ u: [Double]) -> [Double] {
    if let map { return map.forward(Tensor(u)).elements }
    guard let period else { return u }
    return u.map { x in
      let y = x - period * (x / period).rounded(.down)
      return y < period ? y : 0
    }
  }

  /// Returns the log of the prior that counts once less those of the fits, as densities of the coordinate.
  func logPriorCorrection(_ u: [Double]) -> [Double] {
    let x = Tensor(constrained(u))
    var sum = joint.logProbability(of: x).expanded(to: u.count)
    for prior in own {
      for (i, value) in prior.logProbability(of: x).expanded(to: u.count).enumerated() {
        sum[i] -= value
      }
    }
    guard let map else { return sum }
    // Each density of the parameter has a factor |dx/du| in the coordinate: one, less one for each fit.
    let jacobian = map.logAbsDetJacobian(Tensor(u), x).expanded(to: u.count)
    for i in sum.indices { sum[i] += Double(1 - own.count) * jacobian[i] }
    return sum
  }

  /// Returns mean and precision of normal approximations of the priors, the joint one first; flat for angles.
  func normalPriors(key: RandomKey) -> [(mean: Double, precision: Double)] {
    ([joint] + own).map { prior in
      guard let map else { return (0, 0) }
      let u = map.inverse(prior.sample(key: key, sampleShape: [2000])).elements
        .filter(\.isFinite)
      let mean = u.reduce(0, +) / Double(max(1, u.count))
      let variance = u.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, u.count - 1))
      return variance > 0 && variance.isFinite ? (mean, 1 / variance) : (0, 0)
    }
  }
}

extension Tensor {
  /// Returns the elements, a single one as often as asked for.
  fileprivate func expanded(to count: Int) -> [Double] {
    let own = elements
    return own.count == count ? own : Array(repeating: own.first ?? .nan, count: count)
  }
}

/// The normal distribution of one fit's draws.
struct NormalShare {
  /// The mean.
  let mean: [Double]

  /// The precision matrix, row-major.
  let precision: [Double]

  /// The covariance matrix, row-major.
  let covariance: [Double]

  /// The log of the determinant of the precision.
  private let logDeterminant: Double

  /// Takes mean and covariance of draws, given coordinate by coordinate.
  ///
  /// - Throws: ``FitRecordError`` where the covariance cannot be inverted.
  init(_ columns: [[Double]], _ number: Int) throws(FitRecordError) {
    let count = Double(columns[0].count)
    let mean = columns.map { $0.reduce(0, +) / count }
    let centred = zip(columns, mean).map { column, m in column.map { $0 - m } }
    let n = columns.count
    var covariance = [Double](repeating: 0, count: n * n)
    for a in 0..<n {
      for b in 0..<n {
        covariance[a * n + b] =
          zip(centred[a], centred[b]).reduce(0) { $0 + $1.0 * $1.1 } / max(1, count - 1)
      }
    }
    guard let factor = CholeskyFactor(covariance, n) else {
      throw FitRecordError(
        "fit \(number)",
        "expected draws whose covariance can be inverted, found others: more draws than parameters are needed, and none that follows from the others"
      )
    }
    self.mean = mean
    self.covariance = covariance
    precision = factor.inverse
    logDeterminant = -factor.logDeterminant
  }

  /// Returns the log density at a point.
  func logDensity(_ u: [Double]) -> Double {
    let d = zip(u, mean).map { $0 - $1 }
    return 0.5 * (logDeterminant - Double(d.count) * log(2 * .pi) - quadratic(precision, d))
  }
}

/// Returns dᵀ A d.
private func quadratic(_ matrix: [Double], _ d: [Double]) -> Double {
  let n = d.count
  var sum = 0.0
  for a in 0..<n { for b in 0..<n { sum += d[a] * matrix[a * n + b] * d[b] } }
  return sum
}

/// The normal distribution closest to the product of the shares and the quotient of the priors, a little wider.
struct CombinedProposal {
  /// How much wider its deviations are, so that the weights have no heavy tail where the product is a little wider.
  private static let widening = 1.15

  /// The mean.
  private let mean: [Double]

  /// The factor of its precision.
  private let factor: CholeskyFactor

  /// Makes the proposal.
  ///
  /// - Throws: ``FitRecordError`` where no precision can be made.
  init(_ shares: [NormalShare], _ space: [CombinedCoordinate]) throws(FitRecordError) {
    let n = space.count
    let priors = space.map { $0.normalPriors(key: 0) }
    /// Returns factor and mean of the product, with the priors divided out or not.
    func product(dividing: Bool) -> (CholeskyFactor, [Double])? {
      var matrix = [Double](repeating: 0, count: n * n)
      var linear = [Double](repeating: 0, count: n)
      for share in shares {
        for a in 0..<n {
          for b in 0..<n {
            matrix[a * n + b] += share.precision[a * n + b]
            linear[a] += share.precision[a * n + b] * share.mean[b]
          }
        }
      }
      if dividing {
        for (k, list) in priors.enumerated() {
          for (place, prior) in list.enumerated() {
            let sign = place == 0 ? 1.0 : -1
            matrix[k * n + k] += sign * prior.precision
            linear[k] += sign * prior.precision * prior.mean
          }
        }
      }
      return CholeskyFactor(matrix, n).map { ($0, $0.solve(linear)) }
    }
    // Where a prior says more than the data its normal approximation may leave nothing: then it is left to the weights.
    guard let (factor, mean) = product(dividing: true) ?? product(dividing: false) else {
      throw FitRecordError(
        "combination",
        "expected a product of normal distributions, found none; fit all data together"
      )
    }
    self.factor = factor
    self.mean = mean
  }

  /// Returns draws.
  func draws(_ count: Int, key: RandomKey) -> [[Double]] {
    (0..<count).map { i in
      let step = factor.solveTransposed(key.folding(in: UInt64(i)).normals(mean.count))
      return zip(mean, step).map { $0 + Self.widening * $1 }
    }
  }

  /// Returns the log density at a point.
  func logDensity(_ u: [Double]) -> Double {
    let d = zip(u, mean).map { ($0 - $1) / Self.widening }
    let n = Double(d.count)
    return 0.5 * (factor.logDeterminant - n * log(2 * .pi) - factor.squaredLength(d))
      - n * log(Self.widening)
  }
}

/// How far independent fits lie apart, and how normal they are.
struct Agreement {
  /// Σ (m_k − m)ᵀ S_k⁻¹ (m_k − m).
  let chiSquared: Double

  /// Its degrees of freedom.
  let degreesOfFreedom: Int

  /// The chance of a larger one.
  let pValue: Double

  /// Each fit's share in each parameter.
  let shares: [CombinedPosterior.Share]

  /// Compares the shares with their product, priors not divided out.
  init(_ normals: [NormalShare], _ space: [CombinedCoordinate], _ parameters: [String]) {
    let n = space.count
    var matrix = [Double](repeating: 0, count: n * n)
    var linear = [Double](repeating: 0, count: n)
    for share in normals {
      for a in 0..<n {
        for b in 0..<n {
          matrix[a * n + b] += share.precision[a * n + b]
          linear[a] += share.precision[a * n + b] * share.mean[b]
        }
      }
    }
    let factor = CholeskyFactor(matrix, n)
    let mean = factor?.solve(linear) ?? linear.map { _ in .nan }
    let covariance = factor?.inverse ?? matrix.map { _ in .nan }
    chiSquared = normals.reduce(0) { sum, share in
      sum + quadratic(share.precision, zip(share.mean, mean).map { $0 - $1 })
    }
    degreesOfFreedom = n * (normals.count - 1)
    pValue = regularizedGammaQ(Double(degreesOfFreedom) / 2, chiSquared / 2)
    var list: [CombinedPosterior.Share] = []
    for (number, share) in normals.enumerated() {
      for k in 0..<n {
        // The mean of all contains that of the fit: their difference has the variance S_k − S.
        let variance = share.covariance[k * n + k] - covariance[k * n + k]
        let column = space[k].unconstrained[number]
        list.append(
          CombinedPosterior.Share(
            fit: number, parameter: parameters[k],
            pull: (share.mean[k] - mean[k]) / variance.squareRoot(),
            departure: Self.departure(
              column, share.mean[k], share.covariance[k * n + k].squareRoot()),
            // The 95 % point of Kolmogorov's distance, of independent draws with known mean; Markov chains have fewer.
            expectedDeparture: 1.36 / Double(column.count).squareRoot()))
      }
    }
    shares = list
  }

  /// Returns the largest distance of the distribution of draws from a normal one.
  private static func departure(_ draws: [Double], _ mean: Double, _ sd: Double) -> Double {
    let sorted = draws.sorted()
    let count = Double(sorted.count)
    return sorted.enumerated().reduce(0) { largest, item in
      let p = 0.5 * erfc(-(item.element - mean) / (sd * 2.0.squareRoot()))
      let (below, above) = (Double(item.offset) / count, Double(item.offset + 1) / count)
      return max(largest, abs(p - below), abs(p - above))
    }
  }
}
