// SPDX-License-Identifier: MIT
//
// The C library's elementary functions of Doubles, under names that tensor functions do not hide.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Returns the natural logarithm.
func logarithm(_ x: Double) -> Double { log(x) }

/// Returns eˣ.
func exponential(_ x: Double) -> Double { exp(x) }

/// ½ log 2π, the constant of the normal density.
let halfLogTwoPi = 0.9189385332046727
