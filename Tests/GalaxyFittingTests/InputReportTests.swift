// SPDX-License-Identifier: MIT
//
// The examination of inputs: each doubtful input is found, and good ones are not remarked on.

import Foundation
import GalaxyFitting
import GalaxyModels
import Testing

/// What `sersic check` would say.
@Suite("Input report")
struct InputReportTests {
  /// Returns the codes of a frame's findings.
  private func codes(_ frame: TestFrame) throws -> Set<String> {
    Set(InputReport(try frame.image()).findings.map(\.code))
  }

  @Test("good inputs have nothing to remark on")
  func good() throws {
    let report = InputReport(try TestFrame([GaussianGalaxy(flux: 60)]).image())
    #expect(report.findings.isEmpty, "\(report)")
    #expect(report.isUsable && report.properties?.isDetected == true)
    let noise = try #require(report.noise)
    // Some 4000 blank pixels: scatter to 0.012, correlation to 0.012.
    #expect(abs(noise.scatter - 1) < 0.06 && abs(noise.correlation) < 0.06)
    #expect(report.description == "nothing to remark on")
  }

  @Test("a sky that is not zero, and one that slopes, are noted")
  func sky() throws {
    #expect(try codes(TestFrame([GaussianGalaxy(flux: 60)], sky: 0.2)) == ["sky-level"])
    var sloping = TestFrame([GaussianGalaxy(flux: 60)])
    for i in sloping.science.indices { sloping.science[i] += 0.002 * Double(i / 81 - 40) }
    #expect(try codes(sloping).contains("sky-slope"))
  }

  @Test("an rms of another scale than the scatter is warned of")
  func scale() throws {
    for factor in [0.5, 2.0] {
      var frame = TestFrame([GaussianGalaxy(flux: 60)])
      frame.rms = frame.rms.map { $0 * factor }
      let report = InputReport(try frame.image())
      #expect(report.warnings.contains { $0.code == "rms-scale" }, "\(report)")
      #expect(abs((report.noise?.scatter ?? 0) * factor - 1) < 0.06)
    }
  }

  @Test("noise that was smoothed is seen to be correlated")
  func correlated() throws {
    var frame = TestFrame([GaussianGalaxy(flux: 60)], noise: 0)
    let raw = TestFrame([], noise: 0.05)
    for y in 0..<81 {
      for x in 0..<81 {
        let i = y * 81 + x
        let right = y * 81 + min(x + 1, 80)
        // The mean of two neighbours, scaled back to the same rms: a correlation of 1/2 in x, 0 in y.
        frame.science[i] += (raw.science[i] + raw.science[right]) / 2.0.squareRoot()
        frame.rms[i] = 0.05
      }
    }
    let report = InputReport(try frame.image())
    #expect(report.warnings.contains { $0.code == "noise-correlated" }, "\(report)")
    // Mean of 1/2 and 0, less the outliers that are left out.
    #expect(abs((report.noise?.correlation ?? 0) - 0.25) < 0.05)
  }

  @Test("an rms without the source's photon noise is noted, one with it is not")
  func photons() throws {
    var frame = TestFrame([GaussianGalaxy(flux: 1500)])
    #expect(try codes(frame) == ["rms-flat"])
    frame.rms = frame.science.indices.map {
      (0.0025 + max(0, frame.science[$0]) * 0.01).squareRoot()
    }
    #expect(try !codes(frame).contains("rms-flat"))
  }

  @Test("inputs that cannot be used give a report with the error")
  func unusable() {
    let report = InputReport { throw ObservedImageError(.pointSpreadSum(0), subject: "psf.fits") }
    #expect(!report.isUsable && report.findings.first?.subject == "psf.fits")
  }
}
