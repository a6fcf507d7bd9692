// SPDX-License-Identifier: MIT
//
// `sersic multi` as a process: two galaxies and a star, found or given by a catalogue.

import FITS
import Foundation
import Testing

@Suite("Command: multi", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct MultiCommandTests {
  /// The sources of the scene, by site.
  private static let truth = [
    "xc_0": 24.3, "yc_0": 30.2, "flux_0": 400.0, "r_eff_0": 4.0, "n_0": 1.5, "ellip_0": 0.3,
    "xc_1": 58.6, "yc_1": 52.1, "flux_1": 250.0, "r_eff_1": 3.0, "n_1": 3.0, "ellip_1": 0.5,
    "xc_2": 40.2, "yc_2": 44.7, "flux_2": 60.0, "sky_back": 0.1,
  ]

  /// Simulates the scene: image.fits, rms.fits, psf.fits and catalog.csv.
  private func scene() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    /// Simulates one source into a folder of its own, and returns its pixels.
    func simulate(_ name: String, _ words: [String]) throws -> FITSImage {
      let outcome = try SersicProcess.run(
        ["simulate", "--size", "91x83", "--psf", "moffat:fwhm=2.8,beta=3,size=25", "--seed", "3"]
          + words + ["--output", name], in: folder.url)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try FITSImage(reading: folder.path("\(name)/image.fits"))
    }
    /// Returns the options of the parameters of a source.
    func parameters(_ number: Int, theta: Double) -> [String] {
      Self.truth.filter { $0.key.hasSuffix("_\(number)") }.sorted { $0.key < $1.key }
        .flatMap { ["--param", "\($0.key.dropLast(2))=\($0.value)"] }
        + (number < 2 ? ["--param", "theta=\(theta)"] : ["--profile", "pointsource"])
    }
    let first = try simulate(
      "noisy", parameters(0, theta: 0.6) + ["--noise", "gaussian:0.02", "--sky", "flat:0.1"])
    var pixels = first.values
    for number in 1...2 {
      let other = try simulate(
        "source\(number)", parameters(number, theta: 2.1) + ["--noise", "none"])
      for k in pixels.indices { pixels[k] += other.values[k] }
    }
    try FITSWriter.write(
      [FITSOutputImage(name: "", width: first.width, height: first.height, values: pixels)],
      to: folder.path("image.fits"))
    for name in ["rms", "psf"] {
      try FileManager.default.copyItem(
        atPath: folder.path("noisy/\(name).fits"), toPath: folder.path("\(name).fits"))
    }
    try Data(
      "x,y,flux,r,type\n24,30,380,4,sersic\n58,52,200,3,sersic\n40,45,50,1,pointsource\n".utf8
    ).write(to: folder.url.appending(path: "catalog.csv"))
    return folder
  }

  /// Runs the command on a scene.
  private func multi(_ folder: TemporaryFolder, _ words: String...) throws -> Outcome {
    try SersicProcess.run(
      ["multi", "image.fits", "--rms", "rms.fits", "--psf", "psf.fits"] + words, in: folder.url)
  }

  @Test("three sources of a catalogue are recovered, and written with a plane for each")
  func catalogue() throws {
    let folder = try scene()
    let outcome = try multi(
      folder, "--catalog", "catalog.csv", "--method", "laplace", "--json", "--output", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try #require(outcome.json["parameters"] as? [String: [String: Any]])
    #expect(found.count == 18)
    for (name, value) in Self.truth {
      let mean = try #require(found[name]?["mean"] as? Double, "\(name)")
      let sd = try #require(found[name]?["sd"] as? Double, "\(name)")
      // Sixteen numbers with fixed noise: one beyond 4.5 sd in ten thousand scenes.
      #expect(abs(mean - value) < 4.5 * sd, "\(name): \(mean) ± \(sd), truth \(value)")
    }
    let model = try FITSImage(reading: folder.path("out/model.fits[MODEL]"))
    #expect(model.width == 91 && model.height == 83)
    for file in ["result.json", "residual.png", "corner.png", "posterior.asdf"] {
      #expect(FileManager.default.fileExists(atPath: folder.path("out/\(file)")), "\(file)")
    }
    // A saved result is read again by the other commands.
    let summary = try SersicProcess.run(["summary", "out"], in: folder.url)
    #expect(summary.status == 0 && summary.output.contains("r_eff_1"), "\(summary.errors)")
  }

  @Test("without a catalogue the sources are found")
  func detection() throws {
    let folder = try scene()
    let outcome = try multi(folder, "--json")
    #if os(Linux)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("found 3 sources"))
      let found = try #require(outcome.json["parameters"] as? [String: [String: Any]])
      // Brightest first, each of them a Sérsic profile.
      let flux = try #require(found["flux_0"]?["map"] as? Double)
      #expect(abs(flux / 400 - 1) < 0.03)
      #expect(found.keys.contains("n_2"))
    #else
      #expect(outcome.status == 2)
    #endif
  }

  @Test("wrong options say what was expected")
  func mistakes() throws {
    let folder = try scene()
    let unknown = try multi(folder, "--catalog", "catalog.csv", "--prior", "n_2=uniform(1,2)")
    #expect(unknown.status == 2 && unknown.errors.contains("n_2"))
    let absent = try multi(folder, "--catalog", "none.csv")
    #expect(absent.status == 2 && absent.errors.contains("none.csv"))
    let center = try multi(folder, "--catalog", "catalog.csv", "--center", "3,4")
    #expect(center.status == 2 && center.errors.contains("--center"), "\(center.errors)")
    // All sources are fitted: none of them is named by its position.
    let help = try SersicProcess.run(["multi", "--help"])
    #expect(help.output.contains("--psf-center") && !help.output.contains("--center"))
    try Data("x,y,flux,r\n".utf8).write(to: folder.url.appending(path: "empty.csv"))
    let empty = try multi(folder, "--catalog", "empty.csv")
    #expect(empty.status == 2 && empty.errors.contains("at least one source"))
  }
}
