// SPDX-License-Identifier: MIT
//
// Every profile in every renderer: flux, symmetry, known special cases, derivatives, and agreement of the renderers.

import AllocationCounter
import Foundation
import Rendering
import Tensors
import Testing

@Suite("Profiles in renderers") struct ProfileRenderingTests {
  /// A profile with its shape.
  struct Profile: Sendable, CustomTestStringConvertible {
    let kind: ProfileKind
    let shape: [Double]
    /// Returns the parameters of a component.
    func parameters(
      xc: Double, yc: Double, flux: Double = 100, rEff: Double, ellip: Double, theta: Double
    ) -> [Double] {
      [xc, yc, flux, rEff] + shape + [ellip, theta]
    }
    var testDescription: String { "\(kind.name) \(shape)" }
  }

  /// The profiles that every law is checked with.
  static let profiles: [Profile] = {
    var list = [
      Profile(kind: .sersic, shape: [3.3]), Profile(kind: .gaussian, shape: []),
      Profile(kind: .spergel, shape: [-0.85]), Profile(kind: .spergel, shape: [-0.6]),
      Profile(kind: .spergel, shape: [0]), Profile(kind: .spergel, shape: [2.7]),
      Profile(kind: .moffat, shape: [1.6]), Profile(kind: .moffat, shape: [3.5]),
    ]
    if let profile = RadialFormTests.userSersic {
      list.append(Profile(kind: .radial(profile), shape: [1.4]))
    }
    if let profile = RadialFormTests.broken {
      list.append(Profile(kind: .radial(profile), shape: [2.2, 2.5]))
    }
    if let profile = RadialFormTests.userSpergel {
      list.append(Profile(kind: .radial(profile), shape: [0.8]))
    }
    return list
  }()

  /// A renderer of band-limited PSFs.
  enum Way: String, CaseIterable, Sendable {
    case fourier
    case sampled
    case integrated
  }

  /// Returns a renderer of a scene.
  static func renderer(
    _ way: Way, _ width: Int, _ height: Int, _ psf: PointSpreadFunction, _ layout: SceneLayout
  ) throws -> any SceneRenderer {
    switch way {
    case .fourier:
      FourierRenderer(
        plan: try RendererPlan(width: width, height: height, psf: psf), layout: layout)
    case .sampled:
      SampledRenderer(
        plan: try SampledRendererPlan(width: width, height: height, psf: psf), layout: layout)
    case .integrated: try PixelRenderer(width: width, height: height, psf: psf, layout: layout)
    }
  }

  @Test("a large frame holds the total flux, and turns with the source", arguments: profiles)
  func fluxAndSymmetry(profile: Profile) throws {
    let size = 181
    let psf = PointSpreadFunction.moffat(fwhm: 3, 21, 21)
    let layout = SceneLayout([profile.kind])
    let renderer = try Self.renderer(.fourier, size, size, psf, layout)
    let round = renderer.image(
      profile.parameters(xc: 90, yc: 90, flux: 1, rEff: 3, ellip: 0, theta: 0), size * size)
    let form = try RadialFormTests.form(profile.kind, profile.shape)
    // The light outside the frame, at 30 half-light radii: up to a tenth with Moffat's widest wings.
    let missing = 1 - round.reduce(0, +)
    let outside = (form.outside(30).share, form.outside(30 * 2.0.squareRoot()).share)
    #expect(missing > outside.1 - 2e-4 && missing < outside.0 + 2e-4, "\(missing), \(outside)")
    let a = renderer.image(
      profile.parameters(xc: 92.2, yc: 88.7, rEff: 5, ellip: 0.6, theta: 0.5), size * size)
    let b = renderer.image(
      profile.parameters(xc: 91.3, yc: 92.2, rEff: 5, ellip: 0.6, theta: 0.5 + .pi / 2),
      size * size)
    let turned = (0..<size * size).map { i in
      let (x, y) = (i % size - 90, i / size - 90)
      return b[(x + 90) * size + 90 - y]
    }
    // Roundings, and π/2 to 1e-16.
    #expect(PixelTestSupport.relativeError(turned, a) < 1e-9)
  }

  @Test("half of the light lies inside r_eff", arguments: profiles)
  func halfLight(profile: Profile) throws {
    let size = 401
    let renderer = try PixelRenderer(
      width: size, height: size, layout: SceneLayout([profile.kind]))
    let image = renderer.image(
      profile.parameters(xc: 200, yc: 200, flux: 1, rEff: 100, ellip: 0, theta: 0), size * size)
    var inside = 0.0
    for y in 0..<size {
      for x in 0..<size where hypot(Double(x) - 200, Double(y) - 200) < 100 {
        inside += image[y * size + x]
      }
    }
    // The circle's 630 pixels count by their centres: each errs by half its flux of 2e-5 at random, together by 3e-4.
    #expect(abs(inside - 0.5) < 5e-4)
  }

