// SPDX-License-Identifier: MIT
//
// What results tell: quantiles, statistics, derived quantities with their formulas, LaTeX, more draws, findings as data.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Tensors
import Testing

@Suite("What results tell")
struct FitOutcomeTests {
  @Test("summary, quantiles, median and deviation are those of the draws")
  func summaries() throws {
    let result = try RecordScene.result("laplace")
    let posterior = try #require(result.posterior)
    let flux = posterior.draws.scalar("flux")
    #expect(posterior.quantiles([0.16, 0.5, 0.84])["flux"] == flux.quantiles([0.16, 0.5, 0.84]))
    #expect(try result.quantiles([0.5])["flux"] == flux.quantiles([0.5]))
    let pair = try #require(try result.mediansAndDeviations()["flux"])
    #expect(pair.median == flux.quantiles([0.5])[0])
    #expect(pair.standardDeviation == flux.standardDeviation)
    #expect(posterior.summary()["flux"]?.mean == flux.mean)
    let two = try result.summary(["magnitude", "n"], interval: .quantiles([0.5]))
    #expect(two.rows.map(\.name) == ["magnitude", "n"])
    #expect(throws: FitRecordError.self) { try result.summary(["m"]) }
  }

  @Test("any function of the draws of one parameter, or of several, is a statistic")
  func statistics() throws {
    let result = try RecordScene.result("laplace")
    let draws = try #require(result.draws)
    let flux = draws.scalar("flux").values
    #expect(try result.statistic("flux") { $0.max() } == flux.max())
    let product = try result.statistic(["flux", "n"]) { columns in
      zip(columns[0], columns[1]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    #expect(product == zip(flux, draws.scalar("n").values).reduce(0) { $0 + $1.0 * $1.1 })
    // Angles near 0 come on one branch: their spread is that of the angle, not of its wrapping.
    let spread = try result.statistic("theta") { ($0.max() ?? 0) - ($0.min() ?? 0) }
    #expect(spread < 0.6)
    #expect(throws: FitRecordError.self) { try result.statistic("mass") { $0.count } }
    #expect(throws: FitRecordError.self) { try result.best.statistic("flux") { $0.count } }
  }

  @Test("magnitudes and surface brightnesses follow from each draw by their formulas")
  func derived() throws {
    let result = try RecordScene.result("laplace")
    let draws = try #require(result.draws)
    /// Returns the draws of a parameter.
    func column(_ name: String) -> [Double] { draws.scalar(name).values }
    let (flux, rEff, n) = (column("flux"), column("r_eff"), column("n"))
    let magnitude = try result.scalar("magnitude").values
    let brightness = try result.scalar("sb_eff").values
    let mean = try result.scalar("sb_mean").values
    let mu = try result.scalar("mu_eff").values
    let arcseconds = try result.scalar("r_eff_arcsec").values
    // The header says 0.2 arcseconds a pixel, by products of rounded numbers.
    #expect(abs((result.record.report.calibration.pixelScale ?? 0) - 0.2) < 1e-12)
    for k in flux.indices {
      let area = rEff[k] * rEff[k] * (1 - 0.35)
      #expect(magnitude[k] == 25 - 2.5 * log10(flux[k]))
      #expect(abs(mean[k] / (flux[k] / (2 * .pi * area)) - 1) < 1e-14)
      // Graham & Driver 2005, eqs. 8 and 9: ⟨I⟩ / I_e = f(n) = n e^b b^(−2n) Γ(2n); b by their eq. 5's series (Ciotti & Bertin
      // 1999, eq. 18), good to 1e-6 at n = 1.4.
      let b =
        2 * n[k] - 1.0 / 3 + 4 / (405 * n[k]) + 46 / (25515 * n[k] * n[k])
        + 131 / (1_148_175 * pow(n[k], 3))
      let ratio = n[k] * exp(b) * pow(b, -2 * n[k]) * tgamma(2 * n[k])
      #expect(abs(mean[k] / brightness[k] / ratio - 1) < 1e-5)
      #expect(abs(mu[k] - (25 - 2.5 * log10(brightness[k]) + 5 * log10(0.2))) < 1e-9)
      #expect(abs(arcseconds[k] - 0.2 * rEff[k]) < 1e-12)
    }
    let other = result.record.calibrated(by: Calibration(zeroPoint: 22.5, pixelScale: 0.1))
    let shifted = try other.scalar("magnitude").values
    #expect(zip(shifted, magnitude).allSatisfy { abs($0 - ($1 - 2.5)) < 1e-12 })
    #expect(other.report["r_eff_arcsec"]?.median.map { $0 < 0.6 * arcseconds[0] } == true)
    #expect(other.report["magnitude"]?.unit == "mag")
    #expect(other.report["mu_eff"]?.unit == "mag / arcsec²")
  }

  @Test("every extended profile has a mean surface brightness that its own image confirms")
  func brightnessOfProfiles() throws {
    for profile in GalaxyProfile.allCases where profile.componentNames.count == 1 {
      let (width, height) = (161, 161)
      let rms = [Double](repeating: 1, count: width * height)
      let narrow = try PointSpreadFunction.gaussian(fwhm: 2, size: 21)
      let image = try ObservedImage(
        width: width, height: height, science: rms, rms: rms, psf: narrow)
      var prior = autoprior(image, profile, sky: .none)
      let values = [
        "xc": 80, "yc": 80, "flux": 1000, "r_eff": 20, "n": 2, "nu": 0.3, "ellip": 0.4,
        "theta": 0.5,
      ]
      for site in profile.sites { prior.guesses[site] = values[site] }
      for site in profile.sites where site != "flux" { prior.fix(site, at: values[site] ?? 0) }
      prior["flux"] = Normal(1000, 1e-6)
      let result = FitResult(try FitSingle(image, prior: prior).findMAP())
      guard profile != .pointsource else {
        #expect(result.derived.isEmpty)
        continue
      }
      let light = try profile.light(values)
      let drawn = try image.rendered(light)
      // On the half-light ellipse, 12 pixels and more from the centre, the PSF (σ = 0.85 pixels) changes a profile by
      // σ² ∇²I / 2: 0.2 % of an exponential and 1.0 % of the steepest here, de Vaucouleurs's, with a logarithmic slope of −1.9.
      var sum = (value: 0.0, count: 0.0)
      for k in drawn.indices {
        let (dx, dy) = (Double(k % width) - 80, Double(k / width) - 80)
        let u = (-sin(0.5) * dx + cos(0.5) * dy) / 20
        let v = (cos(0.5) * dx + sin(0.5) * dy) / 12
        let z = (u * u + v * v).squareRoot()
        if abs(z - 1) < 0.03 { sum = (sum.value + drawn[k], sum.count + 1) }
      }
      #expect(result.derived.isEmpty)
      let expected = try #require(
        RecordRequest(parameters: ["sb_eff"]).prepared(result.record).report["sb_eff"]
      ).map
      #expect(abs(sum.value / sum.count / expected - 1) < 0.015, "\(profile.rawValue)")
    }
  }

  @Test("bulge and disk have a share, magnitudes and brightnesses of their own")
  func doubles() throws {
    let image = try RecordScene.image()
    let result = FitResult(
      try FitSingle(image, prior: autoprior(image, .sersicExp, sky: .flat))
        .estimatePosterior(.laplace, draws: 50))
    let names = Set(result.derived.map(\.name))
    #expect(
      names.isSuperset(of: [
        "flux_1", "flux_2", "magnitude", "magnitude_1", "magnitude_2", "mu_eff_1", "mu_mean_2",
        "r_eff_2_arcsec",
      ]))
    let (share, f1) = (try result.scalar("b_t").values, try result.scalar("f_1").values)
    #expect(share == f1)
  }

