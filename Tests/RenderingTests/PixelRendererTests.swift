// SPDX-License-Identifier: MIT
//
// The pixel renderer: derivatives, invariances, point-spread functions of every sort, point sources, the sky.

import Foundation
import Rendering
import Testing

@Suite("Pixel renderer") struct PixelRendererTests {
  /// A lopsided point-spread function with a free size, normalised.
  static func lopsided(
    _ width: Int, _ height: Int, centerX: Double? = nil, oversampling: Int = 1
  ) -> PointSpreadFunction {
    let cx = centerX ?? Double(width - 1) / 2
    let cy = Double(height - 1) / 2
    var values: [Double] = []
    for y in 0..<height {
      for x in 0..<width {
        let dx = (Double(x) - cx) / Double(oversampling)
        let dy = (Double(y) - cy) / Double(oversampling)
        values.append(
          exp(-0.3 * dx * dx - 0.1 * dx * dy - 0.2 * dy * dy) * (1 + 0.3 * tanh(dx + 0.5 * dy)))
      }
    }
    let sum = values.reduce(0, +)
    return PointSpreadFunction(
      width: width, height: height, values: values.map { $0 / sum }, centerX: centerX,
      oversampling: oversampling)
  }

  /// A scene and the parameters to look at it with.
  struct Scene: Sendable, CustomTestStringConvertible {
    /// What is special about it.
    let name: String
    /// Its structure.
    let layout: SceneLayout
    /// Its parameters.
    let parameters: [Double]
    /// Its point-spread function.
    var psf: PointSpreadFunction? = PixelRendererTests.lopsided(9, 7)
    /// The name, for messages.
    var testDescription: String { name }
  }

  /// The scenes whose derivatives are checked.
  static let scenes: [Scene] = [
    Scene(
      name: "Sérsic and sky", layout: SceneLayout([.sersic], sky: .tiltedPlane),
      parameters: [10.3, 7.8, 30, 3.1, 2.2, 0.35, 0.7, 0.2, 0.01, -0.02]),
    Scene(
      name: "cusp inside a pixel, flat and thin", layout: SceneLayout([.sersic]),
      parameters: [10.31, 7.17, 30, 4, 10, 0.95, 2.1]),
    Scene(
      name: "n 0.3, small", layout: SceneLayout([.sersic]),
      parameters: [10.3, 7.8, 30, 0.7, 0.3, 0.6, 0.7]),
    Scene(
      name: "round, tiny", layout: SceneLayout([.sersic]),
      parameters: [10.3, 7.8, 30, 0.3, 3, 0, 0.7]),
    Scene(
      name: "wide, no PSF", layout: SceneLayout([.sersic], sky: .flat),
      parameters: [10.3, 7.8, 30, 100, 0.5, 0.3, 1.7, 0.1], psf: nil),
    Scene(
      name: "outside the frame", layout: SceneLayout([.sersic]),
      parameters: [-12.2, 20.4, 30, 6, 4, 0.4, 2.7]),
    Scene(
      name: "three components",
      layout: SceneLayout([.exponential, .deVaucouleurs, .pointSource], sky: .flat),
      parameters: [
        10.3, 7.8, 30, 3.1, 0.35, 0.7, 9.6, 8.3, 20, 2.1, 0.2, 2.4, 4.2, 3.7, 11, 0.05,
      ]),
    Scene(
      name: "oversampled PSF", layout: SceneLayout([.sersic, .pointSource]),
      parameters: [10.3, 7.8, 30, 3.1, 2.2, 0.35, 0.7, 8.3, 4.9, 7],
      psf: PixelRendererTests.lopsided(15, 12, oversampling: 2)),
  ]

  /// The number of columns of the test frame.
  static let width = 21

  /// The number of rows of the test frame.
  static let height = 17

  /// Returns a renderer of the test frame.
  func renderer(_ scene: Scene) throws -> PixelRenderer {
    try PixelRenderer(
      width: Self.width, height: Self.height, psf: scene.psf, layout: scene.layout)
  }

