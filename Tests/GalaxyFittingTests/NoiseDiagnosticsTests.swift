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
      (science, rms) = smoothed(science, rms, width: width, height: height)
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

  /// Returns an image whose pixels are means of two by two of another, and their rms, half of that.
  private func smoothed(
    _ science: [Double], _ rms: [Double], width: Int, height: Int
  ) -> (science: [Double], rms: [Double]) {
    let means = science.indices.map { k in
      let (x, y) = (k % width, k / width)
      let (right, up) = (min(x + 1, width - 1), min(y + 1, height - 1))
      return
        (science[k] + science[y * width + right] + science[up * width + x]
        + science[up * width + right]) / 4
    }
    return (means, rms.map { $0 * 0.5 })
  }

  @Test("white noise that a fit leaves is taken for correlated once in 15 000 images")
  func whiteResiduals() throws {
    let scene = try Scene(flux: 170, "gaussian:0.05")
    let rms = scene.noise.rms(of: scene.model)
    let count = 1000
    var (alarms, deviations) = (0, [Double]())
    for seed in 0..<count {
      let science = scene.noise.applied(to: scene.model, key: RandomKey(43).folding(in: seed))
      let image = try ObservedImage(
        width: 81, height: 79, science: science, rms: rms, psf: .moffat(fwhm: 3, beta: 3))
      let found = try #require(NoiseCorrelation(image, model: scene.model))
      if found.finding(subject: "image") != nil { alarms += 1 }
      deviations.append(found.value / found.error)
    }
    // Four standard errors: 6.3e-5 an image, 0.06 alarms in all; two or more come by chance once in 500 runs. With three standard
    // errors there would be three of them.
    #expect(alarms <= 1, "\(alarms) of \(count)")
    // That holds as far as the deviations are standard normal ones: mean ± 0.032, mean square 1 ± 0.045; four of each, and what a
    // plane and a clip take off.
    let mean = deviations.reduce(0, +) / Double(count)
    let square = deviations.reduce(0) { $0 + $1 * $1 } / Double(count)
    #expect(abs(mean) < 0.25, "\(mean)")
    #expect(abs(square - 1) < 0.2, "\(square)")
  }

  @Test("fits of one source, of several and of bands warn of correlated noise, not of white noise")
  func fits() throws {
    let (width, height) = (81, 79)
    let scene = try Scene(flux: 170, "gaussian:0.05")
    /// Returns an image with noise that is correlated or not.
    func image(_ seed: Int, isCorrelated: Bool) throws -> ObservedImage {
      let plain = scene.noise.applied(to: scene.model, key: RandomKey(47).folding(in: seed))
      let rms = scene.noise.rms(of: scene.model)
      let (science, own) =
        isCorrelated
        ? smoothed(plain, rms, width: width, height: height) : (science: plain, rms: rms)
      return try ObservedImage(
        width: width, height: height, science: science, noise: .rms(own),
        psf: .moffat(fwhm: 3, beta: 3), names: InputNames(science: "image.fits"))
    }
    /// Returns what the warnings of correlated noise are about.
    func subjects(_ findings: [InputFinding]) -> [String] {
      findings.filter { $0.code == "noise-correlated" }.map(\.subject)
    }
    for seed in 0..<20 {
      for isCorrelated in [false, true] {
        let image = try image(seed, isCorrelated: isCorrelated)
        let best = try FitSingle(image, prior: autoprior(image, .sersic)).findMAP()
        #expect(subjects(best.findings) == (isCorrelated ? ["image.fits"] : []), "\(seed)")
      }
    }
    let correlated = try image(1, isCorrelated: true)
    let catalog = SourceCatalog([CatalogSource(x: 40, y: 39, flux: 170, radius: 6)])
    let many = try FitMulti(correlated, prior: catalog.prior(in: correlated)).findMAP()
    #expect(subjects(many.findings) == ["image.fits"])
    let bands = [Band("g", try image(2, isCorrelated: false)), Band("r", correlated)]
    let result = try BandsResult(FitMultiBand(bands, prior: autoprior(bands, .sersic)).findMAP())
    #expect(subjects(result.findings) == ["band r"])
  }

  @Test("what a fit leaves of an image without noise is none")
  func noNoise() throws {
    let scene = try Scene(flux: 170, "gaussian:0.05")
    let image = try ObservedImage(
      width: 81, height: 79, science: scene.model, rms: scene.noise.rms(of: scene.model),
      psf: .moffat(fwhm: 3, beta: 3))
    let best = try FitSingle(image, prior: autoprior(image, .sersic)).findMAP()
    #expect(!best.findings.contains { $0.code == "noise-correlated" })
  }

  @Test("of a large image the part around the source is enough")
  func largeImage() throws {
    let (width, height) = (700, 500)
    let key = RandomKey(53)
    let plain = (0..<(width * height)).map { key.normal(UInt64($0)) }
    let unit = plain.map { _ in 1.0 }
    let blank = plain.map { _ in 0.0 }
    let (science, rms) = smoothed(plain, unit, width: width, height: height)
    let place = ImagePoint(x: 690, y: 3)
    for (pixels, noise, isCorrelated) in [(plain, unit, false), (science, rms, true)] {
      let image = try ObservedImage(width: width, height: height, science: pixels, rms: noise)
      let found = try #require(NoiseCorrelation(image, model: blank, near: place))
      #expect((found.finding(subject: "image") != nil) == isCorrelated)
      // 256 × 256 pixels and two neighbours each: 0.003; all of them would give 0.0012.
      #expect(found.error > 0.0025 && found.error < 0.0035, "\(found.error)")
      #expect(abs(found.value - (isCorrelated ? 0.5 : 0)) < 0.02, "\(found.value)")
    }
  }

  @Test("a sloping sky is neither noise nor correlation")
  func slope() throws {
    let reports = try Scene(flux: 17, "gaussian:0.05").reports { science, _ in
      for i in science.indices { science[i] += 0.002 * Double(i % 81) }
    }
    #expect(alarms(reports).isEmpty, "\(alarms(reports))")
  }

  @Test("what a wrong model leaves is neither noise of photons nor correlated noise")
  func misfit() throws {
    let bulge = Sersic(xc: 60, yc: 55, flux: 300, rEff: 3, n: 2.5, ellip: 0.1, theta: 0.6)
    let disk = Exponential(xc: 60, yc: 55, flux: 700, rEff: 12, ellip: 0.5, theta: 0.6)
    let star = PointSource(xc: 60, yc: 55, flux: 60)
    let galaxies = [
      bulge.lightProfile.components + disk.lightProfile.components,
      disk.lightProfile.components + star.lightProfile.components,
    ]
    for (number, components) in galaxies.enumerated() {
      let (width, height) = (121, 111)
      let clean = try FitSingleTests.clean(LightProfile(components), width: width, height: height)
      for seed in 0..<5 {
        let key = RandomKey(61).folding(in: number).folding(in: seed)
        let science = clean.enumerated().map { $1 + 0.02 * key.normal(UInt64($0)) }
        let image = try FitSingleTests.image(science, sigma: 0.02, width: width, height: height)
        let report = InputReport(image)
        #expect(!report.findings.contains { $0.code == "rms-no-photons" }, "\(report)")
        let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat)).findMAP()
        #expect(fit.findings.contains { $0.fitCode == .poorFit })
        #expect(!fit.findings.contains { $0.fitCode == .noiseCorrelated }, "\(fit.findings)")
      }
    }
  }
}
