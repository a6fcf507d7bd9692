// SPDX-License-Identifier: MIT
//
// The centre of a normal approximation to the next order: where a skew posterior has its mean rather than its mode.
//
// Source: Tierney, Kass and Kadane 1989, JASA 84, 710; Rue, Martino and Chopin 2009, JRSS B 71, 319, section 3.2.3.

import Numerics

extension LaplaceApproximation {
  /// The largest distance by which a coordinate is moved, in its standard deviations: beyond it the expansion says nothing.
  private static let largestShift = 1.0

  /// Returns the approximation centred at the mean of the posterior to the next order, instead of its mode.
  ///
  /// A log density with third derivatives T has its mean at mode + ½ Σ (T : Σ), to first order in T. The contraction is taken
  /// from gradients one standard deviation to either side along each column of a factor of Σ, so that 2 n gradients are all it
  /// costs; angles are moved along their circle. The covariance stays that of the mode. In a polar pair of a positive radius r, known
  /// to σ, and an angle, a mode with its Jacobian lies too far out by 1.5 σ²/r, which this puts right;
  /// coordinates whose posterior is normal stay.
  ///
  /// No coordinate moves by more than one standard deviation. Where a gradient is not finite, or the mode has flat directions, all
  /// stay.
  ///
  /// - Parameter sites: The sites that are moved, each to its own mean; by default all.
  /// - Returns: The approximation with another ``center``.
  /// - Precondition: The density has these sites.
  public func skewCorrected(_ sites: [String]? = nil) -> LaplaceApproximation {
    let n = density.dimension
    let chosen = sites.map { names in
      Set(
        names.flatMap { name -> Range<Int> in
          let range = density.layout[name]?.range
          demand(
            range != nil,
            "skewCorrected: expected some of the sites \(density.layout.names), got \(name)")
          return range ?? 0..<0
        })
    }
    guard flatDirections == 0, let shift = skewShift() else { return self }
    let variances = covariance
    var step = precision.solveTransposed(shift)
    var largest = 0.0
    for k in 0..<n {
      if let chosen, !chosen.contains(k) { step[k] = 0 }
      largest = max(largest, abs(step[k]) / variances[k * n + k].squareRoot())
    }
    let factor = largest > Self.largestShift ? Self.largestShift / largest : 1
    var result = self
    result.center = moved(by: step.map { factor * $0 })
    return result
  }

  /// Returns half the contraction of the third derivatives in whitened coordinates; nil where it is not finite.
  private func skewShift() -> [Double]? {
    let n = density.dimension
    let evaluator = density.makeEvaluator()
    var gradient = [Double](repeating: 0, count: n)
    /// Returns the gradient at a displacement, with respect to it.
    func slope(_ displacement: [Double]) -> [Double] {
      _ = evaluator.valueAndGradient(at: moved(by: displacement), into: &gradient)
      return pulledBack(gradient, displacement)
    }
    let middle = slope([Double](repeating: 0, count: n))
    var sum = [Double](repeating: 0, count: n)
    var unit = sum
    for k in 0..<n {
      unit[k] = 1
      let column = precision.solveTransposed(unit)
      unit[k] = 0
      let (ahead, behind) = (slope(column), slope(column.map { -$0 }))
      for i in 0..<n { sum[i] += ahead[i] + behind[i] - 2 * middle[i] }
    }
    let whitened = precision.solveLower(sum).map { 0.5 * $0 }
    return whitened.allSatisfy(\.isFinite) ? whitened : nil
  }

  /// Returns the centre moved by a displacement, angles along their circle.
  private func moved(by displacement: [Double]) -> [Double] {
    var point = zip(center, displacement).map { $0 + $1 }
    turn(&point, 1)
    return point
  }

  /// Returns a gradient at a displaced point with respect to the displacement, which turns angles along their circle.
  private func pulledBack(_ gradient: [Double], _ displacement: [Double]) -> [Double] {
    var result = gradient
    for k in density.anglePairs {
      let (u, v) = (center[k], center[k + 1])
      let radius = (u * u + v * v).squareRoot()
      guard radius > 0 else { continue }
      let outward = (u * displacement[k] + v * displacement[k + 1]) / radius
      let turn = (u * displacement[k + 1] - v * displacement[k]) / (radius * radius)
      let angle = angleOf(v, u) + turn
      let (c, s) = (cosine(angle), sine(angle))
      let byOutward = c * gradient[k] + s * gradient[k + 1]
      let byTangent = (1 + outward / radius) * (c * gradient[k + 1] - s * gradient[k])
      result[k] = (byOutward * u - byTangent * v) / radius
      result[k + 1] = (byOutward * v + byTangent * u) / radius
    }
    return result
  }
}
