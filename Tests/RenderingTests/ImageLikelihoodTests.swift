// SPDX-License-Identifier: MIT
//
// Image likelihoods: values against SciPy, derivatives against differences, masks, outliers.

import Foundation
import Rendering
import Tensors
import Testing

/// A primitive's instance with its buffers, for tests without a tape.
final class PrimitiveHarness {
  /// The instance.
  private let instance: any PrimitiveInstance

  /// The numbers of elements of input and output.
  private let count: (input: Int, output: Int)

  /// Creates an instance for one input.
  init(_ primitive: any Primitive, inputShape: Shape) {
    instance = primitive.makeInstance(inputShapes: [inputShape])
    count = (
      inputShape.reduce(1, *), primitive.outputShape([inputShape]).reduce(1, *)
    )
  }

  /// Calls `body` with views of an input.
  private func with<Result>(_ input: [Double], _ body: (PrimitiveInputs) -> Result) -> Result {
    input.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { preconditionFailure("empty input") }
      return withUnsafePointer(to: start) { pointer in
        withUnsafePointer(to: buffer.count) { count in
          body(
            PrimitiveInputs(
              pointers: UnsafeBufferPointer(start: pointer, count: 1),
              counts: UnsafeBufferPointer(start: count, count: 1)))
        }
      }
    }
  }

  /// Calls `body` with a zeroed adjoint of the input and returns what it became.
  private func adjoint(_ body: (PrimitiveAdjoints) -> Void) -> [Double] {
    var values = [Double](repeating: 0, count: count.input)
    values.withUnsafeMutableBufferPointer { buffer in
      withUnsafePointer(to: buffer.baseAddress) { pointer in
        withUnsafePointer(to: buffer.count) { count in
          body(
            PrimitiveAdjoints(
              pointers: UnsafeBufferPointer(start: pointer, count: 1),
              counts: UnsafeBufferPointer(start: count, count: 1)))
        }
      }
    }
    return values
  }

  /// Returns the output.
  func value(_ input: [Double]) -> [Double] {
    var output = [Double](repeating: .nan, count: count.output)
    output.withUnsafeMutableBufferPointer { out in with(input) { instance.forward($0, into: out) } }
    return output
  }

  /// Returns the product of an output adjoint with the derivative.
  func gradient(_ input: [Double], seed: [Double]) -> [Double] {
    let output = value(input)
    return output.withUnsafeBufferPointer { out in
      seed.withUnsafeBufferPointer { seed in
        adjoint { result in
          with(input) { instance.pullback($0, output: out, adjoint: seed, into: result) }
        }
      }
    }
  }

  /// Returns the derivative along a direction, or nil where there is no rule.
  func tangent(_ input: [Double], _ direction: [Double]) -> [Double]? {
    let output = value(input)
    var result = [Double](repeating: .nan, count: count.output)
    let isThere = result.withUnsafeMutableBufferPointer { result in
      output.withUnsafeBufferPointer { out in
        with(input) { inputs in
          with(direction) { instance.tangent(inputs, tangents: $0, output: out, into: result) }
        }
      }
    }
    return isThere ? result : nil
  }

  /// Returns the second-order term along a direction, exact or its stand-in, or nil where there is no rule.
  func curvature(
    _ input: [Double], _ direction: [Double], seed: [Double], standIn: Bool
  ) -> [Double]? {
    let output = value(input)
    var isThere = false
    let result = output.withUnsafeBufferPointer { out in
      seed.withUnsafeBufferPointer { seed in
        adjoint { result in
          isThere = with(input) { inputs in
            with(direction) { tangents in
              standIn
                ? instance.gaussNewtonTangent(
                  inputs, tangents: tangents, output: out, adjoint: seed, into: result)
                : instance.pullbackTangent(
                  inputs, tangents: tangents, output: out, adjoint: seed, into: result)
            }
          }
        }
      }
    }
    return isThere ? result : nil
  }

  /// Returns the Jacobian, `[input][output]`, or nil where there is no rule.
  func jacobian(_ input: [Double]) -> [Double]? {
    let output = value(input)
    var result = [Double](repeating: .nan, count: count.input * count.output)
    let isThere = result.withUnsafeMutableBufferPointer { result in
      output.withUnsafeBufferPointer { out in
        with(input) { instance.jacobian($0, input: 0, output: out, into: result) }
      }
    }
    return isThere ? result : nil
  }
}

@Suite("Image likelihood") struct ImageLikelihoodTests {
  /// The golden file.
  struct Golden: Decodable {
    /// A loss and its values.
    struct Loss: Decodable {
      /// The degrees of freedom; nil for the Gaussian.
      let dof: Double?
      /// The factor of the rms; nil for the Gaussian.
      let scale: Double?
      /// The log likelihood.
      let total: Double
      /// The log likelihood of each pixel, 0 where masked.
      let pixels: [Double]
    }
    /// The number of columns.
    let width: Int
    /// The number of rows.
    let height: Int
    /// The model image.
    let model: [Double]
    /// The standard deviations.
    let rms: [Double]
    /// The data.
    let data: [Double]
    /// True where a pixel is bad.
    let mask: [Bool]
    /// The Gaussian loss.
    let gaussian: Loss
    /// Student-t losses.
    let student: [Loss]

