// SPDX-License-Identifier: MIT
//
// SourceProperties in the default style: known galaxies, invariances, masks, neighbours, and warnings.

import Foundation
import GalaxyFitting
import GalaxyModels
import Testing

/// Returns the difference of two angles with period π.
private func angleDifference(_ a: Double, _ b: Double) -> Double {
  0.5 * atan2(sin(2 * (a - b)), cos(2 * (a - b)))
}

/// The codes of the warnings of a measurement.
private func codes(_ properties: SourceProperties) -> Set<String> {
  Set(properties.warnings.map(\.code))
}

/// Guesses against galaxies that are known in closed form.
@Suite("Source properties in the default style")
struct SourcePropertiesTests {
  @Test(
    "guesses of a Gaussian galaxy are its parameters, without sky and PSF",
    arguments: [0.0, 0.4, 1.2, 2.0, 3.0], [0.15, 0.45, 0.75])
  func knownGalaxy(theta: Double, ellip: Double) throws {
    let galaxy = GaussianGalaxy(ellip: ellip, theta: theta)
    let found = SourceProperties(try TestFrame([galaxy], sky: 0.3).image())
    #expect(found.isDetected)
    // Signal to noise is some 150: a centre is good to σ/(S/N) = 0.03, an ellipticity and an angle to a few 0.01.
    #expect(abs(found.xc - galaxy.x) < 0.1 && abs(found.yc - galaxy.y) < 0.1)
    // Flux outside the last ring, noise, and the sky's error: within 3 %.
    #expect(abs(found.flux - galaxy.flux) < 0.03 * galaxy.flux)
    #expect(abs(found.flux - galaxy.flux) < 5 * found.fluxError)
    // Rings of half a pixel and a twelfth of the radius give radii to 3 %.
    #expect(abs(found.rEff - galaxy.rEff) < 0.04 * galaxy.rEff)
    #expect(abs(found.ellip - ellip) < 0.04)
    #expect(abs(angleDifference(found.theta, theta)) < 0.02 / ellip)
    #expect(found.theta >= 0 && found.theta < .pi)
    // 1500 border pixels of rms 0.05.
    #expect(abs(found.sky - 0.3) < 0.007 && abs(found.skyError - 0.05) < 0.005)
    #expect(found.warnings.isEmpty, "\(found.warnings)")
  }

  @Test("the unit of the image and a constant do not change the guesses", arguments: [1e-20, 1e6])
  func unit(factor: Double) throws {
    var frame = TestFrame([GaussianGalaxy()], sky: 0.3)
    frame.maskDisk(x: 47, y: 41, radius: 3)
    let before = SourceProperties(try frame.image())
    let after = SourceProperties(try frame.scaled(by: factor, plus: 7 * factor).image())
    // Rounding of the added constant, 7e-16 of a sky of 7, against a noise of 0.05, 1e-14; sums of 1e4 pixels.
    let tolerance = 1e-9
    #expect(abs(after.flux / factor - before.flux) < tolerance * before.flux)
    #expect(abs(after.fluxError / factor - before.fluxError) < tolerance * before.fluxError)
    #expect(abs(after.rEff - before.rEff) < tolerance * before.rEff)
    #expect(abs(after.xc - before.xc) < tolerance && abs(after.yc - before.yc) < tolerance)
    #expect(abs(after.ellip - before.ellip) < tolerance)
    #expect(abs(after.theta - before.theta) < tolerance)
    #expect(abs(after.sky / factor - 7 - before.sky) < tolerance)
    #expect(abs(after.skyError / factor - before.skyError) < tolerance)
    #expect(after.findings.map(\.code) == before.findings.map(\.code))
  }

