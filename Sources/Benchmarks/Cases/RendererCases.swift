// SPDX-License-Identifier: MIT
//
// The renderers and the profiles side by side: time of an image with its gradient, and error against quadrature.

import Rendering
import SwiftSersic

/// One renderer with one source in a frame of 121 × 121 pixels.
private final class RendererCase {
  /// The rows and columns of the frame.
  static let side = 121

  private let renderer: any SceneRenderer
  private var parameters: [Double]
  private var image: [Double]
  private let adjoint: [Double]
  private var gradient: [Double]

  /// The largest difference from quadrature of the profile, as a share of the peak.
  let error: Double

  /// Makes the renderer of one source, and measures its error.
  init(
    _ kind: ProfileKind, shape: [Double],
    _ make: (PointSpreadFunction, SceneLayout) throws -> any SceneRenderer
  ) throws {
    let side = RendererCase.side
    let psf = try Simulation.pointSpread()
    let layout = SceneLayout([kind])
    let renderer = try make(psf, layout)
    let parameters = [60.3, 59.6, 1000, 5] + shape + [0.4, 0.7]
    var image = [Double](repeating: 0, count: side * side)
    adjoint = image.indices.map { Double($0 % 7) - 3 }
    gradient = parameters.map { _ in 0 }
    let exact = SampledRenderer(
      plan: try SampledRendererPlan(width: side, height: side, psf: psf), layout: layout)
    var expected = image
    parameters.withUnsafeBufferPointer { p in
      expected.withUnsafeMutableBufferPointer { exact.render(p, into: $0) }
      image.withUnsafeMutableBufferPointer { renderer.render(p, into: $0) }
    }
    self.renderer = renderer
    self.parameters = parameters
    self.image = image
    let peak = expected.reduce(0) { max($0, abs($1)) }
    error = zip(image, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / peak
  }

  /// Renders the image of parameters that differ from the last ones, and takes the gradient of its product with weights.
  func run() {
    // A renderer may keep what has not changed: nothing stays as it was.
    for k in 3..<parameters.count { parameters[k] *= 1 + 1e-9 }
    for k in gradient.indices { gradient[k] = 0 }
    parameters.withUnsafeBufferPointer { p in
      image.withUnsafeMutableBufferPointer { renderer.render(p, into: $0) }
      adjoint.withUnsafeBufferPointer { adjoint in
        gradient.withUnsafeMutableBufferPointer {
          renderer.pullback(p, imageAdjoint: adjoint, into: $0)
        }
      }
    }
  }

  /// Asserts that the error is within a bound, and that the derivative by the flux is the weighted image over the flux.
  func check(_ bound: Double) throws {
    try require(error < bound, "expected an error below \(bound), found \(error)")
    let weighted = zip(image, adjoint).reduce(0) { $0 + $1.0 * $1.1 }
    let scale = zip(image, adjoint).reduce(0) { $0 + abs($1.0 * $1.1) }
    try require(
      abs(gradient[2] * parameters[2] - weighted) < 1e-9 * scale,
      "expected flux · ∂/∂flux = \(weighted), found \(gradient[2] * parameters[2])")
  }
}

/// Returns the benchmark of one renderer with one profile.
private func rendererBenchmark(
  _ name: String, _ kind: @escaping @Sendable () throws -> ProfileKind, shape: [Double],
  bound: Double, runs: Int,
  _ make: @escaping @Sendable (PointSpreadFunction, SceneLayout) throws -> any SceneRenderer
) -> Benchmark {
  Benchmark(name, runs: runs) {
    let scene = try RendererCase(try kind(), shape: shape, make)
    return Work(
      asserted: "error \(rounded(scene.error)) of the peak", body: { scene.run() },
      check: { try scene.check(bound) })
  }
}

/// Returns a small number with two digits.
private func rounded(_ x: Double) -> String {
  guard x > 0 else { return "0" }
  var (digits, exponent) = (x, 0)
  while digits < 1 {
    digits *= 10
    exponent -= 1
  }
  return "\((digits * 10).rounded() / 10)e\(exponent)"
}

/// Makes a Fourier renderer.
@Sendable private func fourier(
  _ psf: PointSpreadFunction, _ layout: SceneLayout
) throws -> any SceneRenderer {
  let side = RendererCase.side
  return FourierRenderer(
    plan: try RendererPlan(width: side, height: side, psf: psf, planning: .measure),
    layout: layout)
}

/// Makes a hybrid renderer.
@Sendable private func hybrid(
  _ psf: PointSpreadFunction, _ layout: SceneLayout
) throws -> any SceneRenderer {
  let side = RendererCase.side
  return try HybridRenderer(
    plan: HybridRendererPlan(width: side, height: side, psf: psf, planning: .measure),
    layout: layout)
}

/// Makes a sampled renderer, that of `.pixel`.
@Sendable private func sampled(
  _ psf: PointSpreadFunction, _ layout: SceneLayout
) throws -> any SceneRenderer {
  let side = RendererCase.side
  return SampledRenderer(
    plan: try SampledRendererPlan(width: side, height: side, psf: psf), layout: layout)
}

/// The benchmarks of the renderers, Sérsic profiles of three indices each, and of other profiles by the default one.
let rendererBenchmarks: [Benchmark] = {
  var list: [Benchmark] = []
  for n in [1.0, 4, 7.5] {
    let shape = [n]
    list.append(
      rendererBenchmark(
        "fourier, n \(n)", { .sersic }, shape: shape, bound: 1e-5, runs: 100, fourier))
    list.append(
      rendererBenchmark("hybrid, n \(n)", { .sersic }, shape: shape, bound: 0.2, runs: 20, hybrid))
    list.append(
      rendererBenchmark("pixel, n \(n)", { .sersic }, shape: shape, bound: 1e-12, runs: 5, sampled))
  }
  list += [
    rendererBenchmark(
      "fourier, gaussian", { .gaussian }, shape: [], bound: 1e-5, runs: 50, fourier),
    rendererBenchmark(
      "fourier, spergel", { .spergel }, shape: [-0.5], bound: 1e-5, runs: 50, fourier),
    rendererBenchmark("fourier, moffat", { .moffat }, shape: [2.5], bound: 1e-5, runs: 50, fourier),
    rendererBenchmark(
      "fourier, a user's brightness",
      {
        .radial(
          try RadialProfile("broken", shape: ["break": 2]) { z, shape in
            exp(-z) / (1 + pow(z / shape[0], 4))
          })
      }, shape: [2], bound: 1e-5, runs: 20, fourier),
  ]
  return list
}()
