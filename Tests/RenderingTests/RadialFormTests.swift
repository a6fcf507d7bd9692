// SPDX-License-Identifier: MIT
//
// The radial forms: densities, transforms and outer light against golden numbers, and their derivatives against differences.

import Foundation
import Rendering
import Tensors
import Testing

@Suite("Radial forms") struct RadialFormTests {
  /// Golden numbers.
  struct Golden: Decodable {
    /// One profile.
    struct Case: Decodable {
      let kind: String
      let shape: Double
      let density: [Double]
      let outside: [Double]
      let transform: [Double]
    }
    let radii: [Double]
    let frequencies: [Double]
    let cases: [Case]
  }

  /// A profile as a user may write it: Sérsic's, n free, in units of its own scale.
  static let userSersic = RadialFormTests.made {
    try RadialProfile("sersic by hand", shape: ["n": 2]) { z, shape in
      // The scale is that at which the exponent is 2n − 1/3, near the half-light radius.
      exp(-(2 * shape[0] - 1 / 3.0) * pow(z, 1 / shape[0]))
    }
  }

  /// A profile with two parameters, by its brightness.
  static let broken = RadialFormTests.made {
    try RadialProfile("broken disk", shape: ["break": 2, "slope": 3]) { z, shape in
      exp(-z) * pow(1 + pow(z / shape[0], 4), -0.25 * shape[1])
    }
  }

  /// Spergel's profile, by its transform alone.
  static let userSpergel = RadialFormTests.made {
    try RadialProfile.byTransform("spergel by hand", shape: ["nu": 0.5]) { kappa, shape in
      pow(1 + square(kappa), -1 - shape[0])
    }
  }

  /// Returns a profile whose functions are known to be right.
  private static func made(_ body: () throws -> RadialProfile) -> RadialProfile? { try? body() }