  @Test("a quarter turn and mirror images move the guesses as they move the galaxy")
  func orientation() throws {
    let frame = TestFrame([GaussianGalaxy(theta: 0.7)], width: 81, height: 71, sky: 0.1)
    let w = frame.width
    let h = frame.height
    let before = SourceProperties(try frame.image())
    // Counter-clockwise by a quarter: (x, y) → (h − 1 − y, x).
    let turned = SourceProperties(
      try frame.moved(width: h, height: w) { (h - 1 - $1, $0) }.image())
    let mirrored = SourceProperties(
      try frame.moved(width: w, height: h) { (w - 1 - $0, $1) }.image())
    let flipped = SourceProperties(
      try frame.moved(width: w, height: h) { ($0, h - 1 - $1) }.image())
    // Sums in another order only; the iterations stop at 1e-3.
    let tolerance = 1e-6
    #expect(abs(turned.xc - (Double(h - 1) - before.yc)) < tolerance)
    #expect(abs(turned.yc - before.xc) < tolerance)
    #expect(abs(angleDifference(turned.theta, before.theta + .pi / 2)) < tolerance)
    #expect(abs(mirrored.xc - (Double(w - 1) - before.xc)) < tolerance)
    #expect(abs(angleDifference(mirrored.theta, -before.theta)) < tolerance)
    #expect(abs(flipped.yc - (Double(h - 1) - before.yc)) < tolerance)
    #expect(abs(angleDifference(flipped.theta, -before.theta)) < tolerance)
    for other in [turned, mirrored, flipped] {
      #expect(abs(other.flux - before.flux) < tolerance * before.flux)
      #expect(abs(other.rEff - before.rEff) < tolerance * before.rEff)
      #expect(abs(other.ellip - before.ellip) < tolerance)
    }
  }

  @Test("rebinned by two, flux and shape stay and lengths are halved")
  func rebinned() throws {
    let frame = TestFrame([GaussianGalaxy(sigma: 6)], width: 120, height: 120, noise: 0.02)
    var binned = frame
    binned.width = 60
    binned.height = 60
    binned.science = (0..<3600).map { i in
      let j = 2 * (i / 60) * 120 + 2 * (i % 60)
      return frame.science[j] + frame.science[j + 1] + frame.science[j + 120]
        + frame.science[j + 121]
    }
    binned.rms = [Double](repeating: 0.04, count: 3600)
    binned.mask = [Bool](repeating: false, count: 3600)
    binned.psf = GaussianGalaxy(psfSigma: 0.75).psf()
    let fine = SourceProperties(try frame.image())
    let coarse = SourceProperties(try binned.image())
    // Other rings and other windows: as good as the guesses themselves, and pixels twice as wide.
    #expect(abs(coarse.flux - fine.flux) < 0.03 * fine.flux)
    #expect(abs(2 * coarse.rEff - fine.rEff) < 0.05 * fine.rEff)
    #expect(abs(2 * coarse.xc + 0.5 - fine.xc) < 0.15 && abs(2 * coarse.yc + 0.5 - fine.yc) < 0.15)
    #expect(abs(coarse.ellip - fine.ellip) < 0.05)
    #expect(abs(angleDifference(coarse.theta, fine.theta)) < 0.05)
  }

  @Test("masks over parts of the galaxy leave the guesses near the truth")
  func masked() throws {
    let galaxy = GaussianGalaxy()
    for (x, y, radius) in [(46.0, 43.0, 4.0), (36.0, 36.0, 3.0), (40.0, 40.0, 2.0), (42, 38, 3.5)] {
      var frame = TestFrame([galaxy])
      frame.maskDisk(x: x, y: y, radius: radius)
      // Whatever lies under a mask must not matter.
      for i in frame.mask.indices where frame.mask[i] { frame.science[i] = 1e5 }
      let found = SourceProperties(try frame.image())
      #expect(abs(found.xc - galaxy.x) < 0.6 && abs(found.yc - galaxy.y) < 0.6)
      // Rings stand in for the masked part; in the core the ring outside does, which is lower.
      #expect(abs(found.flux - galaxy.flux) < 0.1 * galaxy.flux)
      #expect(abs(found.rEff - galaxy.rEff) < 0.15 * galaxy.rEff)
    }
  }

  @Test("a masked peak is warned of")
  func maskedPeak() throws {
    var frame = TestFrame([GaussianGalaxy()])
    frame.maskDisk(x: 40, y: 40, radius: 2)
    #expect(codes(SourceProperties(try frame.image())).contains("peak-masked"))
  }

