// SPDX-License-Identifier: MIT
//
// `sersic fit --method nuts` as a process: diagnostics in table and JSON, draws in a file, Ctrl-C keeps what was drawn.

import ASDF
import Foundation
import Testing

@Suite("Command: sampling", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct SamplingCommandTests {
  @Test("a sampled posterior has its diagnostics, its draws in a file, and the truth inside")
  func samples() throws {
    let scene = try CommandScene()
    let outcome = try scene.run(
      "fit", sky: "none", "--method", "nuts", "--chains", "2", "--warmup", "300", "--draws", "400",
      "--target-acceptance", "0.9",
      "--json", "--output", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.json["method"] as? String == "nuts")
    let parameters = try #require(outcome.json["parameters"] as? [String: [String: Any]])
    for (name, truth) in CommandScene.truth {
      let row = try #require(parameters[name])
      func number(_ member: String) -> Double { row[member] as? Double ?? .nan }
      // 800 draws: split R-hat scatters by some 0.005 around 1; 1.03 is beyond six times that.
      #expect(number("r_hat") < 1.03 && number("ess_bulk") > 100 && number("ess_tail") > 100)
      // Five standard deviations: chance does this to one of 7 parameters once in 200 000 seeds; the seed is fixed.
      #expect(abs(number("mean") - truth) < 5 * number("sd"), "\(name)")
    }
    let sampler = try #require(outcome.json["sampler"] as? [String: Any])
    #expect(sampler["divergences"] as? Int == 0 && sampler["draws"] as? Int == 400)
    #expect((sampler["leapfrogs"] as? Int ?? 0) > 800)
    #expect((sampler["step_size"] as? [Double])?.count == 2)
    let file = try ASDFReader.read(scene.folder.path("out/posterior.asdf"))
    let flux = try #require(file["posterior"]?["flux"]?.array)
    #expect(flux.shape == [2, 400])
    let mean = flux.doubles.reduce(0, +) / 800
    #expect(abs(mean - (parameters["flux"]?["mean"] as? Double ?? .nan)) < 1e-9 * mean)
    #expect(file["method_used"]?.text == "nuts")
    #expect(file["input_data"]?["image"]?.array?.shape == [45, 49])
    #expect(file["prior_info"]?["flux"]?.text?.hasPrefix("Normal") == true)
    #expect(file["result"]?["schema"]?.text == "swift-sersic/result/1")
    #expect(file["sample_stats"]?["diverging"]?.array?.shape == [2, 400])
  }

  @Test("the table shows effective sample sizes and R-hat, and how the chains ran")
  func table() throws {
    let scene = try CommandScene()
    let outcome = try scene.run(
      "fit", sky: "none", "--method", "nuts", "--warmup", "200", "--draws", "200")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("ESS") && outcome.output.contains("R-hat"))
    #expect(outcome.output.contains("2 chains of 200 draws after 200 of warm-up"))
  }

  @Test("variational posteriors have the truth inside, what they are worth, and draws in a file")
  func variational() throws {
    let scene = try CommandScene()
    for method in ["svi-mvn", "svi-flow"] {
      let outcome = try scene.run(
        "fit", sky: "none", "--method", method, "--draws", "2000", "--json", "--output", method)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.json["method"] as? String == method)
      let parameters = try #require(outcome.json["parameters"] as? [String: [String: Any]])
      for (name, truth) in CommandScene.truth {
        let mean = parameters[name]?["mean"] as? Double ?? .nan
        let sd = parameters[name]?["sd"] as? Double ?? .nan
        // Five standard deviations: chance does this to one of 7 parameters once in 200 000 seeds; the seed is fixed.
        #expect(abs(mean - truth) < 5 * sd, "\(name)")
        #expect(parameters[name]?["r_hat"] == nil && parameters[name]?["ess_bulk"] == nil)
      }
      let guide = try #require(outcome.json["variational"] as? [String: Any])
      #expect((guide["efficiency"] as? Double ?? 0) > 0.9, "\(guide)")
      let file = try ASDFReader.read(scene.folder.path("\(method)/posterior.asdf"))
      #expect(file["posterior"]?["flux"]?.array?.shape == [1, 2000])
      #expect(file["method_used"]?.text == method)
      #expect(file["result"]?["variational"]?["elbo"] != nil)
      #expect(scene.folder.names(in: method).contains("corner.png"))
    }
    let table = try scene.run("fit", sky: "none", "--method", "svi-mvn")
    #expect(table.status == 0 && table.output.contains("evidence bound"), "\(table.errors)")
  }

  @Test("impossible numbers of chains, draws and iterations are refused with the option's name")
  func refusals() throws {
    let scene = try CommandScene()
    for (option, value) in [
      ("--chains", "0"), ("--draws", "3"), ("--warmup", "-1"), ("--chains", "100000"),
    ] {
      let outcome = try scene.run("fit", sky: "none", "--method", "nuts", option, value)
      #expect(outcome.status == 2 && outcome.errors.contains(option), "\(outcome.errors)")
    }
  }

  @Test("Ctrl-C ends a long run, and the draws so far are the result")
  func interrupted() throws {
    let scene = try CommandScene()
    let outcome = try SersicProcess.run(
      scene.words("fit") + [
        "--method", "nuts", "--warmup", "0", "--draws", "2000000", "--json", "--output", "out",
      ], in: scene.folder.url, interruptAfter: "steps/s")
    #expect(outcome.status == 1)
    let sampler = try #require(outcome.json["sampler"] as? [String: Any], "\(outcome.errors)")
    let draws = sampler["draws"] as? Int ?? 0
    #expect(draws >= 4 && draws < 2_000_000)
    #expect(sampler["was_cancelled"] as? Bool == true)
    #expect(scene.folder.names(in: "out").contains("posterior.asdf"))
  }
}
