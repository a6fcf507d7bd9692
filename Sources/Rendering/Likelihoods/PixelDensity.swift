// SPDX-License-Identifier: MIT
//
// The densities of a pixel around the model, in units of its noise: what is robust, and how it is normalised.

import CKernels
package import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The density of a pixel's residual r = (data − model) / rms; each integrates to one over the data.
public enum PixelDensity: Sendable, Hashable {
  /// Normal: exp(−r²/2) / √(2π).
  case gaussian
  /// Student's t of r / scale with `dof` degrees of freedom; by default scale = √((dof − 2)/dof), so that the variance is 1.
  case studentT(dof: Double, scale: Double? = nil)
  /// exp(−δ²(√(1 + r²/δ²) − 1)), a hyperbolic density: normal near 0, exponential beyond δ; its variance is K₂(δ²)/K₁(δ²).
  case pseudoHuber(delta: Double = 3)
  /// (1 − f) normal(s) + f normal(`outlierScale` · rms): each pixel is an outlier with probability f, a parameter.
  case mixture(outlierScale: Double = 5)

  /// The shape as the kernels know it.
  var kernel: sersic_density {
    switch self {
    case .gaussian: SERSIC_GAUSSIAN
    case .studentT: SERSIC_STUDENT
    case .pseudoHuber: SERSIC_HUBER
    case .mixture: SERSIC_MIXTURE
    }
  }

  /// Whether pixels are outliers with a probability that is a parameter.
  public var hasOutliers: Bool {
    if case .mixture = self { return true }
    return false
  }

  /// The number that shapes the tails.
  var shape: Double {
    switch self {
    case .gaussian: 0
    case .studentT(let dof, _): dof
    case .pseudoHuber(let delta): delta
    case .mixture(let outlierScale): outlierScale
    }
  }

  /// The scale in units of the rms.
  public var scale: Double {
    guard case .studentT(let dof, let scale) = self else { return 1 }
    return scale ?? (dof > 2 ? ((dof - 2) / dof).squareRoot() : .nan)
  }

  /// Checks the numbers.
  ///
  /// - Throws: `RenderingError` with kind `invalidLoss`: a number out of range, or no scale where dof ≤ 2, which has no
  ///   variance.
  public func validate() throws(RenderingError) {
    switch self {
    case .gaussian: break
    case .studentT(let dof, let scale):
      guard dof > 0 && dof.isFinite else {
        throw RenderingError(
          .invalidLoss, expected: "degrees of freedom dof > 0", found: "\(dof)",
          advice: "give a value such as 5, or use the Gaussian loss for very large ones")
      }
      guard scale != nil || dof > 2 else {
        throw RenderingError(
          .invalidLoss, expected: "a scale, since Student-t has no variance for dof ≤ 2",
          found: "dof \(dof) and no scale", advice: "give the scale, the factor of the rms")
      }
      if let scale, !(scale > 0 && scale.isFinite) {
        throw RenderingError(
          .invalidLoss, expected: "a scale > 0", found: "\(scale)",
          advice: "give the factor of the rms, or leave it out for √((dof − 2)/dof)")
      }
    case .pseudoHuber(let delta):
      // Beyond this δ² and its normalisation differ from the Gaussian by less than rounding.
      guard delta > 0 && delta < 1e7 else {
        throw RenderingError(
          .invalidLoss, expected: "a transition delta > 0, in units of the rms",
          found: "\(delta)",
          advice: "give a value such as 3, or use the Gaussian loss for very large ones")
      }
    case .mixture(let outlierScale):
      guard outlierScale > 1 && outlierScale.isFinite else {
        throw RenderingError(
          .invalidLoss, expected: "a scale of the outliers > 1, in units of the rms",
          found: "\(outlierScale)", advice: "give a value such as 5")
      }
    }
  }

