// SPDX-License-Identifier: MIT
//
// Image likelihoods: values and derivatives against mpmath and SciPy, curvature against differences, masks, outliers.

import Foundation
import Numerics
import Rendering
import Tensors
import TestSupport
import Testing

/// The golden file of image likelihoods.
struct GoldenLikelihoods: Decodable, Sendable {
  /// A loss and its values.
  struct Loss: Decodable, Sendable, CustomTestStringConvertible {
    /// The density.
    let kind: String
    /// The numbers of the density.
    let option: [Double]
    /// What is free in the scale.
    let freedom: String?
    /// The values of the parameters of the noise.
    let parameters: [Double]
    /// The log likelihood.
    let total: Double
    /// The log likelihood of each pixel, 0 where masked.
    let pixels: [Double]
    /// The derivative by each pixel of the model.
    let gradient: [Double]
    /// The derivatives by the parameters.
    let parameterGradient: [Double]

    /// The density.
    var density: PixelDensity {
      switch kind {
      case "student": .studentT(dof: option[0], scale: option[1])
      case "huber": .pseudoHuber(delta: option[0])
      case "mixture": .mixture(outlierScale: option[0])
      default: .gaussian
      }
    }

    var testDescription: String { "\(kind) \(option) \(freedom ?? "")" }
  }
  /// A Poisson loss and its values.
  struct Counts: Decodable, Sendable {
    let gain, sky, total: Double
    let data, model, pixels, gradient: [Double]
  }
  let width, height: Int
  let model, rms, data: [Double]
  let mask: [Bool]
  let losses: [Loss]
  let counts: Counts

  /// The file beside the tests.
  static let file = try? PixelTestSupport.golden("image_likelihoods", as: GoldenLikelihoods.self)

  /// All losses whose scale is the rms; empty where the file cannot be read, which a test notices.
  static let all = file?.losses ?? []

  /// Returns the likelihood of a loss, with garbage in the masked pixels.
  func likelihood(_ loss: Loss) throws -> ScaledImageLikelihood {
    try ScaledImageLikelihood(
      loss.density, freedom: loss.freedom.flatMap { NoiseFreedom(rawValue: $0) }, width: width,
      height: height, data: zip(data, mask).map { $1 ? .nan : $0 },
      rms: zip(rms, mask).map { $1 ? -.infinity : $0 }, mask: mask)
  }

  /// The Poisson likelihood, with garbage in the masked pixels.
  func poisson() throws -> PoissonImageLikelihood {
    try PoissonImageLikelihood(
      gain: counts.gain, sky: counts.sky, width: width, height: height,
      data: zip(counts.data, mask).map { $1 ? .nan : $0 }, mask: mask)
  }
}

/// Returns value and gradient of a likelihood at a model and parameters: all inputs in one vector.
func evaluate(_ likelihood: any ImageLikelihood, _ model: [Double], _ parameters: [Double])
  -> (value: Double, gradient: [Double])
{
  let evaluator = function(likelihood, model.count, parameters.count).makeEvaluator()
  var gradient = [Double](repeating: .nan, count: model.count + parameters.count)
  let value = (model + parameters).withUnsafeBufferPointer { x in
    gradient.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: x, into: $0) }
  }
  return (value, gradient)
}

/// Returns a likelihood as a function of one vector: the model's pixels, then the parameters.
func function(_ likelihood: any ImageLikelihood, _ pixels: Int, _ parameters: Int)
  -> CompiledFunction
{
  CompiledFunction(at: [.ones([pixels + parameters]) * 0.1]) { inputs in
    let image = inputs[0][0..<pixels].reshaped(shape(likelihood, pixels))
    return [likelihood.apply([image] + (0..<parameters).map { inputs[0][pixels + $0] })]
  }
}

/// Returns the shape of a likelihood's image: that of the golden file, or one row.
private func shape(_ likelihood: any ImageLikelihood, _ pixels: Int) -> Shape {
  guard let golden = GoldenLikelihoods.file, pixels == golden.model.count else {
    return [1, pixels]
  }
  return [golden.height, golden.width]
}

@Suite("Image likelihood") struct ImageLikelihoodTests {
  @Test("there are golden numbers for every density, with each freedom")
  func coverage() {
    let found = Set(GoldenLikelihoods.all.map { "\($0.kind) \($0.freedom ?? "none")" })
    for kind in ["gaussian", "student", "huber", "mixture"] {
      for freedom in ["none", "fraction", "systematic"] {
        #expect(found.contains("\(kind) \(freedom)"))
      }
    }
  }

