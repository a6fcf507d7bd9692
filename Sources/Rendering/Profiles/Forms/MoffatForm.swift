// SPDX-License-Identifier: MIT
//
// The radial form of Moffat profiles (Moffat 1969, A&A 3, 455), in closed form.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A Moffat profile: ρ = μ a/π · (1 + a u)^(−β), μ = β − 1, a = 2^(1/μ) − 1; F = M_μ(√(s/a)); outer light (1 + a u)^(−μ).
package final class MoffatForm: RadialForm {
  /// The exponents that are allowed: from wings that hardly end to next to a Gaussian.
  static let exponents = 1.1...50.0

  package let shapeCount = 1

  /// The exponent β.
  private var beta = Double.nan

  /// The inverse square of the scale radius in units of r_eff.
  private var a = 1.0

  /// d ln a/dβ.
  private var aSlope = 0.0

  /// ln Γ(μ).
  private var logGamma = 0.0

  /// ψ(μ).
  private var digamma = 0.0

  /// Memory for arguments of Bessel functions.
  private let products = BesselArguments()

  /// Creates a form without an exponent.
  init() {}

  package func update(_ shape: UnsafePointer<Double>) -> Bool {
    guard Self.exponents.contains(shape[0]) else { return false }
    guard beta != shape[0] else { return true }
    beta = shape[0]
    let mu = beta - 1
    a = expm1(M_LN2 / mu)
    aSlope = -M_LN2 / (mu * mu) * (a + 1) / a
    logGamma = Numerics.logGamma(mu)
    digamma = Numerics.digamma(mu)
    return true
  }

  package func transform(
    at s: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let mu = beta - 1
    products.forEachBlock(count) { x, range in
      for i in range { x[i - range.lowerBound] = max((s[i] / a).squareRoot(), 1e-140) }
      let out = out + 4 * range.lowerBound
      sersic_bessel_products(range.count, x, mu, mu, logGamma - M_LN2, out)
      for i in 0..<range.count { setTransform(out + 4 * i, x[i], s[range.lowerBound + i]) }
    }
  }

  /// Turns the products of Bessel functions at x into the transform at s and its derivatives.
  private func setTransform(_ group: UnsafeMutablePointer<Double>, _ x: Double, _ s: Double) {
    let mu = beta - 1
    guard s > 0 else {
      // Only s = 0 itself is looked up there, where the slope counts times 0: it need not exist, but be finite.
      group[0] = 1
      group[1] = mu > 1 ? -0.25 / (a * (mu - 1)) : 0
      group[2] = 0
      group[3] = 0
      return
    }
    let logX = log(0.5 * x) - digamma
    let byX = -group[1]
    // M″ as for Spergel's density.
    let byXX = -(group[1] * (2 * mu - 1) / x - group[0])
    let byOrder = group[0] * logX + group[2]
    let byXOrder = byX * logX - group[3]
    let toS = x / (2 * s)
    group[1] = byX * toS
    group[2] = byOrder - 0.5 * byX * x * aSlope
    group[3] = (byXOrder - 0.5 * (byX + x * byXX) * aSlope) * toS
  }

  package func density(
    at u: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let mu = beta - 1
    for i in 0..<count {
      let x = a * u[i]
      let logBase = log1p(x)
      let share = x / (1 + x)
      let value = mu * a / .pi * exp(-beta * logBase)
      let slope = -beta * a * value / (1 + x)
      out[4 * i] = value
      out[4 * i + 1] = slope
      out[4 * i + 2] = value * (1 / mu + aSlope - logBase - beta * share * aSlope)
      out[4 * i + 3] =
        slope
        * (1 / mu + 1 / beta + 2 * aSlope - logBase - (beta + 1) * share * aSlope)
    }
  }

  package func logDensity(_ u: Double) -> (value: Double, slope: Double) {
    (
      log((beta - 1) * a / .pi) - beta * log1p(a * u), -beta * a / (1 + a * u)
    )
  }

  package func outside(_ z: Double) -> (share: Double, byLogZ: Double) {
    let x = a * z * z
    let share = exp((1 - beta) * log1p(x))
    return (share, 2 * (1 - beta) * x / (1 + x) * share)
  }

  package func outsideSlope(_ z: Double, shape k: Int) -> Double {
    let x = a * z * z
    let logBase = log1p(x)
    return -exp((1 - beta) * logBase) * (logBase + (beta - 1) * x / (1 + x) * aSlope)
  }
}
