// SPDX-License-Identifier: MIT
//
// The densities of a pixel: normalisation, variance, extremes, what is refused.

import Foundation
import Numerics
import Rendering
import Testing

@Suite("Density of a pixel") struct PixelDensityTests {
  /// Densities with their variances, where they exist.
  static let cases: [(PixelDensity, outliers: Double, variance: Double?)] = [
    (.gaussian, 0, 1),
    (.studentT(dof: 5), 0, 1),
    (.studentT(dof: 3, scale: 2), 0, 12),
    (.studentT(dof: 1, scale: 1), 0, nil),
    // K₂(δ²)/K₁(δ²), by mpmath.besselk.
    (.pseudoHuber(delta: 3), 0, 1.1708453260224479),
    (.pseudoHuber(delta: 0.5), 0, 8.4113947347332533),
    (.pseudoHuber(delta: 1000), 0, 1.0000015),
    // 1 − f + f c².
    (.mixture(outlierScale: 5), 0.05, 2.2),
    (.mixture(outlierScale: 20), 0.2, 80.8),
  ]

  @Test("each density integrates to one, and has the variance that is claimed", arguments: 0..<9)
  func normalized(_ index: Int) {
    let (density, outliers, variance) = Self.cases[index]
    // The double-exponential substitution r = sinh(π/2 sinh t) makes the trapezoid rule exact to rounding for smooth
    // densities with tails of powers and of exponentials alike.
    var (mass, second) = (0.0, 0.0)
    let step = 1.0 / 256
    for k in -1500...1500 {
      let t = Double(k) * step
      let inner = Double.pi / 2 * sinh(t)
      guard abs(inner) < 300 else { continue }
      let r = sinh(inner)
      let jacobian = cosh(inner) * Double.pi / 2 * cosh(t)
      let p = exp(density.logDensity(r, outliers: outliers)) * jacobian * step
      mass += p
      second += p * r * r
    }
    #expect(abs(mass - 1) < 1e-10, "\(density): \(mass)")
    if let variance {
      // The tails of Student's t with dof 3 fall as r⁻², so that the second moment converges slowest.
      #expect(abs(second / variance - 1) < 1e-7, "\(density): \(second)")
    }
  }

  @Test("drawn residuals of the pseudo-Huber density have its moments")
  func draws() {
    for delta in [0.5, 3] {
      let density = PixelDensity.pseudoHuber(delta: delta)
      let count = 40_000
      let values = (0..<count).map { density.hyperbolicResidual(RandomKey(3).folding(in: $0)) }
      let mean = values.reduce(0, +) / Double(count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(count)
      let expected = delta == 3 ? 1.1708453260224479 : 8.4113947347332533
      // Five standard errors; the kurtosis is below 6, so that of the variance is √(5/N) of it.
      #expect(abs(mean) < 5 * (expected / Double(count)).squareRoot())
      #expect(abs(variance / expected - 1) < 5 * (5 / Double(count)).squareRoot())
    }
  }

  @Test("enormous residuals do not overflow; a model that is not finite lies outside the support")
  func extremes() throws {
    let count = 100
    let data = [Double](repeating: 0, count: count)
    let rms = [Double](repeating: 1e-3, count: count)
    for freedom in [nil, NoiseFreedom.fraction, .systematic] {
      let loss = try ScaledImageLikelihood(
        .studentT(dof: 4), freedom: freedom, width: count, height: 1, data: data, rms: rms)
      let parameters = freedom == nil ? [] : [0.5]
      let model = [Double](repeating: 1e140, count: count)
      let (value, gradient) = evaluate(loss, model, parameters)
      let expected = loss.pixelLogLikelihood(of: model, parameters).reduce(0, +)
      // Rounding of a hundred terms; the product of the factors alone would be 1e28600.
      #expect(abs(value - expected) < 1e-13 * abs(expected))
      #expect(gradient.allSatisfy { $0.isFinite })
    }
    for density in [
      PixelDensity.gaussian, .studentT(dof: 4), .pseudoHuber(delta: 3), .mixture(outlierScale: 5),
    ] {
      let loss = try ScaledImageLikelihood(
        density, width: count, height: 1, data: data, rms: rms)
      let parameters = density.hasOutliers ? [0.01] : []
      for wrong in [Double.nan, .infinity, -.infinity, 1e200] {
        var model = data
        model[37] = wrong
        #expect(
          evaluate(loss, model, parameters).value == -.infinity, "\(density) \(wrong)")
        if wrong.isNaN {
          #expect(loss.pixelLogLikelihood(of: model, parameters)[37] == -.infinity)
        }
      }
      // Thousands of rms away nothing is lost: the log density falls as the formula says.
      var model = data
      model[37] = 5
      let far = evaluate(loss, model, parameters)
      let expected = loss.pixelLogLikelihood(of: model, parameters).reduce(0, +)
      #expect(abs(far.value - expected) < 1e-12 * abs(expected), "\(density)")
      #expect(far.gradient[37] < 0)
    }
  }