  /// Frames, places and sizes at which renderers are compared.
  struct Scene: Sendable {
    let place: (x: Double, y: Double)
    let rEff: Double
    let ellip: Double
  }

  /// Sources inside, at the edge of and outside a frame of 44 × 38 pixels.
  static let scenes: [Scene] = [
    Scene(place: (21.3, 18.6), rEff: 4, ellip: 0.3),
    Scene(place: (20.8, 17.1), rEff: 0.4, ellip: 0),
    Scene(place: (22.5, 19.0), rEff: 14, ellip: 0.8),
    Scene(place: (0.2, 36.1), rEff: 6, ellip: 0.5),
    Scene(place: (-7.3, 12.2), rEff: 9, ellip: 0.2),
    Scene(place: (23.1, 17.9), rEff: 60, ellip: 0.4),
  ]

  @Test("the Fourier renderer agrees with quadrature of the profile", arguments: profiles)
  func renderersAgree(profile: Profile) throws {
    let (width, height) = (44, 38)
    for psf in [PointSpreadFunction.moffat(fwhm: 2.4, 21, 21), .gaussian(sigma: 1.7, 16, 17)] {
      let layout = SceneLayout([profile.kind])
      let fourier = try Self.renderer(.fourier, width, height, psf, layout)
      let sampled = try Self.renderer(.sampled, width, height, psf, layout)
      for scene in Self.scenes {
        let parameters = profile.parameters(
          xc: scene.place.x, yc: scene.place.y, rEff: scene.rEff, ellip: scene.ellip, theta: 0.9)
        let a = fourier.image(parameters, width * height)
        let b = sampled.image(parameters, width * height)
        // The peak anywhere: that of the same source in the middle.
        var middle = parameters
        (middle[0], middle[1]) = (22, 19)
        let peak = PixelTestSupport.largest(fourier.image(middle, width * height))
        let error = PixelTestSupport.largest(zip(a, b).map { $0 - $1 }) / peak
        // The Fourier renderer's own bound: a few 1e-5 for sources outside or much larger than the frame.
        let isInside = scene.place.x > 10 && scene.rEff < 20
        #expect(
          error < (isInside ? 1e-5 : 5e-5),
          "r_eff \(scene.rEff) at \(scene.place), psf \(psf.width)")
      }
    }
  }

  @Test("the integrated renderer agrees with quadratures in single pixels")
  func pixels() throws {
    struct Golden: Decodable {
      struct Case: Decodable {
        let kind: String
        let shape: Double
        let image: [Double]
      }
      let size: Int
      let place: [Double]
      let ellipse: [Double]
      let cases: [Case]
    }
    let golden = try PixelTestSupport.golden("profile_pixels", as: Golden.self)
    for c in golden.cases {
      let renderer = try PixelRenderer(
        width: golden.size, height: golden.size,
        layout: SceneLayout([c.kind == "moffat" ? .moffat : .spergel]))
      let image = renderer.image(golden.place + [c.shape] + golden.ellipse, c.image.count)
      // The golden quadratures stop at 1e-12 of a pixel, or at 1e-13 next to the centre.
      #expect(PixelTestSupport.relativeError(image, c.image) < 1e-10, "\(c.kind) \(c.shape)")
    }
  }

  @Test("special cases are each other", arguments: Way.allCases)
  func identities(way: Way) throws {
    let (width, height) = (41, 36)
    let psf = PointSpreadFunction.moffat(fwhm: 3, 15, 15)
    func image(_ kind: ProfileKind, _ shape: [Double]) throws -> [Double] {
      try Self.renderer(way, width, height, psf, SceneLayout([kind])).image(
        Profile(kind: kind, shape: shape).parameters(
          xc: 19.2, yc: 18.7, rEff: 4, ellip: 0.4, theta: 0.8), width * height)
    }
    // Tables of the transform differ by 3e-7 each.
    let tolerance = way == .fourier ? 1e-6 : 1e-9
    let disk = try image(.exponential, [])
    #expect(PixelTestSupport.relativeError(try image(.spergel, [0.5]), disk) < tolerance)
    let gaussian = try image(.gaussian, [])
    #expect(PixelTestSupport.relativeError(try image(.sersic, [0.5]), gaussian) < tolerance)
    if let user = RadialFormTests.userSersic {
      #expect(PixelTestSupport.relativeError(try image(.radial(user), [1]), disk) < tolerance)
    }
    if let user = RadialFormTests.userSpergel {
      #expect(PixelTestSupport.relativeError(try image(.radial(user), [0.5]), disk) < tolerance)
    }
    // A Moffat profile becomes a Gaussian as 1/β, a Spergel profile as 1/ν: Richardson's limit of two of them.
    let (m25, m50) = (try image(.moffat, [25]), try image(.moffat, [50]))
    let limit = zip(m25, m50).map { 2 * $1 - $0 }
    #expect(PixelTestSupport.relativeError(limit, gaussian) < 3e-3)
  }

  @Test("derivatives by all parameters agree with finite differences", arguments: profiles)
  func derivatives(profile: Profile) throws {
    let (width, height) = (33, 29)
    let psf = PointSpreadFunction.moffat(fwhm: 2.6, 15, 15)
    for way in Way.allCases {
      let renderer = try Self.renderer(way, width, height, psf, SceneLayout([profile.kind]))
      for (xc, rEff) in [(15.7, 4.0), (-5.2, 9.0)] {
        let parameters = profile.parameters(
          xc: xc, yc: 13.4, rEff: rEff, ellip: 0.35, theta: 0.8)
        let pixels = width * height
        _ = renderer.image(parameters, pixels)
        let derivatives = renderer.derivatives(parameters, pixels)
        let image = PixelTestSupport.largest(renderer.image(parameters, pixels))
        for (k, value) in parameters.enumerated() {
          let size = k < 2 ? 5 : max(abs(value), 0.3)
          func central(_ h: Double) -> [Double] {
            var (up, down) = (parameters, parameters)
            up[k] += h
            down[k] -= h
            let (a, b) = (renderer.image(up, pixels), renderer.image(down, pixels))
            return zip(a, b).map { ($0 - $1) / (2 * h) }
          }
          let h = 1e-3 * size
          let (d1, d2) = (central(h), central(h / 2))
          let expected = zip(d1, d2).map { (4 * $1 - $0) / 3 }
          let error = PixelTestSupport.largest(zip(derivatives[k], expected).map { $0 - $1 })
          let scale = PixelTestSupport.largest(expected) + 1e-2 * image / size
          // Fourth order in steps of a thousandth; roundings of 1e-12 of the image over the step; the cells' fade of light.
          #expect(
            error < 2e-6 * scale, "\(way.rawValue), xc \(xc), parameter \(k): \(error / scale)")
        }
      }
    }
  }

  @Test("pullback and tangent are products with the Jacobian", arguments: Way.allCases)
  func products(way: Way) throws {
    let (width, height) = (31, 34)
    let pixels = width * height
    let psf = PointSpreadFunction.moffat(fwhm: 5, 25, 25, oversampling: 2)
    var kinds: [ProfileKind] = [.spergel, .gaussian, .pointSource, .moffat]
    var parameters = [14.2, 15.1, 60, 3, -0.4, 0.3, 0.9]
    parameters += [16.1, 13.3, 40, 4, 0.5, 2.1, 9.3, 20.2, 5, 12.2, 11.7, 30, 2.5, 2.4, 0.2, 0.4]
    if let user = RadialFormTests.broken {
      kinds.append(.radial(user))
      parameters += [20.1, 9.8, 50, 4, 2.1, 2.8, 0.4, 1.3]
    }
    parameters += [0.1, 0.01, -0.02]
    let renderer = try Self.renderer(
      way, width, height, psf, SceneLayout(kinds, sky: .tiltedPlane))
    _ = renderer.image(parameters, pixels)
    let derivatives = renderer.derivatives(parameters, pixels)
    let adjoint = PixelTestSupport.numbers(pixels, seed: 3)
    let direction = PixelTestSupport.numbers(parameters.count, seed: 4)
    let gradient = renderer.gradient(parameters, adjoint: adjoint)
    let change = renderer.change(parameters, along: direction, pixels)
    var expectedChange = [Double](repeating: 0, count: pixels)
    for (k, image) in derivatives.enumerated() {
      let expected = zip(adjoint, image).reduce(0) { $0 + $1.0 * $1.1 }
      let scale = zip(adjoint, image).reduce(1e-300) { $0 + abs($1.0 * $1.1) }
      // Sums of the same products in another order, and two transforms: some hundred roundings.
      #expect(abs(gradient[k] - expected) < 1e-10 * scale, "parameter \(k)")
      for i in 0..<pixels { expectedChange[i] += direction[k] * image[i] }
    }
    let scale = derivatives.map(PixelTestSupport.largest).reduce(0, +)
    let error = PixelTestSupport.largest(zip(change, expectedChange).map { $0 - $1 })
    #expect(error < 1e-11 * scale)
  }

  @Test("components add, whether they share centre and angle or not", arguments: Way.allCases)
  func sums(way: Way) throws {
    let (width, height) = (41, 36)
    let psf = PointSpreadFunction.moffat(fwhm: 3, 15, 15)
    let bulge = Spergel(xc: 19, yc: 17, flux: 30, rEff: 2, nu: -0.5, ellip: 0.1, theta: 0.7)
    let disk = Exponential(xc: 19, yc: 17, flux: 70, rEff: 6, ellip: 0.5, theta: 0.7)
    let companion = Moffat(xc: 27.3, yc: 21.1, flux: 10, fwhm: 3, beta: 3, ellip: 0.2, theta: 2)
    let star = Gaussian(xc: 11, yc: 12, flux: 5, sigma: 1.2, ellip: 0.3, theta: 1.1)
    let light = bulge + disk + companion + star + PointSource(xc: 19, yc: 17, flux: 3)
    func image(_ light: LightProfile) throws -> [Double] {
      try Self.renderer(way, width, height, psf, light.layout).image(
        light.parameterVector.elements, width * height)
    }
    let whole = try image(light)
    var sum = [Double](repeating: 0, count: width * height)
    for component in light.components {
      for (i, value) in try image(LightProfile([component])).enumerated() { sum[i] += value }
    }
    // Alone a component may be drawn on another grid: 1e-6 of its peak in the Fourier renderer.
    #expect(PixelTestSupport.relativeError(whole, sum) < (way == .fourier ? 3e-6 : 1e-12))
  }

  @Test(
    "a Moffat profile by its width is that by its radius, and its peak is half at half the width")
  func widths() throws {
    let moffat = Moffat(xc: 30, yc: 30, flux: 1, fwhm: 14, beta: 2.5, ellip: 0, theta: 0)
    let form = try RadialFormTests.form(.moffat, [2.5])
    let half = pow(7 / moffat.rEff.item(), 2)
    #expect(abs(exp(form.logDensity(half).value - form.logDensity(1e-20).value) - 0.5) < 1e-12)
    let gaussian = Gaussian(xc: 30, yc: 30, flux: 1, sigma: 2, ellip: 0, theta: 0)
    let round = try RadialFormTests.form(.gaussian, [])
    let one = pow(2 / gaussian.rEff.item(), 2)
    #expect(abs(round.logDensity(one).value - round.logDensity(1e-20).value + 0.5) < 1e-12)
  }

  @Test("new shapes of closed-form profiles allocate nothing after the first call")
  func allocations() throws {
    let renderer = FourierRenderer(
      plan: try RendererPlan(width: 41, height: 37, psf: .moffat(fwhm: 2.5, 21, 21)),
      layout: SceneLayout([.spergel, .moffat, .gaussian]))
    var parameters = [20, 18, 100, 9, 0.3, 0.3, 1, 12, 9, 4, 3, 2.5, 0.1, 0.2]
    parameters += [20, 18, 30, 8, 0.2, 1]
    var image = [Double](repeating: 0, count: 41 * 37)
    var gradient = [Double](repeating: 0, count: parameters.count)
    var counts: [Int] = []
    counts.reserveCapacity(8)
    for i in 0..<4 {
      parameters[4] = 0.3 + 0.01 * Double(i)
      parameters[11] = 2.5 + 0.01 * Double(i)
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
    // Temporary memory of the Bessel functions is on the stack. Where nothing can be counted, both counts are −1.
    #expect(counts[1...].allSatisfy { $0 == 0 }, "\(counts)")
  }

  @Test("shapes that describe no profile give NaN, and the next ones are rendered")
  func infeasible() throws {
    for way in Way.allCases {
      for profile in Self.profiles where !profile.shape.isEmpty {
        let renderer = try Self.renderer(
          way, 20, 21, .moffat(fwhm: 3, 11, 11), SceneLayout([profile.kind]))
        let good = profile.parameters(xc: 9.5, yc: 10, rEff: 3, ellip: 0.2, theta: 0.1)
        for value in [-1.5, Double.nan, 1e4] {
          var parameters = good
          parameters[ProfileParameter.shape] = value
          // A user's function may have a finite light at any finite shape.
          if case .radial = profile.kind, value.isFinite { continue }
          #expect(
            renderer.image(parameters, 420).allSatisfy { $0.isNaN }, "\(profile) \(value)")
          #expect(
            renderer.gradient(parameters, adjoint: [Double](repeating: 1, count: 420))
              .allSatisfy { $0.isNaN })
          #expect(renderer.image(good, 420).allSatisfy { $0.isFinite })
        }
      }
    }
  }
}
