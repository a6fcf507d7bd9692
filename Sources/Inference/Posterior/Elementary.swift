// SPDX-License-Identifier: MIT
//
// The C library's elementary functions of Doubles, under names that tensor functions do not hide.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Returns the cosine.
func cosine(_ x: Double) -> Double { cos(x) }

/// Returns the sine.
func sine(_ x: Double) -> Double { sin(x) }

/// Returns the angle of the point (x, y).
func angleOf(_ y: Double, _ x: Double) -> Double { atan2(y, x) }

/// Returns the natural logarithm.
func logarithm(_ x: Double) -> Double { log(x) }

/// Returns eˣ.
func exponential(_ x: Double) -> Double { exp(x) }

/// Returns log(1 + x), exact near zero.
func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }

/// Returns eˣ − 1, exact near zero.
func exponentialMinusOne(_ x: Double) -> Double { expm1(x) }

/// Returns x to the power y.
func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
