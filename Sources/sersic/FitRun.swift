// SPDX-License-Identifier: MIT
//
// A fit of one image from the command line: what is printed and written, and where it comes from.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Inference
import JSON

/// Runs a stock fit as the options say.
struct FitRun {
  /// The options.
  let options: FitOptions

  /// Makes the fit.
  func compute(
    _ fit: some GalaxyFit, _ provenance: FitProvenance, starts: [String: Double],
    remarks: [InputFinding]
  ) throws -> FitResult {
    let outcome = try options.estimation.run(fit, starts: starts, optimizer: options.optimizer)
    return FitResult(
      outcome.best, posterior: outcome.posterior, provenance: provenance,
      remarks: remarks + outcome.remarks)
  }

  /// Prints the result, writes its files, and says what was done.
  func finish(_ result: FitResult, _ folder: OutputFolder?, shown: [InputFinding]) throws {
    // First of all the numbers: what fails later cannot take them away.
    var isWhole = Terminal.write(options.json ? result.json.text + "\n" : result.table)
    Terminal.report(result.findings, after: shown)
    Terminal.report("note: \(result.pixelConvention) (renderer \(result.renderer.rawValue))")
    let products = folder.map { result.write(to: $0, plots: !options.noPlots) } ?? []
    let written = Terminal.report(products, in: folder)
    isWhole = isWhole && written.count == products.count
    Terminal.report("next: " + advice(result, written, folder))
    guard result.isUsable else {
      throw CommandFailure(
        description:
          "the fit has no finite result: \(result.best.optimum.explanation); run sersic check on the same inputs"
      )
    }
    let isComplete = options.method == .map || result.posterior != nil
    guard isWhole, isComplete, !Interruption.isRequested else {
      throw ExitCode(ExitStatus.failed)
    }
  }

  /// Returns what to try next.
  private func advice(
    _ result: FitResult, _ written: [String], _ folder: OutputFolder?
  ) -> String {
    guard let folder else {
      return "add --output DIR to keep the model image, the residuals and result.json"
    }
    let look: String
    if written.contains("residual.png") {
      look = "look at \(folder.path)/residual.png"
    } else if written.contains("model.fits") {
      look = "look at the RESIDUAL extension of \(folder.path)/model.fits"
    } else {
      return "make room in \(folder.path), or name another folder with --output, and fit again"
    }
    return options.method == .map
      ? look
        + ", then add --method laplace for uncertainties, or --method nuts for the full posterior"
      : look + (written.contains("corner.png") ? " and corner.png" : "")
        + ", then try another --loss or --sky and compare"
  }

  /// Returns where a result comes from.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - input: The options that it was read by.
  ///   - own: The values of the command's own options, by name.
  /// - Returns: Inputs, seed, command line, and the defaults that were used.
  func provenance(_ image: ObservedImage, _ input: ImageOptions, own: [String: String])
    -> FitProvenance
  {
    let settings = options.values.merging(own) { $1 }.merging([
      "pixel-response": image.pixelResponse.rawValue
    ]) { $1 }
    let words = Array(CommandLine.arguments.dropFirst())
    let given = Set(words.map { $0.prefix { $0 != "=" } })
    return FitProvenance(
      inputs: FitProvenance.inputs(of: image, noise: input.noiseWord), seed: options.seed,
      command: FitProvenance.command(["sersic"] + words),
      defaults: settings.filter { !given.contains("--\($0.key)") })
  }
}
