// SPDX-License-Identifier: MIT
//
// `sersic galfit`: configurations of GALFIT and imfit written by hand, on an image with known parameters.

import FITS
import Foundation
import Testing

@Suite("Command: galfit", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct GalfitCommandTests {
  /// Makes a galaxy in 81 × 75 pixels, and a configuration of it in a folder of its own.
  private func scene() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let outcome = try SersicProcess.run([
      "simulate", "--profile", "sersic", "--param", "xc=39.4", "--param", "yc=36.2", "--param",
      "flux=1000", "--param", "r_eff=5", "--param", "n=1.8", "--param", "ellip=0.3", "--param",
      "theta=0.7", "--size", "81x75", "--psf", "moffat:fwhm=2.8,beta=3", "--sky", "flat:0.4",
      "--noise", "gaussian:0.02", "--seed", "3", "--output", folder.url.path,
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    try Data(
      """
      A) image.fits
      C) rms.fits
      D) psf.fits
      H) 6 76 4 70
      J) 25
      0) sersic
      1) 40 37 1 1
      3) 17.2 1
      4) 4 1
      5) 2.5 1
      9) 0.8 1
      10) 30 1
      0) sky
      1) 0.3 1
      """.utf8
    ).write(to: folder.url.appending(path: "gal.feedme"))
    try Data(
      """
      X0 40
      Y0 37
      FUNCTION Sersic
      PA 30
      ell 0.2
      n 2.5
      I_e 3
      r_e 4 1,20
      FUNCTION FlatSky
      I_sky 0.3
      """.utf8
    ).write(to: folder.url.appending(path: "c.dat"))
    return folder
  }

  /// Returns a number of a parameter in the JSON of an outcome.
  private func number(_ outcome: Outcome, _ name: String, _ key: String) -> Double {
    let parameters = outcome.json["parameters"] as? [String: [String: Any]]
    return parameters?[name]?[key] as? Double ?? .nan
  }

  @Test("a configuration is fitted, and the result is a configuration that gives the same again")
  func galfit() throws {
    let folder = try scene()
    // From elsewhere: files are found beside the configuration.
    let path = folder.url.appending(path: "gal.feedme").path
    let outcome = try SersicProcess.run([
      "galfit", path, "--json", "--output", folder.url.appending(path: "out").path,
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    // Positions in the region, whose first pixel is (5, 3) of the image.
    for (name, value) in [
      ("xc_1", 34.4), ("yc_1", 33.2), ("flux_1", 1000), ("r_eff_1", 5), ("n_1", 1.8),
      ("ellip_1", 0.3), ("theta_1", 0.7), ("sky_back", 0.4),
    ] {
      let (mean, sd) = (number(outcome, name, "mean"), number(outcome, name, "sd"))
      // Five standard deviations of fixed noise.
      #expect(sd > 0 && abs(mean - value) < 5 * sd, "\(name): \(mean) ± \(sd)")
    }
    let text = try String(
      contentsOf: folder.url.appending(path: "out/galfit.feedme"), encoding: .utf8)
    // xc 39.4 is pixel 40.4 of the file; 25 − 2.5 log10(1000) = 17.5: within five errors.
    let words = text.split(whereSeparator: \.isWhitespace).map { String($0) }
    for (key, value) in [("1)", 40.4), ("3)", 17.5), ("10)", 40.107)] {
      let place = try #require(words.firstIndex(of: key))
      #expect(abs((Double(words[place + 1]) ?? .nan) - value) < (key == "10)" ? 1 : 0.02), "\(key)")
    }
    #expect(
      folder.names(in: "out") == [
        "corner.png", "galfit.feedme", "model.fits", "posterior.asdf", "residual.png",
        "result.json",
      ])
    let inputs = outcome.json["inputs"] as? [String: [String: String]]
    #expect(Set(inputs?.keys.sorted() ?? []) == ["image", "rms", "psf", "configuration"])
    #expect(inputs?["configuration"]?["sha256"]?.count == 64)
    try FileManager.default.copyItem(
      atPath: folder.path("out/galfit.feedme"), toPath: folder.path("again.feedme"))
    let again = try SersicProcess.run(["galfit", folder.path("again.feedme"), "--json"])
    #expect(again.status == 0, "\(again.errors)")
    // Four decimals in the file, and priors around them instead of the first guesses.
    #expect(abs(number(again, "r_eff_1", "map") / number(outcome, "r_eff_1", "map") - 1) < 1e-4)
  }

  @Test(
    "the posterior of a configuration by other methods is the same, with magnitudes in the table")
  func methods() throws {
    let folder = try scene()
    let laplace = try SersicProcess.run(["galfit", "gal.feedme", "--json"], in: folder.url)
    for method in ["svi-mvn", "nuts", "neutra"] {
      let outcome = try SersicProcess.run(
        [
          "galfit", "gal.feedme", "--method", method, "--draws", "600", "--warmup", "300", "--json",
          "--seed", "2",
        ], in: folder.url)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.json["method"] as? String == method)
      for name in ["flux_1", "r_eff_1", "n_1", "theta_1", "sky_back"] {
        let sd = number(laplace, name, "sd")
        // Some five hundred effective draws: errors of 0.05 sd in the mean and 3 % in the sd, and Laplace's own.
        #expect(
          abs(number(outcome, name, "mean") - number(laplace, name, "mean")) < 0.3 * sd, "\(name)")
        #expect(abs(number(outcome, name, "sd") / sd - 1) < 0.2, "\(name)")
      }
      #expect(number(outcome, "n_1", "r_hat") < 1.05 || method == "svi-mvn")
    }
    let map = try SersicProcess.run(
      ["galfit", "gal.feedme", "--method", "map", "--output", "out"], in: folder.url)
    // 25 − 2.5 log10(1000).
    let line = map.output.split(separator: "\n").first { $0.hasPrefix("magnitude_1") }
    let cells = line?.split(separator: " ").map { String($0) } ?? []
    #expect(cells.count == 3 && abs((Double(cells[1]) ?? 0) - 17.5) < 0.02, "\(map.output)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("out/posterior.asdf")))
    let refused = try SersicProcess.run(
      ["galfit", "gal.feedme", "--method", "laplace", "--target-acceptance", "0.9"],
      in: folder.url)
    #expect(refused.status == 2 && refused.errors.contains("--target-acceptance"))
  }

  @Test("a result is read by summary and plot: table, quantiles, residuals, pictures")
  func saved() throws {
    let folder = try scene()
    // A star that is not there, a faint disk with the centre of the galaxy, and a bound that cuts the index off.
    let text = try String(contentsOfFile: folder.path("gal.feedme"), encoding: .utf8)
    let more = """

      0) psf
      1) 60 60 0 0
      3) 25 1
      0) expdisk
      1) 40 37 1 1
      3) 24 0
      4) 4 0
      9) 0.8 0
      10) 30 0
      """
    try Data((text + more).replacing("J) 25", with: "J) 25\nG) limits.txt").utf8).write(
      to: folder.url.appending(path: "tied.feedme"))
    try Data("1 n 0.5 to 1.75\n1_4 x offset\n1_4 y offset\n".utf8).write(
      to: folder.url.appending(path: "limits.txt"))
    let outcome = try SersicProcess.run(
      ["galfit", "tied.feedme", "--loss", "gaussian-frac", "--output", "out"], in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for word in ["(tied to xc_1)", "frac_scatter_increase", "mu_mean_3"] {
      #expect(outcome.output.contains(word), "\(word)")
    }
    for warning in ["[at-bound] n_1", "[prior-edge] n_1"] {
      #expect(outcome.errors.contains(warning), "\(outcome.errors)")
    }
    for name in ["out", "out/result.json", "out/posterior.asdf"] {
      let summary = try SersicProcess.run(["summary", name], in: folder.url)
      #expect(summary.status == 0, "\(summary.errors)")
      #expect(summary.output.hasPrefix(outcome.output) && summary.output.contains("[prior-edge]"))
    }
    let chosen = try SersicProcess.run(
      [
        "summary", "out", "--parameters", "xc_1,xc_3,flux_2,magnitude_2", "--quantiles",
        "0.1,0.5,0.9", "--zero-point", "27", "--json",
      ], in: folder.url)
    #expect(chosen.status == 0, "\(chosen.errors)")
    let values = (chosen.json["quantiles"] as? [String: Any])?["values"] as? [String: [Double]]
    #expect(values?.keys.sorted() == ["flux_2", "magnitude_2", "xc_1", "xc_3"])
    // The third component follows the first in every draw.
    #expect(values?["xc_3"] == values?["xc_1"])
    #expect(chosen.json["components"] as? [String] == ["sersic", "pointsource", "exp"])
    let check = try SersicProcess.run(["summary", "out", "--check"], in: folder.url)
    #expect(check.status == 0 && check.output.contains("chi2-core"), "\(check.errors)")
    let latex = try SersicProcess.run(["summary", "out", "--latex"], in: folder.url)
    #expect(latex.status == 0 && latex.output.contains("$x_\\mathrm{c,3}$"), "\(latex.output)")
    let plot = try SersicProcess.run(
      ["plot", "out", "--kind", "residual,image,corner", "--output", "pictures"], in: folder.url)
    #expect(plot.status == 0, "\(plot.errors)")
    #expect(folder.names(in: "pictures") == ["corner.png", "image.png", "residual.png"])
    let corner = try SersicProcess.run(
      ["plot", "out/posterior.asdf", "--kind", "corner", "--parameters", "n_1,magnitude_1"]
        + ["--format", "svg", "--output", "few"], in: folder.url)
    #expect(corner.status == 0 && folder.names(in: "few") == ["corner.svg"], "\(corner.errors)")
    for part in ["SKY", "SERSIC_1", "POINTSOURCE_2", "EXP_3", "PSF"] {
      let plane = try FITSImage(reading: folder.path("out/model.fits[\(part)]"))
      #expect(plane.values.allSatisfy { $0.isFinite }, "\(part)")
    }
  }

  @Test("what is written is read where it is, with the files that were given, and the plate scale")
  func elsewhere() throws {
    let folder = try scene()
    let text = try String(contentsOfFile: folder.path("gal.feedme"), encoding: .utf8)
    try Data(
      text.replacing("A) image.fits", with: "A) none").replacing("J) 25", with: "J) 25\nK) 0.2 0.2")
        .replacing("H) 6 76 4 70\n", with: "").utf8
    ).write(to: folder.url.appending(path: "gal.feedme"))
    let first = try SersicProcess.run(
      [
        "galfit", "gal.feedme", "--image", "image.fits", "--method", "map", "--no-plots",
        "--output", "out",
      ], in: folder.url)
    #expect(first.status == 0 && first.output.contains("arcsec"), "\(first.errors)")
    let written = try String(contentsOfFile: folder.path("out/galfit.feedme"), encoding: .utf8)
    #expect(written.contains("H) 1 81 1 75"), "\(written)")
    let again = try SersicProcess.run(
      ["galfit", "galfit.feedme", "--no-fit"], in: folder.url.appending(path: "out"))
    #expect(again.status == 0 && again.output.contains("1 sersic"), "\(again.errors)")
  }

  @Test("a configuration of imfit is fitted with the files of the options")
  func imfit() throws {
    let folder = try scene()
    let outcome = try SersicProcess.run(
      [
        "galfit", "c.dat", "--image", "image.fits", "--rms", "rms.fits", "--psf", "psf.fits",
        "--json",
      ],
      in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for (name, value) in [("xc_1", 39.4), ("flux_1", 1000), ("r_eff_1", 5), ("theta_1", 0.7)] {
      let (mean, sd) = (number(outcome, name, "mean"), number(outcome, name, "sd"))
      #expect(sd > 0 && abs(mean - value) < 5 * sd, "\(name): \(mean) ± \(sd)")
    }
    let missing = try SersicProcess.run(["galfit", "c.dat"], in: folder.url)
    #expect(missing.status == 2 && missing.errors.contains("--image"))
  }

  @Test("the scene is shown without a fit; what is wrong is said with its line")
  func messages() throws {
    let folder = try scene()
    let shown = try SersicProcess.run(["galfit", "gal.feedme", "--no-fit"], in: folder.url)
    #expect(shown.status == 0, "\(shown.errors)")
    for word in ["1 sersic", "sky flat", "r_eff_1", "LogNormal", "sky_back"] {
      #expect(shown.output.contains(word), "\(word)")
    }
    let text = try String(contentsOfFile: folder.path("gal.feedme"), encoding: .utf8)
    for (old, new, word) in [
      ("0) sersic", "0) ferrer", "line 6"), ("C) rms.fits", "C) none", "--rms"),
      ("A) image.fits", "A) none", "--image"), ("A) image.fits", "A) gone.fits", "gone.fits"),
    ] {
      try Data(text.replacing(old, with: new).utf8).write(
        to: folder.url.appending(path: "wrong.feedme"))
      let outcome = try SersicProcess.run(["galfit", "wrong.feedme"], in: folder.url)
      #expect(outcome.status == 2 && outcome.errors.contains(word), "\(new): \(outcome.errors)")
    }
    try Data(text.utf8).write(to: folder.url.appending(path: "galfit.feedme"))
    for output in [".", "./", "../\(folder.url.lastPathComponent)"] {
      let own = try SersicProcess.run(
        ["galfit", "galfit.feedme", "--output", output, "--method", "map"], in: folder.url)
      #expect(own.status == 2 && own.errors.contains("--output"), "\(own.errors)")
    }
    let kept = try String(contentsOfFile: folder.path("galfit.feedme"), encoding: .utf8)
    #expect(kept == text)
    let absent = try SersicProcess.run(["galfit", "absent.feedme"], in: folder.url)
    #expect(absent.status == 2 && absent.errors.contains("absent.feedme"))
  }
}
