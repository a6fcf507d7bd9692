// SPDX-License-Identifier: MIT
//
// `sersic galfit`: configurations of GALFIT and imfit written by hand, on an image with known parameters.

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
    for file in ["model.fits", "residual.png", "result.json", "posterior.asdf", "corner.png"] {
      #expect(FileManager.default.fileExists(atPath: folder.path("out/\(file)")))
    }
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
    for method in ["svi-mvn", "nuts"] {
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
      #expect(number(outcome, "n_1", "r_hat") < 1.05 || method != "nuts")
    }
    let map = try SersicProcess.run(
      ["galfit", "gal.feedme", "--method", "map", "--output", "out"], in: folder.url)
    // 25 − 2.5 log10(1000).
    let line = map.output.split(separator: "\n").first { $0.hasPrefix("magnitude_1") }
    let cells = line?.split(separator: " ").map { String($0) } ?? []
    #expect(cells.count == 4 && abs((Double(cells[2]) ?? 0) - 17.5) < 0.02, "\(map.output)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("out/posterior.asdf")))
    let summary = try SersicProcess.run(["summary", "out"], in: folder.url)
    #expect(summary.status != 0 && summary.errors.contains("sersic galfit"), "\(summary.errors)")
    let refused = try SersicProcess.run(
      ["galfit", "gal.feedme", "--method", "neutra"], in: folder.url)
    #expect(refused.status == 2 && refused.errors.contains("--method"))
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
    let absent = try SersicProcess.run(["galfit", "absent.feedme"], in: folder.url)
    #expect(absent.status == 2 && absent.errors.contains("absent.feedme"))
  }
}