  @Test("a deluxetable has a row to each parameter, with symbols, errors and units")
  func latex() throws {
    let result = try RecordScene.result("laplace")
    let text = try result.latexTable()
    let lines = text.split(separator: "\n").map { String($0) }
    #expect(lines.first == "\\begin{deluxetable}{lcl}" && lines.last == "\\end{deluxetable}")
    #expect(lines.contains { $0.hasPrefix("  $r_\\mathrm{eff}$ & $") && $0.contains("& pixel") })
    #expect(lines.contains { $0.contains("$\\epsilon$ & $0.35$ (fixed) & \\nodata") })
    #expect(lines.contains { $0.contains("$m$ & $") && $0.contains("& mag") })
    #expect(text.contains("\\label{tab:sersic}") && text.contains("16 and 84\\,\\%"))
    // Names of files may hold what LaTeX takes for its own.
    #expect(
      !text.contains("[SCI]_") && text.filter { $0 == "{" }.count == text.filter { $0 == "}" }.count
    )
    var table = LatexTable()
    table.parameters = ["n"]
    table.quantiles = [0.05, 0.5, 0.95]
    table.label = "tab:mine"
    let short = try result.latexTable(table)
    #expect(short.contains("tab:mine") && short.contains("5 and 95\\,\\%"))
    #expect(short.split(separator: "\n").count == 8)
    table.quantiles = [0.9, 0.5, 0.1]
    #expect(throws: FitRecordError.self) { try result.latexTable(table) }
    table.parameters = ["mass"]
    #expect(throws: FitRecordError.self) { try result.latexTable(table) }
    #expect(try RecordScene.result("map").latexTable().contains("Maximum of the posterior"))
  }

  @Test("no symbol has two subscripts, whatever is appended")
  func symbols() {
    for name in FitRecord.symbols.keys {
      for suffix in ["", "_1", "_g", "_1_g", "_2_0", "_arcsec"] {
        let symbol = FitRecord.symbol(name + suffix)
        #expect(symbol.count { $0 == "_" } <= 1, "\(symbol)")
        #expect(symbol.count { $0 == "{" } == symbol.count { $0 == "}" }, "\(symbol)")
        #expect(!symbol.contains("texttt"), "\(symbol)")
      }
    }
    #expect(FitRecord.symbol("sky_back_g") == "$s_\\mathrm{0,\\mathrm{g}}$")
    #expect(FitRecord.symbol("beta_1") == "$\\beta_{1}$")
  }

  @Test("a trained guide gives more draws, those of Markov chains do not")
  func moreDraws() throws {
    for method in ["laplace", "svi-mvn"] {
      let posterior = try #require(try RecordScene.result(method).posterior)
      let more = try posterior.redrawn(5000, key: 4)
      #expect(more.draws.count == 5000 && more.method == method)
      let (old, new) = (posterior.draws.scalar("flux"), more.draws.scalar("flux"))
      // The same key: the first draws are the same ones.
      #expect(Array(new.values.prefix(300)) == old.values)
      let other = try posterior.redrawn(5000, key: 5).draws.scalar("flux")
      #expect(other.values != new.values)
      // Means of 5000 draws differ by 0.02 of a deviation; five times that.
      #expect(abs(other.mean - new.mean) < 0.1 * new.standardDeviation)
    }
    let sampled = try #require(try RecordScene.result("nuts").posterior)
    #expect(throws: FitRecordError.self) { try sampled.redrawn(100, key: 1) }
  }

  @Test("findings are data: a code, the parameter they are about, a message")
  func findings() throws {
    let image = try RecordScene.image()
    var prior = autoprior(image, .sersic, sky: .flat)
    prior["n"] = Uniform(0.5, 1.3)
    let result = FitResult(try FitSingle(image, prior: prior).estimatePosterior(.laplace))
    let edge = try #require(result.findings(.priorEdge).first)
    #expect(edge.subject == "n" && edge.severity == .warning && edge.message.contains("1.3"))
    #expect(result.record.report.parameter(of: edge) == "n")
    #expect(edge.fitCode == .priorEdge)
    // Every warning of the sampler has a code here.
    for code in DiagnosticWarning.Code.allCases {
      #expect(FitFindingCode(rawValue: code.rawValue) != nil, "\(code)")
    }
  }

  @Test("a small frame, light at the border and a masked centre are warned of after the fit")
  func frame() throws {
    let light = Sersic(xc: 15, yc: 15, flux: 3000, rEff: 8, n: 2, ellip: 0.2, theta: 1)
    let clean = try FitSingleTests.clean(
      light.lightProfile, sky: .flat(0.1), width: 31, height: 31)
    let key = RandomKey(8)
    let noisy = clean.enumerated().map { $1 + 0.05 * key.normal(UInt64($0)) }
    let plain = try FitSingleTests.image(noisy, sigma: 0.05, width: 31, height: 31)
    let best = try FitSingle(plain, prior: autoprior(plain, .sersic, sky: .flat)).findMAP()
    #expect(best.findings(.frameSmall).map(\.subject) == ["r_eff"])
    #expect(best.findings(.borderLight).map(\.severity) == [.warning])
    #expect(best.findings(.peakMasked).isEmpty)
    // Without a free sky nothing depends on the border.
    let none = try FitSingle(plain, prior: autoprior(plain, .sersic, sky: .none)).findMAP()
    #expect(none.findings(.borderLight).isEmpty)
    var mask = noisy.map { _ in false }
    for k in [15 * 31 + 15, 15 * 31 + 14, 14 * 31 + 15] { mask[k] = true }
    let masked = try ObservedImage(
      width: 31, height: 31, science: noisy, rms: plain.rms, mask: mask,
      psf: FitSingleTests.psf())
    let other = try FitSingle(masked, prior: autoprior(masked, .sersic, sky: .flat)).findMAP()
    #expect(other.findings(.peakMasked).map(\.message).count { $0.contains("masked at") } == 1)
    // Pixels without a number are no work of the mask.
    var holes = noisy
    for k in mask.indices where mask[k] { holes[k] = .nan }
    let broken = try ObservedImage(
      width: 31, height: 31, science: holes, rms: plain.rms, psf: FitSingleTests.psf())
    let third = try FitSingle(broken, prior: autoprior(broken, .sersic, sky: .flat)).findMAP()
    #expect(third.findings(.peakMasked).map(\.message).count { $0.contains("no number") } == 1)
    #expect(third.findings(.peakMasked).map(\.subject) == [broken.names.science])
    let guessed = SourceProperties(broken).findings.filter { $0.fitCode == .peakMasked }
    #expect(guessed.count == 1 && guessed.allSatisfy { $0.message.contains("no number") })
    // In a wide frame there is nothing to say.
    let wide = try RecordScene.result("map")
    for code in [FitFindingCode.frameSmall, .borderLight, .peakMasked] {
      #expect(wide.findings(code).isEmpty, "\(code)")
    }
  }
}
