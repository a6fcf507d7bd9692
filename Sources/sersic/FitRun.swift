// SPDX-License-Identifier: MIT
//
// A fit of one image from the command line: the search, the posterior, what is printed and written, and Ctrl-C in between.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics

/// Runs a stock fit as the options say.
struct FitRun {
  /// The options.
  let options: FitOptions

  /// Searches the maximum, and estimates the posterior where that is asked for and the search was not stopped.
  func compute(
    _ fit: some GalaxyFit, _ provenance: FitProvenance, starts: [String: Double],
    remarks: [InputFinding]
  ) throws -> FitResult {
    let search = Patience("searching the maximum")
    let best = try fit.findMAP(
      start: starts, optimizer: options.optimizer, isCancelled: search.isOver)
    var remarks = remarks
    var posterior: PosteriorFit?
    if options.method != .map && !Interruption.isRequested {
      do {
        posterior = try estimate(fit, best)
      } catch {
        remarks.append(
          InputFinding(
            .warning, FitFindingCode.posteriorFailed.rawValue, subject: "posterior",
            "\(error); the result is that of the maximum alone"))
      }
    }
    if Interruption.isRequested {
      // Complete draws of chains are draws of the posterior, if fewer than were asked for, and a guide knows what it is
      // worth; what is left of another estimate that was stopped would only look like one.
      let hasDraws = posterior?.sampler != nil && (posterior?.draws.draws ?? 0) >= 4
      let hasGuide = posterior?.variational != nil
      if !hasDraws && !hasGuide { posterior = nil }
      let left = hasDraws ? "draws" : hasGuide ? "best guide" : "best point"
      remarks.append(
        InputFinding(
          .warning, FitFindingCode.interrupted.rawValue, subject: "fit",
          "stopped on request; the numbers are those of the \(left) so far"))
    }
    return FitResult(best, posterior: posterior, provenance: provenance, remarks: remarks)
  }

  /// Estimates the posterior by the method that was asked for.
  private func estimate(_ fit: some GalaxyFit, _ best: MAPFit) throws -> PosteriorFit? {
    let key = RandomKey(options.seed)
    switch options.method {
    case .map: return nil
    case .laplace:
      return try fit.estimatePosterior(
        .laplace, from: best, draws: options.drawCount, key: key,
        isCancelled: Patience("estimating the posterior").isOver)
    case .sviMVN, .sviFlow:
      return try fit.estimatePosterior(
        options.method == .sviFlow ? .sviFlow : .sviMVN, from: best, draws: options.drawCount,
        key: key,
        progress: .terminal, isCancelled: { Interruption.isRequested })
    case .nuts:
      return try fit.sample(
        chains: options.chains, warmUp: options.warmup, draws: options.drawCount, from: best,
        key: key,
        progress: .terminal, isCancelled: { Interruption.isRequested })
    }
  }

  /// Prints the result, writes its files, and says what was done.
  func finish(_ result: FitResult, _ folder: OutputFolder?, shown: [InputFinding]) throws {
    // First of all the numbers: what fails later cannot take them away.
    var isWhole = Terminal.write(options.json ? result.json.text + "\n" : result.table)
    Terminal.report(result.findings, after: shown)
    Terminal.report("note: \(result.pixelConvention) (renderer \(result.renderer.rawValue))")
    let products = folder.map { result.write(to: $0, plots: !options.noPlots) } ?? []
    for product in products {
      if let failure = product.failure {
        Terminal.report("error: \(product.path) was not written: \(failure)")
        isWhole = false
      }
    }
    let written = products.filter { $0.failure == nil }.map(\.name)
    if let folder, !written.isEmpty {
      Terminal.report("wrote \(written.joined(separator: ", ")) to \(folder.path)")
    }
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
