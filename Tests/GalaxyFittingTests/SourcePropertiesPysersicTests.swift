// SPDX-License-Identifier: MIT
//
// SourceProperties in pysersic's style against photutils and astropy.

import Foundation
import GalaxyFitting
import GalaxyModels
import Testing

/// Golden numbers of photutils.
@Suite("Source properties in pysersic's style")
struct SourcePropertiesPysersicTests {
  @Test("guesses on simulated scenes are photutils'", arguments: try GoldenScenes.load().cases)
  func golden(scene: TestScene) throws {
    let expected = try #require(scene.expected)
    let found = SourceProperties(try scene.image(), style: .pysersic)
    // The algorithms are the same; sums in another order and the root finder differ in the last digits only.
    let tolerance = 1e-6
    #expect(abs(found.flux - expected.segment_flux) <= tolerance * abs(expected.segment_flux))
    #expect(abs(found.fluxError - 2 * abs(expected.segment_flux).squareRoot()) <= 1e-4)
    #expect(abs(found.rEff - expected.r_eff) <= tolerance * expected.r_eff)
    #expect(abs(found.rEffError - 2 * expected.r_eff.squareRoot()) <= tolerance * expected.r_eff)
    #expect(abs(found.xc - expected.xc) <= tolerance)
    #expect(abs(found.yc - expected.yc) <= tolerance)
    #expect(abs(found.sky - expected.sky) <= 1e-12)
    let skyError = 2 * expected.sky_scale / Double(expected.sky_count).squareRoot()
    #expect(abs(found.skyError - skyError) <= tolerance * skyError + 1e-15)
    // theta from +y is the angle from +x less a right angle; both have period π.
    let angle = expected.orientation_degrees * .pi / 180 - found.theta
    #expect(abs(cos(angle)) < 1e-5)
  }

  @Test("a negative total flux gives the guess 0 with the error of its size, as in pysersic")
  func negativeFlux() throws {
    var frame = TestFrame([], noise: 0.05)
    frame.science = frame.science.map { $0 - 0.5 }
    let found = SourceProperties(try frame.image(), style: .pysersic)
    let total = frame.science.reduce(0, +)
    #expect(found.flux == 0)
    // Two sums of the same numbers.
    #expect(abs(found.fluxError - 2 * abs(total).squareRoot()) < 1e-9)
    #expect(found.rEff > 0 && found.xc.isFinite && found.yc.isFinite)
    #expect(found.findings.contains { $0.code == "catalogue-guess" })
  }

  @Test("a position that is given is the guess of the centre")
  func position() throws {
    let frame = TestFrame([GaussianGalaxy()])
    let found = SourceProperties(
      try frame.image(), style: .pysersic, position: ImagePoint(x: 38, y: 41))
    #expect(found.xc == 38 && found.yc == 41)
  }
}
