// SPDX-License-Identifier: MIT
//
// Tests of the special functions of one number against mpmath, and of their inverses.

import Foundation
import Numerics
import TestSupport
import Testing

@Suite("Special functions") struct SpecialFunctionsTests {
  /// The golden numbers.
  let golden: GoldenFile

  /// Reads the golden numbers.
  init() throws { golden = try GoldenFile("special_functions", in: .module) }

  @Test("log(1 - e^-x) keeps its digits at both ends")
  func log1mexpEnds() {
    // log(1 - e^-x) = log x - x/2 + … near 0 and -e^-x far out: both to first order exact in double precision here.
    #expect(ulps(log1mexp(1e-20), Foundation.log(1e-20)) <= 1)
    #expect(ulps(log1mexp(50), -Foundation.exp(-50)) <= 1)
    #expect(log1mexp(.infinity) == 0)
    // -log 2 at log 2, where both forms meet; one rounding each.
    #expect(ulps(log1mexp(Foundation.log(2)), -Foundation.log(2)) <= 2)
  }

  @Test("sums of exponentials neither overflow nor lose the small term")
  func sums() {
    #expect(logAddExp(1000, 1000) == 1000 + Foundation.log(2))
    #expect(logAddExp(-.infinity, -3) == -3)
    #expect(logAddExp(-.infinity, -.infinity) == -.infinity)
    #expect(logAddExp(0, -50) == Foundation.exp(-50))
    #expect(logSumExp([]) == -.infinity)
    #expect(logSumExp([-.infinity, 2]) == 2)
    #expect(logSumExp([710, 710, 710, 710]) == 710 + Foundation.log(4))
    #expect(logSumExp([.nan, 1]).isNaN)
  }

  @Test("Stirling's error is relatively exact from 10 on, and absolutely below")
  func stirling() {
    for row in golden.rows("stirlingError") {
      // Below 10 log-gamma's terms, up to 13, cancel.
      let tolerance = row[0] >= 10 ? 4 * row[1].ulp : 6e-15
      #expect(abs(stirlingError(row[0]) - row[1]) <= tolerance, "at \(row[0])")
    }
  }

  @Test("a gamma quantile's derivative by the shape keeps its digits in both tails")
  func gammaShapeDerivative() throws {
    let file = try GoldenFile("gamma_shape_derivative", in: .module)
    for row in file.rows("logGammaQuantileShapeDerivative") {
      let value = logGammaQuantileShapeDerivative(row[0], logX: row[1])
      // log x − ψ(a) is good to some ulps of log x, and is of order a^−½ itself; the rest is a few roundings.
      let tolerance = 1e-14 * (1 + abs(row[1]) * row[0].squareRoot())
      #expect(abs(value - row[2]) <= tolerance * row[2], "at \(row[0]), \(row[1]): \(value)")
    }
    #expect(logGammaQuantileShapeDerivative(0, logX: 1).isNaN)
    #expect(logGammaQuantileShapeDerivative(2, logX: .nan).isNaN)
  }

  @Test("log-beta does not cancel where one argument is large")
  func beta() {
    for row in golden.rows("logBeta") {
      // A few roundings of terms that are at most ten times the result, or 20 in size.
      let tolerance = 1e-14 * max(2, abs(row[2]))
      #expect(abs(logBeta(row[0], row[1]) - row[2]) <= tolerance, "at \(row[0]), \(row[1])")
    }
  }

  @Test("the modified Bessel function's logarithm is good to 1e-15 on both sides of the switch")
  func bessel() {
    for row in golden.rows("besselRatio") {
      // Two series of positive terms (alternating ones beyond 30), each good to a few roundings.
      #expect(abs(besselRatio(row[0]) - row[1]) <= 4e-15 * row[1], "ratio at \(row[0])")
    }
    for row in golden.rows("logBesselI0") {
      #expect(abs(logBesselI0(row[0]) - row[1]) <= 4e-15 * abs(row[1]), "at \(row[0])")
    }
  }

  @Test("P and Q are good to 5e-15 up to a = 100, the smaller one relatively")
  func incompleteGamma() {
    for row in golden.rows("regularizedGamma") {
      let both = RegularizedGamma(row[0], row[1])
      // Up to a = 100 a product of exact factors; beyond, the exponent is a difference of terms of a few a.
      // The upper tail of small x is 1 - P, so its absolute error is what is bounded.
      let relative = row[0] <= 100 ? 5e-15 : 4e-16 * row[0]
      let low = both.lower - row[2]
      let high = both.upper - row[3]
      #expect(abs(low) <= relative * row[2] + (row[2] > 0.5 ? 2e-16 : 0), "P(\(row[0]), \(row[1]))")
      let seriesUsed = row[1] < row[0] + 1
      #expect(abs(high) <= relative * row[3] + (seriesUsed ? 1e-15 : 0), "Q(\(row[0]), \(row[1]))")
    }
    #expect(regularizedGammaP(2, 0) == 0 && regularizedGammaP(2, .infinity) == 1)
    #expect(regularizedGammaP(-1, 2).isNaN && regularizedGammaP(2, -1).isNaN)
  }