  @Test(
    "values and first derivatives agree with mpmath, whatever masked pixels hold",
    arguments: GoldenLikelihoods.all)
  func golden(_ loss: GoldenLikelihoods.Loss) throws {
    let golden = try #require(GoldenLikelihoods.file)
    let likelihood = try golden.likelihood(loss)
    let (value, gradient) = evaluate(likelihood, golden.model, loss.parameters)
    // Rounding of 35 terms, the largest some 1e4 times the others.
    #expect(abs(value - loss.total) < 1e-12 * abs(loss.total))
    let pixels = likelihood.pixelLogLikelihood(of: golden.model, loss.parameters)
    #expect(PixelTestSupport.relativeError(pixels, loss.pixels) < 1e-12)
    #expect(likelihood.goodPixelCount == golden.mask.count { !$0 })
    let count = golden.model.count
    for i in 0..<count {
      // Each derivative by itself: 1e-12 of it, since none is a difference of large terms.
      #expect(abs(gradient[i] - loss.gradient[i]) <= 1e-12 * abs(loss.gradient[i]), "pixel \(i)")
    }
    let largest = PixelTestSupport.largest(loss.parameterGradient)
    for (found, expected) in zip(gradient[count...], loss.parameterGradient) {
      #expect(abs(found - expected) < 1e-12 * max(largest, 35))
    }
  }

