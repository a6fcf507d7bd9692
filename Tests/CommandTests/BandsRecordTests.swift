// SPDX-License-Identifier: MIT
//
// `sersic summary` and `sersic plot` on the folder of `sersic bands`: derived quantities, bands, residuals, errors.

import ASDF
import Foundation
import Testing

@Suite(
  "Command: saved results of several bands", .serialized,
  .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct BandsRecordTests {
  /// A joint fit in the folder `fit`.
  private struct Fitted: Sendable {
    /// The folder around it.
    let folder: TemporaryFolder
    /// What the command printed.
    let table: String
  }

  /// The fit that the tests share.
  private static let fitted: Result<Fitted, any Error> = Result {
    let folder = try BandsCommandTests.folder()
    try Data(BandsCommandTests.good.utf8).write(to: folder.url.appending(path: "bands.yaml"))
    let outcome = try SersicProcess.run(["bands", folder.path("bands.yaml"), "--no-plots"])
    guard outcome.status == 0 else {
      throw CocoaError(.fileWriteUnknown, userInfo: ["said": outcome.errors])
    }
    return Fitted(folder: folder, table: outcome.output)
  }

  /// Runs a command beside the fit.
  private func run(_ words: String...) throws -> Outcome {
    try SersicProcess.run(words, in: Self.fitted.get().folder.url)
  }

  /// The quantities that follow from the parameters.
  private static let derived = [
    "r_eff_g", "r_eff_r", "magnitude_g", "magnitude_r", "g-r",
  ]

  @Test("derived quantities have draws: every quantile, in text, JSON and LaTeX")
  func derivedDraws() throws {
    let fitted = try Self.fitted.get()
    let tree = try ASDFReader.read(fitted.folder.path("fit/posterior.asdf"))
    for name in Self.derived {
      #expect(tree["posterior"]?[name]?.array?.shape == [1, 10_000], "\(name)")
    }
    let text = try run("summary", "fit", "--quantiles", "0.1,0.5,0.9")
    #expect(text.status == 0, "\(text.errors)")
    let lines = text.output.split(separator: "\n")
    for name in Self.derived {
      let line = try #require(lines.first { $0.hasPrefix(name + " ") }, "\(name)")
      // Name, maximum, mean, ±, sd, three quantiles, unit.
      let cells = line.split(separator: " ").map { String($0) }
      #expect(cells.count == 9, "\(line)")
      let quantiles = cells.dropFirst(5).prefix(3).compactMap { Double($0) }
      #expect(quantiles.count == 3 && quantiles == quantiles.sorted(), "\(line)")
    }
    let document = try run("summary", "fit", "--json", "--quantiles", "0.3").json
    let values = (document["quantiles"] as? [String: Any])?["values"] as? [String: [Double]]
    for name in Self.derived { #expect(values?[name]?.count == 1, "\(name)") }
    let whole = try run("summary", "fit", "--latex")
    #expect(whole.status == 0 && whole.output.contains("\\texttt{g-r}"), "\(whole.errors)")
    let chosen = try run(
      "summary", "fit", "--parameters", "r_eff_g,g-r", "--latex", "--quantiles", "0.1,0.5,0.9")
    #expect(chosen.status == 0, "\(chosen.errors)")
    #expect(chosen.output.split(separator: "\n").count { $0.contains("^{+") } == 2)
  }

  @Test("the head of a saved result is that of the fit, with the table of its bands")
  func head() throws {
    let fitted = try Self.fitted.get()
    let end = try #require(fitted.table.range(of: "\nparameter"))
    let head = String(fitted.table[..<end.lowerBound])
    #expect(head.contains("chi2 / pixels") && head.contains("flat"))
    for name in ["fit", "fit/result.json", "fit/posterior.asdf"] {
      let outcome = try run("summary", name)
      #expect(outcome.status == 0 && outcome.output.hasPrefix(head), "\(outcome.output)")
    }
    #expect(fitted.folder.json("fit/result.json")["sky"] as? String == "flat")
    let document = try run("summary", "fit", "--json").json
    #expect((document["bands"] as? [Any])?.count == 2)
    #expect((document["links"] as? [String: String])?["r_eff"] == "polynomial:degree=1")
  }

  @Test("residuals are compared, and drawn, for each band")
  func residuals() throws {
    for name in ["fit", "fit/result.json"] {
      let text = try run("summary", name, "--check")
      #expect(text.status == 0, "\(text.errors)")
      #expect(text.output.contains("band g:") && text.output.contains("band r:"))
      #expect(text.output.split(separator: "\n").count { $0.hasPrefix("chi2-core") } == 2)
    }
    let check = try run("summary", "fit", "--check", "--json").json["predictive_check"]
    #expect((check as? [String: [String: Any]])?.keys.sorted() == ["g", "r"])
    let folder = try Self.fitted.get().folder
    let apart = try run("plot", "fit", "--kind", "residual,image,corner", "--output", "pictures")
    #expect(apart.status == 0, "\(apart.errors)")
    #expect(
      folder.names(in: "pictures") == [
        "corner.png", "g-image.png", "g-residual.png", "r-image.png", "r-residual.png",
      ])
    let inside = try run("plot", "fit/posterior.asdf", "--format", "svg")
    #expect(inside.status == 0, "\(inside.errors)")
    #expect(folder.names(in: "fit").contains("corner.svg"))
    for band in ["fit/g", "fit/r"] {
      #expect(Set(folder.names(in: band)).isSuperset(of: ["image.svg", "residual.svg"]))
    }
  }

  @Test("what a joint fit cannot do is said with what to do; the status is 2")
  func errors() throws {
    let folder = try Self.fitted.get().folder
    let files = FileManager.default
    for copy in ["lost", "mixed"] {
      try files.copyItem(
        at: folder.url.appending(path: "fit"), to: folder.url.appending(path: copy))
      try files.removeItem(at: folder.url.appending(path: "\(copy)/g"))
    }
    try files.copyItem(
      at: folder.url.appending(path: "fit/r"), to: folder.url.appending(path: "mixed/g"))
    for (words, said) in [
      (["summary", "lost", "--check"], "lost/g: expected the folder of the band"),
      (["plot", "lost", "--kind", "residual"], "lost/g: expected the folder of the band"),
      (["summary", "mixed", "--check"], "another fit"),
      (["summary", "fit", "--zero-point", "27"], "--zero-point"),
      (["plot", "fit", "--pixel-scale", "0.2"], "--pixel-scale"),
      (["summary", "fit", "--parameters", "mass"], "found \"mass\""),
    ] {
      let outcome = try SersicProcess.run(words, in: folder.url)
      #expect(outcome.status == 2, "\(words): \(outcome.errors)")
      #expect(outcome.errors.contains(said), "\(words): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    // Without the pixels of its bands a joint fit has still its draws.
    #expect(try run("plot", "lost", "--output", "draws").status == 0)
    #expect(folder.names(in: "draws") == ["corner.png"])
  }
}