  @Test("the gamma quantile is good to 1e-14 at the median, where b_n is read, and 1e-13 elsewhere")
  func inverseIncompleteGamma() {
    for row in golden.rows("inverseRegularizedGammaP") {
      let value = inverseRegularizedGammaP(row[0], row[1])
      // P is good to some 3e-15; the quantile's error is that over d log P / d log x, small only for upper tails.
      let tolerance = row[1] == 0.5 && row[0] <= 20 ? 1e-14 : 1e-13
      #expect(abs(value - row[2]) <= tolerance * row[2], "a \(row[0]), p \(row[1])")
    }
    #expect(inverseRegularizedGammaP(3, 0) == 0)
    #expect(inverseRegularizedGammaP(3, 1) == .infinity)
    #expect(inverseRegularizedGammaP(3, 1.5).isNaN)
  }

  @Test("quantiles of the far tails invert their distribution functions")
  func tails() {
    for a in [0.05, 0.6, 3, 40.0] {
      for p in [1e-200, 1e-30, 1e-6] {
        let low = inverseRegularizedGammaP(a, p)
        // Where the quantile itself underflows there is nothing to invert.
        if low > 1e-290 {
          #expect(abs(regularizedGammaP(a, low) / p - 1) < 1e-12, "P, a \(a), p \(p)")
        }
        let high = inverseRegularizedGammaQ(a, p)
        // Relative error of Q is that of x times x: up to some 600 here.
        #expect(abs(regularizedGammaQ(a, high) / p - 1) < 1e-12, "Q, a \(a), p \(p)")
      }
    }
    for logP in [-1e6, -5000, -700, -3.0] {
      let x = normalQuantile(logProbability: logP)
      // log Φ is about -x²/2: twice the relative error of x.
      #expect(abs(normalLogCDF(x) / logP - 1) < 1e-14)
    }
  }

  @Test("quantiles of large shapes are those of SciPy")
  func largeShapes() {
    // scipy.stats.beta.ppf and scipy.special.gammaincinv of SciPy 1.17.
    let beta: [(Double, Double, Double, Double)] = [
      (2001, 2001, 0.1586553, 0.49209628309855247), (201, 3801, 0.1586553, 0.04677486490128214),
      (201, 3801, 0.8413447, 0.05367494675545149), (501, 9501, 0.8413447, 0.05227045426789935),
      // Shapes that differ, by mpmath.
      (1.5, 1e9, 0.84, 2.5832746540979179e-9), (2, 1e12, 0.99, 6.6383520679684592e-12),
      (0.5, 1e9, 0.3, 7.4235930932076221e-11),
    ]
    for (a, b, p, expected) in beta {
      #expect(abs(inverseRegularizedBeta(a, b, p) / expected - 1) < 1e-13, "\(a), \(b), \(p)")
    }
    #expect(inverseRegularizedBeta(1e300, 1e300, 0.3).isNaN)
    // Student's t of many degrees of freedom, by mpmath.
    let student = [
      (1e4, 0.00135322409499883314), (1e8, 0.00134989836401874719),
      (1e12, 0.00134989803166333339), (1e14, 0.00134989803163042692),
    ]
    for (nu, expected) in student {
      #expect(abs(studentTCDF(-3, dof: nu) / expected - 1) < 1e-13, "\(nu)")
    }
    // P(a, a + k √a) by mpmath; the expansion for large shapes.
    for (a, k, expected) in [
      (1e8, -3.0, 0.00134871644916155059), (1e12, -3, 0.00134988621339203788),
      (1e12, 2, 0.977249814060881275), (1e10, -20, 2.68115516438764332e-89),
    ] {
      let value = regularizedGammaP(a, a + k * a.squareRoot())
      // A rounding of x is 1e-16 √a k of the tail.
      #expect(abs(value / expected - 1) < 1e-12 + 1e-15 * abs(k) * a.squareRoot(), "\(a), \(k)")
    }
    #expect(abs(regularizedGammaP(1e20, 1e20) - 0.5) < 1e-9)
    for a in [9.9e6, 1.01e7] {
      // The series and the expansion on both sides of the change: equal to the third order of Cornish and Fisher.
      let z = -2.0
      let x = a + z * a.squareRoot() + (z * z - 1) / 3 + (z * z * z - 7 * z) / (36 * a.squareRoot())
      #expect(abs(regularizedGammaP(a, x) / 0.0227501319481792072 - 1) < 1e-9)
    }
    let gamma: [(Double, Double, Double)] = [
      (2001, 1e-300, 765.9148465955124), (2001, 1e-30, 1530.7408208722716),
      (2001, 0.8413447, 2045.7288076550344), (1e5, 1e-300, 88737.3279114217),
      (1e5, 0.1586553, 99683.77282118291),
      // SciPy has lost seven digits here: Cornish and Fisher's a + z √a + (z² − 1) / 3 + (z³ − 7 z) / (36 √a), z = −11.4640247.
      (1e8, 1e-30, 99_885_403.223774),
    ]
    for (a, p, expected) in gamma {
      #expect(abs(inverseRegularizedGammaP(a, p) / expected - 1) < 5e-12, "\(a), \(p)")
    }
  }

