// SPDX-License-Identifier: MIT
//
// The examination of the noise: known defects are found in nearly every image, and clean images raise no alarm.

import GalaxyFitting
import GalaxyModels
import Numerics
import Rendering
import Testing

@Suite("Examination of the noise")
struct NoiseDiagnosticsTests {
  /// The number of images of each sort.
  static let seeds = 100

  /// The codes of the findings about the noise.
  static let codes: Set<String> = [
    "rms-scale", "noise-correlated", "rms-no-photons", "rms-flat", "rms-scatter",
  ]

  /// A galaxy of 81 × 79 pixels with known noise.
  struct Scene {
    /// The galaxy without noise, on a sky.
    let model: [Double]
    /// The noise.
    let noise: ImageNoise

    /// Draws a galaxy.
    init(flux: Double, rEff: Double = 6, n: Double = 1.5, sky: String = "none", _ noise: String)
      throws
    {
      self.noise = try ImageNoise(noise)
      model = try ImageSimulation(
        .sersic,
        parameters: [
          "xc": 40.3, "yc": 38.8, "flux": flux, "r_eff": rEff, "n": n, "ellip": 0.3, "theta": 0.6,
        ], sky: SkyLevel(sky), width: 81, height: 79, psf: .moffat(fwhm: 3, beta: 3)
      ).model()
    }

    /// Returns the examinations of images of many seeds, changed by `change`.
    func reports(
      _ change: (inout [Double], inout [Double]) -> Void = { _, _ in }
    ) throws -> [InputReport] {
      try (0..<NoiseDiagnosticsTests.seeds).map { seed in
        var science = noise.applied(to: model, key: RandomKey(41).folding(in: seed))
        var rms = noise.rms(of: model)
        change(&science, &rms)
        return InputReport(
          try ObservedImage(
            width: 81, height: 79, science: science, rms: rms, psf: .moffat(fwhm: 3, beta: 3)))
      }
    }
  }

  /// Returns the number of examinations with a finding.
  private func count(_ reports: [InputReport], _ code: String) -> Int {
    reports.count { $0.findings.contains { $0.code == code } }
  }

  /// Returns all codes about the noise in some examinations.
  private func alarms(_ reports: [InputReport]) -> [String] {
    reports.flatMap { $0.findings.map(\.code) }.filter { Self.codes.contains($0) }
  }

  @Test("clean images raise no alarm: faint, bright, of photons, of few pixels")
  func clean() throws {
    // The peak is at 0.035 of the flux: 12 and 120 times the rms.
    #expect(try alarms(Scene(flux: 17, "gaussian:0.05").reports()).isEmpty)
    let bright = try Scene(flux: 170, "gaussian:0.05").reports()
    #expect(
      bright.allSatisfy { report in report.warnings.allSatisfy { !Self.codes.contains($0.code) } })
    // That the rms is flat is worth a note where the peak is bright: only who knows the detector can tell.
    #expect(count(bright, "rms-flat") == Self.seeds)
    let photons = try Scene(flux: 8000, sky: "flat:20", "poisson:gain=5,read=3").reports()
    #expect(alarms(photons).isEmpty, "\(alarms(photons))")
    let compact = try Scene(flux: 60, rEff: 2, n: 4, "gaussian:0.05").reports()
    #expect(
      compact.allSatisfy { report in report.warnings.allSatisfy { !Self.codes.contains($0.code) } })
  }

  @Test("the scatter of clean blank pixels is 1 within the error that is stated")
  func scatter() throws {
    let noise = try Scene(flux: 17, "gaussian:0.05").reports().compactMap(\.noise)
    #expect(noise.count == Self.seeds)
    let deviations = noise.map { ($0.scatter - 1) / $0.scatterError }
    let mean = deviations.reduce(0, +) / Double(noise.count)
    let square = deviations.reduce(0) { $0 + $1 * $1 } / Double(noise.count)
    // A hundred standard normal numbers: mean ± 0.1, mean square 1 ± 0.14; four of each, and the light of the galaxy's
    // outskirts.
    #expect(abs(mean) < 0.4, "\(mean)")
    #expect(square > 0.45 && square < 1.8, "\(square)")
    let correlations = noise.map { $0.correlation / $0.correlationError }
    let spread = correlations.reduce(0) { $0 + $1 * $1 } / Double(noise.count)
    #expect(spread > 0.45 && spread < 1.8, "\(spread)")
  }

  @Test("an rms that is a tenth too large or too small is warned of", arguments: [1.1, 1 / 1.1])
  func scale(factor: Double) throws {
    let reports = try Scene(flux: 17, "gaussian:0.05").reports { _, rms in
      for i in rms.indices { rms[i] *= factor }
    }
    // The scatter of some 4000 pixels is known to 0.011: a tenth is nine times that, the tolerance of 6 % five.
    #expect(count(reports, "rms-scale") >= 97)
    #expect(count(reports, "noise-correlated") == 0)
    for report in reports {
      let noise = try #require(report.noise)
      #expect(abs(noise.scatter * factor - 1) < 5 * noise.scatterError)
    }
  }

  @Test("noise that is correlated over two pixels is warned of, with its effect on errors")
  func correlated() throws {
    let (width, height) = (81, 79)
    let reports = try Scene(flux: 17, "gaussian:0.05").reports { science, rms in
      let raw = science
      for y in 0..<height {
        for x in 0..<width {
          let (right, up) = (min(x + 1, width - 1), min(y + 1, height - 1))
          science[y * width + x] =
            (raw[y * width + x] + raw[y * width + right] + raw[up * width + x]
              + raw[up * width + right]) / 4
        }
      }
      // The mean of four has half of the rms.
      for i in rms.indices { rms[i] *= 0.5 }
    }
    #expect(count(reports, "noise-correlated") == Self.seeds)
    let noise = reports.compactMap(\.noise)
    // Adjacent pixels share two of four: ρ = ½, diagonal ones one of four; all together 4, whose root is 2.
    let correlation = noise.reduce(0) { $0 + $1.correlation } / Double(noise.count)
    let factor = noise.reduce(0) { $0 + $1.errorFactor } / Double(noise.count)
    #expect(abs(correlation - 0.5) < 0.03, "\(correlation)")
    #expect(abs(factor - 2) < 0.15, "\(factor)")
  }

  @Test(
    "an rms that lacks the source's photon noise is warned of, with the gain",
    arguments: [8000, 200_000.0])
  func photons(flux: Double) throws {
    let scene = try Scene(flux: flux, sky: "flat:20", "poisson:gain=5,read=3")
    // √(20 · 5 + 9) electrons in blank pixels.
    let blank = (20.0 * 5 + 9).squareRoot() / 5
    let reports = try scene.reports { _, rms in
      for i in rms.indices { rms[i] = blank }
    }
    #expect(count(reports, "rms-no-photons") >= 95, "\(count(reports, "rms-no-photons"))")
    let gains = reports.compactMap { report in
      report.noise?.photonNoise.map { 1 / ($0.slope * blank) }
    }.sorted()
    // The median of a hundred, each known to a tenth or so; the quick fit takes some of the noise for light.
    let gain = gains[gains.count / 2]
    #expect(abs(gain - 5) < 0.5, "\(gain)")
  }

  @Test("a sloping sky is neither noise nor correlation")
  func slope() throws {
    let reports = try Scene(flux: 17, "gaussian:0.05").reports { science, _ in
      for i in science.indices { science[i] += 0.002 * Double(i % 81) }
    }
    #expect(alarms(reports).isEmpty, "\(alarms(reports))")
  }
}