  /// Returns the form of a kind at a shape.
  static func form(_ kind: ProfileKind, _ shape: [Double]) throws -> any RadialForm {
    let form = try #require(kind.makeForm(indices: 0.1...20))
    #expect(
      (shape + [0]).withUnsafeBufferPointer { $0.baseAddress.map { form.update($0) } } == true)
    return form
  }

  /// Returns groups of four of the transform or the density.
  static func groups(
    _ form: any RadialForm, _ places: [Double], shape k: Int = 0, isTransform: Bool
  ) -> [[Double]] {
    var out = [Double](repeating: .nan, count: 4 * places.count)
    if isTransform {
      form.transform(at: places, count: places.count, shape: k, into: &out)
    } else {
      form.density(at: places, count: places.count, shape: k, into: &out)
    }
    return places.indices.map { Array(out[4 * $0..<4 * $0 + 4]) }
  }

  @Test("Spergel's and Moffat's profiles agree with quadratures and Bessel functions in 20 digits")
  func golden() throws {
    let golden = try PixelTestSupport.golden("radial_forms", as: Golden.self)
    for c in golden.cases {
      let form = try Self.form(c.kind == "moffat" ? .moffat : .spergel, [c.shape])
      let densities = Self.groups(form, golden.radii.map { $0 * $0 }, isTransform: false)
      let transforms = Self.groups(form, golden.frequencies.map { $0 * $0 }, isTransform: true)
      for (i, z) in golden.radii.enumerated() {
        // Sums of a hundred terms, half-light radii from Newton's method: some 1e-13, relatively.
        #expect(abs(densities[i][0] / c.density[i] - 1) < 1e-11, "\(c.kind) \(c.shape) z \(z)")
        #expect(abs(form.outside(z).share - c.outside[i]) < 1e-12, "\(c.kind) \(c.shape) z \(z)")
        #expect(abs(form.logDensity(z * z).value - log(c.density[i])) < 1e-10)
      }
      for (i, kappa) in golden.frequencies.enumerated() {
        #expect(
          abs(transforms[i][0] - c.transform[i]) < 1e-11, "\(c.kind) \(c.shape) kappa \(kappa)")
      }
    }
  }

  /// Kinds with a shape.
  static let shaped: [(kind: ProfileKind, shape: [Double])] = {
    var list: [(ProfileKind, [Double])] = [
      (.sersic, [0.4]), (.sersic, [3.7]), (.gaussian, []), (.spergel, [-0.85]), (.spergel, [-0.3]),
      (.spergel, [0.001]), (.spergel, [0.5]), (.spergel, [3.3]), (.moffat, [1.3]),
      (.moffat, [2.0]), (.moffat, [4.7]), (.moffat, [30]),
    ]
    if let profile = userSersic { list += [(.radial(profile), [1]), (.radial(profile), [2.6])] }
    if let profile = broken { list.append((.radial(profile), [1.7, 2.5])) }
    if let profile = userSpergel { list += [(.radial(profile), [0.5]), (.radial(profile), [1.4])] }
    return list
  }()

  @Test("the derivatives of all forms agree with finite differences", arguments: shaped.indices)
  func derivatives(index: Int) throws {
    let (kind, shape) = Self.shaped[index]
    let form = try Self.form(kind, shape)
    let places = [0.02, 0.4, 1, 3, 17.0]
    let h = 1e-4
    for isTransform in [false, true] {
      func values(_ form: any RadialForm, _ factor: Double) -> [Double] {
        Self.groups(form, places.map { $0 * factor }, isTransform: isTransform).map { $0[0] }
      }
      let here = Self.groups(form, places, isTransform: isTransform)
      let (up, down) = (values(form, 1 + h), values(form, 1 - h))
      for (i, place) in places.enumerated() {
        let slope = (up[i] - down[i]) / (2 * h * place)
        // Central differences: h² of third derivatives, and roundings of 1e-13 over h; relative to the function there.
        let scale = abs(here[i][0]) / place + 1e-3 * abs(here[i][1])
        #expect(
          abs(here[i][1] - slope) < 3e-6 * max(scale, 1e-4),
          "\(kind.name) \(shape) at \(place): \(here[i][1]), \(slope)")
      }
      for k in shape.indices {
        var (more, less) = (shape, shape)
        let step = 1e-4 * max(abs(shape[k]), 0.1)
        more[k] += step
        less[k] -= step
        let above = Self.groups(try Self.form(kind, more), places, isTransform: isTransform)
        let below = Self.groups(try Self.form(kind, less), places, isTransform: isTransform)
        let analytic = Self.groups(form, places, shape: k, isTransform: isTransform)
        for (i, place) in places.enumerated() {
          for part in 0..<2 {
            let change = (above[i][part] - below[i][part]) / (2 * step)
            let unit = part == 0 ? 1 : 1 / place
            #expect(
              abs(analytic[i][2 + part] - change)
                < 1e-5 * max((abs(change) + abs(here[i][part])), 1e-4 * unit),
              "\(kind.name) \(shape) by \(k) at \(place), part \(part): \(analytic[i]), \(change)")
          }
        }
      }
    }
    for z in [0.1, 1, 4.0] {
      let (share, byLogZ) = form.outside(z)
      let difference = (form.outside(z * (1 + h)).share - form.outside(z * (1 - h)).share) / (2 * h)
      #expect(abs(byLogZ - difference) < 1e-6, "\(kind.name) \(shape) outside \(z)")
      // What is outside is the integral of the density: its change is −2π ρ z².
      let density = Self.groups(form, [z * z], isTransform: false)[0][0]
      #expect(abs(byLogZ + 2 * Double.pi * z * z * density) < 1e-8, "\(kind.name) \(shape) at \(z)")
      #expect(share >= 0 && share <= 1)
      for k in shape.indices {
        var (more, less) = (shape, shape)
        let step = 1e-4 * max(abs(shape[k]), 0.1)
        more[k] += step
        less[k] -= step
        let (above, below) = try (Self.form(kind, more), Self.form(kind, less))
        let change = (above.outside(z).share - below.outside(z).share) / (2 * step)
        #expect(
          abs(form.outsideSlope(z, shape: k) - change) < 1e-6,
          "\(kind.name) \(shape) by \(k) at \(z)")
      }
    }
    // Half of the light lies inside z = 1: the tables' cells and roots are good to 1e-10.
    #expect(abs(form.outside(1).share - 0.5) < 1e-9, "\(kind.name) \(shape)")
  }

  @Test("a user's functions give the profiles that they are, from one view or the other")
  func tabulated() throws {
    let sersic = try #require(Self.userSersic)
    let spergel = try #require(Self.userSpergel)
    let pairs: [(any RadialForm, any RadialForm, String)] = try [
      (Self.form(.radial(sersic), [0.5]), Self.form(.gaussian, []), "n 0.5"),
      (Self.form(.radial(sersic), [1.6]), Self.form(.sersic, [1.6]), "n 1.6"),
      (Self.form(.radial(sersic), [4]), Self.form(.deVaucouleurs, []), "n 4"),
      (Self.form(.radial(spergel), [0.5]), Self.form(.exponential, []), "nu 0.5"),
      (Self.form(.radial(spergel), [1.3]), Self.form(.spergel, [1.3]), "nu 1.3"),
    ]
    let places = (0..<40).map { pow(10, -5 + 0.2 * Double($0)) }
    for (found, expected, name) in pairs {
      for isTransform in [false, true] {
        let a = Self.groups(found, places, isTransform: isTransform)
        let b = Self.groups(expected, places, isTransform: isTransform)
        for (i, place) in places.enumerated() {
          // Interpolation and roundings of 1e-12 of the central density.
          let scale = isTransform ? 1 : max(abs(b[i][0]), 1e-3)
          #expect(abs(a[i][0] - b[i][0]) < 1e-9 * scale, "\(name) at \(place)")
        }
      }
      for z in [0.01, 0.5, 2, 9.0] {
        #expect(abs(found.outside(z).share - expected.outside(z).share) < 1e-9, "\(name) at \(z)")
      }
    }
  }

  @Test("functions without a finite, smooth light are refused with the reason")
  func refusals() {
    func kind(_ body: () throws -> RadialProfile) -> RenderingError.Kind? {
      do {
        _ = try body()
        return nil
      } catch {
        return (error as? RenderingError)?.kind
      }
    }
    // Infinite flux; a negative one; a kink; an overflow; a transform that is not one at 0.
    #expect(kind { try RadialProfile("wide") { z, _ in 1 / (1 + square(z)) } } == .invalidProfile)
    #expect(kind { try RadialProfile("dark") { z, _ in -exp(-z) } } == .invalidProfile)
    #expect(
      kind { try RadialProfile("edge") { z, _ in maximum(1 - z, 0) } } == .invalidProfile)
    #expect(kind { try RadialProfile("nan") { z, _ in log(-z) } } == .invalidProfile)
    #expect(
      kind { try RadialProfile.byTransform("none") { kappa, _ in square(kappa) * exp(-kappa) } }
        == .invalidProfile)
    // A brightness and the transform of another one.
    #expect(
      kind {
        try RadialProfile(
          "both", brightness: { z, _ in exp(-square(z)) },
          transform: { kappa, _ in exp(-square(kappa)) })
      } == .invalidProfile)
    #expect(
      kind {
        try RadialProfile(
          "both", brightness: { z, _ in exp(-square(z)) },
          transform: { kappa, _ in exp(-0.25 * square(kappa)) })
      } == nil)
  }
}
