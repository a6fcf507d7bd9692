// SPDX-License-Identifier: MIT
//
// Pareto-smoothed importance sampling: weights whose largest follow a fitted generalised Pareto distribution.
//
// Source: Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25(72), 1; the fit is that of Zhang and Stephens 2009,
// Technometrics 51, 316. Constants and conventions are those of ArviZ.

import Numerics

/// Importance weights after smoothing, and how far they can be trusted.
public struct ParetoSmoothedWeights: Sendable {
  /// The logarithms of the weights, which sum to one.
  public let logWeights: [Double]

  /// The shape k of the tail: below 0.5 all is well, above 0.7 the weighted means cannot be trusted.
  ///
  /// Infinite where there were too few weights to fit a tail.
  public let paretoK: Double

  /// Smooths weights.
  ///
  /// - Parameters:
  ///   - logWeights: The logarithms of the raw weights, up to a constant.
  ///   - relativeEfficiency: The effective draws of a draw: below 1 for Markov chains.
  public init(_ logWeights: [Double], relativeEfficiency: Double = 1) {
    let count = logWeights.count
    guard let largest = logWeights.max(), largest.isFinite, logWeights.allSatisfy({ !$0.isNaN })
    else {
      self.logWeights = logWeights.map { _ in .nan }
      paretoK = .nan
      return
    }
    var x = logWeights.map { $0 - largest }
    let order = x.indices.sorted { x[$0] < x[$1] }
    // The size of the tail: a fifth of the draws, or 3√(effective draws) where that is fewer.
    let tail = Int(
      min(Double(count) / 5, 3 * (Double(count) / relativeEfficiency).squareRoot()).rounded(.up))
    let place = max(0, count - tail - 1)
    let cutoff = max(x[order[place]], logarithm(.leastNormalMagnitude))
    let exceeding = order.filter { x[$0] > cutoff }
    var k = Double.infinity
    // Four points are too few for a fit with two parameters.
    if exceeding.count > 4 {
      let base = exponential(cutoff)
      let fit = GeneralizedPareto(fitting: exceeding.map { exponential(x[$0]) - base })
      k = fit.shape
      if k.isFinite {
        for (rank, index) in exceeding.enumerated() {
          let smooth = fit.quantile((Double(rank) + 0.5) / Double(exceeding.count))
          x[index] = min(0, logarithm(smooth + base))
        }
      }
    }
    let total = logSumExp(x)
    self.logWeights = x.map { $0 - total }
    paretoK = k
  }
}

/// A generalised Pareto distribution of excesses over zero, P(X > x) = (1 + k x / σ)^(−1/k).
struct GeneralizedPareto {
  /// The shape k.
  let shape: Double
  /// The scale σ.
  let scale: Double

  /// Fits the distribution by the posterior mean of Zhang and Stephens, with a weak prior that draws k towards 0.5.
  ///
  /// - Parameter sorted: Positive excesses in rising order.
  init(fitting sorted: [Double]) {
    let n = Double(sorted.count)
    let points = 30 + Int(n.squareRoot())
    // Their prior of b = k / σ has its scale at the first quartile; b < 1 / max keeps all excesses inside the support.
    let quartile = sorted[Int(n / 4 + 0.5) - 1]
    let largest = sorted[sorted.count - 1]
    let grid = (1...points).map { j in
      (1 - (Double(points) / (Double(j) - 0.5)).squareRoot()) / (3 * quartile) + 1 / largest
    }
    let profile = grid.map { b -> Double in
      let k = Self.shape(sorted, b)
      return n * (logarithm(-(b / k)) - k - 1)
    }
    let total = logSumExp(profile)
    var weights = profile.map { exponential($0 - total) }
    // Points of negligible weight are left out, as in ArviZ.
    for j in weights.indices where !(weights[j] >= 10 * Double.ulpOfOne) { weights[j] = 0 }
    let sum = weights.reduce(0, +)
    let b = zip(weights, grid).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * $1.1 : 0) } / sum
    let k = Self.shape(sorted, b)
    scale = -k / b
    // As if ten further excesses had come with a shape of 0.5.
    shape = (n * k + 10 * 0.5) / (n + 10)
  }

  /// Returns the mean of log(1 − b x): minus the shape for a given b, in the sign of Zhang and Stephens.
  private static func shape(_ sorted: [Double], _ b: Double) -> Double {
    sorted.reduce(0) { $0 + logarithmOfOnePlus(-b * $1) } / Double(sorted.count)
  }

  /// Returns the quantile of a probability between 0 and 1.
  func quantile(_ p: Double) -> Double {
    guard scale > 0 else { return .nan }
    let log1p = logarithmOfOnePlus(-p)
    if abs(shape) < Double.ulpOfOne { return -scale * log1p }
    return scale * exponentialMinusOne(-shape * log1p) / shape
  }
}
