// SPDX-License-Identifier: MIT
//
// The few functions of the C library that plots need, under names that cannot be confused with methods.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Returns the cosine.
func cosine(_ x: Double) -> Double { cos(x) }

/// Returns the sine.
func sine(_ x: Double) -> Double { sin(x) }

/// Returns x to the power y.
func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }

/// Returns the exponential.
func exponential(_ x: Double) -> Double { exp(x) }

/// Returns the decimal logarithm.
func decimalLogarithm(_ x: Double) -> Double { log10(x) }

/// Returns the inverse hyperbolic sine.
func inverseSinh(_ x: Double) -> Double { asinh(x) }

/// Returns the hyperbolic sine.
func hyperbolicSine(_ x: Double) -> Double { sinh(x) }
