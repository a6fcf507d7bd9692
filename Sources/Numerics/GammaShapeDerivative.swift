// SPDX-License-Identifier: MIT
//
// How a gamma quantile moves with the shape: the implicit derivative that makes gamma draws differentiable.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Returns the derivative of the logarithm of a gamma quantile by the shape, at a fixed probability.
///
/// With P(a, x) fixed, dx/da = −(∂P/∂a) / (∂P/∂x). Both sides of P = D S, where D = x^a e^−x / Γ(a) is ∂P/∂(log x), give
/// d(log x)/da = −[(log x − ψ(a)) S + ∂S/∂a]: the density, which may underflow, has cancelled. Above the mean the same
/// holds for Q = D C with the opposite sign.
///
/// ### Source
///
/// Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients", eq. 5; S is the series DLMF 8.7.1 for x < a + 1,
/// C the continued fraction 8.9.2 otherwise, each differentiated term by term.
///
/// - Parameters:
///   - a: The shape, positive.
///   - logX: The logarithm of the quantile, which may be so low that the quantile itself underflows.
/// - Returns: d(log x)/da, positive; NaN for an impossible shape.
/// - Complexity: O(√a) operations where x is near a.
package func logGammaQuantileShapeDerivative(_ a: Double, logX: Double) -> Double {
  guard a > 0, a < .infinity, !logX.isNaN else { return .nan }
  let x = exp(logX)
  if x < a + 1 {
    // With the first term, 1/a, taken out: −ψ(a) and the 1/a of its derivative, which cancel for small a, are −ψ(a + 1).
    var term = 1.0
    var sum = 1.0
    var reciprocals = 0.0
    var change = 0.0
    var n = a
    while true {
      n += 1
      term *= x / n
      reciprocals += 1 / n
      sum += term
      change += term * reciprocals
      // The rest of either sum is below its last term times x / (n − x), and x / n falls from below 1.
      if term < 1e-17 * sum && term * reciprocals <= 1e-17 * change { break }
    }
    return (change - (logX - digamma(a + 1)) * sum) / a
  }
  // Each quantity of Lentz's method with its derivative by a; those of b and of the i-th numerator are −1 and i.
  var b = x + 1 - a
  var (c, dc) = (1e300, 0.0)
  var d = 1 / b
  var dd = d * d
  var (h, dh) = (d, dd)
  var i = 0.0
  while i < 1e6 {
    i += 1
    let numerator = -i * (i - a)
    b += 2
    let next = 1 / (numerator * d + b)
    dd = -next * next * (i * d + numerator * dd - 1)
    d = next
    dc = -1 + (i - numerator * dc / c) / c
    c = b + numerator / c
    let (factor, change) = (c * d, dc * d + c * dd)
    dh = dh * factor + h * change
    h *= factor
    if abs(factor - 1) < 2e-16 && abs(h * change) <= 2e-16 * abs(dh) { break }
  }
  return (logX - digamma(a)) * h + dh
}
