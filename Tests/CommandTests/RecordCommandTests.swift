// SPDX-License-Identifier: MIT
//
// `sersic summary` and `sersic plot` as processes: tables, JSON, LaTeX, pictures, and what they say of wrong input.

import Foundation
import Testing

@Suite(
  "Command: saved results", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct RecordCommandTests {
  /// A scene with results of a maximum and of a posterior.
  private func scene() throws -> CommandScene {
    let scene = try CommandScene()
    #expect(try scene.run(sky: "flat", "--output", "max", "--no-plots").status == 0)
    let fit = try scene.run(
      "fit", sky: "flat", "--method", "nuts", "--warmup", "100", "--draws", "100", "--output",
      "post", "--no-plots", "--zero-point", "25")
    #expect(fit.status == 0, "\(fit.errors)")
    return scene
  }

  /// Runs a command in a scene.
  private func run(_ scene: CommandScene, _ words: String...) throws -> Outcome {
    try SersicProcess.run(words, in: scene.folder.url)
  }

  @Test(
    "the table of a saved result is that of the fit; parameters, quantiles and calibration can be chosen"
  )
  func summary() throws {
    let scene = try scene()
    for name in ["post", "post/result.json", "post/posterior.asdf"] {
      let outcome = try run(scene, "summary", name)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("2 chains of 100 draws") && outcome.output.contains("R-hat"))
    }
    let chosen = try run(
      scene, "summary", "post", "--parameters", "magnitude,r_eff_arcsec", "--zero-point", "27",
      "--pixel-scale", "0.2", "--quantiles", "0.025,0.5,0.975")
    #expect(chosen.status == 0, "\(chosen.errors)")
    #expect(chosen.output.contains("97.5 %") && chosen.output.contains("arcsec"))
    let rows = chosen.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
    #expect(rows.contains("magnitude") && rows.contains("r_eff_arcsec") && !rows.contains("ellip"))
    let both = try run(scene, "summary", "max", "post", "--json")
    let list = try #require(
      try JSONSerialization.jsonObject(with: Data(both.output.utf8)) as? [[String: Any]])
    #expect(list.map { $0["method"] as? String } == ["map", "nuts"])
    let document = try run(scene, "summary", "post", "--json", "--quantiles", "0.3").json
    let values = (document["quantiles"] as? [String: Any])?["values"] as? [String: [Double]]
    #expect(values?["flux"]?.count == 1 && values?["magnitude"]?.count == 1)
    let latex = try run(scene, "summary", "post", "--latex")
    #expect(latex.status == 0 && latex.output.hasPrefix("\\begin{deluxetable}"))
  }

  @Test("the residuals are compared with images of the fit, in words and as data")
  func check() throws {
    let scene = try scene()
    let text = try run(scene, "summary", "post", "--check")
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.output.contains("the residuals look like the noise"))
    let json = try run(scene, "summary", "max", "--check", "--json").json
    let check = try #require(json["predictive_check"] as? [String: Any])
    #expect(check["sound"] as? Bool == true)
  }

  @Test("pictures come into the result's folder, or another, in every format")
  func plots() throws {
    let scene = try scene()
    let plain = try run(scene, "plot", "post")
    #expect(plain.status == 0, "\(plain.errors)")
    #expect(
      Set(scene.folder.names(in: "post")).isSuperset(of: [
        "residual.png", "image.png", "corner.png", "trace.png",
      ]))
    let others = try run(
      scene, "plot", "post", "max", "--output", "pictures", "--kind", "residual,image", "--format",
      "pdf,svg")
    #expect(others.status == 0, "\(others.errors)")
    #expect(
      scene.folder.names(in: "pictures") == [
        "max-image.pdf", "max-image.svg", "max-residual.pdf", "max-residual.svg",
        "post-image.pdf", "post-image.svg", "post-residual.pdf", "post-residual.svg",
      ])
    let chosen = try run(
      scene, "plot", "post/posterior.asdf", "--kind", "corner", "--parameters", "n,magnitude",
      "--output", "few", "--dpi", "72")
    #expect(chosen.status == 0 && scene.folder.names(in: "few") == ["corner.png"])
  }

  @Test("what is wrong is said with file, what was expected, and what to do; the status is 2")
  func errors() throws {
    let scene = try scene()
    try "no JSON".write(
      to: scene.folder.url.appending(path: "notes.json"), atomically: true, encoding: .utf8)
    for (words, said) in [
      (["summary", "nowhere"], "nowhere: expected a file or folder"),
      (["summary", "."], "expected posterior.asdf or result.json"),
      (["summary", "truth.json"], "expected a result of the schema"),
      (["summary", "image.fits"], "RESULT"),
      (["summary", "post", "--parameters", "mass"], "found \"mass\""),
      (["summary", "notes.json"], "expected a value, found \"n\""),
      (["summary", "max", "--parameters", "magnitude"], "--zero-point"),
      (["plot", "post", "--kind", "corner", "--parameters", "r_eff_arcsec"], "--pixel-scale"),
      (["summary", "max", "--parameters", "ra"], "world coordinates"),
      (["summary", "post", "--quantiles", "0.9,0.1"], "--quantiles"),
      (["summary", "max", "--quantiles", "0.5"], "--method laplace"),
      (["summary", "post", "--latex", "--json"], "--latex"),
      (["summary", "post", "--pixel-scale", "0"], "--pixel-scale"),
      (["plot", "max", "--kind", "corner"], "--method laplace"),
      (["plot", "post", "--kind", "pie"], "residual, image, corner, trace"),
      (["plot", "post", "--format", "gif"], "png, pdf, svg"),
      (["plot", "post", "--parameters", "mass"], "found \"mass\""),
      (["plot", "post", "post/result.json", "--output", "x"], "two of the same"),
      (["plot", "post", "--dpi", "5"], "--dpi"),
    ] {
      let outcome = try SersicProcess.run(words, in: scene.folder.url)
      #expect(outcome.status == 2, "\(words): \(outcome.errors)")
      #expect(outcome.errors.contains(said), "\(words): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    let locked = try run(scene, "plot", "max", "--output", "rms.fits")
    #expect(locked.status == 2 && locked.errors.contains("rms.fits"))
  }
}