  @Test(
    "a brighter neighbour is not taken for the source",
    arguments: [(62.0, 58.0), (54.0, 48.0), (40.0, 57.0)])
  func neighbour(x: Double, y: Double) throws {
    let galaxy = GaussianGalaxy(flux: 200, sigma: 2.5)
    let bright = GaussianGalaxy(x: x, y: y, flux: 2000, sigma: 3, ellip: 0.1)
    let found = SourceProperties(try TestFrame([galaxy, bright]).image())
    #expect(abs(found.xc - galaxy.x) < 0.5 && abs(found.yc - galaxy.y) < 0.5)
    // The prior of the flux is 50 % wide, that of the size a factor of 2; wings of the neighbour remain.
    #expect(abs(found.flux - galaxy.flux) < 0.5 * galaxy.flux)
    #expect(abs(log(found.rEff / galaxy.rEff)) < 0.5)
    #expect(codes(found).contains("neighbours-unmasked"))
  }

  @Test("a position chooses the source")
  func position() throws {
    let galaxy = GaussianGalaxy(flux: 200, sigma: 2.5)
    let other = GaussianGalaxy(x: 62, y: 58, flux: 300, sigma: 3, ellip: 0.1)
    let image = try TestFrame([galaxy, other]).image()
    let found = SourceProperties(image, position: ImagePoint(x: 61, y: 60))
    // Signal to noise of some 90.
    #expect(abs(found.xc - 62) < 0.3 && abs(found.yc - 58) < 0.3)
    #expect(abs(found.flux - 300) < 30)
  }

  @Test("far from the middle of the frame the nearest source is taken, with a warning")
  func farSource() throws {
    let image = try TestFrame([GaussianGalaxy(x: 70, y: 12, flux: 200, sigma: 2.5)]).image()
    let found = SourceProperties(image)
    #expect(found.isDetected && abs(found.xc - 70) < 0.5 && abs(found.yc - 12) < 0.5)
    let word = try #require(found.findings.first { $0.code == "source-elsewhere" })
    #expect(word.severity == .warning && word.message.contains("middle of the frame"))
    let given = SourceProperties(image, position: ImagePoint(x: 40, y: 40))
    #expect(!given.isDetected && codes(given).contains("source-not-detected"))
  }

  @Test("every guess can be set, and widths follow as the style has them")
  func setting() throws {
    let image = try TestFrame([GaussianGalaxy()]).image()
    let ours = SourceProperties(image).setting(xc: 1, flux: 9, rEff: 4, ellip: 0.5, sky: 2)
    #expect(ours.xc == 1 && ours.flux == 9 && ours.rEff == 4 && ours.ellip == 0.5 && ours.sky == 2)
    #expect(ours.rEffError == 0.7 * 4 && ours.fluxError == SourceProperties(image).fluxError)
    let theirs = SourceProperties(image, style: .pysersic)
      .setting(yc: 3, flux: 9, rEff: 4, rEffError: 1, theta: 2, skyError: 5)
    #expect(theirs.yc == 3 && theirs.fluxError == 6 && theirs.rEffError == 1)
    #expect(theirs.theta == 2 && theirs.skyError == 5)
  }

  @Test("an empty frame gives finite guesses of a window, and says so")
  func empty() throws {
    for sky in [0.0, -3.0] {
      let found = SourceProperties(try TestFrame([], sky: sky).image())
      #expect(!found.isDetected && codes(found).contains("source-not-detected"))
      #expect(abs(found.flux) < 5 * found.fluxError)
      #expect(found.xc == 40 && found.yc == 40 && found.rEff > 0.3 && found.rEff < 20)
      #expect(found.fluxError > 0 && found.skyError > 0)
    }
  }

  @Test("a hole where the source should be has a negative flux, and says so")
  func negative() throws {
    let found = SourceProperties(try TestFrame([GaussianGalaxy(flux: -300)], sky: 1).image())
    #expect(found.flux < 0 && codes(found).contains("flux-not-positive"))
    #expect(found.rEff > 0 && found.xc.isFinite)
  }

