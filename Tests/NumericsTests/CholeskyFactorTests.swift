// SPDX-License-Identifier: MIT
//
// Cholesky factors and eigenvectors of matrices small (plain loops) and large (LAPACK): one law for all sizes.

import Numerics
import Testing

@Suite("Factors of symmetric matrices")
struct CholeskyFactorTests {
  /// Orders on both sides of the switch from loops to LAPACK.
  static let orders = [1, 2, 3, 8, 19, 20, 21, 22, 40, 130]

  /// Returns A = B Bᵀ + n, of condition number below 10, with noise above the diagonal that must not matter.
  static func matrix(_ n: Int) -> [Double] {
    let b = RandomKey(4).folding(in: n).normals(n * n)
    var a = [Double](repeating: 0, count: n * n)
    for r in 0..<n {
      for c in 0..<n {
        var total = r == c ? Double(n) : 0
        for k in 0..<n { total += b[r * n + k] * b[c * n + k] }
        a[r * n + c] = total
      }
    }
    return a
  }

  /// Returns A x.
  static func product(_ a: [Double], _ x: [Double]) -> [Double] {
    let n = x.count
    return (0..<n).map { r in (0..<n).reduce(0) { $0 + a[r * n + $1] * x[$1] } }
  }

  /// Returns the largest difference.
  static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  @Test("factor, solves, inverse, length and determinant agree with the matrix", arguments: orders)
  func laws(n: Int) throws {
    let a = Self.matrix(n)
    var noisy = a
    for r in 0..<n { for c in (r + 1)..<max(n, r + 1) { noisy[r * n + c] = .nan } }
    let factor = try #require(CholeskyFactor(noisy, n))
    // Sums of n products of numbers of order √n: n^1.5 roundings of 1e-16.
    let tolerance = 1e-15 * Double(n) * Double(n).squareRoot() + 1e-14
    for r in 0..<n {
      for c in 0..<n {
        if c > r { #expect(factor.lower[r * n + c] == 0) }
        let total = (0..<n).reduce(0) {
          $0 + factor.lower[r * n + $1] * factor.lower[c * n + $1]
        }
        #expect(abs(total - a[r * n + c]) < 10 * tolerance * Double(n))
      }
    }
    let x = RandomKey(9).normals(n)
    let b = Self.product(a, x)
    #expect(Self.distance(factor.solve(b), x) < 100 * tolerance)
    let (down, up) = (factor.solveLower(b), factor.solveTransposed(b))
    for r in 0..<n {
      let lower = (0...r).reduce(0) { $0 + factor.lower[r * n + $1] * down[$1] }
      let upper = (r..<n).reduce(0) { $0 + factor.lower[$1 * n + r] * up[$1] }
      #expect(abs(lower - b[r]) < 100 * tolerance * Double(n))
      #expect(abs(upper - b[r]) < 100 * tolerance * Double(n))
    }
    let rows = factor.solveTransposed(rows: b + x)
    #expect(Self.distance(Array(rows[..<n]), up) < 100 * tolerance)
    #expect(Self.distance(Array(rows[n...]), factor.solveTransposed(x)) < 100 * tolerance)
    let length = zip(x, b).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(factor.squaredLength(x) / length - 1) < 100 * tolerance)
    let unit = Self.product(factor.inverse, b)
    #expect(Self.distance(unit, x) < 100 * tolerance)
    // The determinant is the product of the eigenvalues.
    let spectrum = try #require(SymmetricEigen(a, n))
    #expect(spectrum.values == spectrum.values.sorted() && spectrum.values[0] > 0)
    let logs = spectrum.values.reduce(0) { $0 + logGammaRatio($1) }
    #expect(abs(factor.logDeterminant - logs) < 1e-12 * Double(n) * max(1, abs(logs)))
    #expect(Self.distance(spectrum.vector(spectrum.coordinates(of: x)), x) < 100 * tolerance)
    let image = spectrum.vector(zip(spectrum.values, spectrum.coordinates(of: x)).map { $0 * $1 })
    #expect(Self.distance(image, b) < 100 * tolerance * Double(n))
  }

  @Test("what is not positive definite, or not finite, has no factor", arguments: orders)
  func refusals(n: Int) {
    let a = Self.matrix(n)
    for place in Set([0, n / 2, n - 1]) {
      var bad = a
      bad[place * n + place] = -1
      #expect(CholeskyFactor(bad, n) == nil)
      bad[place * n + place] = .nan
      #expect(CholeskyFactor(bad, n) == nil && SymmetricEigen(bad, n) == nil)
      bad[place * n + place] = .infinity
      #expect(CholeskyFactor(bad, n) == nil && SymmetricEigen(bad, n) == nil)
      bad = a
      bad[place * n] = .nan
      #expect(CholeskyFactor(bad, n) == nil)
    }
    #expect(CholeskyFactor([1, 2, 2, 1], 2) == nil)
  }
}

/// Returns log x as the difference of two log gammas: log Γ(x + 1) − log Γ(x).
private func logGammaRatio(_ x: Double) -> Double { logGamma(x + 1) - logGamma(x) }
