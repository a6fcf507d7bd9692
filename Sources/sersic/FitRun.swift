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
  /// How the fit is made.
  let estimation: Estimation

  /// The optimiser of the maximum.
  let optimizer: MAPOptimizer

  /// Whether the JSON document is printed instead of the table.
  let isJSON: Bool

  /// Whether pictures are drawn.
  let hasPlots: Bool

  /// The options with their values, by the names on the command line.
  let values: [String: String]

  /// What can be changed for comparison, in words.
  let alternatives: String

  /// Takes the options of a fit of one image.
  init(options: FitOptions) {
    self.init(
      options.estimation, optimizer: options.optimizer, isJSON: options.json,
      hasPlots: !options.noPlots, values: options.values, alternatives: "--loss or --sky")
  }

  /// Creates a run.
  init(
    _ estimation: Estimation, optimizer: MAPOptimizer = .levenbergMarquardt, isJSON: Bool,
    hasPlots: Bool, values: [String: String], alternatives: String
  ) {
    self.estimation = estimation
    self.optimizer = optimizer
    self.isJSON = isJSON
    self.hasPlots = hasPlots
    self.values = values
    self.alternatives = alternatives
  }

  /// Makes the fit.
  func compute(
    _ fit: some GalaxyFit, _ provenance: FitProvenance, starts: [String: Double] = [:],
    remarks: [InputFinding], calibration: Calibration = Calibration()
  ) throws -> FitResult {
    let outcome = try estimation.run(fit, starts: starts, optimizer: optimizer)
    return FitResult(
      outcome.best, posterior: outcome.posterior, provenance: provenance,
      remarks: remarks + outcome.remarks, calibration: calibration)
  }

  /// Prints the result, writes its files, and says what was done.
  ///
  /// - Parameters:
  ///   - result: The result.
  ///   - folder: The folder of the files; nil for none.
  ///   - shown: The findings that have been written already.
  ///   - texts: Further files of the result: a name and its text each.
  /// - Throws: `CommandFailure` where the result has no finite numbers, the exit status where something is missing.
  func finish(
    _ result: FitResult, _ folder: OutputFolder?, shown: [InputFinding],
    texts: [(name: String, text: String)] = []
  ) throws {
    // First of all the numbers: what fails later cannot take them away.
    var isWhole = Terminal.write(isJSON ? result.json.text + "\n" : result.table)
    let known = Set(shown.map(\.code)).intersection(FitFindingCode.ofFrame.map(\.rawValue))
    Terminal.report(result.findings.filter { !known.contains($0.code) }, after: shown)
    Terminal.report("note: \(result.pixelConvention) (renderer \(result.renderer.rawValue))")
    var products = folder.map { result.write(to: $0, plots: hasPlots) } ?? []
    if let folder { products += texts.map { folder.write($0.text, to: $0.name) } }
    let written = Terminal.report(products, in: folder)
    isWhole = isWhole && written.count == products.count
    Terminal.report("next: " + advice(result, written, folder))
    guard result.isUsable else {
      throw CommandFailure(
        description:
          "the fit has no finite result: \(result.best.optimum.explanation); run sersic check on the same inputs"
      )
    }
    let isComplete = estimation.method == .map || result.posterior != nil
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
    return estimation.method == .map
      ? look
        + ", then add --method laplace for uncertainties, or --method nuts for the full posterior"
      : look + (written.contains("corner.png") ? " and corner.png" : "")
        + ", then try another \(alternatives) and compare"
  }

  /// Returns where a result comes from.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - noise: The word for the form of its noise map.
  ///   - inputs: Other files that were read.
  ///   - own: The values of the command's own options, by name.
  /// - Returns: Inputs, seed, command line, and the defaults that were used.
  func provenance(
    _ image: ObservedImage, noise: String, inputs: [InputFile] = [], own: [String: String] = [:]
  ) -> FitProvenance {
    let settings = values.merging(own) { $1 }.merging([
      "pixel-response": image.pixelResponse.rawValue
    ]) { $1 }
    let words = Array(CommandLine.arguments.dropFirst())
    let given = Set(words.map { $0.prefix { $0 != "=" } })
    return FitProvenance(
      inputs: FitProvenance.inputs(of: image, noise: noise) + inputs, seed: estimation.seed,
      command: FitProvenance.command(["sersic"] + words),
      defaults: settings.filter { !given.contains("--\($0.key)") })
  }
}
