// SPDX-License-Identifier: MIT
//
// `sersic simulate` with several sources: by options or a catalogue, with their truth, and what `sersic multi` makes of it.

import FITS
import Foundation
import Testing

@Suite(
  "Command: simulated scenes", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct SimulateCommandTests {
  /// The sources of the scene, as options have them.
  private static let sources = [
    "sersic:xc=24.3,yc=30.2,flux=400,r_eff=4,n=1.5,ellip=0.3,theta=0.6",
    "exp:xc=58.6,yc=52.1,flux=250,r_eff=3,ellip=0.5,theta=2.1",
    "pointsource:xc=40.2,yc=64.7,flux=60",
  ]

  /// The same as a catalogue, in another order of columns, with empty cells and a column that means nothing here.
  private static let catalog = """
    name,type,x,y,flux,n,r_eff,ellip,theta
    a,,24.3,30.2,400,1.5,4,0.3,0.6
    b,exp,58.6,52.1,250,,3,0.5,2.1
    c,PointSource,40.2,64.7,60,,,,

    """

  /// Runs the command in a folder: a scene of 91 × 83 pixels.
  private func simulate(_ folder: TemporaryFolder, _ words: [String]) throws -> Outcome {
    try SersicProcess.run(
      ["simulate", "--size", "91x83", "--psf", "moffat:fwhm=2.8,beta=3,size=25"] + words,
      in: folder.url)
  }

  /// Returns the options of all sources.
  private var options: [String] { Self.sources.flatMap { ["--source", $0] } }

  @Test("a scene is the sum of its sources, by options and by a catalogue the same")
  func sum() throws {
    let folder = try TemporaryFolder()
    try Data(Self.catalog.utf8).write(to: folder.url.appending(path: "sources.csv"))
    for (name, words) in [
      ("options", options), ("catalog", ["--catalog", "sources.csv"]),
    ] {
      let outcome = try simulate(folder, words + ["--sky", "flat:0.1", "--output", name])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        folder.names(in: name) == [
          "catalog.csv", "image.fits", "psf.fits", "rms.fits", "truth.json",
        ])
      #expect(outcome.errors.contains("sersic multi \(name)/image.fits"), "\(outcome.errors)")
    }
    let image = try FITSImage(reading: folder.path("options/image.fits"))
    #expect(try FITSImage(reading: folder.path("catalog/image.fits")).values == image.values)
    var sum = image.values.map { _ in 0.1 }
    for (k, source) in Self.sources.enumerated() {
      let parts = source.split(separator: ":")
      let parameters = parts[1].split(separator: ",").flatMap { ["--param", String($0)] }
      let outcome = try simulate(
        folder, ["--profile", String(parts[0]), "--output", "\(k)"] + parameters)
      #expect(outcome.status == 0, "\(outcome.errors)")
      // One source is written as ever: its truth is enough.
      #expect(!folder.names(in: "\(k)").contains("catalog.csv"))
      let single = try FITSImage(reading: folder.path("\(k)/image.fits"))
      for i in sum.indices { sum[i] += single.values[i] }
    }
    let peak = image.values.max() ?? 0
    // Sources by themselves may lie on other grids than all together.
    #expect(zip(sum, image.values).allSatisfy { abs($0 - $1) < 2e-5 * peak })
    let truth = folder.json("options/truth.json")
    #expect(truth["profiles"] as? [String] == ["sersic", "exp", "pointsource"])
    #expect(truth["profile"] as? String == "3 sources (1 sersic, 1 pointsource, 1 exp)")
    let parameters = try #require(truth["parameters"] as? [String: Double])
    #expect(parameters.count == 7 + 6 + 3 + 1)
    #expect(parameters["n_0"] == 1.5 && parameters["theta_1"] == 2.1)
    #expect(parameters["flux_2"] == 60 && parameters["sky_back"] == 0.1)
    #expect(folder.json("0/truth.json")["profile"] as? String == "sersic")
  }

  @Test("what is simulated is what multi finds, from the catalogue and without one")
  func recovers() throws {
    let folder = try TemporaryFolder()
    let made = try simulate(
      folder,
      options + ["--noise", "gaussian:0.02", "--sky", "flat:0.1", "--seed", "5", "--output", "."])
    #expect(made.status == 0, "\(made.errors)")
    let words = ["multi", "image.fits", "--rms", "rms.fits", "--psf", "psf.fits", "--json"]
    let fit = try SersicProcess.run(
      words + ["--catalog", "catalog.csv", "--method", "laplace"], in: folder.url)
    #expect(fit.status == 0, "\(fit.errors)")
    let found = try #require(fit.json["parameters"] as? [String: [String: Any]])
    let truth = try #require(folder.json("truth.json")["parameters"] as? [String: Double])
    #expect(Set(found.keys) == Set(truth.keys))
    for (name, value) in truth {
      let mean = try #require(found[name]?["mean"] as? Double, "\(name)")
      let sd = try #require(found[name]?["sd"] as? Double, "\(name)")
      // Seventeen numbers with fixed noise: one beyond 4.5 sd in ten thousand scenes.
      #expect(abs(mean - value) < 4.5 * sd, "\(name): \(mean) ± \(sd), truth \(value)")
    }
    #if os(Linux)
      let detected = try SersicProcess.run(words, in: folder.url)
      #expect(detected.status == 0 && detected.errors.contains("found 3 sources"))
    #endif
  }

  @Test("a row that is wrong is named")
  func wrongRows() throws {
    let folder = try TemporaryFolder()
    for (old, new, said) in [
      ("b,exp,58.6,52.1,250,,3,", "b,exp,58.6,52.1,250,,,", "row 2: expected a value for each"),
      ("c,PointSource", "c,nucleus", "row 3: expected one of sersic"),
      ("400,1.5", "400,about 2", "row 1: column n: expected a number, found \"about 2\""),
      ("58.6,52.1", "2e9,52.1", "row 2: no image"),
      ("400,1.5", "400,50", "row 1: n: expected a number from 0.25"),
    ] {
      #expect(Self.catalog.contains(old))
      try Data(Self.catalog.replacing(old, with: new).utf8).write(
        to: folder.url.appending(path: "sources.csv"))
      let outcome = try simulate(folder, ["--catalog", "sources.csv", "--output", "sim"])
      #expect(outcome.status == 2 && outcome.errors.contains(said), "\(outcome.errors)")
    }
    #expect(folder.names(in: "sim") == [])
  }
}