    /// The data with garbage in the masked pixels.
    var spoiltData: [Double] { zip(data, mask).map { $1 ? .nan : $0 } }

    /// The rms with garbage in the masked pixels.
    var spoiltRMS: [Double] { zip(rms, mask).map { $1 ? -.infinity : $0 } }

    /// Returns the likelihood of a loss; without dof the Gaussian.
    func likelihood(_ loss: Loss) throws -> any ImageLikelihood {
      guard let dof = loss.dof else {
        return try GaussianImageLikelihood(
          width: width, height: height, data: spoiltData, rms: spoiltRMS, mask: mask)
      }
      return try StudentTImageLikelihood(
        dof: dof, scale: loss.scale, width: width, height: height, data: spoiltData,
        rms: spoiltRMS, mask: mask)
    }
  }

  @Test("values agree with SciPy, in sum and pixel by pixel, whatever masked pixels hold")
  func values() throws {
    let golden = try PixelTestSupport.golden("image_likelihoods", as: Golden.self)
    for loss in [golden.gaussian] + golden.student {
      let likelihood = try golden.likelihood(loss)
      let harness = PrimitiveHarness(likelihood, inputShape: [golden.height, golden.width])
      let value = harness.value(golden.model)[0]
      // Rounding of 35 terms and of SciPy's own.
      #expect(abs(value - loss.total) < 1e-12 * abs(loss.total))
      let pixels = likelihood.pixelLogLikelihood(of: golden.model)
      #expect(PixelTestSupport.relativeError(pixels, loss.pixels) < 1e-12)
      #expect(likelihood.goodPixelCount == golden.mask.count { !$0 })
      let residuals = likelihood.standardizedResiduals(of: golden.model)
      for i in residuals.indices {
        let scale = loss.scale ?? 1
        let expected =
          golden.mask[i] ? 0 : (golden.data[i] - golden.model[i]) / (scale * golden.rms[i])
        #expect(abs(residuals[i] - expected) <= 1e-14 * abs(expected))
      }
    }
  }

