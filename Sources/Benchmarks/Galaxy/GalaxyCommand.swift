// SPDX-License-Identifier: MIT
//
// The command `Benchmarks galaxy`: the posterior of one galaxy by every method, from several seeds, against bounds.

import ArgumentParser
import Foundation
import SwiftSersic

/// Fits a galaxy by NUTS from several seeds and by each approximation, and compares times and posteriors.
struct Galaxy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galaxy",
    abstract: "Samples the posterior of a galaxy from several seeds, and compares all methods.",
    discussion: """
      The folder has image.fits, rms.fits, psf.fits and perhaps mask.fits. The fit is the stock one, from reading the files \
      on: automatic priors, Gaussian loss. Bounds: R-hat < 1.01, no divergences, 300 effective draws a second for the worst \
      parameter and at most 6 s for each seed; means within 0.1 sd and sds within 10 % of NUTS, laplace and svi-mvn \
      within 2 s and svi-flow within 8 s. Exit status 1 where one is crossed. Times mean something on a quiet machine only.
      """)

  @Argument(help: "The folder of the galaxy.")
  var folder: String

  @Option(help: "The number of runs, with seeds 1, 2, ….")
  var seeds = 10

  @Option(help: "The profile.", transform: { try choice($0) })
  var profile = GalaxyProfile.sersic

  @Option(help: "The sky.", transform: { try choice($0) })
  var sky = SkyKind.flat

  /// Checks the numbers.
  func validate() throws {
    guard seeds > 0 else { throw ValidationError("expected seeds > 0, found \(seeds)") }
  }

  /// Runs all methods.
  func run() throws {
    var isWithin = true
    /// Prints a row, and takes down whether it is within its bounds.
    func show(_ text: String, _ isGood: Bool) {
      isWithin = isWithin && isGood
      print(text + (isGood ? "" : "  OUT OF BOUNDS"))
    }
    var pooled: [String: [Double]] = [:]
    var periods: [String: Double] = [:]
    for seed in 1...seeds {
      let clock = ContinuousClock()
      let begin = clock.now
      let posterior = try fit().sample(key: RandomKey(UInt64(seed)))
      let time = (clock.now - begin).seconds
      let scalars = posterior.draws.scalars
      for scalar in scalars {
        pooled[scalar.name, default: []] += scalar.values
        periods[scalar.name] = scalar.period
      }
      let rHat = scalars.map(\.rHat).max() ?? .nan
      let (bulk, tail) = (
        scalars.map(\.bulkESS).min() ?? .nan, scalars.map(\.tailESS).min() ?? .nan
      )
      let divergences = posterior.sampler?.divergences ?? 0
      show(
        String(
          format:
            "nuts, seed %2d  R-hat %.4f  ESS bulk %5.0f tail %5.0f  %4.0f / s  %d divergences  %.2f s",
          seed, rHat, bulk, tail, bulk / time, divergences, time),
        rHat < 1.01 && divergences == 0 && bulk / time >= 300 && time <= 6)
    }
    var reference: [String: (mean: Double, sd: Double)] = [:]
    for (name, values) in pooled {
      let all = ScalarDraws(name: name, values: values, period: periods[name])
      reference[name] = (all.mean, all.standardDeviation)
    }
    for (method, limit) in [
      (PosteriorMethod.laplace, 2.0), (.sviMVN, 2), (.sviFlow, 8),
    ] {
      let clock = ContinuousClock()
      let begin = clock.now
      let posterior = try fit().estimatePosterior(method, key: 1)
      let time = (clock.now - begin).seconds
      var (shift, ratio) = (0.0, 0.0)
      for scalar in posterior.draws.scalars {
        guard let own = reference[scalar.name] else { continue }
        var offset = scalar.mean - own.mean
        if let period = periods[scalar.name] { offset -= period * (offset / period).rounded() }
        shift = max(shift, abs(offset) / own.sd)
        ratio = max(ratio, abs(scalar.standardDeviation / own.sd - 1))
      }
      show(
        String(
          format: "%@  largest difference from nuts: mean %.3f sd, sd %.1f %%  %.2f s",
          method.rawValue.padding(toLength: 13, withPad: " ", startingAt: 0), shift, 100 * ratio,
          time),
        shift < 0.1 && ratio < 0.1 && time <= limit)
    }
    if !isWithin { throw ExitCode.failure }
  }

  /// Reads the galaxy and prepares its fit.
  private func fit() throws -> FitSingle {
    let files = URL(filePath: folder)
    /// Returns the path of a file of the folder.
    func path(_ name: String) -> String { files.appending(path: name).path }
    let hasMask = FileManager.default.fileExists(atPath: path("mask.fits"))
    let image = try ObservedImage(
      science: path("image.fits"), rms: path("rms.fits"), psf: path("psf.fits"),
      mask: hasMask ? path("mask.fits") : nil)
    return try FitSingle(image, prior: autoprior(image, profile, sky: sky))
  }
}

/// Returns the case of a name.
private func choice<Choice: CaseIterable & RawRepresentable<String>>(_ name: String) throws
  -> Choice
{
  guard let choice = Choice(rawValue: name) else {
    throw ValidationError("expected one of \(Choice.allCases.map(\.rawValue)), found \(name)")
  }
  return choice
}
