// SPDX-License-Identifier: MIT
//
// The exact radial Fourier transform of a Sérsic profile, as a Mellin–Barnes sum (DLMF 2.5.28 ff.; Paris & Kaminski 2001, ch. 3).

import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The transform of a unit-flux Sérsic profile at s = κ², κ = r_eff |k|, k in radians per pixel, with its derivatives.
///
/// F = (1/2πi) ∫ Γ(n(2 − z))/Γ(2n) b^(nz) 2^(z−1) Γ(z/2)/Γ(1 − z/2) κ^(−z) dz on Re z = 1; on Re z = −1, past the pole at
/// z = 0, the same integral is F − 1, which keeps its relative precision for small κ. The trapezoid rule of step h sums
/// F(κ e^(2πj/h)) e^(2πj/h) over all j: with 2π/h = 48 all but j = 0 are below 1e-13 for n ≤ 12.
package struct SersicTransform: Sendable {
  /// The step of the trapezoid rule along the imaginary axis.
  static let step = 2 * Double.pi / 48

  /// The largest number of nodes: those of the smallest n.
  static let largestCount = 640

  /// The Sérsic index.
  let n: Double

  /// The mean of z² under the profile, which gives dF/ds = −z²/4 at s = 0.
  private let squaredRadius: Double

  /// The derivative of `squaredRadius` with respect to n.
  private let squaredRadiusSlope: Double

  /// Groups of eight for Re z = 1: cosine and sine weights of F, −(z/2) F, dF/dn, −(z/2) dF/dn.
  private let outer: [Double]

  /// The same for Re z = −1.
  private let inner: [Double]

  /// Computes the weights of an index in 0.2...12.
  package init(n: Double) {
    let constant = HalfLightConstant(n: n)
    self.n = n
    // <z²> = Γ(4n) / (Γ(2n) b^(2n)).
    squaredRadius = exp(lgamma(4 * n) - constant.logGamma - 2 * n * log(constant.b))
    let digamma4 = ComplexGamma.logGammaAndDigamma(Complex(4 * n, 0)).digamma.re
    squaredRadiusSlope =
      squaredRadius
      * (4 * digamma4 - 2 * constant.digamma - 2 * log(constant.b) - 2 * n * constant.slope
        / constant.b)
    outer = Self.weights(constant, abscissa: 1)
    inner = Self.weights(constant, abscissa: -1)
  }

  /// Returns the weights on one contour, as many as matter.
  private static func weights(_ constant: HalfLightConstant, abscissa: Double) -> [Double] {
    let n = constant.n
    var weights: [Double] = []
    weights.reserveCapacity(8 * largestCount)
    var largest = 0.0
    for k in 0..<largestCount {
      let z = Complex(abscissa, step * Double(k))
      let rest = Complex(2 - z.re, -z.im)
      let gamma = ComplexGamma.logGammaAndDigamma(rest.scaled(n))
      let upper = ComplexGamma.logGammaAndDigamma(z.scaled(0.5)).logGamma
      let lower = ComplexGamma.logGammaAndDigamma(Complex(1 - z.re / 2, -z.im / 2)).logGamma
      let logB = log(constant.b)
      let exponent = Complex(
        gamma.logGamma.re - constant.logGamma + n * z.re * logB + (z.re - 1) * M_LN2 + upper.re
          - lower.re,
        gamma.logGamma.im + (n * logB + M_LN2) * z.im + upper.im - lower.im)
      let modulus = exp(exponent.re) * step / .pi * (k == 0 ? 0.5 : 1)
      let w = Complex(modulus * cos(exponent.im), modulus * sin(exponent.im))
      let byLog = Complex(logB + n * constant.slope / constant.b, 0).times(z)
      let byIndex = rest.times(gamma.digamma).plus(byLog).plus(Complex(-2 * constant.digamma, 0))
      let half = z.scaled(-0.5)
      let terms = [
        w, w.times(half), w.times(byIndex), w.times(byIndex).times(half),
      ]
      // Re(w e^(−i k angle)) = Re w cos + Im w sin.
      weights += terms.map(\.re) + terms.map(\.im)
      largest = max(largest, modulus)
      if modulus * (1 + step * Double(k)) < 1e-16 * largest { break }
    }
    return weights
  }

  /// The cosines and sines of k · step · ln κ, k = 0 … largestCount − 1.
  struct Phases {
    /// The cosines.
    var cosines: [Double]
    /// The sines.
    var sines: [Double]
    /// The argument s = κ².
    let s: Double

    /// Computes the phases for s > 0.
    init(s: Double) {
      self.s = s
      let angle = SersicTransform.step * 0.5 * log(s)
      cosines = [1]
      sines = [0]
      cosines.reserveCapacity(SersicTransform.largestCount)
      sines.reserveCapacity(SersicTransform.largestCount)
      let c1 = cos(angle)
      let s1 = sin(angle)
      for k in 1..<SersicTransform.largestCount {
        // By halves, so that rounding grows with log k only.
        if k == 1 {
          cosines.append(c1)
          sines.append(s1)
        } else {
          let a = k / 2
          let b = k - a
          cosines.append(cosines[a] * cosines[b] - sines[a] * sines[b])
          sines.append(sines[a] * cosines[b] + cosines[a] * sines[b])
        }
      }
    }
  }

  /// The transform and its derivatives.
  package struct Values {
    /// F.
    package var value: Double
    /// dF/ds.
    package var slope: Double
    /// dF/dn.
    package var byIndex: Double
    /// d²F/ds dn.
    package var slopeByIndex: Double
  }

  /// Returns the values at s = 0.
  var valuesAtZero: Values {
    Values(
      value: 1, slope: -squaredRadius / 4, byIndex: 0, slopeByIndex: -squaredRadiusSlope / 4)
  }

  /// Returns the values at the s of the phases.
  func values(_ phases: Phases) -> Values {
    let isOuter = phases.s >= 1
    let weights = isOuter ? outer : inner
    var sums = (0.0, 0.0, 0.0, 0.0)
    phases.cosines.withUnsafeBufferPointer { cosines in
      phases.sines.withUnsafeBufferPointer { sines in
        weights.withUnsafeBufferPointer { weights in
          withUnsafeMutableBytes(of: &sums) { sums in
            sersic_mellin_sums(
              weights.count / 8, weights.baseAddress, cosines.baseAddress, sines.baseAddress,
              sums.baseAddress?.assumingMemoryBound(to: Double.self))
          }
        }
      }
    }
    let scale = isOuter ? 1 / phases.s.squareRoot() : phases.s.squareRoot()
    return Values(
      value: (isOuter ? 0 : 1) + scale * sums.0, slope: scale * sums.1 / phases.s,
      byIndex: scale * sums.2, slopeByIndex: scale * sums.3 / phases.s)
  }

  /// Returns the values at s ≥ 0.
  package func values(at s: Double) -> Values { s > 0 ? values(Phases(s: s)) : valuesAtZero }
}

