// SPDX-License-Identifier: MIT
//
// `sersic simulate` and `sersic fit` on sound inputs: truth recovered, files complete, every option with its effect.

import FITS
import Foundation
import Testing

@Suite("Command: fits", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct FitCommandTests {
  /// Returns a number of a parameter in a result.
  private func number(_ result: [String: Any], _ name: String, _ member: String = "map") -> Double {
    let parameters = result["parameters"] as? [String: [String: Any]]
    return parameters?[name]?[member] as? Double ?? .nan
  }

  @Test("what simulate writes fit reads, and the truth lies within five standard deviations")
  func recovers() throws {
    let scene = try CommandScene(sky: "flat:0.03")
    let outcome = try scene.run(sky: "flat", "--method", "laplace", "--json", "--output", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = outcome.json
    let truth = scene.folder.json("truth.json")["parameters"] as? [String: Double]
    #expect(truth?.count == 8)
    for (name, value) in truth ?? [:] {
      let sd = number(result, name, "sd")
      // Five standard deviations: chance does this to one of 8 parameters once in 200 000 seeds; the seed is fixed.
      #expect(sd > 0 && abs(number(result, name, "mean") - value) < 5 * sd, "\(name)")
      let order = ["q05", "q16", "q50", "q84", "q95"].map { number(result, name, $0) }
      #expect(order == order.sorted() && order.allSatisfy(\.isFinite))
    }
    #expect(result["schema"] as? String == "swift-sersic/result/1")
    #expect(result["method"] as? String == "laplace" && result["sky"] as? String == "flat")
    #expect(result["pixel_response"] as? String == "included")
    let fit = try #require(result["fit"] as? [String: Any])
    #expect(fit["converged"] as? Bool == true && fit["n_pixels"] as? Int == 49 * 45)
    // χ² of 2205 pixels has a standard deviation of 0.03 per degree of freedom.
    #expect(abs((fit["reduced_chi2"] as? Double ?? .nan) - 1) < 0.15)
    let covariance = try #require(result["covariance"] as? [String: Any])
    let matrix = try #require(covariance["matrix"] as? [[Double]])
    for (index, name) in (covariance["names"] as? [String] ?? []).enumerated() {
      // The same draws give both, so that only rounding differs.
      #expect(abs(matrix[index][index].squareRoot() / number(result, name, "sd") - 1) < 1e-9)
    }
    // The file says the same as standard output.
    #expect(
      try String(contentsOf: scene.folder.url.appending(path: "out/result.json"), encoding: .utf8)
        == outcome.output)
  }

  @Test("the result carries checksums, priors, command line, version and the defaults used")
  func provenance() throws {
    let scene = try CommandScene()
    let result = try scene.run(sky: "none", "--prior", "n=normal(2, 0.5)", "--json").json
    let inputs = try #require(result["inputs"] as? [String: [String: String]])
    #expect(Set(inputs.keys) == ["image", "rms", "psf"])
    #expect(inputs["psf"]?["name"] == "psf.fits" && inputs["psf"]?["sha256"]?.count == 64)
    let priors = try #require(result["priors"] as? [String: String])
    #expect(priors.count == 7 && priors["n"]?.hasPrefix("TruncatedNormal") == true)
    let command = try #require(result["command"] as? String)
    #expect(command.hasPrefix("sersic fit image.fits") && command.contains("'n=normal(2, 0.5)'"))
    let version = try SersicProcess.run(["--version"])
    #expect(
      version.status == 0 && result["version"] as? String == version.output.dropLast().description)
    let defaults = try #require(result["defaults"] as? [String: String])
    #expect(defaults["loss"] == "gaussian" && defaults["seed"] == "0" && defaults["sky"] == nil)
  }

  @Test("model.fits has all parts, in the right sum, with the world coordinates of the input")
  func modelFile() throws {
    let scene = try CommandScene(sky: "flat:0.03")
    let plain = try scene.image()
    try scene.write(
      "wcs.fits", width: plain.width, height: plain.height, plain.values,
      cards: [
        FITSCard("CTYPE1", "RA---TAN"), FITSCard("CTYPE2", "DEC--TAN"), FITSCard("CRPIX1", 25.0),
        FITSCard("CRPIX2", 23.0), FITSCard("CRVAL1", 150.25), FITSCard("CRVAL2", 2.5),
        FITSCard("CDELT1", -5e-5), FITSCard("CDELT2", 5e-5),
      ])
    #expect(try scene.run(image: "wcs.fits", sky: "flat", "--output", "out").status == 0)
    let parts = try ["DATA", "RMS", "MASK", "MODEL", "RESIDUAL", "SKY", "SERSIC"].map {
      try FITSImage(reading: scene.folder.path("out/model.fits[\($0)]"))
    }
    for part in parts {
      #expect(part.width == 49 && part.height == 45)
      #expect(part.header["CRVAL1"]?.number == 150.25 && part.header["CTYPE2"]?.text == "DEC--TAN")
    }
    for k in parts[0].values.indices {
      #expect(parts[0].values[k] == plain.values[k])
      // Sums of the same doubles in another order.
      #expect(abs(parts[0].values[k] - parts[3].values[k] - parts[4].values[k]) < 1e-12)
      #expect(abs(parts[5].values[k] + parts[6].values[k] - parts[3].values[k]) < 1e-12)
    }
    let bytes = try Data(contentsOf: scene.folder.url.appending(path: "out/model.fits"))
    let head = String(decoding: bytes.prefix(5760), as: UTF8.self)
    #expect(
      head.contains("METHOD  = 'map") && head.contains("R_EFF") && head.contains("HISTORY command"))
  }

  @Test("in a section, coordinates are given in the section and in the parent image")
  func section() throws {
    let scene = try CommandScene()
    let outcome = try scene.run(
      image: "image.fits[5:45,4:42]", rms: "rms.fits[5:45,4:42]", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let parent = try #require(outcome.json["parent_image"] as? [String: Any])
    #expect(parent["x0"] as? Int == 4 && parent["y0"] as? Int == 3)
    let there = try #require(parent["parameters"] as? [String: [String: Any]])
    let (x, y) = (number(outcome.json, "xc"), number(outcome.json, "yc"))
    // Readers of JSON may round the last bit.
    #expect(abs((there["xc"]?["map"] as? Double ?? .nan) - (x + 4)) < 1e-12)
    #expect(abs((there["yc"]?["map"] as? Double ?? .nan) - (y + 3)) < 1e-12)
    // The noise moves the centre by 0.01 pixels.
    #expect(abs(x + 4 - 23.3) < 0.1 && abs(y + 3 - 22.6) < 0.1)
    let whole = try scene.run(sky: "none", "--json").json
    #expect(whole["parent_image"] == nil && whole["schema"] != nil)
    let table = try scene.run(image: "image.fits[5:45,4:42]", rms: "rms.fits[5:45,4:42]")
    #expect(table.output.contains("xc (parent)"))
  }

  @Test("fixed parameters keep their value and are marked, with and without a posterior")
  func fixed() throws {
    let scene = try CommandScene()
    let result = try scene.run(
      sky: "none", "--fix", "n=1.8", "--fix", "theta=0.7", "--method", "laplace", "--json"
    ).json
    #expect(number(result, "n") == 1.8 && number(result, "theta") == 0.7)
    let parameters = try #require(result["parameters"] as? [String: [String: Any]])
    #expect(parameters["n"]?["fixed"] as? Bool == true && parameters["n"]?["sd"] == nil)
    #expect(parameters["flux"]?["fixed"] == nil && parameters["flux"]?["sd"] != nil)
    #expect(
      (result["covariance"] as? [String: Any])?["names"] as? [String] == [
        "xc", "yc", "flux", "r_eff", "ellip",
      ])
    let table = try scene.run(sky: "none", "--fix", "n=1.8")
    #expect(table.output.contains("(fixed)"))
  }

  @Test("sharp priors pull the result, and angles have priors on the circle")
  func priors() throws {
    let scene = try CommandScene()
    let result = try scene.run(
      sky: "none", "--prior", "n=normal(3, 0.001)", "--prior", "theta=normal(0.7, 0.1)",
      "--prior", "ellip=beta(2,5)", "--prior", "flux=uniform(50,500)", "--start", "n=2.5", "--json"
    ).json
    // A prior of 0.001 against a likelihood of some 0.03.
    #expect(abs(number(result, "n") - 3) < 0.01)
    let priors = try #require(result["priors"] as? [String: String])
    #expect(priors["theta"]?.hasPrefix("WrappedNormal") == true)
    let circular = try scene.run(sky: "none", "--prior", "theta=uniform(0, 2pi)", "--json").json
    #expect(
      (circular["priors"] as? [String: String])?["theta"]?.hasPrefix("CircularUniform") == true)
  }

  @Test("compressed images are read", arguments: ["image.fits.gz", "image.fits.fz"])
  func compressed(name: String) throws {
    let scene = try CommandScene()
    if name.hasSuffix(".gz") {
      let gzip = Process()
      gzip.executableURL = URL(filePath: "/bin/sh")
      gzip.arguments = ["-c", "gzip -c image.fits > image.fits.gz"]
      gzip.currentDirectoryURL = scene.folder.url
      try gzip.run()
      gzip.waitUntilExit()
      let plain = try scene.run(sky: "none", "--json").json
      let packed = try scene.run(image: name, "--json").json
      #expect(number(plain, "flux") == number(packed, "flux"))
    } else {
      let file = try #require(
        Bundle.module.url(forResource: "Golden/galaxy.fits", withExtension: "fz"))
      let count = 41 * 37
      try scene.write("rms41.fits", width: 41, height: 37, Array(repeating: 0.02, count: count))
      let outcome = try scene.run(image: file.path, rms: "rms41.fits", "--json")
      #expect(outcome.status == 0, "\(outcome.errors)")
      // A round Gaussian of σ 3 at (20.25, 17.5), convolved in its own pixels: the centre is all that is asked.
      #expect(abs(number(outcome.json, "xc") - 20.25) < 0.05)
      #expect(abs(number(outcome.json, "yc") - 17.5) < 0.05)
    }
  }

  @Test("variance and weight maps give what the rms gives")
  func noiseForms() throws {
    let scene = try CommandScene()
    try scene.alter("rms.fits", to: "variance.fits") { v in v = v.map { $0 * $0 } }
    try scene.alter("rms.fits", to: "weight.fits") { v in v = v.map { 1 / ($0 * $0) } }
    let plain = number(try scene.run(sky: "none", "--json").json, "flux")
    for form in ["variance", "weight"] {
      let outcome = try scene.run(rms: nil, "--\(form)", "\(form).fits", "--json")
      // Squares and roots round to 1e-16; the search stops within 1e-5 of the flux.
      #expect(abs(number(outcome.json, "flux") / plain - 1) < 1e-4, "\(outcome.errors)")
      #expect((outcome.json["inputs"] as? [String: Any])?[form] != nil)
    }
  }

  @Test(
    "every profile, sky, loss, renderer and optimiser runs",
    arguments: [
      "--profile exp", "--profile dev", "--profile pointsource", "--sky none", "--sky flat",
      "--sky tilted-plane", "--loss student-t", "--loss student-t:dof=3,scale=1.5",
      "--renderer pixel", "--pixel-response integrated", "--optimizer lbfgs",
      "--prior-style pysersic", "--zero-point 25", "--psf-center 10,10", "--seed 7",
      "--center 23,22",
    ])
  func options(text: String) throws {
    let scene = try CommandScene()
    let words = text.split(separator: " ").map { String($0) }
    let outcome = try SersicProcess.run(
      scene.words(sky: text.hasPrefix("--sky") ? nil : "none") + words + ["--json"],
      in: scene.folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = outcome.json
    #expect(number(result, "flux").isFinite)
    switch words[0] {
    case "--pixel-response":
      #expect(result["renderer"] as? String == "pixel")
      #expect(outcome.errors.contains("integrated over each pixel"))
    case "--zero-point":
      let derived = result["derived"] as? [String: [String: Any]]
      let magnitude = derived?["magnitude"]?["map"] as? Double ?? .nan
      #expect(abs(magnitude - (25 - 2.5 * log10(number(result, "flux")))) < 1e-12)
    case "--loss": #expect((result["loss"] as? String)?.hasPrefix("student-t:dof=") == true)
    case "--sky":
      let names = (result["parameters"] as? [String: Any])?.keys.filter { $0.hasPrefix("sky") }
      #expect(names?.count == ["none": 0, "flat": 1, "tilted-plane": 3][words[1]])
    default: break
    }
  }

  @Test(
    "every loss of the command runs, and shows its parameters in table, JSON and priors",
    arguments: [
      ("gaussian-frac", ["frac_scatter_increase"]), ("gaussian-sys", ["sys_scatter_base"]),
      ("student-t-sys:dof=4", ["sys_scatter_base"]), ("pseudo-huber:delta=2", []),
      ("mixture:c=6", ["outlier_frac_base"]),
      ("mixture-sys", ["sys_scatter_base", "outlier_frac_base"]),
      ("mixture-frac", ["sig_frac", "outlier_frac_base"]), ("poisson:gain=20", []),
    ])
  func losses(loss: String, sites: [String]) throws {
    let isCounts = loss.hasPrefix("poisson")
    let scene = try CommandScene(
      noise: isCounts ? "poisson:gain=20" : "gaussian:0.02", sky: isCounts ? "flat:3" : "none")
    let words =
      scene.words(sky: isCounts ? "flat" : "none")
      + ["--loss", loss, "--method", "laplace"]
    let table = try SersicProcess.run(words, in: scene.folder.url)
    #expect(table.status == 0, "\(table.errors)")
    let priors = sites.flatMap { ["--prior", "\($0)=normal(0.1,0.2)"] }
    let outcome = try SersicProcess.run(words + ["--json"] + priors, in: scene.folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = outcome.json
    #expect((result["loss"] as? String)?.hasPrefix(String(loss.prefix { $0 != ":" })) == true)
    for site in sites {
      #expect(table.output.contains("\n\(site) "), "\(table.output)")
      #expect(number(result, site, "sd") > 0)
      let prior = (result["priors"] as? [String: String])?[site] ?? ""
      #expect(prior.hasPrefix("TruncatedNormal(loc: 0.1, scale: 0.2"), "\(prior)")
    }
    let derived = result["derived"] as? [String: [String: Any]] ?? [:]
    #expect((derived["outlier_frac"] != nil) == sites.contains("outlier_frac_base"))
    #expect((derived["sys_scatter"] != nil) == sites.contains("sys_scatter_base"))
    // 4.5 standard deviations of a fixed noise; a robust loss reports 0.9 of the scatter where there are no outliers.
    #expect(abs(number(result, "flux") - 120) < 5 * number(result, "flux", "sd"))
    for option in ["--prior", "--fix", "--start"] {
      let value = option == "--prior" ? "normal(0,1)" : "0.1"
      let wrong = try SersicProcess.run(
        words + [option, "frac_scatter=\(value)"], in: scene.folder.url)
      #expect(wrong.status == 2 && wrong.errors.contains("frac_scatter"))
    }
  }

  @Test("equal seeds give equal draws, other seeds others")
  func seeds() throws {
    let scene = try CommandScene()
    /// Returns the mean of n for a seed.
    func mean(_ seed: String) throws -> Double {
      number(
        try scene.run(sky: "none", "--method", "laplace", "--seed", seed, "--json").json, "n",
        "mean")
    }
    let (first, again, other) = (try mean("1"), try mean("1"), try mean("2"))
    #expect(first == again && first != other)
  }

  @Test("help names every option with its default, and the version is one line")
  func help() throws {
    for (words, said) in [
      (["--help"], ["fit", "simulate", "check", "Exit status"]),
      (
        ["fit", "--help"],
        [
          "--rms", "--variance", "--weight", "--psf", "--mask", "--mask-good-value", "--profile",
          "--sky", "--loss", "--method", "--prior", "--fix", "--start", "--zero-point", "--center",
          "--prior-style", "--renderer", "--pixel-response", "--seed", "--output", "--no-plots",
          "--json", "--psf-center", "--psf-oversampling", "--normalize-psf", "--optimizer",
          "default: sersic", "default: flat", "default: gaussian", "default: map",
          "default: fourier", "default: 0",
        ]
      ),
      (["simulate", "--help"], ["--param", "--size", "--noise", "default: none"]),
      (["check", "--help"], ["--json"]),
    ] {
      let outcome = try SersicProcess.run(words)
      #expect(outcome.status == 0 && outcome.errors == "")
      // Lines are broken to fit the terminal.
      let text = outcome.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
      for word in said { #expect(text.contains(word), "\(words): \(word)") }
    }
    #expect(try SersicProcess.run(["--version"]).output.filter { $0 == "\n" }.count == 1)
  }
}