  @Test("a mixture without outliers is Gaussian, and its share may be anything from none to all")
  func shares() throws {
    let data = PixelTestSupport.numbers(50)
    let rms = [Double](repeating: 0.1, count: 50)
    let model = [Double](repeating: 0, count: 50)
    /// Returns the value for a density.
    func value(_ density: PixelDensity, _ parameters: [Double], rms factor: Double = 1) throws
      -> Double
    {
      let loss = try ScaledImageLikelihood(
        density, width: 50, height: 1, data: data, rms: rms.map { factor * $0 })
      return evaluate(loss, model, parameters).value
    }
    let gaussian = try value(.gaussian, [])
    #expect(try value(.mixture(outlierScale: 5), [0]) == gaussian)
    let wide = try value(.gaussian, [], rms: 5)
    let all = try value(.mixture(outlierScale: 5), [1])
    // One formula in another order: rounding of 50 terms.
    #expect(abs(all - wide) < 1e-12 * abs(wide))
    #expect(try value(.mixture(outlierScale: 5), [-0.01]) == -.infinity)
    #expect(try value(.mixture(outlierScale: 5), [1.01]) == -.infinity)
    #expect(try value(.mixture(outlierScale: 5), [.nan]) == -.infinity)
    let fraction = try ScaledImageLikelihood(
      freedom: .fraction, width: 50, height: 1, data: data, rms: rms)
    #expect(evaluate(fraction, model, [-1]).value == -.infinity)
    // The first derivative by the share of outliers where there are none, against a forward difference.
    let mixture = try ScaledImageLikelihood(
      .mixture(outlierScale: 5), width: 50, height: 1, data: data.map { 0.2 * $0 }, rms: rms)
    let slope = evaluate(mixture, model, [0]).gradient[50]
    let step = 1e-7
    let difference =
      (evaluate(mixture, model, [step]).value - evaluate(mixture, model, [0]).value) / step
    #expect(abs(slope - difference) < 1e-4 * abs(slope))
  }

  @Test("Student-t has the variance of the rms by default, and needs a scale up to dof 2")
  func scales() throws {
    #expect(PixelDensity.studentT(dof: 5).scale == (3.0 / 5).squareRoot())
    #expect(PixelDensity.studentT(dof: 1, scale: 1).scale == 1)
    for density in [
      PixelDensity.studentT(dof: 2), .studentT(dof: 0, scale: 1), .studentT(dof: -1, scale: 1),
      .studentT(dof: .nan, scale: 1), .studentT(dof: 5, scale: 0),
      .studentT(dof: 5, scale: .nan), .pseudoHuber(delta: 0), .pseudoHuber(delta: .nan),
      .pseudoHuber(delta: .infinity), .mixture(outlierScale: 1), .mixture(outlierScale: .nan),
    ] {
      #expect(throws: RenderingError.self, "\(density)") { try density.validate() }
      #expect(throws: RenderingError.self, "\(density)") {
        try ScaledImageLikelihood(density, width: 1, height: 1, data: [0], rms: [1])
      }
    }
  }

  @Test("bad pixels that are not masked are refused, and so is an image of bad pixels only")
  func refusals() throws {
    func make(_ data: [Double], _ rms: [Double], _ mask: [Bool]? = nil) throws {
      _ = try ScaledImageLikelihood(width: 2, height: 1, data: data, rms: rms, mask: mask)
    }
    try make([1, .nan], [1, 1], [false, true])
    for (data, rms) in [
      ([1, .nan], [1, 1]), ([1, 2], [1, 0]), ([1, 2], [-1, 1]), ([1, 2], [1, .infinity]),
      ([1, 2], [1, 1e-160]),
    ] {
      #expect(throws: RenderingError.self) { try make(data, rms) }
    }
    #expect(throws: RenderingError.self) { try make([1, 2], [1, 1], [true, true]) }
  }

  @Test(
    "counts must not be negative, but for rounding; models may be, and have a finite likelihood")
  func counts() throws {
    func make(_ data: [Double], gain: Double = 1, sky: Double = 0, mask: [Bool]? = nil) throws
      -> PoissonImageLikelihood
    {
      try PoissonImageLikelihood(
        gain: gain, sky: sky, width: data.count, height: 1, data: data, mask: mask)
    }
    #expect(throws: RenderingError.self) { try make([3, -0.5]) }
    _ = try make([3, -0.5], mask: [false, true])
    _ = try make([3, -0.5], sky: 0.5)
    // 1000 − 1000 in single precision.
    _ = try make([3, -1000.00006], sky: 1000)
    for (gain, sky) in [(0.0, 0.0), (-1, 0), (.nan, 0), (.infinity, 0), (1, .nan)] {
      #expect(throws: RenderingError.self) { try make([3], gain: gain, sky: sky) }
    }
    let likelihood = try make([3, 0, 7])
    let high = evaluate(likelihood, [-0.5, -100, 7], [])
    #expect(high.value.isFinite && high.gradient[0] > 0)
    let expected = likelihood.pixelLogLikelihood(of: [-0.5, -100, 7]).reduce(0, +)
    #expect(abs(high.value - expected) < 1e-12 * abs(expected))
    // The curve joins at the floor, value and slope.
    let floor = PoissonImageLikelihood.floor
    let below = evaluate(likelihood, [floor * (1 - 1e-9), 1, 7], [])
    let above = evaluate(likelihood, [floor * (1 + 1e-9), 1, 7], [])
    // 3 counts at a mean of 1e-3: the slope is 3000, its own change 3e6 over a step of 2e-12.
    #expect(abs(below.value - above.value) < 1e-7)
    #expect(abs(below.gradient[0] / above.gradient[0] - 1) < 1e-7)
  }
}