  @Test("derivatives by all parameters agree with finite differences", arguments: scenes)
  func derivatives(scene: Scene) throws {
    let renderer = try renderer(scene)
    let count = Self.width * Self.height
    _ = renderer.image(scene.parameters, count)
    let derivatives = renderer.derivatives(scene.parameters, count)
    for (p, value) in scene.parameters.enumerated() {
      func image(_ steps: Double, _ step: Double) -> [Double] {
        var moved = scene.parameters
        moved[p] = value + steps * step
        return renderer.image(moved, count)
      }
      // Fourth order in a step of 1e-3 at most: truncation 1e-12 · f⁽⁵⁾, rounding 1e-15 / 1e-4. Thin and cuspy scenes have
      // large fifth derivatives; of two steps the better is taken.
      let errors = [1e-3, 1e-4].map { step in
        let estimate = zip(
          zip(image(1, step), image(-1, step)), zip(image(2, step), image(-2, step))
        ).map { (8 * ($0.0 - $0.1) - ($1.0 - $1.1)) / (12 * step) }
        return PixelTestSupport.relativeError(derivatives[p], estimate)
      }
      let error = errors.reduce(.infinity, min)
      // By the angle of a round source the derivative is 0 to rounding.
      let isZero = PixelTestSupport.largest(derivatives[p]) < 1e-12
      #expect(error < 1e-7 || isZero, "parameter \(p): \(errors)")
    }
  }

  @Test("pullback and tangent agree with the Jacobian", arguments: scenes)
  func adjoint(scene: Scene) throws {
    let renderer = try renderer(scene)
    let count = Self.width * Self.height
    _ = renderer.image(scene.parameters, count)
    let jacobian = renderer.derivatives(scene.parameters, count)
    let adjoint = PixelTestSupport.numbers(count)
    let direction = PixelTestSupport.numbers(scene.parameters.count, seed: 5)
    let gradient = renderer.gradient(scene.parameters, adjoint: adjoint)
    let change = renderer.change(scene.parameters, along: direction, count)
    let expected = jacobian.map { row in zip(row, adjoint).map { $0 * $1 }.reduce(0, +) }
    var along = [Double](repeating: 0, count: count)
    for (row, d) in zip(jacobian, direction) {
      for i in along.indices { along[i] += d * row[i] }
    }
    // Both sides differ by the rounding of transforms and of sums over 400 pixels.
    #expect(PixelTestSupport.relativeError(gradient, expected) < 1e-12)
    #expect(PixelTestSupport.relativeError(change, along) < 1e-12)
  }

  @Test("a scene is the sum of its components")
  func addition() throws {
    let count = Self.width * Self.height
    let scene = Self.scenes[6]
    let whole = try renderer(scene).image(scene.parameters, count)
    var sum = [Double](repeating: 0.05, count: count)
    var start = 0
    for kind in scene.layout.components {
      let part = try renderer(
        Scene(name: "", layout: SceneLayout([kind]), parameters: [])
      ).image(Array(scene.parameters[start..<start + kind.parameterCount]), count)
      for i in sum.indices { sum[i] += part[i] }
      start += kind.parameterCount
    }
    // Rounding of the transforms.
    #expect(PixelTestSupport.relativeError(whole, sum) < 1e-13)
  }