  /// The logarithm of the density at r = 0, but for a mixture that of its normal parts: without the share of outliers.
  var logPeak: Double {
    switch self {
    case .gaussian, .mixture: -0.5 * log(2 * Double.pi)
    case .studentT(let dof, _):
      lgamma((dof + 1) / 2) - lgamma(dof / 2) - 0.5 * log(dof * Double.pi) - log(scale)
    case .pseudoHuber(let delta): -log(2 * delta * PixelDensity.scaledBesselK1(delta * delta))
    }
  }

  /// Returns the log density of a residual.
  ///
  /// - Parameters:
  ///   - r: The residual in units of the rms.
  ///   - outliers: The share of outliers, for a mixture.
  ///   - outlierScale: The scale of outliers in the unit of r; that of the mixture unless given.
  /// - Returns: The logarithm of the density of r.
  public func logDensity(
    _ r: Double, outliers: Double = 0, outlierScale: Double? = nil
  ) -> Double {
    switch self {
    case .gaussian: return logPeak - 0.5 * r * r
    case .studentT(let dof, _):
      let t = r / scale
      return logPeak - 0.5 * (dof + 1) * log1p(t * t / dof)
    case .pseudoHuber(let delta):
      return logPeak - r * r / (1 + (1 + r * r / (delta * delta)).squareRoot())
    case .mixture(let scale):
      let c = outlierScale ?? scale
      let inside = log1p(-outliers) - 0.5 * r * r
      let outside = log(outliers / c) - 0.5 * r * r / (c * c)
      let (high, low) = (max(inside, outside), min(inside, outside))
      // None or all are outliers: the other logarithm is −∞.
      return logPeak + high + (low == -.infinity ? 0 : log1p(exp(low - high)))
    }
  }

  /// Returns a draw of the residual, for densities that are symmetric and log-concave: all but Student's t and mixtures.
  ///
  /// Rejection, two trials on average: with m the density at 0, a symmetric log-concave density is at most
  /// m min(1, e^(1 − 2 m |x|)).
  ///
  /// ### Source
  ///
  /// Devroye 1986, *Non-Uniform Random Variate Generation*, section VII.2.3, applied to |x|.
  package func hyperbolicResidual(_ key: RandomKey) -> Double {
    var generator = KeyedGenerator(key)
    let top = logDensity(0)
    let rate = 2 * exp(top)
    while true {
      // Half of the envelope is flat up to 1/rate, the other half falls as e^(1 − rate |x|).
      let u = 2 * generator.uniform()
      let x = u < 1 ? u / rate : (1 - log(u - 1)) / rate
      let envelope = min(0, 1 - rate * x)
      if log(generator.uniform()) + envelope <= logDensity(x) - top {
        return generator.uniform() < 0.5 ? -x : x
      }
    }
  }

  /// Returns e^x K₁(x), the modified Bessel function without its exponential fall, for x > 0.
  ///
  /// ∫₀^∞ exp(−x (cosh t − 1)) cosh t dt by the trapezoid rule. The integrand is even and analytic in a strip of half-width
  /// about π/2 (about 1/√x times ten for large x, where it is a Gaussian), so the error is below 1e-16 of the result.
  static func scaledBesselK1(_ x: Double) -> Double {
    let step = 0.2 * min(1, 1 / x.squareRoot())
    var sum = 0.5
    var t = step
    while true {
      let c = cosh(t)
      // cosh t − 1 without cancellation.
      let s = sinh(t / 2)
      let term = exp(-2 * x * s * s) * c
      sum += term
      // Terms grow while x sinh² t < cosh t.
      if term < 1e-18 * sum && x * (c * c - 1) > c { break }
      t += step
    }
    return step * sum
  }
}

/// What is not known of the noise: a parameter that changes the scale of every pixel.
public enum NoiseFreedom: String, Sendable, Hashable, Codable, CaseIterable {
  /// The rms is wrong by a factor 1 + x.
  case fraction
  /// There is noise besides: √(rms² + x²).
  case systematic
}
