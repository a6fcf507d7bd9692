// SPDX-License-Identifier: MIT
//
// The parts of an evaluation by themselves: the image, its adjoint, the likelihoods of its pixels.

import Rendering
import SwiftSersic

/// A renderer with the memory of one chain, and a galaxy to render.
private final class RenderCase {
  private let renderer: any SceneRenderer
  private let parameters: [Double]
  private var image: [Double]
  private let adjoint: [Double]
  private var gradient: [Double]

  /// Makes the renderer of one Sérsic galaxy in a frame.
  init(_ width: Int, _ height: Int) throws {
    let plan = try RendererPlan(
      width: width, height: height, psf: Simulation.pointSpread(), planning: .measure)
    renderer = FourierRenderer(plan: plan, layout: SceneLayout([.sersic]))
    parameters = Simulation.truth(width, height).map(\.value)
    image = [Double](repeating: 0, count: width * height)
    adjoint = image.indices.map { Double($0 % 7) - 3 }
    gradient = parameters.map { _ in 0 }
  }

  /// Renders the image.
  func render() {
    parameters.withUnsafeBufferPointer { p in
      image.withUnsafeMutableBufferPointer { renderer.render(p, into: $0) }
    }
  }

  /// Renders the image and takes the gradient of its product with fixed weights.
  func renderAndPullBack() {
    render()
    for k in gradient.indices { gradient[k] = 0 }
    parameters.withUnsafeBufferPointer { p in
      adjoint.withUnsafeBufferPointer { adjoint in
        gradient.withUnsafeMutableBufferPointer {
          renderer.pullback(p, imageAdjoint: adjoint, into: $0)
        }
      }
    }
  }

  /// Asserts that nearly all of the flux lies in the frame.
  ///
  /// At n = 1.9 and 18 half-light radii less than 1e-6 lies outside; the PSF's wings are cut at 21 pixels.
  func checkFlux() throws {
    let sum = image.reduce(0, +)
    try require(abs(sum / 1700 - 1) < 1e-3, "expected a flux of 1700, found \(sum)")
  }

  /// Asserts that the derivative by the flux is the weighted image over the flux.
  func checkGradient() throws {
    let weighted = zip(image, adjoint).reduce(0) { $0 + $1.0 * $1.1 }
    let scale = zip(image, adjoint).reduce(0) { $0 + abs($1.0 * $1.1) }
    // The image is linear in the flux; both are sums of 1e4 rounded terms.
    try require(
      abs(gradient[2] * 1700 - weighted) < 1e-9 * scale,
      "expected flux · ∂/∂flux = \(weighted), found \(gradient[2] * 1700)")
  }
}

/// A likelihood with the memory of one chain, and a model image.
private final class LikelihoodCase {
  private let likelihood: any ImageLikelihood
  private let instance: any PrimitiveInstance
  private let parameters: UnsafeMutableBufferPointer<Double>
  private let model: UnsafeMutableBufferPointer<Double>
  private let pointers: UnsafeMutableBufferPointer<UnsafePointer<Double>>
  private let counts: UnsafeMutableBufferPointer<Int>
  private var value: [Double] = [0]

  /// Makes a likelihood of fixed data of the size of a cutout, at values of the parameters of its noise.
  init(
    parameters values: [Double] = [], level: Double = 0,
    _ make: (_ data: [Double], _ rms: [Double]) throws -> any ImageLikelihood
  ) throws {
    let count = LikelihoodCase.side * LikelihoodCase.side
    let key = RandomKey(3)
    likelihood = try make(
      (0..<count).map { level + key.normal(UInt64($0)) },
      [Double](repeating: 0.9, count: count))
    let side = LikelihoodCase.side
    instance = likelihood.makeInstance(inputShapes: [[side, side]] + values.map { _ in [] })
    model = .allocate(capacity: count)
    for k in 0..<count { model.initializeElement(at: k, to: level + 0.1 * Double(k % 5)) }
    parameters = .allocate(capacity: values.count)
    _ = parameters.initialize(from: values)
    pointers = .allocate(capacity: 1 + values.count)
    counts = .allocate(capacity: 1 + values.count)
    _ = counts.initialize(from: [count] + values.map { _ in 1 })
    if let first = model.baseAddress { pointers.initialize(repeating: UnsafePointer(first)) }
    if let first = parameters.baseAddress {
      for k in values.indices { pointers[k + 1] = UnsafePointer(first + k) }
    }
  }