  @Test("the gamma density is the derivative of P")
  func gammaDerivative() {
    for (a, x) in [(0.5, 0.3), (2, 1.7), (20, 18), (300, 310)] as [(Double, Double)] {
      let h = 1e-5 * x
      let numeric = (regularizedGammaP(a, x + h) - regularizedGammaP(a, x - h)) / (2 * h)
      // Third-order term (1e-5 √a)² / 6 and rounding 1e-16 / 1e-5: below 1e-8.
      #expect(abs(regularizedGammaPDerivative(a, x) / numeric - 1) < 1e-8)
    }
    #expect(regularizedGammaPDerivative(1, 0) == 1)
    #expect(regularizedGammaPDerivative(2, -1) == 0)
  }

  @Test("the incomplete beta function is good to 1e-13, the smaller tail relatively")
  func incompleteBeta() {
    for row in golden.rows("regularizedBeta") {
      let both = RegularizedBeta(row[0], row[1], row[2], complement: 1 - row[2])
      // 1 - x is rounded once, which b multiplies; the larger tail is a difference from 1.
      #expect(abs(both.lower - row[3]) <= 1e-13 * row[3], "I(\(row))")
      #expect(abs(both.upper - row[4]) <= 1e-13 * row[4] + 2e-16, "complement of I(\(row))")
    }
    #expect(regularizedBeta(2, 3, 0) == 0 && regularizedBeta(2, 3, 1) == 1)
    #expect(regularizedBeta(2, 3, -0.1).isNaN)
  }

  @Test("the beta quantile inverts the distribution function")
  func inverseIncompleteBeta() {
    let shapes: [(Double, Double)] = [
      (0.5, 0.5), (0.1, 3), (2, 3), (40, 0.5), (300, 200), (2001, 2001), (201, 3801), (9e4, 1e4),
      (1e6, 3e7), (5e8, 5e8),
    ]
    for (a, b) in shapes {
      for p in [1e-300, 1e-30, 1e-5, 0.1586553, 0.5, 0.8413447, 0.99999] {
        let (x, y) = inverseRegularizedBeta(a, b, p, complement: 1 - p)
        let both = RegularizedBeta(a, b, x, complement: y)
        // As good as the distribution function itself: a rounding of x counts as often as the logit's derivative is large.
        if x > 1e-290 && y > 1e-290 {
          let condition = 1 + (a + b).squareRoot() * max(1, (-Foundation.log(p)).squareRoot())
          #expect(
            abs(both.lower - p) <= 2e-15 * (100 + condition) * p,
            "a \(a), b \(b), p \(p): \(both.lower)")
        }
      }
    }
  }

  @Test("Student's t distribution function is right, and its quantile inverts it")
  func student() {
    for row in golden.rows("studentTCDF") {
      let value = studentTCDF(row[0], dof: row[1])
      #expect(abs(value - row[2]) <= 1e-13 * row[2], "t \(row[0]), dof \(row[1])")
    }
    for nu in [0.5, 1, 5, 300.0] {
      for p in [1e-20, 0.01, 0.4999, 0.7, 0.999] {
        #expect(abs(studentTCDF(studentTQuantile(p, dof: nu), dof: nu) / p - 1) < 1e-12)
      }
      #expect(studentTQuantile(0.5, dof: nu) == 0)
    }
    // The Cauchy quantile tan π(p - ½), at p - ½ = 1e-9; its relative slope there is 1.
    let p = 0.5 + 1e-9
    let tangent = Foundation.tan(.pi * (p - 0.5))
    #expect(abs(studentTQuantile(p, dof: 1) / tangent - 1) < 1e-13)
  }
}
