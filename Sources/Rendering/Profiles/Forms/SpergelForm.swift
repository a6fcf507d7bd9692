// SPDX-License-Identifier: MIT
//
// The radial form of Spergel profiles (Spergel 2010, ApJS 191, 58), in closed form.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The function M_m(x) = 2 (x/2)^m K_m(x) / Γ(m), 1 at 0 and falling: Spergel's outer light, and Moffat's transform.
struct BesselDecay {
  /// M.
  let value: Double
  /// dM/dx.
  let slope: Double
  /// dM/dm.
  let byOrder: Double

  /// Computes the function at an order > 0, given ln Γ and ψ of it, and x > 0.
  init(order: Double, logGamma: Double, digamma: Double, x: Double) {
    var x = x
    var products = (0.0, 0.0, 0.0, 0.0)
    withUnsafeMutableBytes(of: &products) {
      sersic_bessel_products(
        1, &x, order, order, logGamma - M_LN2, $0.assumingMemoryBound(to: Double.self).baseAddress)
    }
    value = products.0
    // d(x^m K_m)/dx = −x^m K_(m−1) (DLMF 10.29.4).
    slope = -products.1
    byOrder = products.0 * (log(0.5 * x) - digamma) + products.2
  }
}

/// Memory for the arguments of Bessel functions, block by block.
final class BesselArguments {
  /// The largest number of arguments in a block.
  private static let size = 128

  /// The arguments of a block.
  private let buffer = FFTBuffer(count: BesselArguments.size)

  /// Calls `body` with memory for the arguments, and the indices, of every block.
  @inline(__always)
  func forEachBlock(_ count: Int, _ body: (UnsafeMutablePointer<Double>, Range<Int>) -> Void) {
    var start = 0
    while start < count {
      let end = min(start + Self.size, count)
      body(buffer.pointer, start..<end)
      start = end
    }
  }
}

/// A Spergel profile: ρ = c²/2π · (x/2)^ν K_ν(x) / Γ(ν + 1), x = c z; F = (1 + s/c²)^(−1−ν); outer light M_(ν+1)(x).
///
/// c is where M_(ν+1) = 1/2.
package final class SpergelForm: RadialForm {
  /// The indices that are allowed: from next to a point with a halo to next to a Gaussian.
  static let indices = -0.9...10.0

  package let shapeCount = 1

  /// The index.
  private var nu = Double.nan

  /// The radius of half of the light in units of the scale radius.
  private(set) var c = 1.0

  /// The derivative of c by the index.
  private(set) var cSlope = 0.0

  /// ln Γ(ν + 1).
  private var logGamma = 0.0

  /// ψ(ν + 1).
  private var digamma = 0.0

  /// Memory for arguments of Bessel functions.
  private let products = BesselArguments()

  /// Creates a form without an index.
  init() {}

  package func update(_ shape: UnsafePointer<Double>) -> Bool {
    guard Self.indices.contains(shape[0]) else { return false }
    guard nu != shape[0] else { return true }
    nu = shape[0]
    logGamma = Numerics.logGamma(nu + 1)
    digamma = Numerics.digamma(nu + 1)
    // Newton's method in ln x, from the fit that pysersic uses; M falls monotonically from 1 to 0.
    var logX = log(max(0.809 + 0.187 * nu + 1.139 * log(1.479 + nu), 1e-3))
    var decay = outer(exp(logX))
    for _ in 0..<60 {
      let step = (decay.value - 0.5) / (exp(logX) * decay.slope)
      logX -= min(max(step, -1), 1)
      decay = outer(exp(logX))
      if abs(step) < 1e-15 { break }
    }
    c = exp(logX)
    cSlope = -decay.byOrder / decay.slope
    return true
  }

  /// Returns M at x = c z, where c is not needed.
  private func outer(_ x: Double) -> BesselDecay {
    BesselDecay(order: nu + 1, logGamma: logGamma, digamma: digamma, x: x)
  }

  package func transform(
    at s: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let a = 1 / (c * c)
    let aSlope = -2 * cSlope / c
    let power = 1 + nu
    for i in 0..<count {
      let x = a * s[i]
      let logBase = log1p(x)
      // d ln(1 + x)/dν = share · d ln a/dν.
      let share = x / (1 + x)
      let value = exp(-power * logBase)
      let slope = -power * a * value / (1 + x)
      out[4 * i] = value
      out[4 * i + 1] = slope
      out[4 * i + 2] = -value * (logBase + power * share * aSlope)
      out[4 * i + 3] =
        slope * (1 / power + aSlope - logBase - (power + 1) * share * aSlope)
    }
  }

  package func density(
    at u: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    products.forEachBlock(count) { x, range in
      for i in range { x[i - range.lowerBound] = c * u[i].squareRoot() }
      let out = out + 4 * range.lowerBound
      sersic_bessel_products(range.count, x, nu, nu, logGamma, out)
      for i in 0..<range.count { setDensity(out + 4 * i, x[i]) }
    }
  }

  /// Turns the products of Bessel functions at x into the density and its derivatives.
  private func setDensity(_ group: UnsafeMutablePointer<Double>, _ x: Double) {
    let unit = c * c / (2 * .pi)
    let unitSlope = 2 * cSlope / c
    let z = x / c
    let logX = log(0.5 * x) - digamma
    let f = group[0]
    let fx = -group[1]
    // (x^ν K_(ν−1))′ = (2ν − 1) x^(ν−1) K_(ν−1) − x^ν K_ν.
    let fxx = -(group[1] * (2 * nu - 1) / x - group[0])
    let fNu = f * logX + group[2]
    let fxNu = fx * logX - group[3]
    group[0] = unit * f
    group[1] = unit * c * fx / (2 * z)
    group[2] = unit * (unitSlope * f + fNu + fx * cSlope * z)
    group[3] = unit * c * (1.5 * unitSlope * fx + fxNu + fxx * cSlope * z) / (2 * z)
  }

  package func logDensity(_ u: Double) -> (value: Double, slope: Double) {
    let z = u.squareRoot()
    var x = c * z
    let unit = log(c * c / (2 * .pi))
    // Far out K_ν falls below the smallest number: √(π/2x) e^(−x) to 1e-3.
    guard x < 600 else {
      let value = unit + nu * log(0.5 * x) - logGamma - x + 0.5 * log(.pi / (2 * x))
      return (value, -0.5 * c / z)
    }
    var products = (0.0, 0.0, 0.0, 0.0)
    withUnsafeMutableBytes(of: &products) {
      sersic_bessel_products(
        1, &x, nu, nu, logGamma, $0.assumingMemoryBound(to: Double.self).baseAddress)
    }
    return (unit + log(products.0), -0.5 * c * products.1 / (products.0 * z))
  }

  package func outside(_ z: Double) -> (share: Double, byLogZ: Double) {
    let decay = outer(c * z)
    return (decay.value, c * z * decay.slope)
  }

  package func outsideSlope(_ z: Double, shape k: Int) -> Double {
    let decay = outer(c * z)
    return decay.byOrder + decay.slope * cSlope * z
  }
}