  deinit {
    model.deallocate()
    parameters.deallocate()
    pointers.deallocate()
    counts.deallocate()
  }

  /// The rows and columns of the image.
  static let side = 121

  /// Computes the value and, in the same pass, the adjoint of each pixel.
  func run() {
    let inputs = PrimitiveInputs(
      pointers: UnsafeBufferPointer(pointers), counts: UnsafeBufferPointer(counts))
    value.withUnsafeMutableBufferPointer { instance.forward(inputs, into: $0) }
  }

  /// The work of this case.
  var work: Work {
    Work(
      asserted: "value = sum over pixels to 1e-12",
      units: LikelihoodCase.side * LikelihoodCase.side,
      body: { self.run() },
      check: {
        // The same 1e4 terms, summed in another order.
        let sum = self.likelihood.pixelLogLikelihood(of: Array(self.model), Array(self.parameters))
          .reduce(0, +)
        try require(
          abs(self.value[0] - sum) < 1e-12 * abs(sum), "expected \(sum), found \(self.value[0])")
      })
  }
}

/// The benchmarks of the parts of an evaluation.
let renderingBenchmarks =
  [
    Benchmark("render 121 x 121", runs: 100) {
      let scene = try RenderCase(121, 121)
      return Work(
        asserted: "flux to 1e-3", body: { scene.render() }, check: { try scene.checkFlux() })
    },
    Benchmark("render 121 x 121 and pull back", runs: 100) {
      let scene = try RenderCase(121, 121)
      return Work(
        asserted: "flux · ∂/∂flux = image to 1e-9", body: { scene.renderAndPullBack() },
        check: { try scene.checkGradient() })
    },
    Benchmark("render 200 x 200 and pull back", runs: 100) {
      let scene = try RenderCase(200, 200)
      return Work(
        asserted: "flux · ∂/∂flux = image to 1e-9", body: { scene.renderAndPullBack() },
        check: { try scene.checkGradient() })
    },
    Benchmark("build the radial Fourier table", runs: 10) {
      var table: SersicTable?
      return Work(
        asserted: "the transform is 1 at κ = 0; other values are asserted by the renders",
        body: { table = SersicTable() },
        check: {
          let value = table?.values(n: 1, at: 0).value
          try require(value == 1, "expected 1 at κ = 0, found \(value ?? .nan)")
        })
    },
    Benchmark("plan 121 x 121 by estimate", runs: 20) {
      let psf = try Simulation.pointSpread()
      var plan: RendererPlan?
      return Work(
        asserted: "the frame's size",
        body: { plan = try RendererPlan(width: 121, height: 121, psf: psf, planning: .estimate) },
        check: { try require(plan?.width == 121, "expected a plan") })
    },
  ] + likelihoodBenchmarks

/// The benchmarks of the likelihoods: value and adjoint of each pixel, and of the parameters of the noise.
private let likelihoodBenchmarks = [
  likelihood("gaussian", .gaussian),
  likelihood("gaussian with free fraction", .gaussian, .fraction),
  likelihood("gaussian with free systematic", .gaussian, .systematic),
  likelihood("student-t", .studentT(dof: 5)),
  likelihood("student-t with free systematic", .studentT(dof: 5), .systematic),
  likelihood("pseudo-huber", .pseudoHuber(delta: 3)),
  likelihood("mixture", .mixture(outlierScale: 5)),
  likelihood("mixture with free systematic", .mixture(outlierScale: 5), .systematic),
  Benchmark("poisson likelihood, per pixel", runs: 200) {
    let side = LikelihoodCase.side
    return try LikelihoodCase(level: 20) { data, _ in
      try PoissonImageLikelihood(gain: 3, width: side, height: side, data: data)
    }.work
  },
]

/// Returns the benchmark of one likelihood.
private func likelihood(
  _ name: String, _ density: PixelDensity, _ freedom: NoiseFreedom? = nil
) -> Benchmark {
  Benchmark("\(name) likelihood, per pixel", runs: 200) {
    let side = LikelihoodCase.side
    let parameters = (freedom == nil ? [] : [0.2]) + (density.hasOutliers ? [0.02] : [])
    return try LikelihoodCase(parameters: parameters) {
      try ScaledImageLikelihood(
        density, freedom: freedom, width: side, height: side, data: $0, rms: $1)
    }.work
  }
}
