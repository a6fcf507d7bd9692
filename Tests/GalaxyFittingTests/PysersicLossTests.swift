// SPDX-License-Identifier: MIT
//
// What pysersic gets wrong in its losses: each is a test that we do not.

import Distributions
import GalaxyFitting
import GalaxyModels
import Numerics
import Rendering
import Tensors
import Testing

@Suite("Losses of pysersic, mended")
struct PysersicLossTests {
  /// Returns the log density of one pixel of rms 2 at a residual, under a loss.
  private func logDensity(
    _ loss: ImageLoss, residual: Double, parameters: [Double] = []
  ) throws -> Double {
    let image = try ObservedImage(
      width: 2, height: 1, science: [residual, 0], rms: [2, 2], mask: [false, true])
    return try PixelNoise(
      image, model: Tensor([0, 0], shape: [1, 2]), loss: loss,
      parameters: parameters.map { Tensor($0) }
    ).logProbability(of: Tensor(image.science, shape: [1, 2])).item()
  }

  @Test("Student-t has the variance rms² (pysersic: √((ν − 2)/2) in place of √((ν − 2)/ν))")
  func studentScale() throws {
    for dof in [3.0, 5, 30] {
      let expected = StudentT(dof, 0, 2 * ((dof - 2) / dof).squareRoot())
      for residual in [0, 1.5, -20] {
        let found = try logDensity(.studentT(dof: dof), residual: residual)
        // One formula in two places: rounding.
        #expect(abs(found - expected.logProbability(of: Tensor(residual)).item()) < 1e-12)
      }
    }
  }

  @Test("the degrees of freedom are those that are asked for (pysersic: always 5)")
  func degreesOfFreedom() throws {
    let values = try [3.0, 5, 9].map { try logDensity(.studentT(dof: $0, scale: 1), residual: 12) }
    // Tails at six rms: the fewer degrees of freedom, the higher.
    #expect(values[0] > values[1] + 0.1 && values[1] > values[2] + 0.1)
  }

  @Test(
    "the core of the pseudo-Huber density has the width of the rms for every δ (pysersic: no δ²)")
  func huberCore() throws {
    for delta in [1.0, 3, 10] {
      let top = try logDensity(.pseudoHuber(delta: delta), residual: 0)
      let step = 0.02
      let near = try logDensity(.pseudoHuber(delta: delta), residual: step)
      // −r²/2 at r = step/2, but for r⁴/(8 δ²): 1.3e-9 at most.
      #expect(abs(near - top + step * step / 8) < 2e-9, "δ \(delta)")
    }
  }

  @Test("noise besides the rms is in units of the good pixels' rms (pysersic: masked ones count)")
  func systematicUnit() throws {
    let rms = [1.0, 2, 3, 1e30, 5e7]
    let mask = [false, false, false, true, true]
    let image = try ObservedImage(
      width: 5, height: 1, science: [0, 1, 2, .nan, 0], rms: rms, mask: mask)
    #expect(image.medianRMS == 2)
    let parameter = ImageLoss.gaussian(free: .systematic).parameters(for: image)[0]
    #expect(parameter.derived?.factor == 2 && parameter.derived?.site == "sys_scatter")
    let same = try ObservedImage(width: 3, height: 1, science: [0, 1, 2], rms: [1, 2, 3])
    let values = try [image, same].map { image in
      try PixelNoise(
        image, model: Tensor.zeros([1, image.width]), loss: .gaussian(free: .systematic),
        parameters: [Tensor(0.7)]
      ).logProbability(of: Tensor(image.science, shape: [1, image.width])).item()
    }
    #expect(values[0] == values[1])
  }

  @Test(
    "outliers keep their width, whatever is free in the noise (pysersic: not with a systematic)")
  func outliers() throws {
    // All pixels outliers, f = 1: the density of an outlier alone.
    for free in NoiseFreedom.allCases {
      let found = try logDensity(
        .mixture(outlierScale: 4, free: free), residual: 3, parameters: [1.5, 1])
      let expected = Normal(0, 4 * 2).logProbability(of: Tensor(3)).item()
      // One formula in two places: rounding.
      #expect(abs(found - expected) < 1e-12)
    }
  }