  @Test("a faint source is warned of")
  func faint() throws {
    let galaxy = GaussianGalaxy(flux: 4, sigma: 2)
    let found = SourceProperties(try TestFrame([galaxy]).image())
    #expect(found.isDetected && codes(found).contains("low-signal"))
    #expect(hypot(found.xc - galaxy.x, found.yc - galaxy.y) < 2)
  }

  @Test("a frame that ends in the galaxy is warned of, and so is its light at the border")
  func smallFrame() throws {
    let galaxy = GaussianGalaxy(x: 20, y: 20, flux: 5000, sigma: 9, ellip: 0.2)
    let found = SourceProperties(try TestFrame([galaxy], width: 41, height: 41).image())
    #expect(codes(found).isSuperset(of: ["frame-small", "border-light"]))
    #expect(found.flux > 0.3 * galaxy.flux && found.flux < galaxy.flux)
  }

  @Test("a sky inside the flux of pysersic's priors is warned of, above and below zero")
  func skyInFlux() throws {
    let galaxy = GaussianGalaxy(flux: 500)
    for (sky, isWarned) in [(0.0, false), (0.1, true), (100, true), (-50, true)] {
      let image = try TestFrame([galaxy], sky: sky).image()
      let found = SourceProperties(image, style: .pysersic)
      #expect(codes(found).contains("flux-holds-sky") == isWarned, "sky \(sky)")
      #expect(!codes(SourceProperties(image)).contains("flux-holds-sky"))
    }
  }

  @Test(
    "an image without noise, without PSF, of a few pixels, or all of one value gives finite guesses"
  )
  func degenerate() throws {
    var frames = [TestFrame([GaussianGalaxy()], noise: 0)]
    frames[0].rms = frames[0].rms.map { _ in 0.01 }
    for (w, h) in [(1, 1), (2, 3), (7, 5), (31, 4)] {
      var frame = TestFrame([GaussianGalaxy(x: 1, y: 1)], width: w, height: h)
      frame.psf = nil
      frames.append(frame)
    }
    var flat = TestFrame([], noise: 0)
    flat.rms = flat.rms.map { _ in 0.01 }
    frames.append(flat)
    for frame in frames {
      for style in PriorStyle.allCases {
        let found = SourceProperties(try frame.image(), style: style)
        let numbers = [
          found.xc, found.yc, found.flux, found.fluxError, found.rEff, found.ellip, found.theta,
          found.sky, found.skyError,
        ]
        #expect(numbers.allSatisfy { $0.isFinite }, "\(frame.width) × \(frame.height): \(numbers)")
        #expect(found.rEff > 0)
      }
    }
  }

  @Test("a position outside the frame is kept, and warned of")
  func outside() throws {
    let found = SourceProperties(
      try TestFrame([GaussianGalaxy()]).image(), position: ImagePoint(x: -30, y: 40))
    #expect(found.xc == -30 && codes(found).contains("position-outside"))
  }

  @Test(
    "Sérsic galaxies of n 1 to 8 are found with a size within the prior", arguments: [1.0, 2, 4, 8])
  func sersic(n: Double) throws {
    // As drawn, the softened peak is what is given: the half-light radius is re for any n.
    let scene = TestScene(
      name: "n", width: 201, height: 201,
      sources: [
        .init(x: 100.4, y: 99.7, peak: exp(2 * n - 1.0 / 3), re: 6, n: n, q: 0.6, theta: 1)
      ], sky: 0.2, sigma: 0.02, seed: 3, holes: [])
    let found = SourceProperties(try scene.image())
    // The prior of log r_eff has a width of 0.7; light beyond the frame and below the noise is missed for large n.
    #expect(abs(log(found.rEff / 6)) < 0.7, "r_eff \(found.rEff)")
    #expect(abs(found.ellip - 0.4) < 0.15 && abs(angleDifference(found.theta, 1)) < 0.1)
  }
}
