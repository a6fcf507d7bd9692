// SPDX-License-Identifier: MIT
//
// Elementary and special functions over buffers: the Swift face of CKernels' vector math.

internal import CKernels

/// Functions applied to each of `count` doubles; the output may be an argument's own memory.
///
/// Errors and speeds are stated with the C functions, in `vector_math.h`.
package enum VectorMath {
  /// The memory of an argument.
  package typealias Source = UnsafePointer<Double>

  /// The memory of a result.
  package typealias Target = UnsafeMutablePointer<Double>

  /// Writes e^x of each element.
  package static func exp(_ x: Source, into out: Target, count: Int) {
    ss_exp(x, out, count)
  }

  /// Writes e^x - 1 of each element.
  package static func expm1(_ x: Source, into out: Target, count: Int) {
    ss_expm1(x, out, count)
  }

  /// Writes the natural logarithm of each element.
  package static func log(_ x: Source, into out: Target, count: Int) {
    ss_log(x, out, count)
  }

  /// Writes log(1 + x) of each element.
  package static func log1p(_ x: Source, into out: Target, count: Int) {
    ss_log1p(x, out, count)
  }

  /// Writes the square root of each element.
  package static func sqrt(_ x: Source, into out: Target, count: Int) {
    ss_sqrt(x, out, count)
  }

  /// Writes the hyperbolic tangent of each element.
  package static func tanh(_ x: Source, into out: Target, count: Int) {
    ss_tanh(x, out, count)
  }

  /// Writes 1 / (1 + e^-x) of each element.
  package static func sigmoid(_ x: Source, into out: Target, count: Int) {
    ss_sigmoid(x, out, count)
  }

  /// Writes log(1 + e^x) of each element.
  package static func softplus(_ x: Source, into out: Target, count: Int) {
    ss_softplus(x, out, count)
  }

  /// Writes the sine of each element.
  package static func sin(_ x: Source, into out: Target, count: Int) {
    ss_sin(x, out, count)
  }

  /// Writes the cosine of each element.
  package static func cos(_ x: Source, into out: Target, count: Int) {
    ss_cos(x, out, count)
  }

  /// Writes the error function of each element.
  package static func erf(_ x: Source, into out: Target, count: Int) {
    ss_erf(x, out, count)
  }

  /// Writes 1 - erf(x) of each element.
  package static func erfc(_ x: Source, into out: Target, count: Int) {
    ss_erfc(x, out, count)
  }

  /// Writes e^(x²) erfc(x) of each element.
  package static func erfcx(_ x: Source, into out: Target, count: Int) {
    ss_erfcx(x, out, count)
  }

  /// Writes the standard normal distribution function Φ of each element.
  package static func normalCDF(_ x: Source, into out: Target, count: Int) {
    ss_normal_cdf(x, out, count)
  }

  /// Writes log Φ of each element.
  package static func normalLogCDF(_ x: Source, into out: Target, count: Int) {
    ss_normal_log_cdf(x, out, count)
  }

  /// Writes φ / Φ, the derivative of log Φ of each element.
  package static func normalLogCDFDerivative(_ x: Source, into out: Target, count: Int) {
    ss_normal_log_cdf_derivative(x, out, count)
  }

  /// Writes the standard normal quantile of each element.
  package static func normalQuantile(_ x: Source, into out: Target, count: Int) {
    ss_normal_quantile(x, out, count)
  }

  /// Writes log |Γ| of each element.
  package static func logGamma(_ x: Source, into out: Target, count: Int) {
    ss_lgamma(x, out, count)
  }

  /// Writes ψ, the derivative of log Γ of each element.
  package static func digamma(_ x: Source, into out: Target, count: Int) {
    ss_digamma(x, out, count)
  }

  /// Writes ψ', the derivative of the digamma function of each element.
  package static func trigamma(_ x: Source, into out: Target, count: Int) {
    ss_trigamma(x, out, count)
  }

  /// Writes ψ'', the second derivative of the digamma function of each element.
  package static func tetragamma(_ x: Source, into out: Target, count: Int) {
    ss_tetragamma(x, out, count)
  }

  /// Writes x^y element by element.
  package static func pow(_ x: Source, _ y: Source, into out: Target, count: Int) {
    ss_pow(x, y, out, count)
  }

  /// Writes x^y of each element x.
  package static func pow(_ x: Source, _ y: Double, into out: Target, count: Int) {
    ss_pow_scalar(x, y, out, count)
  }
}