  @Test("exponential and de Vaucouleurs are Sérsic profiles with n 1 and 4")
  func slices() throws {
    let count = Self.width * Self.height
    let sersic = try renderer(Scene(name: "", layout: SceneLayout([.sersic]), parameters: []))
    for (kind, n) in [(ProfileKind.exponential, 1.0), (.deVaucouleurs, 4.0)] {
      let slice = try renderer(Scene(name: "", layout: SceneLayout([kind]), parameters: []))
      let expected = sersic.image([9.7, 8.2, 5, 2.5, n, 0.3, 1.1], count)
      // The same numbers but for the range of the table.
      #expect(
        PixelTestSupport.relativeError(slice.image([9.7, 8.2, 5, 2.5, 0.3, 1.1], count), expected)
          < 1e-14)
    }
  }

  @Test("a source moved by whole pixels is the same image moved")
  func translation() throws {
    let renderer = try renderer(Scene(name: "", layout: SceneLayout([.sersic]), parameters: []))
    let count = Self.width * Self.height
    let here = renderer.image([7.3, 6.8, 30, 3.1, 3.2, 0.35, 0.7], count)
    let there = renderer.image([10.3, 8.8, 30, 3.1, 3.2, 0.35, 0.7], count)
    var worst = 0.0
    for y in 0..<Self.height - 2 {
      for x in 0..<Self.width - 3 {
        let difference = here[y * Self.width + x] - there[(y + 2) * Self.width + x + 3]
        worst = max(worst, abs(difference))
      }
    }
    // Rounding of the transforms, relative to the peak.
    #expect(worst < 1e-13 * PixelTestSupport.largest(here))
  }

  @Test("a source turned by 90° is the same image turned")
  func rotation() throws {
    let renderer = try PixelRenderer(width: 21, height: 21, layout: SceneLayout([.sersic]))
    let here = renderer.image([8.3, 11.1, 30, 3.1, 3.2, 0.6, 0.7], 441)
    // Counter-clockwise about (10, 10): (dx, dy) → (−dy, dx).
    let there = renderer.image([10 - 1.1, 10 - 1.7, 30, 3.1, 3.2, 0.6, 0.7 + Double.pi / 2], 441)
    let turned = (0..<441).map { i in
      let (x, y) = (i % 21, i / 21)
      return here[(20 - x) * 21 + y]
    }
    // Rounding, and that of π/2.
    #expect(PixelTestSupport.relativeError(there, turned) < 1e-12)
  }

  @Test("a large frame holds the total flux, and half of it lies inside r_eff")
  func totalFlux() throws {
    let renderer = try PixelRenderer(
      width: 401, height: 301, psf: .gaussian(fwhm: 3), layout: SceneLayout([.sersic]))
    let image = renderer.image([200.2, 149.7, 50, 8, 1, 0.4, 1.2], 401 * 301)
    // Flux beyond 150 pixels: e^(−1.678 · 150/8) · 32 = 7e-13.
    #expect(abs(image.reduce(0, +) - 50) < 1e-10)
    let fine = try PixelRenderer(width: 601, height: 601, layout: SceneLayout([.sersic]))
    let round = fine.image([300, 300, 1, 100, 4, 0, 0], 601 * 601)
    var inside = 0.0
    for y in 0..<601 {
      for x in 0..<601 where hypot(Double(x) - 300, Double(y) - 300) < 100 {
        inside += round[y * 601 + x]
      }
    }
    // The circle's 630 pixels count by their centres: each errs by half its flux of 1e-5 at random, together by 1e-4.
    #expect(abs(inside - 0.5) < 2e-4)
  }

  @Test("a PSF with a centre of its own, odd or even, moves nothing")
  func centers() throws {
    let layout = SceneLayout([.sersic, .pointSource])
    // A smooth profile: of a cuspy one the array's replicas in frequency let more through, which differs by lattice.
    let parameters: [Double] = [10.3, 7.8, 30, 3.1, 0.5, 0.35, 0.7, 5.2, 9.3, 12]
    func image(_ psf: PointSpreadFunction) throws -> [Double] {
      try PixelRenderer(width: Self.width, height: Self.height, psf: psf, layout: layout)
        .image(parameters, Self.width * Self.height)
    }
    // The same Gaussian about the middle of 25 × 25, about a place off the middle, and about the middle of 24 × 24.
    func gaussian(_ size: Int, _ center: Double?) -> PointSpreadFunction {
      let c = center ?? Double(size - 1) / 2
      let values = (0..<size * size).map { i in
        let (dx, dy) = (Double(i % size) - c, Double(i / size) - c)
        return exp(-(dx * dx + dy * dy) / (2 * 1.7 * 1.7)) / (2 * Double.pi * 1.7 * 1.7)
      }
      return PointSpreadFunction(
        width: size, height: size, values: values, centerX: center, centerY: center)
    }
    let middle = try image(gaussian(25, nil))
    // σ = 1.7: e^(−2π²σ²/4) = 6e-7 of the light lies beyond the band, e^(−(11.5/1.7)²/2) = 1e-10 beyond the arrays;
    // samples of the Gaussian on another lattice differ by the aliases only.
    #expect(PixelTestSupport.relativeError(try image(gaussian(27, 12.4)), middle) < 2e-6)
    #expect(PixelTestSupport.relativeError(try image(gaussian(24, nil)), middle) < 2e-6)
  }

  @Test("an oversampled PSF gives the image of finer pixels, summed")
  func oversampling() throws {
    let psf = Self.lopsided(15, 12, oversampling: 3)
    let layout = SceneLayout([.sersic, .pointSource])
    let parameters: [Double] = [6.3, 5.8, 30, 1.1, 3.2, 0.35, 0.7, 4.2, 3.3, 12]
    let image = try PixelRenderer(width: 12, height: 10, psf: psf, layout: layout)
      .image(parameters, 120)
    // In fine pixels: x' = 3 x + 1.
    let fine = try PixelRenderer(
      width: 36, height: 30,
      psf: PointSpreadFunction(width: psf.width, height: psf.height, values: psf.values),
      layout: layout
    ).image([19.9, 18.4, 30, 3.3, 3.2, 0.35, 0.7, 13.6, 10.9, 12], 1080)
    let summed = (0..<120).map { i in
      var sum = 0.0
      for row in 0..<3 {
        for column in 0..<3 { sum += fine[(3 * (i / 12) + row) * 36 + 3 * (i % 12) + column] }
      }
      return sum
    }
    // The same operations but for rounding.
    #expect(PixelTestSupport.relativeError(image, summed) < 1e-13)
  }

  @Test("a point source is the PSF integrated over each pixel, at any place in a pixel")
  func pointSource() throws {
    let sigma = 1.6
    let psf = try PointSpreadFunction.gaussian(
      fwhm: sigma * 2 * (2 * log(2.0)).squareRoot(), size: 31)
    let renderer = try PixelRenderer(
      width: 24, height: 20, psf: psf, layout: SceneLayout([.pointSource]))
    for (xc, yc) in [(11.0, 9.0), (11.37, 9.81), (2.5, 18.2), (-3.2, 5.5), (-400, 5.5)] {
      let image = renderer.image([xc, yc, 7], 480)
      let expected = (0..<480).map { i in
        func share(_ pixel: Int, _ center: Double) -> Double {
          let scale = 1 / (sigma * 2.0.squareRoot())
          return 0.5
            * (erf((Double(pixel) + 0.5 - center) * scale)
              - erf((Double(pixel) - 0.5 - center) * scale))
        }
        return 7 * share(i % 24, xc) * share(i / 24, yc)
      }
      let error = PixelTestSupport.largest(zip(image, expected).map { $0 - $1 })
      // Beyond the band of the samples lies e^(−2π²σ²/4) = 3e-6 of the transform; the peak is 0.4.
      #expect(error < 1e-5, "at \(xc), \(yc)")
    }
  }

  @Test("parameters that describe no profile give NaN, and the next ones are rendered")
  func infeasible() throws {
    let scene = Self.scenes[0]
    let renderer = try renderer(scene)
    let count = Self.width * Self.height
    let before = renderer.image(scene.parameters, count)
    for (p, value) in [(3, -1.0), (3, 0), (4, 0), (4, 50), (5, 1), (0, .nan), (2, .infinity)] {
      var wrong = scene.parameters
      wrong[p] = value
      #expect(renderer.image(wrong, count).allSatisfy { $0.isNaN })
      #expect(
        renderer.gradient(wrong, adjoint: [Double](repeating: 1, count: count))
          .allSatisfy { $0.isNaN })
    }
    #expect(renderer.image(scene.parameters, count) == before)
  }

  @Test("what cannot be rendered is refused with the reason")
  func refusals() throws {
    func kind(_ body: () throws -> Void) -> RenderingError.Kind? {
      do {
        try body()
        return nil
      } catch {
        return (error as? RenderingError)?.kind
      }
    }
    let point = SceneLayout([.pointSource])
    #expect(
      kind { _ = try PixelRenderer(width: 5, height: 5, layout: point) } == .unsupportedScene)
    #expect(
      kind { _ = try PixelRenderer(width: 0, height: 5, layout: SceneLayout([.sersic])) }
        == .emptyGrid)
    let bad = PointSpreadFunction(width: 1, height: 2, values: [1, .nan])
    #expect(
      kind { _ = try PixelRenderer(width: 5, height: 5, psf: bad, layout: point) }
        == .invalidPointSpread)
  }
}