  @Test("first and second derivatives agree with finite differences")
  func derivatives() throws {
    let golden = try PixelTestSupport.golden("image_likelihoods", as: Golden.self)
    for loss in [golden.gaussian] + golden.student {
      let likelihood = try golden.likelihood(loss)
      let harness = PrimitiveHarness(likelihood, inputShape: [golden.height, golden.width])
      let gradient = harness.gradient(golden.model, seed: [2])
      let direction = PixelTestSupport.numbers(golden.model.count)
      func moved(_ step: Double) -> [Double] { zip(golden.model, direction).map { $0 + step * $1 } }
      let step = 1e-4
      // Fourth-order differences in a direction: truncation 1e-16, rounding 1e-16 · 5e4 / 1e-4 at most.
      let first =
        (8 * (harness.value(moved(step))[0] - harness.value(moved(-step))[0])
          - (harness.value(moved(2 * step))[0] - harness.value(moved(-2 * step))[0])) / (12 * step)
      let along = try #require(harness.tangent(golden.model, direction))[0]
      let byGradient = zip(gradient, direction).map { $0 * $1 }.reduce(0, +) / 2
      #expect(abs(along - first) < 1e-6 * max(abs(first), 1))
      #expect(abs(byGradient - along) < 1e-12 * PixelTestSupport.largest(gradient))
      let jacobian = try #require(harness.jacobian(golden.model))
      #expect(PixelTestSupport.relativeError(jacobian.map { 2 * $0 }, gradient) < 1e-14)

      let forward = harness.gradient(moved(step), seed: [2])
      let backward = harness.gradient(moved(-step), seed: [2])
      let forward2 = harness.gradient(moved(2 * step), seed: [2])
      let backward2 = harness.gradient(moved(-2 * step), seed: [2])
      let expected = golden.model.indices.map {
        (8 * (forward[$0] - backward[$0]) - (forward2[$0] - backward2[$0])) / (12 * step)
      }
      let exact = try #require(
        harness.curvature(golden.model, direction, seed: [2], standIn: false))
      // Gradients of 2000 with rounding 1e-16 over a step of 1e-4.
      #expect(PixelTestSupport.relativeError(exact, expected) < 1e-8)

      let standIn = try #require(
        harness.curvature(golden.model, direction, seed: [2], standIn: true))
      let residuals = likelihood.standardizedResiduals(of: golden.model)
      for i in standIn.indices where !golden.mask[i] {
        let sigma = (loss.scale ?? 1) * golden.rms[i]
        let weight =
          loss.dof.map { ($0 + 1) / ($0 + residuals[i] * residuals[i]) } ?? 1
        let expected = -2 * direction[i] * weight / (sigma * sigma)
        // One formula in two orders of operation.
        #expect(abs(standIn[i] - expected) <= 1e-13 * abs(expected))
      }
    }
  }

  @Test("masked pixels have no derivative and no curvature")
  func masked() throws {
    let golden = try PixelTestSupport.golden("image_likelihoods", as: Golden.self)
    for loss in [golden.gaussian] + golden.student {
      let harness = PrimitiveHarness(
        try golden.likelihood(loss), inputShape: [golden.height, golden.width])
      let ones = [Double](repeating: 1, count: golden.model.count)
      let gradient = harness.gradient(golden.model, seed: [1])
      let curvature = try #require(
        harness.curvature(golden.model, ones, seed: [1], standIn: false))
      for i in golden.mask.indices {
        #expect((gradient[i] == 0) == golden.mask[i])
        #expect((curvature[i] == 0) == golden.mask[i])
      }
    }
  }

  @Test("every length of image gives the sum of its pixels")
  func lengths() throws {
    // Around the kernels' blocks of 16.
    for count in [1, 15, 16, 17, 31, 33, 64] {
      let data = PixelTestSupport.numbers(count)
      let model = PixelTestSupport.numbers(count, seed: 3).map { 40 * $0 }
      let rms = [Double](repeating: 0.3, count: count)
      let losses: [any ImageLikelihood] = [
        try GaussianImageLikelihood(width: count, height: 1, data: data, rms: rms),
        try StudentTImageLikelihood(dof: 3, width: count, height: 1, data: data, rms: rms),
      ]
      for loss in losses {
        let value = PrimitiveHarness(loss, inputShape: [1, count]).value(model)[0]
        let expected = loss.pixelLogLikelihood(of: model).reduce(0, +)
        // Rounding of up to 64 terms.
        #expect(abs(value - expected) < 1e-13 * abs(expected))
      }
    }
  }

  @Test("enormous residuals do not overflow; a model that is not finite lies outside the support")
  func extremes() throws {
    let count = 100
    let data = [Double](repeating: 0, count: count)
    let rms = [Double](repeating: 1e-3, count: count)
    let loss = try StudentTImageLikelihood(dof: 4, width: count, height: 1, data: data, rms: rms)
    let harness = PrimitiveHarness(loss, inputShape: [1, count])
    let model = [Double](repeating: 1e140, count: count)
    let value = harness.value(model)[0]
    let expected = loss.pixelLogLikelihood(of: model).reduce(0, +)
    // Rounding of a hundred terms; the product of the factors alone would be 1e28600.
    #expect(abs(value - expected) < 1e-13 * abs(expected))
    #expect(harness.gradient(model, seed: [1]).allSatisfy { $0.isFinite })
    let gaussian = PrimitiveHarness(
      try GaussianImageLikelihood(width: count, height: 1, data: data, rms: rms),
      inputShape: [1, count])
    for wrong in [Double.nan, .infinity, -.infinity, 1e200] {
      var model = data
      model[37] = wrong
      #expect(harness.value(model)[0] == -.infinity)
      #expect(gaussian.value(model)[0] == -.infinity)
    }
    #expect(loss.pixelLogLikelihood(of: [.nan] + data.dropFirst())[0] == -.infinity)
  }

  @Test("Student-t has the variance of the rms by default, and needs a scale up to dof 2")
  func scales() throws {
    func make(_ dof: Double, _ scale: Double?) throws -> StudentTImageLikelihood {
      try StudentTImageLikelihood(
        dof: dof, scale: scale, width: 1, height: 1, data: [0], rms: [1])
    }
    #expect(try make(5, nil).scale == (3.0 / 5).squareRoot())
    #expect(try make(1, 1).scale == 1)
    for (dof, scale) in [(2.0, nil), (0, 1), (-1, 1), (.nan, 1), (5, 0), (5, .nan)]
      as [(Double, Double?)]
    {
      #expect(throws: RenderingError.self) { try make(dof, scale) }
    }
  }

  @Test("bad pixels that are not masked are refused, and so is an image of bad pixels only")
  func refusals() throws {
    func make(_ data: [Double], _ rms: [Double], _ mask: [Bool]? = nil) throws {
      _ = try GaussianImageLikelihood(width: 2, height: 1, data: data, rms: rms, mask: mask)
    }
    try make([1, .nan], [1, 1], [false, true])
    for (data, rms) in [
      ([1, .nan], [1, 1]), ([1, 2], [1, 0]), ([1, 2], [-1, 1]), ([1, 2], [1, .infinity]),
    ] {
      #expect(throws: RenderingError.self) { try make(data, rms) }
    }
    #expect(throws: RenderingError.self) { try make([1, 2], [1, 1], [true, true]) }
  }
}
