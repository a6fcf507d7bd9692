// SPDX-License-Identifier: MIT
//
// Sources of large frames, split between the frame's low frequencies and a stamp: against all frequencies, and by themselves.

import AllocationCounter
import Rendering
import Tensors
import Testing

@Suite("Sources split in frequency") struct SpectrumSplitTests {
  /// The frame, just large enough.
  private static let (width, height) = (288, 300)

  /// The number of pixels of the frame.
  private static var pixels: Int { width * height }

  /// A point-spread function with a name.
  struct Star: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let psf: PointSpreadFunction
  }

  static let stars = [
    Star(testDescription: "well sampled", psf: .moffat(fwhm: 3.5, 43, 43)),
    Star(testDescription: "sharp", psf: .moffat(fwhm: 2, 25, 25)),
    Star(testDescription: "wide, larger than stamps", psf: .moffat(fwhm: 7, 101, 101)),
    Star(
      testDescription: "even, off-centre",
      psf: .moffat(fwhm: 3, 30, 36, centerX: 13.7, centerY: 18.2)),
    Star(testDescription: "oversampled", psf: .moffat(fwhm: 6, 51, 51, oversampling: 2)),
  ]

  /// Returns renderers of one scene, split and on all frequencies.
  private func renderers(
    _ psf: PointSpreadFunction, _ layout: SceneLayout = .init([.sersic])
  ) throws -> (split: FourierRenderer, whole: FourierRenderer) {
    let split = try RendererPlan(width: Self.width, height: Self.height, psf: psf, splits: true)
    let whole = try RendererPlan(width: Self.width, height: Self.height, psf: psf, splits: false)
    #expect(split.splitsSources)
    #expect(!whole.splitsSources)
    return (
      FourierRenderer(plan: split, layout: layout), FourierRenderer(plan: whole, layout: layout)
    )
  }

  /// The centres: inside, between pixels, on an edge, in a corner, outside.
  private static let places = [
    (141.3, 152.6), (140.5, 149.5), (0.2, 101.4), (287.4, 299.3), (-9.3, 120.2),
  ]

  @Test("an image is that of all frequencies to 8e-6 of the source's peak", arguments: stars)
  func images(star: Star) throws {
    let (split, whole) = try renderers(star.psf)
    var places = Self.places
    for n in [0.3, 0.5, 1, 4, 10] {
      for rEff in [0.3, 3, 8, 25] {
        for ellip in [0, 0.7] {
          let shape = [1, rEff, n, ellip, 0.6]
          let peak = PixelTestSupport.largest(whole.image([144, 150] + shape, Self.pixels))
          let place = places[0]
          let parameters = [place.0, place.1] + shape
          let difference = zip(
            split.image(parameters, Self.pixels), whole.image(parameters, Self.pixels)
          ).map { $0 - $1 }
          // 6e-6 is the largest of a sweep of some thousand sources; stamps are chosen by an estimate of 5e-6.
          #expect(
            PixelTestSupport.largest(difference) < 8e-6 * peak,
            "n \(n), r_eff \(rEff), ellip \(ellip), at \(place)")
          places.append(places.removeFirst())
        }
      }
    }
  }

  @Test("derivative images are those of all frequencies to 3e-5", arguments: stars)
  func derivatives(star: Star) throws {
    let (split, whole) = try renderers(star.psf)
    for (place, n) in zip(Self.places, [0.6, 1, 2, 4, 8]) {
      let parameters = [place.0, place.1, 10, 4, n, 0.4, 0.8]
      _ = split.image(parameters, Self.pixels)
      _ = whole.image(parameters, Self.pixels)
      let found = split.derivatives(parameters, Self.pixels)
      let expected = whole.derivatives(parameters, Self.pixels)
      let scale = [144, 150] + parameters[2...]
      _ = whole.image(scale, Self.pixels)
      let largest = whole.derivatives(scale, Self.pixels).map(PixelTestSupport.largest)
      for k in parameters.indices {
        let difference = PixelTestSupport.largest(zip(found[k], expected[k]).map { $0 - $1 })
        // Derivatives are sharper than the image, and so is what a stamp cuts off them.
        #expect(difference < 3e-5 * largest[k], "parameter \(k) at \(place), n \(n)")
      }
    }
  }

  /// Overlapping sources of several sorts, one too thin for a stamp, one at the edge and one outside, on a plane of sky.
  private static let scene = (
    layout: SceneLayout(
      [.sersic, .sersic, .pointSource, .exponential, .deVaucouleurs, .spergel, .moffat],
      sky: .tiltedPlane),
    parameters: [
      120.3, 140.2, 100, 4, 1.7, 0.3, 0.6, 126.1, 143.4, 60, 3, 3.2, 0.5, 2.1, 123.2, 150.1, 20,
      150,
      160, 80, 30, 0.93, 1, -4.2, 100, 50, 6, 0.3, 0.4, 281, 296, 30, 5, 0.2, 0.2, 1.2, 60, 70.5,
      40,
      3, 2.5, 0.1, 0.3, 0.1, 0.001, 0.002,
    ]
  )

  @Test("pullback and tangent are products with the Jacobian", arguments: stars[..<2])
  func products(star: Star) throws {
    let (renderer, _) = try renderers(star.psf, Self.scene.layout)
    let parameters = Self.scene.parameters
    _ = renderer.image(parameters, Self.pixels)
    let derivatives = renderer.derivatives(parameters, Self.pixels)
    let adjoint = PixelTestSupport.numbers(Self.pixels, seed: 3)
    let direction = PixelTestSupport.numbers(parameters.count, seed: 4)
    let gradient = renderer.gradient(parameters, adjoint: adjoint)
    let change = renderer.change(parameters, along: direction, Self.pixels)
    var expected = [Double](repeating: 0, count: Self.pixels)
    for (k, image) in derivatives.enumerated() {
      let product = zip(adjoint, image).reduce(0) { $0 + $1.0 * $1.1 }
      let scale = zip(adjoint, image).reduce(1e-300) { $0 + abs($1.0 * $1.1) }
      // Sums of the same products in another order, and transforms: some hundred roundings.
      #expect(abs(gradient[k] - product) < 1e-11 * scale, "parameter \(k)")
      for i in 0..<Self.pixels { expected[i] += direction[k] * image[i] }
    }
    let scale = derivatives.map(PixelTestSupport.largest).reduce(0, +)
    let error = PixelTestSupport.largest(zip(change, expected).map { $0 - $1 })
    // Rounding again, relative to the sum of what is added.
    #expect(error < 1e-12 * scale)
  }

  @Test("derivatives are those of the image that is drawn", arguments: stars[..<2])
  func finiteDifferences(star: Star) throws {
    let (renderer, _) = try renderers(star.psf)
    let parameters = [120.3, 140.2, 100, 4, 1.7, 0.3, 0.6]
    _ = renderer.image(parameters, Self.pixels)
    let derivatives = renderer.derivatives(parameters, Self.pixels)
    for (k, step) in FourierDerivativeTests.steps(parameters).enumerated() {
      // Richardson extrapolation of central differences.
      func central(_ h: Double) -> [Double] {
        var (up, down) = (parameters, parameters)
        up[k] += h
        down[k] -= h
        return zip(renderer.image(up, Self.pixels), renderer.image(down, Self.pixels))
          .map { ($0 - $1) / (2 * h) }
      }
      let expected = zip(central(step), central(step / 2)).map { (4 * $1 - $0) / 3 }
      // The differences' own error of fourth order.
      #expect(PixelTestSupport.relativeError(derivatives[k], expected) < 1e-5, "parameter \(k)")
    }
  }

  @Test("overlapping sources add, with and without stamps")
  func additivity() throws {
    let scene = Self.scene
    let psf = Self.stars[0].psf
    let (split, whole) = try renderers(psf, scene.layout)
    let image = split.image(scene.parameters, Self.pixels)
    var sum = [Double](repeating: 0, count: Self.pixels)
    var next = 0
    let kinds = scene.layout.components
    for (i, kind) in kinds.enumerated() {
      let own = Array(scene.parameters[next..<next + kind.parameterCount])
      next += kind.parameterCount
      let sky = i == kinds.count - 1 ? scene.layout.sky : .none
      let part = try renderers(psf, .init([kind], sky: sky)).split
        .image(own + (sky == .none ? [] : scene.parameters[next...]), Self.pixels)
      for k in sum.indices { sum[k] += part[k] }
    }
    // A source alone may be on a smaller grid than in the scene: 1e-6 of its peak, some 3 at most.
    #expect(PixelTestSupport.largest(zip(image, sum).map { $0 - $1 }) < 1e-5)
    let all = whole.image(scene.parameters, Self.pixels)
    // The sources' errors against all frequencies, on peaks up to 6.
    #expect(PixelTestSupport.largest(zip(image, all).map { $0 - $1 }) < 2e-5)
  }

  @Test("a source that passes from pixel to pixel does not make the image jump")
  func jumps() throws {
    let (renderer, _) = try renderers(Self.stars[0].psf)
    for (n, rEff) in [(1.0, 4.0), (4, 10), (0.5, 8)] {
      let shape = [1, rEff, n, 0.3, 0.6]
      let below = renderer.image([140.5 - 1e-9, 150] + shape, Self.pixels)
      let above = renderer.image([140.5 + 1e-9, 150] + shape, Self.pixels)
      let jump = zip(below, above).map { $0 - $1 }
      // What stamps cut off, 5e-6 each; the step itself is 1e-9.
      #expect(
        PixelTestSupport.largest(jump) < 1e-5 * PixelTestSupport.largest(below),
        "n \(n), r_eff \(rEff)")
    }
  }

  @Test("small frames and undersampled PSFs are drawn on all frequencies")
  func choice() throws {
    let psf = PointSpreadFunction.moffat(fwhm: 3.5, 43, 43)
    for side in [36, 121, 200] {
      let plan = try RendererPlan(width: side, height: side, psf: psf)
      #expect(!plan.splitsSources, "\(side) x \(side)")
    }
    #expect(try RendererPlan(width: 400, height: 400, psf: psf).splitsSources)
    let delta = PointSpreadFunction(width: 1, height: 1, values: [1])
    #expect(try !RendererPlan(width: 300, height: 300, psf: delta).splitsSources)
  }

  @Test("profiles of one's own are drawn on all frequencies")
  func ownProfiles() throws {
    let profile = try RadialProfile("disk by hand") { z, _ in exp(-z) }
    let (split, whole) = try renderers(Self.stars[0].psf, .init([.radial(profile)]))
    let parameters = [140.2, 150.3, 10, 30, 0.3, 0.4]
    #expect(split.image(parameters, Self.pixels) == whole.image(parameters, Self.pixels))
  }

  @Test("rendering and its pullback allocate nothing after the first call")
  func allocations() throws {
    // Stamps of 64 pixels: at some sizes, 80 and 160 among them, FFTW itself allocates. The last source is too thin for one.
    let layout = SceneLayout([.sersic, .pointSource, .exponential, .exponential], sky: .flat)
    let (renderer, _) = try renderers(Self.stars[0].psf, layout)
    var parameters = [
      120.3, 140.2, 100, 3, 1.7, 0.3, 0.6, 123.2, 150.1, 20, -4.2, 100, 50, 3, 0.3, 0.4, 150, 160,
      80, 30, 0.93, 1, 0.1,
    ]
    var image = [Double](repeating: 0, count: Self.pixels)
    var gradient = [Double](repeating: 0, count: parameters.count)
    var counts: [Int] = []
    counts.reserveCapacity(4)
    for i in 0..<3 {
      parameters[4] = 1.7 + 0.01 * Double(i)
      let before = allocation_count()
      parameters.withUnsafeBufferPointer { p in
        image.withUnsafeMutableBufferPointer { renderer.render(p, into: $0) }
        image.withUnsafeBufferPointer { a in
          gradient.withUnsafeMutableBufferPointer {
            renderer.pullback(p, imageAdjoint: a, into: $0)
          }
        }
      }
      counts.append(allocation_count() - before)
    }
    // The first call makes grids and buffers. Where nothing can be counted, both counts are −1.
    #expect(counts[1...].allSatisfy { $0 <= 0 }, "\(counts)")
  }
}