  @Test("the Poisson likelihood agrees with mpmath, for no counts, few and many")
  func counts() throws {
    let golden = try #require(GoldenLikelihoods.file)
    let likelihood = try golden.poisson()
    let expected = golden.counts
    let (value, gradient) = evaluate(likelihood, expected.model, [])
    // Terms of up to N ln N = 2e6 cancel to some −10 in the constant part of 35 pixels.
    #expect(abs(value - expected.total) < 1e-8)
    let pixels = likelihood.pixelLogLikelihood(of: expected.model)
    #expect(zip(pixels, expected.pixels).allSatisfy { abs($0 - $1) < 1e-8 })
    for i in gradient.indices {
      // gain (N/μ − 1), where N and μ come from differences of numbers of order 1 and sums with a sky of 4.
      let rounding = 1e-13 * (1 + expected.gain / abs(expected.model[i] + expected.sky))
      #expect(
        abs(gradient[i] - expected.gradient[i])
          < 1e-10 * abs(expected.gradient[i]) + rounding, "pixel \(i)")
    }
    let residuals = likelihood.standardizedResiduals(of: expected.model)
    // Means within 2 % of the true ones: residuals of order 1 and, for the brightest, 0.02 √2e5 = 9.
    #expect(residuals.allSatisfy { abs($0) < 15 })
  }

  @Test(
    "gradient, tangent and second derivatives by all inputs agree with differences",
    arguments: GoldenLikelihoods.all)
  func derivatives(_ loss: GoldenLikelihoods.Loss) throws {
    let golden = try #require(GoldenLikelihoods.file)
    let likelihood = try golden.likelihood(loss)
    let image = Tensor(golden.model, shape: [golden.height, golden.width])
    // Differences step over a thousandth of each pixel: too far for a core as narrow as a fifth of the rms.
    let tolerance = loss.kind == "huber" && loss.option[0] < 1 ? 1e-5 : 1e-7
    checkGradient(
      loss.testDescription, at: [image] + loss.parameters.map { Tensor($0) },
      tolerance: tolerance
    ) { likelihood.apply($0) }
  }

  @Test(
    "the second derivatives of the Poisson likelihood agree with differences, below its floor too")
  func countsDerivatives() throws {
    let golden = try #require(GoldenLikelihoods.file)
    let likelihood = try golden.poisson()
    let (gain, sky) = (golden.counts.gain, golden.counts.sky)
    let pixels = golden.model.count
    let evaluator = function(likelihood, pixels, 0).makeEvaluator()
    let ones = [Double](repeating: 1, count: pixels)
    for isBelow in [false, true] {
      let model = golden.counts.model.enumerated().map { k, value in
        isBelow ? (PoissonImageLikelihood.floor - 0.1 * Double(k)) / gain - sky - 1e-5 : value
      }
      // Each pixel by itself, all at once: steps of a thousandth of what its mean is made of.
      let steps = model.map {
        1e-3 * max(abs(gain * ($0 + sky)), PoissonImageLikelihood.floor) / gain
      }
      /// Returns the derivatives at a number of steps.
      func gradient(_ count: Double) -> [Double] {
        evaluate(likelihood, zip(model, steps).map { $0 + count * $1 }, []).gradient
      }
      let (near, far) = (
        zip(gradient(1), gradient(-1)).map { $0 - $1 },
        zip(gradient(2), gradient(-2)).map { $0 - $1 }
      )
      var product = [Double](repeating: .nan, count: pixels)
      model.withUnsafeBufferPointer { model in
        ones.withUnsafeBufferPointer { ones in
          product.withUnsafeMutableBufferPointer {
            _ = evaluator.hessianVectorProduct(at: model, ones, into: $0)
          }
        }
      }
      for k in 0..<pixels {
        let expected = (8 * near[k] - far[k]) / (12 * steps[k])
        // Truncation 1e-12 of the fourth derivative; rounding of a gradient near zero over a thousandth: 1e-9.
        #expect(abs(product[k] - expected) <= 1e-7 * abs(expected) + 1e-9, "pixel \(k)")
      }
    }
  }

  @Test(
    "the stand-in for Gauss–Newton steps is negative semi-definite, and reweights the pixels",
    arguments: GoldenLikelihoods.all)
  func standIn(_ loss: GoldenLikelihoods.Loss) throws {
    let golden = try #require(GoldenLikelihoods.file)
    let likelihood = try golden.likelihood(loss)
    let (pixels, scalars) = (golden.model.count, loss.parameters.count)
    let evaluator = function(likelihood, pixels, scalars).makeEvaluator()
    let x = golden.model + loss.parameters
    let gradient = evaluate(likelihood, golden.model, loss.parameters).gradient
    var matrix: [[Double]] = []
    for k in pixels..<(pixels + scalars) {
      matrix.append(product(evaluator, x, unit(k, x.count)))
      #expect(matrix.last?[..<pixels].allSatisfy { $0 == 0 } == true, "mixed terms")
    }
    let parameters = matrix.map { Array($0[pixels...]) }
    if scalars > 0 { #expect(parameters[0][0] < 0) }
    if scalars == 2 {
      let determinant =
        parameters[0][0] * parameters[1][1] - parameters[0][1] * parameters[1][0]
      #expect(parameters[1][1] < 0 && determinant > 0 && parameters[0][1] == parameters[1][0])
    }
    let ones = [Double](repeating: 1, count: pixels) + [Double](repeating: 0, count: scalars)
    let weights = product(evaluator, x, ones)
    for i in 0..<pixels {
      // −ρ′/r/s²: the gradient over the residual; both are products of the same factors.
      let expected =
        golden.mask[i] ? 0 : -gradient[i] / (golden.data[i] - golden.model[i])
      #expect(abs(weights[i] - expected) <= 1e-12 * abs(expected))
    }
  }

  /// Returns a vector with a 1 in one place.
  private func unit(_ place: Int, _ count: Int) -> [Double] {
    (0..<count).map { $0 == place ? 1 : 0 }
  }

  /// Returns the product of the stand-in for the second derivatives with a direction.
  private func product(_ evaluator: FunctionEvaluator, _ x: [Double], _ direction: [Double])
    -> [Double]
  {
    var result = [Double](repeating: .nan, count: x.count)
    x.withUnsafeBufferPointer { x in
      direction.withUnsafeBufferPointer { direction in
        result.withUnsafeMutableBufferPointer {
          _ = evaluator.hessianVectorProduct(at: x, direction, into: $0, curvature: .gaussNewton)
        }
      }
    }
    return result
  }

  @Test("masked pixels have no derivative", arguments: GoldenLikelihoods.all)
  func masked(_ loss: GoldenLikelihoods.Loss) throws {
    let golden = try #require(GoldenLikelihoods.file)
    let gradient = evaluate(
      try golden.likelihood(loss), golden.model, loss.parameters
    ).gradient
    for i in golden.mask.indices { #expect((gradient[i] == 0) == golden.mask[i]) }
  }

  @Test("every length of image gives the sum of its pixels", arguments: GoldenLikelihoods.all)
  func lengths(_ loss: GoldenLikelihoods.Loss) throws {
    // Around the kernels' blocks of 16.
    for count in [1, 15, 16, 17, 31, 33, 64] {
      let likelihood = try ScaledImageLikelihood(
        loss.density, freedom: loss.freedom.flatMap { NoiseFreedom(rawValue: $0) },
        width: count, height: 1, data: PixelTestSupport.numbers(count),
        rms: [Double](repeating: 0.3, count: count))
      let model = PixelTestSupport.numbers(count, seed: 3).map { 40 * $0 }
      let value = evaluate(likelihood, model, loss.parameters).value
      let expected = likelihood.pixelLogLikelihood(of: model, loss.parameters).reduce(0, +)
      // Rounding of up to 64 terms.
      #expect(abs(value - expected) < 1e-13 * abs(expected))
    }
  }
}