/// A complex number.
struct Complex {
  /// The real part.
  var re: Double
  /// The imaginary part.
  var im: Double

  /// Creates a number from its parts.
  init(_ re: Double, _ im: Double) {
    self.re = re
    self.im = im
  }

  /// Returns the product with a real number.
  func scaled(_ factor: Double) -> Complex { Complex(factor * re, factor * im) }

  /// Returns the product.
  func times(_ other: Complex) -> Complex {
    Complex(re * other.re - im * other.im, re * other.im + im * other.re)
  }

  /// Returns the sum.
  func plus(_ other: Complex) -> Complex { Complex(re + other.re, im + other.im) }

  /// Returns 1 / self.
  var inverse: Complex {
    let norm = re * re + im * im
    return Complex(re / norm, -im / norm)
  }

  /// Returns the principal logarithm.
  var logarithm: Complex { Complex(0.5 * log(re * re + im * im), atan2(im, re)) }
}

/// The gamma function of complex argument.
enum ComplexGamma {
  /// Returns ln Γ(z), up to a multiple of 2πi, and ψ(z), to some 1e-14.
  ///
  /// Stirling's series (DLMF 5.11.1, 5.11.2) after recurrence to |z| ≥ 12, where the eighth term is 1e-17.
  static func logGammaAndDigamma(_ z: Complex) -> (logGamma: Complex, digamma: Complex) {
    var z = z
    var product = Complex(1, 0)
    var sum = Complex(0, 0)
    while z.re < 12 && z.re * z.re + z.im * z.im < 144 || z.re < 0 {
      product = product.times(z)
      sum = sum.plus(z.inverse)
      z.re += 1
    }
    let logZ = z.logarithm
    let r = z.inverse
    let r2 = r.times(r)
    // B_2k / (2k (2k − 1)) and B_2k / 2k, k = 1 … 8.
    let bernoulli: [Double] = [
      1 / 6.0, -1 / 30.0, 1 / 42.0, -1 / 30.0, 5 / 66.0, -691 / 2730.0, 7 / 6.0, -3617 / 510.0,
    ]
    var power = r
    var powerSquare = r2
    var tail = Complex(0, 0)
    var digammaTail = Complex(0, 0)
    for (i, b) in bernoulli.enumerated() {
      let twoK = Double(2 * (i + 1))
      tail = tail.plus(power.scaled(b / (twoK * (twoK - 1))))
      digammaTail = digammaTail.plus(powerSquare.scaled(b / twoK))
      power = power.times(r2)
      powerSquare = powerSquare.times(r2)
    }
    let main = Complex(z.re - 0.5, z.im).times(logZ)
    let logProduct = product.logarithm
    let logGamma = Complex(
      main.re - z.re + 0.5 * log(2 * .pi) + tail.re - logProduct.re,
      main.im - z.im + tail.im - logProduct.im)
    let digamma = Complex(
      logZ.re - 0.5 * r.re - digammaTail.re - sum.re,
      logZ.im - 0.5 * r.im - digammaTail.im - sum.im)
    return (logGamma, digamma)
  }
}
