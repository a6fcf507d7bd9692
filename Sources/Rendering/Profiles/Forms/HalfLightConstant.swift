// SPDX-License-Identifier: MIT
//
// The constants of a Sérsic profile: b with P(2n, b) = 1/2, its derivative, and gamma functions of 2n.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The constants of the profile exp(−b z^(1/n)): exact, with the derivatives that rendering needs.
///
/// ### Source
///
/// b solves P(2n, b) = 1/2 (Ciotti & Bertin 1999, eq. 5), here by Newton's method on the power series of P
/// (DLMF 8.11.4), which has only positive terms; db/dn by implicit differentiation of the same series.
struct HalfLightConstant: Sendable {
  /// The Sérsic index.
  let n: Double

  /// The solution b of P(2n, b) = 1/2.
  let b: Double

  /// The derivative of b with respect to n.
  let slope: Double

  /// ln Γ(2n).
  let logGamma: Double

  /// ψ(2n), the derivative of ln Γ at 2n.
  let digamma: Double

  /// Computes the constants for a Sérsic index, accurate to about 1e-15 for 0.1 ≤ n ≤ 20.
  init(n: Double) {
    let a = 2 * n
    self.n = n
    logGamma = Numerics.logGamma(a)
    digamma = Numerics.digamma(a)
    // The Wilson–Hilferty median of a gamma variable as the start.
    let cube = 1 - 1 / (9 * a)
    var x = max(a * cube * cube * cube, 0.1 * a)
    var series = HalfLightConstant.series(a, x)
    for _ in 0..<60 {
      // P = x^a e^(−x) S / Γ(a + 1), dP/dx = P a / (x S).
      let p = exp(a * log(x) - x - logGamma) / a * series.sum
      let density = p * a / (x * series.sum)
      let next = max(x - (p - 0.5) / density, 0.1 * x)
      let done = abs(next - x) <= 2e-16 * x
      x = next
      series = HalfLightConstant.series(a, x)
      if done { break }
    }
    b = x
    // d ln P/da = ln x − ψ(a + 1) + S_a/S and d ln P/dx = a/(x S), at P constant.
    let byOrder = log(x) - (digamma + 1 / a) + series.slope / series.sum
    slope = -2 * byOrder * x * series.sum / a
  }

  /// Returns S = Σ x^k / ((a + 1)…(a + k)) and its derivative with respect to a.
  private static func series(_ a: Double, _ x: Double) -> (sum: Double, slope: Double) {
    var term = 1.0
    var sum = 1.0
    var logSlope = 0.0
    var slope = 0.0
    var k = 1.0
    while term > 1e-18 * sum {
      term *= x / (a + k)
      logSlope -= 1 / (a + k)
      sum += term
      slope += term * logSlope
      k += 1
    }
    return (sum, slope)
  }
}
