// SPDX-License-Identifier: MIT
//
// `sersic bands` from its configuration to its files, and what it says of configurations that are wrong.

import ASDF
import FITS
import Foundation
import Testing

@Suite("sersic bands")
struct BandsCommandTests {
  /// A folder with two bands of one galaxy: of 49 × 45 pixels, and turned by a quarter with another noise and PSF.
  static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, size, place, flux, theta, fwhm, seed) in [
      ("g", "49x45", (23.3, 22.6), "120", "0.7", "2.5", "3"),
      // (x, y) goes to (44 − y, x): every angle grows by a quarter turn.
      ("r", "45x49", (44 - 22.6, 23.3), "200", "\(0.7 + Double.pi / 2)", "2.2", "4"),
    ] {
      let outcome = try SersicProcess.run([
        "simulate", "--size", size, "--psf", "moffat:fwhm=\(fwhm),beta=3,size=21", "--noise",
        "gaussian:0.02", "--sky", "flat:0.1", "--seed", seed, "--output", folder.path(name),
        "--param", "xc=\(place.0)", "--param", "yc=\(place.1)", "--param", "flux=\(flux)",
        "--param", "r_eff=3.5", "--param", "n=1.8", "--param", "ellip=0.35", "--param",
        "theta=\(theta)",
      ])
      guard outcome.status == 0 else {
        throw CocoaError(.fileWriteUnknown, userInfo: ["said": outcome.errors])
      }
    }
    return folder
  }

  /// A configuration of both bands.
  static let good = """
    bands:
      - name: g
        wavelength: 480
        image: g/image.fits
        rms: g/rms.fits
        psf: g/psf.fits
        zero_point: 25
      - {name: r, wavelength: 620, image: r/image.fits, rms: r/rms.fits, psf: r/psf.fits,
         zero_point: 25.5, map: [0, -1, 1, 0, 44, 0]}
    links: {r_eff: "polynomial:degree=1"}
    priors:
      n: uniform(0.5, 6)
      theta: uniform(0, pi)
    wavelengths: [550]
    method: laplace
    output: fit
    """

  /// Writes a configuration and runs the command on it.
  private func run(
    _ folder: TemporaryFolder, _ configuration: String, _ more: String...
  ) throws -> Outcome {
    try Data(configuration.utf8).write(to: folder.url.appending(path: "bands.yaml"))
    // From another folder: paths are relative to that of the configuration.
    return try SersicProcess.run(["bands", folder.path("bands.yaml")] + more)
  }

  @Test("a configuration leads to a table, a document, and files for each band")
  func endToEnd() throws {
    let folder = try Self.folder()
    let outcome = try run(folder, Self.good)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for word in [
      "flux_g", "flux_r", "r_eff_poly_0", "r_eff_r", "r_eff(550.0)", "g-r", "magnitude_g",
    ] {
      #expect(outcome.output.contains(word), "\(word)")
    }
    #expect(folder.names(in: "fit") == ["corner.png", "g", "posterior.asdf", "r", "result.json"])
    for band in ["g", "r"] {
      #expect(
        folder.names(in: "fit/\(band)") == [
          "corner.png", "model.fits", "posterior.asdf", "residual.png", "result.json",
        ])
    }
    let result = folder.json("fit/result.json")
    #expect(result["schema"] as? String == "swift-sersic/result/1")
    #expect((result["links"] as? [String: String])?["r_eff"] == "polynomial:degree=1")
    let parameters = try #require(result["parameters"] as? [String: [String: Any]])
    for (name, truth) in [
      ("flux_g", 120.0), ("flux_r", 200), ("n", 1.8), ("ellip", 0.35), ("theta", 0.7),
      ("xc", 23.3), ("yc", 22.6), ("r_eff_poly_0", 3.5), ("r_eff_poly_1", 3.5),
      ("sky_back_g", 0.1), ("sky_back_r", 0.1),
    ] {
      let mean = try #require(parameters[name]?["mean"] as? Double, "\(name)")
      let sd = try #require(parameters[name]?["sd"] as? Double)
      // Eleven parameters: beyond 4.5 standard deviations one in 13 000 would lie by chance.
      #expect(abs(mean - truth) < 4.5 * sd, "\(name): \(mean) ± \(sd)")
    }
    let between = try #require(result["wavelengths"] as? [String: [String: Any]])
    #expect(between["r_eff(550.0)"]?["sd"] as? Double != nil)
    #expect((result["inputs"] as? [String: Any])?.keys.contains("psf_r") == true)
    let bands = try #require(result["bands"] as? [[String: Any]])
    let second = try #require(bands.last?["parameters"] as? [String: [String: Any]])
    #expect(abs((second["yc"]?["map"] as? Double ?? 0) - 23.3) < 0.1)
    #expect(abs((second["theta"]?["map"] as? Double ?? 0) - 2.271) < 0.1)
    // The model images add up with their residuals, and the draws are those of all parameters.
    let model = try FITSImage(reading: folder.path("fit/r/model.fits[MODEL]"))
    #expect(model.width == 45 && model.height == 49)
    let tree = try ASDFReader.read(folder.path("fit/posterior.asdf"))
    #expect(tree["posterior"]?["r_eff_poly_1"]?.array?.shape == [1, 10_000])
    #expect(tree["input_data"]?["r"]?["image"]?.array?.shape == [49, 45])
    // What other commands read.
    for place in ["fit/g", "fit"] {
      let summary = try SersicProcess.run(["summary", folder.path(place)])
      #expect(summary.status == 0 && summary.output.contains("ellip"), "\(summary.errors)")
    }
  }

  @Test("wavelengths outside the bands are told with a warning that names both")
  func extrapolated() throws {
    let folder = try Self.folder()
    let far = Self.good.replacingOccurrences(of: "[550]", with: "[300, 550, 1000]")
    let outcome = try run(folder, far, "--method", "map", "--no-plots")
    #expect(outcome.status == 0 && outcome.output.contains("r_eff(1000.0)"), "\(outcome.errors)")
    for word in ["[extrapolated] r_eff", "480.0 to 620.0", "300.0, 1000.0"] {
      #expect(outcome.errors.contains(word), "\(word) in: \(outcome.errors)")
    }
    let warnings = folder.json("fit/result.json")["warnings"] as? [[String: Any]] ?? []
    #expect(warnings.contains { $0["code"] as? String == "extrapolated" })
    let near = try run(folder, Self.good, "--method", "map", "--no-plots")
    #expect(near.status == 0 && !near.errors.contains("extrapolated"))
  }

  @Test("the example of the help can be copied from a terminal of 80 columns, and runs")
  func example() throws {
    let help = try SersicProcess.run(["bands", "--help"])
    let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("  bands:") })
    let block = lines[start...].prefix { !$0.isEmpty }
    #expect(block.count > 25)
    // Where a terminal is wider the help is not wrapped, and the lines must be short enough by themselves.
    #expect(block.filter { $0.count > 79 || !$0.hasPrefix("  ") } == [])
    let folder = try TemporaryFolder()
    // As it is, it is read without complaint: what is missing is the first image.
    let bare = try run(folder, block.joined(separator: "\n") + "\n")
    #expect(bare.status == 2 && bare.errors.contains("g.fits: expected"), "\(bare.errors)")
    #expect(!bare.errors.contains("bands.yaml"), "\(bare.errors)")
    // And with images all of its keys mean something; a mask would have to be made first.
    let images = try Self.folder()
    for band in ["g", "r"] {
      for (name, kind) in [("", "image"), ("_rms", "rms"), ("_psf", "psf")] {
        try FileManager.default.copyItem(
          at: images.url.appending(path: "g/\(kind).fits"),
          to: folder.url.appending(path: "\(band)\(name).fits"))
      }
    }
    let masked = block.filter { !$0.contains("r_mask.fits") }
    #expect(masked.count == block.count - 1)
    let outcome = try run(
      folder, masked.joined(separator: "\n") + "\n", "--method", "map", "--no-plots")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!outcome.errors.contains("extrapolated"))
    #expect(folder.names(in: "fit") == ["g", "r", "result.json"])
  }

  @Test("options of the command come before the configuration")
  func options() throws {
    let folder = try Self.folder()
    let outcome = try run(
      folder, Self.good, "--method", "map", "--output", folder.path("other"), "--no-plots",
      "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(Outcome.object(Data(outcome.output.utf8))["method"] as? String == "map")
    #expect(folder.names(in: "other") == ["g", "r", "result.json"])
    #expect(folder.names(in: "other/g") == ["model.fits", "result.json"])
    #expect(folder.names(in: "fit") == [])
  }

  @Test("the acceptance that advice on divergences names is a key and an option")
  func targetAcceptance() throws {
    let folder = try Self.folder()
    /// Returns mean acceptance and step size of a short chain.
    func chain(_ lines: String, _ more: String...) throws -> (mean: Double, step: Double) {
      let short = "\nwarmup: 150\ndraws: 60\nchains: 1"
      try Data((Self.good + short + lines).utf8).write(
        to: folder.url.appending(path: "bands.yaml"))
      let outcome = try SersicProcess.run(
        ["bands", folder.path("bands.yaml"), "--method", "nuts", "--no-plots", "--json"] + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let sampler = try #require(outcome.json["sampler"] as? [String: Any])
      let steps = try #require(sampler["step_size"] as? [Double])
      return (try #require(sampler["acceptance"] as? Double), try #require(steps.first))
    }
    let usual = try chain("")
    for tuned in [
      try chain("\ntarget_acceptance: 0.98"), try chain("", "--target-acceptance", "0.98"),
    ] {
      // A chain of 60 draws comes within 0.03 of what it aims at; 0.7 or 0.8 is the default.
      #expect(tuned.mean > 0.95 && tuned.mean > usual.mean, "\(tuned), \(usual)")
      #expect(tuned.step < usual.step, "\(tuned), \(usual)")
    }
    let refused = try run(folder, Self.good, "--target-acceptance", "0.98")
    #expect(refused.status == 2 && refused.errors.contains("--method nuts"), "\(refused.errors)")
    let help = try SersicProcess.run(["bands", "--help"]).output
    #expect(help.contains("target_acceptance") && help.contains("--target-acceptance"))
  }

  /// Configurations that are wrong, by what is replaced in the good one, and words that the message must have.
  static let wrong: [(old: String, new: String, words: [String])] = [
    ("method: laplace", "methode: laplace", ["methode", "method", "line"]),
    ("method: laplace", "method: mcmc", ["method", "line 15", "nuts", "mcmc"]),
    ("    rms: g/rms.fits\n", "", ["bands[0]", "rms, variance and weight", "none"]),
    ("wavelength: 480", "wavelength: blue", ["bands[0].wavelength", "number", "blue"]),
    ("g/psf.fits", "g/nothing.fits", ["g/nothing.fits"]),
    ("image: g/image.fits", "image: g/truth.json", ["truth.json"]),
    ("name: r,", "name: g,", ["band", "g"]),
    ("degree=1", "degree=2", ["links.r_eff", "degree", "bands (2)"]),
    ("polynomial:degree=1", "wave", ["links.r_eff", "constant", "wave"]),
    ("{r_eff:", "{radius:", ["links.radius", "radius", "r_eff"]),
    ("n: uniform(0.5, 6)", "n: uniform(6, 0.5)", ["priors.n", "6"]),
    ("n: uniform(0.5, 6)", "m: uniform(0.5, 6)", ["priors.m", "m"]),
    (", map: [0, -1, 1, 0, 44, 0]", "", ["r:", "world coordinates", "map"]),
    ("map: [0, -1, 1, 0, 44, 0]", "map: [0, -1, 1, 0, 440, 0]", ["r:", "frame"]),
    ("map: [0, -1, 1, 0, 44, 0]", "map: [0, -1]", ["bands[1].map", "6 numbers"]),
    ("wavelengths: [550]", "wavelengths: 550", ["wavelengths", "list"]),
    ("links: {r_eff: \"polynomial:degree=1\"}", "profile: sersic", ["wavelengths", "linked"]),
    ("bands:", "- bands:", ["bands.yaml"]),
    ("output: fit", "output: fit\nfix: {ellip: 4}", ["fix.ellip", "0.99"]),
    ("output: fit", "output: fit\nstart: {n: 9}", ["start.n", "9"]),
    ("output: fit", "output: fit\nseed: -1", ["seed", "-1"]),
    (
      "output: fit", "output: fit\ntarget_acceptance: 1",
      ["target_acceptance (line", "between 0 and 1", "1.0"]
    ),
    (
      "output: fit", "output: fit\ntarget_acceptance: 0.9",
      ["target_acceptance", "nuts", "laplace"]
    ),
    ("output: fit", "output: fit\ntarget_acceptance: high", ["target_acceptance", "high"]),
    (
      "output: fit", "output: fit\ntarget-acceptance: 0.9\ntarget_acceptance: 0.9",
      ["target_acceptance", "twice"]
    ),
    ("output: fit", "output: fit\ncatalog: nothing.csv", ["nothing.csv"]),
  ]

  @Test("what is wrong is named with its key, and nothing is written", arguments: wrong.indices)
  func wrongConfigurations(_ index: Int) throws {
    let folder = try Self.shared.get()
    let (old, new, words) = Self.wrong[index]
    #expect(Self.good.contains(old))
    let name = "bands\(index).yaml"
    let text = Self.good.replacingOccurrences(of: old, with: new)
      .replacingOccurrences(of: "output: fit", with: "output: fit\(index)")
    try Data(text.utf8).write(to: folder.url.appending(path: name))
    let outcome = try SersicProcess.run(["bands", folder.path(name)])
    #expect(outcome.status == 2, "\(outcome.errors)")
    for word in words where word != "bands.yaml" {
      #expect(outcome.errors.contains(word), "\(word) in: \(outcome.errors)")
    }
    #expect(!outcome.errors.contains("Fatal") && outcome.output.isEmpty)
    #expect(folder.names(in: "fit\(index)") == [])
  }

  /// A folder that the wrong configurations share; they write nothing.
  private static let shared = Result { try folder() }

  @Test("a configuration that is not there, or no YAML, is refused")
  func unreadable() throws {
    let folder = try TemporaryFolder()
    let missing = try SersicProcess.run(["bands", folder.path("none.yaml")])
    #expect(missing.status == 2 && missing.errors.contains("none.yaml"))
    for text in ["", "bands: [", "bands: []", "bands: 3"] {
      let outcome = try run(folder, text)
      #expect(outcome.status == 2 && outcome.errors.contains("bands.yaml"), "\(text)")
    }
  }
}