  @Test("a few far outliers do not widen the noise of all pixels", arguments: NoiseFreedom.allCases)
  func farOutliers(_ free: NoiseFreedom) throws {
    // 10⁴ pixels of noise, one in a hundred a cosmic ray at 300 times the rms.
    let key = RandomKey(8)
    let science = (0..<10_000).map { key.normal(UInt64($0)) + ($0 % 100 == 0 ? 300.0 : 0) }
    let image = try ObservedImage(
      width: 100, height: 100, science: science, rms: science.map { _ in 1 })
    let model = Tensor.zeros([100, 100])
    let values = try [0.0, 0.2, 0.5].map { extra in
      try PixelNoise(
        image, model: model, loss: .mixture(free: free),
        parameters: [Tensor(extra), Tensor(0.01)]
      ).logProbability(of: Tensor(science, shape: [100, 100])).item()
    }
    // 9900 pixels at the rms prefer it to 1.1 and 1.2 times it by some tens and hundreds of e-folds.
    #expect(values[0] > values[1] + 2 && values[1] > values[2] + 10)
  }

  @Test("drawn images have the mean and the scatter of their loss, and follow its density")
  func draws() throws {
    let (width, height) = (120, 100)
    let count = width * height
    let rms = (0..<count).map { $0 % 2 == 0 ? 1.0 : 3.0 }
    let image = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 10 }, rms: rms)
    let model = Tensor(rms.map { _ in 10 }, shape: [height, width])
    let cases: [(ImageLoss, [Double], variance: Double)] = [
      (.gaussian, [], 1), (.gaussian(free: .fraction), [0.5], 2.25),
      (.studentT(dof: 9), [], 1), (.pseudoHuber(delta: 3), [], 1.1708453260224479),
      (.mixture(outlierScale: 3), [0.1], 1.8),
    ]
    for (loss, parameters, variance) in cases {
      let noise = try PixelNoise(
        image, model: model, loss: loss, parameters: parameters.map { Tensor($0) })
      let drawn = noise.sample(key: 4, sampleShape: [])
      let r = zip(drawn.elements, rms).map { ($0 - 10) / $1 }
      let mean = r.reduce(0, +) / Double(count)
      let square = r.reduce(0) { $0 + $1 * $1 } / Double(count)
      // Five standard errors; the kurtosis of the widest is 5.
      #expect(abs(mean) < 5 * (variance / Double(count)).squareRoot(), "\(loss)")
      #expect(abs(square / variance - 1) < 5 * (5 / Double(count)).squareRoot(), "\(loss)")
      // Data that a program computes have the same density as data that are given.
      let given = noise.logProbability(of: drawn).item()
      let computed = CompiledFunction(at: [drawn]) { [noise.logProbability(of: $0[0])] }
      let value = drawn.elements.withUnsafeBufferPointer {
        computed.makeEvaluator().scalarValue(at: $0)
      }
      // Rounding of 12000 terms of order 1.
      #expect(abs(value - given) < 1e-9 * abs(given), "\(loss)")
    }
    let counts = try PixelNoise(image, model: model, loss: .poisson(gain: 2, sky: 5))
    let drawn = counts.sample(key: 4, sampleShape: []).elements
    #expect(drawn.allSatisfy { abs((2 * ($0 + 5)).rounded() - 2 * ($0 + 5)) < 1e-9 })
    let mean = drawn.reduce(0, +) / Double(count)
    let variance = drawn.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    // 30 counts each: mean 10 ± 0.025, variance 30/4.
    #expect(abs(mean - 10) < 0.13 && abs(variance / 7.5 - 1) < 0.07)
    let computed = CompiledFunction(at: [Tensor(drawn, shape: [height, width])]) {
      [counts.logProbability(of: $0[0])]
    }
    let value = drawn.withUnsafeBufferPointer { computed.makeEvaluator().scalarValue(at: $0) }
    let given = counts.logProbability(of: Tensor(drawn, shape: [height, width])).item()
    #expect(abs(value - given) < 1e-9 * abs(given))
    #expect(counts.logProbability(of: Tensor.ones([height, width]) * -6).item() == -.infinity)
  }
}
