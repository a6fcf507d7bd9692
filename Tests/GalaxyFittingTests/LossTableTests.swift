// SPDX-License-Identifier: MIT
//
// How the losses stand outliers, and what their errors are worth on clean noise: a short check, and the README's table.

import Foundation
import GalaxyFitting
import GalaxyModels
import Rendering
import Testing

@Suite("Bias and coverage of the losses")
struct LossTableTests {
  @Test("outliers bias the Gaussian loss and not the robust ones")
  func outliers() throws {
    let count = 12
    let unit = try LossTrial(.gaussian, .clean, count: count, side: 45)
    let gaussian = try LossTrial(.gaussian, .outliers, count: count, side: 45)
    let robust = try [ImageLoss.studentT(), .mixture(), .mixture(free: .fraction)].map {
      try LossTrial($0, .outliers, count: count, side: 45)
    }
    // The sky takes most of the harm: 1 % of pixels at 39 times the rms on average lift it by 0.39 of it, or 17 standard
    // errors of the mean of 2025 pixels.
    let sky = 3
    #expect(gaussian.bias(sky, unit: unit.reported(sky)) > 5)
    for trial in robust {
      // What is left of the bias, below one standard error, and the chance of 12 galaxies: 0.3 for each.
      #expect(abs(trial.bias(sky, unit: unit.reported(sky))) < 2)
      #expect(trial.failures == 0)
    }
  }

  @Test("68 % intervals of the Gaussian loss hold 68 % of the truths on clean noise")
  func coverage() throws {
    let trial = try LossTrial(.gaussian, .clean, count: 25, side: 45)
    // 100 intervals of four correlated parameters, as good as 50 independent ones: 0.68 ± 0.066, three of it.
    #expect(abs(trial.coverage - 0.68) < 0.2, "\(trial.coverage)")
    #expect(trial.failures == 0)
  }

  @Test(
    "the table of the README",
    .enabled(if: ProcessInfo.processInfo.environment["SERSIC_LONG_TESTS"] != nil))
  func table() throws {
    let count = 200
    let reference = try LossTrial(.gaussian, .clean, count: count)
    var lines = [
      "loss | scatter, clean | reported / scatter | coverage, clean | coverage, 1.3 rms | bias flux | r_eff | n | sky | coverage, outliers | failures"
    ]
    for loss in LossTests.all where !loss.description.hasPrefix("poisson") {
      let clean = try LossTrial(loss, .clean, count: count)
      let wide = try LossTrial(loss, .wide, count: count)
      let hit = try LossTrial(loss, .outliers, count: count)
      let sites = LossTrial.sites.indices
      let scatter = sites.map { clean.scatter($0, unit: reference.reported($0)) }
      let honest = sites.map { 1 / clean.scatter($0, unit: clean.reported($0)) }
      let bias = sites.map { hit.bias($0, unit: reference.reported($0)) }
      /// Returns the mean of numbers with two decimals.
      func mean(_ values: [Double]) -> String {
        String(format: "%.2f", values.reduce(0, +) / Double(values.count))
      }
      lines.append(
        ([
          "\(loss)", mean(scatter), mean(honest), mean([clean.coverage]), mean([wide.coverage]),
        ] + bias.map { mean([$0]) } + [
          mean([hit.coverage]), "\(clean.failures + wide.failures + hit.failures)",
        ]).joined(separator: " | "))
      print(lines.last ?? "")
      if loss == .gaussian {
        #expect(abs(clean.coverage - 0.68) < 0.06, "coverage of the Gaussian loss on its own noise")
      }
    }
    print(lines.joined(separator: "\n"))
  }
}
